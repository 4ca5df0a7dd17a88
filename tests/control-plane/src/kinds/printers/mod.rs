//! What the API server prints of the built-in kinds.

mod administration;
mod cluster;
mod endpoints;
mod meanings;
mod pods;
mod scalers;
mod services;
mod workloads;

use serde_json::{Map, Value};

use super::Column;
use super::columns::{Cell, human_age};
use super::default_class::{OF_INGRESSES, OF_STORAGE, is_default};
use crate::object;

/// The columns of a built-in kind.
pub(super) fn columns(kind: &str) -> Vec<Column> {
    let column = Column::printed;
    let age_column = || column("Age", 0, age);
    let created = || Column {
        kind: "date".to_owned(),
        ..column("Created At", 0, |object| {
            let time = object::meta(object, "creationTimestamp");
            time.unwrap_or("0001-01-01T00:00:00Z").into()
        })
    };
    let after_name: Vec<Column> = match kind {
        "Event" => return meanings::told(kind, event()),
        "Namespace" => vec![
            column("Status", 0, |object| at(object, "/status/phase")),
            age_column(),
        ],
        "ConfigMap" => vec![column("Data", 0, data), age_column()],
        "Secret" => vec![
            column("Type", 0, |object| at(object, "/type")),
            column("Data", 0, data),
            age_column(),
        ],
        "Service" => vec![
            column("Type", 0, |object| at(object, "/spec/type")),
            column("Cluster-IP", 0, |object| {
                or_none(at(object, "/spec/clusterIP"))
            }),
            column("External-IP", 0, services::external),
            column("Port(s)", 0, services::ports),
            age_column(),
            column("Selector", 1, |object| {
                labels(object.pointer("/spec/selector"))
            }),
        ],
        "Lease" => vec![
            column("Holder", 0, |object| at(object, "/spec/holderIdentity")),
            age_column(),
        ],
        "RoleBinding" | "ClusterRoleBinding" => vec![
            column("Role", 0, role),
            age_column(),
            column("Users", 1, |object| subjects(object, "User")),
            column("Groups", 1, |object| subjects(object, "Group")),
            column("ServiceAccounts", 1, |object| {
                subjects(object, "ServiceAccount")
            }),
        ],
        "EndpointSlice" => vec![
            column("AddressType", 0, |object| at(object, "/addressType")),
            column("Ports", 0, endpoints::ports_of_slice),
            column("Endpoints", 0, endpoints::addresses_of_slice),
            age_column(),
        ],
        "ValidatingWebhookConfiguration" | "MutatingWebhookConfiguration" => vec![
            Column {
                kind: "integer".to_owned(),
                ..column("Webhooks", 0, |object| {
                    list(object, "/webhooks").count().into()
                })
            },
            age_column(),
        ],
        "Role"
        | "ClusterRole"
        | "CustomResourceDefinition"
        | "LimitRange"
        | "CSIStorageCapacity" => vec![created()],
        _ => workloads::columns(kind)
            .or_else(|| cluster::columns(kind))
            .or_else(|| administration::columns(kind))
            .unwrap_or_else(|| vec![age_column()]),
    };
    let mut name = Column::named();
    match kind {
        "StorageClass" => name.cell = Cell::Printed(|class| class_name(class, &OF_STORAGE)),
        "IngressClass" => name.cell = Cell::Printed(|class| class_name(class, &OF_INGRESSES)),
        _ => {}
    }
    let all = std::iter::once(name).chain(after_name);
    meanings::told(kind, all.collect())
}

fn text_column(name: &str, priority: i64, cell: fn(&Value) -> Value) -> Column {
    Column::printed(name, priority, cell)
}

fn integer(name: &str, cell: fn(&Value) -> Value) -> Column {
    Column {
        kind: "integer".to_owned(),
        ..Column::printed(name, 0, cell)
    }
}

/// An event's name says nothing: it comes last.
fn event() -> Vec<Column> {
    let column = Column::printed;
    vec![
        column("Last Seen", 0, last_seen),
        column("Type", 0, |object| at(object, "/type")),
        column("Reason", 0, |object| at(object, "/reason")),
        column("Object", 0, involved),
        column("Subobject", 1, |object| {
            either(object, "/involvedObject/fieldPath", "/regarding/fieldPath")
        }),
        column("Source", 1, source),
        column("Message", 0, |object| {
            let message = either(object, "/message", "/note");
            message.as_str().unwrap_or_default().trim().into()
        }),
        column("First Seen", 1, first_seen),
        column("Count", 1, count),
        Column {
            priority: 1,
            ..Column::named()
        },
    ]
}

fn at(object: &Value, pointer: &str) -> Value {
    object
        .pointer(pointer)
        .cloned()
        .unwrap_or_else(|| "".into())
}

fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

fn list<'a>(object: &'a Value, pointer: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    object
        .pointer(pointer)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

fn or_none(value: Value) -> Value {
    if value == "" { "<none>".into() } else { value }
}

fn either(object: &Value, one: &str, other: &str) -> Value {
    object
        .pointer(one)
        .or_else(|| object.pointer(other))
        .cloned()
        .unwrap_or_else(|| "".into())
}

pub(super) fn age(object: &Value) -> Value {
    age_of(object::meta(object, "creationTimestamp"))
}

