//! How much there may be in a namespace.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::checks::{list, text};
use super::fixed::IMMUTABLE;
use super::{names, quota_scopes, resources};
use crate::failure::Cause;
use crate::schema::in_billionths;

pub(super) fn check_quota(old: Option<&Value>, quota: &Value) -> Vec<Cause> {
    const SCOPES: &str = "spec.scopes";
    let spec = &quota["spec"];
    let mut wrong = Vec::new();
    for (name, quantity) in spec["hard"].as_object().into_iter().flatten() {
        let path = format!("spec.hard[{name}]");
        wrong.extend(resources::check_name_for_quota(name, &path));
        wrong.extend(resources::check_quantity(name, quantity, &path));
    }
    wrong.extend(quota_scopes::check(spec));
    let sorted = |spec: &Value| {
        let mut scopes: Vec<String> = list(spec, "scopes").iter().map(Value::to_string).collect();
        scopes.sort();
        scopes.dedup();
        scopes
    };
    if old.is_some_and(|old| sorted(&old["spec"]) != sorted(spec)) {
        wrong.push(Cause::invalid(SCOPES, &spec["scopes"], IMMUTABLE));
    }
    wrong
}

pub(super) fn check_range(range: &Value) -> Vec<Cause> {
    let limits = list(&range["spec"], "limits");
    let mut kinds = HashSet::new();
    let mut wrong = Vec::new();
    for (index, limit) in limits.iter().enumerate() {
        let path = format!("spec.limits[{index}]");
        let kind = text(limit, "type");
        wrong.extend(check_type(kind, &format!("{path}.type")));
        if !kinds.insert(kind) {
            wrong.push(Cause::duplicate(&format!("{path}.type"), &kind.into()));
        }
        wrong.extend(check_limit(kind, limit, &path));
    }
    wrong
}

fn check_type(kind: &str, path: &str) -> Vec<Cause> {
    let reasons = names::qualified(kind);
    let known = ["Pod", "Container", "PersistentVolumeClaim"];
    if reasons.is_empty() && !kind.contains('/') && !known.contains(&kind) {
        let why = "must be a standard limit type or fully qualified";
        return vec![Cause::invalid(path, &kind.into(), why)];
    }
    let reasons = reasons.iter();
    reasons
        .map(|why| Cause::invalid(path, &kind.into(), why))
        .collect()
}

fn check_limit(kind: &str, limit: &Value, path: &str) -> Vec<Cause> {
    let none = Map::new();
    let of = |field: &str| limit[field].as_object().unwrap_or(&none);
    let mut wrong = Vec::new();
    let for_containers = ["Pod", "Container"].contains(&kind);
    let (mut seen, mut is_seen) = (Vec::new(), HashSet::new());
    for field in [
        "max",
        "min",
        "default",
        "defaultRequest",
        "maxLimitRequestRatio",
    ] {
        let at = format!("{path}.{field}");
        if kind == "Pod" && field.starts_with("default") {
            if !of(field).is_empty() {
                let why = "may not be specified when `type` is 'Pod'";
                wrong.push(Cause::forbidden(&at, why));
            }
            continue;
        }
        if field == "maxLimitRequestRatio"
            && kind == "PersistentVolumeClaim"
            && ["min", "max"]
                .iter()
                .all(|field| !of(field).contains_key("storage"))
        {
            let why =
                "either minimum or maximum storage value is required, but neither was provided";
            wrong.push(Cause::required(&format!("{path}.limits"), why));
        }
        for name in of(field).keys() {
            let at = format!("{at}[{name}]");
            wrong.extend(match for_containers {
                true => resources::check_name_for_container(name, &at),
                false => resources::check_name(name, &at),
            });
            if is_seen.insert(name) {
                seen.push(name);
            }
        }
    }
    for name in seen {
        let own = |field: &str| match kind == "Pod" && field.starts_with("default") {
            true => None,
            false => of(field).get(name),
        };
        wrong.extend(check_order(name, &own, path));
    }
    wrong
}

/// One limit, and what it must not be above: where that is told, with which of both, and what each is called.
const ORDER: [(&str, &str, &str, &str, &str, &str); 6] = [
    ("min", "max", "min", "min", "min", "max"),
    (
        "min",
        "defaultRequest",
        "defaultRequest",
        "defaultRequest",
        "min",
        "default request",
    ),
    (
        "defaultRequest",
        "max",
        "defaultRequest",
        "defaultRequest",
        "default request",
        "max",
    ),
    (
        "defaultRequest",
        "default",
        "defaultRequest",
        "defaultRequest",
        "default request",
        "default limit",
    ),
    ("min", "default", "default", "min", "min", "default"),
    ("default", "max", "default", "max", "default", "max"),
];

/// What is one, in billionths.
const NANOS: i128 = 1_000_000_000;

fn check_order<'a>(name: &str, own: &dyn Fn(&str) -> Option<&'a Value>, path: &str) -> Vec<Cause> {
    let amount = |value: &Value| value.as_str().and_then(in_billionths).unwrap_or(0);
    let shown = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut wrong = Vec::new();
    for (low, high, at, value, of_low, of_high) in ORDER {
        let (Some(least), Some(most)) = (own(low), own(high)) else {
            continue;
        };
        if amount(least) > amount(most) {
            let why = format!(
                "{of_low} value {} is greater than {of_high} value {}",
                shown(least),
                shown(most)
            );
            let value = if value == low { least } else { most };
            wrong.push(Cause::invalid(&format!("{path}.{at}[{name}]"), value, &why));
        }
    }
    if let Some(ratio) = own("maxLimitRequestRatio") {
        let path = format!("{path}.maxLimitRequestRatio[{name}]");
        if amount(ratio) < NANOS {
            let why = format!("ratio {} is less than 1", shown(ratio));
            wrong.push(Cause::invalid(&path, ratio, &why));
        }
        if let (Some(min), Some(max)) = (own("min"), own("max"))
            && let Some(most) = exceeded([ratio, min, max].map(amount))
        {
            let why = format!("ratio {} is greater than max/min = {most:.6}", shown(ratio));
            wrong.push(Cause::invalid(&path, ratio, &why));
        }
    }
    if let (Some(limit), Some(request)) = (own("default"), own("defaultRequest"))
        && !resources::may_be_promised_twice(name)
        && amount(limit) != amount(request)
    {
        let why = format!(
            "default value {} must equal to defaultRequest value {} in {name}",
            shown(limit),
            shown(request)
        );
        let path = format!("{path}.defaultRequest[{name}]");
        wrong.push(Cause::invalid(&path, request, &why));
    }
    wrong
}

/// How often the least is in the most, where the ratio is greater. In Go that is a number of whole units, of thousandths
/// where they are few enough for that.
fn exceeded([ratio, min, max]: [i128; 3]) -> Option<f64> {
    const MOST_OF_THOUSANDTHS: i128 = i64::MAX as i128 / 1000;
    let up = |amount: i128, unit: i128| amount.div_euclid(unit) + i128::from(amount % unit != 0);
    let is_few = |amount: i128| up(amount, NANOS) < MOST_OF_THOUSANDTHS;
    let unit = match [ratio, min, max].into_iter().all(is_few) {
        true => NANOS / 1000,
        false => NANOS,
    };
    let [ratio, min, max] = [ratio, min, max].map(|amount| up(amount, unit) as f64);
    let ratio = ratio * unit as f64 / NANOS as f64;
    let most = max / min;
    (ratio > most).then_some(most)
}
