//! Reads a built-in object as the API server's Go types do: what does not fit is refused in their words, and what they
//! always write is there afterwards.

use serde_json::{Map, Number, Value};

use super::builtin::{always, named};
use super::empties::is_schema_again;
use super::{Additional, Empties, Fractions, Kind, Schema, base64, quantity, times};
use crate::json;
use crate::structs::{self, Declared, Struct};

/// From here on a number of floating point has no fraction.
const LARGE: f64 = 1e16;
/// Who has maps of quantities that are no `ResourceList`, or have no defaults set.
const FINER: [&str; 3] = [
    "CapacityRequirements",
    "DeviceRequestAllocationResult",
    "Overhead",
];
const SECONDS: &str = "2006-01-02T15:04:05Z07:00";
const MICROSECONDS: &str = "2006-01-02T15:04:05.000000Z07:00";

impl Schema {
    /// Brings a built-in object into the form in which the server has it: nulls go, times are in UTC, quantities in the
    /// unit that fits, and fields that are always written are added. What is empty goes once defaults are set
    /// ([`Empties`](super::Empties)). The error is what follows `cannot be handled as a <Kind>: `.
    pub(crate) fn decode(
        &self,
        api_version: &str,
        kind: &str,
        object: &mut Value,
    ) -> Result<(), String> {
        Place {
            root: structs::of_object(api_version, kind),
            holder: kind,
            path: "",
            depth: 0,
        }
        .read(self, object)
    }

    /// Of a list that is always there, no elements are as good as none where it is not kept as JSON.
    pub(crate) fn forget_empty_lists(&self, value: &mut Value) {
        let node = self.target();
        match value {
            Value::Object(fields) => {
                for (name, value) in fields.iter_mut() {
                    let Some(field) = node.properties.get(name) else {
                        continue;
                    };
                    if field.always && value.as_array().is_some_and(Vec::is_empty) {
                        *value = Value::Null;
                    } else {
                        field.forget_empty_lists(value);
                    }
                }
            }
            Value::Array(elements) if node.kind == Some(Kind::Array) => {
                let element = node.element();
                if !element.target().properties.is_empty() {
                    for value in elements {
                        element.forget_empty_lists(value);
                    }
                }
            }
            _ => {}
        }
    }
}

/// The same for the metadata of a custom resource, the one part of it that has a Go type.
pub(crate) fn decode_metadata(object: &mut Value) -> Result<(), String> {
    let (Some(metadata), Some(schema)) = (object.get_mut("metadata"), named("ObjectMeta")) else {
        return Ok(());
    };
    if !metadata.is_object() {
        let got = describe(metadata);
        return Err(format!(
            "json: cannot unmarshal {got} into Go value of type v1.ObjectMeta"
        ));
    }
    // It was read before as any JSON, to which a whole number is one however it is written.
    Fractions::take(metadata);
    Place {
        root: Some(structs::of(structs::OBJECT_META)),
        holder: "ObjectMeta",
        path: "",
        depth: 0,
    }
    .read(schema, metadata)?;
    Empties::take(schema, metadata);
    Ok(())
}

/// The nearest number of floating point, where a whole number is none.
fn rounded(number: &Number) -> Option<u64> {
    const EXACT: u64 = 1 << 53;
    let whole = number.as_u64().filter(|whole| *whole > EXACT)?;
    // Both are beyond what has a fraction.
    Some(whole as f64 as u64)
}

/// What `SetDefaults_ResourceList` of Kubernetes does.
fn round_up(resources: &mut Map<String, Value>) {
    for amount in resources.values_mut() {
        if let Some(rounded) = amount.as_str().and_then(quantity::of_resource) {
            *amount = rounded.into();
        }
    }
}

/// Where a value is, as Go's decoder says it: the struct that holds the field, and the path without indices.
#[derive(Clone, Copy)]
struct Place<'p> {
    root: Option<&'static Struct>,
    holder: &'p str,
    path: &'p str,
    /// In how many lists and maps of the field it is.
    depth: usize,
}

