//! Kinds and keys, as the user names them.

use std::fmt;
use std::ops::Deref;

use k8s_openapi::{ClusterResourceScope, NamespaceResourceScope};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A kind with a Rust type: a custom resource of one's own, a built-in, or a foreign kind.
///
/// Implemented for everything with `kube::Resource<DynamicType = ()>` that serde can read and write.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a Kubernetes kind",
    label = "needs `kube::Resource<DynamicType = ()>`, `Clone`, `Debug`, `Serialize` and `Deserialize`",
    note = "a kind of your own derives `kube::CustomResource`; built-in kinds come from `k8s_openapi`"
)]
pub trait Object:
    kube::Resource<DynamicType = (), Scope: Scoped>
    + Clone
    + fmt::Debug
    + Serialize
    + DeserializeOwned
    + Send
    + Sync
    + 'static
{
}

#[diagnostic::do_not_recommend]
impl<K> Object for K where
    K: kube::Resource<DynamicType = (), Scope: Scoped>
        + Clone
        + fmt::Debug
        + Serialize
        + DeserializeOwned
        + Send
        + Sync
        + 'static
{
}

/// Whether the objects of a kind live in namespaces.
pub trait Scoped {
    /// True for kinds whose objects live in a namespace.
    const NAMESPACED: bool;
}

impl Scoped for NamespaceResourceScope {
    const NAMESPACED: bool = true;
}

impl Scoped for ClusterResourceScope {
    const NAMESPACED: bool = false;
}

/// The name of an object inside its cluster and kind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectKey {
    /// The namespace; `None` for objects of a cluster-scoped kind.
    pub namespace: Option<String>,
    /// The name.
    pub name: String,
}

impl ObjectKey {
    /// The key of an object in a namespace.
    pub fn namespaced(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            namespace: Some(namespace.into()),
            name: name.into(),
        }
    }

    /// The key of a cluster-scoped object.
    pub fn cluster_scoped(name: impl Into<String>) -> Self {
        Self {
            namespace: None,
            name: name.into(),
        }
    }

    /// The key of `object`, which may be a reference, an `Arc` or a `Box`; made for `.map(ObjectKey::of)`.
    pub fn of<P>(object: P) -> Self
    where
        P: Deref<Target: kube::Resource + Sized>,
    {
        Self::of_meta(kube::Resource::meta(&*object))
    }

    pub(crate) fn of_meta(meta: &kube::api::ObjectMeta) -> Self {
        Self {
            namespace: meta.namespace.clone(),
            name: meta.name.clone().unwrap_or_default(),
        }
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(f, "{namespace}/{}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

impl From<&str> for ObjectKey {
    /// A name without a namespace.
    fn from(name: &str) -> Self {
        Self::cluster_scoped(name)
    }
}

impl From<String> for ObjectKey {
    /// A name without a namespace.
    fn from(name: String) -> Self {
        Self::cluster_scoped(name)
    }
}

impl From<&String> for ObjectKey {
    /// A name without a namespace.
    fn from(name: &String) -> Self {
        Self::cluster_scoped(name)
    }
}
