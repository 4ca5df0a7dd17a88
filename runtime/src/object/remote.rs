//! One object at its API server, as JSON: the calls that a reconcile makes, compiled once for all kinds.

use http::Request;
use json_patch::Patch as JsonPatch;
use kube::api::{
    ApiResource, DeleteParams, ListParams, ObjectMeta, Patch, PatchParams, PostParams,
    Preconditions,
};
use kube::core::{DynamicObject, request};
use serde_json::Value;

use crate::controller::ObjectKey;
use crate::fleet::Cluster;
use crate::transport::{Failure, Line, within};
use crate::watch::{Kept, Selector};

/// Where an object is to be found.
#[derive(Clone)]
pub(crate) struct Remote {
    line: Line,
    kept: Kept,
    kind: ApiResource,
    key: ObjectKey,
}

impl Remote {
    pub(crate) fn new(cluster: &Cluster, kind: &ApiResource, key: ObjectKey) -> Self {
        Self {
            line: cluster.line(),
            kept: cluster.kept(),
            kind: kind.clone(),
            key,
        }
    }

    pub(crate) fn kind(&self) -> &ApiResource {
        &self.kind
    }

    pub(crate) fn key(&self) -> &ObjectKey {
        &self.key
    }

    fn request(&self) -> request::Request {
        let path =
            <DynamicObject as kube::Resource>::url_path(&self.kind, self.key.namespace.as_deref());
        request::Request::new(path)
    }

    /// The object as it is now, `None` when there is none.
    pub(crate) async fn get(&self) -> Result<Option<Value>, Failure> {
        match self
            .call(
                self.request()
                    .get(&self.key.name, &kube::api::GetParams::default()),
            )
            .await
        {
            Ok(object) => Ok(Some(object)),
            Err(failure) if failure.code() == Some(404) && failure.names_an_object() => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// The object as it is now, `None` when there is none or it is not selected.
    pub(crate) async fn get_selected(&self, selector: &Selector) -> Result<Option<Value>, Failure> {
        if selector.labels.is_none() && selector.fields.is_none() {
            return self.get().await;
        }
        // Only the server knows what its selectors mean.
        let mut fields = format!("metadata.name={}", self.key.name);
        for more in selector.fields.iter().filter(|more| !more.is_empty()) {
            fields.push(',');
            fields.push_str(more);
        }
        let params = ListParams {
            label_selector: selector.labels.as_deref().map(Into::into),
            field_selector: Some(fields),
            ..ListParams::default()
        };
        let mut list = self.call(self.request().list(&params)).await?;
        let item = list.pointer_mut("/items/0").map(Value::take);
        Ok(item.filter(|item| !item.is_null()))
    }

    /// Changes the object by JSON patch.
    pub(crate) async fn json_patch(
        &self,
        patch: JsonPatch,
        manager: &str,
    ) -> Result<Value, Failure> {
        let patch: Patch<Value> = Patch::Json(patch);
        self.call(self.request().patch(&self.key.name, &by(manager), &patch))
            .await
    }

    /// Creates the object.
    pub(crate) async fn create(&self, object: &Value) -> Result<Value, Failure> {
        let body = serde_json::to_vec(object).map_err(kube::Error::SerdeError)?;
        let request = self.request().create(&PostParams::default(), body);
        self.call(request).await
    }

    /// Changes the object by merge patch.
    pub(crate) async fn merge(&self, patch: &Value, manager: &str) -> Result<Value, Failure> {
        let patch = Patch::Merge(patch);
        self.call(self.request().patch(&self.key.name, &by(manager), &patch))
            .await
    }

    /// Changes the status by merge patch.
    pub(crate) async fn merge_status(
        &self,
        patch: &Value,
        manager: &str,
    ) -> Result<Value, Failure> {
        self.call(self.request().patch_subresource(
            "status",
            &self.key.name,
            &by(manager),
            &Patch::Merge(patch),
        ))
        .await
    }

    /// Server-side apply.
    pub(crate) async fn apply(
        &self,
        object: &Value,
        manager: &str,
        force: bool,
    ) -> Result<Value, Failure> {
        let params = PatchParams {
            force,
            ..by(manager)
        };
        self.call(
            self.request()
                .patch(&self.key.name, &params, &Patch::Apply(object)),
        )
        .await
    }

    /// Deletes the object in the background. Returns what the server returned, `None` when there was none.
    pub(crate) async fn delete(&self) -> Result<Option<Value>, Failure> {
        let request = self
            .request()
            .delete(&self.key.name, &DeleteParams::background());
        match self.call(request).await {
            Ok(status_or_object) => Ok(Some(status_or_object)),
            Err(failure) if failure.code() == Some(404) && failure.names_an_object() => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// Deletes the object in the background, if it is still the one that was seen and as it was seen.
    pub(crate) async fn delete_exactly(&self, seen: &ObjectMeta) -> Result<Value, Failure> {
        let params = DeleteParams {
            preconditions: Some(Preconditions {
                uid: seen.uid.clone(),
                resource_version: seen.resource_version.clone(),
            }),
            ..DeleteParams::background()
        };
        self.call(self.request().delete(&self.key.name, &params))
            .await
    }

    async fn call(
        &self,
        request: Result<Request<Vec<u8>>, request::Error>,
    ) -> Result<Value, Failure> {
        let request = request.map_err(kube::Error::BuildRequest)?;
        let text = within(self.line.request_text(request)).await?;
        let object = serde_json::from_str(&self.kept.answer(&text));
        Ok(object.map_err(kube::Error::SerdeError)?)
    }
}

fn by(manager: &str) -> PatchParams {
    PatchParams {
        field_manager: Some(manager.to_owned()),
        ..PatchParams::default()
    }
}

/// The uid and the resourceVersion of what a call returned.
pub(super) fn version(object: &Value) -> Option<(String, String)> {
    let text = |field: &str| Some(object.get("metadata")?.get(field)?.as_str()?.to_owned());
    Some((text("uid")?, text("resourceVersion")?))
}

/// What stands in the place of a version for the end of an object.
pub(crate) const DELETED: &str = "deleted";

/// The uid of what a delete was answered with: the object, or a `Status` that names it.
pub(super) fn deleted(answer: &Value) -> Option<(String, String)> {
    let uid = answer
        .pointer("/metadata/uid")
        .or_else(|| answer.pointer("/details/uid"))?;
    Some((uid.as_str()?.to_owned(), DELETED.to_owned()))
}
