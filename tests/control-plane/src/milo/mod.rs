//! The part of Milo that a fleet depends on: its two kinds, and what its controllers do to them.

mod controller;
mod crds;
mod purge;

pub use controller::HOLD_ANNOTATION;
pub(crate) use controller::{Controller, Options, played};
pub(crate) use crds::{PROJECT, PROJECT_CONTROL_PLANE, ProjectKind, crds};
pub(crate) use purge::Purge;
