//! What may be said in the status of a pod.

use std::collections::{HashMap, HashSet, VecDeque};
use std::net::IpAddr;

use serde_json::{Map, Value};

use super::addresses::{parse, unclear};
use super::checks::{list, number, one_of, text, texts};
use super::fixed::invalid_struct;
use super::{fixed, names, pod_annotations};
use crate::failure::Cause;
use crate::object;

/// The containers of a status.
const CONTAINERS: [&str; 3] = [
    "containerStatuses",
    "initContainerStatuses",
    "ephemeralContainerStatuses",
];
const RESOURCES: &str = "allocatedResourcesStatus";
/// The most bytes of what is told of the health of a resource.
const MOST_OF_MESSAGE: usize = 1024;

/// Forgets what belongs to features that are off by default.
pub(super) fn forget(pod: &mut Value) {
    let status = object::field_mut(pod, "status");
    status.remove("nodeAllocatableResourceClaimStatuses");
    for field in CONTAINERS {
        let containers = status.get_mut(field).and_then(Value::as_array_mut);
        for container in containers.into_iter().flatten() {
            let mounts = container.get_mut("volumeMounts");
            let mounts = mounts.and_then(Value::as_array_mut).into_iter().flatten();
            for mount in mounts.filter_map(Value::as_object_mut) {
                mount.remove("volumeStatus");
            }
        }
    }
}

/// Says again which generation the status of a pod, and each of its conditions, was of, where that is left out.
pub(super) fn keep_generations(old: &Value, new: &mut Value) {
    const GENERATION: &str = "observedGeneration";
    let is_none = |fields: &Map<String, Value>| {
        let said = fields.get(GENERATION);
        said.is_none_or(|said| said.is_null() || *said == 0)
    };
    let was = &old["status"];
    let mut of_conditions: HashMap<&str, VecDeque<&Value>> = HashMap::new();
    for condition in list(was, "conditions") {
        let kind = text(condition, "type");
        of_conditions
            .entry(kind)
            .or_default()
            .push_back(&condition[GENERATION]);
    }
    let status = object::field_mut(new, "status");
    let conditions = status.get_mut("conditions").and_then(Value::as_array_mut);
    for condition in conditions.into_iter().flatten() {
        let kind = text(condition, "type");
        let before = of_conditions.get_mut(kind).and_then(VecDeque::pop_front);
        let before = before.filter(|before| !before.is_null());
        if let (Some(before), Value::Object(fields)) = (before, condition)
            && is_none(fields)
        {
            fields.insert(GENERATION.to_owned(), before.clone());
        }
    }
    if !was[GENERATION].is_null() && is_none(status) {
        status.insert(GENERATION.to_owned(), was[GENERATION].clone());
    }
}

/// What is wrong with the new status of a pod.
pub(super) fn check(old: &Value, new: &Value) -> Vec<Cause> {
    let (was, is) = (&old["status"], &new["status"]);
    let negative = "must be a non-negative integer";
    let mut wrong = pod_annotations::check_update(old, new);
    for (index, condition) in list(is, "conditions").iter().enumerate() {
        let path = format!("status.conditions[{index}]");
        if let Some(seen) = number(condition, "observedGeneration").filter(|seen| *seen < 0) {
            let path = format!("{path}.observedGeneration");
            wrong.push(Cause::invalid(&path, &seen.into(), negative));
        }
        let (kind, path) = (text(condition, "type"), format!("{path}.Type"));
        let reasons = names::qualified(kind);
        let reasons = reasons.iter();
        wrong.extend(reasons.map(|why| Cause::invalid(&path, &kind.into(), why)));
    }
    const NOMINATED: &str = "nominatedNodeName";
    let (before, nominated) = (text(was, NOMINATED), text(is, NOMINATED));
    if before != nominated && !nominated.is_empty() {
        let path = format!("status.{NOMINATED}");
        let why = names::subdomain(nominated);
        wrong.extend(why.map(|why| Cause::invalid(&path, &nominated.into(), why)));
        if !text(&old["spec"], "nodeName").is_empty() {
            let why = "may not be set on pods that are already bound to a node";
            wrong.push(Cause::forbidden(&path, why));
        }
    }
    if let Some(seen) = number(is, "observedGeneration").filter(|seen| *seen < 0) {
        wrong.push(Cause::invalid(
            "status.observedGeneration",
            &seen.into(),
            negative,
        ));
    }
    if was["qosClass"] != is["qosClass"] {
        wrong.push(Cause::invalid(
            "status.qosClass",
            &is["qosClass"],
            fixed::IMMUTABLE,
        ));
    }
    let spec = &old["spec"];
    wrong.extend(check_states(spec, was, is));
    wrong.extend(check_claims(spec, is));
    wrong.extend(check_extended_claim(spec, is));
    for (all, one) in [("podIPs", "podIP"), ("hostIPs", "hostIP")] {
        wrong.extend(check_addresses(was, is, all, one));
    }
    for field in CONTAINERS {
        wrong.extend(check_users(spec, is, field));
    }
    for (field, of) in [CONTAINERS[0], CONTAINERS[1]]
        .into_iter()
        .zip(["containers", "initContainers"])
    {
        wrong.extend(check_resources(list(spec, of), is, field));
    }
    for (index, container) in list(is, CONTAINERS[2]).iter().enumerate() {
        if !list(container, RESOURCES).is_empty() {
            let path = format!("status.{}[{index}].{RESOURCES}", CONTAINERS[2]);
            let why = "must not be specified in container status";
            wrong.push(Cause::forbidden(&path, why));
        }
    }
    wrong
}

