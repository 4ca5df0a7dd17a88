//! Several providers as one.

use std::fmt;

use futures::StreamExt as _;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use kube::Config;

use super::{Mapped, Provider};
use crate::fleet::{Cluster, Fleet};
use crate::manager::Permissions;
use crate::{Result, ResultExt as _};

/// Several providers, each with a prefix before the names of its clusters: `red` of that with the prefix `eu` is `eu-red`.
///
/// Providers whose clusters have names of their own need no prefix, and each of them can be given to the
/// [manager](crate::Builder::provider) as it is.
///
/// ```
/// # use kommodore::{Merged, Milo};
/// # use kommodore::kube::Config;
/// # fn example(europe: Config, asia: Config) {
/// let both = Merged::new()
///     .with("eu", Milo::external().config(europe))
///     .with("ap", Milo::external().config(asia));
/// # }
/// ```
#[derive(Default)]
pub struct Merged(Vec<Box<dyn Provider>>);

impl Merged {
    /// No provider yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A provider more, whose clusters are named with this prefix and a `-`.
    #[must_use]
    pub fn with(mut self, prefix: impl Into<String>, provider: impl Provider) -> Self {
        let named = Mapped::prefixed(provider, prefix.into());
        self.0.push(Box::new(named));
        self
    }
}

impl Provider for Merged {
    fn name(&self) -> &str {
        "merged"
    }

    fn permissions(&self) -> Permissions {
        let mut permissions = Permissions::default();
        for provider in &self.0 {
            permissions.merge(provider.permissions());
        }
        permissions
    }

    fn run(
        self: Box<Self>,
        host: Cluster,
        config: Config,
        fleet: Fleet,
    ) -> BoxFuture<'static, Result<()>> {
        match self.0.len().checked_sub(1) {
            Some(more) => fleet.expect(more),
            None => fleet.named_all(),
        }
        let providers = self.0.into_iter().enumerate();
        let running: FuturesUnordered<_> = providers
            .map(|(place, provider)| {
                let name = format!("{} #{}", provider.name(), place + 1);
                let fleet = fleet.of_part(&name);
                let run = provider.run(host.clone(), config.clone(), fleet);
                async move { run.await.context(format!("its provider {name}")) }
            })
            .collect();
        Box::pin(async move {
            let mut running = running;
            while let Some(ended) = running.next().await {
                ended?;
            }
            Ok(())
        })
    }
}

impl fmt::Debug for Merged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.0.iter().map(|provider| provider.name());
        f.debug_list().entries(names).finish()
    }
}
