//! Autoscalers in their older version, which knows one metric, the CPU: all else is told in annotations there.

use serde_json::{Map, Value, json};

use crate::object;
use crate::patch::go;

const OLDER: &str = "autoscaling/v1";
const NEWER: &str = "autoscaling/v2";

const METRICS: &str = "autoscaling.alpha.kubernetes.io/metrics";
const BEHAVIOR: &str = "autoscaling.alpha.kubernetes.io/behavior";
const CURRENT_METRICS: &str = "autoscaling.alpha.kubernetes.io/current-metrics";
const CONDITIONS: &str = "autoscaling.alpha.kubernetes.io/conditions";
/// Annotations that are of the older version alone.
const OF_OLDER: [&str; 6] = [
    METRICS,
    BEHAVIOR,
    CURRENT_METRICS,
    CONDITIONS,
    "autoscaling.alpha.kubernetes.io/scale-down-tolerance",
    "autoscaling.alpha.kubernetes.io/scale-up-tolerance",
];
/// The metric of an autoscaler that says none, in percent of the CPU.
const USUAL: i64 = 80;

/// A field as the older version calls it, where it is in the newer one, and where the older one says it at any rate.
type Field = (&'static str, &'static str, Always);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Always {
    Never,
    InStatus,
    Everywhere,
}
use Always::{Everywhere, InStatus, Never};

/// The types of metrics. In a status what is a target here is called current.
const TYPES: [(&str, &[Field]); 5] = [
    (
        "resource",
        &[
            ("name", "/name", Never),
            (
                "targetAverageUtilization",
                "/target/averageUtilization",
                Never,
            ),
            ("targetAverageValue", "/target/averageValue", InStatus),
        ],
    ),
    (
        "containerResource",
        &[
            ("name", "/name", Never),
            (
                "targetAverageUtilization",
                "/target/averageUtilization",
                Never,
            ),
            ("targetAverageValue", "/target/averageValue", InStatus),
            ("container", "/container", Never),
        ],
    ),
    (
        "pods",
        &[
            ("metricName", "/metric/name", Never),
            ("targetAverageValue", "/target/averageValue", Everywhere),
            ("selector", "/metric/selector", Never),
        ],
    ),
    (
        "object",
        &[
            ("target", "/describedObject", Never),
            ("metricName", "/metric/name", Never),
            ("targetValue", "/target/value", Everywhere),
            ("selector", "/metric/selector", Never),
            ("averageValue", "/target/averageValue", Never),
        ],
    ),
    (
        "external",
        &[
            ("metricName", "/metric/name", Never),
            ("metricSelector", "/metric/selector", Never),
            ("targetValue", "/target/value", InStatus),
            ("targetAverageValue", "/target/averageValue", Never),
        ],
    ),
];

/// The fields of what annotations tell, in the order of a real server.
const ORDER: &str = "type object pods resource containerResource external target kind name metricName \
    metricSelector targetValue currentValue targetAverageUtilization currentAverageUtilization \
    targetAverageValue currentAverageValue selector averageValue container apiVersion \
    matchLabels matchExpressions key operator values status lastTransitionTime reason message \
    ScaleUp ScaleDown StabilizationWindowSeconds SelectPolicy Policies Tolerance Type Value \
    PeriodSeconds";

/// Brings an autoscaler into another version.
pub(crate) fn convert(object: &mut Value, api_version: &str) {
    match (object["apiVersion"].as_str(), api_version) {
        (Some(OLDER), NEWER) => to_newer(object),
        (Some(NEWER), OLDER) => to_older(object),
        (Some(NEWER), NEWER) => drop(take_annotations(object)),
        _ => return,
    }
    object["apiVersion"] = api_version.into();
}

/// Completes an autoscaler, if it is of the older version, as a server does that reads it as one of the newer.
pub(crate) fn complete(object: &mut Value) -> bool {
    let is_older = object["apiVersion"] == OLDER;
    if is_older {
        let spec = object::field_mut(object, "spec");
        if spec.get("minReplicas").is_none_or(Value::is_null) {
            spec.insert("minReplicas".to_owned(), 1.into());
        }
        convert(object, NEWER);
        convert(object, OLDER);
    } else {
        convert(object, NEWER);
    }
    is_older
}

/// Writes out what the type of Go always says, so that it is there wherever an object has been another version.
pub(crate) fn write_out(object: &mut Value) {
    let spec = object::field_mut(object, "spec");
    spec.entry("maxReplicas").or_insert_with(|| 0.into());
    let target = spec.entry("scaleTargetRef").or_insert(Value::Null);
    for field in ["kind", "name"] {
        let target = object::as_map(target);
        target.entry(field).or_insert_with(|| "".into());
    }
}

