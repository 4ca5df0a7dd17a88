//! Which resource a path or a kind means.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use serde_json::Value;

use super::definition_names::is_terminating;
use super::{Origin, Resource, builtin, crd};

type Resources = BTreeMap<(Arc<str>, Arc<str>), Arc<Resource>>;

/// The resources that are served: one registry for the root and all projects.
pub(crate) struct Registry {
    resources: RwLock<Resources>,
    /// So many were served for definitions by now.
    editions: AtomicU64,
}

impl Registry {
    /// The built-in resources.
    pub(crate) fn new() -> Self {
        let resources = builtin::resources()
            .map(|resource| {
                (
                    (resource.group.clone(), resource.plural.clone()),
                    Arc::new(resource),
                )
            })
            .collect();
        Self {
            resources: RwLock::new(resources),
            editions: AtomicU64::new(0),
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, Resources> {
        self.resources
            .read()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn get(&self, group: &str, plural: &str) -> Option<Arc<Resource>> {
        self.read().get(&(group.into(), plural.into())).cloned()
    }

    /// The resource of a kind, by the `apiVersion` of its objects.
    pub(crate) fn of_kind(&self, api_version: &str, kind: &str) -> Option<Arc<Resource>> {
        self.find(api_version, |resource| resource.kind == kind)
    }

    fn find(&self, api_version: &str, is_it: impl Fn(&Resource) -> bool) -> Option<Arc<Resource>> {
        let (group, version) = api_version.rsplit_once('/').unwrap_or(("", api_version));
        let resources = self.read();
        let mut of_version = resources.values().filter(|resource| {
            *resource.group == *group && is_it(resource) && resource.version(version).is_some()
        });
        of_version.next().cloned()
    }

    /// The same as clients of Kubernetes find it (`RESTMapper`), to whom a kind has another name in lower case.
    pub(crate) fn of_kind_as_called(&self, api_version: &str, kind: &str) -> Option<Arc<Resource>> {
        let in_lower_case = |resource: &Resource| resource.kind.to_lowercase() == kind;
        self.of_kind(api_version, kind)
            .or_else(|| self.find(api_version, in_lower_case))
    }

    /// Whether a kind is that of lists to them, of which there is none that has a name.
    pub(crate) fn is_list(&self, api_version: &str, kind: &str) -> bool {
        let of = kind.strip_suffix("List");
        of.is_some_and(|kind| match kind {
            "" => self.has_built_in(api_version),
            kind => self.of_kind(api_version, kind).is_some(),
        })
    }

    /// Whether a version is one of those that are built in.
    pub(crate) fn has_built_in(&self, api_version: &str) -> bool {
        let (group, version) = api_version.rsplit_once('/').unwrap_or(("", api_version));
        let is_of = |resource: &Resource| {
            *resource.group == *group && !resource.is_crd() && resource.version(version).is_some()
        };
        self.read().values().any(|resource| is_of(resource))
    }

    /// All of them, ordered by group and plural.
    pub(crate) fn all(&self) -> Vec<Arc<Resource>> {
        self.read().values().cloned().collect()
    }

    /// Whether a group is one of Kubernetes' own.
    fn is_own_group(&self, group: &str) -> bool {
        let is_of = |resource: &Resource| *resource.group == *group && !resource.is_crd();
        self.read().values().any(|resource| is_of(resource))
    }

    /// Serves what a CRD says, or stops serving it when the CRD is gone (`None`).
    pub(crate) fn update(&self, name: &str, definition: Option<&Value>) {
        let Some((plural, group)) = name.split_once('.') else {
            return;
        };
        // Before anybody has to wait: the schema of a definition may be large.
        let defined = definition.and_then(|definition| {
            // What a definition adds to a group of Kubernetes' own is kept, and reached by nobody.
            let resource = crd::resource(definition).filter(|_| !self.is_own_group(group))?;
            Some((definition, resource))
        });
        let mut resources = self
            .resources
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let key = (group.into(), plural.into());
        match defined {
            Some((definition, mut resource)) => {
                let resource = match resources.get(&key) {
                    Some(known) if says_the_same(known, &resource) => known.clone(),
                    _ => {
                        if let Origin::Crd { edition, .. } = &mut resource.origin {
                            *edition = self.editions.fetch_add(1, Ordering::Relaxed) + 1;
                        }
                        Arc::new(resource)
                    }
                };
                if let Origin::Crd { terminating, .. } = &resource.origin {
                    terminating.store(is_terminating(definition), Ordering::Relaxed);
                }
                if let Some(known) = resources.insert(key, resource.clone())
                    && !Arc::ptr_eq(&known, &resource)
                {
                    end(&known);
                }
            }
            None => {
                if resources
                    .get(&key)
                    .is_some_and(|resource| resource.is_crd())
                    && let Some(gone) = resources.remove(&key)
                {
                    end(&gone);
                }
            }
        }
    }
}

fn says_the_same(one: &Resource, other: &Resource) -> bool {
    match (&one.origin, &other.origin) {
        (Origin::Crd { spec, .. }, Origin::Crd { spec: other, .. }) => spec == other,
        _ => false,
    }
}

/// Ends the watches of a resource.
fn end(resource: &Resource) {
    if let Origin::Crd { replaced, .. } = &resource.origin {
        replaced.cancel();
    }
}
