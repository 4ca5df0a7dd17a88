//! The rules of volumes that outlive pods.

use serde_json::{Map, Value, json};

use super::checks::{list, one_of_if_said, one_of_if_there, text};
use super::storage::{VOLUME_MODES, check_modes};
use super::volume_sources::{self, Volume};
use super::{names, placement};
use crate::failure::Cause;
use crate::object;
use crate::schema::in_billionths;

const RECLAIMS: [&str; 3] = ["Delete", "Recycle", "Retain"];
/// What a volume may be made of, in the order in which a server looks.
const SOURCES: [&str; 22] = [
    "hostPath",
    "gcePersistentDisk",
    "awsElasticBlockStore",
    "glusterfs",
    "flocker",
    "nfs",
    "rbd",
    "quobyte",
    "cephfs",
    "iscsi",
    "cinder",
    "fc",
    "flexVolume",
    "azureFile",
    "vsphereVolume",
    "photonPersistentDisk",
    "portworxVolume",
    "azureDisk",
    "scaleIO",
    "local",
    "storageos",
    "csi",
];

pub(super) fn check(volume: &Value) -> Vec<Cause> {
    let spec = &volume["spec"];
    let mut wrong = check_all_modes(spec, "spec");
    wrong.extend(check_capacity(&spec["capacity"]));
    wrong.extend(one_of_if_said(
        &spec["persistentVolumeReclaimPolicy"],
        "spec.persistentVolumeReclaimPolicy",
        &RECLAIMS,
    ));
    let affinity = &spec["nodeAffinity"];
    if !affinity.is_null() {
        const PATH: &str = "spec.nodeAffinity.required";
        match &affinity["required"] {
            Value::Null => wrong.push(Cause::required(
                PATH,
                "must specify required node constraints",
            )),
            required => wrong.extend(placement::check_nodes(required, PATH)),
        }
    }
    wrong.extend(check_source(spec, "spec", object::name(volume)));
    let class = text(spec, "storageClassName");
    if !class.is_empty() {
        let why = names::subdomain(class);
        wrong.extend(why.map(|why| Cause::invalid("spec.storageClassName", &class.into(), why)));
    }
    wrong.extend(one_of_if_there(spec, "volumeMode", "spec", &VOLUME_MODES));
    wrong.extend(check_attributes_class(spec));
    wrong
}

/// What is wrong with a volume that is said where it is attached: it is a driver's, and nobody else's.
pub(super) fn check_inline(spec: &Value, path: &str) -> Vec<Cause> {
    const WHY: &str = "may not be specified in the context of inline volumes";
    let at = |field: &str| format!("{path}.{field}");
    let is_said = |field: &str| match &spec[field] {
        Value::Object(fields) if field == "capacity" => !fields.is_empty(),
        Value::String(text) => !text.is_empty(),
        value => !value.is_null(),
    };
    let unfit = |field: &str| is_said(field).then(|| Cause::forbidden(&at(field), WHY));
    let mut wrong: Vec<Cause> = ["claimRef", "capacity"]
        .into_iter()
        .filter_map(unfit)
        .collect();
    if spec["csi"].is_null() {
        let why = "has to be specified in the context of inline volumes";
        wrong.push(Cause::required(&at("csi"), why));
    }
    wrong.extend(check_all_modes(spec, path));
    let reclaim = text(spec, "persistentVolumeReclaimPolicy");
    if !["", "Retain"].contains(&reclaim) {
        let why = "may only be Retain in the context of inline volumes";
        wrong.push(Cause::forbidden(&at("persistentVolumeReclaimPolicy"), why));
    }
    wrong.extend(unfit("nodeAffinity"));
    wrong.extend(check_source(spec, path, ""));
    wrong.extend(unfit("storageClassName"));
    let mode = &spec["volumeMode"];
    if !mode.is_null() && mode != "Filesystem" {
        let why =
            "may not specify volumeMode other than Filesystem in the context of inline volumes";
        wrong.push(Cause::forbidden(&at("volumeMode"), why));
    }
    wrong
}

