//! The rules of claims of devices, and of their templates.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::checks::{self, list, number, one_of, one_of_if_said, text};
use super::devices::{
    EFFECTS, MOST, check_config, check_pool_name, check_selectors, each, each_once,
    fully_qualified, label, named, subdomain,
};
use super::{csi, names, placement};
use crate::api::Target;
use crate::failure::Cause;
use crate::kinds::namespace_bucket;
use crate::store::{Kept, Key};

const MOST_CHOICES: usize = 8;

/// The names of the requests of a claim, and of the choices that each has.
struct Requests<'c>(BTreeMap<&'c str, BTreeSet<&'c str>>);

/// What is wrong with what is claimed.
pub(super) fn check(spec: &Value, path: &str) -> Vec<Cause> {
    let (devices, path) = (&spec["devices"], format!("{path}.devices"));
    let known = Requests::of(devices);
    let requests = list(devices, "requests");
    let at = format!("{path}.requests");
    let mut wrong = each_once(requests, MOST, &at, named, check_request);
    let at = format!("{path}.constraints");
    let constraints = list(devices, "constraints");
    wrong.extend(each(constraints, MOST, &at, |constraint, path| {
        check_constraint(constraint, &known, path)
    }));
    let at = format!("{path}.config");
    let configs = list(devices, "config");
    wrong.extend(each(configs, MOST, &at, |config, path| {
        let mut wrong = known.check(config, path);
        wrong.extend(check_config(config, path));
        wrong
    }));
    wrong
}

/// Who reaches devices that others have does so in a namespace that is meant for it.
pub(super) fn check_admin_access(target: &Target, object: &Value) -> Option<Cause> {
    let spec = match target.resource.is("resource.k8s.io", "resourceclaims") {
        true => &object["spec"],
        false
            if target
                .resource
                .is("resource.k8s.io", "resourceclaimtemplates") =>
        {
            &object["spec"]["spec"]
        }
        false => return None,
    };
    let mut requests = list(&spec["devices"], "requests").iter();
    let at = requests.position(|request| request["exactly"]["adminAccess"] == true)?;
    let path = format!("spec.devices.requests[{at}].adminAccess");
    check_namespace(target, &path)
}

/// The same of what is allocated, where it was not allocated before.
pub(super) fn check_allocated_access(target: &Target, old: &Value, new: &Value) -> Option<Cause> {
    let is_status = target.is_status();
    if !target.resource.is("resource.k8s.io", "resourceclaims") || !is_status {
        return None;
    }
    let first = |claim: &Value| {
        let mut results = list(&claim["status"]["allocation"]["devices"], "results").iter();
        results.position(|result| result["adminAccess"] == true)
    };
    let at = first(new).filter(|_| first(old).is_none())?;
    let path = format!("status.allocation.devices.results[{at}].adminAccess");
    check_namespace(target, &path)
}

fn check_namespace(target: &Target, path: &str) -> Option<Cause> {
    const LABEL: &str = "resource.kubernetes.io/admin-access";
    let namespace = Key::new("", target.namespace.as_deref().unwrap_or_default());
    let namespace = target.plane.store.kept(&namespace_bucket(), &namespace);
    let is_meant = |kept: &Kept| kept.read()["metadata"]["labels"][LABEL] == "true";
    if namespace.is_some_and(|kept| is_meant(&kept)) {
        return None;
    }
    let why = format!(
        "admin access to devices requires the `{LABEL}: true` label on the containing namespace"
    );
    Some(Cause::forbidden(path, &why))
}

/// What is wrong with what was allocated to a claim.
pub(super) fn check_allocation(spec: &Value, allocation: &Value) -> Vec<Cause> {
    const PATH: &str = "status.allocation.devices";
    let known = Requests::of(&spec["devices"]);
    let devices = &allocation["devices"];
    let results = list(devices, "results");
    let mut wrong = each(results, MOST, &format!("{PATH}.results"), |result, path| {
        let at = |field: &str| format!("{path}.{field}");
        let mut wrong = known.check_one(text(result, "request"), &at("request"));
        wrong.extend(csi::check_name(text(result, "driver"), &at("driver")));
        wrong.extend(check_pool_name(text(result, "pool"), &at("pool")));
        wrong.extend(label(text(result, "device"), &at("device")));
        wrong
    });
    let configs = list(devices, "config");
    wrong.extend(each(
        configs,
        2 * MOST,
        &format!("{PATH}.config"),
        |config, path| {
            let source = text(config, "source");
            let at = format!("{path}.source");
            let source = match source {
                "" => Some(Cause::required(&at, "")),
                source => one_of(source, &at, &["FromClaim", "FromClass"]),
            };
            let mut wrong: Vec<Cause> = source.into_iter().collect();
            wrong.extend(known.check(config, path));
            wrong.extend(check_config(config, path));
            wrong
        },
    ));
    let nodes = &allocation["nodeSelector"];
    if !nodes.is_null() {
        wrong.extend(placement::check_nodes(
            nodes,
            "status.allocation.nodeSelector",
        ));
    }
    wrong
}

/// What is wrong with what claims are made of.
pub(super) fn check_template(spec: &Value) -> Vec<Cause> {
    let mut wrong = checks::template_metadata(&spec["metadata"], "spec.metadata");
    wrong.extend(check(&spec["spec"], "spec.spec"));
    wrong
}

