//! The built-in kinds, as a table (`builtin.txt`).
//!
//! A line `kind GROUP/VERSION NAME:` or `type NAME [atomic]:` opens a type; below it are its fields, `name type`
//! with commas between. Types: `string int int64 number bool bytes time microtime quantity any int|string`, `[T]` a list, `{T}` a map, or a
//! type of the table. After the type: `map(keys)`, `set` (what a list is to server-side apply; atomic if nothing is
//! said), `atomic` (a map), `granular` (a field of an atomic type that is none), `merge(key)` and `merge` (what a list is to a strategic merge patch), `replace` (a map that is not merged), `=value` (the
//! default of a key), `pointer` (always there, but null), `key` (empty as the key of a list where it is not said). `name!` is always serialized. The root's apiVersion, kind and metadata go without saying.
//! `tools/builtin_kinds.py` writes the lines of more kinds.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::{Value, json};

use super::{Additional, Kind, ListType, Merge, Schema};

static TABLE: LazyLock<Table> = LazyLock::new(|| read(include_str!("builtin.txt")));

#[derive(Default)]
struct Table {
    types: BTreeMap<&'static str, Schema>,
    /// By `group/version kind`.
    kinds: BTreeMap<String, Schema>,
}

/// The schema of a built-in kind; the core group is `""`.
pub(crate) fn builtin(group: &str, version: &str, kind: &str) -> Option<&'static Schema> {
    let slash = if group.is_empty() { "" } else { "/" };
    TABLE.kinds.get(&format!("{group}{slash}{version} {kind}"))
}

/// All kinds, by group, version and name.
#[cfg(test)]
pub(super) fn kinds() -> impl Iterator<Item = (&'static str, &'static Schema)> {
    TABLE
        .kinds
        .iter()
        .map(|(name, schema)| (name.as_str(), schema))
}

/// A type of the table.
pub(crate) fn named(name: &str) -> Option<&'static Schema> {
    TABLE.types.get(name)
}

