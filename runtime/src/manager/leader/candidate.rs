//! One process in an election: it gets the Lease, keeps it, loses it or gives it back.

use std::collections::BTreeSet;
use std::time::Duration;

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::api::{GROUP, Leases, RESOURCE, VERBS};
use super::{Election, LeadershipLost};
use crate::transport::{self, Failure, jittered};

const HTTP_FORBIDDEN: u16 = 403;
const HTTP_NOT_FOUND: u16 = 404;
const HTTP_CONFLICT: u16 = 409;

/// How long the Lease says that it holds after it was released: the API server refuses 0.
const RELEASED_SECONDS: i32 = 1;

pub(super) struct Candidate<L> {
    leases: L,
    election: Election,
    seen: Option<Seen>,
    /// When the last write that made or kept the Lease ours was begun.
    renewed: Instant,
    trouble: Trouble,
}

/// The Lease as it was last, and since when it says what it says.
struct Seen {
    lease: Lease,
    since: Instant,
}

/// How a try ended that got an answer.
enum Standing {
    Ours,
    HeldBy(String),
}

/// What is asked of the server, as its permissions name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Verb {
    Get,
    Create,
    Update,
}

impl<L: Leases> Candidate<L> {
    pub(super) fn new(leases: L, election: Election) -> Self {
        Self {
            leases,
            election,
            seen: None,
            renewed: Instant::now(),
            trouble: Trouble::default(),
        }
    }

    /// Resolves when the Lease is ours, or with `false` after `stop`, at the end of a try.
    pub(super) async fn acquire(&mut self, stop: &CancellationToken) -> bool {
        let mut waits_for = None;
        loop {
            match self.attempt(false).await {
                Ok(Standing::Ours) => break,
                Ok(Standing::HeldBy(holder)) if waits_for.as_ref() != Some(&holder) => {
                    tracing::info!(lease = %self.lease(), %holder, "another process is the leader; waiting");
                    waits_for = Some(holder);
                }
                Ok(Standing::HeldBy(_)) | Err(_) => {}
            }
            let pause = tokio::time::sleep(jittered(self.election.retry));
            if stop.run_until_cancelled(pause).await.is_none() {
                return false;
            }
        }
        tracing::info!(lease = %self.lease(), identity = %self.election.identity, "this process is the leader");
        true
    }

    /// Keeps the Lease for as long as that works.
    pub(super) async fn hold(&mut self) -> LeadershipLost {
        let mut failure = None;
        loop {
            let limit = self.election.renew_deadline;
            // From its beginning, so that the others, who see its effect, count from a later moment.
            let deadline = self.renewed.checked_add(limit);
            let renewal = async {
                tokio::time::sleep(self.election.retry).await;
                self.attempt(true).await
            };
            let why = tokio::select! {
                biased;
                () = until(deadline) => match failure {
                    Some(failure) => format!("was not renewed within {limit:?}: {failure}"),
                    None => format!("was not renewed within {limit:?}"),
                },
                standing = renewal => match standing {
                    Ok(Standing::Ours) => {
                        failure = None;
                        continue;
                    }
                    Ok(Standing::HeldBy(holder)) => format!("was taken by {holder:?}"),
                    Err(error) => {
                        failure = Some(error);
                        continue;
                    }
                },
            };
            let lost = LeadershipLost {
                lease: self.lease(),
                why,
            };
            tracing::error!(lease = %lost.lease, why = %lost.why, "the leadership is lost: stopping all work");
            return lost;
        }
    }

    /// Gives the Lease back, if it is ours, so that nobody has to wait for its end.
    pub(super) async fn release(&mut self) {
        let limit = self.election.renew_deadline;
        let released = tokio::time::timeout(limit, self.give_back()).await;
        let error = match released {
            Ok(Ok(())) => return,
            Ok(Err(failure)) => failure,
            Err(_elapsed) => Failure::Deadline(limit),
        };
        tracing::warn!(
            lease = %self.lease(), %error,
            "the Lease is not released: the next leader has to wait until it expires"
        );
    }

