//! Lists at the server, of what no cache has.

use std::sync::Arc;

use kube::api::{ApiResource, ListParams, ObjectMeta, PartialObjectMeta};
use kube::core::{DynamicObject, ObjectList, Request};

use crate::controller::Object;
use crate::transport::{Failure, Line, PAGE, within};

const HTTP_GONE: u16 = 410;

/// The objects of a kind in a namespace, or in all of them, that have these labels.
pub(super) async fn list<K: Object>(
    line: &Line,
    namespace: Option<&str>,
    labels: &str,
) -> Result<Vec<Arc<K>>, Failure> {
    let request = Request::new(K::url_path(&(), namespace));
    let mut params = ListParams::default().labels(labels).limit(PAGE);
    let mut objects = Vec::new();
    loop {
        let asked = request.list(&params).map_err(kube::Error::BuildRequest)?;
        let page: ObjectList<K> = match within(line.request(asked)).await {
            // The next page was not asked for in time: what changes so fast comes in one piece.
            Err(failure)
                if params.continue_token.is_some() && failure.code() == Some(HTTP_GONE) =>
            {
                params.continue_token = None;
                params.limit = None;
                objects.clear();
                continue;
            }
            page => page?,
        };
        objects.extend(page.items.into_iter().map(Arc::new));
        match page.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => params.continue_token = Some(token),
            None => return Ok(objects),
        }
    }
}

/// The metadata of all objects of a kind in a namespace, or in all of them, that are `meant`.
pub(crate) async fn list_metadata(
    line: &Line,
    kind: &ApiResource,
    namespace: Option<&str>,
    meant: impl Fn(&ObjectMeta) -> bool,
) -> Result<Vec<ObjectMeta>, Failure> {
    let request = Request::new(<DynamicObject as kube::Resource>::url_path(kind, namespace));
    let mut params = ListParams::default().limit(PAGE);
    let mut found = Vec::new();
    loop {
        let asked = request
            .list_metadata(&params)
            .map_err(kube::Error::BuildRequest)?;
        let page: ObjectList<PartialObjectMeta<DynamicObject>> =
            within(line.request(asked)).await?;
        let metadata = page.items.into_iter().map(|object| object.metadata);
        found.extend(metadata.filter(&meant));
        match page.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => params.continue_token = Some(token),
            None => return Ok(found),
        }
    }
}
