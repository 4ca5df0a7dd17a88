//! Values that a server shows as its own code spells them.

use serde_json::{Deserializer, Value};

/// What is small enough to be shown by the embedded server too.
const SHOWN: [&str; 2] = ["apiextensions.k8s.io", "authorization.k8s.io"];

/// Replaces the structs in what a Status says by `{..}`, and leaves out how two of them differ.
pub(super) fn hide(status: &mut Value) {
    let is_shown = SHOWN
        .iter()
        .any(|group| status["details"]["group"] == *group);
    if status["kind"] != "Status" || is_shown {
        return;
    }
    let mut message = status["message"].as_str().unwrap_or_default().to_owned();
    let causes = status.pointer_mut("/details/causes");
    let causes = causes.and_then(Value::as_array_mut);
    for cause in causes.into_iter().flatten() {
        let said = cause["message"].as_str().unwrap_or_default().to_owned();
        if let Some((first, _)) = said.split_once("\n@@ ") {
            message = message.replace(&said[first.len()..], "");
            cause["message"] = first.into();
        } else {
            cause["message"] = without_structs(&said).into();
        }
    }
    if !message.is_empty() {
        status["message"] = without_structs(&message).into();
    }
}

fn without_structs(text: &str) -> String {
    const BEFORE: &str = " value: ";
    let mut hidden = String::new();
    let mut rest = text;
    while let Some(found) = rest.find(BEFORE) {
        let (before, value) = rest.split_at(found + BEFORE.len());
        hidden.push_str(before);
        let mut values = Deserializer::from_str(value).into_iter::<Value>();
        let first = values.next();
        rest = value;
        if first.is_some_and(|value| value.is_ok_and(|value| is_struct(&value))) {
            hidden.push_str("{..}");
            rest = &value[values.byte_offset()..];
        }
    }
    hidden + rest
}

/// The fields of the API begin with a small letter.
fn is_struct(value: &Value) -> bool {
    match value {
        Value::Object(fields) => fields.keys().any(|key| key.starts_with(char::is_uppercase)),
        Value::Array(list) => list.first().is_some_and(is_struct),
        _ => false,
    }
}
