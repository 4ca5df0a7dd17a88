//! The kinds that `#[controller]` names, and which of their objects. Named by the macro's expansion, not
//! by users.

#![allow(
    missing_docs,
    unreachable_pub,
    reason = "public for the expansion alone, through `__private`"
)]

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use k8s_openapi::NamespaceResourceScope;
use kube::api::ApiResource;
use kube::core::GroupVersionKind;

use super::Object;
use crate::fleet::Cluster;
use crate::watch::{Selector, Source};

/// A kind, and which of its objects.
#[derive(Clone, Copy)]
pub struct Kind {
    named: Named,
    pub(crate) select: Select,
    /// Owned as whole objects, and not as metadata alone.
    pub(crate) full: bool,
    pub(crate) place: Place,
}

/// Where the objects of a kind lie that a controller owns or watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// In the cluster that is worked on.
    Worked,
    /// In the cluster of the manager itself.
    Local,
    /// In the clusters of the providers.
    Provider,
}

#[derive(Clone, Copy)]
enum Named {
    /// By its Rust type.
    Typed {
        resource: fn() -> ApiResource,
        open: fn(&Cluster, Selector) -> Arc<dyn Source>,
    },
    /// By its words alone.
    Dynamic {
        group: &'static str,
        version: &'static str,
        kind: &'static str,
        /// Guessed from the kind where it is not given.
        plural: Option<&'static str>,
    },
}

impl Kind {
    pub const fn of<K: Object>() -> Self {
        Self {
            named: Named::Typed {
                resource: || ApiResource::erase::<K>(&()),
                open: |cluster, selector| cluster.cache::<K>(selector),
            },
            select: Select::ALL,
            full: false,
            place: Place::Worked,
        }
    }

    pub const fn dynamic(
        group: &'static str,
        version: &'static str,
        kind: &'static str,
        plural: Option<&'static str>,
    ) -> Self {
        Self {
            named: Named::Dynamic {
                group,
                version,
                kind,
                plural,
            },
            select: Select::ALL,
            full: false,
            place: Place::Worked,
        }
    }

    #[must_use]
    pub const fn full(mut self) -> Self {
        self.full = true;
        self
    }

    #[must_use]
    pub const fn local(mut self) -> Self {
        self.place = Place::Local;
        self
    }

    #[must_use]
    pub const fn provider(mut self) -> Self {
        self.place = Place::Provider;
        self
    }

    #[must_use]
    pub const fn select(mut self, select: Select) -> Self {
        self.select = select;
        self
    }

    pub(crate) fn resource(&self) -> ApiResource {
        match self.named {
            Named::Typed { resource, .. } => resource(),
            Named::Dynamic {
                group,
                version,
                kind,
                plural,
            } => {
                let kind = GroupVersionKind::gvk(group, version, kind);
                match plural {
                    Some(plural) => ApiResource::from_gvk_with_plural(&kind, plural),
                    None => ApiResource::from_gvk(&kind),
                }
            }
        }
    }

    /// Watches the kind with all that its objects have.
    pub(crate) fn open(&self, cluster: &Cluster) -> Arc<dyn Source> {
        let selector = self.select.selector();
        match self.named {
            Named::Typed { open, .. } => open(cluster, selector),
            Named::Dynamic { .. } => cluster.dynamic(&self.resource(), selector),
        }
    }
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ApiResource {
            api_version, kind, ..
        } = self.resource();
        write!(f, "{kind} ({api_version})")
    }
}

/// Which objects of a kind, as the attribute has it.
#[derive(Debug, Clone, Copy)]
pub struct Select {
    labels: Option<&'static str>,
    fields: Option<&'static str>,
    namespace: Option<&'static str>,
}

impl Select {
    pub const ALL: Self = Self {
        labels: None,
        fields: None,
        namespace: None,
    };

    #[must_use]
    pub const fn labels(mut self, selector: &'static str) -> Self {
        self.labels = Some(selector);
        self
    }

    #[must_use]
    pub const fn fields(mut self, selector: &'static str) -> Self {
        self.fields = Some(selector);
        self
    }

    /// Only of kinds that have namespaces.
    #[must_use]
    pub const fn namespace<K: InNamespaces>(self, name: &'static str) -> Self {
        self.any_namespace(name)
    }

    /// Of kinds of which only the server knows whether they have namespaces.
    #[must_use]
    pub const fn any_namespace(mut self, name: &'static str) -> Self {
        self.namespace = Some(name);
        self
    }

    pub(crate) fn selector(&self) -> Selector {
        Selector {
            labels: self.labels.map(Cow::Borrowed),
            fields: self.fields.map(Cow::Borrowed),
            namespace: self.namespace.map(Cow::Borrowed),
        }
    }
}

/// A kind whose objects lie in namespaces.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is cluster-scoped: its objects are in no namespace",
    label = "has no namespaces",
    note = "remove `namespace`"
)]
pub trait InNamespaces {}

#[diagnostic::do_not_recommend]
impl<K: kube::Resource<Scope = NamespaceResourceScope>> InNamespaces for K {}

/// What `rbac(..)` asks for: verbs on a kind, or on a subresource of it.
#[derive(Debug, Clone, Copy)]
pub struct Grant {
    pub(crate) kind: Kind,
    pub(crate) subresource: Option<&'static str>,
    pub(crate) verbs: &'static [&'static str],
}

impl Grant {
    pub const fn new(kind: Kind, verbs: &'static [&'static str]) -> Self {
        Self {
            kind,
            subresource: None,
            verbs,
        }
    }

    #[must_use]
    pub const fn subresource(mut self, name: &'static str) -> Self {
        self.subresource = Some(name);
        self
    }
}

/// The API group of a kind, for constants: k8s-openapi's kinds have it as one.
pub struct GroupOf<K>(PhantomData<K>);

impl<K: k8s_openapi::Resource> GroupOf<K> {
    /// Found before that of [`UnknownGroup`].
    pub const GROUP: Option<&'static str> = Some(K::GROUP);
}

pub trait UnknownGroup {
    const GROUP: Option<&'static str> = None;
}

impl<K> UnknownGroup for GroupOf<K> {}

/// A constant that is made by this compiles only if the group is not the core group, which has no name.
pub const fn assert_group(group: Option<&str>) {
    let is_core = match group {
        Some(group) => group.is_empty(),
        None => false,
    };
    assert!(
        !is_core,
        "a kind of the core group has no group from which the name of a finalizer would follow: write `finalizer = \"your.domain/name\"`"
    );
}
