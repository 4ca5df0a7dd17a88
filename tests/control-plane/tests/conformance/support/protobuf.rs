//! What is in a body of protobuf, told without knowing what it means: numbers of fields, and values, in their order.

use std::fmt::Write as _;

use super::mask::Mask;

/// What an object begins with.
pub(super) const MAGIC: &[u8] = b"k8s\0";

enum Value {
    Number(u64),
    Fixed(Vec<u8>),
    Bytes(Vec<u8>),
    Text(String),
    Message(Vec<(u64, Value)>),
    /// An object in its envelope.
    Object(Vec<(u64, Value)>),
}

impl Mask {
    /// A body, a line for each field, masked.
    pub(super) fn protobuf(&mut self, body: &[u8]) -> String {
        let mut value = read(body);
        self.walk_message(&mut value);
        let mut text = String::new();
        value.write(0, &mut text);
        text.trim_start_matches(' ').to_owned()
    }

    fn walk_message(&mut self, value: &mut Value) {
        match value {
            // A second of these years is one that a clock told.
            Value::Number(1_500_000_000..3_000_000_000) => {
                *value = Value::Text("<time>".to_owned())
            }
            Value::Text(text) => *text = self.text(text),
            Value::Message(fields) | Value::Object(fields) => {
                self.walk_metadata(fields);
                fields
                    .iter_mut()
                    .for_each(|(_, value)| self.walk_message(value));
            }
            Value::Number(_) | Value::Fixed(_) | Value::Bytes(_) => {}
        }
    }

    /// What an object's metadata is known by is the uid, and a list's that it has but two or three fields.
    fn walk_metadata(&mut self, fields: &mut [(u64, Value)]) {
        let text = |fields: &[(u64, Value)], number| {
            let found = fields.iter().find(|(known, _)| *known == number);
            found.and_then(|(_, value)| match value {
                Value::Text(text) => Some(text.clone()),
                _ => None,
            })
        };
        let numbers: Vec<u64> = fields.iter().map(|(number, _)| *number).collect();
        let (uid, version) = (text(fields, 5), text(fields, 6));
        if numbers.starts_with(&[1, 2, 3, 4, 5, 6, 7, 8]) && version.is_some() {
            let masked = version.and_then(|version| match uid.as_deref() {
                Some(uid) if !uid.is_empty() => self.version_of_answer(&version),
                // A bookmark's.
                _ => (!version.is_empty()).then(|| "<now>".to_owned()),
            });
            if let Some(masked) = masked {
                set(fields, 6, masked);
            }
            sort_managers(fields);
        } else if let ([1, 2, 3] | [1, 2, 3, 4], Some("")) = (&*numbers, text(fields, 1).as_deref())
        {
            let [version, token] = [2, 3].map(|number| text(fields, number).unwrap_or_default());
            if !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit()) {
                set(fields, 2, "<now>".to_owned());
                if !token.is_empty() {
                    set(fields, 3, "<token>".to_owned());
                }
            }
        }
    }
}

/// The message in a body whose first field is `name`, a line for each field.
pub(super) fn named(body: &[u8], name: &str) -> Option<String> {
    let mut text = String::new();
    read(body).find(name)?.write(0, &mut text);
    Some(text.trim_start_matches(' ').to_owned())
}

fn set(fields: &mut [(u64, Value)], number: u64, text: String) {
    for (known, value) in fields {
        if *known == number {
            *value = Value::Text(text.clone());
        }
    }
}

/// Those who write in one second are told in any order.
fn sort_managers(fields: &mut [(u64, Value)]) {
    let begin = fields.iter().position(|(number, _)| *number == 17);
    if let Some(managers) = begin.and_then(|begin| fields.get_mut(begin..)) {
        managers.sort_by_cached_key(|(_, manager)| {
            let mut text = String::new();
            manager.write(0, &mut text);
            text
        });
    }
}

impl Value {
    fn find(&self, name: &str) -> Option<&Self> {
        let (Self::Message(fields) | Self::Object(fields)) = self else {
            return None;
        };
        match fields.first() {
            Some((1, Self::Text(text))) if text == name => Some(self),
            _ => fields.iter().find_map(|(_, value)| value.find(name)),
        }
    }

    fn write(&self, depth: usize, into: &mut String) {
        match self {
            Self::Number(number) => writeln!(into, " {number}"),
            Self::Fixed(bytes) => writeln!(into, " fixed {bytes:02x?}"),
            Self::Bytes(bytes) => writeln!(into, " bytes {bytes:02x?}"),
            Self::Text(text) => writeln!(into, " {text:?}"),
            Self::Message(fields) | Self::Object(fields) => {
                let name = if matches!(self, Self::Object(_)) {
                    "k8s "
                } else {
                    ""
                };
                writeln!(into, " {name}{{").unwrap();
                for (number, value) in fields {
                    write!(into, "{:width$}{number}:", "", width = 2 * depth + 2).unwrap();
                    value.write(depth + 1, into);
                }
                writeln!(into, "{:width$}}}", "", width = 2 * depth)
            }
        }
        .unwrap();
    }
}

/// Whatever it may be: an object, text, a message, or else bytes.
fn read(bytes: &[u8]) -> Value {
    if let Some(fields) = bytes.strip_prefix(MAGIC).and_then(message) {
        return Value::Object(fields);
    }
    let text = std::str::from_utf8(bytes).ok();
    let text = text.filter(|text| !text.chars().any(|char| char.is_control() && char != '\n'));
    match text {
        Some(text) if !text.starts_with('\n') => Value::Text(text.to_owned()),
        text => match (message(bytes), text) {
            (Some(fields), _) => Value::Message(fields),
            (None, Some(text)) => Value::Text(text.to_owned()),
            (None, None) => Value::Bytes(bytes.to_vec()),
        },
    }
}

fn message(mut bytes: &[u8]) -> Option<Vec<(u64, Value)>> {
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let tag = varint(&mut bytes)?;
        let value = match tag & 7 {
            0 => Value::Number(varint(&mut bytes)?),
            1 => Value::Fixed(bytes.split_off(..8)?.to_vec()),
            2 => {
                let length = usize::try_from(varint(&mut bytes)?).ok()?;
                read(bytes.split_off(..length)?)
            }
            _ => return None,
        };
        fields.push((tag >> 3, value));
    }
    fields
        .iter()
        .all(|(number, _)| (1..1000).contains(number))
        .then_some(fields)
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let byte = *bytes.split_off_first()?;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}
