//! What the columns of the built-in kinds mean, as a kube-apiserver tells it (`tools/columns.py`). The words are those
//! of the Kubernetes Authors, under the Apache License 2.0.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::super::Column;

/// By kind and column; those that mean the same everywhere are below [`EVERYWHERE`].
type Meanings = BTreeMap<String, BTreeMap<String, String>>;

const EVERYWHERE: &str = "*";

static MEANINGS: LazyLock<Meanings> =
    // What lies in the program can be read.
    LazyLock::new(|| serde_json::from_str(include_str!("meanings.json")).unwrap_or_default());

/// The columns of a kind, which say what they mean.
pub(super) fn told(kind: &str, mut columns: Vec<Column>) -> Vec<Column> {
    for column in &mut columns {
        let mut meanings = [kind, EVERYWHERE]
            .into_iter()
            .filter_map(|kind| MEANINGS.get(kind)?.get(&column.name));
        if let Some(meaning) = meanings.next() {
            column.description = meaning.as_str().into();
        }
    }
    columns
}
