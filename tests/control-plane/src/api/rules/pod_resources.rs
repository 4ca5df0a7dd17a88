//! What a pod asks for as a whole.

use serde_json::Value;

use super::checks::{list, text};
use super::{pod_claims, resources};
use crate::api::admission::totals;
use crate::failure::Cause;
use crate::schema::in_billionths;

const WINDOWS: &str = "may not be set for a windows pod";
const NO_CLAIMS: &str = "claims may not be set for Resources at pod-level";

pub(super) fn check(spec: &Value, path: &str) -> Vec<Cause> {
    let own = &spec["resources"];
    let path = format!("{path}.resources");
    if own.is_null() {
        return Vec::new();
    }
    if text(&spec["os"], "name") == "windows" {
        return vec![Cause::forbidden(&path, WINDOWS)];
    }
    let mut wrong = Vec::new();
    if !own["claims"].is_null() {
        wrong.push(Cause::forbidden(&format!("{path}.claims"), NO_CLAIMS));
    }
    wrong.extend(resources::check_of_pod(own, &pod_claims::all(spec), &path));
    wrong.extend(check_totals(spec, "requests", &path));
    wrong.extend(check_totals(spec, "limits", &path));
    wrong.extend(check_limits(spec, &path));
    wrong
}

/// The whole is no less than its parts together; of the limits that holds for huge pages alone.
fn check_totals(spec: &Value, field: &str, path: &str) -> Vec<Cause> {
    let own = &spec["resources"][field];
    let parts = totals::of_containers(spec, field).into_iter();
    let counts = |name: &str| field == "requests" || totals::is_of_huge_pages(name);
    let above = parts.filter(|(name, sum)| counts(name) && exceeds(sum, &own[name]));
    above
        .map(|(name, sum)| {
            let why =
                format!("must be greater than or equal to aggregate container {field} of {sum}");
            Cause::invalid(&format!("{path}.{field}[{name}]"), &own[&name], &why)
        })
        .collect()
}

fn check_limits(spec: &Value, path: &str) -> Vec<Cause> {
    let own = &spec["resources"]["limits"];
    let mut wrong = Vec::new();
    for (index, container) in list(spec, "containers").iter().enumerate() {
        let limits = totals::of(&container["resources"]["limits"]).into_iter();
        for (name, limit) in limits.filter(|(name, limit)| exceeds(limit, &own[name])) {
            let path = format!("{path}.containers[{index}][{name}].limits");
            let most = text(own, &name);
            let why = format!("must be less than or equal to pod limits of {most}");
            wrong.push(Cause::invalid(&path, &limit.into(), &why));
        }
    }
    wrong
}

/// Whether a quantity is more than another, if there is one.
fn exceeds(quantity: &str, most: &Value) -> bool {
    let most = most.as_str().and_then(in_billionths);
    most.is_some_and(|most| in_billionths(quantity) > Some(most))
}
