//! In what order discovery tells its fields.

use serde::{Serialize, Serializer};
use serde_json::Value;

/// As the Go types of a real server have them: one order does for all of their fields but the kind of a whole answer.
const ORDER: [&str; 27] = [
    "metadata",
    "name",
    "resource",
    "subresource",
    "groupVersion",
    "singularName",
    "namespaced",
    "group",
    "version",
    "kind",
    "responseKind",
    "scope",
    "singularResource",
    "verbs",
    "shortNames",
    "categories",
    "storageVersionHash",
    "subresources",
    "resources",
    "freshness",
    "versions",
    "preferredVersion",
    "groups",
    "items",
    "clientCIDR",
    "serverAddress",
    "serverAddressByClientCIDRs",
];

/// A whole answer.
pub(super) struct InOrder<'v>(pub(super) &'v Value);

impl Serialize for InOrder<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let first = ["kind", "apiVersion"];
        let place = |name: &str| first.iter().position(|first| *first == name);
        fields(self.0, serializer, |name| {
            (place(name).unwrap_or(first.len()), place_in_order(name))
        })
    }
}

struct Part<'v>(&'v Value);

impl Serialize for Part<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        fields(self.0, serializer, place_in_order)
    }
}

fn place_in_order(name: &str) -> usize {
    let place = ORDER.iter().position(|known| *known == name);
    place.unwrap_or(ORDER.len())
}

fn fields<S: Serializer, P: Ord>(
    value: &Value,
    serializer: S,
    place: impl Fn(&str) -> P,
) -> Result<S::Ok, S::Error> {
    match value {
        Value::Array(elements) => serializer.collect_seq(elements.iter().map(Part)),
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_by_key(|(name, _)| place(name));
            serializer.collect_map(fields.into_iter().map(|(name, value)| (name, Part(value))))
        }
        scalar => scalar.serialize(serializer),
    }
}
