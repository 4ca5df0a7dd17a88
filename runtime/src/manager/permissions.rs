//! What a manager has to be allowed to do, as the rules of Kubernetes' RBAC.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use kube::api::ApiResource;

use crate::controller::{Controller, Declaration, Place};

/// The permissions that controllers need, by what they declare. It is read from their declarations alone:
/// nothing has to run, and no value of a controller has to be there.
///
/// ```
/// # use kommodore::{Action, Context, Permissions, Reconcile, Result, controller};
/// # use kommodore::k8s_openapi::api::core::v1::{ConfigMap, Namespace};
/// #[controller(for = Namespace, owns(ConfigMap))]
/// struct Namespaces;
/// # impl Reconcile for Namespaces {
/// #     async fn reconcile(&self, _: &Namespace, _: &Context<Self>) -> Result<Action> {
/// #         Ok(Action::done())
/// #     }
/// # }
///
/// let permissions = Permissions::of::<Namespaces>();
/// print!("{}", permissions.cluster_role("namespaces-operator"));
/// ```
///
/// [`Builder::permissions`](crate::Builder::permissions) has those of a whole manager.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Permissions(BTreeMap<(String, String), BTreeSet<&'static str>>);

/// Verbs on one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// The API group; empty for the core group.
    pub group: String,
    /// The plural name of the resource, with its subresource behind a `/`.
    pub resource: String,
    /// What is to be allowed, in alphabetical order.
    pub verbs: Vec<&'static str>,
}

/// What clusters are to a controller.
#[derive(Clone, Copy)]
pub(super) struct Role {
    /// It works there.
    pub(super) works: bool,
    /// They are the host cluster.
    pub(super) local: bool,
    /// They are those of the providers.
    pub(super) provider: bool,
}

impl Role {
    const WORK: Self = Self {
        works: true,
        local: false,
        provider: false,
    };

    /// Whether kinds in such a place lie there.
    fn has(self, place: Place) -> bool {
        match place {
            Place::Worked => self.works,
            Place::Local => self.local,
            Place::Provider => self.provider,
        }
    }
}

const WATCHED: [&str; 3] = ["get", "list", "watch"];

impl Permissions {
    /// What `C` needs in each cluster that it works in, for what lies there:
    ///
    /// | | verbs |
    /// |---|---|
    /// | `for` | get, list, watch; patch with a finalizer |
    /// | its `status` | patch, with `conditions` |
    /// | its `finalizers` | update, with `owns`: Kubernetes' `OwnerReferencesPermissionEnforcement` asks for it |
    /// | `owns` | get, list, watch, create, patch; delete with `prune` or `on_leave = release`, and with `in = ..` |
    /// | `watches` | get, list, watch |
    /// | events (`events.k8s.io`) | create, patch: any reconcile may call [`cx.event`](crate::Scope::event) |
    /// | `rbac(..)` | as it says |
    pub fn of<C: Controller>() -> Self {
        let mut permissions = Self::default();
        permissions.add(
            &ApiResource::erase::<C::Object>(&()),
            &C::DECLARATION,
            Role::WORK,
        );
        permissions
    }

    /// What a controller for `kind` needs in clusters of such a role.
    pub(super) fn add(&mut self, kind: &ApiResource, declared: &Declaration, role: Role) {
        for owned in declared.owns.iter().filter(|kind| role.has(kind.place)) {
            let kind = owned.resource();
            self.allow(&kind, None, &WATCHED);
            self.allow(&kind, None, &["create", "patch"]);
            if declared.prune || declared.release || owned.place != Place::Worked {
                self.allow(&kind, None, &["delete"]);
            }
        }
        for watched in declared.watches.iter().filter(|kind| role.has(kind.place)) {
            self.allow(&watched.resource(), None, &WATCHED);
        }
        if role.works {
            self.add_work(kind, declared);
        }
    }

    fn add_work(&mut self, kind: &ApiResource, declared: &Declaration) {
        self.allow(kind, None, &WATCHED);
        if declared.finalizer.is_some() {
            self.allow(kind, None, &["patch"]);
        }
        if declared.ready.is_some() {
            self.allow(kind, Some("status"), &["patch"]);
        }
        if declared.owns.iter().any(|kind| kind.place == Place::Worked) {
            self.allow(kind, Some("finalizers"), &["update"]);
        }
        self.0
            .entry(("events.k8s.io".into(), "events".into()))
            .or_default()
            .extend(["create", "patch"]);
        for grant in declared.grants {
            self.allow(&grant.kind.resource(), grant.subresource, grant.verbs);
        }
    }

