//! Whether the control plane is well: `/healthz`, `/livez` and `/readyz`, whatever the verb.

use http::Response;

use super::query::Query;
use super::{Asked, response};
use crate::serve::Body;

/// Of what a check is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    Always,
    /// All but `/readyz`.
    Alive,
    /// `/readyz` alone.
    Ready,
}
use Of::{Alive, Always, Ready};

/// What is looked at. Much of it is what a real server is made of: here it is done with before anybody can ask.
const CHECKS: [(&str, Of); 37] = [
    ("ping", Always),
    ("log", Always),
    ("loopback-serving-certificate", Alive),
    ("etcd", Always),
    ("etcd-readiness", Ready),
    ("informer-sync", Ready),
    (
        "poststarthook/start-apiserver-admission-initializer",
        Always,
    ),
    ("poststarthook/generic-apiserver-start-informers", Always),
    (
        "poststarthook/priority-and-fairness-config-consumer",
        Always,
    ),
    ("poststarthook/priority-and-fairness-filter", Always),
    ("poststarthook/storage-object-count-tracker-hook", Always),
    ("poststarthook/start-apiextensions-informers", Always),
    ("poststarthook/start-apiextensions-controllers", Always),
    ("poststarthook/crd-informer-synced", Always),
    ("poststarthook/start-system-namespaces-controller", Always),
    ("poststarthook/peer-endpoint-reconciler-controller", Always),
    (
        "poststarthook/start-cluster-authentication-info-controller",
        Always,
    ),
    (
        "poststarthook/start-kube-apiserver-identity-lease-controller",
        Always,
    ),
    (
        "poststarthook/start-kube-apiserver-identity-lease-garbage-collector",
        Always,
    ),
    ("poststarthook/storage-readiness", Always),
    (
        "poststarthook/start-legacy-token-tracking-controller",
        Always,
    ),
    ("poststarthook/start-service-ip-repair-controllers", Always),
    ("poststarthook/rbac/bootstrap-roles", Always),
    (
        "poststarthook/scheduling/bootstrap-system-priority-classes",
        Always,
    ),
    (
        "poststarthook/priority-and-fairness-config-producer",
        Always,
    ),
    ("poststarthook/bootstrap-controller", Always),
    (
        "poststarthook/start-kubernetes-service-cidr-controller",
        Always,
    ),
    ("poststarthook/start-kube-aggregator-informers", Always),
    (
        "poststarthook/apiservice-status-local-available-controller",
        Always,
    ),
    (
        "poststarthook/apiservice-status-remote-available-controller",
        Always,
    ),
    ("poststarthook/apiservice-registration-controller", Always),
    ("poststarthook/apiservice-discovery-controller", Always),
    ("poststarthook/kube-apiserver-autoregistration", Always),
    ("autoregister-completion", Always),
    ("poststarthook/apiservice-openapi-controller", Always),
    ("poststarthook/apiservice-openapiv3-controller", Always),
    ("shutdown", Ready),
];

const WHOLES: [&str; 3] = ["healthz", "livez", "readyz"];

/// All that can be asked.
pub(super) fn paths() -> impl Iterator<Item = String> {
    let wholes = WHOLES.into_iter().map(|whole| format!("/{whole}"));
    wholes.chain(checks().map(|(whole, check)| format!("/{whole}/{check}")))
}

/// All checks, by the whole that they are of.
pub(super) fn checks() -> impl Iterator<Item = (&'static str, &'static str)> {
    let of = |whole| checks_of(whole).map(move |check| (whole, check));
    WHOLES.into_iter().flat_map(of)
}

fn checks_of(whole: &str) -> impl Iterator<Item = &'static str> {
    let other = if whole == "readyz" { Alive } else { Ready };
    CHECKS
        .iter()
        .filter(move |(_, of)| *of != other)
        .map(|(name, _)| *name)
}

/// Answers a question after the whole, or after one check.
pub(super) fn answer(asked: &Asked) -> Option<Response<Body>> {
    let (whole, check) = match asked.path.strip_prefix('/')?.split_once('/') {
        Some((whole, check)) => (whole, Some(check)),
        None => (&asked.path[1..], None),
    };
    if !WHOLES.contains(&whole) {
        return None;
    }
    let mut checks = checks_of(whole);
    match check {
        Some(check) => checks
            .any(|known| known == check)
            .then(|| response::text("ok")),
        None if asked.query.raw("verbose").is_some() => {
            let told = verbose(whole, &checks.collect::<Vec<_>>(), &asked.query);
            Some(response::unsniffed(response::text(told)))
        }
        None => Some(response::unsniffed(response::text("ok"))),
    }
}

fn verbose(whole: &str, checks: &[&str], query: &Query) -> String {
    let excluded = query.all("exclude");
    let mut text = String::new();
    for check in checks {
        let how = if excluded.contains(check) {
            "excluded: ok"
        } else {
            "ok"
        };
        text += &format!("[+]{check} {how}\n");
    }
    let mut strange: Vec<String> = excluded
        .iter()
        .filter(|name| !checks.contains(name))
        .map(|name| format!("{name:?}"))
        .collect();
    if !strange.is_empty() {
        strange.sort();
        let strange = strange.join(",");
        text += &format!("warn: some health checks cannot be excluded: no matches for {strange}\n");
    }
    text + &format!("{whole} check passed\n")
}
