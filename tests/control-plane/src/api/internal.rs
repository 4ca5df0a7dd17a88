//! What the server asks of itself.

use std::sync::Arc;

use http::header::{CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::Value;

use super::query::Query;
use super::{Asked, Place, route};
use crate::auth::Caller;
use crate::clock;
use crate::failure::Failure;
use crate::plane::World;
use crate::serve::Distortion;

/// Creates an object at the root.
pub(crate) fn install(world: &Arc<World>, path: &str, object: &Value) -> Result<(), Failure> {
    install_as(world, "kube-apiserver", path, object)
}

/// The same in the name of another program.
pub(crate) fn install_as(
    world: &Arc<World>,
    agent: &str,
    path: &str,
    object: &Value,
) -> Result<(), Failure> {
    let agent =
        HeaderValue::from_str(agent).map_err(|error| Failure::internal(&error.to_string()))?;
    let asked = said(Method::POST, path, (USER_AGENT, agent), object);
    ask(world, None, &asked)
}

/// Puts an object of the root in the place of what is there.
pub(crate) fn replace(world: &Arc<World>, path: &str, object: &Value) -> Result<(), Failure> {
    let agent = HeaderValue::from_static("kube-apiserver");
    let asked = said(Method::PUT, path, (USER_AGENT, agent), object);
    ask(world, None, &asked)
}

/// Applies an object in the name of a controller.
pub(crate) fn apply(
    world: &Arc<World>,
    project: Option<&str>,
    path: &str,
    manager: &str,
    object: &Value,
) -> Result<(), Failure> {
    let patch = HeaderValue::from_static("application/apply-patch+yaml");
    let mut query = Query::default();
    query.set("fieldManager", manager);
    query.set("force", "true");
    let asked = Asked {
        query,
        ..said(Method::PATCH, path, (CONTENT_TYPE, patch), object)
    };
    ask(world, project, &asked)
}

/// A request with one header.
fn said(method: Method, path: &str, header: (HeaderName, HeaderValue), object: &Value) -> Asked {
    Asked {
        method,
        path: path.to_owned(),
        query: Query::default(),
        headers: HeaderMap::from_iter([header]),
        body: object.to_string().into(),
        distortion: Distortion::default(),
        is_on_own_task: false,
    }
}

fn ask(world: &Arc<World>, project: Option<&str>, asked: &Asked) -> Result<(), Failure> {
    let place = Place {
        plane: Place::find(world, project)?,
        caller: Caller::server(),
    };
    clock::within(world.clock, || route(world, &place, asked)).map(drop)
}
