//! Values as the server itself has them, in its structs without a version (`internal.txt`, which `tools/internal.py` writes):
//! so it shows them in messages. A line `STRUCT:` opens a struct; below it are its fields as they are declared,
//! `NAME TYPE` with commas between, in the types of `fields.txt`. `*T*` is a struct whose fields are the struct's own, `T?`
//! a pointer, and `T-` left out while it is empty.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use super::Kind;
use crate::{difference, json};

struct Field {
    name: &'static str,
    kind: Kind,
    pointer: bool,
    optional: bool,
}

static STRUCTS: LazyLock<BTreeMap<&str, Vec<Field>>> = LazyLock::new(|| {
    let mut structs: BTreeMap<&str, Vec<Field>> = BTreeMap::new();
    let mut open = "";
    for line in include_str!("internal.txt").lines() {
        if let Some(name) = line.strip_suffix(':') {
            open = name;
        } else {
            let fields = structs.entry(open).or_default();
            fields.extend(line.split(',').filter_map(field));
        }
    }
    structs
});

fn field(text: &'static str) -> Option<Field> {
    let (name, kind) = text.trim().split_once(' ')?;
    let required = kind.trim_end_matches('-');
    let plain = required.trim_end_matches('?');
    Some(Field {
        name,
        kind: Kind::read(plain),
        pointer: plain.len() < required.len(),
        optional: required.len() < kind.len(),
    })
}

/// A value of such a type.
pub(crate) fn text(of: &'static str, value: &Value) -> String {
    json::text(&Internal::new(&Kind::read(of), value))
}

/// How two values of such a type differ, line by line.
pub(crate) fn difference(of: &'static str, old: &Value, new: &Value) -> String {
    let kind = Kind::read(of);
    let lines = |value| json::lines(&Internal::new(&kind, value));
    difference::unified(&lines(old), &lines(new))
}

/// Whether two values of such a type are the same, as no list and an empty one are; what is not said is a struct with
/// nothing in it.
pub(crate) fn same(of: &'static str, one: &Value, other: &Value) -> bool {
    let kind = Kind::read(of);
    let text = |value| {
        json::text(&Internal {
            empty_is_none: true,
            ..Internal::new(&kind, value)
        })
    };
    text(one) == text(other)
}

struct Internal<'v> {
    kind: &'v Kind,
    pointer: bool,
    value: &'v Value,
    /// Lists and maps that are empty are written as none.
    empty_is_none: bool,
}

impl<'v> Internal<'v> {
    fn new(kind: &'v Kind, value: &'v Value) -> Self {
        Self {
            kind,
            pointer: false,
            value,
            empty_is_none: false,
        }
    }

    /// A part of it.
    fn part(&self, kind: &'v Kind, pointer: bool, value: &'v Value) -> Self {
        Self {
            kind,
            pointer,
            value,
            empty_is_none: self.empty_is_none,
        }
    }
}

impl Serialize for Internal<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match (self.kind, self.value) {
            (_, Value::Null) if self.pointer => serializer.serialize_unit(),
            (Kind::Message(name), value) => {
                let fields = as_kept(name, value);
                let mut parts = Vec::new();
                gather(name, &fields, &mut parts);
                let parts = parts.into_iter().map(|(field, value)| {
                    (field.name, self.part(&field.kind, field.pointer, value))
                });
                serializer.collect_map(parts)
            }
            (Kind::List(_) | Kind::Items(_) | Kind::Map(_), value)
                if self.empty_is_none && is_empty(value) =>
            {
                serializer.serialize_unit()
            }
            (Kind::List(of) | Kind::Items(of), Value::Array(elements)) => {
                let elements = elements.iter();
                serializer.collect_seq(elements.map(|element| self.part(of, false, element)))
            }
            (Kind::Map(of), Value::Object(fields)) => {
                let fields = fields.iter();
                serializer
                    .collect_map(fields.map(|(key, value)| (key, self.part(of, false, value))))
            }
            (Kind::String, Value::Null) => serializer.serialize_str(""),
            (Kind::Bool, Value::Null) => serializer.serialize_bool(false),
            (Kind::Int | Kind::Number | Kind::IntOrString, Value::Null) => {
                serializer.serialize_i64(0)
            }
            (Kind::Quantity, Value::Null) => serializer.serialize_str("0"),
            (_, value) => value.serialize(serializer),
        }
    }
}

