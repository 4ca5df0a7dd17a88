//! What of an object is kept.

use std::borrow::Cow;

use kube::Resource;
use kube::api::ObjectMeta;
use serde::Deserialize;
use serde_json::value::RawValue;

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

    /// The JSON of an object without the fields that each manager owns, unless they are kept: they are a tree with a branch
    /// for each field of the object, which nobody needs to be built.
    pub(crate) fn text(self, text: &str) -> Cow<'_, str> {
        match self {
            Self::Everything => text.into(),
            Self::WhatIsRead => without_fields(text),
        }
    }

    /// The metadata as it is kept, for who compares it with what is in a cache.
    pub(crate) fn of_meta(self, meta: &mut ObjectMeta) {
        if self == Self::WhatIsRead {
            slim(meta);
        }
    }
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

/// The same with `null` for each `fieldsV1`. What is no object is left to whoever reads it.
fn without_fields(text: &str) -> Cow<'_, str> {
    #[derive(Deserialize)]
    struct Object<'a> {
        #[serde(borrow)]
        metadata: Option<Metadata<'a>>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Metadata<'a> {
        #[serde(borrow)]
        managed_fields: Option<Vec<Entry<'a>>>,
    }
    #[derive(Deserialize)]
    struct Entry<'a> {
        #[serde(borrow, rename = "fieldsV1")]
        fields: Option<&'a RawValue>,
    }
    let Ok(Object {
        metadata: Some(Metadata {
            managed_fields: Some(entries),
        }),
    }) = serde_json::from_str(text)
    else {
        return text.into();
    };
    let mut rest = String::with_capacity(text.len());
    let mut from = 0;
    for fields in entries.iter().filter_map(|entry| entry.fields) {
        let fields = fields.get();
        // A part of the same text.
        let Some(start) = (fields.as_ptr() as usize).checked_sub(text.as_ptr() as usize) else {
            return text.into();
        };
        let Some(before) = text.get(from..start) else {
            return text.into();
        };
        rest.push_str(before);
        rest.push_str("null");
        from = start + fields.len();
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
        for text in [whole.to_string(), format!("{whole:#}")] {
            let read: Value = serde_json::from_str(&Kept::WhatIsRead.text(&text)).unwrap();
            assert_eq!(read, slim);
            assert_eq!(Kept::Everything.text(&text), text);
        }
        for other in [
            "",
            "[]",
            "{}",
            r#"{"metadata":null}"#,
            r#"{"metadata":{"managedFields":7}}"#,
        ] {
            assert_eq!(Kept::WhatIsRead.text(other), other);
        }
    }
}
