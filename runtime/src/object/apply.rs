//! Server-side apply of a child.

use futures::FutureExt as _;
use futures::future::BoxFuture;
use kube::api::{ApiResource, ObjectMeta};
use kube::core::DynamicObject;
use serde_json::{Map, Value};

use super::applied::{Child as ChildKey, Outcome, content};
use super::exact::apply_exactly;
use super::finalizer::with_meta;
use super::ownership::{Hold, NotOwned, check_mark, check_ours, check_reach, prepare};
use super::remote::{Remote, version};
use super::scope::{Owner, Scope};
use crate::controller::{Kind, Object, ObjectKey};
use crate::fleet::{Cluster, Known};
use crate::transport::Failure;
use crate::{Error, Result};

const HTTP_FORBIDDEN: u16 = 403;

/// A child on its way to the server: await it. See [`Scope::apply`].
#[must_use = "nothing is applied until it is awaited"]
pub struct Apply<'a, K> {
    scope: &'a Scope,
    child: Child,
    how: How,
    /// Kept from where the bounds on the kind stand, so that a wrong kind is one error and not two.
    read: fn(Value) -> serde_json::Result<K>,
}

/// How a child is applied.
struct How {
    force: bool,
    adopt: bool,
    marked: bool,
    to: Option<Cluster>,
}

impl How {
    const DEFAULT: Self = Self {
        force: true,
        adopt: false,
        marked: false,
        to: None,
    };
}

/// A child without its type.
struct Child {
    kind: ApiResource,
    namespaced: bool,
    key: ObjectKey,
    json: serde_json::Result<Value>,
}

impl<'a, K: Object> Apply<'a, K> {
    pub(super) fn new(scope: &'a Scope, child: K) -> Self {
        let child = Child {
            kind: ApiResource::erase::<K>(&()),
            namespaced: K::namespaced(),
            key: scope.complete::<K>(ObjectKey::of(&child)),
            json: serde_json::to_value(child),
        };
        Self {
            scope,
            child,
            how: How::DEFAULT,
            read: serde_json::from_value,
        }
    }
}

impl<'a> Apply<'a, DynamicObject> {
    /// `namespaced` is known by the namespace that the child has or gets from its owner.
    pub(super) fn dynamic(scope: &'a Scope, mut child: DynamicObject, kind: ApiResource) -> Self {
        let owner = &scope.owner().key;
        let namespace = &mut child.metadata.namespace;
        if namespace.is_none() {
            namespace.clone_from(&owner.namespace);
        }
        let child = Child {
            kind,
            namespaced: namespace.is_some(),
            key: ObjectKey::of(&child),
            json: serde_json::to_value(child),
        };
        Self {
            scope,
            child,
            how: How::DEFAULT,
            read: serde_json::from_value,
        }
    }
}

impl<K> Apply<'_, K> {
    /// Leaves fields that another manager owns alone: a conflict is then an error that names them.
    pub fn unforced(mut self) -> Self {
        self.how.force = false;
        self
    }

    /// Takes over an existing object that nobody controls. One that another controller controls is
    /// refused all the same.
    ///
    /// Where Kubernetes' admission plugin `OwnerReferencesPermissionEnforcement` is on, this needs the permission to
    /// `delete` the child, which the declaration does not show: `rbac(Child(verbs = "delete"))`.
    pub fn adopt(mut self) -> Self {
        self.how.adopt = true;
        self
    }

    /// Marks the child as the reconciled object's with a label and an annotation (`kommodore.dev/owner`) instead of
    /// an owner reference, which does not reach into other namespaces, out of namespaces and into other clusters.
    ///
    /// What is marked is deleted once the reconciled object is: after its `cleanup` is done, and before its finalizer
    /// goes. What is left all the same, because the finalizer was taken away by force or a cluster was out of reach, goes
    /// once the reconciled object is seen to be missing from its cluster, or that cluster is gone; a cluster that is
    /// only not ready or not selected has lost nothing.
    ///
    /// The controller has to have a `finalizer`, and the kind of the child has to be among its `owns`, with a selection
    /// that holds the child: what is marked is found by these watches. A change of the child wakes its owner. To
    /// delete it needs a permission that the declaration does not show: `rbac(Child(verbs = "delete"))`.
    ///
    /// The mark names the controller and the cluster: operators whose controllers have one name, and which work on
    /// clusters with the same names in different fleets, must not mark objects in one cluster.
    pub fn marked(mut self) -> Self {
        self.how.marked = true;
        self
    }

    /// Applies the child in another cluster, [marked](Apply::marked). A child without a namespace gets that of the
    /// reconciled object there too.
    ///
    /// ```
    /// # use kommodore::{Error, Result, Scope};
    /// # use kommodore::k8s_openapi::api::core::v1::ConfigMap;
    /// use kommodore::ClusterName;
    ///
    /// async fn publish(scope: &Scope, page: ConfigMap) -> Result<()> {
    ///     let Some(hub) = scope.find_cluster(&ClusterName::new("hub")?) else {
    ///         return Err(Error::new("the hub is not engaged"));
    ///     };
    ///     scope.apply(page).to(&hub).await?;
    ///     Ok(())
    /// }
    /// ```
    pub fn to(mut self, cluster: &Cluster) -> Self {
        self.how.marked = true;
        self.how.to = Some(cluster.clone());
        self
    }
}

