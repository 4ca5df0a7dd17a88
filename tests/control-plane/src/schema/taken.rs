//! What was taken out of an object, and where.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// Values that were taken out of another, each at its place. It is a tree: the way to a value can be as long as a whole body,
/// and what is below it in the thousands.
#[derive(Clone, Debug)]
pub(crate) struct Taken<V> {
    /// What this place had.
    here: Option<V>,
    fields: BTreeMap<String, Taken<V>>,
    elements: BTreeMap<usize, Taken<V>>,
}

/// Where something is put back.
pub(super) enum Slot<'s> {
    Field(&'s mut Map<String, Value>, &'s str),
    Element(&'s mut Value),
}

impl<V> Default for Taken<V> {
    fn default() -> Self {
        Self {
            here: None,
            fields: BTreeMap::new(),
            elements: BTreeMap::new(),
        }
    }
}

impl<V> Taken<V> {
    /// All of a place.
    pub(crate) fn whole(value: V) -> Self {
        Self {
            here: Some(value),
            ..Self::default()
        }
    }

    pub(crate) fn is_none(&self) -> bool {
        self.here.is_none() && self.fields.is_empty() && self.elements.is_empty()
    }

    pub(crate) fn is_whole(&self) -> bool {
        self.here.is_some()
    }

    /// What was taken out of a field.
    pub(crate) fn put(&mut self, name: &str, below: Self) {
        if !below.is_none() {
            self.fields.insert(name.to_owned(), below);
        }
    }

    /// What was taken out of an element.
    pub(crate) fn put_at(&mut self, at: usize, below: Self) {
        if !below.is_none() {
            self.elements.insert(at, below);
        }
    }

    pub(crate) fn field(&self, name: &str) -> Option<&Self> {
        self.fields.get(name)
    }

    pub(crate) fn element(&self, at: usize) -> Option<&Self> {
        self.elements.get(&at)
    }

    pub(super) fn fields(&self) -> impl Iterator<Item = (&String, &Self)> {
        self.fields.iter()
    }

    pub(super) fn elements(&self) -> impl Iterator<Item = (&usize, &Self)> {
        self.elements.iter()
    }

    pub(super) fn retain_fields(&mut self, is_kept: impl Fn(&str) -> bool) {
        self.fields.retain(|name, _| is_kept(name));
    }

    /// Puts all back, as far as there is still a place for it.
    pub(super) fn put_back(&self, value: &mut Value, put: &mut dyn FnMut(Slot<'_>, &V)) {
        match value {
            Value::Object(map) => {
                for (name, below) in &self.fields {
                    if let Some(taken) = &below.here {
                        put(Slot::Field(map, name), taken);
                    } else if let Some(value) = map.get_mut(name) {
                        below.put_back(value, put);
                    }
                }
            }
            Value::Array(list) => {
                for (at, below) in &self.elements {
                    match (list.get_mut(*at), &below.here) {
                        (Some(value), Some(taken)) => put(Slot::Element(value), taken),
                        (Some(value), None) => below.put_back(value, put),
                        (None, _) => {}
                    }
                }
            }
            _ => {}
        }
    }
}
