//! Whole objects within objects (`x-kubernetes-embedded-resource`).

use serde_json::{Map, Value};

use super::{Cause, Reason, Schema, decode_metadata};

const LABEL: &str = "may have mixed case, but should otherwise match: a DNS-1035 label must consist of lower case \
    alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. \
    'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";

impl Schema {
    /// Whether whole objects within an object can be read as such; the error says which cannot, and why.
    pub(crate) fn read_wholes(&self, value: &Value, path: &str) -> Result<(), String> {
        let below = |name: &str| match path {
            "" => name.to_owned(),
            path => format!("{path}.{name}"),
        };
        match value {
            Value::Object(fields) => {
                for (name, value) in fields.iter() {
                    let path = below(name);
                    let wrong = |why: &str| Err(format!("{path}: Invalid value: {value}: {why}"));
                    match name.as_str() {
                        "apiVersion" | "kind" if self.embedded && !value.is_string() => {
                            return wrong("must be a string");
                        }
                        "metadata" if self.embedded => {
                            let mut object = serde_json::json!({"metadata": value});
                            if let Err(why) = decode_metadata(&mut object) {
                                return wrong(&why);
                            }
                        }
                        _ => {}
                    }
                    if let Some(field) = self.field(name) {
                        field.read_wholes(value, &path)?;
                    }
                }
                Ok(())
            }
            Value::Array(elements) => elements.iter().enumerate().try_for_each(|(at, element)| {
                let element_path = format!("{path}[{at}]");
                self.element().read_wholes(element, &element_path)
            }),
            _ => Ok(()),
        }
    }
}

/// What is wrong with how a whole object is called.
pub(super) fn check(fields: &Map<String, Value>, path: &str, causes: &mut Vec<Cause>) {
    let mut wrong = |name: &str, said: &str, why: &str| {
        let message = format!("Invalid value: {}: {why}", Value::from(said));
        causes.push(Cause::new(
            Reason::Invalid,
            &format!("{path}.{name}"),
            &message,
        ));
    };
    let text = |name: &str| fields.get(name).and_then(Value::as_str);
    if let Some(version) = text("apiVersion") {
        if version.is_empty() {
            wrong("apiVersion", version, "must not be empty");
        } else if version.split('/').count() > 2 {
            let why = format!("unexpected GroupVersion string: {version}");
            wrong("apiVersion", version, &why);
        }
    }
    if let Some(kind) = text("kind") {
        let is_inner = |c: char| c.is_ascii_alphanumeric() || c == '-';
        let is_label = kind.len() <= 63
            && kind.starts_with(|c: char| c.is_ascii_alphabetic())
            && kind.ends_with(|c: char| c.is_ascii_alphanumeric())
            && kind.chars().all(is_inner);
        if kind.is_empty() {
            wrong("kind", kind, "must not be empty");
        } else if !is_label {
            wrong("kind", kind, LABEL);
        }
    }
}
