//! What a user chooses of an election, and what of it can work.

use std::time::Duration;

use kube::Config;

use super::api;
use crate::manager::Permissions;
use crate::transport::random_bits;
use crate::{Error, Result};

const LEASE: Duration = Duration::from_secs(15);
const RENEW_DEADLINE: Duration = Duration::from_secs(10);
const RETRY: Duration = Duration::from_secs(2);

/// The longest name of a Lease (RFC 1123, subdomain), and of a namespace (RFC 1123, label).
const LONGEST_SUBDOMAIN: usize = 253;
const LONGEST_LABEL: usize = 63;

/// How the replicas of an operator agree on the one that works: through a Lease
/// (`coordination.k8s.io/v1`) in the host cluster, as client-go and controller-runtime do it.
///
/// ```
/// use kommodore::{Builder, LeaderElection};
///
/// fn one_of_many(manager: Builder) -> Builder {
///     manager.leader_election(LeaderElection::new("website-operator").namespace("ops"))
/// }
/// ```
///
/// The process needs the verbs `get`, `create` and `update` on `leases` in the namespace of the Lease;
/// while it lacks one of them, or the server is in trouble, that is logged once and tried again.
///
/// A Lease whose holder has not renewed it for as long as the Lease itself says is taken over. That time
/// is measured here, from the moment at which a change of the Lease was last seen, and the clocks of the
/// replicas are never compared. A holder that could not renew it for the
/// [`renew_deadline`](LeaderElection::renew_deadline) stops before that.
#[derive(Debug, Clone)]
pub struct LeaderElection {
    name: String,
    namespace: Option<String>,
    identity: Option<String>,
    lease: Duration,
    renew_deadline: Duration,
    retry: Duration,
}

/// An election that can work.
#[derive(Debug, Clone)]
pub(crate) struct Election {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) identity: String,
    pub(super) lease_seconds: i32,
    pub(super) renew_deadline: Duration,
    pub(super) retry: Duration,
}

impl LeaderElection {
    /// By the Lease of this name. All replicas of an operator use the same, and nobody else does.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            namespace: None,
            identity: None,
            lease: LEASE,
            renew_deadline: RENEW_DEADLINE,
            retry: RETRY,
        }
    }

    /// The namespace of the Lease, which has to be there. By default the one of the manager's own
    /// configuration: that of the pod, or of the kubeconfig's context.
    #[must_use]
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = Some(namespace.into());
        self
    }

    /// How this process calls itself in the Lease. Two replicas must never have the same: both would
    /// work. By default the name of the host and a random number.
    #[must_use]
    pub fn identity(mut self, identity: impl Into<String>) -> Self {
        self.identity = Some(identity.into());
        self
    }

    /// How long the others wait for a holder that does not renew the Lease before they take it over: at
    /// least 1 s, in whole seconds; 15 s by default.
    #[must_use]
    pub fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    /// How long the holder works without having renewed the Lease; 10 s by default. It has to be less
    /// than the [`lease`](LeaderElection::lease), by as much as the work may need to stop.
    #[must_use]
    pub fn renew_deadline(mut self, deadline: Duration) -> Self {
        self.renew_deadline = deadline;
        self
    }

    /// How long everybody waits between two tries: the holder to renew the Lease, the others (give or
    /// take a quarter, so that they do not all come at once) to get it; 2 s by default. 1.2 times this
    /// has to be less than the [`renew_deadline`](LeaderElection::renew_deadline).
    #[must_use]
    pub fn retry(mut self, retry: Duration) -> Self {
        self.retry = retry;
        self
    }

    /// The namespace of the Lease, and what has to be allowed there.
    pub(crate) fn permissions(&self, config: &Config) -> (String, Permissions) {
        let namespace = self.namespace.as_ref().unwrap_or(&config.default_namespace);
        (namespace.clone(), api::permissions())
    }

    /// Refuses what cannot work.
    pub(crate) fn checked(self, config: &Config) -> Result<Election> {
        self.check(&config.default_namespace)
            .map_err(|why| Error::terminal(format!("the leader election cannot work: {why}")))
    }

    pub(super) fn check(self, default_namespace: &str) -> Result<Election, String> {
        let (lease, deadline, retry) = (self.lease, self.renew_deadline, self.retry);
        if !is_subdomain(&self.name) {
            return Err(format!(
                "{:?} cannot be the name of a Lease: it has to be at most {LONGEST_SUBDOMAIN} lower-case letters, \
                 digits, '-' and '.', with a letter or digit at both ends and beside each '.'",
                self.name
            ));
        }
        let (namespace, from) = match self.namespace {
            Some(namespace) => (namespace, ""),
            None => (
                default_namespace.to_owned(),
                " (it comes from the configuration: name another one with `.namespace(..)`)",
            ),
        };
        if namespace.len() > LONGEST_LABEL || !is_label(&namespace) {
            return Err(format!(
                "{namespace:?} cannot be a namespace{from}: it has to be a DNS label, at most {LONGEST_LABEL} lower-case \
                 letters, digits and '-', with a letter or digit at both ends"
            ));
        }
        let identity = self.identity.unwrap_or_else(own_identity);
        if identity.is_empty() {
            return Err("the identity is empty, which stands for a Lease that nobody holds".into());
        }
        let whole = lease.subsec_nanos() == 0;
        let lease_seconds = match i32::try_from(lease.as_secs()) {
            Ok(seconds) if whole && seconds > 0 => seconds,
            _ => {
                return Err(format!(
                    "a lease of {lease:?} cannot be written down: `.lease(..)` takes whole seconds, from 1 to {}",
                    i32::MAX
                ));
            }
        };
        if retry.is_zero() {
            return Err("`.retry(..)` has to be longer than nothing".into());
        }
        if lease <= deadline {
            return Err(format!(
                "the lease ({lease:?}) has to be longer than the renew deadline ({deadline:?}): else others take over \
                 while the holder still works"
            ));
        }
        if deadline.as_secs_f64() <= retry.as_secs_f64() * 1.2 {
            return Err(format!(
                "the renew deadline ({deadline:?}) has to be longer than 1.2 times the retry ({retry:?}): else one \
                 failure loses the leadership"
            ));
        }
        Ok(Election {
            namespace,
            name: self.name,
            identity,
            lease_seconds,
            renew_deadline: deadline,
            retry,
        })
    }
}

/// The name of the host, for people, and a number that tells processes apart.
fn own_identity() -> String {
    let host = gethostname::gethostname();
    format!("{}_{:016x}", host.to_string_lossy(), random_bits())
}

fn is_subdomain(name: &str) -> bool {
    name.len() <= LONGEST_SUBDOMAIN && name.split('.').all(is_label)
}

fn is_label(part: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !part.is_empty() && part.bytes().all(inner) && !part.starts_with('-') && !part.ends_with('-')
}
