//! The golden example, without its `main`.

use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kommodore::{
    Action, Cleanup, Cluster, ConditionType, Context, ObjectKey, Reconcile, Result, controller,
};
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(CustomResource, Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[kube(
    group = "demo.kommodore.dev",
    version = "v1",
    kind = "Website",
    namespaced,
    status = "WebsiteStatus"
)]
struct WebsiteSpec {
    host: String,
    certificate: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
struct WebsiteStatus {
    url: Option<String>,
    conditions: Vec<Condition>,
}

struct Dns;

/// Serves a page for every Website, in every project.
#[controller(
    for = Website,
    owns(ConfigMap),
    watches(Secret => Self::sites_using),
    finalizer = "demo.kommodore.dev/website",
    conditions = SiteCondition,
)]
struct WebsiteController {
    dns: Dns,
}

#[derive(ConditionType)]
enum SiteCondition {
    DnsConfigured,
    #[condition(negative)]
    Degraded,
}

impl Reconcile for WebsiteController {
    async fn reconcile(&self, site: &Website, cx: &Context<Self>) -> Result<Action> {
        let Dns = self.dns;
        cx.set(SiteCondition::DnsConfigured.is_true("Upserted", "the record points here"));
        cx.set(SiteCondition::Degraded.is_false("AsExpected", ""));
        let _ = &site.spec.host;
        Ok(Action::done())
    }
}

impl Cleanup for WebsiteController {
    async fn cleanup(&self, _: &Website, _: &Context<Self>) -> Result<Action> {
        Ok(Action::done())
    }
}

impl WebsiteController {
    fn sites_using(
        &self,
        secret: &Secret,
        cluster: &Cluster,
    ) -> impl IntoIterator<Item = ObjectKey> {
        cluster
            .list::<Website>()
            .filter(|site| site.spec.certificate == secret.metadata.name)
            .map(ObjectKey::of)
    }
}

fn main() {}
