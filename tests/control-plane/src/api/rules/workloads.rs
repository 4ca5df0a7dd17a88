//! The rules of what makes pods.

use serde_json::{Value, json};

use super::pods;
use crate::failure::Cause;
use crate::object;

const FIXED_SET: &str = "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', \
    'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are \
    forbidden";
const CHANGEABLE_OF_SET: [&str; 7] = [
    "replicas",
    "ordinals",
    "template",
    "updateStrategy",
    "revisionHistoryLimit",
    "persistentVolumeClaimRetentionPolicy",
    "minReadySeconds",
];
pub(super) const TEMPLATE_GENERATION: &str = "deprecated.daemonset.template.generation";

/// Those of a Deployment, StatefulSet, DaemonSet or ReplicaSet.
pub(super) fn check(kind: &str, object: &Value) -> Vec<Cause> {
    let mut wrong = Vec::new();
    let spec = &object["spec"];
    if let Some(replicas) = spec
        .get("replicas")
        .filter(|replicas| replicas.as_i64() < Some(0))
    {
        wrong.push(Cause::invalid(
            "spec.replicas",
            replicas,
            "must be greater than or equal to 0",
        ));
    }
    let labels = spec
        .pointer("/template/metadata/labels")
        .cloned()
        .unwrap_or_default();
    let is_old = kind == "ReplicationController";
    match spec.get("selector").filter(|selector| !selector.is_null()) {
        None => {
            wrong.push(Cause::required("spec.selector", ""));
            if !is_old {
                wrong.push(mismatch(&labels));
            }
        }
        Some(selector)
            if !is_old && selector.as_object().is_some_and(serde_json::Map::is_empty) =>
        {
            wrong.push(Cause::invalid(
                "spec.selector",
                &json!({}),
                &format!("empty selector is invalid for {}", kind.to_lowercase()),
            ));
        }
        Some(selector) => {
            let wanted = if is_old {
                selector.as_object()
            } else {
                selector.get("matchLabels").and_then(Value::as_object)
            };
            let matches = wanted
                .into_iter()
                .flatten()
                .all(|(key, value)| labels.get(key) == Some(value));
            if !matches {
                wrong.push(mismatch(&labels));
            }
        }
    }
    let claims = spec.get("volumeClaimTemplates").and_then(Value::as_array);
    let claims = claims.map(Vec::as_slice).unwrap_or_default();
    wrong.extend(pods::check_spec_with(
        &spec["template"]["spec"],
        "spec.template.spec",
        claims,
    ));
    let policy = &spec["template"]["spec"]["restartPolicy"];
    if *policy != "Always" && wrong.is_empty() {
        wrong.push(Cause::unsupported(
            "spec.template.spec.restartPolicy",
            policy,
            r#""Always""#,
        ));
    }
    wrong
}

fn mismatch(labels: &Value) -> Cause {
    Cause::invalid(
        "spec.template.metadata.labels",
        labels,
        "`selector` does not match template `labels`",
    )
}

/// What may not change.
pub(super) fn check_update(kind: &str, old: &Value, new: &Value) -> Vec<Cause> {
    if kind == "StatefulSet" {
        let fixed = |object: &Value| {
            let mut spec = object["spec"].clone();
            object::as_map(&mut spec)
                .retain(|field, _| !CHANGEABLE_OF_SET.contains(&field.as_str()));
            spec
        };
        return (fixed(old) != fixed(new))
            .then(|| Cause::forbidden("spec", FIXED_SET))
            .into_iter()
            .collect();
    }
    let (before, after) = (&old["spec"]["selector"], &new["spec"]["selector"]);
    let fixed = kind != "ReplicationController" && before != after;
    fixed
        .then(|| Cause::invalid("spec.selector", after, "field is immutable"))
        .into_iter()
        .collect()
}

/// Counts the templates, as it was done before there were generations.
pub(super) fn count_templates(old: Option<&Value>, object: &mut Value) {
    let moved = old.is_none_or(|old| old["spec"]["template"] != object["spec"]["template"]);
    let known = old.and_then(|old| {
        old.pointer("/metadata/annotations")?
            .get(TEMPLATE_GENERATION)?
            .as_str()?
            .parse::<i64>()
            .ok()
    });
    let number = known.unwrap_or(0) + i64::from(moved);
    let annotations = object::metadata_mut(object)
        .entry("annotations")
        .or_insert(Value::Null);
    object::as_map(annotations).insert(TEMPLATE_GENERATION.to_owned(), number.to_string().into());
}

/// Makes sure that the pods of a Job are its own, and no other's.
pub(super) fn select_own_pods(object: &mut Value) {
    if object["spec"]["manualSelector"] == true {
        return;
    }
    let (name, uid) = (
        object::name(object).to_owned(),
        object::uid(object).to_owned(),
    );
    let labels = [
        ("batch.kubernetes.io/controller-uid", &uid),
        ("batch.kubernetes.io/job-name", &name),
        ("controller-uid", &uid),
        ("job-name", &name),
    ];
    let spec = object::field_mut(object, "spec");
    spec.insert(
        "selector".to_owned(),
        json!({"matchLabels": {"batch.kubernetes.io/controller-uid": uid}}),
    );
    let template = object::as_map(spec.entry("template").or_insert(Value::Null));
    let metadata = object::as_map(template.entry("metadata").or_insert(Value::Null));
    let of_pods = object::as_map(metadata.entry("labels").or_insert(Value::Null));
    for (label, value) in labels {
        of_pods.insert(label.to_owned(), value.clone().into());
    }
    // A Job without labels has those of its pods.
    let of_pods = of_pods.clone();
    object::metadata_mut(object)
        .entry("labels")
        .or_insert(of_pods.into());
}

pub(super) fn check_job(spec: &Value, path: &str) -> Vec<Cause> {
    let template = format!("{path}.template.spec");
    let mut wrong = pods::check_spec(&spec["template"]["spec"], &template);
    let policy = &spec["template"]["spec"]["restartPolicy"];
    if *policy == "Always" {
        wrong.push(Cause::required(
            &format!("{template}.restartPolicy"),
            r#"valid values: "OnFailure", "Never""#,
        ));
    }
    wrong
}

/// A schedule has five fields, or a name.
pub(super) fn check_cron_job(object: &Value) -> Vec<Cause> {
    let schedule = object["spec"]["schedule"].as_str().unwrap_or_default();
    let mut wrong = Vec::new();
    let fields: Vec<&str> = schedule.split_whitespace().collect();
    if schedule.is_empty() {
        wrong.push(Cause::required("spec.schedule", ""));
    } else if !schedule.starts_with('@') && fields.len() != 5 {
        let why = format!(
            "expected exactly 5 fields, found {}: [{}]",
            fields.len(),
            fields.join(" ")
        );
        wrong.push(Cause::invalid("spec.schedule", &schedule.into(), &why));
    }
    wrong.extend(check_job(
        &object["spec"]["jobTemplate"]["spec"],
        "spec.jobTemplate.spec",
    ));
    wrong
}
