//! The parts.

pub(crate) mod eventually;
pub(crate) mod fleet;
pub(crate) mod kinds;
mod project;
#[doc(hidden)]
pub mod run;
