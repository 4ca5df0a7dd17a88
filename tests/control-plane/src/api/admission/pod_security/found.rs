//! What is told of pods that do what they may not.

use serde_json::Value;

/// What one check has found.
pub(super) struct Found {
    pub(super) reason: String,
    pub(super) detail: String,
}

impl Found {
    pub(super) fn new(reason: &str, detail: String) -> Option<Self> {
        let reason = reason.to_owned();
        Some(Self { reason, detail })
    }
}

/// All that was found, in short.
pub(super) fn reasons(found: &[Found]) -> String {
    let reasons: Vec<&str> = found.iter().map(|found| &*found.reason).collect();
    reasons.join(", ")
}

/// All that was found, and where.
pub(super) fn details(found: &[Found]) -> String {
    let details = found.iter();
    let details: Vec<String> = details
        .map(|found| format!("{} ({})", found.reason, found.detail))
        .collect();
    details.join(", ")
}

/// All containers of a pod, those first that run first.
pub(super) fn containers(spec: &Value) -> impl Iterator<Item = &Value> {
    let lists = ["initContainers", "containers", "ephemeralContainers"];
    lists
        .into_iter()
        .flat_map(|list| spec[list].as_array().into_iter().flatten())
}

/// The names of the containers of which this is so.
pub(super) fn containers_that<'a>(
    spec: &'a Value,
    is_so: impl Fn(&'a Value) -> bool,
) -> Vec<&'a str> {
    let found = containers(spec).filter(|container| is_so(container));
    found.map(name).collect()
}

pub(super) fn name(named: &Value) -> &str {
    named["name"].as_str().unwrap_or_default()
}

pub(super) fn text<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value.pointer(pointer)?.as_str()
}

/// `container "a"`, or `containers "a", "b"`.
pub(super) fn counted(what: &str, names: &[&str]) -> String {
    format!("{} {}", plural(what, names.len()), quoted(names))
}

pub(super) fn plural(what: &str, count: usize) -> String {
    match count {
        1 => what.to_owned(),
        _ => format!("{what}s"),
    }
}

pub(super) fn quoted(names: &[impl AsRef<str>]) -> String {
    let names = names.iter().map(|name| format!("\"{}\"", name.as_ref()));
    names.collect::<Vec<_>>().join(", ")
}

/// In order, and each once.
pub(super) fn sorted<T: Ord>(mut values: Vec<T>) -> Vec<T> {
    values.sort();
    values.dedup();
    values
}

/// What in a pod sets something: itself, some of its containers, or both.
pub(super) fn setters(pod: bool, names: &[&str]) -> Option<String> {
    let of_containers = || counted("container", names);
    match (pod, names.is_empty()) {
        (false, true) => None,
        (true, true) => Some("pod".to_owned()),
        (false, false) => Some(of_containers()),
        (true, false) => Some(format!("pod and {}", of_containers())),
    }
}
