//! The resourceVersion of an answer.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, DeserializeSeed, IgnoredAny, MapAccess, Visitor};

/// The resourceVersion of an object or a list, if the text gets so far.
pub(super) fn of(text: &[u8]) -> Option<String> {
    let mut version = None;
    let mut reader = serde_json::Deserializer::from_slice(text);
    // It ends with an error as soon as it has found what it looks for: lists are long.
    let _ = Finder(&mut version).deserialize(&mut reader);
    version
}

struct Finder<'v>(&'v mut Option<String>);

#[derive(Deserialize)]
struct Metadata {
    #[serde(rename = "resourceVersion")]
    resource_version: Option<String>,
}

impl<'de> DeserializeSeed<'de> for Finder<'_> {
    type Value = ();

    fn deserialize<D: de::Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Finder<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        while let Some(name) = fields.next_key::<String>()? {
            if name == "metadata" {
                *self.0 = fields.next_value::<Metadata>()?.resource_version;
                return Err(de::Error::custom("it is found"));
            }
            fields.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn it_is_that_of_the_whole_and_what_follows_is_not_read() {
        let object = br#"{"data":{"resourceVersion":"1"},"metadata":{"name":"a","resourceVersion":"7"},"x":"#;
        assert_eq!(of(object).as_deref(), Some("7"));
        let list = br#"{"kind":"List","metadata":{"resourceVersion":"9"},"items":[{"metadata":"#;
        assert_eq!(of(list).as_deref(), Some("9"));
        for other in ["{\"metadata\":{}}", "[]", "ok", "{\"metadata\":"] {
            assert_eq!(of(other.as_bytes()), None, "{other}");
        }
    }
}
