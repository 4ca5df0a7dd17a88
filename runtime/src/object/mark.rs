//! The mark of an owner on an object that no owner reference can hold: a label to select by and an annotation to read.

use kube::api::ObjectMeta;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::scope::Owner;
use crate::controller::ObjectKey;
use crate::fleet::ClusterName;

/// The key of both. The value of the label is a hash, as names are longer than labels may be.
pub(crate) const MARK: &str = "kommodore.dev/owner";

/// The owner of something that is marked: which cluster it lives in, and its key there. The kind is that of the
/// controller.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Marker {
    pub(crate) cluster: ClusterName,
    pub(crate) key: ObjectKey,
}

/// What the annotation says.
#[derive(Serialize, Deserialize)]
struct Reference {
    controller: String,
    /// Of the host cluster there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cluster: Option<String>,
    /// For people.
    kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
    name: String,
}

impl Marker {
    /// Whose mark of `controller` an object bears.
    pub(crate) fn of(meta: &ObjectMeta, controller: &str) -> Option<Self> {
        let label = meta.labels.as_ref()?.get(MARK)?;
        let reference = reference(meta).filter(|found| found.controller == controller)?;
        let cluster = match &reference.cluster {
            Some(name) => ClusterName::new(name).ok()?,
            None => ClusterName::LOCAL,
        };
        let marker = Self {
            cluster,
            key: ObjectKey {
                namespace: reference.namespace,
                name: reference.name,
            },
        };
        // Both, or somebody has copied a part of it.
        (marker.label(controller) == *label).then_some(marker)
    }

    /// The value of the label.
    fn label(&self, controller: &str) -> String {
        let cluster = self.named_cluster().unwrap_or_default();
        let namespace = self.key.namespace.as_deref().unwrap_or_default();
        hash(&[controller, cluster, namespace, &self.key.name])
    }

    fn named_cluster(&self) -> Option<&str> {
        (self.cluster != ClusterName::LOCAL).then(|| self.cluster.as_str())
    }

    /// Marks what `owner` applies.
    pub(super) fn put_on(&self, metadata: &mut Map<String, Value>, owner: &Owner, by: &str) {
        let reference = Reference {
            controller: by.to_owned(),
            cluster: self.named_cluster().map(Into::into),
            kind: owner.kind.kind.clone(),
            namespace: self.key.namespace.clone(),
            name: self.key.name.clone(),
        };
        // It is made of texts, which JSON can hold.
        let reference = serde_json::to_string(&reference).unwrap_or_default();
        for (place, value) in [("labels", self.label(by)), ("annotations", reference)] {
            let place = metadata.entry(place).or_insert_with(|| json!({}));
            if let Value::Object(place) = place {
                place.insert(MARK.into(), json!(value));
            }
        }
    }
}

fn reference(meta: &ObjectMeta) -> Option<Reference> {
    serde_json::from_str(meta.annotations.as_ref()?.get(MARK)?).ok()
}

/// Whose mark an object bears, in words; `None` where it bears none.
pub(super) fn marked_by(meta: &ObjectMeta) -> Option<String> {
    meta.labels.as_ref()?.get(MARK)?;
    let words = reference(meta).map(|found| {
        let namespace = found.namespace.map(|name| format!("{name}/"));
        let cluster = found.cluster.map(|name| format!(" in {name}"));
        format!(
            "{} {}{}{}, by the controller {}",
            found.kind,
            namespace.unwrap_or_default(),
            found.name,
            cluster.unwrap_or_default(),
            found.controller
        )
    });
    Some(words.unwrap_or_else(|| format!("what its label {MARK} stands for")))
}

/// FNV-1a with 128 bits, in hex: the same in every version of this crate and of Rust.
/// <http://www.isthe.com/chongo/tech/comp/fnv/>
fn hash(parts: &[&str]) -> String {
    const BASIS: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    let bytes = parts.iter().flat_map(|part| {
        // None of the parts has such a byte.
        part.bytes().chain(std::iter::once(0))
    });
    let hash = bytes.fold(BASIS, |hash, byte| {
        (hash ^ u128::from(byte)).wrapping_mul(PRIME)
    });
    format!("{hash:032x}")
}

#[cfg(test)]
mod tests {
    use kube::api::ApiResource;

    use super::*;

    fn mark(marker: &Marker) -> ObjectMeta {
        let owner = Owner {
            kind: ApiResource::erase::<k8s_openapi::api::core::v1::ConfigMap>(&()),
            key: marker.key.clone(),
            uid: "u".into(),
        };
        let mut metadata = Map::new();
        marker.put_on(&mut metadata, &owner, "sites");
        serde_json::from_value(Value::Object(metadata)).unwrap()
    }

    #[test]
    fn a_mark_is_read_as_it_was_written_and_by_its_controller_alone() {
        let red = ClusterName::new("red").unwrap();
        for cluster in [red, ClusterName::LOCAL] {
            let key = ObjectKey::namespaced("shop", "n".repeat(253));
            let marker = Marker { cluster, key };
            let meta = mark(&marker);
            assert_eq!(Marker::of(&meta, "sites"), Some(marker));
            assert_eq!(Marker::of(&meta, "others"), None);
            assert!(meta.labels.unwrap()[MARK].len() <= 63);
        }
    }

    #[test]
    fn what_was_changed_in_a_part_is_no_mark() {
        let marker = Marker {
            cluster: ClusterName::LOCAL,
            key: ObjectKey::cluster_scoped("one"),
        };
        let mut meta = mark(&marker);
        let words = marked_by(&meta).unwrap();
        assert_eq!(words, "ConfigMap one, by the controller sites");
        for text in [r#"{"controller":"sites","kind":"A","name":"two"}"#, "{"] {
            meta.annotations = Some([(MARK.to_owned(), text.to_owned())].into());
            assert_eq!(Marker::of(&meta, "sites"), None);
            assert!(marked_by(&meta).is_some());
        }
    }

    #[test]
    fn the_label_is_the_same_for_ever() {
        let label = hash(&["sites", "red", "shop", "one"]);
        assert_eq!(label.len(), 32);
        // The published value for no bytes at all is the basis.
        assert_eq!(hash(&[]), "6c62272e07bb014262b821756295c58d");
        assert_ne!(label, hash(&["sites", "red", "sho", "pone"]));
    }
}