/// The containers of a spec that may ask for resources.
fn containers(spec: &Value) -> impl DoubleEndedIterator<Item = &Value> {
    let first = list(spec, "initContainers").iter();
    first.chain(list(spec, "containers"))
}

/// The first of each name.
fn by_name(all: &[Value]) -> HashMap<&str, &Value> {
    let named = all.iter().rev().map(|one| (text(one, "name"), one));
    named.collect()
}

/// What has ended and is not started again stays as it is.
fn check_states(spec: &Value, was: &Value, is: &Value) -> Vec<Cause> {
    let restarts_all = |container: &Value| {
        let mut rules = list(container, "restartPolicyRules").iter();
        rules.any(|rule| rule["action"] == "RestartAllContainers")
    };
    let may_all_restart = containers(spec).any(restarts_all);
    let mut wrong = Vec::new();
    for (field, of) in CONTAINERS
        .into_iter()
        .zip(["containers", "initContainers", ""])
    {
        if may_all_restart && !of.is_empty() {
            continue;
        }
        let now = list(is, field).iter();
        let running = now.filter(|told| told["state"]["terminated"].is_null());
        let running: HashSet<&str> = running.map(|told| text(told, "name")).collect();
        let containers = by_name(list(spec, of));
        for (index, was) in list(was, field).iter().enumerate() {
            let ended = &was["state"]["terminated"];
            let name = text(was, "name");
            let code = number(ended, "exitCode").unwrap_or(0);
            let container = containers.get(name);
            let restarts = container.is_some_and(|container| restarts(container, spec, code));
            if !ended.is_null() && running.contains(name) && !restarts {
                let path = format!("status.{field}[{index}].state");
                let why = "may not be transitioned to non-terminated state";
                wrong.push(Cause::forbidden(&path, why));
            }
        }
    }
    wrong
}

/// Whether a container that has ended so is started again: by its first rule that fits, its own policy or its pod's.
fn restarts(container: &Value, spec: &Value, code: i64) -> bool {
    let policy = match text(container, "restartPolicy") {
        "" => text(spec, "restartPolicy"),
        own => {
            let fits = |rule: &&Value| {
                let codes = &rule["exitCodes"];
                let is_among = list(codes, "values").contains(&code.into());
                match text(codes, "operator") {
                    "In" => is_among,
                    "NotIn" => !is_among,
                    _ => false,
                }
            };
            let rule = list(container, "restartPolicyRules").iter().find(fits);
            if rule.is_some_and(|rule| rule["action"] == "Restart") {
                return true;
            }
            own
        }
    };
    policy == "Always" || policy == "OnFailure" && code != 0
}

