//! What the API server prints of pods, of what makes them, and of what limits and scales them.

use serde_json::Value;

use super::Column;
use super::printers::{age, at, list, or_none, text};
use super::scale::in_one_line;
use crate::object;

/// The columns after the name; nothing for another kind.
pub(super) fn columns(kind: &str) -> Option<Vec<Column>> {
    let column = Column::printed;
    let age_column = || column("Age", 0, age);
    let mut columns = match kind {
        "Pod" => return Some(pod()),
        "Deployment" => vec![
            column("Ready", 0, ready_replicas),
            number("Up-to-date", |object| {
                count(object, "/status/updatedReplicas")
            }),
            number("Available", |object| {
                count(object, "/status/availableReplicas")
            }),
        ],
        "ReplicaSet" => vec![
            number("Desired", |object| count(object, "/spec/replicas")),
            number("Current", |object| count(object, "/status/replicas")),
            number("Ready", |object| count(object, "/status/readyReplicas")),
        ],
        "StatefulSet" => vec![column("Ready", 0, ready_replicas)],
        "DaemonSet" => vec![
            number("Desired", |object| {
                count(object, "/status/desiredNumberScheduled")
            }),
            number("Current", |object| {
                count(object, "/status/currentNumberScheduled")
            }),
            number("Ready", |object| count(object, "/status/numberReady")),
            number("Up-to-date", |object| {
                count(object, "/status/updatedNumberScheduled")
            }),
            number("Available", |object| {
                count(object, "/status/numberAvailable")
            }),
            column("Node Selector", 0, |object| {
                labels(object, "/spec/template/spec/nodeSelector")
            }),
        ],
        "Job" => vec![
            column("Status", 0, job_status),
            column("Completions", 0, completions),
            column("Duration", 0, |_| "".into()),
        ],
        "CronJob" => vec![
            column("Schedule", 0, |object| at(object, "/spec/schedule")),
            column("Timezone", 0, |object| {
                or_none(at(object, "/spec/timeZone"))
            }),
            column("Suspend", 0, |object| {
                let suspended = object.pointer("/spec/suspend") == Some(&Value::Bool(true));
                if suspended { "True" } else { "False" }.into()
            }),
            number("Active", |object| {
                list(object, "/status/active").count().into()
            }),
            column("Last Schedule", 0, |_| "<none>".into()),
        ],
        "HorizontalPodAutoscaler" => vec![
            column("Reference", 0, |object| {
                let (kind, name) = ("/spec/scaleTargetRef/kind", "/spec/scaleTargetRef/name");
                format!("{}/{}", text(object, kind), text(object, name)).into()
            }),
            column("Targets", 0, targets),
            column("MinPods", 0, |object| {
                match at(object, "/spec/minReplicas") {
                    Value::Number(number) => number.to_string().into(),
                    _ => "<unset>".into(),
                }
            }),
            number("MaxPods", |object| count(object, "/spec/maxReplicas")),
            number("Replicas", |object| {
                count(object, "/status/currentReplicas")
            }),
        ],
        "ResourceQuota" => vec![
            column("Request", 0, |object| {
                hard(object, |name| !name.starts_with("limits."))
            }),
            column("Limit", 0, |object| {
                hard(object, |name| name.starts_with("limits."))
            }),
        ],
        _ => return None,
    };
    columns.push(age_column());
    if !matches!(kind, "HorizontalPodAutoscaler" | "ResourceQuota") {
        columns.push(column("Containers", 1, |object| {
            containers(object, "/name")
        }));
        columns.push(column("Images", 1, |object| containers(object, "/image")));
        if kind != "StatefulSet" {
            columns.push(column("Selector", 1, |object| {
                or_none(in_one_line(object.pointer("/spec/selector")).into())
            }));
        }
    }
    Some(columns)
}

/// The columns of a Scale.
pub(crate) fn scale_columns() -> Vec<Column> {
    vec![
        Column::named(),
        number("Desired", |object| count(object, "/spec/replicas")),
        number("Available", |object| count(object, "/status/replicas")),
        Column::printed("Age", 0, age),
    ]
}

