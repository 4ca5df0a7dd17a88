//! The resource that a path names.

use std::sync::Arc;

use serde_json::Value;

use super::odd_namespaces::NO_NAMESPACE;
use super::{kubelet, posted, rules};
use crate::auth::Caller;
use crate::elsewhere;
use crate::failure::Failure;
use crate::kinds::{Origin, Resource, Version, crd_bucket};
use crate::plane::{Plane, World};
use crate::schema::Schema;
use crate::serve::ResourcePath;
use crate::store::{Bucket, Key};

/// A resource of a control plane, in one version; a namespace and a name where the path has them.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) world: Arc<World>,
    pub(crate) plane: Arc<Plane>,
    pub(crate) caller: Caller,
    pub(crate) resource: Arc<Resource>,
    version: usize,
    pub(crate) namespace: Option<String>,
    /// The path has the place of a namespace, and none in it.
    pub(super) leaves_namespace_empty: bool,
    pub(crate) name: Option<String>,
    pub(crate) subresource: Option<String>,
}

impl Target {
    /// Reads a path, of which nothing is percent-encoded any more; nothing if it names no resource.
    pub(crate) fn resolve(
        world: &Arc<World>,
        plane: &Arc<Plane>,
        caller: &Caller,
        path: &str,
    ) -> Result<Option<Self>, Failure> {
        let Some(path) = ResourcePath::parse(path) else {
            return Ok(None);
        };
        let served = world
            .registry
            .get(&path.group, &path.resource)
            .filter(|resource| world.serves(plane, resource))
            // Before the kinds of a CRD comes the server that an API service names for their version.
            .filter(|resource| {
                !resource.is_crd() || !elsewhere::serves(plane, &path.group, &path.version)
            });
        let found = served.and_then(|resource| {
            let version = resource
                .versions
                .iter()
                .position(|version| version.name == path.version)?;
            Some((resource, version))
        });
        let Some((resource, version)) = found else {
            return Err(unserved(world, plane, &path));
        };
        let target = Self {
            world: world.clone(),
            // CRDs are installed at the root, wherever they are asked for.
            plane: if resource.bucket == crd_bucket() {
                world.root.clone()
            } else {
                plane.clone()
            },
            caller: caller.clone(),
            version,
            leaves_namespace_empty: path.namespace.as_deref() == Some(""),
            namespace: path.namespace,
            name: path.name,
            subresource: path.subresource.map(|rest| subresource(&resource, rest)),
            resource,
        };
        let target = target.with_namespace()?;
        target.check_scope()?;
        target.check_subresource()?;
        // Who asks for a kind first begins its cache, as in a kube-apiserver.
        if let Origin::Crd { edition, .. } = target.resource.origin {
            let store = &target.plane.store;
            store.serve(target.bucket(), edition, |objects| {
                target.resource.unreadable(objects)
            });
        }
        Ok(Some(target))
    }

    /// Another resource of the same version and in the same namespace.
    pub(crate) fn beside(&self, plural: &str, name: &str) -> Option<Self> {
        Some(Self {
            resource: self.world.registry.get(&self.resource.group, plural)?,
            name: Some(name.to_owned()),
            ..self.clone()
        })
    }

    /// `namespaces//configmaps` are those of every namespace.
    fn with_namespace(mut self) -> Result<Self, Failure> {
        if !self.leaves_namespace_empty {
            return Ok(self);
        }
        let namespaced = self.resource.namespaced;
        if self.name.is_some() || !namespaced {
            return Err(match self.resource.is_crd() {
                true => Failure::page_not_found(),
                false if !namespaced => Failure::no_such_resource(),
                false => Failure::bad_request(NO_NAMESPACE),
            });
        }
        self.namespace = None;
        Ok(self)
    }

    /// The same for an object that is in no namespace, and should be.
    pub(super) fn in_no_namespace(&self) -> Self {
        Self {
            namespace: Some(String::new()),
            ..self.clone()
        }
    }

    fn check_scope(&self) -> Result<(), Failure> {
        let fits = match (&self.namespace, self.resource.namespaced) {
            (Some(_), namespaced) => namespaced,
            (None, true) => self.name.is_none(),
            (None, false) => true,
        };
        match (fits, self.resource.is_crd()) {
            (true, _) => Ok(()),
            (false, true) => Err(Failure::page_not_found()),
            (false, false) => Err(Failure::no_such_resource()),
        }
    }

