//! What is told of the keys that tokens of service accounts are signed with.

use http::header::{CACHE_CONTROL, HeaderValue};
use http::{Method, Response, StatusCode};
use serde_json::Value;

use super::{Asked, accept, response};
use crate::auth::NoKey;
use crate::failure::Failure;
use crate::plane::World;
use crate::serve::Body;

pub(super) const CONFIGURATION: &str = "/.well-known/openid-configuration";
pub(super) const KEYS: &str = "/openid/v1/jwks";

/// The answer, if that is what is asked for.
pub(super) fn answer(world: &World, asked: &Asked) -> Option<Result<Response<Body>, Failure>> {
    let path = asked.path.strip_suffix('/').unwrap_or(&asked.path);
    let issuer = &world.auth.issuer;
    match path {
        CONFIGURATION => Some(tell(asked, "application/json", || {
            issuer.configuration(&world.ids, world.port())
        })),
        KEYS => Some(tell(asked, "application/jwk-set+json", || {
            issuer.keys(&world.ids)
        })),
        _ => is_below(path).then(|| Err(Failure::no_such_resource())),
    }
}

fn is_below(path: &str) -> bool {
    let below = |known| {
        path.strip_prefix(known)
            .is_some_and(|rest: &str| rest.starts_with('/'))
    };
    [CONFIGURATION, KEYS].into_iter().any(below)
}

fn tell(
    asked: &Asked,
    media_type: &'static str,
    told: impl FnOnce() -> Result<Value, NoKey>,
) -> Result<Response<Body>, Failure> {
    if asked.method != Method::GET {
        return Err(Failure::method_not_allowed());
    }
    accept::this_alone(asked, media_type)?;
    let told = told().map_err(|NoKey| no_key())?;
    let mut answer = response::bytes(StatusCode::OK, media_type, told.to_string());
    let for_an_hour = HeaderValue::from_static("public, max-age=3600");
    answer.headers_mut().insert(CACHE_CONTROL, for_an_hour);
    Ok(answer)
}

/// There is no randomness to make a key of.
pub(super) fn no_key() -> Failure {
    let message = "there is no key that tokens are signed with";
    Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalError", message)
}
