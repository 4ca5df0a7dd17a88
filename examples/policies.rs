//! Policy distribution: what lies in the host cluster is copied into every cluster of the fleet, put right when somebody
//! changes it there, brought to clusters that come later, and taken away with the original.
//!
//! A policy is a ConfigMap with the label `policy`; the namespace that it is in has to exist in the fleet too.

use k8s_openapi::api::core::v1::ConfigMap;
use kommodore::kube::{Config, ResourceExt as _};
use kommodore::prelude::*;

#[controller(
    for = ConfigMap(labels = "policy"),
    name = "policies",
    engage(local),
    owns(ConfigMap(in = provider)),
    finalizer = "example.kommodore.dev/policies",
)]
pub(crate) struct Policies;

impl Reconcile for Policies {
    async fn reconcile(&self, policy: &ConfigMap, cx: &Context<Self>) -> Result<Action> {
        let mut copy = ConfigMap::default();
        copy.metadata.name = Some(policy.name_any());
        copy.data.clone_from(&policy.data);
        let mut ended = Ok(Action::done());
        for cluster in cx.clusters() {
            // One that is in trouble keeps it from no other.
            if let Err(error) = cx.apply(copy.clone()).to(&cluster).await {
                ended = Err(error.context(format!("in {}", cluster.name())));
            }
        }
        ended
    }
}

impl Cleanup for Policies {
    /// The copies go by themselves.
    async fn cleanup(&self, _: &ConfigMap, _: &Context<Self>) -> Result<Action> {
        Ok(Action::done())
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let manager = Manager::builder(Config::infer().await?).provider(Milo::external());
    manager.controller(Policies).run().await
}
