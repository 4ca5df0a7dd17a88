//! Who names an owner holds up its deletion, or may be deleted with it: neither comes without leave, where that is asked
//! for.

use std::sync::Arc;

use serde_json::Value;

use super::Attributes;
use crate::api::Target;
use crate::failure::Failure;
use crate::kinds::Resource;
use crate::object;

/// Whether the caller may say that the object has the owners that it names; `old` is what it was.
pub(crate) fn check(target: &Target, old: Option<&Value>, new: &Value) -> Result<(), Failure> {
    let caller = &target.caller;
    let is_pods_status = target.resource.is("", "pods") && target.is_status();
    if !target.world.auth.owners_need_leave || caller.is_unlimited() || is_pods_status {
        return Ok(());
    }
    let owners = |object: &Value| object::owners(object).cloned().collect::<Vec<_>>();
    if old.map_or_else(Vec::new, owners) == owners(new) {
        return Ok(());
    }
    let refuse = |why: String| {
        Err(Failure::forbidden(
            &target.resource,
            object::name(new),
            &why,
        ))
    };
    let namespace = target.namespace.clone().unwrap_or_default();
    if old.is_some() {
        let delete = Attributes {
            verb: "delete".to_owned(),
            group: target.resource.group.to_string(),
            resource: target.resource.plural.to_string(),
            subresource: target.subresource.clone().unwrap_or_default(),
            namespace: namespace.clone(),
            name: object::name(new).to_owned(),
            path: None,
        };
        let decision = caller.decide(&delete);
        if !decision.allowed {
            let reason = decision.reason;
            return refuse(format!(
                "cannot set an ownerRef on a resource you can't delete: {reason}, <nil>"
            ));
        }
    }
    let held_up: Vec<&str> = old
        .into_iter()
        .flat_map(blocking)
        .map(|(uid, _)| uid)
        .collect();
    for (_, owner) in blocking(new).filter(|(uid, _)| !held_up.contains(uid)) {
        let text = |field: &str| owner[field].as_str().unwrap_or_default();
        let (api_version, kind) = (text("apiVersion"), text("kind"));
        let Some(resource) = mapped(target, api_version, kind) else {
            return refuse(format!(
                "cannot set blockOwnerDeletion in this case because cannot find RESTMapping for APIVersion \
                 {api_version} Kind {kind}: no matches for kind {kind:?} in version {api_version:?}"
            ));
        };
        let finalize = Attributes {
            verb: "update".to_owned(),
            group: resource.group.to_string(),
            resource: resource.plural.to_string(),
            subresource: "finalizers".to_owned(),
            namespace: match resource.namespaced {
                true => namespace.clone(),
                false => String::new(),
            },
            name: text("name").to_owned(),
            path: None,
        };
        let decision = caller.decide(&finalize);
        if !decision.allowed {
            let reason = decision.reason;
            return refuse(format!(
                "cannot set blockOwnerDeletion if an ownerReference refers to a resource you can't set finalizers on: \
                 {reason}, <nil>"
            ));
        }
    }
    Ok(())
}

/// The resource of a kind, which may also be named in lower case.
fn mapped(target: &Target, api_version: &str, kind: &str) -> Option<Arc<Resource>> {
    let (group, version) = api_version.rsplit_once('/').unwrap_or(("", api_version));
    let all = target.world.resources(&target.plane);
    all.into_iter().find(|resource| {
        *resource.group == *group
            && (resource.kind == kind || resource.kind.to_lowercase() == kind)
            && resource.version(version).is_some()
    })
}

/// The owners whose deletion waits for the object, with their uids.
fn blocking(object: &Value) -> impl Iterator<Item = (&str, &Value)> {
    object::owners(object)
        .filter(|owner| owner["blockOwnerDeletion"] == true)
        .map(|owner| (owner["uid"].as_str().unwrap_or_default(), owner))
}
