//! Reads objects.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::MAGIC;
use super::wire::{Reader, Tag, text};
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
        let mut reader = Reader::new("Unknown", envelope);
        while let Some(tag) = reader.next()? {
            match tag.number {
                1 => {
                    let mut meta = Reader::new("TypeMeta", reader.bytes(tag, "TypeMeta")?);
                    while let Some(tag) = meta.next()? {
                        match tag.number {
                            1 => read.api_version = meta.text(tag, "APIVersion")?,
                            2 => read.kind = meta.text(tag, "Kind")?,
                            _ => meta.skip(tag)?,
                        }
                    }
                }
                2 => read.raw = reader.bytes(tag, "Raw")?,
                3 => drop(reader.bytes(tag, "ContentEncoding")?),
                4 => drop(reader.bytes(tag, "ContentType")?),
                _ => reader.skip(tag)?,
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
    let mut reader = Reader::new(known.name, bytes);
    while let Some(tag) = reader.next()? {
        let fields = &known.fields;
        let found = fields.binary_search_by_key(&tag.number, |field| field.number);
        let Some(Field {
            name,
            kind,
            pointer,
            ..
        }) = found.ok().and_then(|at| fields.get(at))
        else {
            reader.skip(tag)?;
            continue;
        };
        let in_go = go_name(name);
        match kind {
            Kind::List(item) if matches!(**item, Kind::Int) && tag.is_packed() => {
                let numbers = reader.packed(tag, &in_go)?;
                let list = object.entry(*name).or_insert_with(|| json!([]));
                if let Some(list) = list.as_array_mut() {
                    list.extend(
                        numbers
                            .into_iter()
                            .map(|number| number.cast_signed().into()),
                    );
                }
            }
            Kind::List(item) => {
                let list = object.entry(*name).or_insert_with(|| json!([]));
                let item = value(item, &mut reader, tag, &in_go, depth)?;
                if let (Some(list), Some(item)) = (list.as_array_mut(), item) {
                    list.push(item);
                }
            }
            Kind::Map(item) => {
                let map = object.entry(*name).or_insert_with(|| json!({}));
                let (key, value) = entry(item, reader.bytes(tag, &in_go)?, depth)?;
                map[key] = value;
            }
            Kind::Flat(_) => {
                let within = value(kind, &mut reader, tag, &in_go, depth)?;
                if let Some(Value::Object(fields)) = within {
                    object.extend(fields);
                }
            }
            _ => {
                let value = value(kind, &mut reader, tag, &in_go, depth)?;
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

/// An entry of a map.
fn entry(kind: &Kind, bytes: &[u8], depth: usize) -> Result<(String, Value), String> {
    let (mut key, mut found) = (String::new(), None);
    let mut reader = Reader::new("", bytes);
    while let Some(tag) = reader.next_of_entry()? {
        match tag.number {
            1 => key = text(reader.bytes_of_entry()?),
            2 => found = in_bytes(kind, reader.bytes_of_entry()?, depth)?,
            _ => reader.skip(tag)?,
        }
    }
    let found = found.unwrap_or_else(|| match kind {
        Kind::Quantity | Kind::Time { .. } => Value::Null,
        Kind::Message(_) => json!({}),
        Kind::Items(_) => json!([]),
        _ => "".into(),
    });
    Ok((key, found))
}

/// The value of a field; nothing if its message says nothing.
fn value(
    kind: &Kind,
    reader: &mut Reader<'_>,
    tag: Tag<'_>,
    field: &str,
    depth: usize,
) -> Result<Option<Value>, String> {
    Ok(Some(match kind {
        Kind::Int => reader.number(tag, field)?.cast_signed().into(),
        Kind::Bool => (reader.number(tag, field)? != 0).into(),
        Kind::Number => reader.float(tag, field)?.into(),
        _ => return in_bytes(kind, reader.bytes(tag, field)?, depth),
    }))
}

/// The value of what has a length; nothing if its message says nothing.
fn in_bytes(kind: &Kind, bytes: &[u8], depth: usize) -> Result<Option<Value>, String> {
    Ok(Some(match kind {
        Kind::String => text(bytes).into(),
        Kind::Bytes => STANDARD.encode(bytes).into(),
        Kind::Time { micro } => return time(bytes, *micro),
        Kind::Quantity => quantity(bytes)?,
        Kind::IntOrString => int_or_string(bytes)?,
        Kind::Json | Kind::Object | Kind::Set => return raw(kind, bytes),
        Kind::Items(item) => {
            let mut items = Vec::new();
            let mut reader = Reader::new("Items", bytes);
            while let Some(tag) = reader.next()? {
                match tag.number {
                    1 => items.extend(value(item, &mut reader, tag, "Items", depth)?),
                    _ => reader.skip(tag)?,
                }
            }
            items.into()
        }
        Kind::SchemaOr(other) => schema_or(*other, bytes, depth)?,
        Kind::Flat(name) | Kind::Message(name) => message(structs::of(name), bytes, depth + 1)?,
        Kind::Int | Kind::Bool | Kind::Number | Kind::List(_) | Kind::Map(_) => {
            return Err(format!("a value that is no {kind:?}"));
        }
    }))
}

/// JSON within a message.
fn raw(kind: &Kind, bytes: &[u8]) -> Result<Option<Value>, String> {
    let of = match kind {
        Kind::Set => "FieldsV1",
        Kind::Object => "RawExtension",
        _ => "JSON",
    };
    let mut found = None;
    let mut reader = Reader::new(of, bytes);
    while let Some(tag) = reader.next()? {
        match tag.number {
            1 => found = Some(reader.bytes(tag, "Raw")?),
            _ => reader.skip(tag)?,
        }
    }
    match (found.map(serde_json::from_slice), kind) {
        // Entries whose fields cannot be read are nobody's.
        (Some(Err(_)), Kind::Set) => Ok(Some("".into())),
        (Some(read), _) => read.map(Some).map_err(|error| error.to_string()),
        (None, _) => Ok(None),
    }
}

fn schema_or(other: Other, bytes: &[u8], depth: usize) -> Result<Value, String> {
    let of = match other {
        Other::Array => "JSONSchemaPropsOrArray",
        Other::Bool => "JSONSchemaPropsOrBool",
        Other::Strings => "JSONSchemaPropsOrStringArray",
    };
    let schema = |bytes| message(structs::of(SCHEMA), bytes, depth + 1);
    let (mut found, mut list) = (None, Vec::new());
    let mut reader = Reader::new(of, bytes);
    while let Some(tag) = reader.next()? {
        match (other, tag.number) {
            (Other::Bool, 1) => {
                let allows = reader.number(tag, "Allows")?;
                found.get_or_insert(Value::from(allows != 0));
            }
            (Other::Bool, 2) | (Other::Array | Other::Strings, 1) => {
                found = Some(schema(reader.bytes(tag, "Schema")?)?);
            }
            (Other::Array, 2) => list.push(schema(reader.bytes(tag, "JSONSchemas")?)?),
            (Other::Strings, 2) => list.push(reader.text(tag, "Property")?.into()),
            _ => reader.skip(tag)?,
        }
    }
    Ok(found.unwrap_or_else(|| list.into()))
}

fn time(bytes: &[u8], micro: bool) -> Result<Option<Value>, String> {
    let (mut seconds, mut nanos) = (None, 0);
    let mut reader = Reader::new("Timestamp", bytes);
    while let Some(tag) = reader.next()? {
        match tag.number {
            1 => seconds = Some(reader.number(tag, "Seconds")?.cast_signed()),
            // Go's number has 32 bits.
            2 => nanos = (reader.number(tag, "Nanos")? & 0xffff_ffff) as u32,
            _ => reader.skip(tag)?,
        }
    }
    let Some(seconds) = seconds else {
        return Ok(None);
    };
    let time = jiff::Timestamp::from_second(seconds)
        .and_then(|time| {
            time.checked_add(jiff::SignedDuration::from_nanos(nanos.cast_signed().into()))
        })
        .map_err(|error| error.to_string())?;
    let digits = if micro { "%.6f" } else { "" };
    let format = format!("%Y-%m-%dT%H:%M:%S{digits}Z");
    Ok(Some(time.strftime(&format).to_string().into()))
}

fn quantity(bytes: &[u8]) -> Result<Value, String> {
    let mut found = Value::Null;
    let mut reader = Reader::new("Quantity", bytes);
    while let Some(tag) = reader.next()? {
        match tag.number {
            1 => found = reader.text(tag, "String_")?.into(),
            _ => reader.skip(tag)?,
        }
    }
    Ok(found)
}

fn int_or_string(bytes: &[u8]) -> Result<Value, String> {
    let (mut is_text, mut number, mut text) = (false, 0, String::new());
    let mut reader = Reader::new("IntOrString", bytes);
    while let Some(tag) = reader.next()? {
        match tag.number {
            1 => is_text = reader.number(tag, "Type")? == 1,
            2 => number = reader.number(tag, "IntVal")?.cast_signed(),
            3 => text = reader.text(tag, "StrVal")?,
            _ => reader.skip(tag)?,
        }
    }
    Ok(if is_text { text.into() } else { number.into() })
}

/// What a field is called in Go.
fn go_name(name: &str) -> String {
    let mut chars = name.chars();
    match (name, chars.next()) {
        ("metadata", _) => "ObjectMeta".to_owned(),
        ("uid" | "id" | "ip", _) => name.to_uppercase(),
        (_, Some('a')) if name.starts_with("api") => format!("API{}", &name[3..]),
        (_, Some(first)) => first.to_uppercase().chain(chars).collect(),
        (_, None) => String::new(),
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