/// What an object of the schema serializes to before anything is set: the fields that are always there.
pub(crate) fn empty(schema: &Schema) -> Value {
    let fields = schema
        .target()
        .properties
        .iter()
        .filter(|(_, field)| field.always);
    fields
        .map(|(name, field)| (name.clone(), always(field)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// The value of a field that is always there.
pub(super) fn always(field: &Schema) -> Value {
    match field.kind {
        _ if field.pointer => Value::Null,
        Some(Kind::Object) => empty(field),
        Some(Kind::String) if field.rules.format.is_none() => "".into(),
        Some(Kind::Integer) => 0.into(),
        Some(Kind::Boolean) => false.into(),
        _ if field.is_quantity() => "0".into(),
        // Times and lists.
        _ => Value::Null,
    }
}

impl Schema {
    /// The value that a key has when nobody has set it, if it has one then.
    pub(crate) fn zero(&self) -> Option<Value> {
        (self.always || self.may_be_empty_key)
            .then(|| always(self))
            .filter(|value| !value.is_null())
    }

    /// The name of a type of the table, without what tells it from another of that name.
    pub(crate) fn type_name(&self) -> Option<&'static str> {
        let name = self.refers?;
        name.rsplit('.').next()
    }

    /// The version of that type: `v1`, where its name in the table does not say another.
    fn type_version(&self) -> &'static str {
        let mut before = self
            .refers
            .into_iter()
            .flat_map(|name| name.rsplit('.').skip(1));
        let said = before.next();
        said.filter(|said| said.starts_with('v')).unwrap_or("v1")
    }

    /// Whether it is a number with a unit, like `500m` or `1Gi`.
    pub(crate) fn is_quantity(&self) -> bool {
        self.int_or_string && self.rules.format.as_deref() == Some("quantity")
    }

    /// The Go type of a field, as a decoding error names it.
    pub(super) fn go_type(&self) -> String {
        if let Some(name) = self.type_name() {
            return format!("{}.{name}", self.type_version());
        }
        if self.is_quantity() {
            return "resource.Quantity".into();
        }
        match (self.kind, self.rules.format.as_deref(), &self.additional) {
            (Some(Kind::String), Some("byte"), _) => "[]uint8".into(),
            (Some(Kind::String), ..) => "string".into(),
            (Some(Kind::Boolean), ..) => "bool".into(),
            (Some(Kind::Integer), Some("int64"), _) => "int64".into(),
            (Some(Kind::Number), ..) => "float64".into(),
            (Some(Kind::Array), ..) => format!("[]{}", self.element().go_type()),
            (Some(Kind::Object), _, Additional::Values(values)) => {
                // A time itself is read as a text.
                let is_time = values.rules.format.as_deref() == Some("date-time");
                let values = if is_time {
                    "v1.Time".to_owned()
                } else {
                    values.go_type()
                };
                format!("map[string]{values}")
            }
            (None, ..) if self.preserve_unknown => "v1.JSON".into(),
            _ => "int32".into(),
        }
    }
}

fn read(table: &'static str) -> Table {
    let mut read = Table::default();
    let mut heads = table.split("\n").peekable();
    while let Some(head) = heads.next() {
        let mut body = String::new();
        while let Some(line) = heads.next_if(|line| line.starts_with(' ')) {
            body.push_str(line);
        }
        let words: Vec<&'static str> = head.trim_end_matches(':').split(' ').collect();
        let mut schema = object(&body);
        match words.as_slice() {
            ["kind", api_version, kind] => {
                root(&mut schema);
                read.kinds.insert(format!("{api_version} {kind}"), schema);
            }
            ["type", name, rest @ ..] => {
                schema.atomic = rest == ["atomic"];
                read.types.insert(name, schema);
            }
            _ => {}
        }
    }
    read
}

/// Adds what every object has.
pub(super) fn root(schema: &mut Schema) {
    for name in ["apiVersion", "kind"] {
        let said = schema.properties.remove(name);
        let implied = said.is_none();
        let own = said.unwrap_or_default();
        let field = Schema {
            implied,
            default: own.default,
            rules: own.rules,
            ..scalar(Kind::String)
        };
        schema.properties.insert(name.into(), field);
    }
    let mut metadata = reference("ObjectMeta");
    metadata.always = true;
    metadata.implied = !schema.properties.contains_key("metadata");
    // What the schema adds to the type that metadata has.
    if let Some(own) = schema.properties.remove("metadata") {
        metadata.default = own.default;
        let known = &metadata.target().properties;
        let fields = own.properties.into_iter();
        metadata.properties = fields
            .filter(|(name, _)| known.contains_key(name))
            .collect();
        if let Some(mut default) = metadata.default.take() {
            metadata.prune(&mut default);
            metadata.default = Some(default);
        }
    }
    schema.properties.insert("metadata".into(), metadata);
}

fn reference(name: &'static str) -> Schema {
    Schema {
        refers: Some(name),
        kind: Some(Kind::Object),
        ..Schema::default()
    }
}

fn scalar(kind: Kind) -> Schema {
    Schema {
        kind: Some(kind),
        nullable: true,
        ..Schema::default()
    }
}

fn object(body: &str) -> Schema {
    let fields = body
        .split(',')
        .map(str::trim)
        .filter(|field| !field.is_empty());
    Schema {
        kind: Some(Kind::Object),
        nullable: true,
        properties: fields.map(field).collect(),
        ..Schema::default()
    }
}

fn field(text: &str) -> (String, Schema) {
    let mut words = text.split_whitespace();
    let name = words.next().unwrap_or_default();
    let mut schema = kind(words.next().unwrap_or("any"));
    schema.always = name.ends_with('!');
    let mut rest = words.collect::<Vec<_>>().join(" ");
    while !rest.is_empty() {
        // A word, with what is in its parentheses.
        let end = match (rest.find(' '), rest.find('(')) {
            (Some(space), Some(open)) if open < space => {
                rest.find(')').map_or(rest.len(), |close| close + 1)
            }
            (Some(space), _) => space,
            (None, _) => rest.len(),
        };
        let tail = rest.split_off(end).trim_start().to_owned();
        option(&mut schema, &rest);
        rest = tail;
    }
    (name.trim_end_matches('!').to_owned(), schema)
}

fn option(schema: &mut Schema, word: &str) {
    let within = |name: &str| {
        word.strip_prefix(name)?
            .strip_prefix('(')?
            .strip_suffix(')')
    };
    if let Some(keys) = within("map") {
        schema.list = ListType::Map(keys.split(' ').map(str::to_owned).collect());
    } else if let Some(key) = within("merge") {
        schema.merge = Merge::Key(key.to_owned());
    } else if word == "pointer" {
        schema.pointer = true;
    } else if let Some(default) = word.strip_prefix('=') {
        schema.default = Some(json!(default));
    } else {
        match word {
            "set" => schema.list = ListType::Set,
            "merge" => schema.merge = Merge::Values,
            "replace" => schema.merge = Merge::Not,
            "granular" => schema.granular = true,
            "key" => schema.may_be_empty_key = true,
            _ => schema.atomic = true,
        }
    }
}

fn kind(name: &str) -> Schema {
    let inside = |open, close| name.strip_prefix(open)?.strip_suffix(close);
    if let Some(element) = inside('[', ']') {
        return Schema {
            items: Some(Box::new(kind(element))),
            ..scalar(Kind::Array)
        };
    }
    if let Some(values) = inside('{', '}') {
        return Schema {
            additional: Additional::Values(Box::new(kind(values))),
            ..scalar(Kind::Object)
        };
    }
    let formatted = |kind: Kind, format: &str| {
        let mut schema = scalar(kind);
        schema.rules.format = Some(format.into());
        schema
    };
    match name {
        "string" => scalar(Kind::String),
        "bytes" => formatted(Kind::String, "byte"),
        "time" => formatted(Kind::String, "date-time"),
        "microtime" => formatted(Kind::String, "microtime"),
        "quantity" => Schema {
            kind: None,
            int_or_string: true,
            ..formatted(Kind::String, "quantity")
        },
        "int" => scalar(Kind::Integer),
        "int64" => formatted(Kind::Integer, "int64"),
        "number" => scalar(Kind::Number),
        "bool" => scalar(Kind::Boolean),
        "any" => Schema::anything(),
        "int|string" => Schema {
            int_or_string: true,
            nullable: true,
            ..Schema::default()
        },
        _ => {
            let mut schema = Schema {
                nullable: true,
                ..Schema::default()
            };
            schema.refers = TYPE_NAMES.iter().copied().find(|known| *known == name);
            schema.kind = Some(Kind::Object);
            schema
        }
    }
}

/// The names of the table's types, which references borrow.
static TYPE_NAMES: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let types = include_str!("builtin.txt")
        .lines()
        .filter_map(|line| line.strip_prefix("type "));
    types
        .filter_map(|line| line.trim_end_matches(':').split(' ').next())
        .collect()
});
