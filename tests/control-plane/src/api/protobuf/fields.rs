//! The fields of messages, as a table (`fields.txt`), which `tools/protobuf_fields.py` writes.
//!
//! A line `kind VERSION KIND = MESSAGE` says which message a kind is; one without a version is so in every version. A
//! line `MESSAGE:` opens a message; below it are its fields, `NUMBER NAME TYPE` with commas between, in the order of the
//! numbers. Types: `string int bool number bytes time microtime quantity int|string json`, `[T]` is repeated, `{T}` a
//! map with strings for keys, `<T>` a message that is a list in JSON, `*T*` a message whose fields are the object's own,
//! `schema|array`, `schema|bool` and `schema|strings` a JSON schema or something else, or it is a message of the table.
//! `T?` is a pointer: left out if it was not set, where any other scalar or message is sent all the same.

use std::collections::BTreeMap;
use std::sync::LazyLock;

/// A field of a message.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) number: u64,
    /// In JSON.
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) pointer: bool,
}

#[derive(Debug)]
pub(super) enum Kind {
    String,
    Int,
    Bool,
    Number,
    Bytes,
    Time { micro: bool },
    Quantity,
    IntOrString,
    Json,
    List(Box<Kind>),
    Map(Box<Kind>),
    Items(Box<Kind>),
    Flat(&'static str),
    Message(&'static str),
    SchemaOr(Other),
}

/// What may be in the place of a JSON schema.
#[derive(Clone, Copy, Debug)]
pub(super) enum Other {
    Array,
    Bool,
    Strings,
}

/// The message of a JSON schema.
pub(super) const SCHEMA: &str = "apiextensions.v1.JSONSchemaProps";
/// The message of the metadata of a list.
pub(super) const LIST_META: &str = "meta.v1.ListMeta";

#[derive(Default)]
struct Table {
    kinds: BTreeMap<&'static str, &'static str>,
    messages: BTreeMap<&'static str, Vec<Field>>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut table = Table::default();
    let mut open = "";
    for line in include_str!("fields.txt").lines() {
        if let Some((kind, message)) = line
            .strip_prefix("kind ")
            .and_then(|line| line.split_once(" = "))
        {
            table.kinds.insert(kind, message);
        } else if let Some(message) = line.strip_suffix(':') {
            open = message;
            table.messages.entry(message).or_default();
        } else {
            let fields = table.messages.entry(open).or_default();
            fields.extend(line.split(',').filter_map(field));
        }
    }
    table
});

/// The fields of a kind.
pub(super) fn of_kind(api_version: &str, kind: &str) -> Option<&'static [Field]> {
    let kinds = &TABLE.kinds;
    let message = kinds
        .get(format!("{api_version} {kind}").as_str())
        .or_else(|| kinds.get(kind))?;
    Some(of(message))
}

/// The fields of a message.
pub(super) fn of(message: &str) -> &'static [Field] {
    TABLE.messages.get(message).map_or(&[], Vec::as_slice)
}

fn field(text: &'static str) -> Option<Field> {
    let mut words = text.split_whitespace();
    let number = words.next()?.parse().ok()?;
    let name = words.next()?;
    let kind = words.next()?;
    Some(Field {
        number,
        name,
        kind: Kind::read(kind.trim_end_matches('?')),
        pointer: kind.ends_with('?'),
    })
}

impl Kind {
    fn read(text: &'static str) -> Self {
        let inside = |open, close| text.strip_prefix(open)?.strip_suffix(close);
        if let Some(element) = inside('[', ']') {
            return Self::List(Box::new(Self::read(element)));
        }
        if let Some(values) = inside('{', '}') {
            return Self::Map(Box::new(Self::read(values)));
        }
        if let Some(element) = inside('<', '>') {
            return Self::Items(Box::new(Self::read(element)));
        }
        if let Some(message) = inside('*', '*') {
            return Self::Flat(message);
        }
        match text {
            "string" => Self::String,
            "int" => Self::Int,
            "bool" => Self::Bool,
            "number" => Self::Number,
            "bytes" => Self::Bytes,
            "time" => Self::Time { micro: false },
            "microtime" => Self::Time { micro: true },
            "quantity" => Self::Quantity,
            "int|string" => Self::IntOrString,
            "json" => Self::Json,
            "schema|array" => Self::SchemaOr(Other::Array),
            "schema|bool" => Self::SchemaOr(Other::Bool),
            "schema|strings" => Self::SchemaOr(Other::Strings),
            message => Self::Message(message),
        }
    }

    /// The messages that it names.
    #[cfg(test)]
    fn messages(&self) -> Option<&'static str> {
        match self {
            Self::List(of) | Self::Map(of) | Self::Items(of) => of.messages(),
            Self::Flat(name) | Self::Message(name) => Some(name),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_kind_has_its_fields_and_every_message_is_there() {
        for line in include_str!("../../schema/builtin.txt").lines() {
            if let Some(kind) = line.strip_prefix("kind ") {
                let kind = kind.trim_end_matches(':');
                assert!(
                    TABLE.kinds.contains_key(kind),
                    "{kind}: run tools/protobuf_fields.py"
                );
            }
        }
        assert!(!TABLE.kinds.is_empty());
        let fields = TABLE.messages.values().flatten();
        let named = fields.filter_map(|field| field.kind.messages());
        for message in named
            .chain(TABLE.kinds.values().copied())
            .chain([SCHEMA, LIST_META])
        {
            assert!(TABLE.messages.contains_key(message), "{message}");
        }
    }
}
