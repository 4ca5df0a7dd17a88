//! The clusters of a provider, filtered and mapped.

use std::fmt;
use std::sync::Arc;

use futures::future::BoxFuture;
use kube::Config;

use super::Provider;
use crate::Result;
use crate::fleet::{Cluster, Fleet, Step};
use crate::manager::Permissions;

/// A provider whose clusters are filtered or mapped: see [`Provider::only`], [`Provider::renamed`] and
/// [`Provider::adjusted`].
pub struct Mapped {
    provider: Box<dyn Provider>,
    step: Step,
}

impl Mapped {
    fn new(provider: impl Provider, step: Step) -> Self {
        Self {
            provider: Box::new(provider),
            step,
        }
    }

    pub(super) fn only(
        provider: impl Provider,
        kept: impl Fn(&str) -> bool + Send + Sync + 'static,
    ) -> Self {
        Self::new(provider, Step::Only(Arc::new(kept)))
    }

    pub(super) fn renamed(
        provider: impl Provider,
        name: impl Fn(&str) -> String + Send + Sync + 'static,
    ) -> Self {
        Self::new(provider, Step::Renamed(Arc::new(name)))
    }

    /// With a prefix and a `-` before each name.
    pub(super) fn prefixed(provider: impl Provider, prefix: String) -> Self {
        Self::new(provider, Step::Prefixed(prefix))
    }

    pub(super) fn adjusted(
        provider: impl Provider,
        adjust: impl Fn(&str, &mut Config) + Send + Sync + 'static,
    ) -> Self {
        Self::new(provider, Step::Adjusted(Arc::new(adjust)))
    }
}

impl Provider for Mapped {
    fn name(&self) -> &str {
        self.provider.name()
    }

    fn permissions(&self) -> Permissions {
        self.provider.permissions()
    }

    fn run(
        self: Box<Self>,
        host: Cluster,
        config: Config,
        fleet: Fleet,
    ) -> BoxFuture<'static, Result<()>> {
        self.provider.run(host, config, fleet.through(self.step))
    }
}

impl fmt::Debug for Mapped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Mapped").field(&self.name()).finish()
    }
}
