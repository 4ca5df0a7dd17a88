//! `PodSecurity`: the pods of a namespace may do what its labels allow.

mod baseline;
mod checks;
mod found;
mod policy;
mod restricted;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::Request;
use crate::failure::Failure;
use crate::object;
use checks::check as check_pod;
use policy::{Level, Policies, Policy};

/// How many pods are looked at when the policy of their namespace changes.
const MOST_PODS: usize = 3000;

/// Refuses what the namespace does not allow, and says what it warns of.
pub(super) fn check(request: &Request<'_>, object: &Value) -> Result<Vec<String>, Failure> {
    let resource = &request.target.resource;
    match (&*resource.group, &*resource.plural) {
        ("", "namespaces") if request.target.subresource.is_none() => of_namespace(request, object),
        ("", "pods") => of_pod(request, object),
        _ if request.target.subresource.is_some() => Ok(Vec::new()),
        ("", "podtemplates") => Ok(of_template(request, &object["template"])),
        ("batch", "cronjobs") => {
            let template = &object["spec"]["jobTemplate"]["spec"]["template"];
            Ok(of_template(request, template))
        }
        ("", "replicationcontrollers")
        | ("apps", "replicasets" | "deployments" | "statefulsets" | "daemonsets")
        | ("batch", "jobs") => Ok(of_template(request, &object["spec"]["template"])),
        _ => Ok(Vec::new()),
    }
}

fn of_namespace(request: &Request<'_>, namespace: &Value) -> Result<Vec<String>, Failure> {
    let new = Policies::of(namespace);
    let old = request.old.map(Policies::of);
    let was_as_wrong = old.as_ref().is_some_and(|old| {
        let said = |policies: &Policies| -> Vec<String> {
            let wrong = policies.wrong.iter();
            wrong
                .map(|cause| format!("{}{}", cause.field, cause.message))
                .collect()
        };
        said(old) == said(&new)
    });
    if !new.wrong.is_empty() && !was_as_wrong {
        let resource = &request.target.resource;
        return Err(Failure::invalid_object(resource, request.name, new.wrong));
    }
    let Some(old) = old else {
        return Ok(Vec::new());
    };
    let (old, new) = (old.enforce, new.enforce);
    let is_relaxed = new.version == old.version && new.level <= old.level;
    if new == old || new.level == Level::Privileged || is_relaxed {
        return Ok(Vec::new());
    }
    Ok(of_pods_there(request, new))
}

/// What the pods of a namespace do that its new policy does not allow.
fn of_pods_there(request: &Request<'_>, policy: Policy) -> Vec<String> {
    let pods = request.all("", "pods", Some(request.name));
    let (count, pods) = (
        pods.len(),
        first_of_each_owner(pods.iter().map(|pod| pod.read())),
    );
    let mut found: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for pod in pods.into_iter().take(MOST_PODS) {
        let wrong = check_pod(policy, &pod["metadata"], &pod["spec"]);
        if !wrong.is_empty() {
            let names = found.entry(found::reasons(&wrong)).or_default();
            names.push(object::name(pod));
        }
    }
    let mut warnings = Vec::new();
    if count > MOST_PODS {
        warnings.push(format!(
            "new PodSecurity enforce level only checked against the first {MOST_PODS} of {count} existing pods"
        ));
    }
    if !found.is_empty() {
        warnings.push(format!(
            "existing pods in namespace {:?} violate the new PodSecurity enforce level \"{policy}\"",
            request.name
        ));
    }
    let mut of_pods: Vec<String> = found
        .iter()
        .map(|(why, names)| {
            let first = names.iter().min().copied().unwrap_or_default();
            match names.len() {
                1 => format!("{first}: {why}"),
                2 => format!("{first} (and 1 other pod): {why}"),
                many => format!("{first} (and {} other pods): {why}", many - 1),
            }
        })
        .collect();
    of_pods.sort();
    warnings.extend(of_pods);
    warnings
}

/// The pods, those last of whose controller one has come before.
fn first_of_each_owner<'a>(pods: impl Iterator<Item = &'a Value>) -> Vec<&'a Value> {
    let mut seen = BTreeSet::new();
    let (mut first, mut rest) = (Vec::new(), Vec::new());
    for pod in pods {
        let owner = object::owners(pod).find(|owner| owner["controller"] == true);
        let is_first =
            owner.is_none_or(|owner| seen.insert(owner["uid"].as_str().unwrap_or_default()));
        match is_first {
            true => first.push(pod),
            false => rest.push(pod),
        }
    }
    first.append(&mut rest);
    first
}

fn of_pod(request: &Request<'_>, pod: &Value) -> Result<Vec<String>, Failure> {
    let is_the_same =
        request.target.is_status() || request.old.is_some_and(|old| images(old) == images(pod));
    if is_the_same {
        return Ok(Vec::new());
    }
    let Some(policies) = policies(request) else {
        return Ok(Vec::new());
    };
    let found = check_pod(policies.enforce, &pod["metadata"], &pod["spec"]);
    if !found.is_empty() {
        let policy = policies.enforce;
        let what = found::details(&found);
        return Err(request.refuse(&format!("violates PodSecurity \"{policy}\": {what}")));
    }
    Ok(warning(&policies, pod))
}

/// What runs in a pod, of which alone changes are looked at.
fn images(pod: &Value) -> Vec<(&str, &Value)> {
    let containers = found::containers(&pod["spec"]);
    containers
        .map(|container| (found::name(container), &container["image"]))
        .collect()
}

fn of_template(request: &Request<'_>, template: &Value) -> Vec<String> {
    if template.is_null() {
        return Vec::new();
    }
    let policies = policies(request);
    policies.map_or_else(Vec::new, |policies| warning(&policies, template))
}

fn warning(policies: &Policies, pod: &Value) -> Vec<String> {
    let policy = policies.warn;
    let found = check_pod(policy, &pod["metadata"], &pod["spec"]);
    let what = found::details(&found);
    match found.is_empty() {
        true => Vec::new(),
        false => vec![format!("would violate PodSecurity \"{policy}\": {what}")],
    }
}

/// The policies of the namespace of what is asked.
fn policies(request: &Request<'_>) -> Option<Policies> {
    let namespace = request.target.namespace.as_deref()?;
    let namespace = request.one("", "namespaces", namespace)?;
    Some(Policies::of(namespace.read()))
}
