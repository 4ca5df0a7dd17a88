//! What was wrong before may stay as it is: an update is not refused for what it leaves alone.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value;

use super::{Cause, ListType, Schema};

impl Schema {
    /// Leaves of what is wrong with an object what it did not take over from the one in whose place it comes.
    pub(super) fn forget_taken_over(&self, object: &Value, old: &Value, causes: &mut Vec<Cause>) {
        let places: Vec<Place<'_>> = causes
            .iter()
            .enumerate()
            .map(|(cause, wrong)| Place {
                cause,
                steps: wrong
                    .place
                    .as_ref()
                    .unwrap_or(&wrong.field)
                    .split(['.', '['])
                    .map(|step| step.trim_end_matches(']'))
                    .collect(),
            })
            .collect();
        let mut taken_over = BTreeSet::new();
        // Of what it is it says so anew each time.
        let is_kind = |place: &&Place<'_>| matches!(place.steps[..], ["apiVersion" | "kind"]);
        let places: Vec<&Place<'_>> = places.iter().filter(|place| !is_kind(place)).collect();
        if !places.is_empty() {
            self.compare(object, old, places, 0, &mut taken_over);
        }
        let mut at = 0..;
        causes.retain(|_| at.next().is_none_or(|at| !taken_over.contains(&at)));
    }

    /// Finds the causes whose values are the ones that were there, below two values that are in the same place. Each
    /// place is looked at once, however many causes there are.
    fn compare(
        &self,
        new: &Value,
        old: &Value,
        places: Vec<&Place<'_>>,
        depth: usize,
        taken_over: &mut BTreeSet<usize>,
    ) {
        if new == old || self.is_in_another_order(new, old) {
            taken_over.extend(places.iter().map(|place| place.cause));
            return;
        }
        let mut by_step: BTreeMap<&str, Vec<&Place<'_>>> = BTreeMap::new();
        for place in places {
            if let Some(step) = place.steps.get(depth) {
                by_step.entry(step).or_default().push(place);
            }
        }
        let before = old.as_array().and_then(|old| self.by_keys(old));
        for (step, places) in by_step {
            let below = match (new.as_array(), old.as_array(), step.parse::<usize>()) {
                // The elements of a list without keys are told apart by nothing, so all of them have to be the same.
                (Some(list), Some(_), Ok(at)) => {
                    let element = list.get(at);
                    let before = before.as_ref().zip(element);
                    let before = before.and_then(|(before, element)| before.get(element));
                    (Some(self.element()), element, before)
                }
                _ => (self.field(step), new.get(step), old.get(step)),
            };
            if let (Some(field), Some(new), Some(old)) = below {
                field.compare(new, old, places, depth + 1, taken_over);
            }
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

/// Where a cause is.
struct Place<'c> {
    cause: usize,
    steps: Vec<&'c str>,
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
