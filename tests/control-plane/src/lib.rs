//! A Kubernetes API server inside the process, for tests, examples and benchmarks.

mod api;
mod builder;
mod control_plane;
mod failure;
mod ids;
mod janitor;
mod kinds;
mod milo;
mod object;
mod patch;
mod plane;
mod real;
mod schema;
mod serve;
mod store;

pub use builder::Builder;
pub use control_plane::{ControlPlane, Error, Project};
pub use milo::HOLD_ANNOTATION;
pub use real::{Assets, RealError, RealFleet, RealLease};
pub use serve::{Mark, RequestLog, RequestRecord, ResourcePath, TlsError, Verb};
