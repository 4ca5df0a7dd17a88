//! Serves a page for every `Website`, in every project of a Milo fleet.
//!
//! ```sh
//! cargo run --example website                       # plays a fleet and a user; needs no cluster
//! cargo run --example website -- --serve            # stays, and writes a kubeconfig for kubectl
//! cargo run --example website -- --kubeconfig FILE  # works on the Milo that FILE points to
//! ```

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kommodore::prelude::*;
use kommodore_examples::Dns;
use kube::{CustomResource, CustomResourceExt as _, ResourceExt as _};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

// The kind, which is the same in website.rs and in website_by_hand.rs.

/// A page on the web.
#[derive(CustomResource, Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[kube(
    group = "demo.kommodore.dev",
    version = "v1alpha1",
    kind = "Website",
    namespaced,
    status = "WebsiteStatus",
    shortname = "site",
    printcolumn = r#"{"name":"Host","type":"string","jsonPath":".spec.host"}"#,
    printcolumn = r#"{"name":"Ready","type":"string","jsonPath":".status.conditions[?(@.type==\"Ready\")].status"}"#,
    printcolumn = r#"{"name":"Reason","type":"string","jsonPath":".status.conditions[?(@.type==\"Ready\")].reason"}"#,
    printcolumn = r#"{"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"}"#
)]
#[serde(rename_all = "camelCase")]
struct WebsiteSpec {
    /// Where the page is served, for example `shop.example.com`.
    #[schemars(length(min = 1))]
    host: String,
    /// The name of a Secret with the certificate; without one the page is served over plain HTTP.
    certificate: Option<String>,
}

/// What became of it.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct WebsiteStatus {
    url: Option<String>,
    observed_generation: Option<i64>,
    #[serde(default)]
    conditions: Vec<Condition>,
}

// The operator.

#[derive(ConditionType)]
enum SiteCondition {
    DnsConfigured,
    #[condition(negative)]
    Degraded,
}

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

impl Reconcile for WebsiteController {
    async fn reconcile(&self, site: &Website, cx: &Context<Self>) -> Result<Action> {
        cx.apply(page(site)).await?;
        if let Some(former) = served_host(site).filter(|host| *host != site.spec.host) {
            self.dns.remove(cx.cluster().name(), former).await?;
        }
        self.dns
            .upsert(cx.cluster().name(), &site.spec.host)
            .await?;
        cx.set(SiteCondition::DnsConfigured.is_true("Upserted", "the record points here"));
        cx.set(match certificate_is_missing(site, cx).await? {
            false => SiteCondition::Degraded.is_false("AsExpected", "nothing is missing"),
            true => {
                cx.event(Event::warning("NoCertificate", "the Secret is missing"));
                SiteCondition::Degraded.is_true("NoCertificate", "the Secret is missing")
            }
        });
        cx.status(|status| status.url = Some(url(site)));
        Ok(Action::done())
    }
}

impl Cleanup for WebsiteController {
    async fn cleanup(&self, site: &Website, cx: &Context<Self>) -> Result<Action> {
        for host in served_host(site)
            .into_iter()
            .chain([site.spec.host.as_str()])
        {
            self.dns.remove(cx.cluster().name(), host).await?;
        }
        Ok(Action::done())
    }
}

impl WebsiteController {
    /// Which websites to look at again when a Secret changes.
    fn sites_using(
        &self,
        secret: &Secret,
        cluster: &Cluster,
    ) -> impl IntoIterator<Item = ObjectKey> {
        cluster
            .list::<Website>()
            .filter(|site| site.namespace() == secret.namespace())
            .filter(|site| site.spec.certificate == secret.metadata.name)
            .map(ObjectKey::of)
    }
}

/// The page, as the web server reads it.
fn page(site: &Website) -> ConfigMap {
    let html = format!("<h1>{}</h1>", site.spec.host);
    let mut page = ConfigMap {
        data: Some(BTreeMap::from([("index.html".into(), html)])),
        ..ConfigMap::default()
    };
    page.metadata.name = Some(site.name_any());
    page
}

fn url(site: &Website) -> String {
    let scheme = if site.spec.certificate.is_some() {
        "https"
    } else {
        "http"
    };
    format!("{scheme}://{}", site.spec.host)
}

/// The host that the status says is served, which a change of the spec may have left behind.
fn served_host(site: &Website) -> Option<&str> {
    let (_scheme, host) = site.status.as_ref()?.url.as_deref()?.split_once("://")?;
    Some(host)
}

async fn certificate_is_missing(site: &Website, scope: &Scope) -> Result<bool> {
    match &site.spec.certificate {
        Some(name) => Ok(scope.get::<Secret>(name).await?.is_none()),
        None => Ok(false),
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let dns = Dns::default();
    let controller = WebsiteController { dns: dns.clone() };
    kommodore_examples::main(Website::crd(), dns, |config, projects| {
        Manager::builder(config)
            .provider(projects.milo())
            .controller(controller)
    })
    .await
}
