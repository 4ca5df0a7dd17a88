//! Subresources of which the answer is a node's: the control plane has none that answers, and says so as far as a
//! real one does before it asks.

use http::{Method, Response, StatusCode};
use serde_json::{Value, json};

use super::read::number;
use super::target::Target;
use super::{Asked, response};
use crate::auth::Attributes;
use crate::failure::{Cause, Failure};
use crate::kinds::Resource;
use crate::object;
use crate::serve::Body;
use crate::store::{Bucket, Key};

/// A subresource, what is asked of it, and with which verbs.
pub(super) struct Asks {
    pub(super) subresource: &'static str,
    /// None where it is the kind of the object.
    pub(super) options: Option<&'static str>,
    pub(super) verbs: &'static [&'static str],
}

const ANY: &[&str] = &["create", "delete", "get", "patch", "update"];
const STREAM: &[&str] = &["create", "get"];

const fn asks(
    subresource: &'static str,
    options: &'static str,
    verbs: &'static [&'static str],
) -> Asks {
    Asks {
        subresource,
        options: Some(options),
        verbs,
    }
}

const OF_PODS: &[Asks] = &[
    asks("attach", "PodAttachOptions", STREAM),
    asks("exec", "PodExecOptions", STREAM),
    Asks {
        subresource: "log",
        options: None,
        verbs: &["get"],
    },
    asks("portforward", "PodPortForwardOptions", STREAM),
    asks("proxy", "PodProxyOptions", ANY),
];
const OF_SERVICES: &[Asks] = &[asks("proxy", "ServiceProxyOptions", ANY)];
const OF_NODES: &[Asks] = &[asks("proxy", "NodeProxyOptions", ANY)];

/// What of a resource is a node's to answer.
pub(super) fn of(resource: &Resource) -> &'static [Asks] {
    match (&*resource.group, &*resource.plural) {
        ("", "pods") => OF_PODS,
        ("", "services") => OF_SERVICES,
        ("", "nodes") => OF_NODES,
        _ => &[],
    }
}

/// The subresource that a path means; of a proxy it goes on with the path there.
pub(super) fn asked_for(resource: &Resource, subresource: &str) -> Option<&'static Asks> {
    let name = match subresource.split_once('/') {
        Some(("proxy", _)) => "proxy",
        _ => subresource,
    };
    of(resource).iter().find(|asks| asks.subresource == name)
}

pub(super) fn answer(
    target: &Target,
    name: &str,
    asks: &Asks,
    asked: &Asked,
) -> Result<Response<Body>, Failure> {
    let verb = match asked.method {
        Method::GET => "get",
        Method::HEAD | Method::OPTIONS if asks.subresource == "proxy" => "get",
        Method::POST => "create",
        Method::PUT => "update",
        Method::PATCH => "patch",
        Method::DELETE => "delete",
        _ => return Err(Failure::method_not_allowed()),
    };
    if !asks.verbs.contains(&verb) {
        return Err(Failure::method_not_allowed());
    }
    if asks.subresource == "log" {
        check_log_options(asked, name)?;
    } else if asked.query.raw("dryRun").is_some() {
        return Err(Failure::bad_request("dryRun is not supported"));
    }
    if asks.verbs == STREAM {
        require_creation(target, name, asks.subresource)?;
    }
    let said = name;
    let (name, port) = match asks.subresource {
        "proxy" => proxied(target, name)?,
        _ => (name, ""),
    };
    if &*target.resource.plural == "services" {
        return Err(no_endpoints(target, name, port, said));
    }
    let object = target.plane.store.get(target.bucket(), &target.key(name));
    let Some(object) = object else {
        return Err(Failure::not_found(&target.resource, name));
    };
    match (&*target.resource.plural, asks.subresource) {
        ("pods", "proxy") => Err(Failure::bad_request("address not allowed")),
        ("nodes", _) => Err(unreachable(&object)),
        (_, subresource) => of_pod(target, &object, subresource, asked),
    }
}

/// Who opens a stream to a pod may create it, however it is asked for: a browser can only get.
fn require_creation(target: &Target, name: &str, subresource: &str) -> Result<(), Failure> {
    let creates = Attributes {
        verb: "create".to_owned(),
        resource: target.resource.plural.to_string(),
        subresource: subresource.to_owned(),
        namespace: target.namespace.clone().unwrap_or_default(),
        name: name.to_owned(),
        ..Attributes::default()
    };
    match target.caller.may(&creates) {
        true => Ok(()),
        false => Err(Failure::forbidden(&target.resource, name, "")),
    }
}

/// The name and the port in `scheme:name:port`, of which the name alone has to be there.
fn proxied<'a>(target: &Target, said: &'a str) -> Result<(&'a str, &'a str), Failure> {
    let parts: Vec<&str> = said.split(':').collect();
    let (scheme, name, port) = match parts[..] {
        [name] => ("", name, ""),
        [name, port] => ("", name, port),
        [scheme, name, port] => (scheme, name, port),
        _ => ("", "", ""),
    };
    if name.is_empty() || !["", "http", "https"].contains(&scheme) {
        let kind = target.resource.kind.to_lowercase();
        let why = format!("invalid {kind} request {said:?}");
        return Err(Failure::bad_request(why));
    }
    Ok((name, port))
}

