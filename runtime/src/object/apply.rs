//! Server-side apply of a child.

use futures::FutureExt as _;
use futures::future::BoxFuture;
use kube::api::{ApiResource, ObjectMeta};
use kube::core::DynamicObject;
use serde_json::{Map, Value};

use super::applied::{Child as ChildKey, Outcome, child_of, content};
use super::finalizer::with_meta;
use super::ownership::{NotOwned, check_ours, check_reach, prepare};
use super::remote::{Remote, version};
use super::scope::{Owner, Scope};
use crate::controller::{Object, ObjectKey};
use crate::fleet::Known;
use crate::transport::Failure;
use crate::{Error, Result};

const HTTP_CONFLICT: u16 = 409;
const HTTP_FORBIDDEN: u16 = 403;

/// A child on its way to the server: await it. See [`Scope::apply`].
#[must_use = "nothing is applied until it is awaited"]
pub struct Apply<'a, K> {
    scope: &'a Scope,
    child: Child,
    force: bool,
    adopt: bool,
    /// Kept from where the bounds on the kind stand, so that a wrong kind is one error and not two.
    read: fn(Value) -> serde_json::Result<K>,
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
            force: true,
            adopt: false,
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
            force: true,
            adopt: false,
            read: serde_json::from_value,
        }
    }
}

impl<K> Apply<'_, K> {
    /// Leaves fields that another manager owns alone: a conflict is then an error that names them.
    pub fn unforced(mut self) -> Self {
        self.force = false;
        self
    }

    /// Takes over an existing object that nobody controls. One that another controller controls is
    /// refused all the same.
    ///
    /// Where Kubernetes' admission plugin `OwnerReferencesPermissionEnforcement` is on, this needs the permission to
    /// `delete` the child, which the declaration does not show: `rbac(Child(verbs = "delete"))`.
    pub fn adopt(mut self) -> Self {
        self.adopt = true;
        self
    }
}

impl<'a, K: 'a> IntoFuture for Apply<'a, K> {
    type Output = Result<K>;
    type IntoFuture = BoxFuture<'a, Result<K>>;

    fn into_future(self) -> Self::IntoFuture {
        let read = self.read;
        let what = format!("applying {} {}", self.child.kind.kind, self.child.key);
        let sent = send(self.scope, self.child, self.force, self.adopt);
        Box::pin(sent.map(move |returned| {
            let returned = returned.map_err(|error| error.context(what))?;
            Ok(read(returned)?)
        }))
    }
}

async fn send(scope: &Scope, child: Child, force: bool, adopt: bool) -> Result<Value> {
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
    check_reach(scope.owner(), &kind, namespaced, &key).map_err(Error::terminal)?;
    let mut object: Map<String, Value> = match json? {
        Value::Object(object) => object,
        other => {
            return Err(Error::terminal(format!(
                "a {} has to be a JSON object, and is {other}",
                kind.kind
            )));
        }
    };
    let remote = Remote::new(scope.client(), &kind, key);
    let known = known(scope, &remote).await?;
    if let Some(existing) = &known {
        check_ours(scope.owner(), &kind, remote.key(), existing, adopt)?;
    }
    prepare(&mut object, &kind, scope.owner(), remote.key());
    let object = Value::Object(object);
    let child = child_of(&remote);
    let content = content(&object, force);
    scope.has_child(child.clone());
    if let Some(live) = &known
        && let Some(unchanged) = unchanged(scope, &remote, &child, content, live).await?
    {
        return Ok(unchanged);
    }
    // What we do not know may have come this very moment, from somebody else: unforced, the server says
    // so instead of overwriting it.
    let returned = match remote
        .apply(&object, scope.manager(), force && known.is_some())
        .await
    {
        Err(failure) if failure.code() == Some(HTTP_CONFLICT) && force && known.is_none() => {
            if let Some(existing) = look(&remote).await? {
                check_ours(scope.owner(), &kind, remote.key(), &existing, adopt)?;
            }
            remote.apply(&object, scope.manager(), true).await
        }
        answer => answer,
    };
    let returned = returned.map_err(|failure| named(failure, scope.owner(), &kind))?;
    // An apply that changed nothing has no echo.
    let before = known.and_then(|existing| existing.resource_version);
    if version(&returned).is_some_and(|(_, after)| before != Some(after))
        && wrote_last(&returned, scope.manager())
    {
        scope.wrote(&returned);
    }
    scope.cluster().overlay(&kind, &returned);
    scope
        .applied()
        .remember(scope.owner(), child, content, &returned);
    Ok(returned)
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
async fn known(scope: &Scope, remote: &Remote) -> Result<Option<ObjectMeta>, Failure> {
    match scope.cluster().known_metadata(remote.kind(), remote.key()) {
        Known::There(object) => Ok(Some(object.metadata().clone())),
        Known::Missing => Ok(None),
        Known::Unknown => look(remote).await,
    }
}

async fn look(remote: &Remote) -> Result<Option<ObjectMeta>, Failure> {
    Ok(read(remote).await?.map(|(meta, _)| meta))
}

async fn read(remote: &Remote) -> Result<Option<(ObjectMeta, Value)>, Failure> {
    remote.get().await?.map(with_meta).transpose()
}
