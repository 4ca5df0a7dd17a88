//! The way from kubectl's client-side apply to its server-side apply: fields that the annotation of the former names
//! do not conflict with the latter, and the annotation is kept up to date.

use serde_json::Value;

use super::fields::{Set, compare, field_set};
use super::managers::{Id, take};
use super::track::Writer;
use crate::schema::Schema;

const ANNOTATION: &str = "kubectl.kubernetes.io/last-applied-configuration";
const MANAGER: &str = "kubectl";

fn annotation(object: &Value) -> Option<&str> {
    object
        .get("metadata")?
        .get("annotations")?
        .get(ANNOTATION)?
        .as_str()
}

/// The conflicts without what kubectl itself has applied from the client's side and nobody has changed since.
pub(super) fn not_excused(
    conflicts: &[(Id, Set)],
    live: &Value,
    schema: &Schema,
    writer: &Writer<'_>,
) -> Vec<(Id, Set)> {
    let applied = annotation(live).filter(|_| writer.manager == MANAGER);
    let Some(applied) = applied.and_then(|applied| serde_json::from_str::<Value>(applied).ok())
    else {
        return conflicts.to_vec();
    };
    let since = compare(&applied, live, schema);
    let excused = field_set(&applied, schema)
        .difference(&since.modified)
        .difference(&since.added)
        .difference(&since.removed);
    conflicts
        .iter()
        .map(|(id, set)| (id.clone(), set.difference(&excused)))
        .filter(|(_, set)| !set.is_empty())
        .collect()
}

/// Writes what kubectl applies into the annotation, where there is one.
pub(super) fn keep_up(live: &Value, object: &mut Value, applied: &Value, writer: &Writer<'_>) {
    if writer.manager != MANAGER || annotation(live).is_none() {
        return;
    }
    let mut applied = applied.clone();
    take(&mut applied);
    if let Some(annotations) = applied
        .pointer_mut("/metadata/annotations")
        .and_then(Value::as_object_mut)
    {
        annotations.remove(ANNOTATION);
    }
    if let Some(annotations) = object
        .pointer_mut("/metadata/annotations")
        .and_then(Value::as_object_mut)
    {
        annotations.insert(ANNOTATION.into(), format!("{applied}\n").into());
    }
}