/// Nothing runs a pod here; what its status says is what somebody wrote.
fn pod() -> Vec<Column> {
    let column = Column::printed;
    vec![
        column("Ready", 0, |object| {
            let ready = |status: &&Value| status.get("ready") == Some(&Value::Bool(true));
            let count = list(object, "/status/containerStatuses")
                .filter(ready)
                .count();
            let all = list(object, "/spec/containers").count();
            format!("{count}/{all}").into()
        }),
        column("Status", 0, |object| {
            if object::is_deleting(object) {
                return "Terminating".into();
            }
            match text(object, "/status/reason") {
                "" => at(object, "/status/phase"),
                reason => reason.into(),
            }
        }),
        column("Restarts", 0, |object| {
            let counts = list(object, "/status/containerStatuses")
                .filter_map(|status| status.get("restartCount")?.as_i64());
            counts.sum::<i64>().to_string().into()
        }),
        column("Age", 0, age),
        column("IP", 1, |object| or_none(at(object, "/status/podIP"))),
        column("Node", 1, |object| or_none(at(object, "/spec/nodeName"))),
        column("Nominated Node", 1, |object| {
            or_none(at(object, "/status/nominatedNodeName"))
        }),
        column("Readiness Gates", 1, |object| {
            let gates = list(object, "/spec/readinessGates").count();
            let is_true = |gate: &&Value| {
                let kind = gate.get("conditionType");
                list(object, "/status/conditions").any(|condition| {
                    condition.get("type") == kind && text(condition, "/status") == "True"
                })
            };
            let fulfilled = list(object, "/spec/readinessGates").filter(is_true).count();
            match gates {
                0 => "<none>".into(),
                gates => format!("{fulfilled}/{gates}").into(),
            }
        }),
    ]
}

fn number(name: &str, cell: fn(&Value) -> Value) -> Column {
    Column {
        kind: "integer".to_owned(),
        ..Column::printed(name, 0, cell)
    }
}

/// A number that is 0 when nobody has written it.
fn count(object: &Value, pointer: &str) -> Value {
    object.pointer(pointer).cloned().unwrap_or_else(|| 0.into())
}

fn ready_replicas(object: &Value) -> Value {
    let ready = count(object, "/status/readyReplicas");
    format!("{ready}/{}", count(object, "/spec/replicas")).into()
}

fn labels(object: &Value, pointer: &str) -> Value {
    let labels = object.pointer(pointer).and_then(Value::as_object);
    let shown: Vec<String> = labels
        .into_iter()
        .flatten()
        .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()))
        .collect();
    or_none(shown.join(",").into())
}

/// A field of all containers of the template.
fn containers(object: &Value, field: &str) -> Value {
    let places = [
        "/spec/template/spec/containers",
        "/spec/jobTemplate/spec/template/spec/containers",
    ];
    let shown: Vec<&str> = places
        .into_iter()
        .flat_map(|place| list(object, place))
        .map(|container| text(container, field))
        .collect();
    shown.join(",").into()
}

fn job_status(object: &Value) -> Value {
    let is = |kind: &str| {
        list(object, "/status/conditions").any(|condition| {
            text(condition, "/type") == kind && text(condition, "/status") == "True"
        })
    };
    let shown = if is("Complete") {
        "Complete"
    } else if is("Failed") {
        "Failed"
    } else if object::is_deleting(object) {
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
    shown.into()
}

fn completions(object: &Value) -> Value {
    let succeeded = count(object, "/status/succeeded");
    let parallelism = object.pointer("/spec/parallelism").and_then(Value::as_i64);
    match (object.pointer("/spec/completions"), parallelism) {
        (Some(completions), _) => format!("{succeeded}/{completions}").into(),
        (None, Some(parallelism)) if parallelism > 1 => {
            format!("{succeeded}/1 of {parallelism}").into()
        }
        (None, _) => format!("{succeeded}/1").into(),
    }
}

/// What an autoscaler aims at. Nobody measures here.
fn targets(object: &Value) -> Value {
    let shown: Vec<String> = list(object, "/spec/metrics")
        .map(|metric| {
            let name = text(metric, "/resource/name");
            let target = metric.pointer("/resource/target").unwrap_or(&Value::Null);
            let aim = match (
                target.get("averageUtilization"),
                text(target, "/averageValue"),
            ) {
                (Some(percent), _) => format!("{percent}%"),
                (None, "") => "<unknown>".to_owned(),
                (None, value) => value.to_owned(),
            };
            format!("{name}: <unknown>/{aim}")
        })
        .collect();
    or_none(shown.join(", ").into())
}

/// The limits of a quota, as far as somebody has counted what is used.
fn hard(object: &Value, shows: fn(&str) -> bool) -> Value {
    let used = object.pointer("/status/used");
    let limits = object.pointer("/status/hard").and_then(Value::as_object);
    let shown: Vec<String> = limits
        .into_iter()
        .flatten()
        .filter(|(name, _)| shows(name))
        .map(|(name, limit)| {
            let used = used.and_then(|used| used.get(name)).and_then(Value::as_str);
            let (used, limit) = (used.unwrap_or("0"), limit.as_str().unwrap_or_default());
            format!("{name}: {used}/{limit}")
        })
        .collect();
    shown.join(", ").into()
}
