//! Watches at their old paths, `/api/v1/watch/..`.

use std::sync::Arc;

use http::Method;

use super::target::Target;
use super::{Asked, Place, read};
use crate::failure::Failure;
use crate::plane::World;

/// A watch at its old path, as it is asked for today; nothing for any other request.
pub(super) fn as_of_today(
    world: &Arc<World>,
    place: &Place,
    asked: &Asked,
) -> Result<Option<Asked>, Failure> {
    let mut segments: Vec<&str> = asked.path.trim_end_matches('/').split('/').collect();
    let at = if segments.get(1) == Some(&"apis") {
        4
    } else {
        3
    };
    if segments.get(at) != Some(&"watch") || segments.len() == at + 1 {
        return Ok(None);
    }
    segments.remove(at);
    // What can be listed is watched so, and one object where it is.
    let (is_in_namespace, rest) = match segments.get(at..).unwrap_or_default() {
        ["namespaces", _, rest @ ..] if !rest.is_empty() => (true, rest),
        rest => (false, rest),
    };
    let name = match rest {
        [_] => None,
        [_, name] => Some((*name).to_owned()),
        _ => return Err(Failure::no_such_resource()),
    };
    if name.is_some() {
        segments.pop();
    }
    let mut today = asked.with_method(asked.method.clone());
    today.path = segments.join("/");
    let found = Target::resolve(world, &place.plane, &place.caller, &today.path)?;
    let fits = |target: &Target| {
        let is_of_all = !is_in_namespace && name.is_none();
        (is_of_all || target.resource.namespaced == is_in_namespace)
            && !target.resource.is_read_only()
            && !target.resource.is_review()
    };
    let target = found.filter(fits).ok_or_else(Failure::no_such_resource)?;
    if asked.method != Method::GET {
        return Err(Failure::method_not_allowed());
    }
    today.query.set("watch", "true");
    if let Some(name) = name {
        select(&target, &mut today, &name)?;
    }
    Ok(Some(today))
}

/// Selects the object that the path names, where nothing else is selected.
fn select(target: &Target, today: &mut Asked, name: &str) -> Result<(), Failure> {
    let selector = read::said(today)?.of(&target.resource, target.version())?;
    match selector.exactly("metadata.name") {
        Some(selected) if selected == name => Ok(()),
        None if !selector.selects_fields() => {
            today
                .query
                .set("fieldSelector", &format!("metadata.name={name}"));
            Ok(())
        }
        _ => Err(Failure::bad_request(
            "fieldSelector metadata.name doesn't match requested name",
        )),
    }
}
