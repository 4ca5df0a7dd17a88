//! The one status write of a reconcile.

use serde_json::{Map, Value, json};

use super::conditions::{Ready, next_conditions};
use super::remote::Remote;
use crate::transport::Failure;

/// How often the status is merged anew because somebody else wrote it in between.
const TRIES: usize = 5;
const HTTP_CONFLICT: u16 = 409;

/// What a reconcile wants the status to become.
pub(crate) struct StatusChange<'a> {
    /// Before and after `cx.status`.
    pub(crate) fields: Option<&'a (Value, Value)>,
    /// The conditions, where they are declared.
    pub(crate) conditions: Option<Ready<'a>>,
    /// `metadata.generation`, where the status has an `observedGeneration`.
    pub(crate) observed_generation: Option<i64>,
}

impl StatusChange<'_> {
    /// What has to be sent to change `status`, `None` when it is already so.
    pub(crate) fn patch(&self, status: &Value) -> Option<Value> {
        let mut patch = match self.fields {
            Some((before, after)) => match difference(before, after) {
                Value::Object(patch) => patch,
                _ => Map::new(),
            },
            None => Map::new(),
        };
        if let Some(ready) = &self.conditions {
            let before = status
                .get("conditions")
                .and_then(Value::as_array)
                .map_or(&[][..], Vec::as_slice);
            patch.remove("conditions");
            let after = next_conditions(before, ready);
            if after != before {
                patch.insert("conditions".into(), Value::Array(after));
            }
        }
        if let Some(generation) = self.observed_generation
            && status.get("observedGeneration").and_then(Value::as_i64) != Some(generation)
        {
            patch.insert("observedGeneration".into(), json!(generation));
        }
        (!patch.is_empty()).then_some(Value::Object(patch))
    }
}

/// Writes the status of `object`, at most once and only if something changes; after a conflict the
/// object is read again and the change merged into what is there. Returns what the server returned.
pub(crate) async fn write_status(
    remote: &Remote,
    manager: &str,
    object: &Value,
    change: &StatusChange<'_>,
) -> Result<Option<Value>, Failure> {
    let uid = object.pointer("/metadata/uid").cloned();
    let mut current = std::borrow::Cow::Borrowed(object);
    let mut tries = 1;
    loop {
        let Some(patch) = change.patch(current.get("status").unwrap_or(&Value::Null)) else {
            return Ok(None);
        };
        let version = current.pointer("/metadata/resourceVersion");
        let patch =
            json!({ "metadata": { "uid": uid, "resourceVersion": version }, "status": patch });
        let failure = match remote.merge_status(&patch, manager).await {
            Ok(written) => return Ok(Some(written)),
            Err(failure) => failure,
        };
        match failure.code() {
            Some(404) if failure.names_an_object() => return Ok(None),
            Some(HTTP_CONFLICT) if tries < TRIES => {
                tries += 1;
                match remote.get().await? {
                    Some(newer) if newer.pointer("/metadata/uid").cloned() == uid => {
                        current = std::borrow::Cow::Owned(newer)
                    }
                    _ => return Ok(None),
                }
            }
            _ => return Err(failure),
        }
    }
}

/// The JSON merge patch (RFC 7386) from `before` to `after`.
fn difference(before: &Value, after: &Value) -> Value {
    let (Value::Object(after), nothing) = (after, Map::new()) else {
        return after.clone();
    };
    let before = before.as_object().unwrap_or(&nothing);
    let mut patch = Map::new();
    for (field, value) in after {
        match before.get(field) {
            Some(was) if was == value => {}
            Some(was @ Value::Object(_)) if value.is_object() => {
                patch.insert(field.clone(), difference(was, value));
            }
            None if value.is_null() => {}
            _ => {
                patch.insert(field.clone(), value.clone());
            }
        }
    }
    for field in before.keys().filter(|field| !after.contains_key(*field)) {
        patch.insert(field.clone(), Value::Null);
    }
    Value::Object(patch)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_changed_is_sent() {
        let before = json!({"url": "a", "zone": {"id": 1, "name": "x"}, "old": true});
        let after = json!({"url": "a", "zone": {"id": 2, "name": "x"}, "hosts": ["h"]});
        let patch = json!({"zone": {"id": 2}, "old": null, "hosts": ["h"]});
        assert_eq!(difference(&before, &after), patch);
        assert_eq!(difference(&before, &before), json!({}));
        assert_eq!(
            difference(&Value::Null, &json!({"url": null, "n": 1})),
            json!({"n": 1})
        );
    }

    #[test]
    fn nothing_is_sent_for_nothing() {
        let change = StatusChange {
            fields: None,
            conditions: None,
            observed_generation: Some(3),
        };
        assert_eq!(change.patch(&json!({"observedGeneration": 3})), None);
        assert_eq!(
            change.patch(&json!({"observedGeneration": 2})),
            Some(json!({"observedGeneration": 3}))
        );
    }
}