fn to_older(object: &mut Value) {
    take_annotations(object);
    let mut told = Vec::new();
    let spec = object::field_mut(object, "spec");
    let metrics = taken_list(spec, "metrics");
    if let Some(cpu) = metrics.iter().find_map(utilization) {
        spec.insert("targetCPUUtilizationPercentage".to_owned(), cpu);
    }
    let others: Vec<Value> = metrics
        .iter()
        .filter(|metric| utilization(metric).is_none())
        .map(|metric| older(metric, "target"))
        .collect();
    if !others.is_empty() {
        told.push((METRICS, others.into()));
    }
    if let Some(behavior) = spec.remove("behavior").filter(Value::is_object) {
        told.push((BEHAVIOR, behavior_as_go(&behavior)));
    }
    let status = object::field_mut(object, "status");
    let metrics = taken_list(status, "currentMetrics");
    if let Some(cpu) = metrics.iter().filter_map(current_utilization).next_back() {
        status.insert("currentCPUUtilizationPercentage".to_owned(), cpu);
    }
    for field in ["currentReplicas", "desiredReplicas"] {
        status.entry(field).or_insert_with(|| 0.into());
    }
    if !metrics.is_empty() {
        let metrics = metrics.iter().map(|metric| older(metric, "current"));
        told.push((CURRENT_METRICS, metrics.collect()));
    }
    let conditions = taken_list(status, "conditions");
    if !conditions.is_empty() {
        told.push((CONDITIONS, conditions.into()));
    }
    if told.is_empty() {
        return;
    }
    let metadata = object::field_mut(object, "metadata");
    let annotations = metadata.entry("annotations").or_insert(Value::Null);
    for (name, value) in told {
        object::as_map(annotations).insert(name.to_owned(), written(&value).into());
    }
}

fn to_newer(object: &mut Value) {
    let told = take_annotations(object);
    let said =
        |name: &str| -> Option<Value> { serde_json::from_str(told.get(name)?.as_str()?).ok() };
    let spec = object::field_mut(object, "spec");
    let mut metrics = Vec::new();
    if let Some(Value::Array(others)) = said(METRICS) {
        metrics.extend(others.iter().map(|metric| newer(metric, "target")));
    }
    let cpu = spec.remove("targetCPUUtilizationPercentage");
    let cpu = cpu.filter(|cpu| !cpu.is_null());
    if cpu.is_some() || metrics.is_empty() {
        let target =
            json!({"type": "Utilization", "averageUtilization": cpu.unwrap_or(USUAL.into())});
        metrics.push(json!({"type": "Resource", "resource": {"name": "cpu", "target": target}}));
    }
    spec.insert("metrics".to_owned(), metrics.into());
    let behavior = said(BEHAVIOR).map(|behavior| renamed(&behavior, &small));
    if let Some(Value::Object(mut behavior)) = behavior {
        behavior.retain(|_, rules| rules.is_object());
        for rules in behavior.values_mut().filter_map(Value::as_object_mut) {
            rules.retain(|_, rule| !rule.is_null());
        }
        if !behavior.is_empty() {
            spec.insert("behavior".to_owned(), behavior.into());
        }
    }
    let status = object::field_mut(object, "status");
    let cpu = status.remove("currentCPUUtilizationPercentage");
    let mut current = Value::Null;
    if let Some(cpu) = cpu.filter(|cpu| !cpu.is_null()) {
        let resource = json!({"name": "cpu", "current": {"averageUtilization": cpu}});
        current = json!([{"type": "Resource", "resource": resource}]);
    }
    if let Some(Value::Array(metrics)) = said(CURRENT_METRICS) {
        current = metrics
            .iter()
            .map(|metric| newer(metric, "current"))
            .collect();
    }
    status.insert("currentMetrics".to_owned(), current);
    if let Some(Value::Array(conditions)) = said(CONDITIONS) {
        status.insert("conditions".to_owned(), conditions.into());
    }
    if status.get("currentReplicas") == Some(&json!(0)) {
        status.remove("currentReplicas");
    }
    status.entry("desiredReplicas").or_insert_with(|| 0.into());
}

/// Takes what is of the older version out of the annotations.
fn take_annotations(object: &mut Value) -> Map<String, Value> {
    let mut taken = Map::new();
    let annotations = object.pointer_mut("/metadata/annotations");
    if let Some(annotations) = annotations.and_then(Value::as_object_mut) {
        taken.extend(
            OF_OLDER
                .iter()
                .filter_map(|name| annotations.remove_entry(*name)),
        );
        if annotations.is_empty()
            && !taken.is_empty()
            && let Some(metadata) = object["metadata"].as_object_mut()
        {
            metadata.remove("annotations");
        }
    }
    taken
}

fn taken_list(fields: &mut Map<String, Value>, name: &str) -> Vec<Value> {
    match fields.remove(name) {
        Some(Value::Array(list)) => list,
        _ => Vec::new(),
    }
}

/// How much of the CPU a metric asks for.
fn utilization(metric: &Value) -> Option<Value> {
    of_cpu(metric)?
        .pointer("/target/averageUtilization")
        .cloned()
}

