//! An object as it is kept: the JSON that is sent for it, and the little that is asked of it all the time.
//!
//! A tree of maps takes several times the memory of the same object as text, and an answer would have to write it
//! out again. What is stored is read far less often than it is sent.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Deserialize;
use serde_json::Value;

use super::Key;
use crate::object;

/// The fields that come first, in this order: lists of built-in kinds leave out the first two, and some want the
/// third alone.
const FIRST: [&str; 3] = ["apiVersion", "kind", "metadata"];

/// One state of an object.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) key: Key,
    pub(crate) revision: u64,
    pub(crate) is_deleting: bool,
    pub(crate) has_owners: bool,
    text: Box<[u8]>,
    /// Where `metadata` begins, behind version and kind, and where its value does and ends.
    metadata: [usize; 3],
    read: OnceLock<Box<Value>>,
}

impl Kept {
    pub(crate) fn new(key: Key, revision: u64, object: &Value) -> Self {
        let mut text = vec![b'{'];
        let mut metadata = [0; 3];
        for name in FIRST {
            let begin = text.len();
            let Some(value) = object.get(name) else {
                continue;
            };
            let value = write_field(name, value, &mut text);
            metadata = [begin, value, text.len()];
            text.push(b',');
        }
        for (name, value) in object.as_object().into_iter().flatten() {
            if !FIRST.contains(&name.as_str()) {
                write_field(name, value, &mut text);
                text.push(b',');
            }
        }
        text.pop();
        text.push(b'}');
        Self {
            key,
            revision,
            is_deleting: object::is_deleting(object),
            has_owners: object::owners(object).next().is_some(),
            text: text.into_boxed_slice(),
            metadata,
            read: OnceLock::new(),
        }
    }

    /// The object.
    pub(crate) fn value(&self) -> Value {
        // It was written from a value that is no deeper than what is read.
        serde_json::from_slice(&self.text).unwrap_or_default()
    }

    /// The same under another revision.
    pub(crate) fn at(&self, revision: u64) -> Self {
        let mut object = self.value();
        object::set_meta(&mut object, "resourceVersion", revision.to_string());
        Self::new(self.key.clone(), revision, &object)
    }

    /// The object, kept in memory from now on: for what is read again and again.
    pub(crate) fn read(&self) -> &Value {
        self.read.get_or_init(|| Box::new(self.value()))
    }

    /// The object as JSON.
    pub(crate) fn text(&self) -> &[u8] {
        &self.text
    }

    /// What follows the brace in the JSON of the object without kind and version.
    pub(crate) fn text_of_the_rest(&self) -> &[u8] {
        &self.text[self.metadata[0]..]
    }

    /// The metadata as JSON.
    pub(crate) fn text_of_metadata(&self) -> &[u8] {
        &self.text[self.metadata[1]..self.metadata[2]]
    }

    /// Whether it is written in this version.
    pub(crate) fn is_of(&self, api_version: &str) -> bool {
        let rest = self.text.strip_prefix(b"{\"apiVersion\":\"");
        rest.and_then(|rest| rest.strip_prefix(api_version.as_bytes()))
            .is_some_and(|rest| rest.starts_with(b"\""))
    }

    pub(crate) fn labels(&self) -> BTreeMap<String, String> {
        #[derive(Default, Deserialize)]
        struct Metadata {
            labels: Option<BTreeMap<String, String>>,
        }
        let metadata: Metadata =
            serde_json::from_slice(self.text_of_metadata()).unwrap_or_default();
        metadata.labels.unwrap_or_default()
    }

    /// Whether it is this object, in whatever order its fields are.
    pub(super) fn holds(&self, object: &Value) -> bool {
        self.value() == *object
    }
}

/// Says where the value begins.
fn write_field(name: &str, value: &Value, text: &mut Vec<u8>) -> usize {
    write(&Value::from(name), text);
    text.push(b':');
    let begin = text.len();
    write(value, text);
    begin
}

/// Values can always be written to memory.
fn write(value: &Value, text: &mut Vec<u8>) {
    if serde_json::to_writer(&mut *text, value).is_err() {
        text.extend_from_slice(b"null");
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn kept(object: &Value) -> Kept {
        Kept::new(Key::of(object), 7, object)
    }

    #[test]
    fn its_parts_are_those_of_the_object() {
        let metadata =
            json!({"name": "a", "labels": {"to": "\"it\""}, "ownerReferences": [{"uid": "1"}]});
        let object = json!({"apiVersion": "v1", "data": {"a": "1"}, "kind": "ConfigMap", "metadata": metadata});
        let kept = kept(&object);
        assert_eq!(kept.value(), object);
        assert_eq!(*kept.read(), object);
        let of_metadata: Value = serde_json::from_slice(kept.text_of_metadata()).unwrap();
        assert_eq!(of_metadata, metadata);
        let rest = [b"{", kept.text_of_the_rest()].concat();
        let rest: Value = serde_json::from_slice(&rest).unwrap();
        assert_eq!(rest, json!({"data": {"a": "1"}, "metadata": metadata}));
        assert_eq!(kept.labels()["to"], "\"it\"");
        assert!(kept.is_of("v1") && !kept.is_of("v") && !kept.is_of("v1beta1"));
        assert!(kept.has_owners && !kept.is_deleting);
    }

    #[test]
    fn only_the_order_of_fields_does_not_matter() {
        let same = kept(&json!({"metadata": {"name": "a"}, "b": 1}));
        assert!(same.holds(&json!({"b": 1, "metadata": {"name": "a"}})));
        assert!(!same.holds(&json!({"b": 2, "metadata": {"name": "a"}})));
    }
}