fn age_of(time: Option<&str>) -> Value {
    time.and_then(human_age)
        .unwrap_or_else(|| "<unknown>".to_owned())
        .into()
}

fn seen(object: &Value, pointers: &[&str]) -> Value {
    let time = pointers
        .iter()
        .find_map(|pointer| object.pointer(pointer)?.as_str());
    age_of(time)
}

fn last_seen(object: &Value) -> Value {
    seen(
        object,
        &[
            "/series/lastObservedTime",
            "/lastTimestamp",
            "/deprecatedLastTimestamp",
            "/firstTimestamp",
            "/deprecatedFirstTimestamp",
            "/eventTime",
        ],
    )
}

fn first_seen(object: &Value) -> Value {
    seen(
        object,
        &["/firstTimestamp", "/deprecatedFirstTimestamp", "/eventTime"],
    )
}

fn count(object: &Value) -> Value {
    if object["series"].is_object() {
        return object["series"]["count"].as_i64().unwrap_or(0).into();
    }
    let mut counted = ["/count", "/deprecatedCount"]
        .iter()
        .filter_map(|pointer| object.pointer(pointer));
    let counted = counted.find(|count| !count.is_null() && **count != 0);
    counted.cloned().unwrap_or_else(|| 1.into())
}

fn source(object: &Value) -> Value {
    let first = |pointers: &[&str]| {
        let mut said = pointers.iter().map(|pointer| text(object, pointer));
        said.find(|said| !said.is_empty()).unwrap_or_default()
    };
    let component = first(&[
        "/source/component",
        "/deprecatedSource/component",
        "/reportingComponent",
        "/reportingController",
    ]);
    let instance = first(&[
        "/source/host",
        "/deprecatedSource/host",
        "/reportingInstance",
    ]);
    match instance {
        "" => component.into(),
        instance => format!("{component}, {instance}").into(),
    }
}

fn involved(object: &Value) -> Value {
    let about = object
        .get("involvedObject")
        .or_else(|| object.get("regarding"))
        .unwrap_or(&Value::Null);
    let kind = text(about, "/kind").to_lowercase();
    match text(about, "/name") {
        "" => kind.into(),
        name => format!("{kind}/{name}").into(),
    }
}

fn role(object: &Value) -> Value {
    format!(
        "{}/{}",
        text(object, "/roleRef/kind"),
        text(object, "/roleRef/name")
    )
    .into()
}

fn class_name(class: &Value, marks: &[&str]) -> Value {
    let name = object::name(class);
    match is_default(class, marks) {
        true => format!("{name} (default)").into(),
        false => name.into(),
    }
}

fn subjects(object: &Value, kind: &str) -> Value {
    let of_kind = list(object, "/subjects").filter(|subject| text(subject, "/kind") == kind);
    let names: Vec<String> = of_kind
        .map(|subject| match (kind, text(subject, "/name")) {
            ("ServiceAccount", name) => format!("{}/{name}", text(subject, "/namespace")),
            (_, name) => name.to_owned(),
        })
        .collect();
    names.join(", ").into()
}

fn data(object: &Value) -> Value {
    let count = |field| {
        object
            .get(field)
            .and_then(Value::as_object)
            .map_or(0, Map::len)
    };
    (count("data") + count("binaryData")).into()
}

/// The columns of a Scale.
pub(crate) fn scale_columns() -> Vec<Column> {
    let name = Column {
        format: String::new(),
        ..Column::named()
    };
    let columns = vec![
        name,
        integer("Desired", |scale| number(scale, "/spec/replicas")),
        integer("Available", |scale| number(scale, "/status/replicas")),
        text_column("Age", 0, age),
    ];
    meanings::told("Scale", columns)
}

/// The same where it is that of a custom resource.
pub(crate) fn custom_scale_columns() -> Vec<Column> {
    let age = Column {
        kind: "date".to_owned(),
        ..text_column("Age", 0, age)
    };
    let mut columns = meanings::told("Scale", vec![Column::named(), age]);
    let of = |name: &str, description: &'static str, cell: fn(&Value) -> Value| Column {
        description: description.into(),
        ..integer(name, cell)
    };
    let numbers = [
        of("Desired", "Number of desired replicas", |scale| {
            number(scale, "/spec/replicas")
        }),
        of("Available", "Number of actual replicas", |scale| {
            number(scale, "/status/replicas")
        }),
    ];
    columns.splice(1..1, numbers);
    columns
}

fn number(object: &Value, pointer: &str) -> Value {
    object.pointer(pointer).cloned().unwrap_or_else(|| 0.into())
}

/// Labels, or what is selected by them.
fn labels(labels: Option<&Value>) -> Value {
    let shown: Vec<String> = labels
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()))
        .collect();
    or_none(shown.join(",").into())
}

/// The first of many, and how many more there are.
fn shortened(shown: &[String], most: usize, between: &str) -> String {
    match shown.split_at_checked(most) {
        Some((first, more)) if !more.is_empty() => {
            format!("{} + {} more...", first.join(between), more.len())
        }
        _ => shown.join(between),
    }
}

fn join(object: &Value, pointer: &str, field: &str, nothing: &str) -> Value {
    let shown: Vec<String> = list(object, pointer)
        .filter_map(|item| item.pointer(field))
        .map(|value| {
            value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned)
        })
        .collect();
    if shown.is_empty() {
        nothing.into()
    } else {
        shown.join(",").into()
    }
}
