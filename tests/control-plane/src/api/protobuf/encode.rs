//! Writes objects as the marshallers of the API server's Go types do: field after field in the order of the numbers,
//! and also those that nobody has set, if they are no pointers.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::{Map, Value};

use super::MAGIC;
use crate::json;
use crate::structs::{self, Kind, LIST_META, Other, SCHEMA, Set, Struct};

const VARINT: u64 = 0;
const FIXED64: u64 = 1;
const BYTES: u64 = 2;

/// An object, or a list, in its envelope; none of a kind that has no protobuf.
pub(super) fn write(object: &Value) -> Option<Vec<u8>> {
    let text = |name: &str| object.get(name).and_then(Value::as_str).unwrap_or_default();
    let (api_version, kind) = (text("apiVersion"), text("kind"));
    let mut raw = Out::default();
    if let Some(known) = structs::of_kind(api_version, kind) {
        raw.message(known, object.as_object());
    } else {
        raw.list(
            structs::of_kind(api_version, kind.strip_suffix("List")?)?,
            object,
        );
    }
    let mut envelope = begin_envelope(api_version, kind, raw.0.len());
    envelope.append(&mut raw.0);
    envelope.extend(end_envelope());
    Some(envelope)
}

/// The envelope of an object up to the object itself.
pub(super) fn begin_envelope(api_version: &str, kind: &str, length: usize) -> Vec<u8> {
    let mut envelope = Out(MAGIC.to_vec());
    envelope.within(1, |meta| {
        meta.bytes(1, api_version.as_bytes());
        meta.bytes(2, kind.as_bytes());
    });
    envelope.begin(2, length);
    envelope.0
}

/// How it is encoded, and as what: as is said by the envelope itself.
pub(super) fn end_envelope() -> Vec<u8> {
    let mut end = Out::default();
    end.bytes(3, b"");
    end.bytes(4, b"");
    end.0
}

/// The metadata of a list, as a part of it.
pub(super) fn list_metadata(metadata: &Value) -> Vec<u8> {
    let mut part = Out::default();
    part.within(1, |part| {
        part.message(structs::of(LIST_META), metadata.as_object());
    });
    part.0
}

/// An object, as a part of a list.
pub(super) fn list_item(known: &Struct, object: &Value) -> Vec<u8> {
    let mut part = Out::default();
    part.within(2, |part| part.message(known, object.as_object()));
    part.0
}

/// An event of a watch: its length, and a message with the object in its envelope.
pub(super) fn write_event(event: &Value) -> Option<Vec<u8>> {
    let object = write(event.get("object")?)?;
    let mut written = Out::default();
    written.bytes(1, event.get("type")?.as_str()?.as_bytes());
    written.within(2, |raw| raw.bytes(1, &object));
    let mut frame = u32::try_from(written.0.len()).ok()?.to_be_bytes().to_vec();
    frame.append(&mut written.0);
    Some(frame)
}

/// What has been written.
#[derive(Default)]
pub(crate) struct Out(Vec<u8>);

