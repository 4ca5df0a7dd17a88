//! A set of fields of an object, and its form in `fieldsV1`.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::failure::MOST_BYTES;
use crate::patch::go;

/// A tree of fields. The names are path elements as `fieldsV1` writes them: `f:name`, `k:{"name":"a"}`, `v:"a"`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Set {
    /// The node itself is in the set, not only something below it.
    pub(super) member: bool,
    pub(super) below: BTreeMap<String, Set>,
}

impl Set {
    pub(super) fn leaf() -> Self {
        Self {
            member: true,
            below: BTreeMap::new(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        !self.member && self.below.is_empty()
    }

    /// Hangs a set under an element, if there is anything in it.
    pub(super) fn put(&mut self, element: impl Into<String>, set: Set) {
        if !set.is_empty() {
            self.below.insert(element.into(), set);
        }
    }

    /// Adds the field at a path of plain names.
    pub(crate) fn with(mut self, path: &[&str]) -> Self {
        let mut node = &mut self;
        for name in path {
            node = node.below.entry(format!("f:{name}")).or_default();
        }
        node.member = true;
        self
    }

    pub(crate) fn union(&self, other: &Set) -> Set {
        let mut all = self.clone();
        all.add(other);
        all
    }

    /// Adds all that is in another one.
    pub(crate) fn add(&mut self, other: &Set) {
        self.member |= other.member;
        for (element, set) in &other.below {
            match self.below.get_mut(element) {
                Some(mine) => mine.add(set),
                None => self.put(element, set.clone()),
            }
        }
    }

    pub(crate) fn intersection(&self, other: &Set) -> Set {
        let mut both = Set {
            member: self.member && other.member,
            ..Set::default()
        };
        for (element, set) in &self.below {
            if let Some(theirs) = other.below.get(element) {
                both.put(element, set.intersection(theirs));
            }
        }
        both
    }

    pub(crate) fn difference(&self, other: &Set) -> Set {
        let mut rest = Set {
            member: self.member && !other.member,
            ..Set::default()
        };
        for (element, set) in &self.below {
            match other.below.get(element) {
                Some(theirs) => rest.put(element, set.difference(theirs)),
                None => rest.put(element, set.clone()),
            }
        }
        rest
    }

    /// What is left when each member of the other goes with all that is below it.
    pub(crate) fn without_trees(&self, other: &Set) -> Set {
        if other.member {
            return Set::default();
        }
        let mut rest = Set {
            member: self.member,
            ..Set::default()
        };
        for (element, set) in &self.below {
            match other.below.get(element) {
                Some(theirs) => rest.put(element, set.without_trees(theirs)),
                None => rest.put(element, set.clone()),
            }
        }
        rest
    }

    /// As `fieldsV1`; `None` when there is nothing in it.
    pub(crate) fn encode(&self) -> Value {
        let mut fields = Map::new();
        if self.member && !self.below.is_empty() {
            fields.insert(".".into(), json!({}));
        }
        for (element, set) in &self.below {
            fields.insert(element.clone(), set.encode());
        }
        Value::Object(fields)
    }

    /// From `fieldsV1`; `None` if that is no such object.
    pub(crate) fn decode(fields: &Value) -> Option<Set> {
        // At the root nothing is a member of itself.
        let mut root = Self::decode_node(fields)?;
        root.member = false;
        Some(root)
    }

    fn decode_node(fields: &Value) -> Option<Set> {
        let mut set = Set::default();
        for (element, below) in fields.as_object()? {
            if element == "." {
                set.member = true;
                continue;
            }
            let element = match element.split_once(':')? {
                ("f", _) => element.clone(),
                ("i", index) => format!("i:{}", index.parse::<i64>().ok()?),
                // Written anew, so that equal keys are equal text.
                (kind @ ("k" | "v"), json) => {
                    let value = serde_json::from_str::<Value>(json).ok()?;
                    if kind == "k" && !value.is_object() {
                        return None;
                    }
                    format!("{kind}:{}", go::json(&value))
                }
                (kind, _) if kind.len() == 1 => continue,
                _ => return None,
            };
            set.put(element, Self::decode_node(below)?);
        }
        set.member |= set.below.is_empty();
        Some(set)
    }

    /// Every member as the API names it, `.spec.ports[port=80,protocol="TCP"].name`: what is directly in a node
    /// before what is further down.
    pub(crate) fn paths(&self) -> Vec<String> {
        let (mut room, mut paths) = (MOST_BYTES, Vec::new());
        self.collect(&mut String::new(), &mut room, &mut paths);
        paths
    }

    fn collect(&self, path: &mut String, room: &mut usize, paths: &mut Vec<String>) {
        let above = path.len();
        for (element, _) in self.below.iter().filter(|(_, set)| set.member) {
            // Beyond what is told they are counted only.
            if *room == 0 {
                paths.push(String::new());
                continue;
            }
            path.push_str(&display(element));
            *room = room.saturating_sub(path.len());
            paths.push(path.clone());
            path.truncate(above);
        }
        for (element, set) in self.below.iter().filter(|(_, set)| !set.below.is_empty()) {
            path.push_str(&display(element));
            set.collect(path, room, paths);
            path.truncate(above);
        }
    }
}

pub(super) fn display(element: &str) -> String {
    match element.split_once(':') {
        Some(("k", json)) => {
            let keys: Map<String, Value> = serde_json::from_str(json).unwrap_or_default();
            let keys: Vec<_> = keys
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            format!("[{}]", keys.join(","))
        }
        Some(("v", json)) => {
            let value: Value = serde_json::from_str(json).unwrap_or_default();
            format!("[={value}]")
        }
        Some(("i", index)) => format!("[{index}]"),
        Some((_, name)) => format!(".{name}"),
        None => format!(".{element}"),
    }
}
