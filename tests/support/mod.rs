//! The parts.

pub(crate) mod clusters;
pub(crate) mod credentials;
pub(crate) mod eventually;
pub(crate) mod example;
pub(crate) mod fleet;
pub(crate) mod folder;
pub(crate) mod guard;
pub(crate) mod kinds;
pub(crate) mod kubeconfigs;
pub(crate) mod log;
pub(crate) mod operator;
pub(crate) mod permit;
pub(crate) mod probe;
mod project;
pub(crate) mod proxy;
pub(crate) mod quiet;
pub(crate) mod records;
pub(crate) mod relay;
#[doc(hidden)]
pub mod run;
pub(crate) mod sentinel;
pub(crate) mod side;
pub(crate) mod sites;
pub(crate) mod told;
pub(crate) mod tunnel;
