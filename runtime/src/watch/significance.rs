//! Which changes of an object a reconcile looks at.

use std::hash::{DefaultHasher, Hash, Hasher};

use kube::api::ObjectMeta;

/// Parts of an object: those that changed, or those of which a change counts.
#[allow(
    unreachable_pub,
    missing_docs,
    reason = "public for the expansion alone, through `__private`"
)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct On(u8);

#[allow(unreachable_pub, missing_docs, reason = "as the type")]
impl On {
    /// The generation, which the API server bumps when `spec` changes; of kinds without a generation, anything.
    /// <https://github.com/kubernetes/community/blob/master/contributors/devel/sig-architecture/api-conventions.md#metadata>
    pub const SPEC: Self = Self(1);
    pub const LABELS: Self = Self(1 << 1);
    pub const ANNOTATIONS: Self = Self(1 << 2);
    const OWNERS: Self = Self(1 << 3);
    /// What makes it another object, or has to do with its end. It counts always.
    const LIFE: Self = Self(1 << 4);
    /// The status as well, and whatever else there may be.
    pub const ANY_CHANGE: Self = Self(u8::MAX);
    pub const DEFAULT: Self = Self::SPEC
        .and(Self::LABELS)
        .and(Self::ANNOTATIONS)
        .and(Self::OWNERS);

    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether `changed` counts for who asked for these parts.
    pub(crate) fn counts(self, changed: Self) -> bool {
        changed.0 & self.and(Self::LIFE).0 != 0
    }

    /// Whether a status write counts.
    pub(crate) fn any_change(self) -> bool {
        self == Self::ANY_CHANGE
    }
}

/// What of an object counts, a number for each of the [`PARTS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fingerprint([u64; PARTS.len()]);

const PARTS: [On; 5] = [On::SPEC, On::LABELS, On::ANNOTATIONS, On::OWNERS, On::LIFE];

impl Fingerprint {
    pub(crate) fn of(meta: &ObjectMeta) -> Self {
        let spec = match meta.generation {
            Some(generation) => hash(&generation),
            None => hash(&meta.resource_version),
        };
        let owners: Vec<_> = meta
            .owner_references
            .iter()
            .flatten()
            .map(|owner| {
                let kind = (&owner.api_version, &owner.kind, &owner.name, &owner.uid);
                (kind, owner.controller, owner.block_owner_deletion)
            })
            .collect();
        let leaving = meta.deletion_timestamp.is_some();
        Self([
            spec,
            hash(&meta.labels),
            hash(&meta.annotations),
            hash(&owners),
            hash(&(&meta.uid, &meta.finalizers, leaving)),
        ])
    }

    /// The parts in which `other`, another version of the same name, differs. Another version is never the same
    /// in everything.
    pub(super) fn changed(&self, other: &Self) -> On {
        /// The rest, which no other part has.
        const REST: On = On(1 << 7);
        let parts = PARTS.iter().zip(self.0.iter().zip(&other.0));
        parts
            .filter(|(_, (one, other))| one != other)
            .fold(REST, |changed, (part, _)| changed.and(*part))
    }
}

pub(super) fn hash(part: &impl Hash) -> u64 {
    // The hasher's keys are fixed, so that two runs with one seed take the same way.
    let mut hasher = DefaultHasher::new();
    part.hash(&mut hasher);
    hasher.finish()
}

/// Whether `version` is newer than `other`. Kubernetes promises that resource versions of one
/// resource can be compared as numbers (KEP-5504); where they are no numbers, nothing is newer.
pub(super) fn is_newer(version: Option<&str>, other: Option<&str>) -> bool {
    match (number(version), number(other)) {
        (Some(version), Some(other)) => version > other,
        _ => false,
    }
}

/// A resource version as the number that it is at every API server of Kubernetes.
pub(super) fn number(version: Option<&str>) -> Option<u64> {
    version?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meta(generation: Option<i64>, version: &str) -> ObjectMeta {
        ObjectMeta {
            generation,
            resource_version: Some(version.into()),
            ..ObjectMeta::default()
        }
    }

    fn changed(one: &ObjectMeta, other: &ObjectMeta) -> On {
        Fingerprint::of(one).changed(&Fingerprint::of(other))
    }

    #[test]
    fn a_status_write_counts_only_without_a_generation_or_where_anything_does() {
        let status = changed(&meta(Some(1), "10"), &meta(Some(1), "11"));
        assert!(!On::DEFAULT.counts(status));
        assert!(On::ANY_CHANGE.counts(status));
        assert!(On::DEFAULT.counts(changed(&meta(Some(1), "10"), &meta(Some(2), "11"))));
        assert!(On::DEFAULT.counts(changed(&meta(None, "10"), &meta(None, "11"))));
    }

    #[test]
    fn only_the_parts_that_are_asked_for_count_and_the_end_always_does() {
        let one = meta(Some(1), "10");
        let labelled = ObjectMeta {
            labels: Some([("tier".into(), "gold".into())].into()),
            ..meta(Some(1), "11")
        };
        let held = ObjectMeta {
            finalizers: Some(vec!["demo/held".into()]),
            ..meta(Some(1), "12")
        };
        let labels = changed(&one, &labelled);
        assert!(On::LABELS.counts(labels) && On::DEFAULT.counts(labels));
        assert!(!On::SPEC.counts(labels) && !On::ANNOTATIONS.counts(labels));
        assert!(On::SPEC.counts(changed(&one, &held)));
    }

    #[test]
    fn versions_compare_as_numbers() {
        assert!(is_newer(Some("10"), Some("9")));
        assert!(!is_newer(Some("9"), Some("10")));
        assert!(!is_newer(Some("9"), Some("9")));
        assert!(!is_newer(Some("opaque"), Some("9")));
    }
}
