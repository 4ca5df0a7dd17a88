//! How often a real server looks at the metadata of what is updated: what is wrong with it is told each time.

use serde_json::Value;

use super::super::target::Target;
use super::{is_signing_request, managers, metadata, names, new_finalizers};
use crate::failure::Cause;

/// How the rules of a kind look at metadata once more.
#[derive(Clone, Copy)]
enum Look {
    /// As at that of a new object.
    Whole,
    /// At what an update may change.
    Change,
}
use Look::{Change, Whole};

/// Adds what is wrong with the metadata of an object that takes the place of another to what is wrong with the rest;
/// `fixed` is what it would change, and may not.
pub(super) fn check(
    target: &Target,
    old: &Value,
    new: &Value,
    fixed: &[Cause],
    of_the_rest: Vec<Cause>,
) -> Vec<Cause> {
    let change = || {
        let mut wrong: Vec<Cause> = new_finalizers(old, new).into_iter().collect();
        wrong.extend(fixed.iter().cloned());
        wrong.extend(metadata::check_said(new));
        wrong.extend(managers::check(new));
        wrong
    };
    let once_more = |look: &Look| {
        let mut wrong = match look {
            Whole => metadata::check_whole(target, new),
            Change => change(),
        };
        wrong.extend(names::kubernetes_finalizers(target, new));
        wrong
    };
    // Those of all kinds come first, and the rest goes with the whole.
    let mut wrong = metadata::check_of_any_kind(new);
    wrong.extend(change());
    let looks = of_kind(target);
    let before = match looks {
        [Whole, ..] => 1,
        _ => looks.len(),
    };
    let (before, after) = looks.split_at(before);
    wrong.extend(before.iter().flat_map(&once_more));
    wrong.extend(of_the_rest);
    wrong.extend(after.iter().flat_map(&once_more));
    wrong
}

/// The looks of a kind's own rules, in turn.
fn of_kind(target: &Target) -> &'static [Look] {
    let resource = &target.resource;
    if is_signing_request(resource) {
        return &[Whole, Change];
    }
    let (group, plural) = (&*resource.group, &*resource.plural);
    if target.subresource.is_some() {
        return match (group, plural) {
            ("batch", "cronjobs")
            | ("policy", _)
            | ("storage.k8s.io", "volumeattachments")
            | ("admissionregistration.k8s.io", _) => &[],
            _ => &[Change],
        };
    }
    match (group, plural) {
        ("", "events") | ("policy", _) => &[],
        ("", "limitranges")
        | ("storage.k8s.io", "csinodes" | "volumeattachments")
        | ("discovery.k8s.io", _)
        | ("admissionregistration.k8s.io", _)
        | ("flowcontrol.apiserver.k8s.io", _) => &[Whole],
        ("", "persistentvolumes") => &[Whole, Whole],
        ("", "namespaces" | "nodes")
        | ("batch", "jobs")
        | ("networking.k8s.io", "ipaddresses")
        | ("node.k8s.io", _)
        | ("rbac.authorization.k8s.io", _)
        | ("resource.k8s.io", "resourceclaims" | "resourceclaimtemplates" | "deviceclasses")
        | ("storage.k8s.io", "storageclasses" | "csistoragecapacities") => &[Whole, Change],
        (
            "",
            "configmaps"
            | "endpoints"
            | "persistentvolumeclaims"
            | "pods"
            | "secrets"
            | "serviceaccounts",
        )
        | ("apiregistration.k8s.io", _)
        | ("apps", "controllerrevisions")
        | ("networking.k8s.io", "ingresses" | "ingressclasses")
        | ("storage.k8s.io", "volumeattributesclasses") => &[Change, Whole],
        _ => &[Change],
    }
}