    fn check_subresource(&self) -> Result<(), Failure> {
        match self.subresource.as_deref() {
            None => Ok(()),
            Some("status") if self.version().status => Ok(()),
            Some("scale") if self.version().scale.is_some() => Ok(()),
            Some("finalize") if self.resource.is("", "namespaces") => Ok(()),
            Some("approval") if rules::is_signing_request(&self.resource) => Ok(()),
            Some("ephemeralcontainers" | "resize") if self.resource.is("", "pods") => Ok(()),
            Some(name) if posted_here(name, &self.resource) => Ok(()),
            Some(name) if kubelet::asked_for(&self.resource, name).is_some() => Ok(()),
            Some(_) if self.resource.is_crd() => Err(Failure::not_found(
                &self.resource,
                self.name.as_deref().unwrap_or_default(),
            )),
            Some(_) => Err(Failure::no_such_resource()),
        }
    }

    /// The same place, of which an object of another kind is asked.
    pub(super) fn posted_as(&self, resource: Resource) -> Self {
        Self {
            resource: Arc::new(resource),
            version: 0,
            ..self.clone()
        }
    }

    /// The same in the version that an object says that it is of, if there is one.
    pub(super) fn in_version_of(mut self, said: &str) -> Self {
        let versions = &self.resource.versions;
        let known = versions
            .iter()
            .position(|version| self.resource.api_version(&version.name) == said);
        self.version = known.unwrap_or(self.version);
        self
    }

    /// The same in the version that objects are stored in, where that has other fields.
    pub(super) fn as_stored(&self) -> Option<Self> {
        let stored = |version: &Version| version.name == self.resource.stored;
        let is_other = self.resource.is_autoscaler() && !stored(self.version());
        let version = self.resource.versions.iter().position(stored)?;
        is_other.then(|| Self {
            version,
            ..self.clone()
        })
    }

    /// Brings an object of another version into this one, where that has other fields.
    pub(super) fn convert(&self, object: &mut Value) {
        self.resource.convert(object, &self.version().name);
    }

    pub(crate) fn version(&self) -> &Version {
        &self.resource.versions[self.version]
    }

    /// The schema of the version that objects are stored in.
    pub(crate) fn stored_schema(&self) -> &Schema {
        let stored = self.resource.stored_shape.as_deref();
        stored.unwrap_or_else(|| self.version().schema.schema())
    }

    /// Whether only the status is written.
    pub(crate) fn is_status(&self) -> bool {
        self.subresource.as_deref() == Some("status")
    }

    pub(crate) fn bucket(&self) -> &Bucket {
        &self.resource.bucket
    }

    pub(crate) fn api_version(&self) -> String {
        self.resource.api_version(&self.version().name)
    }

    pub(crate) fn key(&self, name: &str) -> Key {
        Key::new(self.namespace.as_deref().unwrap_or_default(), name)
    }

    pub(crate) fn allows_delete_collection(&self) -> bool {
        !self.resource.is("", "namespaces")
            && (self.namespace.is_some() || !self.resource.namespaced)
    }
}

/// What follows an object's name. Behind a status or the scale of a custom resource nobody looks at what follows.
fn subresource(resource: &Resource, rest: String) -> String {
    match rest.split_once('/') {
        Some((first @ ("status" | "scale"), _)) if resource.is_crd() => first.to_owned(),
        _ => rest,
    }
}

fn posted_here(subresource: &str, resource: &Resource) -> bool {
    let mut posted = posted::of(&resource.group, &resource.plural).iter();
    posted.any(|posted| posted.subresource == subresource)
}

/// Another server may be there for it. A group of CRDs is plain text when it lacks a resource; the built-in groups say it in a Status.
fn unserved(world: &World, plane: &Plane, path: &ResourcePath) -> Failure {
    if elsewhere::serves(plane, &path.group, &path.version) {
        return Failure::unavailable();
    }
    let built_in = |resource: &Arc<Resource>| !resource.is_crd() && *resource.group == *path.group;
    if path.group.is_empty() || world.resources(plane).iter().any(built_in) {
        Failure::no_such_resource()
    } else {
        Failure::page_not_found()
    }
}
