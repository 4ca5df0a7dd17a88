//! The client of a cluster.

use std::sync::Arc;
use std::time::Duration;

use kube::{Client, Config};

use super::Failure;

/// How long one call may take, from the first byte sent to the last one read.
const CALL_DEADLINE: Duration = Duration::from_secs(30);

/// How long a TCP and TLS handshake may take.
const CONNECT_DEADLINE: Duration = Duration::from_secs(10);

/// How the client of a cluster is made.
pub(crate) type Connect = Arc<dyn Fn(Config) -> Result<Client, kube::Error> + Send + Sync>;

/// A client for the API server that `config` names.
///
/// kube's own retries are off: who waits for a server that said "later" must not hold a worker, so
/// that waiting is the queue's and the watches' business.
pub(crate) fn client(mut config: Config) -> Result<Client, kube::Error> {
    config.default_retry = false;
    config.connect_timeout = Some(
        config
            .connect_timeout
            .map_or(CONNECT_DEADLINE, |set| set.min(CONNECT_DEADLINE)),
    );
    Client::try_from(config)
}

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
