//! What a reconcile does to the API: finalizer, conditions, status, ownership and apply.

mod allowance;
mod applied;
mod apply;
mod conditions;
mod event;
mod exact;
mod finalizer;
mod left;
mod list;
mod mark;
mod marked;
mod ownership;
mod prune;
mod recorder;
mod remote;
mod removal;
mod scope;
mod status;

pub use apply::Apply;
pub use event::Event;
pub use ownership::NotOwned;
pub(crate) use ownership::controller_of;
pub use scope::Scope;
pub(crate) use scope::{Desk, Notes, Owner};

pub(crate) use applied::Child;
pub(crate) use conditions::{READY, Ready, SetCondition, Verdict, declared};
pub(crate) use finalizer::{Finalizer, Secured, holds};
pub(crate) use list::list_metadata;
pub(crate) use mark::Marker;
pub(crate) use marked::Marked;
pub(crate) use remote::{DELETED, Remote};
pub(crate) use removal::remove_marked;
pub(crate) use status::{StatusChange, write_status};
