//! Fields that a JSON text says more than once.

use std::collections::HashSet;
use std::fmt;
use std::sync::LazyLock;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::failure::MOST_BYTES;
use crate::patch::go::quoted;
use crate::path::Path;
use crate::schema::{Schema, Unknown};

/// How many unknown fields, and fields said again, Go's decoder tells at most.
pub(crate) const MOST_TOLD: usize = 100;

/// What is told of the fields that are there again: `duplicate field "spec.ports[0].name"`.
pub(crate) fn duplicates(text: &[u8]) -> Vec<String> {
    told_as_said(&Unknown::default(), None, text)
}

/// What is told of the fields that nobody knows and of those that are there again, in the order in which a JSON text
/// says them. A field that nobody knows is told once, and nothing of what is in it; nor of what its type reads by itself.
pub(crate) fn told_as_said(unknown: &Unknown, schema: Option<&Schema>, text: &[u8]) -> Vec<String> {
    let mut told = Told::default();
    let mut json = serde_json::Deserializer::from_slice(text);
    let walk = Walk {
        path: Path::Root,
        unknown: Some(unknown),
        schema,
        told: &mut told,
    };
    // What is no JSON is refused elsewhere.
    let _ = walk.deserialize(&mut json);
    told.in_order
}

#[derive(Default)]
struct Told {
    in_order: Vec<String>,
    seen: HashSet<String>,
    length: usize,
}

impl Told {
    fn tell(&mut self, what: &str, path: Path<'_>) {
        if self.in_order.len() >= MOST_TOLD || self.length > MOST_BYTES {
            return;
        }
        let told = format!("{what} field {}", quoted(&path.to_string()));
        if self.seen.insert(told.clone()) {
            self.length += told.len();
            self.in_order.push(told);
        }
    }
}

/// Where in a JSON text it is.
struct Walk<'w> {
    path: Path<'w>,
    /// What is unknown of the value. `None`: that is said of what it is in.
    unknown: Option<&'w Unknown>,
    schema: Option<&'w Schema>,
    told: &'w mut Told,
}

/// Of what all is known.
static ALL_KNOWN: LazyLock<Unknown> = LazyLock::new(Unknown::default);

impl<'w> Walk<'w> {
    /// Tells of a field, and says what is unknown of what is in it.
    fn tell(&mut self, name: &str, is_again: bool) -> Option<&'w Unknown> {
        let unknown = self.unknown?;
        match unknown.field(name) {
            Some(field) if field.is_whole() => {
                self.told.tell("unknown", self.path.name(name));
                return None;
            }
            _ if is_again => self.told.tell("duplicate", self.path.name(name)),
            _ => {}
        }
        let is_read_apart = self.schema.is_some_and(|schema| schema.reads_apart(name));
        (!is_read_apart).then(|| unknown.field(name).unwrap_or(&ALL_KNOWN))
    }
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

    fn visit_map<A: MapAccess<'de>>(mut self, mut fields: A) -> Result<(), A::Error> {
        let mut seen = HashSet::new();
        while let Some(name) = fields.next_key::<String>()? {
            let unknown = self.tell(&name, seen.contains(&name));
            fields.next_value_seed(Walk {
                path: self.path.name(&name),
                unknown,
                schema: self.schema.and_then(|schema| schema.field(&name)),
                told: &mut *self.told,
            })?;
            seen.insert(name);
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        let mut at = 0;
        while elements
            .next_element_seed(Walk {
                path: self.path.at(at),
                unknown: self
                    .unknown
                    .map(|unknown| unknown.element(at).unwrap_or(&ALL_KNOWN)),
                schema: self.schema.map(Schema::element),
                told: &mut *self.told,
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
