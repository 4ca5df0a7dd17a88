//! Cross-cluster sync: the reports of all clusters of the fleet are gathered in the host cluster, follow their originals,
//! and go with these or with their clusters.
//!
//! A report is a ConfigMap with the label `report`; the namespace that it is in has to exist in the host cluster too.

use k8s_openapi::api::core::v1::ConfigMap;
use kommodore::kube::{Config, ResourceExt as _};
use kommodore::prelude::*;
use kommodore::{ClusterName, Error};

#[controller(
    for = ConfigMap(labels = "report"),
    name = "gather",
    owns(ConfigMap(in = local)),
    finalizer = "example.kommodore.dev/gather",
)]
pub(crate) struct Gather;

impl Reconcile for Gather {
    async fn reconcile(&self, report: &ConfigMap, cx: &Context<Self>) -> Result<Action> {
        let host = cx.find_cluster(&ClusterName::LOCAL);
        let host = host.ok_or_else(|| Error::new("the host cluster is not there"))?;
        let mut copy = ConfigMap::default();
        copy.metadata.name = Some(format!("{}-{}", cx.cluster().name(), report.name_any()));
        copy.data.clone_from(&report.data);
        cx.apply(copy).to(&host).await?;
        Ok(Action::done())
    }
}

impl Cleanup for Gather {
    /// The copy goes by itself.
    async fn cleanup(&self, _: &ConfigMap, _: &Context<Self>) -> Result<Action> {
        Ok(Action::done())
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let manager = Manager::builder(Config::infer().await?).provider(Milo::external());
    manager.controller(Gather).run().await
}
