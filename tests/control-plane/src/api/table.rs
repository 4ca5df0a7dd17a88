//! Tables, which `kubectl get` prints.

use serde_json::{Value, json};

use super::Asked;
use super::target::Target;
use super::view::{self, MetaVersion};
use crate::kinds::Column;
use crate::object;

/// What each row carries besides its cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Include {
    Nothing,
    Metadata,
    Object,
}

impl Include {
    /// Whether it is the name of one.
    pub(crate) fn is(name: &str) -> bool {
        ["None", "Metadata", "Object"].contains(&name)
    }

    pub(crate) fn of(asked: &Asked) -> Self {
        match asked.query.get("includeObject") {
            Some("None") => Self::Nothing,
            Some("Object") => Self::Object,
            _ => Self::Metadata,
        }
    }
}

/// What a kube-apiserver prints one by one, and no list as a whole: none of them are no rows at all.
const NO_LISTS: [(&str, &str); 5] = [
    ("", "limitranges"),
    ("rbac.authorization.k8s.io", "clusterroles"),
    ("rbac.authorization.k8s.io", "roles"),
    ("storage.k8s.io", "csistoragecapacities"),
    ("apiextensions.k8s.io", "customresourcedefinitions"),
];

/// The objects as rows.
pub(crate) fn table(
    target: &Target,
    objects: &[&Value],
    include: Include,
    version: MetaVersion,
    metadata: Value,
) -> Value {
    let columns = &target.version().columns;
    let mut objects = objects.to_vec();
    if target
        .resource
        .is("flowcontrol.apiserver.k8s.io", "flowschemas")
    {
        // In the order in which they are asked; their names are in order already.
        objects.sort_by_key(|schema| schema["spec"]["matchingPrecedence"].as_i64());
    }
    let is_pods = target.resource.is("", "pods");
    let rows = objects.iter().map(|object| {
        let mut row = row(columns, object, carried(target, object, include, version));
        if let Some(condition) = completed(object).filter(|_| is_pods) {
            row["conditions"] = json!([condition]);
        }
        row
    });
    let rows = match objects.is_empty()
        && NO_LISTS
            .iter()
            .any(|(group, plural)| target.resource.is(group, plural))
    {
        true => Value::Null,
        false => rows.collect(),
    };
    whole(columns, rows, version, metadata)
}

/// An object of no resource as the only row.
pub(crate) fn of_one(
    columns: &[Column],
    object: &Value,
    include: Include,
    version: MetaVersion,
) -> Value {
    let carried = match include {
        Include::Nothing => Value::Null,
        Include::Metadata => view::metadata(object, version),
        Include::Object => object.clone(),
    };
    let row = row(columns, object, carried);
    whole(columns, json!([row]), version, metadata_of(object))
}

/// The metadata of a Table that is one object, which has no version if it was only tried.
pub(crate) fn metadata_of(object: &Value) -> Value {
    match object::meta(object, "resourceVersion") {
        Some(revision) => json!({"resourceVersion": revision}),
        None => json!({}),
    }
}

fn whole(columns: &[Column], rows: Value, version: MetaVersion, metadata: Value) -> Value {
    json!({
        "kind": "Table", "apiVersion": version.api_version(), "metadata": metadata,
        "columnDefinitions": definitions(columns), "rows": rows,
    })
}

fn definitions(columns: &[Column]) -> Value {
    let told = columns.iter().filter(|column| !column.name.is_empty());
    let columns = told.map(|column| {
        json!({
            "name": column.name, "type": column.kind, "format": column.format,
            "description": column.description, "priority": column.priority,
        })
    });
    columns.collect()
}

fn row(columns: &[Column], object: &Value, carried: Value) -> Value {
    let cells: Vec<Value> = columns.iter().map(|column| column.cell(object)).collect();
    json!({"cells": cells, "object": carried})
}

/// What the row of a pod says that will not run any more.
fn completed(pod: &Value) -> Option<Value> {
    let phase = pod["status"]["phase"].as_str().unwrap_or_default();
    let message = match phase {
        "Succeeded" => "The pod has completed successfully.",
        "Failed" => "The pod failed.",
        _ => return None,
    };
    Some(json!({"type": "Completed", "status": "True", "reason": phase, "message": message}))
}

fn carried(target: &Target, object: &Value, include: Include, version: MetaVersion) -> Value {
    match include {
        Include::Nothing => Value::Null,
        Include::Metadata => view::metadata(object, version),
        Include::Object => view::present(target, object).into_owned(),
    }
}