impl<'a, K: 'a> IntoFuture for Apply<'a, K> {
    type Output = Result<K>;
    type IntoFuture = BoxFuture<'a, Result<K>>;

    fn into_future(self) -> Self::IntoFuture {
        let read = self.read;
        let what = format!("applying {} {}", self.child.kind.kind, self.child.key);
        let sent = send(self.scope, self.child, self.how);
        Box::pin(sent.map(move |returned| {
            let returned = returned.map_err(|error| error.context(what))?;
            Ok(read(returned)?)
        }))
    }
}

async fn send(scope: &Scope, child: Child, how: How) -> Result<Value> {
    match &how.to {
        Some(cluster) if cluster.name() != scope.cluster().name() => {
            let sent = cluster.visit(send_to(cluster, scope, child, &how)).await;
            sent.unwrap_or_else(|| {
                let name = cluster.name();
                Err(Error::new(format!(
                    "the cluster {name} is not engaged any more"
                )))
            })
        }
        _ => send_to(scope.cluster(), scope, child, &how).await,
    }
}

async fn send_to(cluster: &Cluster, scope: &Scope, child: Child, how: &How) -> Result<Value> {
    let How { force, adopt, .. } = *how;
    let Child {
        kind,
        namespaced,
        key,
        json,
    } = child;
    if kind.kind.is_empty() || kind.version.is_empty() {
        return Err(Error::terminal(NotOwned::Kindless { child: key }));
    }
    if key.name.is_empty() {
        return Err(Error::terminal(NotOwned::Nameless { kind: kind.kind }));
    }
    let hold = match how.marked {
        true => {
            check_mark(scope, cluster, &kind, &key).map_err(Error::terminal)?;
            Hold::Mark(scope.marker())
        }
        false => {
            check_reach(scope.owner(), &kind, namespaced, &key).map_err(Error::terminal)?;
            Hold::Reference
        }
    };
    let mut object: Map<String, Value> = match json? {
        Value::Object(object) => object,
        other => {
            return Err(Error::terminal(format!(
                "a {} has to be a JSON object, and is {other}",
                kind.kind
            )));
        }
    };
    let remote = Remote::new(cluster, &kind, key);
    let child = ChildKey::new(cluster.name(), &kind, remote.key().clone());
    // Whatever comes of it: who wants it to be there wants nobody to prune it.
    scope.has_child(child.clone());
    let is_known = matches!(cluster.known_metadata(&kind, remote.key()), Known::There(_));
    let known = known(cluster, &remote).await?;
    let check = |existing: &ObjectMeta| check_ours(scope, &kind, remote.key(), existing, adopt);
    match &known {
        Some(existing) => check(existing)?,
        None if scope.applied().is_lost_again(scope.owner(), &child) => {
            check_owner(scope, &remote).await?;
        }
        None => {}
    }
    prepare(&mut object, &kind, scope, remote.key(), &hold);
    let object = Value::Object(object);
    if let Hold::Mark(marker) = &hold {
        // Before it is there: the answer may be lost.
        scope
            .desk()
            .marked
            .note(child.clone(), Some(marker.clone()));
    }
    let content = content(&object, force);
    if let Some(live) = &known
        && let Some(unchanged) = unchanged(scope, &remote, &child, content, live).await?
    {
        return Ok(unchanged);
    }
    let returned = apply_exactly(
        &remote,
        object,
        scope.manager(),
        force,
        known.as_ref(),
        check,
    )
    .await?;
    let returned = returned.map_err(|failure| named(failure, scope.owner(), &kind))?;
    if matches!(hold, Hold::Mark(_)) && !is_known {
        check_found(scope, cluster, &remote).await?;
    }
    // An apply that changed nothing has no echo.
    let before = known.and_then(|existing| existing.resource_version);
    if version(&returned).is_some_and(|(_, after)| before != Some(after))
        && wrote_last(&returned, scope.manager())
        && is_watched(cluster, scope)
    {
        scope.wrote(&returned);
    }
    cluster.overlay(&kind, &returned);
    scope
        .applied()
        .remember(scope.owner(), child, content, &returned);
    Ok(returned)
}