fn current_utilization(metric: &Value) -> Option<Value> {
    of_cpu(metric)?
        .pointer("/current/averageUtilization")
        .cloned()
}

fn of_cpu(metric: &Value) -> Option<&Value> {
    let resource = metric.get("resource")?;
    (metric["type"] == "Resource" && resource["name"] == "cpu").then_some(resource)
}

/// A metric as the older version tells it.
fn older(metric: &Value, part: &str) -> Value {
    let mut told = json!({"type": metric["type"]});
    for (kind, fields) in TYPES {
        let Some(source) = metric.get(kind).filter(|source| source.is_object()) else {
            continue;
        };
        let mut source_told = Map::new();
        for (field, pointer, always) in fields {
            let [field, pointer] = [field, pointer].map(|name| called(name, part));
            let value = source.pointer(&pointer).filter(|value| !value.is_null());
            let is_always = *always == Everywhere || *always == InStatus && part == "current";
            let value = value.cloned().or_else(|| is_always.then(|| "0".into()));
            source_told.extend(value.map(|value| (field, value)));
        }
        told[kind] = source_told.into();
    }
    told
}

/// A metric that the older version has told.
fn newer(metric: &Value, part: &str) -> Value {
    let mut read = json!({"type": metric["type"]});
    for (kind, fields) in TYPES {
        let Some(source) = metric.get(kind).filter(|source| source.is_object()) else {
            continue;
        };
        let mut target = json!({});
        for (field, pointer, _) in fields {
            let [field, pointer] = [field, pointer].map(|name| called(name, part));
            let value = source.get(&field).filter(|value| !value.is_null());
            let Some(value) = value else {
                continue;
            };
            let mut names = pointer.split('/').skip(1);
            match (names.next(), names.next()) {
                (Some(outer), Some(inner)) => target[outer][inner] = value.clone(),
                (Some(outer), None) => target[outer] = value.clone(),
                (None, _) => {}
            }
        }
        if part == "target" {
            let has = |field: &str| target["target"].get(field).is_some();
            let of = match kind {
                "resource" | "containerResource" if has("averageUtilization") => "Utilization",
                "external" if has("value") => "Value",
                "object" if !has("averageValue") => "Value",
                _ => "AverageValue",
            };
            let is_nothing = kind == "object" && target["target"]["value"] == "0";
            if of == "AverageValue"
                && is_nothing
                && let Some(target) = target["target"].as_object_mut()
            {
                target.remove("value");
            }
            target["target"]["type"] = of.into();
        }
        read[kind] = target;
    }
    read
}

/// What is called a target, in a status.
fn called(name: &str, part: &str) -> String {
    let is_reference = name == "target";
    match part == "current" && !is_reference {
        true => name.replacen("target", "current", 1),
        false => name.to_owned(),
    }
}

/// How fast an autoscaler may go is told as Go calls it, whether it is said or not.
fn behavior_as_go(behavior: &Value) -> Value {
    let mut told = renamed(behavior, &capital);
    for direction in ["ScaleUp", "ScaleDown"] {
        let rules = object::as_map(&mut told).entry(direction);
        let rules = rules.or_insert(Value::Null);
        let Some(rules) = rules.as_object_mut() else {
            continue;
        };
        for rule in [
            "StabilizationWindowSeconds",
            "SelectPolicy",
            "Policies",
            "Tolerance",
        ] {
            rules.entry(rule).or_insert(Value::Null);
        }
    }
    told
}

fn capital(name: &str) -> String {
    let mut letters = name.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

fn small(name: &str) -> String {
    let mut letters = name.chars();
    let first = letters.next().map(|first| first.to_ascii_lowercase());
    first.into_iter().chain(letters).collect()
}

fn renamed(value: &Value, name: &impl Fn(&str) -> String) -> Value {
    match value {
        Value::Array(list) => list.iter().map(|value| renamed(value, name)).collect(),
        Value::Object(fields) => {
            let renamed = fields
                .iter()
                .map(|(field, value)| (name(field), renamed(value, name)));
            Value::Object(renamed.collect())
        }
        scalar => scalar.clone(),
    }
}

/// As a server writes it, in its order.
fn written(value: &Value) -> String {
    match value {
        Value::Array(list) => {
            let list: Vec<String> = list.iter().map(written).collect();
            format!("[{}]", list.join(","))
        }
        Value::Object(fields) => {
            let place = |name: &str| ORDER.split(' ').position(|known| known == name);
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_by_key(|(name, _)| place(name).unwrap_or(usize::MAX));
            let fields: Vec<String> = fields
                .into_iter()
                .map(|(name, value)| format!("{}:{}", Value::from(name.as_str()), written(value)))
                .collect();
            format!("{{{}}}", fields.join(","))
        }
        scalar => go::json(scalar),
    }
}
