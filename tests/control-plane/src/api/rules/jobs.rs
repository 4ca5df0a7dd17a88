//! The rules of Jobs and CronJobs.

use serde_json::{Value, json};

use super::super::selector;
use super::super::target::Target;
use super::checks::{
    self, at, invalid_selector, list, not_negative, number, one_of, one_of_if_there, text,
};
use super::fixed::{IMMUTABLE, invalid_struct, same};
use super::{job_indexes, job_managers, job_policies, names, pods, schedules};
use crate::failure::Cause;
use crate::object;
use crate::structs::internal;

const NOT_INDEXED: &str = "requires indexed completion mode";
const MISMATCH: &str = "`selector` does not match template `labels`";

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
    // What was selected besides is refused later.
    let selector = object::as_map(spec.entry("selector").or_insert(Value::Null));
    let selected = object::as_map(selector.entry("matchLabels").or_insert(Value::Null));
    selected
        .entry("batch.kubernetes.io/controller-uid")
        .or_insert(uid.clone().into());
    let template = object::as_map(spec.entry("template").or_insert(Value::Null));
    let metadata = object::as_map(template.entry("metadata").or_insert(Value::Null));
    let of_pods = object::as_map(metadata.entry("labels").or_insert(Value::Null));
    for (label, value) in labels {
        of_pods.entry(label).or_insert(value.clone().into());
    }
}

/// A Job or a replication controller that has no labels has those of its pods, all of them: in Go they are one map.
pub(crate) fn share_labels(target: &Target, object: &mut Value) {
    let resource = &target.resource;
    let shares = resource.is("batch", "jobs") || resource.is("", "replicationcontrollers");
    let labels = at(object, "/spec/template/metadata/labels").clone();
    if shares && labels.is_object() {
        object::metadata_mut(object).insert("labels".to_owned(), labels);
    }
}

pub(super) fn check(job: &Value) -> Vec<Cause> {
    let mut wrong = check_own_pods(job);
    wrong.extend(check_selecting(&job["spec"]));
    wrong
}

/// What is wrong with a spec and the pods that it selects.
fn check_selecting(spec: &Value) -> Vec<Cause> {
    let mut wrong = check_spec(spec, "spec");
    let selected = &spec["selector"];
    if selected.is_null() {
        wrong.push(Cause::required("spec.selector", ""));
    }
    let unfit = checks::selector(selected, "spec.selector");
    if unfit.is_empty()
        && !selector::selects(
            Some(selected).filter(|selected| !selected.is_null()),
            &spec["template"],
        )
    {
        let labels = at(spec, "/template/metadata/labels");
        wrong.push(Cause::invalid(
            "spec.template.metadata.labels",
            labels,
            MISMATCH,
        ));
    }
    wrong.extend(unfit);
    wrong
}

/// The pods of an Indexed Job are called by it and their index.
pub(super) fn check_names_of_pods(job: &Value) -> Option<Cause> {
    let spec = &job["spec"];
    let completions = number(spec, "completions").filter(|number| *number > 0)?;
    let name = object::name(job);
    let last = format!("{name}-{}", completions - 1);
    let is_unfit = spec["completionMode"] == "Indexed" && names::label(&last).is_some();
    is_unfit.then(|| {
        let why = format!("will not able to create pod with invalid DNS label: {last}");
        Cause::invalid("metadata.name", &name.into(), &why)
    })
}

/// What was made for the Job alone is still there.
fn check_own_pods(job: &Value) -> Vec<Cause> {
    let spec = &job["spec"];
    if spec["manualSelector"] == true || spec["selector"].is_null() {
        return Vec::new();
    }
    let mut wrong = Vec::new();
    let own = [
        ("controller-uid", object::uid(job)),
        ("job-name", object::name(job)),
        ("batch.kubernetes.io/controller-uid", object::uid(job)),
        ("batch.kubernetes.io/job-name", object::name(job)),
    ];
    let labels = at(spec, "/template/metadata/labels");
    let path = "spec.template.metadata.labels";
    for (key, wanted) in own {
        match labels.get(key).and_then(Value::as_str) {
            None => {
                let why = format!("must be '{wanted}'");
                wrong.push(Cause::required(&format!("{path}[{key}]"), &why));
            }
            Some(other) if other != wanted => {
                let why = format!("must be '{wanted}'");
                wrong.push(Cause::invalid(&format!("{path}[{key}]"), labels, &why));
            }
            Some(_) => {}
        }
    }
    let own: serde_json::Map<String, Value> = own
        .map(|(key, value)| (key.to_owned(), value.into()))
        .into_iter()
        .collect();
    let is_sound = checks::selector(&spec["selector"], "").is_empty();
    if is_sound
        && !selector::selects(
            Some(&spec["selector"]),
            &json!({"metadata": {"labels": own}}),
        )
    {
        let why = "`selector` not auto-generated";
        wrong.push(invalid_selector("spec.selector", &spec["selector"], why));
    }
    wrong
}