/// Refuses to create a child for an owner that is gone without our having been told: a watch that hangs goes on showing
/// an object that somebody has deleted by force.
async fn check_owner(scope: &Scope, child: &Remote) -> Result<()> {
    let owner = scope.owner();
    let live = Remote::new(scope.cluster(), &owner.kind, owner.key.clone());
    let live = look(&live).await?;
    if live.is_some_and(|live| live.uid.as_deref() == Some(&owner.uid)) {
        return Ok(());
    }
    Err(Error::terminal(NotOwned::OwnerGone {
        kind: child.kind().kind.clone(),
        child: child.key().clone(),
        owner: owner.to_string(),
    }))
}

/// Refuses a mark that no watch of the controller would show: then nobody would find the child again.
async fn check_found(scope: &Scope, cluster: &Cluster, remote: &Remote) -> Result<()> {
    let is_kind = |owned: &&Kind| owned.resource().plural == remote.kind().plural;
    let owned = scope.declaration().owns.iter().filter(is_kind);
    for selector in owned.map(|owned| owned.select.selector()) {
        if selector.covers(remote.key()) || remote.get_selected(&selector).await?.is_some() {
            return Ok(());
        }
    }
    Err(Error::terminal(NotOwned::NotSelected {
        kind: remote.kind().kind.clone(),
        child: remote.key().clone(),
        cluster: cluster.name().to_string(),
    }))
}

/// Whether the echo of a write comes to this controller.
fn is_watched(cluster: &Cluster, scope: &Scope) -> bool {
    cluster.name() == scope.cluster().name() || scope.desk().roster.is_engaged(cluster.name())
}

/// The child as the server has it, if it is known that applying `content` would change nothing.
async fn unchanged(
    scope: &Scope,
    remote: &Remote,
    child: &ChildKey,
    content: u64,
    live: &ObjectMeta,
) -> Result<Option<Value>, Failure> {
    let (owner, applied) = (scope.owner(), scope.applied());
    match applied.outcome(owner, child, content, live) {
        Outcome::Unchanged(object) => return Ok(Some(object)),
        Outcome::Unknown => return Ok(None),
        Outcome::ElseChanged => {}
    }
    let Some((meta, object)) = read(remote).await? else {
        return Ok(None);
    };
    match applied.outcome(owner, child, content, &meta) {
        Outcome::Unknown => Ok(None),
        Outcome::Unchanged(_) | Outcome::ElseChanged => {
            applied.remember(owner, child.clone(), content, &object);
            Ok(Some(object))
        }
    }
}

/// Says which permission is missing, where the server does not: what refuses an owner reference is an admission
/// plugin with words of its own.
/// <https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#ownerreferencespermissionenforcement>
fn named(failure: Failure, owner: &Owner, child: &ApiResource) -> Error {
    let words = match failure.code() {
        Some(HTTP_FORBIDDEN) => failure.to_string(),
        _ => return failure.into(),
    };
    let missing = if words.contains("cannot set blockOwnerDeletion") {
        (
            "update",
            format!("{}/finalizers", owner.kind.plural),
            &owner.kind.group,
        )
    } else if words.contains("cannot set an ownerRef") {
        ("delete", child.plural.clone(), &child.group)
    } else {
        return failure.into();
    };
    let (verb, resource, group) = missing;
    Error::new(failure).context(format!(
        "cannot {verb} resource {resource:?} in API group {group:?}, which the owner reference needs"
    ))
}

/// Whether the version that an apply returned is our own, and not what somebody else had made of the
/// object before an apply of ours that changed nothing. In doubt it is not: that costs one reconcile too
/// many, and not a change that nobody looks at.
fn wrote_last(returned: &Value, manager: &str) -> bool {
    let entries = returned
        .pointer("/metadata/managedFields")
        .and_then(Value::as_array);
    let (ours, others): (Vec<&Value>, Vec<&Value>) = entries
        .into_iter()
        .flatten()
        .partition(|entry| entry["manager"] == manager && entry["operation"] == "Apply");
    // Times are RFC 3339 in UTC and whole seconds, so that their texts compare as they do.
    let newest = |entries: &[&Value]| {
        let times = entries
            .iter()
            .filter_map(|entry| entry["time"].as_str().map(str::to_owned));
        times.max()
    };
    newest(&ours) > newest(&others)
}

/// What is known of the child before it is applied: from the cache where the kind is owned, its watch
/// works and selects it, else from the server.
async fn known(cluster: &Cluster, remote: &Remote) -> Result<Option<ObjectMeta>, Failure> {
    match cluster.known_metadata(remote.kind(), remote.key()) {
        Known::There(object) => Ok(Some(object.metadata().clone())),
        Known::Missing => Ok(None),
        Known::Unknown => look(remote).await,
    }
}

pub(super) async fn look(remote: &Remote) -> Result<Option<ObjectMeta>, Failure> {
    Ok(read(remote).await?.map(|(meta, _)| meta))
}

async fn read(remote: &Remote) -> Result<Option<(ObjectMeta, Value)>, Failure> {
    remote.get().await?.map(with_meta).transpose()
}
