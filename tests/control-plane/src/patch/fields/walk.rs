//! From objects to sets of fields: all that an object has, and what differs between two.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::set::Set;
use super::shape::{Shape, element_name, shape};
use crate::schema::Schema;

/// The fields of an object, as an applier owns them.
pub(crate) fn field_set(value: &Value, schema: &Schema) -> Set {
    let mut set = Set::default();
    match shape(value, schema) {
        Shape::Leaf => set.member = true,
        Shape::Nothing => {}
        Shape::Fields(fields) => {
            for (name, value) in fields {
                let Some(field) = schema.applied_field(name) else {
                    continue;
                };
                let mut below = field_set(value, field);
                let hollow =
                    value.is_null() || value.as_object().is_some_and(|fields| fields.is_empty());
                below.member |= hollow || !schema.names(name);
                set.put(format!("f:{name}"), below);
            }
        }
        Shape::Elements(elements) => {
            for (name, values) in named(elements, schema) {
                let mut below = match values.as_slice() {
                    [value] => field_set(value, schema.element()),
                    // Duplicates are one leaf.
                    _ => Set::default(),
                };
                below.member = true;
                set.put(name, below);
            }
        }
    }
    set
}

/// The elements of a list by name; the ones that have none are left out.
fn named<'v>(elements: &'v [Value], schema: &Schema) -> BTreeMap<String, Vec<&'v Value>> {
    let mut named: BTreeMap<String, Vec<&Value>> = BTreeMap::new();
    for element in elements {
        if let Ok(name) = element_name(element, schema) {
            named.entry(name).or_default().push(element);
        }
    }
    named
}

/// What has changed from one object to the next.
#[derive(Clone, Debug, Default)]
pub(crate) struct Changes {
    pub(crate) added: Set,
    pub(crate) removed: Set,
    pub(crate) modified: Set,
}

impl Changes {
    /// The fields that who changed them owns from now on.
    pub(crate) fn taken(&self) -> Set {
        self.added.union(&self.modified)
    }

    pub(crate) fn all(&self) -> Set {
        self.taken().union(&self.removed)
    }

    /// Leaves out what the writer's endpoint resets.
    pub(crate) fn without(self, reset: &Set) -> Self {
        Self {
            added: self.added.without_trees(reset),
            removed: self.removed.without_trees(reset),
            modified: self.modified.without_trees(reset),
        }
    }

    fn put(&mut self, element: &str, below: Changes) {
        self.added.put(element, below.added);
        self.removed.put(element, below.removed);
        self.modified.put(element, below.modified);
    }

    fn added() -> Self {
        Self {
            added: Set::leaf(),
            ..Self::default()
        }
    }

    fn removed() -> Self {
        Self {
            removed: Set::leaf(),
            ..Self::default()
        }
    }

    fn modified() -> Self {
        Self {
            modified: Set::leaf(),
            ..Self::default()
        }
    }
}

/// Compares two objects.
pub(crate) fn compare(old: &Value, new: &Value, schema: &Schema) -> Changes {
    differ(Some(old), Some(new), schema)
}

fn differ(old: Option<&Value>, new: Option<&Value>, schema: &Schema) -> Changes {
    if old == new {
        return Changes::default();
    }
    let (before, after) = (
        old.map(|old| shape(old, schema)),
        new.map(|new| shape(new, schema)),
    );
    let mut changes = match (&before, &after) {
        // A map on both sides, or on the only one.
        (Some(Shape::Fields(_)), Some(Shape::Fields(_)) | Some(Shape::Nothing) | None)
        | (Some(Shape::Nothing) | None, Some(Shape::Fields(_)))
            if !hollow(&before, &after) =>
        {
            differ_fields(&before, &after, schema)
        }
        (Some(Shape::Elements(_)), Some(Shape::Elements(_)) | Some(Shape::Nothing) | None)
        | (Some(Shape::Nothing) | None, Some(Shape::Elements(_)))
            if !hollow(&before, &after) =>
        {
            differ_elements(&before, &after, schema)
        }
        (Some(_), Some(_)) => return replaced(&before, &after, schema),
        _ => Changes::default(),
    };
    match (old, new) {
        (None, Some(_)) => changes.added.member = true,
        (Some(_), None) => changes.removed.member = true,
        _ => {}
    }
    changes
}

/// A value that has become one of another shape: what was below it is gone, what is below it now is new.
fn replaced(before: &Option<Shape<'_>>, after: &Option<Shape<'_>>, schema: &Schema) -> Changes {
    let mut changes = Changes::modified();
    if matches!(before, Some(Shape::Fields(_))) && !matches!(after, Some(Shape::Fields(_))) {
        changes.removed = differ_fields(before, &None, schema).removed;
    }
    if matches!(after, Some(Shape::Fields(_))) && !matches!(before, Some(Shape::Fields(_))) {
        changes.added = differ_fields(&None, after, schema).added;
    }
    changes
}

fn hollow(before: &Option<Shape<'_>>, after: &Option<Shape<'_>>) -> bool {
    let empty = |shape: &Option<Shape<'_>>| match shape {
        Some(Shape::Fields(fields)) => fields.is_empty(),
        Some(Shape::Elements(elements)) => elements.is_empty(),
        _ => true,
    };
    empty(before) && empty(after)
}

fn fields<'v>(shape: &Option<Shape<'v>>) -> BTreeMap<&'v String, &'v Value> {
    match shape {
        Some(Shape::Fields(fields)) => fields.iter().collect(),
        _ => BTreeMap::new(),
    }
}

fn elements<'v>(shape: &Option<Shape<'v>>, schema: &Schema) -> BTreeMap<String, Vec<&'v Value>> {
    match shape {
        Some(Shape::Elements(elements)) => named(elements, schema),
        _ => BTreeMap::new(),
    }
}

fn differ_fields(
    before: &Option<Shape<'_>>,
    after: &Option<Shape<'_>>,
    schema: &Schema,
) -> Changes {
    let (before, after) = (fields(before), fields(after));
    let mut changes = Changes::default();
    for name in before.keys().chain(after.keys()).collect::<BTreeSet<_>>() {
        let Some(field) = schema.applied_field(name) else {
            continue;
        };
        let below = differ(before.get(name).copied(), after.get(name).copied(), field);
        changes.put(&format!("f:{name}"), below);
    }
    changes
}

fn differ_elements(
    before: &Option<Shape<'_>>,
    after: &Option<Shape<'_>>,
    schema: &Schema,
) -> Changes {
    let (before, after) = (elements(before, schema), elements(after, schema));
    let mut changes = Changes::default();
    for name in before.keys().chain(after.keys()).collect::<BTreeSet<_>>() {
        let old = before.get(name).map(Vec::as_slice).unwrap_or_default();
        let new = after.get(name).map(Vec::as_slice).unwrap_or_default();
        let element = schema.element();
        let below = match (old, new) {
            ([] | [_], [] | [_]) => differ(old.first().copied(), new.first().copied(), element),
            // Duplicates are compared as one leaf.
            ([_, _, ..], [_, _, ..]) if old == new => Changes::default(),
            ([_, _, ..], [_, _, ..]) => Changes::modified(),
            ([_, _, ..], _) => {
                let mut below = new
                    .first()
                    .map_or_else(Changes::default, |new| differ(None, Some(new), element));
                below.removed = Changes::removed().removed;
                below
            }
            (_, _) => {
                let mut below = old
                    .first()
                    .map_or_else(Changes::default, |old| differ(Some(old), None, element));
                below.added = Changes::added().added;
                below
            }
        };
        changes.put(name, below);
    }
    changes
}
