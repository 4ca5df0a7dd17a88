//! What was wrong before may stay as it is: an update is not refused for what it leaves alone.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::{Map, Value};

use super::{Cause, ListType, Schema};

impl Schema {
    /// Leaves of what is wrong with an object what it did not take over from the one in whose place it comes.
    pub(super) fn forget_taken_over(&self, object: &Value, old: &Value, causes: &mut Vec<Cause>) {
        // What is below a field without a name is called like a field of the root.
        if object.get("").is_some() {
            return;
        }
        let places = causes.iter().enumerate().map(|(cause, wrong)| {
            let rest = wrong.place.as_deref().unwrap_or(&wrong.field);
            Place {
                cause,
                rest: Some(rest).filter(|rest| !rest.is_empty()),
            }
        });
        // Of what it is it says so anew each time.
        let places: Vec<Place<'_>> = places
            .filter(|place| !matches!(place.rest, Some("apiVersion" | "kind")))
            .collect();
        let mut found = TakenOver {
            causes: BTreeSet::new(),
            patience: MOST_READINGS,
        };
        if !places.is_empty() {
            self.compare(object, old, places, &mut found);
        }
        let mut at = 0..;
        causes.retain(|_| at.next().is_none_or(|at| !found.causes.contains(&at)));
    }

    /// Finds the causes whose values are the ones that were there, below two values that are in the same place. Each
    /// place is looked at once, however many causes there are.
    fn compare(&self, new: &Value, old: &Value, places: Vec<Place<'_>>, found: &mut TakenOver) {
        if new == old || self.is_in_another_order(new, old) {
            found.causes.extend(places.iter().map(|place| place.cause));
            return;
        }
        match (new, old) {
            (Value::Array(new), Value::Array(old)) => self.compare_lists(new, old, places, found),
            (Value::Object(new), Value::Object(old)) => {
                self.compare_fields(new, old, places, found);
            }
            _ => {}
        }
    }

    /// The elements of a list without keys are told apart by nothing, so all of them have to be the same.
    fn compare_lists(
        &self,
        new: &[Value],
        old: &[Value],
        places: Vec<Place<'_>>,
        found: &mut TakenOver,
    ) {
        let Some(before) = self.by_keys(old) else {
            return;
        };
        let mut by_index: BTreeMap<usize, Vec<Place<'_>>> = BTreeMap::new();
        for place in places {
            if let Some((at, place)) = place.below_index() {
                by_index.entry(at).or_default().push(place);
            }
        }
        for (at, places) in by_index {
            if let Some(element) = new.get(at)
                && let Some(before) = before.get(element)
            {
                self.element().compare(element, before, places, found);
            }
        }
    }

    fn compare_fields(
        &self,
        new: &Map<String, Value>,
        old: &Map<String, Value>,
        places: Vec<Place<'_>>,
        found: &mut TakenOver,
    ) {
        let mut by_name: BTreeMap<&str, Vec<Place<'_>>> = BTreeMap::new();
        let below = |name: &str, places, found: &mut TakenOver| {
            if let (Some(field), Some(new), Some(old)) =
                (self.field(name), new.get(name), old.get(name))
            {
                field.compare(new, old, places, found);
            }
        };
        for place in places {
            match place.readings(new).as_slice() {
                [] => {}
                [(name, place)] => by_name.entry(name).or_default().push(*place),
                // A name with a dot in it may be two names. What is taken over is so whichever is meant.
                many => {
                    let is_taken_over = many.iter().all(|(name, place)| {
                        let mut alone = TakenOver {
                            causes: BTreeSet::new(),
                            patience: found.patience.saturating_sub(1),
                        };
                        if alone.patience > 0 {
                            below(name, vec![*place], &mut alone);
                        }
                        found.patience = alone.patience;
                        alone.causes.contains(&place.cause)
                    });
                    if is_taken_over {
                        found.causes.insert(place.cause);
                    }
                }
            }
        }
        for (name, places) in by_name {
            below(name, places, found);
        }
    }

    /// Whether two lists are the same but for the order of elements that have keys.
    fn is_in_another_order(&self, new: &Value, old: &Value) -> bool {
        let (Some(new), Some(old)) = (new.as_array(), old.as_array()) else {
            return false;
        };
        let is_same = |before: ByKeys<'_>| new.iter().all(|one| before.get(one) == Some(one));
        new.len() == old.len() && self.by_keys(old).is_some_and(is_same)
    }

    /// The elements of a list by their keys, if the list has any.
    fn by_keys<'v>(&'v self, list: &'v [Value]) -> Option<ByKeys<'v>> {
        let ListType::Map(keys) = &self.target().list else {
            return None;
        };
        let mut elements = HashMap::new();
        for element in list {
            elements.entry(of(keys, element)).or_insert(element);
        }
        Some(ByKeys { keys, elements })
    }
}

/// How many readings of places that can be read in more than one way are followed. What is beyond counts as changed.
const MOST_READINGS: usize = 10_000;

struct TakenOver {
    causes: BTreeSet<usize>,
    /// How many readings may still be followed.
    patience: usize,
}

/// Where a cause is, from some value on.
#[derive(Clone, Copy)]
struct Place<'c> {
    cause: usize,
    /// `name.other[3]`, where names stand as they are; nothing for the value itself.
    rest: Option<&'c str>,
}

impl<'c> Place<'c> {
    /// In which element it is, and where in there.
    fn below_index(self) -> Option<(usize, Self)> {
        let (index, rest) = self.rest?.strip_prefix('[')?.split_once(']')?;
        Some((index.parse().ok()?, self.after(rest)))
    }

    /// In which fields of an object it may be, and where in there.
    fn readings(self, fields: &Map<String, Value>) -> Vec<(&'c str, Self)> {
        let Some(names) = self.rest else {
            return Vec::new();
        };
        let ends = names.match_indices(['.', '[']).map(|(at, _)| at);
        ends.chain([names.len()])
            .map(|at| names.split_at(at))
            .filter(|(name, _)| fields.contains_key(*name))
            .map(|(name, rest)| (name, self.after(rest)))
            .collect()
    }

    /// Where what follows begins with a dot, with an index, or not at all.
    fn after(self, rest: &'c str) -> Self {
        let index = Some(rest).filter(|rest| !rest.is_empty());
        Self {
            rest: rest.strip_prefix('.').or(index),
            ..self
        }
    }
}

struct ByKeys<'v> {
    keys: &'v [String],
    elements: HashMap<Vec<Option<&'v Value>>, &'v Value>,
}

impl<'v> ByKeys<'v> {
    /// The element that has the same keys.
    fn get(&self, element: &Value) -> Option<&'v Value> {
        self.elements.get(&of(self.keys, element)).copied()
    }
}

fn of<'v>(keys: &[String], element: &'v Value) -> Vec<Option<&'v Value>> {
    keys.iter().map(|key| element.get(key)).collect()
}
