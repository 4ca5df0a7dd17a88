//! The fields of an object that its schema does not know.

use std::collections::BTreeMap;

use crate::failure::Texts;
use crate::path::Path;

/// The fields that were taken out of an object.
#[derive(Default)]
pub(crate) struct Surplus {
    pub(crate) fields: Unknown,
    /// Those of the metadata of whole objects in a custom resource, which are told last.
    pub(super) of_wholes: Unknown,
}

impl Surplus {
    pub(crate) fn is_none(&self) -> bool {
        self.fields.is_empty() && self.of_wholes.is_empty()
    }

    /// Their paths as the API server's field validation words them: `spec.foo`, `spec.ports[0].foo`.
    pub(crate) fn paths(&self) -> Vec<String> {
        let mut paths = Texts::default();
        // Of a custom resource metadata is read first of all.
        let root = &self.fields.names;
        let metadata = |name: &&String| *name == "metadata";
        for (name, below) in root.iter().filter(|(name, _)| metadata(name)) {
            below.tell(Path::Root.name(name), &mut paths);
        }
        for (name, below) in root.iter().filter(|(name, _)| !metadata(name)) {
            below.tell(Path::Root.name(name), &mut paths);
        }
        if !self.of_wholes.is_empty() {
            self.of_wholes.tell(Path::Root, &mut paths);
        }
        paths.told()
    }
}

/// A value of which nothing is known, or one with such values below it.
#[derive(Default)]
pub(crate) struct Unknown {
    names: BTreeMap<String, Unknown>,
    elements: BTreeMap<usize, Unknown>,
}

impl Unknown {
    /// Whether it is whole, or nothing at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.names.is_empty() && self.elements.is_empty()
    }

    /// A field of which nothing is known.
    pub(crate) fn put(&mut self, name: &str) {
        self.names.insert(name.to_owned(), Self::default());
    }

    /// What is unknown of a field.
    pub(crate) fn put_below(&mut self, name: &str, below: Self) {
        if !below.is_empty() {
            self.names.insert(name.to_owned(), below);
        }
    }

    /// What is unknown of an element.
    pub(crate) fn put_at(&mut self, at: usize, below: Self) {
        if !below.is_empty() {
            self.elements.insert(at, below);
        }
    }

    pub(crate) fn field(&self, name: &str) -> Option<&Self> {
        self.names.get(name)
    }

    pub(crate) fn element(&self, at: usize) -> Option<&Self> {
        self.elements.get(&at)
    }

    fn tell(&self, path: Path<'_>, paths: &mut Texts) {
        if self.is_empty() {
            return paths.tell(path);
        }
        for (name, below) in &self.names {
            below.tell(path.name(name), paths);
        }
        for (at, below) in &self.elements {
            below.tell(path.at(*at), paths);
        }
    }
}
