//! Our finalizer: there before the first reconcile, gone after the cleanup. Others are never touched.

use json_patch::{
    AddOperation, Patch as JsonPatch, PatchOperation, RemoveOperation, TestOperation,
    jsonptr::PointerBuf,
};
use kube::api::ObjectMeta;
use serde_json::{Value, json};

use super::Remote;
use crate::transport::Failure;
use crate::watch::Selector;

/// How often we read the object again because somebody changed it between our look and our patch.
const TRIES: usize = 5;
const HTTP_CONFLICT: u16 = 409;
const HTTP_NOT_FOUND: u16 = 404;
/// The API server answers a failed `test` of a JSON patch with 422 Invalid, and an addition of a
/// finalizer to an object that is being deleted with 422 as well.
const HTTP_INVALID: u16 = 422;

/// What became of the object when its finalizer was to be added.
pub(crate) enum Secured {
    /// It carries our finalizer now; the object as the server returned it.
    Ours(Value),
    /// It is gone, being deleted, or not selected any more: it gets no finalizer, and no reconcile.
    Leaving,
}

/// A finalizer of an object.
pub(crate) struct Finalizer<'a> {
    pub(crate) name: &'a str,
    pub(crate) manager: &'a str,
    pub(crate) remote: &'a Remote,
}

impl Finalizer<'_> {
    /// Adds the finalizer, in one patch that the server refuses if the object is not the one we saw.
    pub(crate) async fn add(
        &self,
        seen: &ObjectMeta,
        selector: &Selector,
    ) -> Result<Secured, Failure> {
        let mut seen = seen.clone();
        let mut tries = 1;
        loop {
            let failure = match self.patch(add(&seen, self.name)).await {
                Patched::Object(object) => return Ok(Secured::Ours(object)),
                Patched::Gone => return Ok(Secured::Leaving),
                Patched::Failed(failure) => return Err(failure),
                Patched::Changed(failure) => failure,
            };
            let found = self.remote.get_selected(selector).await?;
            let Some((meta, object)) = found.map(with_meta).transpose()? else {
                return Ok(Secured::Leaving);
            };
            if meta.deletion_timestamp.is_some() {
                return Ok(Secured::Leaving);
            }
            if holds(&meta, self.name) {
                return Ok(Secured::Ours(object));
            }
            // The refusal had another reason than a change, or the changes do not stop.
            if meta.resource_version == seen.resource_version || tries == TRIES {
                return Err(failure);
            }
            seen = meta;
            tries += 1;
        }
    }

    /// Removes the finalizer. Returns what the server returned, `None` when the object was gone or
    /// did not carry it any more.
    pub(crate) async fn remove(&self, seen: &ObjectMeta) -> Result<Option<Value>, Failure> {
        let mut seen = seen.clone();
        let mut tries = 1;
        loop {
            let Some(patch) = remove(&seen, self.name) else {
                return Ok(None);
            };
            let failure = match self.patch(patch).await {
                Patched::Object(object) => return Ok(Some(object)),
                Patched::Gone => return Ok(None),
                Patched::Failed(failure) => return Err(failure),
                Patched::Changed(failure) => failure,
            };
            match self.look().await? {
                // Another object of the same name is not ours to release.
                Some((meta, _)) if meta.uid == seen.uid => {
                    if meta.resource_version == seen.resource_version || tries == TRIES {
                        return Err(failure);
                    }
                    seen = meta;
                    tries += 1;
                }
                _ => return Ok(None),
            }
        }
    }

    async fn patch(&self, patch: JsonPatch) -> Patched {
        match self.remote.json_patch(patch, self.manager).await {
            Ok(object) => Patched::Object(object),
            Err(failure) => match failure.code() {
                Some(HTTP_NOT_FOUND) if failure.names_an_object() => Patched::Gone,
                Some(HTTP_CONFLICT | HTTP_INVALID) => Patched::Changed(failure),
                _ => Patched::Failed(failure),
            },
        }
    }

    /// The object as it is now, and its metadata.
    async fn look(&self) -> Result<Option<(ObjectMeta, Value)>, Failure> {
        self.remote.get().await?.map(with_meta).transpose()
    }
}

pub(super) fn with_meta(object: Value) -> Result<(ObjectMeta, Value), Failure> {
    let meta = object.get("metadata").cloned().unwrap_or_default();
    let meta = serde_json::from_value(meta).map_err(kube::Error::SerdeError)?;
    Ok((meta, object))
}

enum Patched {
    Object(Value),
    Gone,
    /// The object is not as we saw it, or the server has another objection.
    Changed(Failure),
    Failed(Failure),
}

/// Whether `meta` carries the finalizer `name`.
pub(crate) fn holds(meta: &ObjectMeta, name: &str) -> bool {
    meta.finalizers
        .iter()
        .flatten()
        .any(|finalizer| finalizer == name)
}

fn add(seen: &ObjectMeta, name: &str) -> JsonPatch {
    let mut operations = vec![
        test(["metadata", "uid"], json!(seen.uid)),
        test(
            ["metadata", "resourceVersion"],
            json!(seen.resource_version),
        ),
    ];
    operations.push(PatchOperation::Add(match &seen.finalizers {
        Some(others) if !others.is_empty() => AddOperation {
            path: PointerBuf::from_tokens(["metadata", "finalizers", "-"]),
            value: json!(name),
        },
        _ => AddOperation {
            path: PointerBuf::from_tokens(["metadata", "finalizers"]),
            value: json!([name]),
        },
    }));
    JsonPatch(operations)
}

/// `None` when there is nothing to remove.
fn remove(seen: &ObjectMeta, name: &str) -> Option<JsonPatch> {
    let place = seen
        .finalizers
        .iter()
        .flatten()
        .position(|finalizer| finalizer == name)?
        .to_string();
    let path = ["metadata", "finalizers", &place];
    Some(JsonPatch(vec![
        test(["metadata", "uid"], json!(seen.uid)),
        test(path, json!(name)),
        PatchOperation::Remove(RemoveOperation {
            path: PointerBuf::from_tokens(path),
        }),
    ]))
}

fn test<const N: usize>(path: [&str; N], value: Value) -> PatchOperation {
    PatchOperation::Test(TestOperation {
        path: PointerBuf::from_tokens(path),
        value,
    })
}
