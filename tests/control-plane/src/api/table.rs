//! Tables, which `kubectl get` prints.

use serde_json::{Value, json};

use super::Asked;
use super::target::Target;
use super::view;

/// What each row carries besides its cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Include {
    Nothing,
    Metadata,
    Object,
}

impl Include {
    pub(crate) fn of(asked: &Asked) -> Self {
        match asked.query.get("includeObject") {
            Some("None") => Self::Nothing,
            Some("Object") => Self::Object,
            _ => Self::Metadata,
        }
    }
}

/// The objects as rows.
pub(crate) fn table(
    target: &Target,
    objects: &[&Value],
    include: Include,
    metadata: Value,
) -> Value {
    let rows: Vec<Value> = objects
        .iter()
        .map(|object| row(target, object, include))
        .collect();
    json!({
        "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": metadata,
        "columnDefinitions": definitions(target), "rows": rows,
    })
}

/// A bookmark of a watch of Tables: a row of nothing.
pub(crate) fn bookmark(target: &Target, bare: &Value, include: Include, metadata: Value) -> Value {
    let mut cells = vec![Value::from("")];
    cells.resize(target.version().columns.len(), Value::Null);
    json!({
        "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": metadata, "columnDefinitions": null,
        "rows": [{"cells": cells, "object": carried(target, bare, include)}],
    })
}

fn definitions(target: &Target) -> Value {
    let columns = target.version().columns.iter().map(|column| {
        json!({
            "name": column.name, "type": column.kind, "format": column.format,
            "description": column.description, "priority": column.priority,
        })
    });
    columns.collect()
}

fn row(target: &Target, object: &Value, include: Include) -> Value {
    let columns = &target.version().columns;
    let cells: Vec<Value> = columns.iter().map(|column| column.cell(object)).collect();
    json!({"cells": cells, "object": carried(target, object, include)})
}

fn carried(target: &Target, object: &Value, include: Include) -> Value {
    match include {
        Include::Nothing => Value::Null,
        Include::Metadata => view::metadata(object),
        Include::Object => view::present(target, object).into_owned(),
    }
}
