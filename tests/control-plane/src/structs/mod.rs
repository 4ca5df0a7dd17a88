//! The Go structs of Kubernetes' types, as a table (`fields.txt`), which `tools/structs.py` writes.
//!
//! A line `kind VERSION KIND = STRUCT` says which struct a kind is; one without a version is so in every version. A
//! line `STRUCT:` opens a struct; below it are its fields as they are declared, `NUMBER NAME TYPE` with commas between,
//! where the number is that in protobuf, or 0. Types: `string int bool number bytes time microtime quantity int|string
//! json`, `object` is a whole object, `set` are owned fields, `[T]` is repeated, `{T}` a map with strings for keys, `<T>` a
//! message that is a list in JSON, `*T*` a struct whose fields are the object's own, `schema|array`, `schema|bool` and
//! `schema|strings` a JSON schema or something else, or it is a struct of the table. `T?` is a pointer: left out of
//! protobuf if it was not set, where any other scalar or struct is sent all the same. Behind the type is what Go calls it,
//! where that names a type that is no struct: `[]v1.FinalizerName`.

mod declared;
pub(crate) mod internal;
mod order;

use std::collections::BTreeMap;
use std::sync::LazyLock;

pub(crate) use declared::{Declared, element, underlying};
pub(crate) use order::{Item, Patched, Set, Typed, parts};

/// A struct.
#[derive(Debug, Default)]
pub(crate) struct Struct {
    /// In Go.
    pub(crate) name: &'static str,
    /// In the order of their numbers.
    pub(crate) fields: Vec<Field>,
    /// Where its fields come in JSON, those of structs within it included that have no name there.
    places: BTreeMap<&'static str, (isize, Kind)>,
}

/// A field of a struct.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub(crate) number: u64,
    /// In JSON.
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) pointer: bool,
    /// What Go calls its type, if it is a named one that is no struct.
    declared: Option<&'static str>,
}

#[derive(Clone, Debug)]
pub(crate) enum Kind {
    String,
    Int,
    Bool,
    Number,
    Bytes,
    Time { micro: bool },
    Quantity,
    IntOrString,
    Json,
    Object,
    Set,
    List(Box<Kind>),
    Map(Box<Kind>),
    Items(Box<Kind>),
    Flat(&'static str),
    Message(&'static str),
    SchemaOr(Other),
}

/// What may be in the place of a JSON schema.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Other {
    Array,
    Bool,
    Strings,
}

/// The struct of a JSON schema.
pub(crate) const SCHEMA: &str = "apiextensions.v1.JSONSchemaProps";
/// The struct of the metadata of a list.
pub(crate) const LIST_META: &str = "meta.v1.ListMeta";
/// The struct of the metadata of an object.
pub(crate) const OBJECT_META: &str = "meta.v1.ObjectMeta";
/// Any list, without what is in it.
const LIST: &str = "meta.v1.PartialObjectMetadataList";

#[derive(Default)]
struct Table {
    /// By version and name.
    kinds: BTreeMap<(&'static str, &'static str), &'static str>,
    /// By name alone.
    of_any_version: BTreeMap<&'static str, &'static str>,
    structs: BTreeMap<&'static str, Struct>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut kinds = BTreeMap::new();
    let mut of_any_version = BTreeMap::new();
    let mut declared: BTreeMap<&str, Vec<Field>> = BTreeMap::new();
    let mut open = "";
    for line in include_str!("fields.txt").lines() {
        if let Some((kind, of)) = line
            .strip_prefix("kind ")
            .and_then(|line| line.split_once(" = "))
        {
            match kind.split_once(' ') {
                Some(kind) => kinds.insert(kind, of),
                None => of_any_version.insert(kind, of),
            };
        } else if let Some(name) = line.strip_suffix(':') {
            open = name;
            declared.entry(name).or_default();
        } else {
            let fields = declared.entry(open).or_default();
            fields.extend(line.split(',').filter_map(field));
        }
    }
    let structs = declared.keys().map(|name| {
        let mut places = BTreeMap::new();
        place(name, &declared, &mut places);
        let mut fields = declared.get(name).cloned().unwrap_or_default();
        fields.sort_by_key(|field| field.number);
        let in_go = name.rsplit_once('.').map_or(*name, |(_, last)| last);
        (
            *name,
            Struct {
                name: in_go,
                fields,
                places,
            },
        )
    });
    let structs = structs.collect();
    Table {
        kinds,
        of_any_version,
        structs,
    }
});

static NONE: Struct = Struct {
    name: "",
    fields: Vec::new(),
    places: BTreeMap::new(),
};

/// Appends the fields of a struct to those that come before them.
fn place(
    name: &str,
    declared: &BTreeMap<&'static str, Vec<Field>>,
    places: &mut BTreeMap<&'static str, (isize, Kind)>,
) {
    for field in declared.get(name).into_iter().flatten() {
        match field.kind {
            Kind::Flat(within) => place(within, declared, places),
            _ => {
                let next = places.len().cast_signed();
                places.insert(field.name, (next, field.kind.clone()));
            }
        }
    }
}

impl Struct {
    /// Where a field comes, and what it is.
    fn place(&self, name: &str) -> Option<(isize, &Kind)> {
        let (place, kind) = self.places.get(name)?;
        Some((*place, kind))
    }
}

/// The struct of a kind of object.
pub(crate) fn of_object(api_version: &str, kind: &str) -> Option<&'static Struct> {
    let name = TABLE.kinds.get(&(api_version, kind))?;
    Some(of(name))
}

/// The same also of what is the same in every version, such as a Status.
pub(crate) fn of_kind(api_version: &str, kind: &str) -> Option<&'static Struct> {
    let (group, _) = api_version.split_once('/').unwrap_or_default();
    // A resource of somebody's own may be called so, too.
    let is_own = group.contains('.') && !group.ends_with("k8s.io");
    let of_any = || Some(of(TABLE.of_any_version.get(kind).filter(|_| !is_own)?));
    of_object(api_version, kind).or_else(of_any)
}

/// A struct by its name.
pub(crate) fn of(name: &str) -> &'static Struct {
    TABLE.structs.get(name).unwrap_or(&NONE)
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
        declared: words.next(),
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
            "object" => Self::Object,
            "set" => Self::Set,
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
        for line in include_str!("../schema/builtin.txt").lines() {
            if let Some(kind) = line.strip_prefix("kind ") {
                let kind = kind.trim_end_matches(':');
                assert!(
                    kind.split_once(' ')
                        .is_some_and(|kind| TABLE.kinds.contains_key(&kind)),
                    "{kind}: run tools/structs.py"
                );
            }
        }
        assert!(!TABLE.kinds.is_empty());
        let fields = TABLE.structs.values().flat_map(|known| &known.fields);
        let named = fields.filter_map(|field| field.kind.messages());
        for message in named
            .chain(TABLE.kinds.values().copied())
            .chain(TABLE.of_any_version.values().copied())
            .chain([SCHEMA, LIST_META, OBJECT_META, LIST])
        {
            assert!(TABLE.structs.contains_key(message), "{message}");
        }
    }
}
