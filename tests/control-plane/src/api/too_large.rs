//! What is too large to be stored: a real server keeps its objects in etcd, which takes no more in one request.

use http::StatusCode;
use serde_json::Value;

use crate::failure::Failure;
use crate::object;

const MOST: usize = 1_536 * 1_024;
/// What is longer than this is not sent to it at all.
const MOST_SENT: usize = 2_048 * 1_024;
/// About as much as is sent around an object.
const AROUND: usize = 96;

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
    let sent = object::length(object) + AROUND;
    Err(match sent > MOST_SENT {
        true => unsendable(&sent.to_string()),
        false => failure("etcdserver: request is too large"),
    })
}

/// Refuses an object of which the defaults alone are too large.
pub(super) fn by_defaults() -> Failure {
    unsendable("with its defaults")
}

fn unsendable(length: &str) -> Failure {
    failure(&format!(
        "rpc error: code = ResourceExhausted desc = trying to send message larger than max ({length} vs. {MOST_SENT})"
    ))
}

fn failure(message: &str) -> Failure {
    Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "", message)
}
