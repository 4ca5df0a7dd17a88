//! What was wrong before may stay as it is: an update is not refused for what it leaves alone.

use serde_json::Value;

use super::{Cause, ListType, Schema};

impl Schema {
    /// What is wrong with an object that takes the place of another, but for what it took over.
    pub(crate) fn validate_update(&self, object: &Value, old: &Value) -> Vec<Cause> {
        let mut causes = self.validate(object);
        causes.retain(|cause| !self.is_taken_over(&cause.field, object, old));
        causes
    }

    /// Whether the value at a path is the one that was there. The elements of a list without keys are told apart by
    /// nothing, so all of them have to be the same.
    fn is_taken_over(&self, path: &str, object: &Value, old: &Value) -> bool {
        let (mut schema, mut new, mut old) = (self, object, old);
        for step in path
            .split(['.', '['])
            .map(|step| step.trim_end_matches(']'))
        {
            if new == old {
                return true;
            }
            let elements = (new.as_array(), old.as_array(), step.parse::<usize>());
            let below = match elements {
                (Some(list), Some(before), Ok(at)) => {
                    let element = list.get(at);
                    let before = schema.counterpart(element, before);
                    (Some(schema.element()), element, before)
                }
                _ => (schema.field(step), new.get(step), old.get(step)),
            };
            match below {
                (Some(field), Some(value), Some(before)) => {
                    (schema, new, old) = (field, value, before);
                }
                _ => return false,
            }
        }
        new == old
    }

    /// The element of the old list that has the same keys.
    fn counterpart<'v>(&self, element: Option<&Value>, before: &'v [Value]) -> Option<&'v Value> {
        let ListType::Map(keys) = &self.target().list else {
            return None;
        };
        let element = element?;
        before
            .iter()
            .find(|old| keys.iter().all(|key| old.get(key) == element.get(key)))
    }
}