/// What a Job and the template of a CronJob have in common.
fn check_spec(spec: &Value, path: &str) -> Vec<Cause> {
    let at = |field: &str| format!("{path}.{field}");
    let mut wrong = not_negative(
        spec,
        path,
        &[
            "parallelism",
            "completions",
            "activeDeadlineSeconds",
            "backoffLimit",
            "ttlSecondsAfterFinished",
            "backoffLimitPerIndex",
            "maxFailedIndexes",
        ],
    );
    let per_index = number(spec, "backoffLimitPerIndex");
    let most_failed = number(spec, "maxFailedIndexes");
    if most_failed.is_some() && per_index.is_none() {
        let why = "when maxFailedIndexes is specified";
        wrong.push(Cause::required(&at("backoffLimitPerIndex"), why));
    }
    if let Some(manager) = spec["managedBy"].as_str() {
        wrong.extend(job_managers::check(manager, &at("managedBy")));
    }
    let mode = text(spec, "completionMode");
    wrong.extend(one_of_if_there(
        spec,
        "completionMode",
        path,
        &["NonIndexed", "Indexed"],
    ));
    if mode == "Indexed" {
        wrong.extend(job_indexes::check(spec, path));
    } else if mode == "NonIndexed" || spec["completionMode"].is_null() {
        for (field, value) in [
            ("backoffLimitPerIndex", per_index),
            ("maxFailedIndexes", most_failed),
        ] {
            let value = value.map(|value| Cause::invalid(&at(field), &value.into(), NOT_INDEXED));
            wrong.extend(value);
        }
    }
    let failure_policy = spec["podFailurePolicy"].is_object();
    if failure_policy {
        wrong.extend(job_policies::check_failure(spec, path));
    }
    if spec["successPolicy"].is_object() {
        match mode {
            "Indexed" => wrong.extend(job_policies::check_success(spec, path)),
            _ => wrong.push(invalid_struct(
                &at("successPolicy"),
                "batch.SuccessPolicy",
                &spec["successPolicy"],
                NOT_INDEXED,
            )),
        }
    }
    let replaced: &[&str] = match failure_policy {
        true => &["Failed"],
        false => &["Failed", "TerminatingOrFailed"],
    };
    wrong.extend(one_of_if_there(
        spec,
        "podReplacementPolicy",
        path,
        replaced,
    ));
    wrong.extend(pods::check_template(&spec["template"], &at("template")));
    let policy = at("template.spec.restartPolicy");
    match text(&spec["template"]["spec"], "restartPolicy") {
        "Always" | "" => {
            let why = r#"valid values: "OnFailure", "Never""#;
            wrong.push(Cause::required(&policy, why));
        }
        "OnFailure" if failure_policy => {
            let why = r#"only "Never" is supported when podFailurePolicy is specified"#;
            wrong.push(Cause::invalid(&policy, &"OnFailure".into(), why));
        }
        said => wrong.extend(one_of(said, &policy, &["OnFailure", "Never"])),
    }
    wrong
}

/// What may not change of a Job.
pub(super) fn check_update(old: &Value, new: &Value) -> Vec<Cause> {
    let (was, is) = (&old["spec"], &new["spec"]);
    // A real server looks once more at all of it.
    let mut wrong = check_selecting(is);
    let changed = |field: &str| {
        // A policy is none where it is not said, also to one that says nothing.
        is[field].is_object() != was[field].is_object() || !same(&was[field], &is[field])
    };
    let plain = |field: &str| Cause::invalid(&format!("spec.{field}"), &is[field], IMMUTABLE);
    if text(is, "completionMode") != "Indexed" {
        wrong.extend(changed("completions").then(|| plain("completions")));
    } else if changed("completions")
        && !is["completions"].is_null()
        && is["completions"] != is["parallelism"]
    {
        let why = "can only be modified in tandem with spec.parallelism";
        wrong.push(Cause::invalid("spec.completions", &is["completions"], why));
    }
    let selector = || invalid_selector("spec.selector", &is["selector"], IMMUTABLE);
    wrong.extend(changed("selector").then(selector));
    wrong.extend(changed_template(old, new));
    let structs = [
        ("podFailurePolicy", "batch.PodFailurePolicy"),
        ("successPolicy", "batch.SuccessPolicy"),
    ];
    for field in [
        "completionMode",
        "podFailurePolicy",
        "backoffLimitPerIndex",
        "managedBy",
        "successPolicy",
    ] {
        let of = structs.iter().find(|(policy, _)| *policy == field);
        wrong.extend(changed(field).then(|| match of {
            Some((_, of)) if is[field].is_object() => {
                invalid_struct(&format!("spec.{field}"), of, &is[field], IMMUTABLE)
            }
            _ => plain(field),
        }));
    }
    wrong
}