/// The claims that were made for a pod are of those that it names.
fn check_claims(spec: &Value, status: &Value) -> Vec<Cause> {
    let mut seen = HashSet::new();
    let mut wrong = Vec::new();
    let known = texts(list(spec, "resourceClaims"), "name");
    for (index, claim) in list(status, "resourceClaimStatuses").iter().enumerate() {
        let at = |field: &str| format!("status.resourceClaimStatuses[{index}].{field}");
        let name = text(claim, "name");
        if !known.contains(name) {
            let why = "must match the name of an entry in `spec.resourceClaims`";
            wrong.push(Cause::invalid(&at("name"), &name.into(), why));
        }
        if !seen.insert(name) {
            wrong.push(Cause::duplicate(&at("name"), &name.into()));
        }
        let made = claim["resourceClaimName"].as_str();
        let unfit = made.and_then(|made| Some((made, names::subdomain(made)?)));
        wrong.extend(
            unfit.map(|(made, why)| Cause::invalid(&at("resourceClaimName"), &made.into(), why)),
        );
    }
    wrong
}

/// The claim for extended resources says for which of them of which container it is.
fn check_extended_claim(spec: &Value, status: &Value) -> Vec<Cause> {
    const PATH: &str = "status.extendedResourceClaimStatus";
    let claim = &status["extendedResourceClaimStatus"];
    if claim.is_null() {
        return Vec::new();
    }
    let mut wrong = Vec::new();
    let mappings = list(claim, "requestMappings");
    if mappings.is_empty() {
        let why = "at least one request mapping is required";
        wrong.push(Cause::required(&format!("{PATH}.requestMappings"), why));
    }
    let mut seen = HashSet::new();
    for (index, mapping) in mappings.iter().enumerate() {
        let at = |field: &str| format!("{PATH}.requestMappings[{index}].{field}");
        let fields = ["containerName", "resourceName", "requestName"];
        let [container, resource, request] = fields.map(|field| text(mapping, field));
        match containers(spec).rfind(|own| text(own, "name") == container) {
            None => {
                let why = "must match the name of an entry in spec.initContainers.name or spec.containers.name";
                wrong.push(Cause::invalid(&at("containerName"), &container.into(), why));
            }
            Some(own) if own["resources"]["requests"].get(resource).is_none() => {
                let why = "must match the extended resource name of an entry in spec.initContainers.resources.requests or \
                           spec.containers.resources.requests";
                wrong.push(Cause::invalid(&at("resourceName"), &resource.into(), why));
            }
            Some(_) => {}
        }
        let why = names::label(request);
        // A real server does not say of which mapping it is.
        let path = format!("{PATH}.requestName");
        wrong.extend(why.map(|why| Cause::invalid(&path, &request.into(), why)));
        if !seen.insert([container, resource, request]) {
            let twice =
                fields.map(|field| Cause::duplicate(&at(field), &text(mapping, field).into()));
            wrong.extend(twice);
        }
    }
    let (name, path) = (
        text(claim, "resourceClaimName"),
        format!("{PATH}.resourceClaimName"),
    );
    match name {
        "" => wrong.push(Cause::required(&path, "")),
        _ => {
            wrong.extend(names::subdomain(name).map(|why| Cause::invalid(&path, &name.into(), why)))
        }
    }
    wrong
}

/// New addresses are clear; those that were there may stay.
fn check_addresses(was: &Value, status: &Value, all: &str, one: &str) -> Vec<Cause> {
    let path = format!("status.{all}");
    let places = list(status, all);
    let mut wrong = Vec::new();
    if let Some(first) = places
        .first()
        .filter(|first| one == "hostIP" && text(first, "ip") != text(status, one))
    {
        let path = format!("{path}[0].ip");
        wrong.push(Cause::invalid(
            &path,
            &text(first, "ip").into(),
            "must be equal to `hostIP`",
        ));
    }
    let parse = |place: &Value| parse(&place["ip"]).map(|address| address.to_canonical());
    let parsed: Vec<Option<IpAddr>> = places.iter().map(parse).collect();
    let known = texts(list(was, all), "ip");
    for (index, place) in places.iter().enumerate() {
        let address = text(place, "ip");
        let is_known = known.contains(address);
        if let Some(why) = unclear(&address.into()).filter(|_| !is_known) {
            let path = format!("{path}[{index}]");
            wrong.push(Cause::invalid(&path, &address.into(), why));
        }
    }
    if parsed.len() < 2 {
        return wrong;
    }
    if let Some(index) = parsed.iter().position(Option::is_none) {
        let why = format!(
            "Internal error: failed to check for dual stack with error:invalid IP[{index}]: {}",
            text(&places[index], "ip")
        );
        wrong.push(Cause::new("InternalError", &path, why));
    }
    let is_pair =
        matches!(parsed[..], [Some(one), Some(other)] if one.is_ipv4() != other.is_ipv4());
    if !is_pair {
        let why = "may specify no more than one IP for each IP family";
        let of = match all {
            "podIPs" => "[core.PodIP]",
            _ => "[core.HostIP]",
        };
        wrong.push(invalid_struct(&path, of, &status[all], why));
    }
    wrong
}

