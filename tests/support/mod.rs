//! The parts.

pub mod eventually;
pub mod fleet;
pub mod kinds;
mod project;
#[doc(hidden)]
pub mod run;