    async fn give_back(&mut self) -> Result<(), Failure> {
        while let Some(seen) = &self.seen
            && self.is_ours(&seen.lease)
        {
            let mut lease = seen.lease.clone();
            let now = MicroTime(transport::now());
            let spec = lease.spec.get_or_insert_default();
            spec.holder_identity = Some(String::new());
            spec.lease_duration_seconds = Some(RELEASED_SECONDS);
            spec.acquire_time = Some(now.clone());
            spec.renew_time = Some(now);
            match self.update(&lease).await {
                Ok(lease) => {
                    self.see(lease);
                }
                // Somebody changed it, or a renewal that was cut off came through after all.
                Err(failure) if is_outrun(&failure) => match self.get().await? {
                    Some(lease) => {
                        self.see(lease);
                    }
                    None => return Ok(()),
                },
                Err(failure) => return Err(failure),
            }
        }
        Ok(())
    }

    /// One try to get the Lease, or (`leading`) to keep it.
    async fn attempt(&mut self, leading: bool) -> Result<Standing, Failure> {
        let standing = self.stand(leading).await;
        if standing.is_ok() && self.trouble.is_over() {
            tracing::info!(lease = %self.lease(), "the election goes on");
        }
        standing
    }

    async fn stand(&mut self, leading: bool) -> Result<Standing, Failure> {
        if let Some(seen) = &self.seen
            && self.is_ours(&seen.lease)
        {
            match self.claim(Some(&seen.lease)).await {
                Err(failure) if is_outrun(&failure) => {}
                claimed => return self.ours(claimed?),
            }
        }
        let Some(lease) = self.get().await? else {
            self.seen = None;
            let claimed = self.claim(None).await?;
            return self.ours(claimed);
        };
        let seen = self.see(lease);
        let (lease, is_expired) = (seen.lease.clone(), seen.is_expired());
        let holder = holder(&lease);
        let others = !holder.is_empty() && holder != self.election.identity;
        // Who has led and finds another in its place has lost, however long that one may be gone.
        if others && (leading || !is_expired) {
            return Ok(Standing::HeldBy(holder.to_owned()));
        }
        let claimed = self.claim(Some(&lease)).await?;
        self.ours(claimed)
    }

    fn ours(&mut self, (lease, begun): (Lease, Instant)) -> Result<Standing, Failure> {
        self.see(lease);
        self.renewed = begun;
        Ok(Standing::Ours)
    }

    /// Writes that the Lease is ours. Says when it began to.
    async fn claim(&self, old: Option<&Lease>) -> Result<(Lease, Instant), Failure> {
        let begun = Instant::now();
        let now = MicroTime(transport::now());
        let Some(old) = old else {
            let mut lease = Lease {
                spec: Some(LeaseSpec {
                    acquire_time: Some(now.clone()),
                    lease_transitions: Some(0),
                    ..LeaseSpec::default()
                }),
                ..Lease::default()
            };
            lease.metadata.name = Some(self.election.name.clone());
            lease.metadata.namespace = Some(self.election.namespace.clone());
            self.sign(&mut lease, now);
            return Ok((self.create(&lease).await?, begun));
        };
        let mut lease = old.clone();
        if !self.is_ours(old) {
            let spec = lease.spec.get_or_insert_default();
            spec.acquire_time = Some(now.clone());
            spec.lease_transitions =
                Some(spec.lease_transitions.unwrap_or_default().saturating_add(1));
        }
        self.sign(&mut lease, now);
        Ok((self.update(&lease).await?, begun))
    }

    fn sign(&self, lease: &mut Lease, now: MicroTime) {
        let spec = lease.spec.get_or_insert_default();
        spec.holder_identity = Some(self.election.identity.clone());
        spec.lease_duration_seconds = Some(self.election.lease_seconds);
        spec.acquire_time.get_or_insert_with(|| now.clone());
        spec.renew_time = Some(now);
    }

