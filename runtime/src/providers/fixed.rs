//! Clusters that are there from the beginning to the end.

use futures::future::BoxFuture;
use kube::Config;

use super::Provider;
use crate::Result;
use crate::fleet::{Cluster, Connection, Fleet};

/// Clusters that are known from the start, each with its name.
///
/// ```no_run
/// # use kommodore::kube::config::KubeConfigOptions;
/// # use kommodore::kube::{Client, Config};
/// # use kommodore::{Fixed, Result};
/// # async fn example(client: Client) -> Result<Fixed> {
/// let options = KubeConfigOptions { context: Some("red".into()), ..Default::default() };
/// let red = Config::from_kubeconfig(&options).await?;
/// let fleet = Fixed::new().cluster("red", red).cluster("blue", client);
/// # Ok(fleet)
/// # }
/// ```
#[derive(Debug, Clone, Default)]
pub struct Fixed(Vec<(String, Connection)>);

impl Fixed {
    /// No cluster yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A cluster more, reached through a configuration or a client of kube's.
    #[must_use]
    pub fn cluster(mut self, name: impl Into<String>, connection: impl Into<Connection>) -> Self {
        self.0.push((name.into(), connection.into()));
        self
    }
}

impl Provider for Fixed {
    fn name(&self) -> &str {
        "fixed"
    }

    fn run(self: Box<Self>, _: Cluster, _: Config, fleet: Fleet) -> BoxFuture<'static, Result<()>> {
        Box::pin(async move {
            for (place, (name, connection)) in self.0.into_iter().enumerate() {
                // Told apart, should two have one name.
                let number = format!("no. {}", place + 1);
                fleet.found_in(&number).engage(name, connection);
            }
            fleet.named_all();
            Ok(())
        })
    }
}

/// One cluster under a name, which need not be that of the manager.
///
/// A manager without a provider works in its own cluster already, under the name `local`. This is for one that is
/// somewhere else, or that is to be one among those of other providers.
///
/// ```
/// # use kommodore::{Manager, Milo, Single};
/// # use kommodore::kube::Config;
/// # fn example(config: Config) {
/// // The projects of Milo, and its root as one more cluster.
/// let manager = Manager::builder(config.clone())
///     .provider(Milo::external())
///     .provider(Single::new("milo-root", config));
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Single(Fixed);

impl Single {
    /// The cluster that is reached like this.
    pub fn new(name: impl Into<String>, connection: impl Into<Connection>) -> Self {
        Self(Fixed::new().cluster(name, connection))
    }
}

impl Provider for Single {
    fn name(&self) -> &str {
        "single"
    }

    fn run(
        self: Box<Self>,
        host: Cluster,
        config: Config,
        fleet: Fleet,
    ) -> BoxFuture<'static, Result<()>> {
        Box::new(self.0).run(host, config, fleet)
    }
}
