//! The `scale` subresource: where a kind keeps its number of replicas.

use std::borrow::Cow;

use serde_json::{Value, json};

use crate::failure::Cause;
use crate::object;
use crate::patch::go;

/// Where the parts of a Scale are in an object, as JSON pointers.
#[derive(Clone, Debug)]
pub(crate) struct Scale {
    pub(crate) spec: Cow<'static, str>,
    pub(crate) status: Cow<'static, str>,
    pub(crate) selector: Selection,
}

/// How an object says which pods are counted.
#[derive(Clone, Debug)]
pub(crate) enum Selection {
    Nothing,
    /// With a selector of labels.
    Labels(&'static str),
    /// With the labels alone.
    Map(&'static str),
    /// In a string of its own.
    Text(String),
}

fn check_number(object: &Value, pointer: &str) -> Option<Cause> {
    let path = pointer.replace('/', ".");
    let number = match number(object, pointer) {
        Ok(number) => number?,
        Err(why) => return Some(Cause::invalid(&path, &0.into(), &why)),
    };
    if number < 0 {
        let must = "should be a non-negative integer";
        return Some(Cause::invalid(&path, &number.into(), must));
    }
    let must = format!("should be less than or equal to {}", i32::MAX);
    let is_too_large = number > i64::from(i32::MAX);
    is_too_large.then(|| Cause::invalid(&path, &number.into(), &must))
}

fn check_text(object: &Value, pointer: &str) -> Option<Cause> {
    let why = text(object, pointer).err()?;
    Some(Cause::invalid(&pointer.replace('/', "."), &"".into(), &why))
}

fn number(object: &Value, pointer: &str) -> Result<Option<i64>, String> {
    let value = found(object, pointer)?;
    let wrong = |value| accessor_error(&pointer.replace('/', "."), value, "int64");
    let number = value.map(|value| value.as_i64().ok_or_else(|| wrong(value)));
    number.transpose()
}

fn text<'v>(object: &'v Value, pointer: &str) -> Result<Option<&'v str>, String> {
    let value = found(object, pointer)?;
    let wrong = |value| accessor_error(&pointer.replace('/', "."), value, "string");
    let text = value.map(|value| value.as_str().ok_or_else(|| wrong(value)));
    text.transpose()
}

/// What is at a place, if what is above it are maps.
fn found<'v>(object: &'v Value, pointer: &str) -> Result<Option<&'v Value>, String> {
    let (mut value, mut path) = (object, String::new());
    for step in pointer.split('/').skip(1) {
        path = format!("{path}.{step}");
        if value.is_null() {
            return Ok(None);
        }
        let Value::Object(fields) = value else {
            return Err(accessor_error(&path, value, "map[string]interface{}"));
        };
        match fields.get(step) {
            Some(below) => value = below,
            None => return Ok(None),
        }
    }
    Ok(Some(value))
}

fn accessor_error(path: &str, value: &Value, expected: &str) -> String {
    let (told, kind) = (go::plain(value), go::type_name(value));
    format!("{path} accessor error: {told} is of the type {kind}, expected {expected}")
}

impl Scale {
    /// What a version of a CRD declares.
    pub(super) fn declared(version: &Value) -> Option<Self> {
        let scale = version.pointer("/subresources/scale")?;
        let pointer = |field: &str| {
            let path = scale.get(field)?.as_str()?;
            Some(path.replace('.', "/"))
        };
        Some(Self {
            spec: pointer("specReplicasPath")?.into(),
            status: pointer("statusReplicasPath")?.into(),
            selector: pointer("labelSelectorPath").map_or(Selection::Nothing, Selection::Text),
        })
    }

    /// Why a custom resource cannot be read as a Scale: where a number is to be there is something else.
    pub(crate) fn check_read(&self, object: &Value) -> Result<(), String> {
        number(object, &self.spec)?;
        number(object, &self.status)?;
        match &self.selector {
            Selection::Text(pointer) => text(object, pointer).map(|_| ()),
            _ => Ok(()),
        }
    }

