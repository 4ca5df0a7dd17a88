//! Which mistake of a body is told: the first one that Go's decoder meets.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::{Map, Value};

use super::target::Target;

/// The names of the fields of a JSON object, in the order in which they are said.
struct Names(Vec<String>);

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(NamesVisitor)
    }
}

struct NamesVisitor;

impl<'de> Visitor<'de> for NamesVisitor {
    type Value = Names;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Names, A::Error> {
        let mut names = Vec::new();
        while let Some((name, IgnoredAny)) = fields.next_entry()? {
            names.push(name);
        }
        Ok(Names(names))
    }
}

/// What is wrong with the first field of a body of a built-in kind that anything is wrong with.
pub(super) fn of_body(target: &Target, text: &[u8]) -> Option<String> {
    let Names(names) = serde_json::from_slice(text).ok()?;
    let mut fields: Map<String, Value> = serde_json::from_slice(text).ok()?;
    let schema = target.version().schema.schema();
    names.into_iter().find_map(|name| {
        let (name, value) = fields.remove_entry(&name)?;
        let mut alone = Value::Object(Map::from_iter([(name, value)]));
        let read = schema.decode(&target.api_version(), &target.resource.kind, &mut alone);
        read.err()
    })
}
