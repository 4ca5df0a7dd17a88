//! How many pods there are to be: budgets of disruption, and autoscalers.

use serde_json::Value;

use super::checks::{self, NOT_NEGATIVE, list, number, one_of, one_of_if_said, text};
use super::fixed::invalid_struct;
use super::strategies::{count, not_more_than_all};
use super::{names, resources};
use crate::failure::Cause;
use crate::schema::in_billionths;

const METRICS: [&str; 5] = [
    "ContainerResource",
    "External",
    "Object",
    "Pods",
    "Resource",
];
/// Where a metric of a type is told, in the order in which a server looks.
const SOURCES: [(&str, &str); 5] = [
    ("Object", "object"),
    ("External", "external"),
    ("Pods", "pods"),
    ("Resource", "resource"),
    ("ContainerResource", "containerResource"),
];
const HOUR: i64 = 3600;
const HALF_HOUR: i64 = 1800;

pub(super) fn check_budget(budget: &Value) -> Vec<Cause> {
    let spec = &budget["spec"];
    let mut wrong = Vec::new();
    let (least, most) = (&spec["minAvailable"], &spec["maxUnavailable"]);
    if !least.is_null() && !most.is_null() {
        let why = "minAvailable and maxUnavailable cannot be both set";
        wrong.push(invalid_struct(
            "spec",
            "policy.PodDisruptionBudgetSpec",
            spec,
            why,
        ));
    }
    for (value, path) in [(least, "spec.minAvailable"), (most, "spec.maxUnavailable")] {
        wrong.extend(count(value, path));
        wrong.extend(not_more_than_all(value, path));
    }
    wrong.extend(checks::selector(&spec["selector"], "spec.selector"));
    let known = ["AlwaysAllow", "IfHealthyBudget"];
    wrong.extend(one_of_if_said(
        &spec["unhealthyPodEvictionPolicy"],
        "spec.unhealthyPodEvictionPolicy",
        &known,
    ));
    wrong
}

pub(super) fn check_autoscaler(old: Option<&Value>, autoscaler: &Value) -> Vec<Cause> {
    let spec = &autoscaler["spec"];
    let mut wrong = Vec::new();
    let (least, most) = (
        number(spec, "minReplicas"),
        number(spec, "maxReplicas").unwrap_or(0),
    );
    let invalid = |field: &str, number: i64, why: &str| Cause::invalid(field, &number.into(), why);
    if let Some(least) = least.filter(|least| *least < 1) {
        let why = "must be greater than or equal to 1";
        wrong.push(invalid("spec.minReplicas", least, why));
    }
    const MOST: &str = "spec.maxReplicas";
    if most == 0 {
        wrong.push(Cause::required(MOST, "must be set and greater than 0"));
    } else if most < 0 {
        wrong.push(invalid(MOST, most, "must be greater than or equal to 1"));
    }
    if least.is_some_and(|least| most < least) {
        wrong.push(invalid(
            MOST,
            most,
            "must be greater than or equal to `minReplicas`",
        ));
    }
    const SCALED: &str = "spec.scaleTargetRef";
    let scaled = &spec["scaleTargetRef"];
    wrong.extend(check_reference(scaled, SCALED));
    // What has been scaled so far may be said so in the future, too.
    let same = |old: &Value| {
        let before = &old["spec"]["scaleTargetRef"];
        ["apiVersion", "kind"]
            .iter()
            .all(|field| before[*field] == scaled[*field])
    };
    if !old.is_some_and(same) {
        let is_core = text(scaled, "kind") == "ReplicationController";
        wrong.extend(check_version(text(scaled, "apiVersion"), is_core, SCALED));
    }
    for (index, metric) in list(spec, "metrics").iter().enumerate() {
        wrong.extend(check_metric(metric, &format!("spec.metrics[{index}]")));
    }
    let counts_elsewhere = |metric: &Value| ["Object", "External"].contains(&text(metric, "type"));
    if least == Some(0) && !list(spec, "metrics").iter().any(counts_elsewhere) {
        let why = "must specify at least one Object or External metric to support scaling to zero replicas";
        wrong.push(Cause::forbidden("spec.metrics", why));
    }
    for direction in ["scaleUp", "scaleDown"] {
        let rules = &spec["behavior"][direction];
        if rules.is_object() {
            wrong.extend(check_rules(rules, &format!("spec.behavior.{direction}")));
        }
    }
    wrong
}