    /// What is wrong with the numbers of a custom resource, or with that of its status alone.
    pub(crate) fn validate(&self, object: &Value, of_status: bool) -> Vec<Cause> {
        let numbers = [&self.spec, &self.status].into_iter();
        let numbers = numbers.skip(usize::from(of_status));
        let mut wrong = Vec::from_iter(numbers.filter_map(|pointer| check_number(object, pointer)));
        if let Selection::Text(pointer) = &self.selector {
            wrong.extend(check_text(object, pointer));
        }
        wrong
    }

    /// The names that lead to the number that is wanted.
    pub(crate) fn path(&self) -> Vec<String> {
        self.spec.split('/').skip(1).map(str::to_owned).collect()
    }

    /// The number that is wanted; nothing if the object does not say.
    pub(crate) fn wanted(&self, object: &Value) -> Option<i64> {
        object.pointer(&self.spec)?.as_i64()
    }

    /// The number that there is.
    pub(crate) fn found(&self, object: &Value) -> i64 {
        let found = object.pointer(&self.status).and_then(Value::as_i64);
        found.unwrap_or(0)
    }

    /// The selector in one line; empty if there is none.
    pub(crate) fn selector(&self, object: &Value) -> String {
        match &self.selector {
            Selection::Nothing => String::new(),
            Selection::Labels(pointer) => in_one_line(object.pointer(pointer)),
            Selection::Map(pointer) => {
                let labels = json!({"matchLabels": object.pointer(pointer)});
                in_one_line(Some(&labels))
            }
            Selection::Text(pointer) => {
                let text = object.pointer(pointer).and_then(Value::as_str);
                text.unwrap_or_default().to_owned()
            }
        }
    }

    /// Sets the number that is wanted, if what is above it can have fields.
    pub(crate) fn want(&self, object: &mut Value, replicas: i64) -> Result<(), String> {
        let mut fields: Vec<&str> = self.spec.split('/').skip(1).collect();
        let Some(last) = fields.pop() else {
            return Ok(());
        };
        let (mut place, mut path) = (object::as_map(object), String::new());
        for field in fields {
            path = format!("{path}.{field}");
            let below = place.entry(field).or_insert_with(|| json!({}));
            place = below.as_object_mut().ok_or_else(|| {
                format!("value cannot be set because {path} is not a map[string]interface{{}}")
            })?;
        }
        place.insert(last.to_owned(), replicas.into());
        Ok(())
    }
}

/// A selector of labels as kubectl shows it: `app=web,tier in (a,b)`.
pub(crate) fn in_one_line(selector: Option<&Value>) -> String {
    let part = |field| selector.and_then(|selector| selector.get(field));
    let mut parts: Vec<(String, String)> = Vec::new();
    let labels = part("matchLabels").and_then(Value::as_object);
    for (key, value) in labels.into_iter().flatten() {
        let value = value.as_str().unwrap_or_default();
        parts.push((key.clone(), format!("{key}={value}")));
    }
    let expressions = part("matchExpressions").and_then(Value::as_array);
    for expression in expressions.into_iter().flatten() {
        let text = |field: &str| {
            let value = expression.get(field).and_then(Value::as_str);
            value.unwrap_or_default().to_owned()
        };
        let values = expression.get("values").and_then(Value::as_array);
        let mut values: Vec<&str> = values
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        values.sort_unstable();
        let (key, values) = (text("key"), values.join(","));
        let shown = match text("operator").as_str() {
            "In" => format!("{key} in ({values})"),
            "NotIn" => format!("{key} notin ({values})"),
            "DoesNotExist" => format!("!{key}"),
            _ => key.clone(),
        };
        parts.push((key, shown));
    }
    parts.sort();
    let shown: Vec<String> = parts.into_iter().map(|(_, shown)| shown).collect();
    shown.join(",")
}
