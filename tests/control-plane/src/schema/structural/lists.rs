//! What a schema says of lists that are sets or maps.

use std::collections::HashSet;

use serde_json::Value;

use super::{Found, flag, quoted, text};
use crate::path::Path;
use crate::schema::{Reason, shown};

const LIST_TYPE: &str = "x-kubernetes-list-type";
const MAP_KEYS: &str = "x-kubernetes-list-map-keys";

impl Found<'_> {
    pub(super) fn list(&mut self, schema: &Value, at: Path<'_>) {
        let items = schema.get("items").unwrap_or(&Value::Null);
        let (kind, list_type) = (text(schema, "type"), text(schema, LIST_TYPE));
        let is_said = schema.get(LIST_TYPE).is_some();
        let keys = keys(schema);
        if is_said && kind != "array" {
            let must = "must be array if x-kubernetes-list-type is specified";
            self.unless_said(kind, at, ".type", must);
        } else if list_type == "set" {
            self.set(items, at);
        }
        if is_said && !matches!(list_type, "atomic" | "set" | "map") {
            let message = format!(
                "Unsupported value: {list_type:?}: supported values: {}",
                quoted(&["atomic", "set", "map"])
            );
            let field = format!(".{LIST_TYPE}");
            self.add(Reason::NotSupported, at, &field, &message);
        }
        if !keys.is_empty() && list_type != "map" {
            let must = "must be map if x-kubernetes-list-map-keys is non-empty";
            self.unless_said(list_type, at, &format!(".{LIST_TYPE}"), must);
        }
        if list_type == "map" {
            self.list_map(&keys, items, at);
        }
        if matches!(list_type, "set" | "map") && flag(items, "nullable") {
            let message =
                format!("Forbidden: cannot be nullable when x-kubernetes-list-type is {list_type}");
            self.add(Reason::Forbidden, at, ".items.nullable", &message);
        }
        if list_type == "map" {
            self.keys_are_set(&keys, items, at);
        }
    }

    /// The elements of a set are compared as a whole.
    fn set(&mut self, items: &Value, at: Path<'_>) {
        let must = "must be atomic as item of a list with x-kubernetes-list-type=set";
        let list_type = items.get(LIST_TYPE);
        let is_atomic = |name: &str| text(items, name) == "atomic";
        let field = match text(items, "type") {
            "array" if list_type.is_some() && !is_atomic(LIST_TYPE) => LIST_TYPE,
            "object" if !is_atomic("x-kubernetes-map-type") => "x-kubernetes-map-type",
            _ => return,
        };
        // Of either it is the type of the list that is shown.
        let shown = list_type.unwrap_or(&Value::Null);
        let message = format!("Invalid value: {shown}: {must}");
        self.add(Reason::Invalid, at, &format!(".items.{field}"), &message);
    }

    fn list_map(&mut self, keys: &[&str], items: &Value, at: Path<'_>) {
        let field = format!(".{MAP_KEYS}");
        if keys.is_empty() {
            let message = "Required value: must not be empty if x-kubernetes-list-type is map";
            self.add(Reason::Required, at, &field, message);
        }
        if items.is_null() {
            let message = "Required value: must have a schema if x-kubernetes-list-type is map";
            self.add(Reason::Required, at, ".items", message);
        }
        if items.is_array() {
            let must = "must only have a single schema if x-kubernetes-list-type is map";
            let message = format!("Invalid value: {}: {must}", shown::items(items));
            self.add(Reason::Invalid, at, ".items", &message);
        }
        let kind = text(items, "type");
        if items.is_object() && kind != "object" {
            let message = format!(
                "Invalid value: {kind:?}: must be object if parent array's x-kubernetes-list-type is map"
            );
            self.add(Reason::Invalid, at, ".items.type", &message);
        }
        if kind != "object" {
            return;
        }
        let shown = Value::from(keys.to_vec());
        let mut seen = HashSet::new();
        for key in keys {
            match property(items, key).map(|field| text(field, "type")) {
                Some("array" | "object") => {
                    // It is the type of the elements that is shown.
                    let message = format!(
                        "Invalid value: {kind:?}: must be a scalar type if parent array's x-kubernetes-list-type is map"
                    );
                    let field = format!(".items.properties[{key}].type");
                    self.add(Reason::Invalid, at, &field, &message);
                }
                Some(_) => {}
                None => {
                    let must = "entries must all be names of item properties";
                    let message = format_args!("Invalid value: {shown}: {must}");
                    self.add(Reason::Invalid, at, &field, message);
                }
            }
            if !seen.insert(key) {
                let must = "must not contain duplicate entries";
                let message = format_args!("Invalid value: {shown}: {must}");
                self.add(Reason::Invalid, at, &field, message);
            }
        }
    }

    /// Every element has each of its keys.
    fn keys_are_set(&mut self, keys: &[&str], items: &Value, at: Path<'_>) {
        const IS_KEY: &str = "this property is in x-kubernetes-list-map-keys, so it";
        let required = items.get("required").and_then(Value::as_array);
        let required: HashSet<&str> = required
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        for key in keys {
            let Some(field) = property(items, key) else {
                continue;
            };
            let path = format!(".items.properties[{key}]");
            if !required.contains(key) && field.get("default").is_none() {
                let message = format!(
                    "Required value: {IS_KEY} must have a default or be a required property"
                );
                self.add(Reason::Required, at, &format!("{path}.default"), &message);
            }
            if flag(field, "nullable") {
                let message = format!("Forbidden: {IS_KEY} cannot be nullable");
                self.add(Reason::Forbidden, at, &format!("{path}.nullable"), &message);
            }
        }
    }
}

fn keys(schema: &Value) -> Vec<&str> {
    let keys = schema.get(MAP_KEYS).and_then(Value::as_array);
    let keys = keys.into_iter().flatten();
    keys.filter_map(Value::as_str).collect()
}

fn property<'v>(schema: &'v Value, name: &str) -> Option<&'v Value> {
    schema.get("properties")?.get(name)
}