fn check_reference(reference: &Value, path: &str) -> Vec<Cause> {
    let mut wrong = Vec::new();
    for field in ["kind", "name"] {
        let (said, path) = (text(reference, field), format!("{path}.{field}"));
        match said {
            "" => wrong.push(Cause::required(&path, "")),
            said => wrong.extend(names::path_segment(said, &path)),
        }
    }
    wrong
}

fn check_version(version: &str, may_be_core: bool, path: &str) -> Option<Cause> {
    // Before a slash there may be nothing.
    let is_core = !version.contains('/') || version.starts_with('/');
    let why = match version.matches('/').count() {
        0 | 1 if is_core && !may_be_core => "apiVersion must specify API group".to_owned(),
        0 | 1 => return None,
        _ => format!("unexpected GroupVersion string: {version}"),
    };
    Some(Cause::invalid(
        &format!("{path}.apiVersion"),
        &version.into(),
        &why,
    ))
}

fn check_metric(metric: &Value, path: &str) -> Vec<Cause> {
    let at = |field: &str| format!("{path}.{field}");
    let kind = text(metric, "type");
    let mut wrong = Vec::new();
    if kind.is_empty() {
        wrong.push(Cause::required(
            &at("type"),
            "must specify a metric source type",
        ));
    }
    wrong.extend(one_of(kind, &at("type"), &METRICS));
    let said: Vec<&str> = SOURCES
        .iter()
        .map(|(_, field)| *field)
        .filter(|field| metric[*field].is_object())
        .collect();
    if let Some(first) = said.first() {
        wrong.extend(check_source(first, &metric[*first], &at(first)));
    }
    let own = SOURCES
        .iter()
        .find(|(of, _)| *of == kind)
        .map(|(_, field)| *field);
    match own {
        Some(own) if metric[own].is_null() => {
            let why = "must populate information for the given metric source";
            wrong.push(Cause::required(&at(own), why));
        }
        Some(_) => {}
        // It is looked at twice.
        None => wrong.extend(one_of(kind, &at("type"), &METRICS)),
    }
    if said.len() > 1 {
        let others = said.into_iter().filter(|field| Some(*field) != own);
        let why = "must populate the given metric source only";
        wrong.extend(others.map(|field| Cause::forbidden(&at(field), why)));
    }
    wrong
}

fn check_source(kind: &str, source: &Value, path: &str) -> Vec<Cause> {
    let at = |field: &str| format!("{path}.{field}");
    let target = &source["target"];
    let says = |field: &str| !target[field].is_null();
    let mut wrong = Vec::new();
    if kind == "object" {
        let path = at("describedObject");
        let described = &source["describedObject"];
        wrong.extend(check_reference(described, &path));
        wrong.extend(check_version(text(described, "apiVersion"), true, &path));
    }
    if ["object", "pods", "external"].contains(&kind) {
        match text(&source["metric"], "name") {
            "" => wrong.push(Cause::required(
                &at("metric.name"),
                "must specify a metric name",
            )),
            name => wrong.extend(names::path_segment(name, &at("metric.name"))),
        }
    } else {
        let name = text(source, "name");
        if name.is_empty() {
            wrong.push(Cause::required(&at("name"), "must specify a resource name"));
        } else if kind == "containerResource" {
            wrong.extend(resources::check_name_for_container(name, &at("name")));
        }
    }
    if kind == "containerResource" {
        let container = text(source, "container");
        if container.is_empty() {
            wrong.push(Cause::required(
                &at("container"),
                "must specify a container",
            ));
        } else {
            let why = names::label(container);
            wrong.extend(why.map(|why| Cause::invalid(&at("container"), &container.into(), why)));
        }
    }
    wrong.extend(check_target(target, &at("target")));
    let missing = match kind {
        "object" if !says("value") && !says("averageValue") => Some((
            "averageValue",
            "must set either a target value or averageValue",
        )),
        "external" if !says("value") && !says("averageValue") => Some((
            "averageValue",
            "must set either a target value for metric or a per-pod target",
        )),
        "pods" if !says("averageValue") => Some((
            "averageValue",
            "must specify a positive target averageValue",
        )),
        "resource" | "containerResource"
            if !says("averageUtilization") && !says("averageValue") =>
        {
            Some((
                "averageUtilization",
                "must set either a target raw value or a target utilization",
            ))
        }
        _ => None,
    };
    wrong.extend(missing.map(|(field, why)| Cause::required(&at(&format!("target.{field}")), why)));
    let both = match kind {
        "external" if says("value") && says("averageValue") => Some((
            "value",
            "may not set both a target value for metric and a per-pod target",
        )),
        "resource" | "containerResource" if says("averageUtilization") && says("averageValue") => {
            Some((
                "averageValue",
                "may not set both a target raw value and a target utilization",
            ))
        }
        _ => None,
    };
    wrong.extend(both.map(|(field, why)| Cause::forbidden(&at(&format!("target.{field}")), why)));
    wrong
}

