//! Takes out the fields that a schema does not declare.

use std::sync::LazyLock;

use serde_json::Value;

use super::surplus::{self, Surplus, Unknown};
use super::{Additional, Kind, Schema};
use crate::failure::Texts;
use crate::path::Path;

/// The schema of what has no place in another.
static NOTHING: LazyLock<Schema> = LazyLock::new(Schema::default);

const OF_WHOLES: [&str; 3] = ["apiVersion", "kind", "metadata"];

impl Schema {
    /// Removes the unknown fields, and says which they were.
    pub(crate) fn prune(&self, object: &mut Value) -> Surplus {
        let fields = self.prune_below(object);
        let of_wholes = match self.type_name() {
            Some(_) => Vec::new(),
            None => self.prune_metadata(object),
        };
        Surplus { fields, of_wholes }
    }

    /// Removes what is unknown of the metadata of whole objects in a value, and nothing else; says the paths.
    pub(super) fn prune_metadata(&self, value: &mut Value) -> Vec<String> {
        let mut paths = Texts::default();
        self.prune_metadata_below(value, Path::Root, &mut paths);
        surplus::sorted(paths)
    }

    fn prune_metadata_below(&self, value: &mut Value, path: Path<'_>, paths: &mut Texts) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields.iter_mut() {
                    let path = self.below(&path, name);
                    match self.field(name) {
                        Some(field) if self.embedded && name == "metadata" => {
                            surplus::tell(&field.prune_below(value), path, paths);
                        }
                        Some(field) => field.prune_metadata_below(value, path, paths),
                        None => {}
                    }
                }
            }
            Value::Array(elements) => {
                for (at, element) in elements.iter_mut().enumerate() {
                    self.element()
                        .prune_metadata_below(element, path.at(at), paths);
                }
            }
            _ => {}
        }
    }

    fn prune_below(&self, value: &mut Value) -> Unknown {
        let mut unknown = Unknown::default();
        match value {
            Value::Object(fields) => {
                // Of a built-in kind the decoder refuses what is no object here.
                if self.type_name().is_some() && self.target().kind != Some(Kind::Object) {
                    return unknown;
                }
                let is_refused = matches!(self.target().additional, Additional::Forbidden);
                fields.retain(|name, value| match self.field(name) {
                    // What says what a whole object is is read, and not pruned.
                    Some(_) if self.embedded && OF_WHOLES.contains(&name.as_str()) => true,
                    Some(field) => {
                        unknown.put(name, field.prune_below(value));
                        true
                    }
                    None if is_refused => {
                        unknown.put(name, NOTHING.prune_below(value));
                        true
                    }
                    None => {
                        unknown.put(name, Unknown::whole(()));
                        false
                    }
                });
            }
            Value::Array(elements) => {
                let schema = self.known_element();
                for (at, element) in elements.iter_mut().enumerate() {
                    unknown.put_at(at, schema.prune_below(element));
                }
            }
            _ => {}
        }
        unknown
    }

    /// The schema of elements, of which nothing is known in what is no list.
    fn known_element(&self) -> &Schema {
        let this = self.target();
        let takes_all = this.preserve_unknown || matches!(this.additional, Additional::Anything);
        match (&this.items, takes_all || self.type_name().is_some()) {
            (None, false) => &NOTHING,
            _ => self.element(),
        }
    }
}
