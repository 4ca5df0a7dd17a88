//! JSON with its fields in the order in which Go's structs have them.

use std::cmp::Ordering;

use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use super::{Kind, LIST, Other, SCHEMA, Struct, of, of_kind, of_object};
use crate::patch::Touched;

/// What a Go type writes: kind and version, and the fields as they are declared.
pub(crate) struct Typed<'v>(pub(crate) &'v Value);

/// An object of a kind without saying so, as in a list that says it once.
pub(crate) struct Item<'v> {
    pub(crate) kind: &'v str,
    pub(crate) api_version: &'v str,
    pub(crate) object: &'v Value,
}

/// A part of an object, as a field of this kind is written.
pub(crate) struct Part<'v>(&'v Kind, &'v Value);

/// A built-in object that a patch made: what the patch took apart has no Go type there any more.
pub(crate) struct Patched<'v> {
    pub(crate) kind: &'v str,
    pub(crate) api_version: &'v str,
    pub(crate) object: &'v Value,
    pub(crate) touched: &'v Touched,
}

/// A part of such an object.
struct PatchedPart<'v> {
    kind: &'v Kind,
    value: &'v Value,
    touched: Option<&'v Touched>,
}

/// Fields as a manager owns them.
pub(crate) struct Set<'v>(pub(crate) &'v Value);

impl Serialize for Typed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let kind = self.0.get("kind").and_then(Value::as_str);
        let is_list = kind.is_some_and(|kind| kind.ends_with("List"));
        let list = || is_list.then(|| of(LIST));
        object(kind_of(self.0).or_else(list), self.0, serializer)
    }
}

impl Serialize for Item<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        object(
            of_kind(self.api_version, self.kind),
            self.object,
            serializer,
        )
    }
}

impl Serialize for Part<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match (self.0, self.1) {
            (Kind::List(of) | Kind::Items(of), Value::Array(elements)) => {
                serializer.collect_seq(elements.iter().map(|element| Part(of, element)))
            }
            (Kind::Map(of), Value::Object(fields)) => {
                serializer.collect_map(fields.iter().map(|(key, value)| (key, Part(of, value))))
            }
            (Kind::Message(name), value) => object(Some(of(name)), value, serializer),
            (Kind::SchemaOr(_), value @ Value::Object(_)) => {
                object(Some(of(SCHEMA)), value, serializer)
            }
            (Kind::SchemaOr(Other::Array), Value::Array(elements)) => {
                let schema = Kind::Message(SCHEMA);
                serializer.collect_seq(elements.iter().map(|element| Part(&schema, element)))
            }
            (Kind::Object, value) if kind_of(value).is_some() => Typed(value).serialize(serializer),
            (Kind::Set, value) => Set(value).serialize(serializer),
            (_, value) => value.serialize(serializer),
        }
    }
}

impl Serialize for Patched<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let known = of_object(self.api_version, self.kind);
        let fields = self.object.as_object().into_iter().flatten();
        serializer.collect_map(fields.map(|(name, value)| {
            let kind = known.and_then(|known| known.place(name));
            let part = PatchedPart {
                kind: kind.map_or(&Kind::Json, |(_, kind)| kind),
                value,
                touched: self.touched.within(name),
            };
            (name, part)
        }))
    }
}

impl Serialize for PatchedPart<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Some(touched) = self.touched else {
            return Part(self.kind, self.value).serialize(serializer);
        };
        let part = |kind, name: &str, value| PatchedPart {
            kind,
            value,
            touched: touched.within(name),
        };
        match (touched, self.value) {
            (Touched::Within(_), Value::Object(fields)) => {
                serializer.collect_map(fields.iter().map(|(name, value)| {
                    let kind = self.kind.of_field(name);
                    (name, part(kind, name, value))
                }))
            }
            (Touched::Within(_), Value::Array(elements)) => {
                serializer.collect_seq(elements.iter().enumerate().map(|(at, value)| {
                    let kind = match self.kind {
                        Kind::List(of) | Kind::Items(of) => of,
                        _ => &Kind::Json,
                    };
                    part(kind, &at.to_string(), value)
                }))
            }
            (_, value) => value.serialize(serializer),
        }
    }
}

impl Kind {
    /// What a field is of what is of this kind.
    fn of_field(&self, name: &str) -> &Self {
        match self {
            Self::Map(of) => of,
            Self::Set => self,
            Self::Message(message) => of(message)
                .place(name)
                .map_or(&Self::Json, |(_, kind)| kind),
            _ => &Self::Json,
        }
    }
}

impl Serialize for Set<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Object(fields) => {
                let fields = in_order(fields).into_iter();
                serializer.collect_map(fields.map(|(name, inner)| (name, Set(inner))))
            }
            other => other.serialize(serializer),
        }
    }
}

/// The struct of an object, as it says itself.
fn kind_of(object: &Value) -> Option<&'static Struct> {
    let text = |name: &str| object.get(name).and_then(Value::as_str).unwrap_or_default();
    of_kind(text("apiVersion"), text("kind"))
}

