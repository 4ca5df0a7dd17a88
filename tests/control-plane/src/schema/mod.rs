//! Structural schemas: pruning, defaults and validation of objects.
//!
//! One type, [`Schema`], describes custom resources ([`Schema::from_crd_version`]) and the built-in kinds
//! ([`builtin()`]); the patches read from it which lists have keys and which maps are one leaf.

mod base64;
mod branches;
mod builtin;
mod cause;
mod converted;
mod decode;
mod defaults;
mod empties;
mod enumeration;
mod formats;
mod fractions;
mod lists;
mod mail;
mod numbers;
mod parse;
mod pattern;
mod prune;
mod pruned;
mod quantity;
mod ratchet;
pub(crate) mod shown;
mod structural;
mod surplus;
mod taken;
#[cfg(test)]
mod tests;
mod times;
mod validate;
mod whole;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use enumeration::Enum;

pub(crate) use builtin::{builtin, empty, named};
pub(crate) use cause::{Cause, MOST_CAUSES, Reason};
pub(crate) use decode::decode_metadata;
pub(crate) use empties::Empties;
pub(crate) use formats::is_known as is_known_format;
pub(crate) use fractions::Fractions;
pub(crate) use pattern::Pattern;
pub(crate) use pruned::Pruned;
pub(crate) use quantity::{in_billionths, plus};
pub(crate) use surplus::Unknown;
pub(crate) use whole::{LABEL, read_metadata};

/// A node of a structural schema.
#[derive(Clone, Debug, Default)]
pub(crate) struct Schema {
    /// Another type of the built-in table that this node stands for.
    refers: Option<&'static str>,
    /// `None`: a value of any type.
    pub(crate) kind: Option<Kind>,
    pub(crate) properties: BTreeMap<String, Schema>,
    pub(crate) additional: Additional,
    pub(crate) items: Option<Box<Schema>>,
    pub(crate) list: ListType,
    /// A map (or object) that has one owner and is replaced as a whole.
    pub(crate) atomic: bool,
    /// Not that, though its type is.
    pub(crate) granular: bool,
    pub(crate) preserve_unknown: bool,
    /// To server-side apply, what is below a node that keeps what is unknown keeps it, too.
    applies_unknown: bool,
    /// To server-side apply, what says nothing of its fields has any.
    is_free: bool,
    pub(crate) int_or_string: bool,
    /// A whole object with `apiVersion`, `kind` and `metadata`.
    pub(crate) embedded: bool,
    pub(crate) nullable: bool,
    pub(crate) default: Option<Value>,
    /// How a strategic merge patch merges the list.
    pub(crate) merge: Merge,
    /// Serialized even when nothing was set (a Go struct without a pointer).
    pub(crate) always: bool,
    /// As the key of a list it is empty where nothing was set, and not serialized then.
    pub(crate) may_be_empty_key: bool,
    /// What is serialized then is null (a Go pointer).
    pub(crate) pointer: bool,
    /// Each object has it, or each value may be there, whatever its schema says.
    implied: bool,
    /// What the value must satisfy besides its type.
    pub(crate) rules: Rules,
    /// CEL rules are here or below; they are not evaluated.
    pub(crate) has_cel_rules: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Object,
    Array,
    String,
    Integer,
    Number,
    Boolean,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Object => "object",
            Self::Array => "array",
            Self::String => "string",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
        }
    }
}

