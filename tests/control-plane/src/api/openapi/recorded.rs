//! What Kubernetes says of its own kinds, as a kube-apiserver told it (`tools/openapi.py`). The words are those of the
//! Kubernetes Authors, under the Apache License 2.0.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::sync::LazyLock;

use flate2::read::GzDecoder;

use super::REFERENCE;

/// All of it.
pub(super) static KUBERNETES: LazyLock<Recorded> = LazyLock::new(|| {
    let mut text = String::new();
    let mut packed = GzDecoder::new(&include_bytes!("kubernetes.txt.gz")[..]);
    // What lies in the program can be read.
    let _ = packed.read_to_string(&mut text);
    read(text.leak())
});

type Lines = Vec<(&'static str, &'static str)>;

#[derive(Debug, Default)]
pub(super) struct Recorded {
    /// The types, as they are in the core group.
    pub(super) schemas: BTreeMap<&'static str, &'static str>,
    /// The paths of each document.
    pub(super) paths: BTreeMap<&'static str, Lines>,
    /// The paths of a CRD, by its scope; what is its own is between angle brackets.
    pub(super) templates: BTreeMap<&'static str, Lines>,
    /// Types that are others in the document of a CRD.
    pub(super) beside: BTreeMap<&'static str, &'static str>,
    /// Types that are others in the second version of OpenAPI.
    pub(super) second: BTreeMap<&'static str, &'static str>,
}

fn read(text: &'static str) -> Recorded {
    let mut all = Recorded::default();
    for line in text.lines() {
        let Some((what, rest)) = line.split_once(' ') else {
            continue;
        };
        let Some((name, rest)) = rest.split_once(' ') else {
            continue;
        };
        let named = match what {
            "schema" => &mut all.schemas,
            "beside" => &mut all.beside,
            "second" => &mut all.second,
            "path" => {
                all.paths
                    .entry(name)
                    .or_default()
                    .extend(rest.split_once(' '));
                continue;
            }
            _ => {
                all.templates
                    .entry(name)
                    .or_default()
                    .extend(rest.split_once(' '));
                continue;
            }
        };
        named.insert(name, rest);
    }
    all
}

impl Recorded {
    /// The names of the types that texts refer to, and those that these refer to.
    pub(super) fn referred(&self, texts: &[&str]) -> BTreeSet<&'static str> {
        let mut found = BTreeSet::new();
        let mut unread: Vec<&str> = texts.to_vec();
        while let Some(text) = unread.pop() {
            for rest in text.split(REFERENCE).skip(1) {
                let name = rest.split('"').next().unwrap_or_default();
                if let Some((name, text)) = self.schemas.get_key_value(name)
                    && found.insert(*name)
                {
                    unread.push(text);
                }
            }
        }
        found
    }
}