impl Place<'_> {
    fn read(self, schema: &Schema, value: &mut Value) -> Result<(), String> {
        let node = schema.target();
        match value {
            Value::Object(fields) if !node.properties.is_empty() => {
                let holder = schema.type_name().unwrap_or(self.holder);
                Place { holder, ..self }.read_fields(node, fields)
            }
            Value::Object(fields) if node.kind == Some(Kind::Object) => {
                if let Additional::Values(values) = &node.additional {
                    for value in fields.values_mut() {
                        self.read_one(values, value)?;
                    }
                    if values.target().is_quantity() && !FINER.contains(&self.holder) {
                        round_up(fields);
                    }
                }
                Ok(())
            }
            Value::Array(elements) if node.kind == Some(Kind::Array) => elements
                .iter_mut()
                .try_for_each(|element| self.read_one(node.element(), element)),
            // Go takes bytes one by one as well.
            Value::Array(bytes) if node.rules.format.as_deref() == Some("byte") => {
                let bytes = bytes.iter().map(|byte| match byte {
                    Value::Null => Ok(0),
                    Value::Number(number) => {
                        let byte = number.as_u64().and_then(|byte| u8::try_from(byte).ok());
                        byte.ok_or_else(|| self.unreadable_as(&of_another_size(number), "uint8"))
                    }
                    other => Err(self.unreadable_as(describe(other).as_str(), "uint8")),
                });
                let bytes: Vec<u8> = bytes.collect::<Result<_, _>>()?;
                *value = base64::encode(&bytes).into();
                Ok(())
            }
            _ => self.read_scalar(schema, value),
        }
    }

    /// One of a list or of a map. Where it is null, its Go type has the value that it begins with.
    fn read_one(self, schema: &Schema, value: &mut Value) -> Result<(), String> {
        if value.is_null() {
            let node = schema.target();
            *value = match node.kind {
                Some(Kind::String) => "".into(),
                _ => always(node),
            };
        }
        Place {
            depth: self.depth + 1,
            ..self
        }
        .read(schema, value)
    }

    fn read_fields(self, node: &Schema, fields: &mut Map<String, Value>) -> Result<(), String> {
        for (name, value) in fields.iter_mut() {
            let Some(field) = node.properties.get(name) else {
                continue;
            };
            let path = if self.path.is_empty() {
                name.clone()
            } else {
                format!("{}.{name}", self.path)
            };
            let place = Place {
                path: &path,
                depth: 0,
                ..self
            };
            match is_schema_again(node, name) {
                true => place.read_schema(node, name == "items", value)?,
                false => place.read(field, value)?,
            }
        }
        fields.retain(|name, value| !value.is_null() || !node.properties.contains_key(name));
        for (name, field) in node.properties.iter().filter(|(_, field)| field.always) {
            // The root has its metadata.
            if !fields.contains_key(name) && (name != "metadata" || !self.path.is_empty()) {
                fields.insert(name.clone(), always(field));
            }
        }
        Ok(())
    }

    /// A schema, where a boolean or more than one may be as well. Nobody tells what is not known of it.
    fn read_schema(self, node: &Schema, is_list: bool, value: &mut Value) -> Result<(), String> {
        match value {
            Value::Object(_) => {
                node.prune(value);
                self.read(node, value)
            }
            Value::Array(schemas) if is_list && !schemas.is_empty() => schemas
                .iter_mut()
                .try_for_each(|schema| self.read_schema(node, false, schema)),
            Value::Null => Ok(()),
            _ if is_list => {
                *value = Value::Null;
                Ok(())
            }
            Value::Bool(_) => Ok(()),
            _ => Err("boolean or JSON schema expected".to_owned()),
        }
    }

    fn read_scalar(self, schema: &Schema, value: &mut Value) -> Result<(), String> {
        let node = schema.target();
        match (&*value, node.kind) {
            (Value::Null, _) => Ok(()),
            (value_as_sent, _) if node.is_quantity() => {
                let text = value_as_sent
                    .as_str()
                    .map_or_else(|| value_as_sent.to_string(), str::to_owned);
                *value = quantity::canonical(&text)?.into();
                Ok(())
            }
            (Value::String(_), _) if node.int_or_string => Ok(()),
            (_, None) if !node.int_or_string => Ok(()),
            (Value::String(text), Some(Kind::String)) => {
                match canonical(text, node.rules.format.as_deref())? {
                    Some(text) => {
                        *value = text.into();
                        Ok(())
                    }
                    None => Ok(()),
                }
            }
            (Value::Bool(_), Some(Kind::Boolean)) => Ok(()),
            (Value::Number(number), Some(Kind::Number)) => {
                if let Some(rounded) = rounded(number) {
                    *value = rounded.into();
                }
                Ok(())
            }
            (Value::Number(number), Some(Kind::Integer) | None) => {
                let whole = number.as_i64();
                let fits = match node.rules.format.as_deref() {
                    Some("int64") => whole.is_some(),
                    _ => whole.is_some_and(|whole| i32::try_from(whole).is_ok()),
                };
                match fits {
                    true => Ok(()),
                    false => Err(self.unreadable(&of_another_size(number), schema)),
                }
            }
            _ => Err(self.unreadable(&describe(value), schema)),
        }
    }

    /// That what is there is not of the type of the schema.
    fn unreadable(self, got: &str, schema: &Schema) -> String {
        let declared = self.root.and_then(|root| Declared::find(root, self.path));
        let (path, named) = match &declared {
            Some(declared) => (declared.path.as_str(), declared.go_type),
            None => (self.path, None),
        };
        let of_value = (0..self.depth).fold(named, |go_type, _| structs::element(go_type?));
        let wanted = of_value.map_or_else(|| schema.go_type(), str::to_owned);
        self.not_of(got, path, &wanted)
    }

    fn unreadable_as(self, got: &str, wanted: &str) -> String {
        self.not_of(got, self.path, wanted)
    }

    fn not_of(self, got: &str, path: &str, wanted: &str) -> String {
        let holder = self.holder;
        format!(
            "json: cannot unmarshal {got} into Go struct field {holder}.{path} of type {wanted}"
        )
    }
}

