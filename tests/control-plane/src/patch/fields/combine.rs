//! Lays an applied object over the live one.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::shape::{Shape, element_name, shape};
use crate::schema::Schema;

/// The live object with all that the applied one says: maps are joined field by field, lists with keys element by
/// element, everything else is the applied one's.
pub(crate) fn combine(live: &Value, applied: &Value, schema: &Schema) -> Value {
    match (shape(live, schema), shape(applied, schema)) {
        (Shape::Fields(live), Shape::Fields(applied)) => fields(live, applied, schema),
        (Shape::Elements(live), Shape::Elements(applied)) => elements(live, applied, schema),
        // An explicit null takes nothing away from a map or a list that is shared, and there is something.
        (Shape::Fields(fields), Shape::Nothing) if !fields.is_empty() => live.clone(),
        (Shape::Elements(elements), Shape::Nothing) if !elements.is_empty() => live.clone(),
        _ => applied.clone(),
    }
}

fn fields(live: &Map<String, Value>, applied: &Map<String, Value>, schema: &Schema) -> Value {
    let mut all = live.clone();
    for (name, value) in applied {
        let value = match (live.get(name), schema.applied_field(name)) {
            (Some(live), Some(field)) => combine(live, value, field),
            _ => value.clone(),
        };
        all.insert(name.clone(), value);
    }
    Value::Object(all)
}

/// The applied elements keep their order, and the others stay near their neighbours.
fn elements(live: &[Value], applied: &[Value], schema: &Schema) -> Value {
    let names = |elements: &[Value]| -> Vec<String> {
        elements
            .iter()
            .map(|element| element_name(element, schema).unwrap_or_else(|_| format!("?:{element}")))
            .collect()
    };
    let (live_names, applied_names) = (names(live), names(applied));
    let index = |names: &[String]| -> BTreeMap<String, usize> {
        names
            .iter()
            .enumerate()
            .map(|(at, name)| (name.clone(), at))
            .collect()
    };
    let (in_live, in_applied) = (index(&live_names), index(&applied_names));
    let mut twice = BTreeSet::new();
    for (at, name) in live_names.iter().enumerate() {
        if in_live.get(name) != Some(&at) {
            twice.insert(name);
        }
    }
    let mut shared = applied_names
        .iter()
        .filter(|name| in_live.contains_key(*name));
    let mut next_shared = shared.next();
    let mut merged = BTreeSet::new();
    let mut all = Vec::new();
    let join = |name: &String| -> Option<Value> {
        let new = applied.get(*in_applied.get(name)?)?;
        // Duplicates in the live object are replaced by the one that is applied.
        let old = in_live
            .get(name)
            .filter(|_| !twice.contains(name))
            .and_then(|at| live.get(*at));
        Some(match old {
            Some(old) => combine(old, new, schema.element()),
            None => new.clone(),
        })
    };
    let (mut l, mut a) = (0, 0);
    while l < live_names.len() || a < applied_names.len() {
        if let (Some(left), Some(right)) = (live_names.get(l), applied_names.get(a)) {
            if left == right {
                merged.insert(left);
                all.extend(join(left));
                (l, a) = (l + 1, a + 1);
                next_shared = shared.next();
                continue;
            }
            if in_applied.contains_key(left) && next_shared.is_some_and(|next| next != left) {
                // Shared, but its turn in the applied order is another.
                l += 1;
                continue;
            }
        }
        if let Some(left) = live_names.get(l) {
            if !in_applied.contains_key(left) {
                all.extend(live.get(l).cloned());
                l += 1;
                continue;
            }
            if merged.contains(left) {
                l += 1;
            }
        }
        if let Some(right) = applied_names.get(a) {
            merged.insert(right);
            all.extend(join(right));
            a += 1;
            if next_shared == Some(right) {
                next_shared = shared.next();
            }
        }
    }
    Value::Array(all)
}
