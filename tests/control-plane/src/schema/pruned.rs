//! What an apply said of a custom resource that its schema does not know, or that may not be `null`: it is judged with it,
//! and kept without it.

use std::borrow::Cow;

use serde_json::Value;

/// The fields that were taken out of a value, and of the values in it.
#[derive(Default)]
pub(crate) struct Pruned {
    fields: Vec<(String, Value)>,
    below: Vec<(Step, Pruned)>,
}

enum Step {
    Name(String),
    At(usize),
}

impl Pruned {
    /// What an object had when it was `whole`. Its metadata is read on its own, and not looked at.
    pub(crate) fn of(whole: Value, object: &Value) -> Self {
        let mut pruned = Self::between(whole, object);
        pruned.retain(|name| name != "metadata");
        pruned
    }

    fn between(whole: Value, kept: &Value) -> Self {
        let mut pruned = Self::default();
        let mut add = |step, below: Self| {
            if !below.is_none() {
                pruned.below.push((step, below));
            }
        };
        match (whole, kept) {
            (Value::Object(whole), Value::Object(kept)) => {
                let mut fields = Vec::new();
                for (name, value) in whole {
                    match kept.get(&name) {
                        Some(kept) => add(Step::Name(name), Self::between(value, kept)),
                        None => fields.push((name, value)),
                    }
                }
                pruned.fields = fields;
            }
            (Value::Array(whole), Value::Array(kept)) => {
                for (at, (value, kept)) in whole.into_iter().zip(kept).enumerate() {
                    add(Step::At(at), Self::between(value, kept));
                }
            }
            _ => {}
        }
        pruned
    }

    pub(crate) fn is_none(&self) -> bool {
        self.fields.is_empty() && self.below.is_empty()
    }

    /// Keeps what is of the status, or what is not.
    pub(crate) fn keep(&mut self, status: bool) {
        self.retain(|name| (name == "status") == status);
    }

    fn retain(&mut self, is_kept: impl Fn(&str) -> bool) {
        self.fields.retain(|(name, _)| is_kept(name));
        self.below.retain(|(step, _)| match step {
            Step::Name(name) => is_kept(name),
            Step::At(_) => true,
        });
    }

    /// The object with what it had, where there is still a place for it.
    pub(crate) fn put_back<'v>(&self, object: &'v Value) -> Cow<'v, Value> {
        if self.is_none() {
            return Cow::Borrowed(object);
        }
        let mut object = object.clone();
        self.put_into(&mut object);
        Cow::Owned(object)
    }

    fn put_into(&self, value: &mut Value) {
        if let Value::Object(fields) = value {
            fields.extend(self.fields.iter().cloned());
        }
        for (step, below) in &self.below {
            let value = match step {
                Step::Name(name) => value.get_mut(name),
                Step::At(at) => value.get_mut(at),
            };
            if let Some(value) = value {
                below.put_into(value);
            }
        }
    }
}
