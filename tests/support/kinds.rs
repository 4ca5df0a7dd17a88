//! The kinds that the tests' controllers are for. Every fleet has them installed at its root.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, CustomResourceExt};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What should be served.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "demo.kommodore.dev",
    version = "v1alpha1",
    kind = "Website",
    namespaced,
    status = "WebsiteStatus",
    derive = "Default",
    derive = "PartialEq"
)]
pub struct WebsiteSpec {
    /// The host that it is served at.
    pub host: String,
    /// The Secret with its certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
}

/// What is served.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WebsiteStatus {
    /// How it is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
    /// The generation that this status is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// A kind that is cluster-scoped.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "demo.kommodore.dev",
    version = "v1alpha1",
    kind = "Domain",
    status = "DomainStatus",
    derive = "Default",
    derive = "PartialEq"
)]
pub struct DomainSpec {
    /// Whom to ask.
    pub contact: String,
}

/// How a domain is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DomainStatus {
    /// How it is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
    /// The generation that this status is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
}

/// Their CRDs.
pub fn crds() -> Vec<Value> {
    [Website::crd(), Domain::crd()]
        .map(|crd| serde_json::to_value(crd).expect("a CRD is JSON"))
        .into()
}