fn check_all_modes(spec: &Value, path: &str) -> Vec<Cause> {
    let path = format!("{path}.accessModes");
    let modes = list(spec, "accessModes");
    let missing = modes.is_empty().then(|| Cause::required(&path, ""));
    missing
        .into_iter()
        .chain(check_modes(modes, &path))
        .collect()
}

fn check_attributes_class(spec: &Value) -> Vec<Cause> {
    const PATH: &str = "spec.volumeAttributesClassName";
    let Some(class) = spec["volumeAttributesClassName"].as_str() else {
        return Vec::new();
    };
    let mut wrong = Vec::new();
    match class {
        "" => wrong.push(Cause::required(PATH, "an empty string is disallowed")),
        class => {
            let why = names::subdomain(class);
            wrong.extend(why.map(|why| Cause::invalid(PATH, &class.into(), why)));
        }
    }
    if spec["csi"].is_null() {
        let why = "has to be specified when using volumeAttributesClassName";
        wrong.push(Cause::required("spec.csi", why));
    }
    wrong
}

fn check_capacity(capacity: &Value) -> Vec<Cause> {
    const PATH: &str = "spec.capacity";
    let none = Map::new();
    let all = capacity.as_object().unwrap_or(&none);
    let mut wrong = Vec::new();
    if all.is_empty() {
        wrong.push(Cause::required(PATH, ""));
    }
    if !all.contains_key("storage") || all.len() > 1 {
        wrong.push(Cause::unsupported(PATH, capacity, r#""storage""#));
    }
    for (name, quantity) in all {
        let path = format!("{PATH}[{name}]");
        let amount = quantity.as_str().and_then(in_billionths).unwrap_or(0);
        if amount < 0 {
            // Shown as a whole number, and no nearer to zero.
            let whole = (amount - 999_999_999) / 1_000_000_000;
            let why = "must be a valid resource quantity";
            wrong.push(Cause::invalid(&path, &json!(whole as i64), why));
        }
        if amount <= 0 {
            wrong.push(Cause::invalid(&path, quantity, "must be greater than zero"));
        }
    }
    wrong
}

/// What a volume is made of is one thing.
fn check_source(spec: &Value, path: &str, name: &str) -> Vec<Cause> {
    const ONE_SOURCE: &str = "may not specify more than 1 volume type";
    let at = |field: &str| format!("{path}.{field}");
    let volume = Volume {
        name,
        outlives: true,
    };
    let mut wrong = Vec::new();
    let said = SOURCES.iter().filter(|kind| !spec[**kind].is_null());
    let mut is_first = true;
    for kind in said {
        let called = match *kind {
            "cephfs" => "cephFS",
            kind => kind,
        };
        // Of one kind it is not asked whether there is another.
        if is_first || *kind == "flexVolume" {
            let path = at(volume_sources::called(kind));
            wrong.extend(volume_sources::check(kind, &spec[*kind], &path, volume));
            if *kind == "local" && spec["nodeAffinity"].is_null() {
                let why = "Local volume requires node affinity";
                wrong.push(Cause::required(&at("nodeAffinity"), why));
            }
        } else {
            wrong.push(Cause::forbidden(&at(called), ONE_SOURCE));
        }
        is_first = false;
    }
    if is_first {
        wrong.push(Cause::required(path, "must specify a volume type"));
    }
    let host = text(&spec["hostPath"], "path");
    let is_root = host.starts_with('/') && is_same_directory(host);
    if is_root && spec["persistentVolumeReclaimPolicy"] == "Recycle" {
        let why = "may not be 'recycle' for a hostPath mount of '/'";
        wrong.push(Cause::forbidden(&at("persistentVolumeReclaimPolicy"), why));
    }
    wrong
}

/// Whether the steps of a path lead nowhere.
fn is_same_directory(path: &str) -> bool {
    let mut depth = 0_usize;
    for step in path.split('/') {
        match step {
            "" | "." => {}
            ".." => depth = depth.saturating_sub(1),
            _ => depth += 1,
        }
    }
    depth == 0
}
