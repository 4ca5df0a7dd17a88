//! Reads objects.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::MAGIC;
use crate::structs::{self, Field, Kind, Other, SCHEMA, Struct};

/// How deep messages may be nested.
const DEPTH: usize = 64;

/// An object that says what it is.
pub(crate) struct Envelope<'b> {
    pub(crate) api_version: String,
    pub(crate) kind: String,
    raw: &'b [u8],
}

impl<'b> Envelope<'b> {
    pub(crate) fn read(body: &'b [u8]) -> Result<Self, String> {
        if body.is_empty() {
            return Err("empty data".to_owned());
        }
        let envelope = body.strip_prefix(MAGIC).ok_or_else(|| {
            let prefix = MAGIC.iter().map(u8::to_string).collect::<Vec<_>>();
            format!(
                "provided data does not appear to be a protobuf message, expected prefix [{}]",
                prefix.join(" ")
            )
        })?;
        if envelope.is_empty() {
            return Err("empty body".to_owned());
        }
        let mut read = Self {
            api_version: String::new(),
            kind: String::new(),
            raw: &[],
        };
        for field in Reader(envelope) {
            match field? {
                (1, Wire::Bytes(meta)) => {
                    for field in Reader(meta) {
                        match field? {
                            (1, Wire::Bytes(text)) => read.api_version = utf8(text)?,
                            (2, Wire::Bytes(text)) => read.kind = utf8(text)?,
                            _ => {}
                        }
                    }
                }
                (2, Wire::Bytes(bytes)) => read.raw = bytes,
                _ => {}
            }
        }
        Ok(read)
    }

    /// What is in it.
    pub(crate) fn open(self) -> Result<Value, String> {
        let (api_version, kind) = (self.api_version, self.kind);
        let known = structs::of_kind(&api_version, &kind)
            .ok_or_else(|| format!("no protobuf of {api_version} {kind} is known"))?;
        let mut object = message(known, self.raw, 0)?;
        object["apiVersion"] = api_version.into();
        object["kind"] = kind.into();
        Ok(object)
    }
}

/// Reads an object in its envelope.
pub(crate) fn read(body: &[u8]) -> Result<Value, String> {
    Envelope::read(body)?.open()
}

fn message(known: &Struct, bytes: &[u8], depth: usize) -> Result<Value, String> {
    if depth > DEPTH {
        return Err("nested too deeply".to_owned());
    }
    let mut object = Map::new();
    for field in Reader(bytes) {
        let (number, wire) = field?;
        let fields = &known.fields;
        let found = fields.binary_search_by_key(&number, |field| field.number);
        let Some(Field {
            name,
            kind,
            pointer,
            ..
        }) = found.ok().and_then(|at| fields.get(at))
        else {
            continue;
        };
        if !wire.carries(kind) {
            let (wire, name) = (wire.number(), go_name(name));
            return Err(format!("proto: wrong wireType = {wire} for field {name}"));
        }
        match kind {
            Kind::List(item) => {
                let list = object.entry(*name).or_insert_with(|| json!([]));
                if let (Some(list), Some(value)) = (list.as_array_mut(), value(item, wire, depth)?)
                {
                    list.push(value);
                }
            }
            Kind::Map(item) => {
                let map = object.entry(*name).or_insert_with(|| json!({}));
                let (key, value) = entry(item, wire, depth)?;
                map[key] = value;
            }
            Kind::Flat(_) => {
                if let Some(Value::Object(fields)) = value(kind, wire, depth)? {
                    object.extend(fields);
                }
            }
            _ => {
                let value = value(kind, wire, depth)?;
                if let Some(value) = value.filter(|value| *pointer || says_something(value)) {
                    object.insert((*name).to_owned(), value);
                }
            }
        }
    }
    Ok(object.into())
}

/// Go's structs send every field that is no pointer, whether or not anybody set it.
pub(super) fn says_something(value: &Value) -> bool {
    match value {
        Value::String(text) => !text.is_empty(),
        Value::Number(number) => number.as_i64() != Some(0),
        Value::Bool(flag) => *flag,
        _ => true,
    }
}