/// What a map holds besides the named properties.
#[derive(Clone, Debug, Default)]
pub(crate) enum Additional {
    #[default]
    Nothing,
    /// Nothing as well, but what is there is refused, and not dropped.
    Forbidden,
    Anything,
    Values(Box<Schema>),
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum ListType {
    #[default]
    Atomic,
    Set,
    /// The fields that name an element.
    Map(Vec<String>),
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Merge {
    #[default]
    Replace,
    /// A list of scalars, merged as a set.
    Values,
    /// A list of objects, merged by the field.
    Key(String),
    /// A map that is not merged, as all others are.
    Not,
}

/// The value validations of a schema.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rules {
    pub(crate) required: Vec<String>,
    pub(crate) one_of_values: Option<Box<Enum>>,
    pub(crate) pattern: Option<Arc<Pattern>>,
    pub(crate) format: Option<String>,
    /// It names a format that nobody looks at.
    pub(crate) has_odd_format: bool,
    pub(crate) minimum: Option<(serde_json::Number, bool)>,
    pub(crate) maximum: Option<(serde_json::Number, bool)>,
    pub(crate) multiple_of: Option<serde_json::Number>,
    pub(crate) length: Bounds,
    pub(crate) item_count: Bounds,
    pub(crate) property_count: Bounds,
    pub(crate) unique_items: bool,
    pub(crate) all_of: Vec<Schema>,
    pub(crate) any_of: Vec<Schema>,
    pub(crate) one_of: Vec<Schema>,
    pub(crate) not: Option<Box<Schema>>,
}

/// An inclusive range, open where nothing is said.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Bounds {
    pub(crate) min: Option<i64>,
    pub(crate) max: Option<i64>,
}

/// What a field of a value that has no schema is described by.
static ANYTHING: Schema = Schema::anything();

impl Schema {
    const fn anything() -> Self {
        Self {
            refers: None,
            kind: None,
            properties: BTreeMap::new(),
            additional: Additional::Anything,
            items: None,
            list: ListType::Atomic,
            atomic: false,
            granular: false,
            preserve_unknown: true,
            applies_unknown: false,
            is_free: false,
            int_or_string: false,
            embedded: false,
            nullable: true,
            default: None,
            merge: Merge::Replace,
            always: false,
            may_be_empty_key: false,
            pointer: false,
            implied: false,
            rules: Rules {
                required: Vec::new(),
                one_of_values: None,
                pattern: None,
                format: None,
                has_odd_format: false,
                minimum: None,
                maximum: None,
                multiple_of: None,
                length: Bounds {
                    min: None,
                    max: None,
                },
                item_count: Bounds {
                    min: None,
                    max: None,
                },
                property_count: Bounds {
                    min: None,
                    max: None,
                },
                unique_items: false,
                all_of: Vec::new(),
                any_of: Vec::new(),
                one_of: Vec::new(),
                not: None,
            },
            has_cel_rules: false,
        }
    }

    /// The node itself, or the type of the table that it names.
    pub(crate) fn target(&self) -> &Schema {
        match self.refers {
            Some(name) => builtin::named(name).unwrap_or(&ANYTHING),
            None => self,
        }
    }

    /// The schema of a field, `None` if the object must not have it.
    pub(crate) fn field(&self, name: &str) -> Option<&Schema> {
        let this = self.target();
        this.properties.get(name).or(match &this.additional {
            Additional::Values(values) => Some(values),
            Additional::Anything => Some(&ANYTHING),
            Additional::Nothing if this.preserve_unknown => Some(&ANYTHING),
            Additional::Nothing | Additional::Forbidden => None,
        })
    }

    /// The same to server-side apply, which also owns what is pruned then.
    pub(crate) fn applied_field(&self, name: &str) -> Option<&Schema> {
        let this = self.target();
        let is_taken = this.applies_unknown || this.is_free;
        self.field(name).or(is_taken.then_some(&ANYTHING))
    }

    /// Tells all that is below what server-side apply takes.
    fn inherit_unknown(&mut self, inherited: bool) {
        self.applies_unknown = inherited || self.preserve_unknown;
        self.is_free = self.properties.is_empty() && matches!(self.additional, Additional::Nothing);
        let values = match &mut self.additional {
            Additional::Values(values) => Some(values),
            _ => None,
        };
        let below = self
            .items
            .iter_mut()
            .chain(values)
            .map(|below| &mut **below);
        for below in below.chain(self.properties.values_mut()) {
            below.inherit_unknown(self.applies_unknown);
        }
    }

    /// Whether the field is one of the type's own, not a key of a map.
    pub(crate) fn names(&self, field: &str) -> bool {
        self.target().properties.contains_key(field)
    }

    /// The schema of a list's elements.
    pub(crate) fn element(&self) -> &Schema {
        self.target().items.as_deref().unwrap_or(&ANYTHING)
    }

    /// Whether CEL rules are anywhere in the schema. They are not evaluated.
    pub(crate) fn has_cel_rules(&self) -> bool {
        self.has_cel_rules
    }
}