    /// Remembers the Lease. Only another record in it counts as a sign of life: anybody may set a label.
    fn see(&mut self, lease: Lease) -> &Seen {
        let since = match &self.seen {
            Some(seen) if seen.lease.spec == lease.spec => seen.since,
            _ => Instant::now(),
        };
        self.seen.insert(Seen { lease, since })
    }

    fn is_ours(&self, lease: &Lease) -> bool {
        holder(lease) == self.election.identity
    }

    fn lease(&self) -> String {
        format!("{}/{}", self.election.namespace, self.election.name)
    }

    async fn get(&self) -> Result<Option<Lease>, Failure> {
        self.answer(Verb::Get, self.leases.get()).await
    }

    async fn create(&self, lease: &Lease) -> Result<Lease, Failure> {
        self.answer(Verb::Create, self.leases.create(lease)).await
    }

    async fn update(&self, lease: &Lease) -> Result<Lease, Failure> {
        self.answer(Verb::Update, self.leases.update(lease)).await
    }

    /// The answer of a call, which leaves the time for a second one before the renew deadline. What is
    /// wrong is said once.
    async fn answer<T>(
        &self,
        verb: Verb,
        call: impl Future<Output = Result<T, Failure>> + Send,
    ) -> Result<T, Failure> {
        let limit = self.election.renew_deadline / 2;
        let answer = match tokio::time::timeout(limit, call).await {
            Ok(answer) => answer,
            Err(_elapsed) => Err(Failure::Deadline(limit)),
        };
        if let Err(error) = &answer
            && self.trouble.is_new(verb, error)
        {
            let needs = (error.code() == Some(HTTP_FORBIDDEN))
                .then(|| format!("{} on {RESOURCE}.{GROUP}", VERBS.join(", ")));
            tracing::warn!(
                lease = %self.lease(), ?verb, %error, needs,
                "cannot stand for election; trying again until it works"
            );
        }
        answer
    }
}

impl Seen {
    /// Whether its holder has shown no sign of life for as long as it said.
    fn is_expired(&self) -> bool {
        let spec = self.lease.spec.as_ref();
        let seconds = spec.and_then(|spec| spec.lease_duration_seconds);
        let seconds = u64::try_from(seconds.unwrap_or_default()).unwrap_or_default();
        self.since.elapsed() >= Duration::from_secs(seconds)
    }
}

/// Empty when nobody holds it.
fn holder(lease: &Lease) -> &str {
    let spec = lease.spec.as_ref();
    let holder = spec.and_then(|spec| spec.holder_identity.as_deref());
    holder.unwrap_or_default()
}

/// Whether the Lease is not any more what we took it for.
fn is_outrun(failure: &Failure) -> bool {
    matches!(failure.code(), Some(HTTP_CONFLICT | HTTP_NOT_FOUND))
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

/// What has been said of the trouble there is: the calls that fail and the HTTP status, 0 without an answer.
#[derive(Debug, Default)]
pub(super) struct Trouble(std::sync::Mutex<BTreeSet<(Verb, u16)>>);

impl Trouble {
    /// Whether this is trouble that has not been said. Losing a race is none.
    pub(super) fn is_new(&self, verb: Verb, failure: &Failure) -> bool {
        let code = failure.code().unwrap_or(0);
        let race = code == HTTP_CONFLICT || (verb, code) == (Verb::Update, HTTP_NOT_FOUND);
        !race && self.said().insert((verb, code))
    }

    /// Forgets all of it, and says whether there was any.
    pub(super) fn is_over(&self) -> bool {
        !std::mem::take(&mut *self.said()).is_empty()
    }

    fn said(&self) -> std::sync::MutexGuard<'_, BTreeSet<(Verb, u16)>> {
        self.0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
