//! Fields that a JSON text says more than once.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::patch::go::quoted;

/// The paths of the fields that are there again, as field validation tells them: `spec.ports[0].name`.
pub(crate) fn duplicates(text: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    walk(text, &mut |path, is_again| {
        if is_again {
            found.push(path.to_owned());
        }
    });
    found
}

/// What is told of the fields that nobody knows and of those that are there again, in the order in which a JSON text
/// says them. A field that nobody knows is told once, and nothing of what is in it.
pub(crate) fn told_as_said(unknown: &[String], text: &[u8]) -> Vec<String> {
    let unknown: BTreeSet<&str> = unknown.iter().map(String::as_str).collect();
    let is_beneath = |path: &str| {
        let ends = path.match_indices(['.', '[']).map(|(end, _)| end);
        ends.chain([path.len()])
            .any(|end| unknown.contains(&path[..end]))
    };
    let (mut told, mut seen) = (Vec::new(), BTreeSet::new());
    walk(text, &mut |path, is_again| {
        let what = match (unknown.contains(path), is_again) {
            (true, _) => "unknown",
            (false, true) if !is_beneath(path) => "duplicate",
            (false, _) => return,
        };
        if seen.insert((what, path.to_owned())) {
            told.push(format!("{what} field {}", quoted(path)));
        }
    });
    told
}

/// Tells every field of a JSON text, and whether it was there before.
fn walk(text: &[u8], tell: &mut dyn FnMut(&str, bool)) {
    let mut json = serde_json::Deserializer::from_slice(text);
    let walk = Walk {
        path: String::new(),
        tell,
    };
    // What is no JSON is refused elsewhere.
    let _ = walk.deserialize(&mut json);
}

struct Walk<'f> {
    path: String,
    tell: &'f mut dyn FnMut(&str, bool),
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        let mut seen = BTreeSet::new();
        while let Some(name) = fields.next_key::<String>()? {
            let path = match self.path.as_str() {
                "" => name.clone(),
                path => format!("{path}.{name}"),
            };
            (self.tell)(&path, !seen.insert(name));
            fields.next_value_seed(Walk {
                path,
                tell: &mut *self.tell,
            })?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        let mut at = 0;
        while elements
            .next_element_seed(Walk {
                path: format!("{}[{at}]", self.path),
                tell: &mut *self.tell,
            })?
            .is_some()
        {
            at += 1;
        }
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}
