//! Kinds and keys, as the user names them.

use std::any::TypeId;
use std::fmt;
use std::ops::Deref;

use k8s_openapi::NamespaceResourceScope;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A kind with a Rust type: a custom resource of one's own, a built-in, or a foreign kind.
///
/// Implemented for everything with `kube::Resource<DynamicType = ()>` that serde can read and write.
// On the trait, `do_not_recommend` is about its supertraits: of a type that is no kind, rustc would
// otherwise name each of them in an error of its own, and not this trait. A compiler that knows no
// such use of it says more; nothing else depends on it.
#[allow(unknown_or_malformed_diagnostic_attributes)]
#[diagnostic::do_not_recommend]
#[diagnostic::on_unimplemented(
    message = "this is not a Kubernetes kind",
    label = "needs `kube::Resource<DynamicType = ()>`, `Clone`, `Debug`, `Serialize` and `Deserialize`",
    note = "a kind of your own derives `kube::CustomResource`; built-in kinds come from `k8s_openapi`"
)]
pub trait Object:
    kube::Resource<DynamicType = ()>
    + Clone
    + fmt::Debug
    + Serialize
    + DeserializeOwned
    + Send
    + Sync
    + 'static
{
    /// True for kinds whose objects live in a namespace.
    #[doc(hidden)]
    fn namespaced() -> bool {
        TypeId::of::<Self::Scope>() == TypeId::of::<NamespaceResourceScope>()
    }
}

// The bounds are those of the trait and no more, so that what is missing is said once.
#[diagnostic::do_not_recommend]
impl<K> Object for K where
    K: kube::Resource<DynamicType = ()>
        + Clone
        + fmt::Debug
        + Serialize
        + DeserializeOwned
        + Send
        + Sync
        + 'static
{
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
