//! What is asked of fields, whatever their kind.

use std::collections::HashSet;

use serde_json::Value;

use super::names;
use crate::failure::Cause;
use crate::structs::internal;

pub(super) const NOT_NEGATIVE: &str = "must be greater than or equal to 0";
/// What the metadata of a template may not say, and how a server calls it.
const UNUSED_METADATA: [(&str, &str); 13] = [
    ("name", "name"),
    ("generateName", "generateName"),
    ("namespace", "namespace"),
    ("selfLink", "selfLink"),
    ("uid", "uID"),
    ("resourceVersion", "resourceVersion"),
    ("generation", "generation"),
    ("creationTimestamp", "creationTimestamp"),
    ("deletionTimestamp", "deletionTimestamp"),
    ("deletionGracePeriodSeconds", "deletionGracePeriodSeconds"),
    ("ownerReferences", "ownerReferences"),
    ("finalizers", "finalizers"),
    ("managedFields", "managedFields"),
];
const NO_OPERATOR: &str = "not a valid selector operator";

pub(super) fn text<'a>(object: &'a Value, field: &str) -> &'a str {
    object[field].as_str().unwrap_or_default()
}

pub(super) fn list<'a>(object: &'a Value, field: &str) -> &'a [Value] {
    let list = object[field].as_array();
    list.map(Vec::as_slice).unwrap_or_default()
}

/// What the elements of a list say in a field.
pub(super) fn texts<'a>(list: &'a [Value], field: &str) -> HashSet<&'a str> {
    list.iter().map(|element| text(element, field)).collect()
}

pub(super) fn number(object: &Value, field: &str) -> Option<i64> {
    object[field].as_i64()
}

pub(super) fn at<'a>(object: &'a Value, pointer: &str) -> &'a Value {
    object.pointer(pointer).unwrap_or(&Value::Null)
}

/// Those of the fields that are numbers below zero.
pub(super) fn not_negative(object: &Value, path: &str, fields: &[&str]) -> Vec<Cause> {
    let negative = fields.iter().filter_map(|field| {
        let number = number(object, field).filter(|number| *number < 0)?;
        let at = format!("{path}.{field}");
        Some(Cause::invalid(&at, &number.into(), NOT_NEGATIVE))
    });
    negative.collect()
}

/// A value that is none of those that are known.
pub(super) fn one_of(value: &str, path: &str, known: &[&str]) -> Option<Cause> {
    (!known.contains(&value)).then(|| {
        let known: Vec<String> = known.iter().map(|known| format!("{known:?}")).collect();
        Cause::unsupported(path, &value.into(), &known.join(", "))
    })
}

/// The same of a value that need not be there. One that is there and empty is one of a pointer in Go: others that are empty
/// are not kept.
pub(super) fn one_of_if_said(value: &Value, path: &str, known: &[&str]) -> Option<Cause> {
    one_of(value.as_str()?, path, known)
}

/// The same of a field of an object.
pub(super) fn one_of_if_there(
    object: &Value,
    field: &str,
    path: &str,
    known: &[&str],
) -> Option<Cause> {
    one_of_if_said(&object[field], &format!("{path}.{field}"), known)
}

/// More in a list than there may be.
pub(super) fn too_many(list: &[Value], most: usize, path: &str) -> Option<Cause> {
    let count = list.len();
    let message = format!("Too many: {count}: must have at most {most} items");
    (count > most).then(|| Cause::new("FieldValueTooMany", path, message))
}

/// What is wrong with the metadata of a template of an object of which nothing else is taken over.
pub(super) fn template_metadata(metadata: &Value, path: &str) -> Vec<Cause> {
    let mut wrong = names::annotations(&metadata["annotations"], &format!("{path}.annotations"));
    wrong.extend(labels(&metadata["labels"], &format!("{path}.labels")));
    let said = UNUSED_METADATA
        .iter()
        .filter(|(field, _)| !metadata[*field].is_null());
    wrong.extend(
        said.map(|(_, shown)| Cause::forbidden(&format!("{path}.{shown}"), "cannot be set")),
    );
    wrong
}

/// What is wrong with the labels in a field.
pub(super) fn labels(labels: &Value, path: &str) -> Vec<Cause> {
    let mut wrong = Vec::new();
    for (key, value) in labels.as_object().into_iter().flatten() {
        let reasons = names::qualified(key);
        let reasons = reasons.iter();
        wrong.extend(reasons.map(|why| Cause::invalid(path, &key.as_str().into(), why)));
        let why = names::label_value(value.as_str().unwrap_or_default());
        wrong.extend(why.map(|why| Cause::invalid(path, value, why)));
    }
    wrong
}

/// What is wrong with a selector as a whole, which is shown with its fields in the order of the struct.
pub(super) fn invalid_selector(path: &str, selector: &Value, why: &str) -> Cause {
    let value = match selector.is_object() {
        true => internal::text("v1.LabelSelector", selector),
        false => selector.to_string(),
    };
    let mut message = format!("Invalid value: {value}");
    if !why.is_empty() {
        message.push_str(&format!(": {why}"));
    }
    Cause::new("FieldValueInvalid", path, message)
}

/// What is wrong with a selector of labels.
pub(super) fn selector(selector: &Value, path: &str) -> Vec<Cause> {
    let mut wrong = labels(&selector["matchLabels"], &format!("{path}.matchLabels"));
    for (index, expression) in list(selector, "matchExpressions").iter().enumerate() {
        let path = format!("{path}.matchExpressions[{index}]");
        wrong.extend(requirement(expression, &path));
    }
    wrong
}

/// What is wrong with how many values a requirement has, `path`, by what it asks of them.
pub(in crate::api) fn requirement_values(
    operator: &str,
    values: usize,
    path: &str,
) -> Option<Cause> {
    match operator {
        "In" | "NotIn" if values == 0 => {
            let why = "must be specified when `operator` is 'In' or 'NotIn'";
            Some(Cause::required(path, why))
        }
        "Exists" | "DoesNotExist" if values > 0 => {
            let why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
            Some(Cause::forbidden(path, why))
        }
        _ => None,
    }
}

/// What is wrong with one requirement of labels.
pub(in crate::api) fn requirement(expression: &Value, path: &str) -> Vec<Cause> {
    let at = |field: &str| format!("{path}.{field}");
    let (operator, values) = (text(expression, "operator"), list(expression, "values"));
    let mut wrong = Vec::from_iter(requirement_values(operator, values.len(), &at("values")));
    match operator {
        "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
        other => wrong.push(Cause::invalid(&at("operator"), &other.into(), NO_OPERATOR)),
    }
    let key = text(expression, "key");
    let reasons = names::qualified(key);
    let reasons = reasons.iter();
    wrong.extend(reasons.map(|why| Cause::invalid(&at("key"), &key.into(), why)));
    for (index, value) in values.iter().enumerate() {
        let why = names::label_value(value.as_str().unwrap_or_default());
        let at = at(&format!("values[{index}]"));
        wrong.extend(why.map(|why| Cause::invalid(&at, value, why)));
    }
    wrong
}