fn entry(kind: &Kind, wire: Wire<'_>, depth: usize) -> Result<(String, Value), String> {
    let Wire::Bytes(bytes) = wire else {
        return Err("a map's entry is no message".to_owned());
    };
    let (mut key, mut found) = (String::new(), None);
    for field in Reader(bytes) {
        match field? {
            (1, Wire::Bytes(text)) => key = utf8(text)?,
            (2, wire) => found = value(kind, wire, depth)?,
            _ => {}
        }
    }
    Ok((key, found.unwrap_or_else(|| "".into())))
}

/// The value of a field; nothing if its message says nothing.
fn value(kind: &Kind, wire: Wire<'_>, depth: usize) -> Result<Option<Value>, String> {
    Ok(Some(match (kind, wire) {
        (Kind::String, Wire::Bytes(text)) => utf8(text)?.into(),
        (Kind::Bytes, Wire::Bytes(bytes)) => STANDARD.encode(bytes).into(),
        (Kind::Int, Wire::Number(number)) => number.cast_signed().into(),
        (Kind::Bool, Wire::Number(number)) => (number != 0).into(),
        (Kind::Number, Wire::Fixed64(bytes)) => f64::from_le_bytes(*bytes).into(),
        (Kind::Time { micro }, Wire::Bytes(bytes)) => return time(bytes, *micro),
        (Kind::Quantity, Wire::Bytes(bytes)) => text(bytes)?,
        (Kind::IntOrString, Wire::Bytes(bytes)) => int_or_string(bytes)?,
        (Kind::Json | Kind::Object | Kind::Set, Wire::Bytes(bytes)) => {
            let raw = Reader(bytes).find_map(|field| match field {
                Ok((1, Wire::Bytes(raw))) => Some(raw),
                _ => None,
            });
            let Some(raw) = raw else {
                return Ok(None);
            };
            serde_json::from_slice(raw).map_err(|error| error.to_string())?
        }
        (Kind::Items(item), Wire::Bytes(bytes)) => {
            let mut items = Vec::new();
            for field in Reader(bytes) {
                if let (1, wire) = field? {
                    items.extend(value(item, wire, depth)?);
                }
            }
            items.into()
        }
        (Kind::SchemaOr(other), Wire::Bytes(bytes)) => schema_or(*other, bytes, depth)?,
        (Kind::Flat(name) | Kind::Message(name), Wire::Bytes(bytes)) => {
            message(structs::of(name), bytes, depth + 1)?
        }
        (kind, _) => return Err(format!("a value that is no {kind:?}")),
    }))
}

fn schema_or(other: Other, bytes: &[u8], depth: usize) -> Result<Value, String> {
    let schema = |bytes| message(structs::of(SCHEMA), bytes, depth + 1);
    let (mut found, mut list) = (None, Vec::new());
    for field in Reader(bytes) {
        match (other, field?) {
            (Other::Bool, (1, Wire::Number(allows))) => {
                found.get_or_insert(Value::from(allows != 0));
            }
            (Other::Bool, (2, Wire::Bytes(bytes)))
            | (Other::Array | Other::Strings, (1, Wire::Bytes(bytes))) => {
                found = Some(schema(bytes)?);
            }
            (Other::Array, (2, Wire::Bytes(bytes))) => list.push(schema(bytes)?),
            (Other::Strings, (2, Wire::Bytes(text))) => list.push(utf8(text)?.into()),
            _ => {}
        }
    }
    Ok(found.unwrap_or_else(|| list.into()))
}

fn time(bytes: &[u8], micro: bool) -> Result<Option<Value>, String> {
    let (mut seconds, mut nanos) = (None, 0);
    for field in Reader(bytes) {
        match field? {
            (1, Wire::Number(number)) => seconds = Some(number.cast_signed()),
            (2, Wire::Number(number)) => nanos = i32::try_from(number).unwrap_or(0),
            _ => {}
        }
    }
    let Some(seconds) = seconds else {
        return Ok(None);
    };
    let time = jiff::Timestamp::new(seconds, nanos).map_err(|error| error.to_string())?;
    let digits = if micro { "%.6f" } else { "" };
    let format = format!("%Y-%m-%dT%H:%M:%S{digits}Z");
    Ok(Some(time.strftime(&format).to_string().into()))
}

