//! The rules of what makes pods.

use std::collections::HashSet;

use serde_json::Value;

use super::super::selector;
use super::checks::{self, at, invalid_selector, list, not_negative, number, one_of, text};
use super::fixed::{IMMUTABLE, is_nothing, same};
use super::{legacy, pods, strategies};
use crate::failure::Cause;
use crate::object;
use crate::structs::internal;

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

/// Those of a Deployment, StatefulSet, DaemonSet, ReplicaSet or ReplicationController.
pub(super) fn check(kind: &str, old: Option<&Value>, object: &Value) -> Vec<Cause> {
    let spec = &object["spec"];
    let mut wrong = Vec::new();
    if let Some(old) = old.filter(|_| kind == "DaemonSet") {
        wrong.extend(changed_selector(old, object));
    }
    wrong.extend(match kind {
        "StatefulSet" => strategies::check_stateful_set(spec, old.is_none()),
        "ReplicationController" => not_negative(spec, "spec", &["minReadySeconds"]),
        "Deployment" => not_negative(spec, "spec", &["replicas"]),
        "ReplicaSet" => not_negative(spec, "spec", &["replicas", "minReadySeconds"]),
        _ => Vec::new(),
    });
    let (of_selector, is_selector) = check_selector(kind, spec);
    wrong.extend(of_selector);
    if kind == "ReplicationController" {
        wrong.extend(not_negative(spec, "spec", &["replicas"]));
    }
    wrong.extend(check_pods(kind, spec, is_selector));
    wrong.extend(match kind {
        "Deployment" => {
            let mut wrong = strategies::check_deployment(spec);
            wrong.extend(legacy::check_rollback(object));
            wrong
        }
        "DaemonSet" => strategies::check_daemon_set(spec),
        _ => Vec::new(),
    });
    if let Some(old) = old {
        wrong.extend(check_update(kind, old, object));
    }
    wrong
}

/// What is wrong with a new revision, whose data is for those who read it.
pub(super) fn check_revision(object: &Value) -> Vec<Cause> {
    let mut wrong = check_count(object);
    match &object["data"] {
        Value::Object(_) => {}
        Value::Null => wrong.push(Cause::required("data", "data is mandatory")),
        _ => wrong.push(Cause::required("data", "data must be a valid JSON object")),
    }
    wrong
}

/// What is wrong with the number of a revision, new or changed.
pub(super) fn check_count(revision: &Value) -> Vec<Cause> {
    let count = number(revision, "revision").filter(|count| *count < 0);
    let why = "must be greater than or equal to 0";
    count
        .map(|count| Cause::invalid("revision", &count.into(), why))
        .into_iter()
        .collect()
}

/// What is wrong with the selector, which has to select the pods of the template, and whether these are looked at then.
fn check_selector(kind: &str, spec: &Value) -> (Vec<Cause>, bool) {
    const PATH: &str = "spec.selector";
    let is_old = kind == "ReplicationController";
    let selector = &spec["selector"];
    let mut wrong = Vec::new();
    let unfit = match is_old {
        true => Vec::new(),
        false => checks::selector(selector, PATH),
    };
    let is_empty = ["matchLabels", "matchExpressions"]
        .iter()
        .all(|field| is_nothing(&selector[*field]));
    let is_unsaid = selector.is_null() || is_old && is_nothing(selector);
    if is_unsaid && kind != "DaemonSet" {
        wrong.push(Cause::required(PATH, ""));
    } else if !is_old && !selector.is_null() {
        wrong.extend(unfit.iter().cloned());
        if is_empty {
            let kind = match kind {
                "ReplicaSet" => "deployment".to_owned(),
                kind => kind.to_lowercase(),
            };
            let why = format!("empty selector is invalid for {kind}");
            wrong.push(invalid_selector(PATH, selector, &why));
        }
    }
    let template = &spec["template"];
    let labels = at(template, "/metadata/labels");
    let matches = match is_old {
        true => {
            let mut wanted = selector.as_object().into_iter().flatten();
            template.is_null() || wanted.all(|(key, value)| labels.get(key) == Some(value))
        }
        // One that makes no sense is not matched with anything.
        false => !unfit.is_empty() || selects(selector, template),
    };
    let unread = match kind {
        _ if unfit.is_empty() => None,
        "Deployment" | "ReplicaSet" => Some("invalid label selector"),
        "StatefulSet" => Some(""),
        _ => None,
    };
    let is_read = unread.is_none();
    wrong.extend(unread.map(|why| invalid_selector(PATH, selector, why)));
    if !matches {
        let why = "`selector` does not match template `labels`";
        let path = "spec.template.metadata.labels";
        wrong.push(Cause::invalid(path, labels, why));
    }
    (wrong, is_read)
}

