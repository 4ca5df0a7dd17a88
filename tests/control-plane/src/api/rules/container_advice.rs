//! What a real server warns of in containers.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::Value;

use super::checks::{list, number, text};
use super::pod_advice;
use crate::schema::in_billionths;

const ALL: [&str; 3] = ["initContainers", "containers", "ephemeralContainers"];
pub(super) const IN_BYTES: [&str; 2] = ["memory", "ephemeral-storage"];

/// Of all containers of a pod, which is at `path`.
pub(super) fn advice(pod: &Value, path: &str) -> Vec<String> {
    let mut told = Vec::new();
    let all: Vec<(String, &Value)> = ALL
        .iter()
        .flat_map(|field| {
            let containers = list(&pod["spec"], field).iter().enumerate();
            containers
                .map(move |(index, container)| (format!("{path}spec.{field}[{index}]"), container))
        })
        .collect();
    for (at, container) in &all {
        told.extend(pod_advice::of_container(pod, container, path));
        for name in IN_BYTES {
            for kind in ["limits", "requests"] {
                let wanted = &container["resources"][kind];
                told.extend(in_parts(wanted, &format!("{at}.resources.{kind}"), &[name]));
            }
        }
        told.extend(hidden(list(container, "env"), &format!("{at}.env")));
    }
    told.extend(of_ports(&all));
    told.extend(of_port_names(&all));
    told
}

/// Those of the resources that are asked for in parts of bytes.
pub(super) fn in_parts(resources: &Value, path: &str, names: &[&str]) -> Vec<String> {
    let asked = names.iter().filter_map(|name| {
        let quantity = resources[*name].as_str()?;
        is_in_parts(quantity).then(|| {
            format!(
                "{path}[{name}]: fractional byte value {quantity:?} is invalid, must be an integer"
            )
        })
    });
    asked.collect()
}

/// Go counts in thousandths, in 64 bits: of what is more than these hold the rest is looked at (`9Pi`), or nothing where
/// it was written with a decimal suffix (`10P`).
fn is_in_parts(quantity: &str) -> bool {
    const THOUSANDTH: i128 = 1_000_000;
    let billionths = in_billionths(quantity).unwrap_or(0);
    let up = i128::from(billionths % THOUSANDTH > 0);
    let thousandths = billionths / THOUSANDTH + up;
    match i64::try_from(thousandths) {
        Ok(thousandths) => thousandths % 1_000 != 0,
        Err(_) if quantity.ends_with(|last: char| "kMGTPE".contains(last)) => false,
        Err(_) if quantity.contains(['e', 'E']) && !quantity.ends_with('i') => false,
        Err(_) => thousandths as i64 % 1_000 != 0,
    }
}

/// A variable that is there already, and is not made of what it was and of something else.
fn hidden(variables: &[Value], path: &str) -> Vec<String> {
    let mut seen = HashSet::new();
    let again = variables.iter().enumerate().filter(|(_, variable)| {
        let name = text(variable, "name");
        let is_known = !seen.insert(name);
        let (value, itself) = (text(variable, "value"), format!("$({name})"));
        is_known && (value == itself || !value.contains(&itself))
    });
    again
        .map(|(index, variable)| {
            format!(
                "{path}[{index}]: hides previous definition of {:?}, which may be dropped when using apply",
                text(variable, "name")
            )
        })
        .collect()
}

/// Nobody is told more: all that is told of a request is no longer than 4 KiB.
/// <https://github.com/kubernetes/apiserver/blob/v0.36.3/pkg/endpoints/filters/warning.go>
const MOST_TOLD: usize = 4096;

/// Ports that are there already, whatever they are called.
fn of_ports(containers: &[(String, &Value)]) -> Vec<String> {
    let mut told = Vec::new();
    let mut seen: HashMap<_, Vec<(String, &Value)>> = HashMap::new();
    for (path, container) in containers {
        for (index, port) in list(container, "ports").iter().enumerate() {
            let path = format!("{path}.ports[{index}]");
            if !text(port, "hostIP").is_empty() && number(port, "hostPort").unwrap_or(0) == 0 {
                let shown = shown(port);
                told.push(format!("{path}: hostIP set without hostPort: {shown}"));
            }
            let same = (number(port, "containerPort"), text(port, "protocol"));
            let same = seen.entry(same).or_default();
            let again = same.iter().filter_map(|(other, known)| {
                let how = like(port, known)?;
                Some(format!("{path}: {how} port definition with {other}"))
            });
            told.extend(again.take(MOST_TOLD.saturating_sub(told.len())));
            same.push((path, port));
        }
    }
    told
}

/// A port as Go prints it.
fn shown(port: &Value) -> String {
    format!(
        "{{Name:{} HostPort:{} ContainerPort:{} Protocol:{} HostIP:{}}}",
        text(port, "name"),
        number(port, "hostPort").unwrap_or(0),
        number(port, "containerPort").unwrap_or(0),
        text(port, "protocol"),
        text(port, "hostIP"),
    )
}

/// Names of ports that another has, too.
fn of_port_names(containers: &[(String, &Value)]) -> Vec<String> {
    let mut told = Vec::new();
    let mut seen = BTreeMap::new();
    for (path, container) in containers {
        for (index, port) in list(container, "ports").iter().enumerate() {
            let (name, path) = (text(port, "name"), format!("{path}.ports[{index}]"));
            match seen.get(name) {
                _ if name.is_empty() => {}
                Some(first) => told.push(format!(
                    "{path}: duplicate port name {name:?} with {first}, services and probes that select ports by name will \
                     use {first}"
                )),
                None => {
                    seen.insert(name, path);
                }
            }
        }
    }
    told
}

/// How two of the same number are alike.
fn like(one: &Value, other: &Value) -> Option<&'static str> {
    let (number, address) = (
        |port: &Value| number(port, "hostPort").unwrap_or(0),
        |port| text(port, "hostIP"),
    );
    let same_number = number(one) == number(other);
    match (number(one), number(other)) {
        _ if same_number && address(one) == address(other) => Some("duplicate"),
        (0, _) | (_, 0) => Some("overlapping"),
        _ if same_number && address(one).is_empty() != address(other).is_empty() => {
            Some("dangerously ambiguous")
        }
        _ => None,
    }
}
