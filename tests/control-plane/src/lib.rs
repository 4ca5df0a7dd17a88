//! A Kubernetes API server inside the process, for tests, examples and benchmarks.

mod milo;
mod patch;
mod real;
mod schema;
mod serve;

pub use milo::HOLD_ANNOTATION;
pub use real::{Assets, RealError, RealFleet, RealLease};
pub use serve::{Mark, RequestLog, RequestRecord, ResourcePath, TlsError, Verb};
