//! What a call needs besides a connection.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use kube::Config;

use super::{Failure, Line};

/// How long one call may take, from the first byte sent to the last one read.
pub(super) const CALL_DEADLINE: Duration = Duration::from_secs(30);

/// How long it may take to open a connection, TLS and all.
pub(super) const CONNECT_DEADLINE: Duration = Duration::from_secs(10);

/// How the way to a cluster is made, which takes as long as a program takes that gives its credentials.
pub(crate) type Connect =
    Arc<dyn Fn(Config) -> BoxFuture<'static, Result<Line, kube::Error>> + Send + Sync>;

/// How many objects one page of a list holds.
pub(crate) const PAGE: u32 = 500;

/// The answer of a call, or [`Failure::Deadline`] when there is none in time.
pub(crate) async fn within<T>(
    call: impl Future<Output = Result<T, kube::Error>> + Send,
) -> Result<T, Failure> {
    match tokio::time::timeout(CALL_DEADLINE, call).await {
        Ok(answer) => Ok(answer?),
        Err(_elapsed) => Err(Failure::Deadline(CALL_DEADLINE)),
    }
}