/// Without pods that run nothing answers behind a Service. It is looked at itself only for the name of a port, and else at
/// its endpoints; `said` is what the path calls it.
fn no_endpoints(target: &Target, name: &str, port: &str, said: &str) -> Failure {
    let unavailable =
        |why: String| Failure::new(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable", why);
    let not_found = || Failure::not_found(&target.resource, name);
    let (store, key) = (&target.plane.store, target.key(name));
    if let Ok(number) = port.parse::<i64>() {
        let Some(service) = store.get(target.bucket(), &key) else {
            return not_found();
        };
        let ports = service.pointer("/spec/ports").and_then(Value::as_array);
        let mut ports = ports.into_iter().flatten();
        if !ports.any(|known| known["port"] == number) {
            let why = format!("no service port {number} found for service {name:?}");
            return unavailable(why);
        }
    }
    let bucket = Bucket {
        group: "".into(),
        plural: "endpoints".into(),
    };
    let Some(endpoints) = store.get(&bucket, &key) else {
        return not_found();
    };
    let subsets = endpoints.get("subsets").and_then(Value::as_array);
    let called = if subsets.is_none_or(Vec::is_empty) {
        name
    } else {
        said
    };
    unavailable(format!("no endpoints available for service {called:?}"))
}

/// The node of a pod is asked, once it is sure which one, and about which container.
fn of_pod(
    target: &Target,
    pod: &Value,
    subresource: &str,
    asked: &Asked,
) -> Result<Response<Body>, Failure> {
    let name = object::name(pod);
    if subresource != "portforward" {
        check_container(pod, asked.query.get("container"))?;
    }
    let node = pod.pointer("/spec/nodeName").and_then(Value::as_str);
    let Some(node) = node.filter(|node| !node.is_empty()) else {
        return if subresource == "log" {
            Ok(response::nothing(StatusCode::NO_CONTENT))
        } else {
            let why = format!("pod {name} does not have a host assigned");
            Err(Failure::bad_request(why))
        };
    };
    let nodes = Bucket {
        group: "".into(),
        plural: "nodes".into(),
    };
    match target.plane.store.get(&nodes, &Key::new("", node)) {
        Some(node) => Err(unreachable(&node)),
        // It is the pod's kind that it names.
        None => Err(Failure::not_found(&target.resource, node)),
    }
}

fn check_container(pod: &Value, wanted: Option<&str>) -> Result<(), Failure> {
    let of = |list: &str| {
        let containers = pod.pointer(list).and_then(Value::as_array);
        let containers = containers.into_iter().flatten();
        let names = containers.filter_map(|container| container.get("name")?.as_str());
        names.collect::<Vec<_>>()
    };
    let all = [
        of("/spec/initContainers"),
        of("/spec/containers"),
        of("/spec/ephemeralContainers"),
    ]
    .concat();
    let name = object::name(pod);
    match wanted {
        Some(wanted) if all.contains(&wanted) => Ok(()),
        Some(wanted) => Err(Failure::bad_request(format!(
            "container {wanted} is not valid for pod {name}"
        ))),
        None if of("/spec/containers").len() == 1 => Ok(()),
        None => Err(Failure::bad_request(format!(
            "a container name must be specified for pod {name}, choose one of: [{}]",
            all.join(" ")
        ))),
    }
}

fn unreachable(node: &Value) -> Failure {
    let addresses = node.pointer("/status/addresses").and_then(Value::as_array);
    let address = addresses
        .and_then(|addresses| addresses.first()?.get("address")?.as_str())
        .unwrap_or_default();
    let why = if address.is_empty() {
        "no preferred addresses found; known addresses: []".to_owned()
    } else {
        format!("dial tcp {address}:10250: connect: connection refused")
    };
    Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "", why)
}

fn check_log_options(asked: &Asked, name: &str) -> Result<(), Failure> {
    let mut wrong = Vec::new();
    let is_twice =
        number(asked, "sinceSeconds")?.is_some() && asked.query.get("sinceTime").is_some();
    for (option, least, why) in [
        ("tailLines", 0, "must be greater than or equal to 0"),
        ("limitBytes", 1, "must be greater than 0"),
        ("sinceSeconds", 1, "must be greater than 0"),
    ] {
        if is_twice && option == "sinceSeconds" {
            let why = "at most one of `sinceTime` or `sinceSeconds` may be specified";
            wrong.push(Cause::forbidden("", why));
        } else if let Some(value) = number(asked, option)?.filter(|value| *value < least) {
            wrong.push(Cause::invalid(option, &json!(value), why));
        }
    }
    if wrong.is_empty() {
        return Ok(());
    }
    Err(Failure::invalid("", "PodLogOptions", name, wrong))
}