impl Out {
    fn varint(&mut self, mut number: u64) {
        while number > 0x7f {
            self.0.push(number.to_le_bytes()[0] | 0x80);
            number >>= 7;
        }
        self.0.push(number.to_le_bytes()[0]);
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    pub(crate) fn bytes(&mut self, number: u64, bytes: &[u8]) {
        self.begin(number, bytes.len());
        self.0.extend_from_slice(bytes);
    }

    fn begin(&mut self, number: u64, length: usize) {
        self.varint(number << 3 | BYTES);
        self.varint(length as u64);
    }

    pub(crate) fn within(&mut self, number: u64, write: impl FnOnce(&mut Self)) {
        let mut message = Self::default();
        write(&mut message);
        self.bytes(number, &message.0);
    }

    pub(crate) fn int(&mut self, number: u64, value: i64) {
        self.varint(number << 3 | VARINT);
        self.varint(value.cast_unsigned());
    }

    pub(crate) fn double(&mut self, number: u64, value: f64) {
        self.varint(number << 3 | FIXED64);
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    fn list(&mut self, item: &Struct, list: &Value) {
        self.0
            .extend(list_metadata(list.get("metadata").unwrap_or(&Value::Null)));
        let items = list.get("items").and_then(Value::as_array);
        for object in items.into_iter().flatten() {
            self.0.extend(list_item(item, object));
        }
    }

    fn message(&mut self, known: &Struct, object: Option<&Map<String, Value>>) {
        for field in &known.fields {
            if let Kind::Flat(name) = field.kind {
                self.within(field.number, |flat| flat.message(structs::of(name), object));
                continue;
            }
            let value = object.and_then(|object| object.get(field.name));
            match value.filter(|value| !value.is_null()) {
                Some(value) => self.field(field.number, &field.kind, value),
                None if field.pointer => {}
                None => self.zero(field.number, &field.kind),
            }
        }
    }

    /// What nobody has set, and is there all the same.
    fn zero(&mut self, number: u64, kind: &Kind) {
        match kind {
            Kind::Bytes | Kind::List(_) | Kind::Map(_) | Kind::Items(_) => {}
            Kind::Time { .. } | Kind::Json | Kind::Object | Kind::Set => self.bytes(number, b""),
            Kind::Quantity => self.field(number, kind, &"0".into()),
            _ => self.field(number, kind, &Value::Null),
        }
    }

    fn field(&mut self, number: u64, kind: &Kind, value: &Value) {
        match kind {
            Kind::String => self.bytes(number, text(value)),
            Kind::Int => self.int(number, value.as_i64().unwrap_or_default()),
            Kind::Bool => self.int(number, value.as_bool().unwrap_or_default().into()),
            Kind::Number => self.double(number, value.as_f64().unwrap_or_default()),
            Kind::Bytes => self.bytes(number, &STANDARD.decode(text(value)).unwrap_or_default()),
            Kind::Time { micro } => self.within(number, |time| {
                let parsed = value.as_str().and_then(|text| text.parse().ok());
                let parsed: jiff::Timestamp = parsed.unwrap_or_default();
                time.int(1, parsed.as_second());
                let nanos = parsed.subsec_nanosecond() / 1000 * 1000;
                time.int(2, if *micro { nanos.into() } else { 0 });
            }),
            Kind::Quantity => self.within(number, |quantity| quantity.bytes(1, text(value))),
            Kind::IntOrString => self.within(number, |message| {
                message.int(1, value.is_string().into());
                message.int(2, value.as_i64().unwrap_or_default());
                message.bytes(3, text(value));
            }),
            Kind::Json | Kind::Object => self.json(number, value),
            Kind::Set => self.json(number, &Set(value)),
            Kind::List(kind) => {
                for element in value.as_array().into_iter().flatten() {
                    self.field(number, kind, element);
                }
            }
            Kind::Map(kind) => {
                let mut entries = Vec::from_iter(value.as_object().into_iter().flatten());
                entries.sort_by_key(|(key, _)| *key);
                for (key, value) in entries {
                    self.within(number, |entry| {
                        entry.bytes(1, key.as_bytes());
                        entry.field(2, kind, value);
                    });
                }
            }
            Kind::Items(kind) => self.within(number, |message| {
                for element in value.as_array().into_iter().flatten() {
                    message.field(1, kind, element);
                }
            }),
            Kind::Flat(name) | Kind::Message(name) => self.within(number, |message| {
                message.message(structs::of(name), value.as_object());
            }),
            Kind::SchemaOr(other) => {
                self.within(number, |message| message.schema_or(*other, value));
            }
        }
    }

    fn json(&mut self, number: u64, value: &impl Serialize) {
        let mut text = Vec::new();
        json::write(value, &mut text);
        self.within(number, |raw| raw.bytes(1, &text));
    }

    fn schema_or(&mut self, other: Other, value: &Value) {
        let schema = value.as_object();
        let elements = value.as_array().into_iter().flatten();
        match other {
            Other::Bool => {
                self.int(1, value.as_bool().unwrap_or(schema.is_some()).into());
                if schema.is_some() {
                    self.within(2, |message| message.message(structs::of(SCHEMA), schema));
                }
            }
            Other::Array | Other::Strings => {
                if schema.is_some() {
                    self.within(1, |message| message.message(structs::of(SCHEMA), schema));
                }
                for element in elements {
                    match other {
                        Other::Strings => self.bytes(2, text(element)),
                        _ => self.field(2, &Kind::Message(SCHEMA), element),
                    }
                }
            }
        }
    }
}

fn text(value: &Value) -> &[u8] {
    value.as_str().unwrap_or_default().as_bytes()
}
