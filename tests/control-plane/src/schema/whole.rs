//! Whole objects within objects (`x-kubernetes-embedded-resource`).

use serde_json::{Map, Value};

use super::cause::Causes;
use super::{Additional, Reason, Schema, decode_metadata};
use crate::path::Path;

/// What a label of DNS is that begins with a letter.
pub(crate) const LABEL: &str = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an \
    alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for \
    validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";

impl Schema {
    /// Reads the whole objects within an object as such. The error says which cannot be, and why: it stays as it is, as
    /// does what is in it.
    pub(crate) fn read_wholes(&self, value: &mut Value) -> Result<(), String> {
        let mut read = Ok(());
        self.read_wholes_below(value, Path::Root, &mut read);
        read
    }

    fn read_wholes_below(
        &self,
        value: &mut Value,
        path: Path<'_>,
        so_far: &mut Result<(), String>,
    ) {
        match value {
            Value::Object(fields) => {
                if self.embedded {
                    read(fields, path, so_far);
                }
                for (name, value) in fields.iter_mut() {
                    if let Some(field) = self.field(name) {
                        field.read_wholes_below(value, self.below(&path, name), so_far);
                    }
                }
            }
            Value::Array(elements) => {
                for (at, element) in elements.iter_mut().enumerate() {
                    self.element()
                        .read_wholes_below(element, path.at(at), so_far);
                }
            }
            _ => {}
        }
    }

    /// Tells of all whole objects within a value.
    pub(crate) fn each_whole(&self, value: &Value, tell: &mut Tell<'_>) {
        self.each_whole_below(value, Path::Root, tell);
    }

    fn each_whole_below(&self, value: &Value, path: Path<'_>, tell: &mut Tell<'_>) {
        match value {
            Value::Object(fields) => {
                if self.embedded {
                    tell(path, fields);
                }
                for (name, value) in fields {
                    if let Some(field) = self.field(name) {
                        field.each_whole_below(value, self.below(&path, name), tell);
                    }
                }
            }
            Value::Array(elements) => {
                for (at, element) in elements.iter().enumerate() {
                    self.element().each_whole_below(element, path.at(at), tell);
                }
            }
            _ => {}
        }
    }

    /// Where a field is: one that is declared has a name, another is an entry of a map.
    pub(super) fn below<'p>(&self, path: &'p Path<'p>, name: &'p str) -> Path<'p> {
        let is_entry = matches!(self.additional, Additional::Values(_));
        match is_entry && !self.properties.contains_key(name) {
            true => path.entry(name),
            false => path.name(name),
        }
    }
}

/// Who is told of a whole object in another, and where it is.
type Tell<'t> = dyn FnMut(Path<'_>, &Map<String, Value>) + 't;

/// Brings a whole object into the form that Go's types give it.
fn read(fields: &mut Map<String, Value>, path: Path<'_>, so_far: &mut Result<(), String>) {
    for (name, value) in fields.iter_mut() {
        let wrong = match name.as_str() {
            "apiVersion" | "kind" if !value.is_string() => NO_STRING.to_owned(),
            "metadata" => match read_metadata(value) {
                Ok(metadata) => {
                    *value = metadata;
                    continue;
                }
                Err(why) => why,
            },
            _ => continue,
        };
        if so_far.is_ok() {
            let path = path.name(name);
            *so_far = Err(format!("{path}: Invalid value: {value}: {wrong}"));
        }
    }
}

const NO_STRING: &str = "must be a string";

/// Metadata as Go's types have it, or why it cannot be read.
pub(crate) fn read_metadata(metadata: &Value) -> Result<Value, String> {
    if metadata.is_null() {
        return Ok(Value::Object(Map::new()));
    }
    let mut object = serde_json::json!({"metadata": metadata});
    decode_metadata(&mut object)?;
    let mut metadata = object["metadata"].take();
    forget_nothing(&mut metadata);
    Ok(metadata)
}

/// What is not there is not said.
fn forget_nothing(metadata: &mut Value) {
    let is_nothing = |value: &Value| match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Number(number) => number.as_i64() == Some(0),
        _ => false,
    };
    let is_grace = |name: &str| name == "deletionGracePeriodSeconds";
    if let Some(fields) = metadata.as_object_mut() {
        fields.retain(|name, value| is_grace(name) || !is_nothing(value));
    }
}

/// What is wrong with how a whole object is called.
pub(super) fn check(path: Path<'_>, fields: &Map<String, Value>, causes: &mut Causes<'_>) {
    for name in ["apiVersion", "kind"] {
        if !fields.contains_key(name) {
            causes.add(Reason::Required, path.name(name), "Required value");
        }
    }
    let mut wrong = |name: &str, said: &Value, why: &str| {
        let message = format_args!("Invalid value: {said}: {why}");
        causes.add(Reason::Invalid, path.name(name), message);
    };
    for name in ["apiVersion", "kind"] {
        if let Some(said) = fields.get(name).filter(|said| !said.is_string()) {
            wrong(name, said, NO_STRING);
        }
    }
    if let Some(metadata) = fields.get("metadata")
        && let Err(why) = read_metadata(metadata)
    {
        wrong("metadata", metadata, &why);
    }
    let text = |name: &str| fields.get(name).and_then(Value::as_str);
    if let Some(version) = text("apiVersion") {
        if version.is_empty() {
            wrong("apiVersion", &version.into(), "must not be empty");
        } else if version.split('/').count() > 2 {
            let why = format!("unexpected GroupVersion string: {version}");
            wrong("apiVersion", &version.into(), &why);
        }
    }
    if let Some(kind) = text("kind") {
        let is_inner = |c: char| c.is_ascii_alphanumeric() || c == '-';
        let is_label = kind.starts_with(|c: char| c.is_ascii_alphabetic())
            && kind.ends_with(|c: char| c.is_ascii_alphanumeric())
            && kind.chars().all(is_inner);
        let of_length = (kind.len() > 63).then_some("must be no more than 63 characters");
        let of_letters = (!is_label).then_some(LABEL);
        let why: Vec<&str> = of_length.into_iter().chain(of_letters).collect();
        if kind.is_empty() {
            wrong("kind", &kind.into(), "must not be empty");
        } else if !why.is_empty() {
            let why = why.join(",");
            let why = format!("may have mixed case, but should otherwise match: {why}");
            wrong("kind", &kind.into(), &why);
        }
    }
}