fn check_target(target: &Value, path: &str) -> Vec<Cause> {
    let at = |field: &str| format!("{path}.{field}");
    let kind = text(target, "type");
    let mut wrong = Vec::new();
    if kind.is_empty() {
        wrong.push(Cause::required(
            &at("type"),
            "must specify a metric target type",
        ));
    }
    if !["Utilization", "Value", "AverageValue"].contains(&kind) {
        let why = "must be either Utilization, Value, or AverageValue";
        wrong.push(Cause::invalid(&at("type"), &kind.into(), why));
    }
    for field in ["value", "averageValue"] {
        let value = &target[field];
        if value
            .as_str()
            .and_then(in_billionths)
            .is_some_and(|value| value <= 0)
        {
            wrong.push(Cause::invalid(&at(field), value, "must be positive"));
        }
    }
    if let Some(percent) = number(target, "averageUtilization").filter(|percent| *percent < 1) {
        let path = at("averageUtilization");
        wrong.push(Cause::invalid(
            &path,
            &percent.into(),
            "must be greater than 0",
        ));
    }
    wrong
}

fn check_rules(rules: &Value, path: &str) -> Vec<Cause> {
    let mut wrong = Vec::new();
    const WINDOW: &str = "stabilizationWindowSeconds";
    if let Some(window) = number(rules, WINDOW) {
        let path = format!("{path}.{WINDOW}");
        if window < 0 {
            let why = "must be greater than or equal to zero";
            wrong.push(Cause::invalid(&path, &window.into(), why));
        }
        if window > HOUR {
            let why = "must be less than or equal to 3600";
            wrong.push(Cause::invalid(&path, &window.into(), why));
        }
    }
    let known = ["Disabled", "Max", "Min"];
    wrong.extend(one_of_if_said(
        &rules["selectPolicy"],
        &format!("{path}.selectPolicy"),
        &known,
    ));
    let policies = list(rules, "policies");
    if policies.is_empty() {
        let why = "must specify at least one Policy";
        wrong.push(Cause::required(&format!("{path}.policies"), why));
    }
    for (index, policy) in policies.iter().enumerate() {
        let at = |field: &str| format!("{path}.policies[{index}].{field}");
        wrong.extend(one_of(
            text(policy, "type"),
            &at("type"),
            &["Percent", "Pods"],
        ));
        for field in ["value", "periodSeconds"] {
            let said = number(policy, field).unwrap_or(0);
            if said <= 0 {
                let why = "must be greater than zero";
                wrong.push(Cause::invalid(&at(field), &said.into(), why));
            }
        }
        if let Some(period) = number(policy, "periodSeconds").filter(|period| *period > HALF_HOUR) {
            let why = "must be less than or equal to 1800";
            wrong.push(Cause::invalid(&at("periodSeconds"), &period.into(), why));
        }
    }
    let tolerance = &rules["tolerance"];
    let amount = tolerance.as_str().and_then(in_billionths);
    if amount.is_some_and(|amount| amount < 0) {
        let path = format!("{path}.tolerance");
        wrong.push(Cause::invalid(&path, tolerance, NOT_NEGATIVE));
    }
    wrong
}