fn check_request(request: &Value, path: &str) -> Vec<Cause> {
    const ONE: &str = "exactly one of `exactly` or `firstAvailable` is required";
    let mut wrong: Vec<Cause> = label(text(request, "name"), &format!("{path}.name"))
        .into_iter()
        .collect();
    let (exactly, choices) = (&request["exactly"], list(request, "firstAvailable"));
    match (exactly.is_null(), choices.is_empty()) {
        (true, true) => wrong.push(Cause::required(path, ONE)),
        (false, false) => {
            let why = format!("{ONE}, but multiple fields are set");
            wrong.push(Cause::invalid(path, &Value::Null, &why));
        }
        (false, true) => wrong.extend(check_wanted(exactly, &format!("{path}.exactly"))),
        (true, false) => {
            let at = format!("{path}.firstAvailable");
            let check = |choice: &Value, path: &str| {
                let name = label(text(choice, "name"), &format!("{path}.name"));
                let mut wrong: Vec<Cause> = name.into_iter().collect();
                wrong.extend(check_wanted(choice, path));
                wrong
            };
            wrong.extend(each_once(choices, MOST_CHOICES, &at, named, check));
        }
    }
    wrong
}

/// What is wrong with which devices are wanted, and how many.
fn check_wanted(wanted: &Value, path: &str) -> Vec<Cause> {
    let at = |field: &str| format!("{path}.{field}");
    let class = text(wanted, "deviceClassName");
    let of_class = match class {
        "" => Some(Cause::required(&at("deviceClassName"), "")),
        class => subdomain(class, &at("deviceClassName")),
    };
    let mut wrong: Vec<Cause> = of_class.into_iter().collect();
    wrong.extend(check_selectors(list(wanted, "selectors"), &at("selectors")));
    let count = number(wanted, "count").unwrap_or(0);
    let miscounted = |why: &str| Some(Cause::invalid(&at("count"), &count.into(), why));
    wrong.extend(match text(wanted, "allocationMode") {
        "All" if count != 0 => miscounted("must not be specified when allocationMode is 'All'"),
        "ExactCount" if count <= 0 => miscounted("must be greater than zero"),
        mode => one_of(mode, &at("allocationMode"), &["All", "ExactCount"]),
    });
    for (index, toleration) in list(wanted, "tolerations").iter().enumerate() {
        wrong.extend(check_toleration(
            toleration,
            &at(&format!("tolerations[{index}]")),
        ));
    }
    wrong
}

fn check_toleration(toleration: &Value, path: &str) -> Vec<Cause> {
    let at = |field: &str| format!("{path}.{field}");
    let (key, value) = (text(toleration, "key"), text(toleration, "value"));
    let invalid =
        |field: &str, value: &str, why: &str| Cause::invalid(&at(field), &value.into(), why);
    let mut wrong = Vec::new();
    if !key.is_empty() {
        let reasons = names::qualified(key);
        wrong.extend(reasons.iter().map(|why| invalid("key", key, why)));
    }
    wrong.extend(match text(toleration, "operator") {
        "Exists" if !value.is_empty() => {
            let why = "must be empty for operator `Exists`";
            Some(invalid("value", value, why))
        }
        "Exists" => None,
        "Equal" => names::label_value(value).map(|why| invalid("value", value, why)),
        "" => Some(Cause::required(&at("operator"), "")),
        operator => one_of(operator, &at("operator"), &["Equal", "Exists"]),
    });
    wrong.extend(one_of_if_said(
        &toleration["effect"],
        &at("effect"),
        &EFFECTS,
    ));
    wrong
}

fn check_constraint(constraint: &Value, known: &Requests<'_>, path: &str) -> Vec<Cause> {
    let mut wrong = known.check(constraint, path);
    let fields = ["matchAttribute", "distinctAttribute"];
    let mut said = fields
        .iter()
        .filter_map(|field| Some((field, constraint[*field].as_str()?)));
    wrong.extend(match said.next() {
        Some((field, name)) => fully_qualified(name, &format!("{path}.{field}")),
        None => {
            let why = "exactly one of \"matchAttribute\" or \"distinctAttribute\" is required, but multiple fields are set";
            vec![Cause::required(path, why)]
        }
    });
    wrong
}

impl<'c> Requests<'c> {
    fn of(devices: &'c Value) -> Self {
        let requests = list(devices, "requests").iter();
        Self(
            requests
                .map(|request| {
                    let choices = list(request, "firstAvailable").iter().map(named);
                    (named(request), choices.collect())
                })
                .collect(),
        )
    }

    /// What is wrong with the requests that something is about.
    fn check(&self, of: &Value, path: &str) -> Vec<Cause> {
        let requests = list(of, "requests");
        let name =
            |request: &'_ Value| -> String { request.as_str().unwrap_or_default().to_owned() };
        let path = format!("{path}.requests");
        let mut wrong = each(requests, MOST, &path, |request, path| {
            self.check_one(&name(request), path)
        });
        let mut seen = BTreeSet::new();
        for (index, request) in requests.iter().enumerate() {
            if requests.len() <= MOST && !seen.insert(name(request)) {
                wrong.push(Cause::duplicate(&format!("{path}[{index}]"), request));
            }
        }
        wrong
    }

    fn check_one(&self, name: &str, path: &str) -> Vec<Cause> {
        let unknown = || {
            let why = "must be the name of a request in the claim or the name of a request and a subrequest \
                       separated by '/'";
            Cause::invalid(path, &name.into(), why)
        };
        let parts: Vec<&str> = name.split('/').collect();
        let is_known = match parts[..] {
            [request] => self.0.contains_key(request),
            [request, choice] => {
                let choices = self.0.get(request);
                choices.is_some_and(|choices| choices.contains(choice))
            }
            _ => return vec![unknown()],
        };
        let mut wrong: Vec<Cause> = parts.iter().filter_map(|part| label(part, path)).collect();
        if !is_known {
            wrong.push(unknown());
        }
        wrong
    }
}
