//! The fields of an object that its schema does not know.

use super::taken::Taken;
use crate::failure::Texts;
use crate::path::Path;

/// Of a value that is whole nothing is known.
pub(crate) type Unknown = Taken<()>;

/// The fields that were taken out of an object.
#[derive(Default)]
pub(crate) struct Surplus {
    pub(crate) fields: Unknown,
    /// Those of the metadata of whole objects in a custom resource, which are told last.
    pub(super) of_wholes: Vec<String>,
}

impl Surplus {
    pub(crate) fn is_none(&self) -> bool {
        self.fields.is_none() && self.of_wholes.is_empty()
    }

    /// Their paths as the API server's field validation words them, in their order: `spec.foo`, `spec.ports[0].foo`.
    pub(crate) fn paths(self) -> Vec<String> {
        // Of a custom resource metadata is read first of all.
        let mut told = Vec::new();
        for is_metadata in [true, false] {
            let mut texts = Texts::default();
            let fields = self.fields.fields();
            for (name, below) in fields.filter(|(name, _)| (*name == "metadata") == is_metadata) {
                tell(below, Path::Root.name(name), &mut texts);
            }
            told.extend(sorted(texts));
        }
        told.extend(self.of_wholes);
        told
    }
}

pub(super) fn sorted(texts: Texts) -> Vec<String> {
    let mut told = texts.told();
    told.sort();
    told
}

pub(super) fn tell(unknown: &Unknown, path: Path<'_>, texts: &mut Texts) {
    if unknown.is_whole() {
        texts.tell(path);
    }
    for (name, below) in unknown.fields() {
        tell(below, path.name(name), texts);
    }
    for (at, below) in unknown.elements() {
        tell(below, path.at(*at), texts);
    }
}