/// The fields of an object as it is to be written: one without a Go type is a map, whose keys are sorted.
pub(crate) fn parts(object: &Value) -> impl Iterator<Item = (&str, Part<'_>)> {
    let text = |name: &str| object.get(name).and_then(Value::as_str).unwrap_or_default();
    let fields = object.as_object().into_iter().flatten();
    let known = of_object(text("apiVersion"), text("kind"));
    placed(known, known.is_some(), fields)
}

/// A value that is an object of such a struct.
fn object<S: Serializer>(
    known: Option<&'static Struct>,
    value: &Value,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match value {
        Value::Object(fields) => serializer.collect_map(placed(known, true, fields.iter())),
        other => other.serialize(serializer),
    }
}

/// Fields, each with its part, in order.
fn placed<'v>(
    known: Option<&'static Struct>,
    has_type: bool,
    fields: impl Iterator<Item = (&'v String, &'v Value)>,
) -> impl Iterator<Item = (&'v str, Part<'v>)> {
    let mut placed: Vec<_> = fields
        .map(|(name, value)| {
            let known = known.and_then(|known| known.place(name));
            let (place, kind) = known.unwrap_or(match name.as_str() {
                // What every object begins with is in no struct.
                "kind" if has_type => (-2, &Kind::Json),
                "apiVersion" if has_type => (-1, &Kind::Json),
                _ => (isize::MAX, &Kind::Json),
            });
            (place, name.as_str(), Part(kind, value))
        })
        .collect();
    placed.sort_by_key(|(place, ..)| *place);
    placed.into_iter().map(|(_, name, part)| (name, part))
}

/// The fields of a set in the order that they have in one.
fn in_order(set: &Map<String, Value>) -> Vec<(&String, &Value)> {
    let mut fields = Vec::from_iter(set);
    fields.sort_by(|(one, _), (other, _)| compare(one, other));
    fields
}

/// How a field is named: it is itself, by its name, by the keys of a list, by its value, or by its place.
const NAMED: [&str; 5] = [".", "f", "k", "v", "i"];

/// Numbers that name an element are in the order of numbers, not of their digits.
fn compare(one: &str, other: &str) -> Ordering {
    let parts = |name| str::split_once(name, ':').unwrap_or((name, ""));
    let rank = |how| NAMED.iter().position(|named| *named == how);
    let value = |rest| serde_json::from_str(rest).unwrap_or_else(|_| Value::from(rest));
    let ((how, rest), (other_how, other_rest)) = (parts(one), parts(other));
    let by_rank = rank(how).cmp(&rank(other_how));
    by_rank.then_with(|| match how {
        "k" | "v" | "i" => compare_values(&value(rest), &value(other_rest)),
        _ => rest.cmp(other_rest),
    })
}

fn compare_values(one: &Value, other: &Value) -> Ordering {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => {
            let (one, other) = (one.as_f64(), other.as_f64());
            one.partial_cmp(&other).unwrap_or(Ordering::Equal)
        }
        (Value::String(one), Value::String(other)) => one.cmp(other),
        (Value::Object(one), Value::Object(other)) => {
            let pairs = one.iter().zip(other);
            let differ = pairs.map(|((name, value), (other_name, other))| {
                name.cmp(other_name)
                    .then_with(|| compare_values(value, other))
            });
            differ
                .into_iter()
                .find(|order| order.is_ne())
                .unwrap_or_else(|| one.len().cmp(&other.len()))
        }
        _ => one.to_string().cmp(&other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn written(value: &impl Serialize) -> String {
        serde_json::to_string(value).unwrap()
    }

    #[test]
    fn fields_come_as_structs_declare_them_and_unknown_ones_at_the_end() {
        let volume = json!({"emptyDir": {}, "name": "a"});
        let container = json!({"env": [{"value": "1", "name": "a"}], "image": "b", "name": "c"});
        let pod = json!({
            "apiVersion": "v1", "kind": "Pod", "odd": 1, "spec": {"containers": [container], "volumes": [volume]},
            "metadata": {"labels": {"b": "1", "a": "2"}, "name": "d", "annotations": {}},
        });
        assert_eq!(
            written(&Typed(&pod)),
            concat!(
                r#"{"kind":"Pod","apiVersion":"v1","metadata":{"name":"d","labels":{"a":"2","b":"1"},"annotations":{}},"#,
                r#""spec":{"volumes":[{"name":"a","emptyDir":{}}],"#,
                r#""containers":[{"name":"c","image":"b","env":[{"name":"a","value":"1"}]}]},"odd":1}"#
            )
        );
    }

    #[test]
    fn sets_of_fields_have_an_order_of_their_own() {
        let set = json!({"k:{\"port\":80}": {}, "k:{\"port\":443}": {}, "i:3": {}, "f:b": {}, ".": {}, "v:1": {}, "f:a": {}});
        assert_eq!(
            written(&Set(&set)),
            r#"{".":{},"f:a":{},"f:b":{},"k:{\"port\":80}":{},"k:{\"port\":443}":{},"v:1":{},"i:3":{}}"#
        );
    }
}
