//! What a reconcile does to the API: finalizer, conditions, status, ownership and apply.

mod apply;
mod conditions;
mod finalizer;
mod ownership;
mod remote;
mod scope;
mod status;

pub use apply::Apply;
pub use ownership::NotOwned;
pub(crate) use scope::Owner;
pub use scope::Scope;

pub(crate) use conditions::{Ready, SetCondition, Verdict, declared};
pub(crate) use finalizer::{Finalizer, Secured, holds};
pub(crate) use remote::{DELETED, Remote};
pub(crate) use status::{StatusChange, write_status};