/// While a Job is suspended and nothing of it runs, it may still be said where its pods go and what they get.
fn changed_template(old: &Value, new: &Value) -> Option<Cause> {
    let suspended = old["spec"]["suspend"] == true;
    let has_been_suspended = list(&old["status"], "conditions")
        .iter()
        .any(|condition| condition["type"] == "Suspended" && condition["status"] == "True");
    let idle = number(&old["status"], "active").unwrap_or(0) == 0;
    let not_started = old["status"]["startTime"].is_null();
    let may_move = suspended && idle && (not_started || has_been_suspended);
    let mut was = old["spec"]["template"].clone();
    let is = &new["spec"]["template"];
    if may_move {
        take_over_places(&mut was, is);
        take_over_resources(&mut was["spec"], &is["spec"]);
    }
    match may_move {
        true if !internal::same("core.PodSpec", &was["spec"], &is["spec"]) => Some(invalid_struct(
            "spec.template.spec",
            "core.PodSpec",
            &is["spec"],
            IMMUTABLE,
        )),
        false if !internal::same("core.PodTemplateSpec", &was, is) => Some(invalid_struct(
            "spec.template",
            "core.PodTemplateSpec",
            is,
            IMMUTABLE,
        )),
        _ => None,
    }
}

fn take_over(was: &mut Value, is: &Value, fields: &[&str]) {
    let was = object::as_map(was);
    for field in fields {
        was.insert((*field).to_owned(), is[*field].clone());
    }
}

fn take_over_places(was: &mut Value, is: &Value) {
    take_over(
        &mut was["metadata"],
        &is["metadata"],
        &["labels", "annotations"],
    );
    let spec = &mut was["spec"];
    take_over(
        spec,
        &is["spec"],
        &["nodeSelector", "tolerations", "schedulingGates"],
    );
    if !spec["affinity"].is_null() || !is["spec"]["affinity"].is_null() {
        take_over(
            &mut spec["affinity"],
            &is["spec"]["affinity"],
            &["nodeAffinity"],
        );
    }
}

fn take_over_resources(was: &mut Value, is: &Value) {
    for containers in ["containers", "initContainers"] {
        let Some(was) = was[containers].as_array_mut() else {
            continue;
        };
        let is = list(is, containers);
        if was.len() != is.len() {
            continue;
        }
        for (was, is) in was.iter_mut().zip(is) {
            if was["name"] == is["name"] {
                take_over(was, is, &["resources"]);
            }
        }
    }
}

pub(super) fn check_cron_job(old: Option<&Value>, object: &Value) -> Vec<Cause> {
    let spec = &object["spec"];
    let old_schedule = old.map(|old| text(&old["spec"], "schedule"));
    let mut wrong = schedules::check(text(spec, "schedule"), old_schedule);
    wrong.extend(not_negative(spec, "spec", &["startingDeadlineSeconds"]));
    if old.is_none_or(|old| old["spec"]["timeZone"] != spec["timeZone"]) {
        wrong.extend(schedules::check_zone(&spec["timeZone"]));
    }
    let policy = text(spec, "concurrencyPolicy");
    wrong.extend(one_of(
        policy,
        "spec.concurrencyPolicy",
        &["Allow", "Forbid", "Replace"],
    ));
    let job = &spec["jobTemplate"]["spec"];
    wrong.extend(check_spec(job, "spec.jobTemplate.spec"));
    if !job["selector"].is_null() {
        let why = "`selector` will be auto-generated";
        wrong.push(invalid_selector(
            "spec.jobTemplate.spec.selector",
            &job["selector"],
            why,
        ));
    }
    if job["manualSelector"] == true {
        let path = "spec.jobTemplate.spec.manualSelector";
        wrong.push(Cause::unsupported(path, &true.into(), r#""nil", "false""#));
    }
    let history = ["successfulJobsHistoryLimit", "failedJobsHistoryLimit"];
    wrong.extend(not_negative(spec, "spec", &history));
    let name = object::name(object);
    if old.is_none() && name.len() > 52 {
        let why = "must be no more than 52 characters";
        wrong.push(Cause::invalid("metadata.name", &name.into(), why));
    }
    wrong
}
