//! The clusters that a provider finds, and how each of them is: `cargo run --example providers -- cluster-api`.

use std::time::Duration;

use k8s_openapi::api::core::v1::Namespace;
use kommodore::kube::{Client, Config};
use kommodore::prelude::*;
use kommodore::{
    Builder, ClusterApi, ClusterInventory, Fixed, FleetStatus, Kubeconfig, KubeconfigSecrets,
    Merged, Namespaces, Provider as _, Single,
};

/// Looks at the namespaces, so that there is something to watch.
#[controller(for = Namespace)]
struct Looking;

impl Reconcile for Looking {
    async fn reconcile(&self, _: &Namespace, _: &Context<Self>) -> Result<Action> {
        Ok(Action::done())
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let config = Config::infer().await?;
    let mut arguments = std::env::args().skip(1);
    let (provider, more) = (arguments.next(), arguments.next());
    let manager = Manager::builder(config.clone());
    let manager = of(
        manager,
        config,
        provider.as_deref().unwrap_or_default(),
        more,
    )?;
    let manager = manager.controller(Looking);
    tokio::spawn(show(manager.fleet()));
    manager.run().await
}

/// The manager of the clusters of a provider. `more` is the file, the folder or the label that it is to look at.
fn of(manager: Builder, config: Config, provider: &str, more: Option<String>) -> Result<Builder> {
    let labels = more.clone().unwrap_or_default();
    Ok(match provider {
        "milo" => manager.provider(Milo::external().labels(labels)),
        "cluster-api" => manager.provider(ClusterApi::new().labels(labels)),
        "cluster-inventory" => {
            manager.provider(ClusterInventory::new().labels(labels).consumer("example"))
        }
        "kubeconfig-secrets" => manager.provider(KubeconfigSecrets::new()),
        "kubeconfig" => {
            let path = more.unwrap_or_else(|| "kubeconfigs".into());
            let as_label = |context: &str| context.replace(['@', '.', '_', ':', '/'], "-");
            manager.provider(Kubeconfig::new(path).renamed(as_label))
        }
        "namespaces" => manager.provider(Namespaces::new().only(|name| !name.starts_with("kube-"))),
        "fixed" => {
            let again = Client::try_from(config.clone())?;
            manager.provider(Fixed::new().cluster("one", config).cluster("other", again))
        }
        "single" => manager.provider(Single::new("itself", config)),
        "merged" => manager.provider(
            Merged::new()
                .with("milo", Milo::external())
                .with("capi", ClusterApi::new()),
        ),
        other => {
            return Err(Error::terminal(format!("there is no provider {other:?}")));
        }
    })
}

/// Says every few seconds how the clusters are.
async fn show(fleet: FleetStatus) {
    loop {
        for cluster in fleet.clusters() {
            println!(
                "{:<20} {:<14} {} watches, {} keys since {} {}",
                cluster.name.as_str(),
                format!("{:?}", cluster.state),
                cluster.watches,
                cluster.keys,
                cluster.since,
                cluster.last_error.unwrap_or_default(),
            );
        }
        tokio::time::sleep(Duration::from_secs(5)).await;
    }
}