/// A message whose first field is a string.
fn text(bytes: &[u8]) -> Result<Value, String> {
    let mut found = Value::Null;
    for field in Reader(bytes) {
        if let (1, Wire::Bytes(text)) = field? {
            found = utf8(text)?.into();
        }
    }
    Ok(found)
}

fn int_or_string(bytes: &[u8]) -> Result<Value, String> {
    let (mut is_text, mut number, mut text) = (false, 0, String::new());
    for field in Reader(bytes) {
        match field? {
            (1, Wire::Number(kind)) => is_text = kind == 1,
            (2, Wire::Number(value)) => number = value.cast_signed(),
            (3, Wire::Bytes(value)) => text = utf8(value)?,
            _ => {}
        }
    }
    Ok(if is_text { text.into() } else { number.into() })
}

fn utf8(bytes: &[u8]) -> Result<String, String> {
    String::from_utf8(bytes.to_vec()).map_err(|error| error.to_string())
}

/// What a field is called in Go.
fn go_name(name: &str) -> String {
    let mut chars = name.chars();
    match (name, chars.next()) {
        ("metadata", _) => "ObjectMeta".to_owned(),
        (_, Some(first)) => first.to_uppercase().chain(chars).collect(),
        (_, None) => String::new(),
    }
}

/// What a field carries.
enum Wire<'a> {
    Number(u64),
    Fixed64(&'a [u8; 8]),
    Bytes(&'a [u8]),
    Group,
    Fixed32,
}

impl Wire<'_> {
    /// As the tag says it.
    fn number(&self) -> u64 {
        match self {
            Self::Number(_) => 0,
            Self::Fixed64(_) => 1,
            Self::Bytes(_) => 2,
            Self::Group => 3,
            Self::Fixed32 => 5,
        }
    }

    fn carries(&self, kind: &Kind) -> bool {
        match kind {
            Kind::Int | Kind::Bool => matches!(self, Self::Number(_)),
            Kind::Number => matches!(self, Self::Fixed64(_)),
            Kind::List(item) => self.carries(item),
            _ => matches!(self, Self::Bytes(_)),
        }
    }
}

/// Reads field after field.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn varint(&mut self) -> Option<u64> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            number |= u64::from(byte & 0x7f).checked_shl(shift)?;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    fn take(&mut self, length: u64) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(usize::try_from(length).ok()?)?;
        self.0 = rest;
        Some(taken)
    }

    fn field(&mut self) -> Option<(u64, Wire<'a>)> {
        let tag = self.varint()?;
        let wire = match tag & 7 {
            0 => Wire::Number(self.varint()?),
            1 => {
                let (taken, rest) = self.0.split_first_chunk()?;
                self.0 = rest;
                Wire::Fixed64(taken)
            }
            2 => {
                let length = self.varint()?;
                Wire::Bytes(self.take(length)?)
            }
            3 => Wire::Group,
            5 => {
                self.take(4)?;
                Wire::Fixed32
            }
            _ => return None,
        };
        Some((tag >> 3, wire))
    }
}

impl<'a> Iterator for Reader<'a> {
    type Item = Result<(u64, Wire<'a>), String>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_none() {
            self.0 = &[];
        }
        Some(field.ok_or_else(|| "unexpected EOF".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_kubectl_creates_is_read() {
        let namespace = b"k8s\0\n\x0f\n\x02v1\x12\tNamespace\x12\x1b\n\x13\n\x03foo\x12\0\x1a\0\"\0*\x002\x008\0B\0\x12\0\x1a\x02\n\0\x1a\0\"\0";
        assert_eq!(
            read(namespace).unwrap(),
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "foo"}, "spec": {}, "status": {}})
        );
        let config_map = b"k8s\0\n\x0f\n\x02v1\x12\tConfigMap\x12\x1d\n\x13\n\x03foo\x12\0\x1a\0\"\0*\x002\x008\0B\0\x12\x06\n\x01a\x12\x01b\x1a\0\"\0";
        assert_eq!(
            read(config_map).unwrap(),
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "foo"}, "data": {"a": "b"}})
        );
        for length in 0..config_map.len() {
            // Whatever is cut off: an answer, and no panic.
            let _ = read(&config_map[..length]);
        }
    }
}
