//! Whether the control plane is well: `/healthz`, `/livez` and `/readyz`, whatever the verb.

use http::Response;

use super::query::Query;
use super::{Asked, response};
use crate::serve::Body;

/// What is looked at, and whether it is for `/readyz` alone.
const CHECKS: [(&str, bool); 6] = [
    ("ping", false),
    ("log", false),
    ("etcd", false),
    ("etcd-readiness", true),
    ("informer-sync", true),
    ("shutdown", true),
];

const WHOLES: [&str; 3] = ["healthz", "livez", "readyz"];

/// All that can be asked.
pub(super) fn paths() -> impl Iterator<Item = String> {
    WHOLES.into_iter().flat_map(|whole| {
        let checks = checks_of(whole).map(move |check| format!("/{whole}/{check}"));
        std::iter::once(format!("/{whole}")).chain(checks)
    })
}

fn checks_of(whole: &str) -> impl Iterator<Item = &'static str> {
    let of_readiness = whole == "readyz";
    CHECKS
        .iter()
        .filter(move |(_, readiness)| of_readiness || !readiness)
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
        None if asked.query.raw("verbose").is_some() => Some(response::text(verbose(
            whole,
            &checks.collect::<Vec<_>>(),
            &asked.query,
        ))),
        None => Some(response::text("ok")),
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