/// A time, or bytes, as the server writes it; `None` for any other string.
fn canonical(text: &str, format: Option<&str>) -> Result<Option<String>, String> {
    let layout = match format {
        Some("date-time") => SECONDS,
        Some("microtime") => MICROSECONDS,
        Some("byte") => {
            return match base64::canonical(text) {
                Ok(bytes) => Ok(Some(bytes)),
                Err(at) => Err(format!("illegal base64 data at input byte {at}")),
            };
        }
        _ => return Ok(None),
    };
    times::check(text, layout)?;
    let Ok(time) = text.parse::<jiff::Timestamp>() else {
        return Err(times::out_of_range(text, "day"));
    };
    let written = match layout {
        MICROSECONDS => time.strftime("%Y-%m-%dT%H:%M:%S.%6fZ"),
        _ => time.strftime("%Y-%m-%dT%H:%M:%SZ"),
    };
    Ok(Some(written.to_string()))
}

/// A number of another size is named, and one in another place is not.
fn of_another_size(number: &Number) -> String {
    // How it was written is no longer known: the largest have their digits, and the others a fraction.
    let number = match number.as_f64() {
        Some(float) if number.is_f64() && float.abs() >= LARGE => json::number(float),
        _ => number.to_string(),
    };
    format!("number {number}")
}

/// What Go's decoder calls a JSON value.
fn describe(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Bool(_) => "bool".into(),
        Value::Number(_) => "number".into(),
        Value::String(_) => "string".into(),
        Value::Array(_) => "array".into(),
        Value::Object(_) => "object".into(),
    }
}
