//! What becomes of the clusters of a provider on their way into the fleet.

use std::fmt;
use std::sync::Arc;

use kube::Config;

use super::Connection;

/// Which provider it is, and what is done to the clusters that it names.
#[derive(Clone)]
pub(super) struct View {
    /// Who names a cluster: the provider, and what it found the cluster in.
    pub(super) source: Arc<str>,
    steps: Option<Arc<Steps>>,
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
    Renamed(Arc<dyn Fn(&str) -> String + Send + Sync>),
    Adjusted(Arc<Adjust>),
}

impl View {
    pub(super) fn new(source: &str) -> Self {
        Self {
            source: source.into(),
            steps: None,
        }
    }

    /// The same with a step before all others.
    pub(super) fn through(&self, step: Step) -> Self {
        Self {
            source: Arc::clone(&self.source),
            steps: Some(Arc::new(Steps {
                step,
                then: self.steps.clone(),
            })),
        }
    }

    /// The same for what is found in one place.
    pub(super) fn found_in(&self, place: &dyn fmt::Display) -> Self {
        Self {
            source: format!("{} ({place})", self.source).into(),
            steps: self.steps.clone(),
        }
    }

    /// The name that a cluster has in the fleet, and its connection; `None` where it is left out.
    pub(super) fn of(
        &self,
        name: &str,
        mut connection: Option<Connection>,
    ) -> Option<(String, Option<Connection>)> {
        let mut name = name.to_owned();
        let mut next = self.steps.as_deref();
        while let Some(Steps { step, then }) = next {
            match step {
                Step::Only(only) => {
                    if !only(&name) {
                        return None;
                    }
                }
                Step::Renamed(renamed) => name = renamed(&name),
                Step::Adjusted(adjusted) => {
                    if let Some(config) = connection.as_mut().and_then(Connection::config_mut) {
                        adjusted(&name, config);
                    }
                }
            }
            next = then.as_deref();
        }
        Some((name, connection))
    }
}