    fn allow(&mut self, kind: &ApiResource, subresource: Option<&str>, verbs: &[&'static str]) {
        let resource = match subresource {
            Some(subresource) => format!("{}/{subresource}", kind.plural),
            None => kind.plural.clone(),
        };
        let key = (kind.group.clone(), resource);
        self.0.entry(key).or_default().extend(verbs);
    }

    /// Adds verbs on a resource (its plural name, with a subresource behind a `/`) of an API group.
    #[must_use]
    pub fn and(
        mut self,
        group: impl Into<String>,
        resource: impl Into<String>,
        verbs: &[&'static str],
    ) -> Self {
        let key = (group.into(), resource.into());
        self.0.entry(key).or_default().extend(verbs);
        self
    }

    pub(crate) fn merge(&mut self, other: Self) {
        for (resource, verbs) in other.0 {
            self.0.entry(resource).or_default().extend(verbs);
        }
    }

    /// The rules, one for each resource and subresource, ordered by group and name.
    pub fn rules(&self) -> Vec<Rule> {
        let rules = self.0.iter().map(|((group, resource), verbs)| Rule {
            group: group.clone(),
            resource: resource.clone(),
            verbs: verbs.iter().copied().collect(),
        });
        rules.collect()
    }

    /// Whether nothing has to be allowed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A ClusterRole of the rules, as YAML.
    pub fn cluster_role(&self, name: &str) -> String {
        self.yaml("ClusterRole", &format!("name: {name:?}"))
    }

    /// A Role of the rules in one namespace, as YAML.
    pub fn role(&self, namespace: &str, name: &str) -> String {
        self.yaml(
            "Role",
            &format!("namespace: {namespace:?}\n  name: {name:?}"),
        )
    }

    fn yaml(&self, kind: &str, metadata: &str) -> String {
        let rules: String = self.rules().iter().map(ToString::to_string).collect();
        let rules = if rules.is_empty() {
            " []\n".into()
        } else {
            format!("\n{rules}")
        };
        format!(
            "apiVersion: rbac.authorization.k8s.io/v1\nkind: {kind}\nmetadata:\n  {metadata}\nrules:{rules}"
        )
    }
}

impl fmt::Display for Rule {
    /// As an item of a list in YAML.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            group,
            resource,
            verbs,
        } = self;
        writeln!(
            f,
            "- apiGroups: [{group:?}]\n  resources: [{resource:?}]\n  verbs: {verbs:?}"
        )
    }
}

/// The permissions of a whole manager, apart by where they are needed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ManagerPermissions {
    /// In each cluster of the providers: for the controllers that work there, and for what is owned `in = provider`. Where
    /// there is no provider, all work in the host cluster, and this is what is needed there.
    pub member: Permissions,
    /// In the host cluster of a manager with providers: what these read, what is owned or watched `in = local`, and what
    /// the controllers need that work there, as `engage(local)` says.
    pub host: Permissions,
    /// In the namespace of the Lease in the host cluster, with leader election.
    pub lease: Option<(String, Permissions)>,
}

impl ManagerPermissions {
    /// Everything as YAML documents: a ClusterRole `{name}` for each cluster that the controllers work in, a
    /// ClusterRole `{name}-host` for the host cluster, and a Role `{name}-lease` for the Lease there. What has
    /// no rules is left out.
    pub fn yaml(&self, name: &str) -> String {
        let host = format!("{name}-host");
        let roles = [(&self.member, name), (&self.host, &host)];
        let mut documents: Vec<String> = roles
            .into_iter()
            .filter(|(permissions, _)| !permissions.is_empty())
            .map(|(permissions, name)| permissions.cluster_role(name))
            .collect();
        if let Some((namespace, permissions)) = &self.lease {
            documents.push(permissions.role(namespace, &format!("{name}-lease")));
        }
        documents.join("---\n")
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::{ConfigMap, Namespace};

    use super::*;
    use crate::controller::{Grant, Kind};

    const DECLARATION: Declaration = Declaration::new("namespaces")
        .owns(&[Kind::of::<ConfigMap>()])
        .watches(&[Kind::dynamic("example.org", "v1", "Page", None)])
        .rbac(&[Grant::new(Kind::of::<ConfigMap>(), &["delete"])]);

    #[test]
    fn a_declaration_says_what_it_needs() {
        let mut permissions = Permissions::default();
        permissions.add(
            &ApiResource::erase::<Namespace>(&()),
            &DECLARATION,
            Role::WORK,
        );
        assert_eq!(
            permissions.cluster_role("operator"),
            r#"apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: "operator"
rules:
- apiGroups: [""]
  resources: ["configmaps"]
  verbs: ["create", "delete", "get", "list", "patch", "watch"]
- apiGroups: [""]
  resources: ["namespaces"]
  verbs: ["get", "list", "watch"]
- apiGroups: [""]
  resources: ["namespaces/finalizers"]
  verbs: ["update"]
- apiGroups: ["events.k8s.io"]
  resources: ["events"]
  verbs: ["create", "patch"]
- apiGroups: ["example.org"]
  resources: ["pages"]
  verbs: ["get", "list", "watch"]
"#
        );
    }
}
