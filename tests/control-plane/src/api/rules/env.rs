//! The variables of containers, and what tells of a pod.

use std::collections::HashMap;

use serde_json::Value;

use super::checks::{list, one_of, text};
use super::{names, volumes, windows};
use crate::failure::Cause;
use crate::schema::in_billionths;

const OF_VARIABLES: [&str; 9] = [
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
];
/// What files may tell of a pod.
pub(super) const OF_FILES: [&str; 5] = [
    "metadata.annotations",
    "metadata.labels",
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
];
/// What there is to be told, though not everywhere.
const TOLD: [&str; 6] = [
    "metadata.annotations",
    "metadata.labels",
    "spec.host",
    "spec.restartPolicy",
    "spec.schedulerName",
    "status.phase",
];
const RESOURCES: [&str; 6] = [
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
];
const NO_NAME: &str = "a valid environment variable name must consist only of printable ASCII characters other than '='";
const SOURCES: &str = "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or \
    `fileKeyRef`";
const TOO_MANY: &str = "may not have more than one field specified at a time";

pub(super) fn check(container: &Value, path: &str) -> Vec<Cause> {
    let mut wrong = Vec::new();
    for (index, variable) in list(container, "env").iter().enumerate() {
        let path = format!("{path}.env[{index}]");
        let name = text(variable, "name");
        match name {
            "" => wrong.push(Cause::required(&format!("{path}.name"), "")),
            name => wrong.extend(check_name(name, &format!("{path}.name"))),
        }
        if variable["valueFrom"].is_object() {
            wrong.extend(check_source(variable, &format!("{path}.valueFrom")));
        }
    }
    let from = format!("{path}.envFrom");
    for (index, source) in list(container, "envFrom").iter().enumerate() {
        let path = format!("{from}[{index}]");
        wrong.extend(check_name(
            text(source, "prefix"),
            &format!("{path}.prefix"),
        ));
        let mut sources = 0;
        for field in ["configMapRef", "secretRef"] {
            if source[field].is_object() {
                sources += 1;
                wrong.extend(check_object(
                    text(&source[field], "name"),
                    &format!("{path}.{field}.name"),
                ));
            }
        }
        let why = match sources {
            0 => "must specify one of: `configMapRef` or `secretRef`",
            1 => continue,
            _ => TOO_MANY,
        };
        wrong.push(Cause::invalid(&from, &"".into(), why));
    }
    wrong
}

fn check_name(name: &str, path: &str) -> Option<Cause> {
    let is_name = name.chars().all(|c| (' '..='~').contains(&c) && c != '=');
    (!is_name).then(|| Cause::invalid(path, &name.into(), NO_NAME))
}

fn check_object(name: &str, path: &str) -> Option<Cause> {
    if name.is_empty() {
        return Some(Cause::required(path, ""));
    }
    names::subdomain(name).map(|why| Cause::invalid(path, &name.into(), why))
}

fn check_source(variable: &Value, path: &str) -> Vec<Cause> {
    let source = &variable["valueFrom"];
    let mut wrong = Vec::new();
    let mut sources = 0;
    for kind in [
        "fieldRef",
        "resourceFieldRef",
        "configMapKeyRef",
        "secretKeyRef",
        "fileKeyRef",
    ] {
        let (source, path) = (&source[kind], format!("{path}.{kind}"));
        if source.is_null() {
            continue;
        }
        sources += 1;
        match kind {
            "fieldRef" => wrong.extend(check_field(source, &OF_VARIABLES, &path)),
            "resourceFieldRef" => wrong.extend(check_resource(source, false, &path)),
            "configMapKeyRef" | "secretKeyRef" => wrong.extend(check_key(source, &path)),
            _ => wrong.extend(check_file_key(source, &path)),
        }
    }
    let why = match sources {
        0 => SOURCES,
        _ if !text(variable, "value").is_empty() => {
            "may not be specified when `value` is not empty"
        }
        1 => return wrong,
        _ => TOO_MANY,
    };
    wrong.push(Cause::invalid(path, &"".into(), why));
    wrong
}

fn check_key(source: &Value, path: &str) -> Vec<Cause> {
    let (name, key) = (text(source, "name"), text(source, "key"));
    let why = names::subdomain(name);
    let field = format!("{path}.name");
    let mut wrong: Vec<Cause> = why
        .map(|why| Cause::invalid(&field, &name.into(), why))
        .into_iter()
        .collect();
    let field = format!("{path}.key");
    match key {
        "" => wrong.push(Cause::required(&field, "")),
        key => {
            let reasons = names::config_key(key).into_iter();
            wrong.extend(reasons.map(|why| Cause::invalid(&field, &key.into(), why)));
        }
    }
    wrong
}

