//! The order in which an answer tells its fields.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde::{Deserializer, Serialize, Serializer};
use serde_json::Value;

/// The names of the fields of all objects, in order, by where these are: the elements of a list are alike.
#[derive(Default)]
pub(super) struct Order(BTreeMap<String, Vec<String>>);

impl Order {
    /// That of an answer in JSON.
    pub(super) fn of(json: &[u8]) -> Self {
        let mut order = Self::default();
        let walk = Walk {
            order: &mut order,
            path: String::new(),
        };
        walk.deserialize(&mut serde_json::Deserializer::from_slice(json))
            .unwrap();
        order
    }

    /// A value in this order, for people to read; what it does not know comes last.
    pub(super) fn write(&self, value: &Value) -> String {
        let ordered = Ordered {
            order: self,
            path: String::new(),
            value,
        };
        serde_json::to_string_pretty(&ordered).unwrap()
    }

    /// Takes in the names of one object: those that are new come behind the one that they came behind there.
    fn learn(&mut self, path: &str, names: Vec<String>) {
        let known = self.0.entry(path.to_owned()).or_default();
        let mut next = 0;
        for name in names {
            next = 1 + match known.iter().position(|known| *known == name) {
                Some(at) => at,
                None => {
                    known.insert(next, name);
                    next
                }
            };
        }
    }

    fn place(&self, path: &str, name: &str) -> usize {
        let known = self.0.get(path).into_iter().flatten();
        let mut names = known.enumerate();
        names
            .find(|(_, known)| *known == name)
            .map_or(usize::MAX, |(at, _)| at)
    }
}

/// What has no fields.
macro_rules! scalars {
    ($($visit:ident: $scalar:ty),+) => {
        $(fn $visit<E>(self, _: $scalar) -> Result<(), E> {
            Ok(())
        })+
    };
}

/// Reads the order of a part.
struct Walk<'o> {
    order: &'o mut Order,
    path: String,
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut names = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            map.next_value_seed(Walk {
                order: self.order,
                path: format!("{}/{name}", self.path),
            })?;
            names.push(name);
        }
        self.order.learn(&self.path, names);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        let path = format!("{}[]", self.path);
        while elements
            .next_element_seed(Walk {
                order: self.order,
                path: path.clone(),
            })?
            .is_some()
        {}
        Ok(())
    }

    scalars!(visit_str: &str, visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_f64: f64);

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

struct Ordered<'v> {
    order: &'v Order,
    path: String,
    value: &'v Value,
}

impl Ordered<'_> {
    fn within<'v>(&'v self, step: &str, value: &'v Value) -> Ordered<'v> {
        Ordered {
            order: self.order,
            path: format!("{}{step}", self.path),
            value,
        }
    }
}

impl Serialize for Ordered<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.value {
            Value::Object(fields) => {
                let mut fields: Vec<_> = fields.iter().collect();
                fields.sort_by_key(|(name, _)| self.order.place(&self.path, name));
                serializer.collect_map(
                    fields
                        .into_iter()
                        .map(|(name, value)| (name, self.within(&format!("/{name}"), value))),
                )
            }
            Value::Array(elements) => {
                serializer.collect_seq(elements.iter().map(|element| self.within("[]", element)))
            }
            scalar => scalar.serialize(serializer),
        }
    }
}
