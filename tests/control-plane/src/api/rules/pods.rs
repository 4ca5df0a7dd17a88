//! The rules of pods and of their templates.

use serde_json::{Value, json};

use super::checks::{self, at, list, text};
use super::{app_armor, label_keys, names, pod_annotations, pod_spec, pod_updates};
use crate::failure::Cause;
use crate::object;
use crate::schema::in_billionths;

pub(super) fn before_create(object: &mut Value) -> Vec<Cause> {
    let quality = match text(&object["status"], "qosClass") {
        "" => quality(object).to_owned(),
        said => said.to_owned(),
    };
    let mut status = json!({"phase": "Pending", "qosClass": quality});
    if !list(&object["spec"], "schedulingGates").is_empty() {
        status["conditions"] = json!([{
            "type": "PodScheduled", "status": "False", "lastProbeTime": null, "lastTransitionTime": object::now(),
            "reason": "SchedulingGated", "message": "Scheduling is blocked due to non-empty scheduling gates",
        }]);
    }
    object::as_map(object).insert("status".to_owned(), status);
    label_keys::select(object);
    app_armor::take_over(object);
    let spec = &object["spec"];
    let mut wrong = check_spec(spec);
    wrong.extend(pod_annotations::check(object, pod_annotations::PATH));
    wrong.extend(app_armor::check_annotations(object));
    if !list(spec, "ephemeralContainers").is_empty() {
        let why = "cannot be set on create";
        wrong.push(Cause::forbidden("spec.ephemeralContainers", why));
    }
    if !text(spec, "nodeName").is_empty() && !list(spec, "schedulingGates").is_empty() {
        let why = "cannot be set until all schedulingGates have been cleared";
        wrong.push(Cause::forbidden("spec.nodeName", why));
    }
    wrong
}

/// Little of a pod may change.
pub(super) fn before_update(old: &Value, new: &Value) -> Vec<Cause> {
    let mut wrong = pod_annotations::check_again(old, new);
    wrong.extend(check_spec(&new["spec"]));
    wrong.extend(pod_annotations::check_update(old, new));
    wrong.extend(pod_updates::check(old, new));
    wrong
}

/// What is wrong with a template of pods.
pub(super) fn check_template(template: &Value, path: &str) -> Vec<Cause> {
    check_template_with(template, path, &[])
}

/// The same where there are more volumes to be mounted than it says itself: those that come of claims.
pub(super) fn check_template_with(template: &Value, path: &str, claims: &[Value]) -> Vec<Cause> {
    let mut wrong = check_template_metadata(template, path);
    let spec = &template["spec"];
    wrong.extend(pod_spec::check(
        spec,
        &format!("{path}.spec"),
        claims,
        false,
    ));
    if !list(spec, "ephemeralContainers").is_empty() {
        let path = format!("{path}.spec.ephemeralContainers");
        let why = "ephemeral containers not allowed in pod template";
        wrong.push(Cause::forbidden(&path, why));
    }
    wrong
}

/// What is wrong with the labels and annotations that pods are to have.
pub(super) fn check_template_metadata(template: &Value, path: &str) -> Vec<Cause> {
    let labels = at(template, "/metadata/labels");
    let annotations = at(template, "/metadata/annotations");
    let path = |field: &str| format!("{path}.{field}");
    let mut wrong = checks::labels(labels, &path("labels"));
    wrong.extend(names::annotations(annotations, &path("annotations")));
    wrong.extend(pod_annotations::check(template, &path("annotations")));
    wrong
}

/// What is wrong with the spec of a pod.
pub(super) fn check_spec(spec: &Value) -> Vec<Cause> {
    let mut wrong = pod_spec::check(spec, "spec", &[], true);
    if text(spec, "serviceAccountName").is_empty() {
        for (volume, value) in list(spec, "volumes").iter().enumerate() {
            for (index, source) in list(&value["projected"], "sources").iter().enumerate() {
                if !source["serviceAccountToken"].is_null() {
                    let path = format!(
                        "spec.volumes[{volume}].projected.sources[{index}].serviceAccountToken"
                    );
                    let why = "must not be specified when serviceAccountName is not set";
                    wrong.push(Cause::forbidden(&path, why));
                }
            }
        }
    }
    for containers in ["containers", "initContainers"] {
        for (index, container) in list(spec, containers).iter().enumerate() {
            wrong.extend(check_image(
                container,
                &format!("spec.{containers}[{index}]"),
            ));
        }
    }
    wrong
}

/// What is said of an image in a pod, and not in a template.
pub(super) fn check_image(container: &Value, path: &str) -> Option<Cause> {
    let image = text(container, "image");
    let why = "must not have leading or trailing whitespace";
    (image.trim() != image).then(|| Cause::invalid(&format!("{path}.image"), &image.into(), why))
}

/// How sure a pod can be of its resources: those that it names itself, or else those of its containers.
pub(crate) fn quality(pod: &Value) -> &'static str {
    let spec = &pod["spec"];
    let asking: Vec<&Value> = match spec["resources"].is_null() {
        true => ["initContainers", "containers"]
            .iter()
            .flat_map(|list| checks::list(spec, list))
            .collect(),
        false => vec![spec],
    };
    let mut guaranteed = true;
    let mut any = false;
    for one in asking {
        let of = |kind: &str, name: &str| {
            let amount = one["resources"][kind][name].as_str();
            amount.filter(|amount| in_billionths(amount) != Some(0))
        };
        for name in ["cpu", "memory"] {
            any |= of("requests", name).is_some() || of("limits", name).is_some();
            guaranteed &=
                of("limits", name).is_some() && of("requests", name) == of("limits", name);
        }
    }
    match (any, guaranteed) {
        (false, _) => "BestEffort",
        (true, true) => "Guaranteed",
        (true, false) => "Burstable",
    }
}