/// A variable that comes of a file in a volume.
fn check_file_key(source: &Value, path: &str) -> Vec<Cause> {
    let fields = ["key", "volumeName", "path"].into_iter();
    fields
        .filter_map(|field| {
            let (said, path) = (text(source, field), format!("{path}.{field}"));
            match (field, said) {
                (_, "") => Some(Cause::required(&path, "")),
                ("key", key) => check_name(key, &path),
                ("path", way) => volumes::no_steps_back(way, &path),
                (_, name) => names::label(name).map(|why| Cause::invalid(&path, &name.into(), why)),
            }
        })
        .collect()
}

/// What is wrong with the volumes of such files: they are in directories that are empty at first.
pub(super) fn check_volumes_of_files(spec: &Value, path: &str) -> Vec<Cause> {
    let volumes = list(spec, "volumes").iter();
    let volumes = volumes.map(|volume| (text(volume, "name"), volume));
    // The last of each name.
    let volumes: HashMap<&str, &Value> = volumes.collect();
    let mut wrong = Vec::new();
    for (path, container) in windows::containers(spec, path) {
        for (index, variable) in list(container, "env").iter().enumerate() {
            let source = &variable["valueFrom"]["fileKeyRef"];
            if source.is_null() {
                continue;
            }
            let name = text(source, "volumeName");
            let path = format!("{path}.env[{index}].valueFrom.fileKeyRef.volumeName");
            match volumes.get(name) {
                None => wrong.push(volumes::not_found(&path, name)),
                Some(volume) if volume["emptyDir"].is_null() => {
                    let why = "referenced volume must be of type emptyDir";
                    wrong.push(Cause::invalid(&path, &name.into(), why));
                }
                Some(_) => {}
            }
        }
    }
    wrong
}

/// A field of a pod that is told to those in it.
pub(super) fn check_field(field: &Value, known: &[&str], path: &str) -> Vec<Cause> {
    let said = text(field, "fieldPath");
    let at = format!("{path}.fieldPath");
    let subscripted = said
        .strip_suffix("']")
        .and_then(|said| said.split_once("['"));
    if let Some((map, key)) = subscripted {
        let key = match map {
            "metadata.annotations" => key.to_lowercase(),
            "metadata.labels" => key.to_owned(),
            _ => {
                let why = format!(
                    "error converting fieldPath: field label does not support subscript: {said}"
                );
                return vec![Cause::invalid(&at, &said.into(), &why)];
            }
        };
        let reasons = names::qualified(&key).into_iter();
        return reasons
            .map(|why| Cause::invalid(path, &key.as_str().into(), &why))
            .collect();
    }
    let cause = if said.is_empty() {
        Cause::required(&at, "")
    } else if known.contains(&said) {
        return Vec::new();
    } else if OF_VARIABLES.contains(&said) || TOLD.contains(&said) {
        // One field has two names.
        let said = if said == "spec.host" {
            "spec.nodeName"
        } else {
            said
        };
        return one_of(said, &at, known).into_iter().collect();
    } else {
        let why = format!("error converting fieldPath: field label not supported: {said}");
        Cause::invalid(&at, &said.into(), &why)
    };
    vec![cause]
}

/// A resource of a container that is told to it.
pub(super) fn check_resource(source: &Value, of_any: bool, path: &str) -> Vec<Cause> {
    let (container, resource) = (text(source, "containerName"), text(source, "resource"));
    let at = |field: &str| format!("{path}.{field}");
    let is_huge = ["limits.hugepages-", "requests.hugepages-"]
        .iter()
        .any(|prefix| resource.starts_with(prefix));
    let wrong = if of_any && container.is_empty() {
        Some(Cause::required(&at("containerName"), ""))
    } else if resource.is_empty() {
        Some(Cause::required(&at("resource"), ""))
    } else if is_huge {
        None
    } else {
        one_of(resource, &at("resource"), &RESOURCES)
    };
    let unfit = unfit_divisor(resource, text(source, "divisor"));
    let unfit = unfit.map(|why| Cause::invalid(&at("divisor"), &resource.into(), &why));
    wrong.into_iter().chain(unfit).collect()
}

/// Why the amount of a resource is not told in a unit.
fn unfit_divisor(resource: &str, divisor: &str) -> Option<String> {
    const OF_BYTES: [&str; 13] = [
        "1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei",
    ];
    let (_, name) = resource.split_once('.')?;
    let (known, listed, of): (&[&str], _, _) = match name {
        "cpu" => (&["1m", "1"], "1m and 1".to_owned(), "cpu"),
        "memory" => (&OF_BYTES, OF_BYTES.join(", "), "memory"),
        "ephemeral-storage" => (&OF_BYTES, OF_BYTES.join(", "), "local ephemeral storage"),
        name if name.starts_with("hugepages-") => (&OF_BYTES, OF_BYTES.join(", "), "hugepages"),
        _ => return None,
    };
    let is_unset = in_billionths(divisor).is_none_or(|amount| amount == 0);
    if is_unset || known.contains(&divisor) {
        return None;
    }
    Some(format!(
        "only divisor's values {listed} are supported with the {of} resource"
    ))
}
