//! What is too large to be stored: a real server keeps its objects in etcd, which takes no more in one request.

use http::StatusCode;
use serde_json::Value;

use crate::failure::Failure;
use crate::object;

const MOST: usize = 1_536 * 1_024;

/// Refuses an object that is too large. Who owns its fields is forgotten before that, unless it is applied.
pub(super) fn check(object: &mut Value, is_applied: bool) -> Result<(), Failure> {
    if object::length(object) <= MOST {
        return Ok(());
    }
    if !is_applied {
        object::metadata_mut(object).remove("managedFields");
        if object::length(object) <= MOST {
            return Ok(());
        }
    }
    let message = "etcdserver: request is too large";
    Err(Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "", message))
}
