//! Server-side apply of a child.

use std::marker::PhantomData;

use futures::future::BoxFuture;
use kube::api::{ApiResource, ObjectMeta};
use serde_json::{Map, Value};

use super::ownership::{NotOwned, check_ours, check_reach, prepare};
use super::remote::{Remote, version};
use super::scope::Scope;
use crate::controller::{Object, ObjectKey};
use crate::transport::Failure;
use crate::{Error, Result};

/// A child on its way to the server: await it. See [`Scope::apply`].
#[must_use = "nothing is applied until it is awaited"]
pub struct Apply<'a, K> {
    scope: &'a Scope,
    child: Child,
    force: bool,
    adopt: bool,
    kind: PhantomData<fn() -> K>,
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
            kind: PhantomData,
        }
    }

    /// Leaves fields that another manager owns alone: a conflict is then an error that names them.
    pub fn unforced(mut self) -> Self {
        self.force = false;
        self
    }

    /// Takes over an existing object that nobody controls. One that another controller controls is
    /// refused all the same.
    pub fn adopt(mut self) -> Self {
        self.adopt = true;
        self
    }
}

impl<'a, K: Object> IntoFuture for Apply<'a, K> {
    type Output = Result<K>;
    type IntoFuture = BoxFuture<'a, Result<K>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let what = format!("applying {} {}", self.child.kind.kind, self.child.key);
            let applied = send(self.scope, self.child, self.force, self.adopt).await;
            let returned = applied.map_err(|error| error.context(what))?;
            Ok(serde_json::from_value(returned)?)
        })
    }
}

async fn send(scope: &Scope, child: Child, force: bool, adopt: bool) -> Result<Value> {
    let Child {
        kind,
        namespaced,
        key,
        json,
    } = child;
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
    let existing = existing(scope, &remote).await?;
    if let Some(existing) = &existing {
        check_ours(scope.owner(), &kind, remote.key(), existing, adopt)?;
    }
    prepare(&mut object, &kind, scope.owner(), remote.key());
    let returned = remote
        .apply(&Value::Object(object), scope.manager(), force)
        .await?;
    // An apply that changed nothing has no echo.
    let before = existing
        .as_ref()
        .and_then(|existing| existing.resource_version.as_deref());
    if version(&returned).is_some_and(|(_, after)| before != Some(after.as_str())) {
        scope.wrote(&returned);
    }
    Ok(returned)
}

/// What is known of the child before it is applied: from the cache where the kind is owned or watched,
/// from the server where it is not.
async fn existing(scope: &Scope, remote: &Remote) -> Result<Option<ObjectMeta>, Failure> {
    if let Some(cache) = scope
        .cluster()
        .watched_metadata(remote.kind())
        .filter(|cache| cache.is_synced())
    {
        return Ok(cache
            .get(remote.key())
            .map(|object| object.metadata.clone()));
    }
    let Some(object) = remote.get().await? else {
        return Ok(None);
    };
    let meta = object.get("metadata").cloned().unwrap_or_default();
    Ok(Some(
        serde_json::from_value(meta).map_err(kube::Error::SerdeError)?,
    ))
}
