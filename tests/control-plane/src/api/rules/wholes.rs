//! The metadata of whole objects within objects.

use serde_json::{Map, Value, json};

use super::{managers, metadata, names};
use crate::failure::Cause;
use crate::object;
use crate::path::Path;
use crate::schema::read_metadata;

/// What is wrong with the metadata of a whole object that is somewhere in another.
pub(crate) fn check_whole(path: Path<'_>, fields: &Map<String, Value>) -> Vec<Cause> {
    // Of what cannot be read that is said elsewhere.
    let metadata = fields.get("metadata").map(read_metadata);
    let Some(Ok(metadata)) = metadata else {
        return Vec::new();
    };
    let object = json!({"metadata": metadata});
    let mut wrong = named(&object);
    wrong.extend(metadata::check_said(&object));
    wrong.extend(names::finalizers(&object));
    wrong.extend(managers::check(&object));
    for cause in &mut wrong {
        cause.field = format!("{path}.{}", cause.field);
    }
    wrong
}

/// It may go without a name, and have any that could stand in a path.
fn named(object: &Value) -> Vec<Cause> {
    let text = |field: &str| object::meta(object, field).unwrap_or_default();
    let mut wrong = match text("generateName") {
        // More follows.
        "." | ".." => Vec::new(),
        prefix => names::path_segment(prefix, "metadata.generateName"),
    };
    wrong.extend(names::path_segment(text("name"), "metadata.name"));
    if let Some(namespace) = object::meta(object, "namespace")
        && let Some(why) = names::label(namespace)
    {
        wrong.push(Cause::invalid("metadata.namespace", &namespace.into(), why));
    }
    let generation = &object["metadata"]["generation"];
    if generation.as_i64().is_some_and(|generation| generation < 0) {
        let why = "must be greater than or equal to 0";
        wrong.push(Cause::invalid("metadata.generation", generation, why));
    }
    wrong
}