/// As whom containers run.
fn check_users(spec: &Value, status: &Value, field: &str) -> Vec<Cause> {
    let mut wrong = Vec::new();
    for (index, container) in list(status, field).iter().enumerate() {
        let user = &container["user"]["linux"];
        let path = format!("status.{field}[{index}].user.linux");
        if user.is_null() {
            continue;
        }
        match spec["os"]["name"].as_str() {
            Some("windows") => {
                wrong.push(Cause::forbidden(&path, "cannot be set for a windows pod"));
            }
            None | Some("linux") => wrong.extend(check_user(user, &path)),
            Some(_) => {}
        }
    }
    wrong
}

fn check_user(user: &Value, path: &str) -> Vec<Cause> {
    let own = ["uid", "gid"].map(|field| (format!("{path}.{field}"), &user[field]));
    let more = list(user, "supplementalGroups").iter().enumerate();
    let more = more.map(|(index, id)| (format!("{path}.supplementalGroups[{index}]"), id));
    let why = "must be between 0 and 2147483647, inclusive";
    own.into_iter()
        .chain(more)
        .filter_map(|(path, id)| {
            let id = id.as_i64()?;
            let unfit = !(0..=i64::from(i32::MAX)).contains(&id);
            unfit.then(|| Cause::invalid(&path, &id.into(), why))
        })
        .collect()
}

/// The resources that containers were given are those that they ask for.
fn check_resources(containers: &[Value], status: &Value, field: &str) -> Vec<Cause> {
    let mut wrong = Vec::new();
    let containers = by_name(containers);
    for (index, told) in list(status, field).iter().enumerate() {
        let container = containers.get(text(told, "name"));
        for (number, resource) in list(told, RESOURCES).iter().enumerate() {
            let path = format!("status.{field}[{index}].{RESOURCES}[{number}]");
            let name = text(resource, "name");
            let unasked = container.and_then(|container| unasked(&container["resources"], name));
            wrong.extend(
                unasked.map(|why| Cause::invalid(&format!("{path}.name"), &name.into(), why)),
            );
            wrong.extend(check_health(list(resource, "resources"), &path));
        }
    }
    wrong
}

/// Why a container has not asked for a resource.
fn unasked(resources: &Value, name: &str) -> Option<&'static str> {
    if !name.starts_with("claim:") {
        let is_asked = resources["requests"].get(name).is_some();
        return (!is_asked).then_some("must match one of the container's resource requests");
    }
    let mut claims = list(resources, "claims").iter();
    let is_claimed = claims.any(|claim| {
        let of = format!("claim:{}", text(claim, "name"));
        match text(claim, "request") {
            "" => name == of,
            request => name == format!("{of}/{request}"),
        }
    });
    (!is_claimed).then_some(
        "must match one of the container's resource claims in a format 'claim:<claimName>/<request>' or \
         'claim:<claimName>' if request is empty",
    )
}

fn check_health(resources: &[Value], path: &str) -> Vec<Cause> {
    let mut seen = HashSet::new();
    let mut wrong = Vec::new();
    for (index, resource) in resources.iter().enumerate() {
        let at = |field: &str| format!("{path}.resources[{index}].{field}");
        let known = ["Healthy", "Unhealthy", "Unknown"];
        wrong.extend(one_of(text(resource, "health"), &at("health"), &known));
        match resource["message"].as_str() {
            Some("") => {
                let why = "must be non-empty if specified";
                wrong.push(Cause::required(&at("message"), why));
            }
            Some(message) if message.len() > MOST_OF_MESSAGE => {
                wrong.push(Cause::too_long(&at("message"), MOST_OF_MESSAGE));
            }
            _ => {}
        }
        let id = text(resource, "resourceID");
        if !seen.insert(id) {
            wrong.push(Cause::duplicate(&at("resourceID"), &id.into()));
        }
    }
    wrong
}
