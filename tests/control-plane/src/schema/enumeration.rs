//! The values that an `enum` allows.

use std::collections::HashSet;
use std::fmt;

use serde_json::{Number, Value};

use crate::patch::go;

/// The values of an `enum`, of which there can be many for each of many elements.
#[derive(Clone, Debug)]
pub(crate) struct Enum {
    all: Vec<Value>,
    /// Those that are no numbers.
    values: HashSet<Value>,
    whole: HashSet<i64>,
    /// The bits of the whole numbers, as numbers of floating point, and of all others.
    whole_in_bits: HashSet<u64>,
    others: HashSet<u64>,
}

impl Enum {
    pub(super) fn new(all: Vec<Value>) -> Self {
        let mut new = Self {
            values: HashSet::new(),
            whole: HashSet::new(),
            whole_in_bits: HashSet::new(),
            others: HashSet::new(),
            all: Vec::new(),
        };
        for value in &all {
            match value {
                Value::Number(number) => match number.as_i64() {
                    Some(whole) => {
                        new.whole.insert(whole);
                        new.whole_in_bits.extend(bits(number));
                    }
                    None => new.others.extend(bits(number)),
                },
                other => {
                    new.values.insert(other.clone());
                }
            }
        }
        new.all = all;
        new
    }

    /// Whether a value is one of those that are allowed, as Go compares them: a number is brought into the form of the
    /// other, and nothing is none of them.
    pub(super) fn has(&self, value: &Value) -> bool {
        match value {
            Value::Null => false,
            Value::Number(number) => {
                let is_other = || bits(number).is_some_and(|bits| self.others.contains(&bits));
                let is_whole = match number.as_i64() {
                    Some(whole) => self.whole.contains(&whole),
                    None => {
                        let truncated = number.as_f64().map(|number| canonical(number.trunc()));
                        truncated.is_some_and(|bits| self.whole_in_bits.contains(&bits))
                    }
                };
                is_whole || is_other()
            }
            other => self.values.contains(other),
        }
    }
}

fn bits(number: &Number) -> Option<u64> {
    number.as_f64().map(canonical)
}

/// Two zeros are the same.
fn canonical(number: f64) -> u64 {
    (number + 0.0).to_bits()
}

/// As they are told.
impl fmt::Display for Enum {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut comma = "";
        for value in &self.all {
            let shown = match value {
                Value::String(text) => go::quoted(text),
                other => go::quoted(&other.to_string()),
            };
            write!(formatter, "{comma}{shown}")?;
            comma = ", ";
        }
        Ok(())
    }
}
