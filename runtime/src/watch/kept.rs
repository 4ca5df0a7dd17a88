//! What of an object is kept.

use std::borrow::Cow;

use kube::Resource;
use kube::api::ObjectMeta;

use super::skim::find;

/// What `kubectl apply` remembers in an object: the object once more.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// How much of what is watched is kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Kept {
    Everything,
    /// All but what no controller reads, and what makes up half of many objects.
    #[default]
    WhatIsRead,
}

impl Kept {
    pub(super) fn of<K: Resource>(self, mut object: K) -> K {
        let meta = object.meta_mut();
        if self == Self::WhatIsRead {
            slim(meta);
        }
        // What is read from JSON has room for four of each.
        if let Some(finalizers) = &mut meta.finalizers {
            finalizers.shrink_to_fit();
        }
        if let Some(owners) = &mut meta.owner_references {
            owners.shrink_to_fit();
        }
        object
    }

    /// The JSON of an object without what would not be kept of it: whose fields are whose is a tree with a branch for
    /// each field of the object, which nobody needs to be built.
    pub(super) fn text(self, text: &str) -> Cow<'_, str> {
        match self {
            Self::Everything => text.into(),
            Self::WhatIsRead => without(text, &["metadata", "managedFields"]),
        }
    }

    /// The same of an answer, of which we look who has written when.
    pub(crate) fn answer(self, text: &str) -> Cow<'_, str> {
        match self {
            Self::Everything => text.into(),
            Self::WhatIsRead => without(text, &["metadata", "managedFields", "", "fieldsV1"]),
        }
    }

    /// The metadata as it is kept, for who compares it with what is in a cache.
    pub(crate) fn of_meta(self, meta: &ObjectMeta) -> Cow<'_, ObjectMeta> {
        if self == Self::Everything || is_slim(meta) {
            return Cow::Borrowed(meta);
        }
        let mut meta = meta.clone();
        slim(&mut meta);
        Cow::Owned(meta)
    }
}

fn is_slim(meta: &ObjectMeta) -> bool {
    let mut annotations = meta.annotations.iter().flatten();
    meta.managed_fields.is_none() && annotations.all(|(name, _)| name != LAST_APPLIED)
}

fn slim(meta: &mut ObjectMeta) {
    meta.managed_fields = None;
    if let Some(annotations) = &mut meta.annotations
        && annotations.remove(LAST_APPLIED).is_some()
        && annotations.is_empty()
    {
        meta.annotations = None;
    }
}

/// The same with `null` at a path. What cannot be skimmed is left as it is.
fn without<'a>(text: &'a str, path: &[&str]) -> Cow<'a, str> {
    let found = find(text, path).unwrap_or_default();
    if found.is_empty() {
        return text.into();
    }
    let mut rest = String::with_capacity(text.len());
    let mut from = 0;
    for value in found {
        rest.push_str(text.get(from..value.start).unwrap_or_default());
        rest.push_str("null");
        from = value.end;
    }
    rest.push_str(text.get(from..).unwrap_or_default());
    rest.into()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn only_the_fields_of_managers_are_left_out() {
        let object = |fields: [Value; 2]| {
            let [one, other] = fields;
            json!({
                "spec": {"managedFields": [{"fieldsV1": {"f:kept": {}}}], "text": "fieldsV1\": {"},
                "metadata": {"name": "one", "managedFields": [
                    {"manager": "kubectl", "fieldsV1": one, "time": "2026-01-01T00:00:00Z"},
                    {"manager": "other", "operation": "Apply"},
                    {"fieldsV1": other, "manager": "third"},
                ]},
            })
        };
        let whole = object([json!({"f:spec": {"f:text": {}}}), json!({"f:metadata": {}})]);
        let slim = object([Value::Null, Value::Null]);
        let mut slimmer = slim.clone();
        slimmer["metadata"]["managedFields"] = Value::Null;
        for text in [whole.to_string(), format!("{whole:#}")] {
            let read: Value = serde_json::from_str(&Kept::WhatIsRead.answer(&text)).unwrap();
            assert_eq!(read, slim);
            let read: Value = serde_json::from_str(&Kept::WhatIsRead.text(&text)).unwrap();
            assert_eq!(read, slimmer);
            assert_eq!(Kept::Everything.answer(&text), text);
            assert_eq!(Kept::Everything.text(&text), text);
        }
        for other in [
            "",
            "[]",
            "{}",
            r#"{"metadata":null}"#,
            r#"{"metadata":{"managedFields":7}}"#,
        ] {
            assert_eq!(Kept::WhatIsRead.answer(other), other);
        }
    }
}
