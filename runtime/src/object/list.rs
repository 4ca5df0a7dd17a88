//! Lists at the server, of what no cache has.

use std::sync::Arc;

use kube::Client;
use kube::api::ListParams;
use kube::core::{ObjectList, Request};

use crate::controller::Object;
use crate::transport::{Failure, PAGE, within};

const HTTP_GONE: u16 = 410;

/// The objects of a kind in a namespace, or in all of them, that have these labels.
pub(super) async fn list<K: Object>(
    client: &Client,
    namespace: Option<&str>,
    labels: &str,
) -> Result<Vec<Arc<K>>, Failure> {
    let request = Request::new(K::url_path(&(), namespace));
    let mut params = ListParams::default().labels(labels).limit(PAGE);
    let mut objects = Vec::new();
    loop {
        let asked = request.list(&params).map_err(kube::Error::BuildRequest)?;
        let page: ObjectList<K> = match within(client.request(asked)).await {
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