fn selects(selector: &Value, template: &Value) -> bool {
    selector::selects(
        Some(selector).filter(|selector| !selector.is_null()),
        template,
    )
}

/// What is wrong with the pods that are made, as far as they are looked at where the selector makes no sense.
fn check_pods(kind: &str, spec: &Value, is_selector: bool) -> Vec<Cause> {
    const PATH: &str = "spec.template";
    let template = &spec["template"];
    if kind == "ReplicationController" && template.is_null() {
        return vec![Cause::required(PATH, "")];
    }
    let mut wrong = match kind {
        "StatefulSet" if !is_selector => Vec::new(),
        "StatefulSet" => check_pods_of_set(spec, PATH),
        _ if !is_selector => return Vec::new(),
        _ => pods::check_template(template, PATH),
    };
    let policy = text(&template["spec"], "restartPolicy");
    let always = one_of(policy, &format!("{PATH}.spec.restartPolicy"), &["Always"]);
    wrong.extend(always);
    if !template["spec"]["activeDeadlineSeconds"].is_null() {
        // A Deployment speaks of what it makes.
        let kind = match kind {
            "Deployment" => "ReplicaSet",
            kind => kind,
        };
        let path = format!("{PATH}.spec.activeDeadlineSeconds");
        let why = format!("activeDeadlineSeconds in {kind} is not Supported");
        wrong.push(Cause::forbidden(&path, &why));
    }
    wrong
}

/// The pods of a StatefulSet, which are called by it whatever they say, and have volumes of its claims.
fn check_pods_of_set(spec: &Value, path: &str) -> Vec<Cause> {
    let mut template = spec["template"].clone();
    let fields = object::field_mut(&mut template, "spec");
    for field in ["hostname", "subdomain"] {
        fields.remove(field);
    }
    let mut claims = list(spec, "volumeClaimTemplates").to_vec();
    let mut seen = HashSet::new();
    claims.retain(|claim| seen.insert(object::name(claim).to_owned()));
    let mut wrong = pods::check_template_with(&template, path, &claims);
    // A server looks twice.
    wrong.extend(pods::check_template_metadata(&template, path));
    wrong
}

/// What may not change, beside the selector of a DaemonSet, which is looked at first.
fn check_update(kind: &str, old: &Value, new: &Value) -> Option<Cause> {
    match kind {
        "StatefulSet" => {
            let fixed = |object: &Value| {
                let mut spec = object["spec"].clone();
                object::as_map(&mut spec)
                    .retain(|field, _| !CHANGEABLE_OF_SET.contains(&field.as_str()));
                spec
            };
            (!same(&fixed(old), &fixed(new))).then(|| Cause::forbidden("spec", FIXED_SET))
        }
        "Deployment" | "ReplicaSet" => changed_selector(old, new),
        _ => None,
    }
}

fn changed_selector(old: &Value, new: &Value) -> Option<Cause> {
    let selector = &new["spec"]["selector"];
    let changed = !same(&old["spec"]["selector"], selector);
    changed.then(|| invalid_selector("spec.selector", selector, IMMUTABLE))
}

/// A real server itself keeps the count in the spec, which metadata alone does not have.
pub(crate) fn forget_templates(metadata: &mut Value) {
    let metadata = object::as_map(metadata);
    if let Some(annotations) = metadata
        .get_mut("annotations")
        .and_then(Value::as_object_mut)
    {
        annotations.remove(TEMPLATE_GENERATION);
        if annotations.is_empty() {
            metadata.remove("annotations");
        }
    }
}

/// Counts the templates, as it was done before there were generations.
pub(super) fn count_templates(old: Option<&Value>, object: &mut Value) {
    let of = "core.PodTemplateSpec";
    let template = &object["spec"]["template"];
    let moved = old.is_some_and(|old| !internal::same(of, &old["spec"]["template"], template));
    let known = |of: &Value| -> Option<i64> {
        let annotations = of.pointer("/metadata/annotations")?;
        annotations.get(TEMPLATE_GENERATION)?.as_str()?.parse().ok()
    };
    let number = match old {
        Some(old) => known(old).unwrap_or(0) + i64::from(moved),
        None => known(object).unwrap_or(0).max(1),
    };
    let annotations = object::metadata_mut(object)
        .entry("annotations")
        .or_insert(Value::Null);
    object::as_map(annotations).insert(TEMPLATE_GENERATION.to_owned(), number.to_string().into());
}
