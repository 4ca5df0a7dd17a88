//! What the server says of itself besides its API: its version, its paths and its metrics.

use http::{Response, StatusCode};
use serde::Serialize;
use serde_json::json;

use super::{discovery, health, issuer, response, zpages};
use crate::plane::{Plane, World};
use crate::serve::Body;

const METRICS: &str = "text/plain; version=0.0.4; charset=utf-8; escaping=underscores";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Version {
    major: &'static str,
    minor: &'static str,
    pub(super) emulation_major: &'static str,
    pub(super) emulation_minor: &'static str,
    min_compatibility_major: &'static str,
    min_compatibility_minor: &'static str,
    pub(super) git_version: &'static str,
    git_commit: &'static str,
    git_tree_state: &'static str,
    build_date: &'static str,
    pub(super) go_version: &'static str,
    compiler: &'static str,
    platform: &'static str,
}

pub(super) const VERSION: Version = Version {
    major: "1",
    minor: "36",
    emulation_major: "1",
    emulation_minor: "36",
    min_compatibility_major: "1",
    min_compatibility_minor: "35",
    git_version: "v1.36.0+kommodore",
    git_commit: "",
    git_tree_state: "clean",
    build_date: "1970-01-01T00:00:00Z",
    go_version: "",
    compiler: "rustc",
    platform: "linux/amd64",
};

pub(super) fn version() -> Response<Body> {
    response::indented(&VERSION)
}

/// The paths of the root.
pub(super) fn paths(world: &World, plane: &Plane) -> Response<Body> {
    const SERVED: [&str; 12] = [
        issuer::CONFIGURATION,
        "/api",
        "/api/v1",
        "/apis",
        "/apis/",
        "/metrics",
        "/metrics/slis",
        "/openapi/v2",
        "/openapi/v3",
        "/openapi/v3/",
        issuer::KEYS,
        "/version",
    ];
    let mut paths: Vec<String> = SERVED.map(str::to_owned).to_vec();
    paths.extend(zpages::PATHS.map(str::to_owned));
    paths.extend(health::paths());
    paths.extend(discovery::paths_of_groups(world, plane));
    paths.sort();
    response::indented(&json!({"paths": paths}))
}

/// What it measures of itself, which is no more than that it is there.
pub(super) fn metrics() -> Response<Body> {
    let labels = [
        ("build_date", VERSION.build_date),
        ("compiler", VERSION.compiler),
        ("git_commit", VERSION.git_commit),
        ("git_tree_state", VERSION.git_tree_state),
        ("git_version", VERSION.git_version),
        ("go_version", VERSION.go_version),
        ("major", VERSION.major),
        ("minor", VERSION.minor),
        ("platform", VERSION.platform),
    ];
    let labels = labels.map(|(name, value)| format!("{name}=\"{value}\""));
    let text = format!(
        "# HELP kubernetes_build_info [ALPHA] Of what this server was built.\n# TYPE kubernetes_build_info gauge\n\
         kubernetes_build_info{{{}}} 1\n",
        labels.join(",")
    );
    response::bytes(StatusCode::OK, METRICS, text)
}

/// How its checks have turned out.
pub(super) fn checks() -> Response<Body> {
    let mut text = String::from(
        "# HELP kubernetes_healthcheck [STABLE] This metric records the result of a single healthcheck.\n\
         # TYPE kubernetes_healthcheck gauge\n",
    );
    let checks = health::checks().map(|(whole, check)| {
        format!("kubernetes_healthcheck{{name=\"{check}\",type=\"{whole}\"}} 1\n")
    });
    let mut checks: Vec<String> = checks.collect();
    checks.sort();
    text.extend(checks);
    response::bytes(StatusCode::OK, METRICS, text)
}
