//! Who owns what after the schema has changed.

use super::set::Set;
use crate::schema::{Additional, Kind, ListType, Schema};

impl Set {
    /// The set by a schema in which a map or a list may have become one leaf since: who owned a part of it, owns it.
    pub(crate) fn reconciled(&self, schema: &Schema) -> Set {
        let node = schema.target();
        let is_leaf = match node.kind {
            Some(Kind::Object) => schema.atomic || node.atomic && !schema.granular,
            Some(Kind::Array) => node.list == ListType::Atomic,
            // What it is has never been said.
            _ => return self.clone(),
        };
        let says_nothing =
            node.properties.is_empty() && !matches!(node.additional, Additional::Values(_));
        if is_leaf && !self.below.is_empty() {
            return Set::leaf();
        } else if node.kind == Some(Kind::Object) && says_nothing {
            return self.clone();
        }
        let mut reconciled = Set {
            member: self.member,
            ..Set::default()
        };
        for (element, set) in &self.below {
            let field = match element.strip_prefix("f:") {
                Some(name) => schema.applied_field(name),
                None => Some(schema.element()),
            };
            let below = field.map_or_else(|| set.clone(), |field| set.reconciled(field));
            reconciled.put(element.clone(), below);
        }
        reconciled
    }
}
