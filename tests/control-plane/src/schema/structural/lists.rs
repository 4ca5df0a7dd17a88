//! What a schema says of lists that are sets or maps.

use serde_json::{Map, Value};

use super::{Found, flag, quoted, text};
use crate::schema::Reason;

impl Found {
    pub(super) fn list(&mut self, schema: &Value, at: &str) {
        let items = schema.get("items").unwrap_or(&Value::Null);
        let (kind, list_type) = (text(schema, "type"), text(schema, "x-kubernetes-list-type"));
        let is_said = schema.get("x-kubernetes-list-type").is_some();
        let is_unknown = is_said && !matches!(list_type, "atomic" | "set" | "map");
        if is_said && kind != "array" {
            let message = format!(
                "Invalid value: {kind:?}: must be array if x-kubernetes-list-type is specified"
            );
            self.add(Reason::Invalid, at, ".type", &message);
        }
        if is_unknown {
            let message = format!(
                "Unsupported value: {list_type:?}: supported values: {}",
                quoted(&["atomic", "set", "map"])
            );
            self.add(
                Reason::NotSupported,
                at,
                ".x-kubernetes-list-type",
                &message,
            );
        }
        if is_said && kind != "array" {
            return;
        }
        let has_keys = schema
            .get("x-kubernetes-list-map-keys")
            .and_then(Value::as_array)
            .is_some_and(|keys| !keys.is_empty());
        if has_keys && list_type != "map" {
            let message = "Required value: must be map if x-kubernetes-list-map-keys is non-empty";
            self.add(Reason::Required, at, ".x-kubernetes-list-type", message);
        }
        if matches!(list_type, "set" | "map") && flag(items, "nullable") {
            let message =
                format!("Forbidden: cannot be nullable when x-kubernetes-list-type is {list_type}");
            self.add(Reason::Forbidden, at, ".items.nullable", &message);
        }
        match list_type {
            "set" => {
                let scalar = !matches!(text(items, "type"), "object" | "array");
                if !scalar
                    && text(items, "x-kubernetes-map-type") != "atomic"
                    && text(items, "type") == "object"
                {
                    let message = "Invalid value: null: must be atomic as item of a list with x-kubernetes-list-type=set";
                    self.add(Reason::Invalid, at, ".items.x-kubernetes-map-type", message);
                }
            }
            "map" => self.list_map(schema, items, at),
            _ => {}
        }
    }

    fn list_map(&mut self, schema: &Value, items: &Value, at: &str) {
        let none = Vec::new();
        let keys = schema
            .get("x-kubernetes-list-map-keys")
            .and_then(Value::as_array)
            .unwrap_or(&none);
        if keys.is_empty() {
            let message = "Required value: must not be empty if x-kubernetes-list-type is map";
            self.add(Reason::Required, at, ".x-kubernetes-list-map-keys", message);
        }
        let kind = text(items, "type");
        if kind != "object" {
            let message = format!(
                "Invalid value: {kind:?}: must be object if parent array's x-kubernetes-list-type is map"
            );
            self.add(Reason::Invalid, at, ".items.type", &message);
        }
        if keys.is_empty() || kind != "object" {
            return;
        }
        let empty = Map::new();
        let properties = items
            .get("properties")
            .and_then(Value::as_object)
            .unwrap_or(&empty);
        let names: Vec<&str> = keys.iter().filter_map(Value::as_str).collect();
        if names.iter().any(|name| !properties.contains_key(*name)) {
            let keys = Value::from(keys.clone());
            let message =
                format!("Invalid value: {keys}: entries must all be names of item properties");
            self.add(Reason::Invalid, at, ".x-kubernetes-list-map-keys", &message);
            return;
        }
        if names
            .iter()
            .enumerate()
            .any(|(at, name)| names[..at].contains(name))
        {
            let keys = Value::from(keys.clone());
            let message = format!("Invalid value: {keys}: must not contain duplicate entries");
            self.add(Reason::Invalid, at, ".x-kubernetes-list-map-keys", &message);
        }
        for name in &names {
            let kind = properties
                .get(*name)
                .map_or("", |field| text(field, "type"));
            if matches!(kind, "object" | "array") {
                let message = format!(
                    "Invalid value: {kind:?}: must be a scalar type if parent array's x-kubernetes-list-type is map"
                );
                let field = format!(".items.properties[{name}].type");
                self.add(Reason::Invalid, at, &field, &message);
            }
        }
        let required = items
            .get("required")
            .and_then(Value::as_array)
            .unwrap_or(&none);
        for name in names {
            let has_default = properties
                .get(name)
                .is_some_and(|field| field.get("default").is_some());
            if !has_default && !required.iter().any(|required| required == name) {
                let message = "Required value: this property is in x-kubernetes-list-map-keys, so it must have a \
                               default or be a required property";
                self.add(
                    Reason::Required,
                    at,
                    &format!(".items.properties[{name}].default"),
                    message,
                );
            }
        }
    }
}
