//! The rules of volumes that outlive pods.

use serde_json::{Map, Value};

use super::checks::{list, one_of_if_said, text};
use super::storage::{NO_SOURCE, VOLUME_MODES, check_modes};
use super::{names, placement};
use crate::failure::Cause;
use crate::schema::in_billionths;

const RECLAIMS: [&str; 3] = ["Delete", "Recycle", "Retain"];

pub(super) fn check(volume: &Value) -> Vec<Cause> {
    let spec = &volume["spec"];
    let mut wrong = Vec::new();
    let modes = list(spec, "accessModes");
    if modes.is_empty() {
        wrong.push(Cause::required("spec.accessModes", ""));
    }
    wrong.extend(check_modes(modes, "spec.accessModes"));
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
    wrong.extend(check_source(spec));
    let class = text(spec, "storageClassName");
    if !class.is_empty() {
        let why = names::subdomain(class);
        wrong.extend(why.map(|why| Cause::invalid("spec.storageClassName", &class.into(), why)));
    }
    wrong.extend(one_of_if_said(
        &spec["volumeMode"],
        "spec.volumeMode",
        &VOLUME_MODES,
    ));
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
        if quantity.as_str().and_then(in_billionths) <= Some(0) {
            let path = format!("{PATH}[{name}]");
            wrong.push(Cause::invalid(&path, quantity, "must be greater than zero"));
        }
    }
    wrong
}

/// What a volume is made of is one thing.
fn check_source(spec: &Value) -> Vec<Cause> {
    let fields = spec.as_object().into_iter().flatten();
    let sources =
        fields.filter(|(field, value)| !NO_SOURCE.contains(&field.as_str()) && !value.is_null());
    let sources: Vec<&str> = sources.map(|(field, _)| field.as_str()).collect();
    let [source] = sources[..] else {
        return match sources.is_empty() {
            true => vec![Cause::required("spec", "must specify a volume type")],
            // The first in the order of a server is what the volume is made of.
            false => second_sources(&sources),
        };
    };
    let value = &spec[source];
    let required = |field: &str| {
        let missing = text(value, field).is_empty();
        missing.then(|| Cause::required(&format!("spec.{source}.{field}"), ""))
    };
    let fields: &[&str] = match source {
        "hostPath" => &["path"],
        "nfs" => &["server", "path"],
        "csi" => &["driver", "volumeHandle"],
        "local" => &["path"],
        _ => &[],
    };
    let mut wrong: Vec<Cause> = fields.iter().copied().filter_map(required).collect();
    if source == "nfs" && !text(value, "path").starts_with('/') {
        let why = "must be an absolute path";
        wrong.push(Cause::invalid(
            "spec.nfs.path",
            &text(value, "path").into(),
            why,
        ));
    }
    if source == "local" && spec["nodeAffinity"].is_null() {
        let why = "Local volume requires node affinity";
        wrong.push(Cause::required("spec.nodeAffinity", why));
    }
    wrong
}

fn second_sources(sources: &[&str]) -> Vec<Cause> {
    const ORDER: [&str; 21] = [
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
    let said = ORDER
        .iter()
        .filter(|source| sources.contains(source))
        .skip(1);
    let why = "may not specify more than 1 volume type";
    said.map(|source| {
        let called = match *source {
            "cephfs" => "cephFS",
            source => source,
        };
        Cause::forbidden(&format!("spec.{called}"), why)
    })
    .collect()
}
