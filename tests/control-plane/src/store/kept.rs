//! An object as it is kept: the JSON that is sent for it, and the little that is asked of it all the time.
//!
//! A tree of maps takes several times the memory of the same object as text, and an answer would have to write it
//! out again. What is stored is read far less often than it is sent.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Key;
use super::uid::Uid;
use crate::json;
use crate::object;
use crate::structs;

/// One state of an object.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) key: Key,
    pub(crate) revision: u64,
    pub(crate) is_deleting: bool,
    pub(crate) has_owners: bool,
    uid: Uid,
    /// As it is sent.
    text: Box<[u8]>,
    /// Where `metadata` begins, and where its value does and ends.
    metadata: [usize; 3],
    read: OnceLock<Box<Value>>,
}

impl Kept {
    pub(crate) fn new(key: Key, revision: u64, object: &Value) -> Self {
        let (text, metadata) = written(object);
        Self {
            key,
            revision,
            is_deleting: object::is_deleting(object),
            has_owners: object::owners(object).next().is_some(),
            uid: Uid::of(object::uid(object)),
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

    /// What of the object is of a type; what that has no fields for is passed over.
    pub(crate) fn part<T: DeserializeOwned + Default>(&self) -> T {
        serde_json::from_slice(&self.text).unwrap_or_default()
    }

    /// Its uid, which the server gave it.
    pub(crate) fn uid(&self) -> Uid {
        self.uid
    }

    /// Whether this is its uid.
    pub(crate) fn has_uid(&self, uid: &str) -> bool {
        match (&self.uid, Uid::of(uid)) {
            (Uid::Number(own), Uid::Number(other)) => *own == other,
            (Uid::Other, Uid::Other) => object::uid(&self.value()) == uid,
            _ => false,
        }
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

    /// What follows the brace in the JSON of an object of a Go type without kind and version.
    pub(crate) fn text_of_the_rest(&self) -> &[u8] {
        &self.text[self.metadata[0]..]
    }

    /// The metadata as JSON.
    pub(crate) fn text_of_metadata(&self) -> &[u8] {
        &self.text[self.metadata[1]..self.metadata[2]]
    }

    /// Whether it is written in this version: Go types say it after the kind, and right before the metadata.
    pub(crate) fn is_of(&self, api_version: &str) -> bool {
        let version = api_version.as_bytes();
        let first = self.text.strip_prefix(b"{\"apiVersion\":\"");
        let first = first.and_then(|rest| rest.strip_prefix(version));
        let second = self.text[..self.metadata[0]].strip_suffix(b"\",");
        let second = second.and_then(|head| head.strip_suffix(version));
        first.is_some_and(|rest| rest.starts_with(b"\""))
            || second.is_some_and(|head| head.ends_with(b"\"apiVersion\":\""))
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

/// The text, and where `metadata` and its value are in it.
fn written(object: &Value) -> (Vec<u8>, [usize; 3]) {
    let mut text = vec![b'{'];
    let mut metadata = [0; 3];
    for (name, value) in structs::parts(object) {
        if text.len() > 1 {
            text.push(b',');
        }
        let begin = text.len();
        json::write(&name, &mut text);
        text.push(b':');
        let value_begins = text.len();
        json::write(&value, &mut text);
        if name == "metadata" {
            metadata = [begin, value_begins, text.len()];
        }
    }
    text.push(b'}');
    (text, metadata)
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
        for (api_version, kind) in [("v1", "ConfigMap"), ("example.com/v1", "Thing")] {
            let object = json!({"apiVersion": api_version, "data": {"a": "1"}, "kind": kind, "metadata": metadata});
            let kept = kept(&object);
            assert_eq!(kept.value(), object);
            assert_eq!(*kept.read(), object);
            let of_metadata: Value = serde_json::from_slice(kept.text_of_metadata()).unwrap();
            assert_eq!(of_metadata, metadata);
            assert_eq!(kept.labels()["to"], "\"it\"");
            assert!(kept.is_of(api_version) && !kept.is_of("v") && !kept.is_of("v1beta1"));
            assert!(kept.has_owners && !kept.is_deleting);
        }
    }

    #[test]
    fn a_go_type_has_an_order_of_its_own_and_anything_else_that_of_the_names() {
        let of = |api_version: &str, kind: &str| {
            kept(&json!({
                "apiVersion": api_version, "data": {"a": "1"}, "kind": kind, "metadata": {"labels": {}, "name": "a"},
            }))
        };
        let text = |text: &[u8]| String::from_utf8(text.to_vec()).unwrap();
        let thing = of("example.com/v1", "Thing");
        assert_eq!(
            text(thing.text()),
            r#"{"apiVersion":"example.com/v1","data":{"a":"1"},"kind":"Thing","metadata":{"labels":{},"name":"a"}}"#
        );
        let map = of("v1", "ConfigMap");
        let rest = r#""metadata":{"name":"a","labels":{}},"data":{"a":"1"}}"#;
        assert_eq!(
            text(map.text()),
            format!(r#"{{"kind":"ConfigMap","apiVersion":"v1",{rest}"#)
        );
        assert_eq!(text(map.text_of_the_rest()), rest);
    }

    #[test]
    fn only_the_order_of_fields_does_not_matter() {
        let same = kept(&json!({"metadata": {"name": "a"}, "b": 1}));
        assert!(same.holds(&json!({"b": 1, "metadata": {"name": "a"}})));
        assert!(!same.holds(&json!({"b": 2, "metadata": {"name": "a"}})));
    }
}
