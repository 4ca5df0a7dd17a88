//! Paths that name no namespace where one belongs: `namespaces//configmaps`, and those of `.` and `..`.

use http::{Response, StatusCode};

use super::target::Target;
use super::{Asked, create, delete, read, rules};
use crate::failure::Failure;
use crate::serve::Body;

/// The answer to a request for such a path, where it is another than for those of every namespace. Of what is sent the
/// body is looked at before.
pub(super) fn answer(target: &Target, asked: &Asked) -> Option<Result<Response<Body>, Failure>> {
    let is_odd = target.namespace.as_deref().is_some_and(is_folder);
    if !is_odd && !target.leaves_namespace_empty {
        return None;
    }
    match (asked.method.as_str(), &target.name) {
        // What is created there is told what it lacks.
        ("POST", None) if target.leaves_namespace_empty && !target.resource.is_crd() => {
            Some(create::create(&target.in_no_namespace(), asked))
        }
        // Nothing is deleted so, and where there is nothing that is no mistake.
        ("DELETE", None) if target.leaves_namespace_empty && !target.resource.is_crd() => {
            let all = target.plane.store.list(target.bucket(), None).objects;
            Some(match all.is_empty() {
                true => delete::delete_collection(target, asked),
                false => Err(Failure::bad_request(NO_NAMESPACE)),
            })
        }
        ("POST" | "PUT", _) => None,
        (_, Some(name)) => check(target, Some(name)).err().map(Err),
        (_, None) => {
            let said = read::said(asked).ok()?;
            let selector = said.of(&target.resource, target.version()).ok()?;
            let name = selector.exactly("metadata.name");
            check(target, name).err().map(Err)
        }
    }
}

pub(crate) const NO_NAMESPACE: &str = "Namespace parameter required.";

/// Whether a namespace would be another folder where objects are kept.
pub(super) fn is_folder(namespace: &str) -> bool {
    matches!(namespace, "." | "..")
}

/// Nothing can be kept there.
pub(super) fn check(target: &Target, name: Option<&str>) -> Result<(), Failure> {
    let namespace = target.namespace.as_deref();
    let Some(namespace) = namespace.filter(|namespace| is_folder(namespace)) else {
        return Ok(());
    };
    let name = name.map(|name| format!("/{name}")).unwrap_or_default();
    let key = format!("/{}/{namespace}{name}", rules::kept_in(&target.resource));
    let why = format!("invalid key: {key:?}");
    Err(Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "", why))
}
