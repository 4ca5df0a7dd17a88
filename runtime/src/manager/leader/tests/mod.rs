//! The election on a paused clock, with a Lease in memory in place of an API server.

mod acquire;
mod keep;
mod settings;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::core::Status;
use tokio_util::sync::CancellationToken;

use super::LeaderElection;
use super::api::Leases;
use super::candidate::Candidate;
use crate::transport::Failure;

const SECOND: Duration = Duration::from_secs(1);

/// What happens to a call, instead of an answer or besides it.
enum Fault {
    Refusal(u16),
    Silence,
    /// It is done, and no answer comes.
    Lost,
}

/// One Lease, with the optimistic concurrency of an API server.
#[derive(Clone, Default)]
struct Server(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    lease: Option<Lease>,
    version: u64,
    faults: VecDeque<Fault>,
    /// After the faults above: for each call.
    always: Option<fn() -> Fault>,
    calls: Vec<&'static str>,
}

impl Server {
    fn with<T>(&self, look: impl FnOnce(&mut Inner) -> T) -> T {
        look(&mut self.0.lock().unwrap())
    }

    fn spec(&self) -> LeaseSpec {
        self.with(|inner| inner.lease.clone().unwrap().spec.unwrap())
    }

    fn holder(&self) -> Option<String> {
        self.with(|inner| inner.lease.as_ref()?.spec.as_ref()?.holder_identity.clone())
    }

    /// Somebody else writes the Lease.
    fn edit(&self, change: impl FnOnce(&mut Lease)) {
        self.with(|inner| {
            let mut lease = inner.lease.take().unwrap_or_default();
            change(&mut lease);
            inner.put(lease);
        });
    }

    /// Somebody else holds it, by a clock that is of no use to anybody.
    fn held_by(&self, holder: &str, seconds: i32) {
        self.edit(|lease| {
            let spec = lease.spec.get_or_insert_default();
            spec.holder_identity = Some(holder.into());
            spec.lease_duration_seconds = Some(seconds);
            let ticks = spec
                .renew_time
                .as_ref()
                .map_or(0, |time| time.0.as_second());
            spec.renew_time = Some(MicroTime(Timestamp::from_second(ticks + 1).unwrap()));
        });
    }

    fn fails(&self, faults: impl IntoIterator<Item = Fault>) {
        self.with(|inner| inner.faults.extend(faults));
    }

    fn calls(&self) -> Vec<&'static str> {
        self.with(|inner| std::mem::take(&mut inner.calls))
    }

    async fn call<T>(
        &self,
        name: &'static str,
        work: impl FnOnce(&mut Inner) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        // Others come in between.
        tokio::task::yield_now().await;
        let fault = self.with(|inner| {
            inner.calls.push(name);
            inner
                .faults
                .pop_front()
                .or_else(|| inner.always.map(|fault| fault()))
        });
        match fault {
            Some(Fault::Refusal(code)) => Err(refusal(code)),
            Some(Fault::Silence) => std::future::pending().await,
            Some(Fault::Lost) => {
                let _ = self.with(work);
                std::future::pending().await
            }
            None => self.with(work),
        }
    }
}

impl Inner {
    fn put(&mut self, mut lease: Lease) -> Lease {
        self.version += 1;
        lease.metadata.resource_version = Some(self.version.to_string());
        self.lease = Some(lease.clone());
        lease
    }
}

impl Leases for Server {
    async fn get(&self) -> Result<Option<Lease>, Failure> {
        self.call("get", |inner| Ok(inner.lease.clone())).await
    }

    async fn create(&self, lease: &Lease) -> Result<Lease, Failure> {
        let lease = lease.clone();
        self.call("create", |inner| match inner.lease {
            Some(_) => Err(refusal(409)),
            None => Ok(inner.put(lease)),
        })
        .await
    }

    async fn update(&self, lease: &Lease) -> Result<Lease, Failure> {
        let lease = lease.clone();
        self.call("update", |inner| match &inner.lease {
            None => Err(refusal(404)),
            Some(old) if old.metadata.resource_version != lease.metadata.resource_version => {
                Err(refusal(409))
            }
            Some(_) => Ok(inner.put(lease)),
        })
        .await
    }
}

fn refusal(code: u16) -> Failure {
    let mut status = Status::failure("the server says no", "Whatever");
    status.code = code;
    Failure::Refused(Box::new(status))
}

/// Lease 15 s, renew deadline 10 s, retry 2 s.
fn candidate(server: &Server, identity: &str) -> Candidate<Server> {
    let election = LeaderElection::new("operator").identity(identity);
    Candidate::new(server.clone(), election.check("ops").unwrap())
}

async fn leader(server: &Server) -> Candidate<Server> {
    let mut leader = candidate(server, "me");
    leader.acquire(&CancellationToken::new()).await;
    server.calls();
    leader
}

/// Waits until the election has made so many calls.
async fn after_calls(server: &Server, count: usize) {
    while server.with(|inner| inner.calls.len()) < count {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
