//! Which changes of an object a reconcile looks at.

use std::hash::{DefaultHasher, Hash, Hasher};

use kube::api::ObjectMeta;

/// What of an object counts, as one number: generation, labels, annotations, finalizers,
/// deletionTimestamp and ownerReferences; for kinds without a generation, everything.
///
/// `generation` is what the API server bumps when `spec` changes:
/// <https://github.com/kubernetes/community/blob/master/contributors/devel/sig-architecture/api-conventions.md#metadata>
pub(super) fn fingerprint(meta: &ObjectMeta) -> u64 {
    // The hasher's keys are fixed, so that two runs with one seed take the same way.
    let mut hasher = DefaultHasher::new();
    match meta.generation {
        Some(generation) => generation.hash(&mut hasher),
        None => meta.resource_version.hash(&mut hasher),
    }
    meta.uid.hash(&mut hasher);
    meta.labels.hash(&mut hasher);
    meta.annotations.hash(&mut hasher);
    meta.finalizers.hash(&mut hasher);
    meta.deletion_timestamp.is_some().hash(&mut hasher);
    for owner in meta.owner_references.iter().flatten() {
        (&owner.uid, owner.controller).hash(&mut hasher);
    }
    hasher.finish()
}

/// Whether `version` is newer than `other`. Kubernetes promises that resource versions of one
/// resource can be compared as numbers (KEP-5504); where they are no numbers, nothing is newer.
pub(super) fn is_newer(version: Option<&str>, other: Option<&str>) -> bool {
    let number = |version: Option<&str>| version.and_then(|version| version.parse::<u128>().ok());
    match (number(version), number(other)) {
        (Some(version), Some(other)) => version > other,
        _ => false,
    }
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

    #[test]
    fn a_status_write_counts_only_without_a_generation() {
        assert_eq!(
            fingerprint(&meta(Some(1), "10")),
            fingerprint(&meta(Some(1), "11"))
        );
        assert_ne!(
            fingerprint(&meta(Some(1), "10")),
            fingerprint(&meta(Some(2), "11"))
        );
        assert_ne!(
            fingerprint(&meta(None, "10")),
            fingerprint(&meta(None, "11"))
        );
    }

    #[test]
    fn versions_compare_as_numbers() {
        assert!(is_newer(Some("10"), Some("9")));
        assert!(!is_newer(Some("9"), Some("10")));
        assert!(!is_newer(Some("9"), Some("9")));
        assert!(!is_newer(Some("opaque"), Some("9")));
    }
}
