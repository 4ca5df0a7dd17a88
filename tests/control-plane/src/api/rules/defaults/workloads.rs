//! What makes pods.

use serde_json::{Map, Value, json};

use super::super::workloads::TEMPLATE_GENERATION;
use super::{default, default_all, default_text, each, inner, pods, storage};
use crate::object;

pub(super) fn deployment(object: &mut Value) {
    let spec = with_pods(object);
    default(spec, "replicas", 1);
    default(spec, "revisionHistoryLimit", 10);
    default(spec, "progressDeadlineSeconds", 600);
    rolling_update(
        spec,
        "strategy",
        &[("maxUnavailable", "25%".into()), ("maxSurge", "25%".into())],
    );
}

pub(super) fn stateful_set(object: &mut Value) {
    let spec = with_pods(object);
    default(spec, "replicas", 1);
    default(spec, "revisionHistoryLimit", 10);
    default_text(spec, "podManagementPolicy", "OrderedReady");
    let strategy = spec.get("updateStrategy").unwrap_or(&Value::Null);
    // Who says how it is updated, and no more, gets no more.
    if strategy["type"] != "RollingUpdate" || !strategy["rollingUpdate"].is_null() {
        rolling_update(spec, "updateStrategy", &[("partition", 0.into())]);
    }
    default(spec, "persistentVolumeClaimRetentionPolicy", json!({}));
    let policy = object::as_map(&mut spec["persistentVolumeClaimRetentionPolicy"]);
    default_text(policy, "whenDeleted", "Retain");
    default_text(policy, "whenScaled", "Retain");
    for claim in each(spec, "volumeClaimTemplates") {
        default_text(claim, "apiVersion", "v1");
        default_text(claim, "kind", "PersistentVolumeClaim");
        storage::claim_fields(claim);
    }
}

pub(super) fn daemon_set(object: &mut Value) {
    let spec = with_pods(object);
    default(spec, "revisionHistoryLimit", 10);
    rolling_update(
        spec,
        "updateStrategy",
        &[("maxUnavailable", 1.into()), ("maxSurge", 0.into())],
    );
    // Of another type, what is not said is nothing.
    let strategy = spec
        .get_mut("updateStrategy")
        .and_then(Value::as_object_mut);
    let rolling = strategy.and_then(|strategy| strategy.get_mut("rollingUpdate"));
    if let Some(rolling) = rolling.and_then(Value::as_object_mut) {
        default(rolling, "maxUnavailable", 0);
        default(rolling, "maxSurge", 0);
    }
    // Whoever writes the object owns it, though the server counts.
    let annotations = object::metadata_mut(object)
        .entry("annotations")
        .or_insert(Value::Null);
    default(object::as_map(annotations), TEMPLATE_GENERATION, "0");
}

pub(super) fn replica_set(object: &mut Value) {
    default(with_pods(object), "replicas", 1);
}

pub(super) fn replication_controller(object: &mut Value) {
    let spec = match object["spec"]["template"].is_null() {
        // It is missed there.
        true => object::field_mut(object, "spec"),
        false => with_pods(object),
    };
    default(spec, "replicas", 1);
    if let Some(labels) = labels_of_template(spec) {
        default_all(spec, "selector", labels.clone());
        default_all(object::metadata_mut(object), "labels", labels);
    }
}

pub(super) fn job(object: &mut Value) {
    let spec = with_pods(object);
    conditions_of_failures(spec);
    if spec.get("completions").is_none() && spec.get("parallelism").is_none() {
        default(spec, "completions", 1);
    }
    default(spec, "parallelism", 1);
    let limit = if spec.contains_key("backoffLimitPerIndex") {
        i32::MAX
    } else {
        6
    };
    default(spec, "backoffLimit", limit);
    default(spec, "completionMode", "NonIndexed");
    default(spec, "suspend", false);
    default(spec, "manualSelector", false);
    let replaced = if spec.contains_key("podFailurePolicy") {
        "Failed"
    } else {
        "TerminatingOrFailed"
    };
    default(spec, "podReplacementPolicy", replaced);
    if let Some(labels) = labels_of_template(spec) {
        default_all(object::metadata_mut(object), "labels", labels);
    }
}

pub(super) fn cron_job(object: &mut Value) {
    let spec = object::field_mut(object, "spec");
    default_text(spec, "concurrencyPolicy", "Allow");
    default(spec, "suspend", false);
    default(spec, "successfulJobsHistoryLimit", 3);
    default(spec, "failedJobsHistoryLimit", 1);
    let job = object::as_map(spec.entry("jobTemplate").or_insert(Value::Null));
    let job = object::as_map(job.entry("spec").or_insert(Value::Null));
    conditions_of_failures(job);
    let template = object::as_map(job.entry("template").or_insert(Value::Null));
    pods::pod_spec(object::as_map(
        template.entry("spec").or_insert(Value::Null),
    ));
}

/// A condition of a pod that has failed is one that holds.
fn conditions_of_failures(job: &mut Map<String, Value>) {
    let Some(policy) = inner(job, "podFailurePolicy") else {
        return;
    };
    for rule in each(policy, "rules") {
        for condition in each(rule, "onPodConditions") {
            default_text(condition, "status", "True");
        }
    }
}

/// The spec, whose template has its defaults.
fn with_pods(object: &mut Value) -> &mut Map<String, Value> {
    object::field_mut(object, "spec");
    pods::template(&mut object["spec"], "template");
    object::field_mut(object, "spec")
}

fn rolling_update(spec: &mut Map<String, Value>, field: &str, defaults: &[(&str, Value)]) {
    let strategy = object::as_map(spec.entry(field).or_insert(Value::Null));
    default_text(strategy, "type", "RollingUpdate");
    if strategy["type"] == "RollingUpdate" {
        let rolling = object::as_map(strategy.entry("rollingUpdate").or_insert(Value::Null));
        for (field, value) in defaults {
            default(rolling, field, value.clone());
        }
    }
}

fn labels_of_template(spec: &Map<String, Value>) -> Option<Value> {
    let labels = spec.get("template")?.pointer("/metadata/labels")?;
    labels.as_object().filter(|labels| !labels.is_empty())?;
    Some(labels.clone())
}
