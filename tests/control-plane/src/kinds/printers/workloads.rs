//! Pods, and what makes them.

use serde_json::Value;

use super::super::Column;
use super::super::columns::human_duration;
use super::super::scale::in_one_line;
use super::{age, at, integer, labels, list, number, or_none, text, text_column};

/// The columns behind the name; none for a kind that is no workload.
pub(super) fn columns(kind: &str) -> Option<Vec<Column>> {
    Some(match kind {
        "Pod" => super::pods::columns(),
        "PodTemplate" => vec![
            text_column("Containers", 0, |object| names(object, "/template/spec")),
            text_column("Images", 0, |object| images(object, "/template/spec")),
            text_column("Pod Labels", 0, |object| {
                labels(object.pointer("/template/metadata/labels"))
            }),
        ],
        "Deployment" => with_template(vec![
            text_column("Ready", 0, ready),
            text_column("Up-to-date", 0, |object| {
                number(object, "/status/updatedReplicas")
            }),
            text_column("Available", 0, |object| {
                number(object, "/status/availableReplicas")
            }),
            text_column("Age", 0, age),
        ]),
        "StatefulSet" => {
            let mut columns = with_template(vec![
                text_column("Ready", 0, ready),
                text_column("Age", 0, age),
            ]);
            columns.pop();
            columns
        }
        "DaemonSet" => with_template(vec![
            integer("Desired", |object| {
                number(object, "/status/desiredNumberScheduled")
            }),
            integer("Current", |object| {
                number(object, "/status/currentNumberScheduled")
            }),
            integer("Ready", |object| number(object, "/status/numberReady")),
            integer("Up-to-date", |object| {
                number(object, "/status/updatedNumberScheduled")
            }),
            integer("Available", |object| {
                number(object, "/status/numberAvailable")
            }),
            text_column("Node Selector", 0, |object| {
                labels(object.pointer("/spec/template/spec/nodeSelector"))
            }),
            text_column("Age", 0, age),
        ]),
        "ReplicaSet" | "ReplicationController" => with_template(vec![
            integer("Desired", |object| number(object, "/spec/replicas")),
            integer("Current", |object| number(object, "/status/replicas")),
            integer("Ready", |object| number(object, "/status/readyReplicas")),
            text_column("Age", 0, age),
        ]),
        "ControllerRevision" => vec![
            text_column("Controller", 0, controller),
            text_column("Revision", 0, |object| at(object, "/revision")),
            text_column("Age", 0, age),
        ],
        "Job" => with_template(vec![
            text_column("Status", 0, job_status),
            text_column("Completions", 0, completions),
            text_column("Duration", 0, duration),
            text_column("Age", 0, age),
        ]),
        "CronJob" => vec![
            text_column("Schedule", 0, |object| at(object, "/spec/schedule")),
            text_column("Timezone", 0, |object| {
                or_none(at(object, "/spec/timeZone"))
            }),
            Column {
                kind: "boolean".to_owned(),
                ..text_column("Suspend", 0, |object| capital(object, "/spec/suspend"))
            },
            integer("Active", |object| {
                list(object, "/status/active").count().into()
            }),
            text_column("Last Schedule", 0, |object| {
                match object.pointer("/status/lastScheduleTime") {
                    Some(time) => super::age_of(time.as_str()),
                    None => "<none>".into(),
                }
            }),
            text_column("Age", 0, age),
            text_column("Containers", 1, |object| {
                names(object, "/spec/jobTemplate/spec/template/spec")
            }),
            text_column("Images", 1, |object| {
                images(object, "/spec/jobTemplate/spec/template/spec")
            }),
            text_column("Selector", 1, |object| {
                labels(object.pointer("/spec/jobTemplate/spec/selector/matchLabels"))
            }),
        ],
        _ => return None,
    })
}

/// The columns of `-o wide` that say what the template is.
fn with_template(mut columns: Vec<Column>) -> Vec<Column> {
    columns.extend([
        text_column("Containers", 1, |object| {
            names(object, "/spec/template/spec")
        }),
        text_column("Images", 1, |object| images(object, "/spec/template/spec")),
        text_column("Selector", 1, |object| {
            let selector = object.pointer("/spec/selector");
            match selector {
                selector if object["kind"] == "ReplicationController" => labels(selector),
                // As a bookmark has it.
                None | Some(Value::Null) => "".into(),
                selector => or_none(in_one_line(selector).into()),
            }
        }),
    ]);
    columns
}

fn ready(object: &Value) -> Value {
    let ready = number(object, "/status/readyReplicas");
    format!("{ready}/{}", number(object, "/spec/replicas")).into()
}

fn each_container(object: &Value, spec: &str, field: &str) -> Value {
    let said: Vec<&str> = list(object, &format!("{spec}/containers"))
        .filter_map(|container| container.get(field)?.as_str())
        .collect();
    said.join(",").into()
}

fn names(object: &Value, spec: &str) -> Value {
    each_container(object, spec, "name")
}

fn images(object: &Value, spec: &str) -> Value {
    each_container(object, spec, "image")
}

fn controller(object: &Value) -> Value {
    let owner = list(object, "/metadata/ownerReferences").find(|owner| owner["controller"] == true);
    match owner {
        Some(owner) => {
            let group = text(owner, "/apiVersion")
                .split_once('/')
                .map_or(String::new(), |(group, _)| format!(".{group}"));
            format!(
                "{}{group}/{}",
                text(owner, "/kind").to_lowercase(),
                text(owner, "/name")
            )
            .into()
        }
        None => "<none>".into(),
    }
}

fn job_status(job: &Value) -> Value {
    let is = |kind: &str| {
        list(job, "/status/conditions")
            .any(|condition| condition["type"] == kind && condition["status"] == "True")
    };
    let status = if is("Complete") {
        "Complete"
    } else if is("Failed") {
        "Failed"
    } else if job.pointer("/metadata/deletionTimestamp").is_some() {
        "Terminating"
    } else if is("Suspended") {
        "Suspended"
    } else if is("FailureTarget") {
        "FailureTarget"
    } else if is("SuccessCriteriaMet") {
        "SuccessCriteriaMet"
    } else {
        "Running"
    };
    status.into()
}

/// How long it has taken, or takes already.
fn duration(job: &Value) -> Value {
    let time = |field: &str| job.pointer(field).and_then(Value::as_str);
    let parse = |time: &str| time.parse::<jiff::Timestamp>().ok();
    match (time("/status/startTime"), time("/status/completionTime")) {
        (None, _) => "".into(),
        (start, None) => super::age_of(start),
        (Some(start), Some(end)) => match (parse(start), parse(end)) {
            (Some(start), Some(end)) => human_duration(end.as_second() - start.as_second()).into(),
            _ => "".into(),
        },
    }
}

fn completions(job: &Value) -> Value {
    let done = number(job, "/status/succeeded");
    match job.pointer("/spec/completions") {
        Some(wanted) => format!("{done}/{wanted}"),
        None => match number(job, "/spec/parallelism").as_i64() {
            Some(parallel) if parallel > 1 => format!("{done}/1 of {parallel}"),
            _ => format!("{done}/1"),
        },
    }
    .into()
}

/// A bool, as Go's templates print it.
fn capital(object: &Value, pointer: &str) -> Value {
    if object.pointer(pointer) == Some(&Value::Bool(true)) {
        "True"
    } else {
        "False"
    }
    .into()
}
