//! What one watch is about.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use kube::api::ApiResource;

use crate::controller::ObjectKey;

/// Which objects of a kind are watched; everything by default.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Selector {
    /// A label selector, in the API's own notation.
    pub(crate) labels: Option<Cow<'static, str>>,
    /// A field selector, in the API's own notation.
    pub(crate) fields: Option<Cow<'static, str>>,
    /// The one namespace.
    pub(crate) namespace: Option<Cow<'static, str>>,
}

impl Selector {
    /// Selects in this namespace alone.
    pub(crate) fn confine(&mut self, namespace: &str) {
        let before = self.namespace.replace(Cow::Owned(namespace.to_owned()));
        if let Some(before) = before.filter(|before| before != namespace) {
            // Another namespace was meant: there is nothing of it here.
            let none = format!("metadata.namespace={before}");
            self.fields = Some(
                match self.fields.take().filter(|fields| !fields.is_empty()) {
                    Some(fields) => Cow::Owned(format!("{fields},{none}")),
                    None => Cow::Owned(none),
                },
            );
        }
    }

    /// Whether everything in `namespace`, or in all of them, is selected.
    pub(crate) fn covers_namespace(&self, namespace: Option<&str>) -> bool {
        self.labels.is_none()
            && self.fields.is_none()
            && (self.namespace.is_none() || self.namespace.as_deref() == namespace)
    }

    /// Whether what is not selected is known not to be there.
    pub(crate) fn covers(&self, key: &ObjectKey) -> bool {
        self.labels.is_none()
            && self.fields.is_none()
            && (self.namespace.is_none() || self.namespace.as_deref() == key.namespace.as_deref())
    }
}

/// A kind, and which of its objects.
#[derive(Debug, Clone)]
pub(crate) struct Subject {
    pub(crate) kind: ApiResource,
    pub(crate) selector: Selector,
}

impl Subject {
    /// What tells it from others. A version and a plural name a kind.
    fn names(&self) -> (&str, &str, &Selector) {
        (&self.kind.api_version, &self.kind.plural, &self.selector)
    }

    /// Whether it is about this kind.
    pub(crate) fn is_of(&self, kind: &ApiResource) -> bool {
        (&self.kind.api_version, &self.kind.plural) == (&kind.api_version, &kind.plural)
    }
}

impl PartialEq for Subject {
    fn eq(&self, other: &Self) -> bool {
        self.names() == other.names()
    }
}

impl Eq for Subject {}

impl PartialOrd for Subject {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Subject {
    fn cmp(&self, other: &Self) -> Ordering {
        self.names().cmp(&other.names())
    }
}

/// The subjects of all clusters, each kept once: thousands of clusters watch the same.
#[derive(Default)]
pub(crate) struct Subjects(Mutex<Known>);

#[derive(Default)]
struct Known {
    all: BTreeSet<Arc<Subject>>,
    /// With how many of them it is looked for those that nobody has any more.
    enough: usize,
}

/// So many are never looked through.
const FEW: usize = 64;

impl Subjects {
    /// The same as it is kept.
    pub(crate) fn keep(&self, subject: Subject) -> Arc<Subject> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = known.all.get(&subject) {
            return Arc::clone(found);
        }
        // Those that nobody has go when there are as many again, so that one more costs the same on average.
        if known.all.len() >= known.enough.max(FEW) {
            known.all.retain(|subject| Arc::strong_count(subject) > 1);
            known.enough = 2 * known.all.len();
        }
        let subject = Arc::new(subject);
        known.all.insert(Arc::clone(&subject));
        subject
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_namespace(name: usize) -> Subject {
        let mut selector = Selector::default();
        selector.confine(&name.to_string());
        let kind = ApiResource::erase::<k8s_openapi::api::core::v1::ConfigMap>(&());
        Subject { kind, selector }
    }

    #[test]
    fn a_subject_is_kept_once_and_not_longer_than_somebody_has_it() {
        let subjects = Subjects::default();
        let first = subjects.keep(in_namespace(0));
        for name in 0..1_000 {
            subjects.keep(in_namespace(name));
        }
        assert!(Arc::ptr_eq(&first, &subjects.keep(in_namespace(0))));
        assert!(subjects.0.lock().unwrap().all.len() <= 2 * FEW);
    }
}