/// Fields of a pod that the server keeps with what else is about its security.
const OF_SECURITY: [&str; 5] = [
    "hostNetwork",
    "hostPID",
    "hostIPC",
    "shareProcessNamespace",
    "hostUsers",
];

/// The fields of a struct where the server has them.
fn as_kept<'v>(name: &str, value: &'v Value) -> Cow<'v, Map<String, Value>> {
    let mut fields = match value {
        Value::Object(fields) => Cow::Borrowed(fields),
        _ => Cow::Owned(Map::new()),
    };
    let moved = OF_SECURITY
        .iter()
        .filter_map(|name| Some((*name, fields.get(*name)?.clone())));
    let moved: Vec<_> = moved.collect();
    if name == "core.PodSpec" && !moved.is_empty() {
        let security = fields.to_mut().entry("securityContext");
        let security = security.or_insert_with(|| Map::new().into());
        for (name, value) in moved {
            security[name] = value;
        }
    }
    fields
}

/// The fields of a struct, those of structs within it included that are its own.
fn gather<'v>(
    name: &str,
    fields: &'v Map<String, Value>,
    parts: &mut Vec<(&'static Field, &'v Value)>,
) {
    for field in STRUCTS.get(name).into_iter().flatten() {
        if let Kind::Flat(within) = field.kind {
            gather_own(within, fields, parts);
            continue;
        }
        let value = said(fields, field.name);
        if !field.optional || !is_empty(value) {
            parts.push((field, value));
        }
    }
}

/// The metadata that an object begins with is a field of its own in JSON, and is none in the server.
fn gather_own<'v>(
    within: &str,
    fields: &'v Map<String, Value>,
    parts: &mut Vec<(&'static Field, &'v Value)>,
) {
    static NONE: LazyLock<Map<String, Value>> = LazyLock::new(Map::new);
    let fields = match within {
        "v1.ObjectMeta" => fields
            .get("metadata")
            .and_then(Value::as_object)
            .unwrap_or(&NONE),
        _ => fields,
    };
    gather(within, fields, parts);
}

/// Fields that are called otherwise in JSON.
const IN_JSON: [(&str, &str); 8] = [
    ("CephMonitors", "monitors"),
    ("DataDiskURI", "diskURI"),
    ("DiscoveryCHAPAuth", "chapAuthDiscovery"),
    ("EndpointsName", "endpoints"),
    ("RBDImage", "image"),
    ("RBDPool", "pool"),
    ("RadosUser", "user"),
    ("SessionCHAPAuth", "chapAuthSession"),
];

/// Most fields are called as in JSON but for capital letters.
fn said<'v>(fields: &'v Map<String, Value>, name: &str) -> &'v Value {
    let other = IN_JSON.iter().find(|(field, _)| *field == name);
    let name = other.map_or(name, |(_, in_json)| in_json);
    let of_name = fields
        .iter()
        .find(|(field, _)| field.eq_ignore_ascii_case(name));
    of_name.map_or(&Value::Null, |(_, value)| value)
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Bool(true) => false,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(elements) => elements.is_empty(),
        Value::Object(fields) => fields.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_struct_of_the_table_is_there() {
        let kinds = STRUCTS.values().flatten().map(|field| &field.kind);
        for name in kinds.filter_map(Kind::messages) {
            assert!(STRUCTS.contains_key(name), "{name}");
        }
    }

    #[test]
    fn what_is_not_said_is_shown_as_nothing_of_its_type() {
        let port = json!({"protocol": "TCP", "port": 80});
        assert_eq!(
            text("core.ServicePort", &port),
            r#"{"Name":"","Protocol":"TCP","AppProtocol":null,"Port":80,"TargetPort":0,"NodePort":0}"#
        );
        let selector = json!({"matchLabels": {"a": "b"}});
        assert_eq!(
            text("v1.LabelSelector", &selector),
            r#"{"matchLabels":{"a":"b"}}"#
        );
    }

    #[test]
    fn what_a_pod_shares_with_its_node_is_about_its_security() {
        let spec = json!({"containers": [], "hostNetwork": true});
        let shown = text("core.PodSpec", &spec);
        assert!(
            shown.contains(r#""SecurityContext":{"HostNetwork":true,"HostPID":false"#),
            "{shown}"
        );
        let difference = difference(
            "core.PodSpec",
            &json!({"securityContext": {}}),
            &json!({"hostPID": true}),
        );
        assert!(
            difference.contains("-  \"HostPID\": false,\n+  \"HostPID\": true,\n"),
            "{difference}"
        );
    }
}
