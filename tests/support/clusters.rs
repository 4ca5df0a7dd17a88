//! Clusters that are simply there.

use futures::future::BoxFuture;
use kommodore::{Cluster, ClusterName, ClusterState, Provider};
use kube::{Client, Config};
use tokio::sync::watch;

use super::eventually::eventually;

/// A provider that engages the same clusters all the time.
pub struct Clusters {
    clusters: Vec<(ClusterName, Config)>,
    told: watch::Sender<Option<(Cluster, kommodore::Fleet)>>,
}

/// How clusters are engaged.
pub struct Engaged(watch::Receiver<Option<(Cluster, kommodore::Fleet)>>);

impl Clusters {
    /// Some clusters by name, and what tells how they are.
    pub fn new<'a>(clusters: impl IntoIterator<Item = (&'a str, Config)>) -> (Self, Engaged) {
        let (tell, told) = watch::channel(None);
        let clusters = clusters
            .into_iter()
            .map(|(name, config)| (ClusterName::new(name).expect("a name"), config))
            .collect();
        let clusters = Self {
            clusters,
            told: tell,
        };
        (clusters, Engaged(told))
    }

    /// So many clusters that are all the same one.
    pub fn alike(count: usize, config: &Config) -> (Self, Engaged) {
        let names: Vec<String> = (0..count).map(|number| format!("c{number}")).collect();
        Self::new(names.iter().map(|name| (name.as_str(), config.clone())))
    }
}

impl Engaged {
    /// The client of the host cluster, as the manager has it.
    pub async fn client(&mut self) -> Client {
        self.told().await.0.client()
    }

    async fn told(&mut self) -> (Cluster, kommodore::Fleet) {
        let told = self.0.wait_for(Option::is_some).await;
        let told = told.expect("the provider runs").clone();
        told.expect("it is there")
    }

    /// Waits until all are.
    pub async fn all(&mut self) {
        let (_, fleet) = self.told().await;
        eventually("all clusters are engaged", async || {
            let others: Vec<_> = fleet
                .clusters()
                .into_iter()
                .filter(|(_, state)| *state != ClusterState::Engaged)
                .collect();
            match others.is_empty() {
                true => Ok(()),
                false => Err(others),
            }
        })
        .await;
    }
}

impl Provider for Clusters {
    fn name(&self) -> &str {
        "clusters"
    }

    fn run(
        self: Box<Self>,
        host: Cluster,
        _: Config,
        fleet: kommodore::Fleet,
    ) -> BoxFuture<'static, kommodore::Result<()>> {
        Box::pin(async move {
            for (name, config) in &self.clusters {
                fleet.engage(name, config.clone());
            }
            fleet.named_all();
            self.told.send_replace(Some((host, fleet)));
            std::future::pending().await
        })
    }
}
