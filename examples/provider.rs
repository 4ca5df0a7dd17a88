//! A provider of one's own: the clusters that a ConfigMap of the host cluster lists, each with its address.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::future::BoxFuture;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use kommodore::prelude::*;
use kommodore::{Fleet, Provider, Reason, kube::Api, kube::Config};

/// Looks every few seconds.
pub(crate) struct Listed(pub(crate) Duration);

impl Provider for Listed {
    fn name(&self) -> &str {
        "listed"
    }

    #[rustfmt::skip]
    fn run(self: Box<Self>, host: Cluster, config: Config, fleet: Fleet) -> BoxFuture<'static, Result<()>> {
        Box::pin(async move {
            let mut known = BTreeSet::new();
            loop {
                let maps: Api<ConfigMap> = Api::default_namespaced(host.client());
                if let Ok(list) = maps.get("clusters").await {
                    let listed = list.data.unwrap_or_default();
                    for gone in known.iter().filter(|name| !listed.contains_key(*name)) {
                        fleet.disengage(gone, Reason::Gone);
                    }
                    known = listed.keys().cloned().collect();
                    for (name, address) in listed {
                        let Ok(address) = address.trim().parse() else { continue };
                        let mut of_cluster = config.clone();
                        of_cluster.cluster_url = address;
                        fleet.engage(name, of_cluster); // the same again changes nothing
                    }
                    fleet.named_all(); // an uninstall waits for it
                }
                tokio::time::sleep(self.0).await;
            }
        })
    }
}

#[controller(for = Namespace)]
struct Namespaces;

impl Reconcile for Namespaces {
    async fn reconcile(&self, _: &Namespace, cx: &Context<Self>) -> Result<Action> {
        println!("{} has the namespace {}", cx.cluster().name(), cx.key());
        Ok(Action::done())
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let manager = Manager::builder(Config::infer().await?).provider(Listed(Duration::from_secs(5)));
    manager.controller(Namespaces).run().await
}
