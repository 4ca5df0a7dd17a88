//! What an object must be for server-side apply to read it.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::Value;

use super::set::display;
use super::shape::{Shape, element_name, shape};
use crate::failure::Texts;
use crate::patch::go;
use crate::schema::{Kind, Schema};

/// What is wrong with an applied object: undeclared fields, wrong types, elements that share a name.
pub(crate) fn untyped(value: &Value, schema: &Schema) -> Option<String> {
    Look::new(false).mistakes(value, schema)
}

/// The same of an object as it is kept, in whose lists elements may share a name.
pub(crate) fn untyped_live(value: &Value, schema: &Schema) -> Option<String> {
    Look::new(true).mistakes(value, schema)
}

/// The way to a value, which is written out for a mistake alone.
#[derive(Clone, Copy)]
enum Path<'p> {
    Root,
    Field(&'p Path<'p>, &'p str),
    Element(&'p Path<'p>, &'p str),
    At(&'p Path<'p>, usize),
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Field(before, name) => write!(f, "{before}.{name}"),
            Self::Element(before, name) => write!(f, "{before}{}", display(name)),
            Self::At(before, index) => write!(f, "{before}[{index}]"),
        }
    }
}

struct Look {
    errors: Texts,
    allows_duplicates: bool,
}

impl Look {
    fn new(allows_duplicates: bool) -> Self {
        Self {
            errors: Texts::default(),
            allows_duplicates,
        }
    }

    fn mistakes(mut self, value: &Value, schema: &Schema) -> Option<String> {
        self.look(value, schema, &Path::Root);
        match self.errors.told().as_slice() {
            [] => None,
            [one] => Some(one.clone()),
            many => Some(format!("errors:\n  {}", many.join("\n  "))),
        }
    }

    fn look(&mut self, value: &Value, schema: &Schema, path: &Path<'_>) {
        let node = schema.target();
        if value.is_null() {
            return;
        }
        if node.int_or_string {
            // Whatever it is, validation has a word for it.
            return;
        }
        if let Some((expected, got)) = mistyped(value, node) {
            self.errors
                .tell(format_args!("{path}: expected {expected}, got {got}"));
            return;
        }
        if let Shape::Elements(elements) = shape(value, schema) {
            return self.look_at_elements(elements, schema, path);
        }
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    let path = Path::Field(path, name);
                    match schema.applied_field(name) {
                        Some(field) => self.look(value, field, &path),
                        None => {
                            // The first one is enough for a map.
                            self.errors
                                .tell(format_args!("{path}: field not declared in schema"));
                            break;
                        }
                    }
                }
            }
            Value::Array(elements) => {
                for (at, element) in elements.iter().enumerate() {
                    self.look(element, schema.element(), &Path::At(path, at));
                }
            }
            _ => {}
        }
    }

    fn look_at_elements(&mut self, elements: &[Value], schema: &Schema, path: &Path<'_>) {
        let mut seen = BTreeSet::new();
        for (at, element) in elements.iter().enumerate() {
            match element_name(element, schema) {
                Ok(name) => {
                    if seen.contains(&name) && !self.allows_duplicates {
                        let shown = display(&name);
                        self.errors
                            .tell(format_args!("{path}: duplicate entries for key {shown}"));
                    }
                    self.look(element, schema.element(), &Path::Element(path, &name));
                    seen.insert(name);
                }
                // What comes behind it is not looked at.
                Err(error) => {
                    self.errors
                        .tell(format_args!("{path}: element {at}: {error}"));
                    break;
                }
            }
        }
    }
}

/// What a value is not, and what it is instead.
fn mistyped(value: &Value, node: &Schema) -> Option<(&'static str, String)> {
    let plain = || format!("&{{{}}}", go::plain(value));
    // What a format says of a string is nothing to server-side apply, but for bytes.
    let format = node.rules.format.as_deref();
    let has_format = node.rules.has_odd_format || format.is_some_and(|format| format != "byte");
    match node.kind {
        Some(Kind::Object) if !value.is_object() => Some(("map", plain())),
        Some(Kind::Array) if !value.is_array() => Some(("list", plain())),
        Some(Kind::Boolean) if !value.is_boolean() => Some(("boolean", plain())),
        Some(Kind::String) if has_format => {
            (value.is_object() || value.is_array()).then(|| ("any scalar", plain()))
        }
        Some(Kind::String) if !value.is_string() => {
            let got = go::syntax(value, "string");
            Some(("string", format!("&value.valueUnstructured{{Value:{got}}}")))
        }
        Some(Kind::Integer | Kind::Number) if !value.is_number() => {
            Some(("numeric (int or float)", go::type_name(value).to_owned()))
        }
        _ => None,
    }
}
