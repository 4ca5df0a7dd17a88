//! Sets of fields of an object, and what server-side apply does with them.

mod check;
mod combine;
mod reconcile;
mod remove;
mod set;
mod shape;
mod walk;

pub(crate) use check::{untyped, untyped_live};
pub(crate) use combine::combine;
pub(crate) use remove::remove;
pub(crate) use set::Set;
pub(crate) use walk::{Changes, compare, field_set};
