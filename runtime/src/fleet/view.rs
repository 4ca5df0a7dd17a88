//! What becomes of the clusters of a provider on their way into the fleet.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use kube::Config;

use super::Connection;

/// Which provider it is, and what is done to the clusters that it names.
#[derive(Clone)]
pub(super) struct View {
    /// Who names a cluster: the provider, and what it found the cluster in.
    pub(super) source: Arc<str>,
    steps: Option<Arc<Steps>>,
    /// The provider has named all of its clusters.
    complete: Arc<AtomicBool>,
}

/// The steps of one way, the nearest to the provider first.
struct Steps {
    step: Step,
    then: Option<Arc<Steps>>,
}

type Adjust = dyn Fn(&str, &mut Config) + Send + Sync;

/// What is done to a cluster.
pub(crate) enum Step {
    Only(Arc<dyn Fn(&str) -> bool + Send + Sync>),
    /// Two may get one name.
    Renamed(Arc<dyn Fn(&str) -> String + Send + Sync>),
    /// What stands before each name, and a `-`.
    Prefixed(String),
    Adjusted(Arc<Adjust>),
}

/// A cluster as it comes into the fleet.
pub(super) struct Seen {
    pub(super) name: String,
    /// Who names it.
    pub(super) source: Arc<str>,
    pub(super) connection: Option<Connection>,
}

impl View {
    pub(super) fn new(source: &str) -> Self {
        Self {
            source: source.into(),
            steps: None,
            complete: Arc::default(),
        }
    }

    /// The same with a step before all others.
    pub(super) fn through(&self, step: Step) -> Self {
        Self {
            steps: Some(Arc::new(Steps {
                step,
                then: self.steps.clone(),
            })),
            ..self.clone()
        }
    }

    /// The same for what is found in one place.
    pub(super) fn found_in(&self, place: &dyn fmt::Display) -> Self {
        Self {
            source: format!("{} ({place})", self.source).into(),
            ..self.clone()
        }
    }

    /// The same for a provider that is a part of this one.
    pub(super) fn of_part(&self, part: &dyn fmt::Display) -> Self {
        Self {
            complete: Arc::default(),
            ..self.found_in(part)
        }
    }

    /// Takes in that the provider has named all of its clusters. Returns whether that is news.
    pub(super) fn completes(&self) -> bool {
        !self.complete.swap(true, Ordering::Relaxed)
    }

    /// What a cluster is in the fleet; `None` where it is left out.
    pub(super) fn of(&self, found: &str, mut connection: Option<Connection>) -> Option<Seen> {
        let mut name = found.to_owned();
        let mut is_renamed = false;
        let mut next = self.steps.as_deref();
        while let Some(Steps { step, then }) = next {
            match step {
                Step::Only(only) => {
                    if !only(&name) {
                        return None;
                    }
                }
                Step::Renamed(renamed) => {
                    let other = renamed(&name);
                    is_renamed |= other != name;
                    name = other;
                }
                Step::Prefixed(prefix) => name = format!("{prefix}-{name}"),
                Step::Adjusted(adjusted) => {
                    if let Some(config) = connection.as_mut().and_then(Connection::config_mut) {
                        adjusted(&name, config);
                    }
                }
            }
            next = then.as_deref();
        }
        // Told apart, should another one get the same name: each would be taken for a change of the other.
        let source = match is_renamed {
            true => format!("{} ({found})", self.source).into(),
            false => Arc::clone(&self.source),
        };
        Some(Seen {
            name,
            source,
            connection,
        })
    }
}
