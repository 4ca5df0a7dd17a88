//! What volumes are made of, and how containers use them.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde_json::{Value, json};

use super::checks::{self, list, number, one_of, one_of_if_there, text, texts};
use super::volume_sources::{self, Volume};
use super::{containers, env, names, storage};
use crate::failure::Cause;
use crate::object;
use crate::schema::in_billionths;

/// What a volume may be made of, and what the server calls it where there is more than one.
const SOURCES: [(&str, &str); 30] = [
    ("emptyDir", "emptyDir"),
    ("hostPath", "hostPath"),
    ("gitRepo", "gitRepo"),
    ("gcePersistentDisk", "gcePersistentDisk"),
    ("awsElasticBlockStore", "awsElasticBlockStore"),
    ("secret", "secret"),
    ("nfs", "nfs"),
    ("iscsi", "iscsi"),
    ("glusterfs", "glusterfs"),
    ("flocker", "flocker"),
    ("persistentVolumeClaim", "persistentVolumeClaim"),
    ("rbd", "rbd"),
    ("cinder", "cinder"),
    ("cephfs", "cephFS"),
    ("quobyte", "quobyte"),
    ("downwardAPI", "downwarAPI"),
    ("fc", "fc"),
    ("flexVolume", "flexVolume"),
    ("configMap", "configMap"),
    ("azureFile", "azureFile"),
    ("vsphereVolume", "vsphereVolume"),
    ("photonPersistentDisk", "photonPersistentDisk"),
    ("portworxVolume", "portworxVolume"),
    ("azureDisk", "azureDisk"),
    ("storageos", "storageos"),
    ("projected", "projected"),
    ("scaleIO", "scaleIO"),
    ("csi", "csi"),
    ("ephemeral", "ephemeral"),
    ("image", "image"),
];
const PROPAGATIONS: [&str; 3] = ["Bidirectional", "HostToContainer", "None"];
const READ_ONLY: [&str; 3] = ["Disabled", "Enabled", "IfPossible"];
const NO_MODE: &str = "must be a number between 0 and 0777 (octal), both inclusive";
const ONE_SOURCE: &str = "may not specify more than 1 volume type";

/// The volumes that can be mounted, by their names.
pub(super) type Volumes<'a> = BTreeMap<&'a str, &'a Value>;

/// All volumes of a spec, those of claims before its own.
pub(super) fn all(spec: &Value, claims: &[Value]) -> Vec<Value> {
    let of_claim = |claim: &Value| {
        let name = object::name(claim);
        json!({"name": name, "persistentVolumeClaim": {"claimName": name}})
    };
    let claimed: HashSet<&str> = claims.iter().map(object::name).collect();
    let own = list(spec, "volumes")
        .iter()
        .filter(|volume| !claimed.contains(text(volume, "name")));
    claims.iter().map(of_claim).chain(own.cloned()).collect()
}

pub(super) fn check<'a>(
    volumes: &'a [Value],
    path: &str,
    is_pod: bool,
) -> (Volumes<'a>, Vec<Cause>) {
    let mut all = Vec::new();
    let mut known = Volumes::new();
    for (index, volume) in volumes.iter().enumerate() {
        let path = format!("{path}.volumes[{index}]");
        let name = text(volume, "name");
        let field = format!("{path}.name");
        let mut wrong = check_sources(volume, &path, is_pod);
        if name.is_empty() {
            wrong.push(Cause::required(&field, ""));
        } else {
            let why = names::label(name);
            wrong.extend(why.map(|why| Cause::invalid(&field, &name.into(), why)));
        }
        if known.contains_key(name) {
            wrong.push(Cause::duplicate(&field, &name.into()));
        }
        if wrong.is_empty() {
            known.insert(name, volume);
        }
        all.extend(wrong);
    }
    (known, all)
}

fn check_sources(volume: &Value, path: &str, is_pod: bool) -> Vec<Cause> {
    let mut wrong = Vec::new();
    let name = text(volume, "name");
    let said = SOURCES
        .iter()
        .filter(|(field, _)| !volume[*field].is_null());
    let mut is_first = true;
    for (field, shown) in said {
        let source = &volume[*field];
        if is_first {
            let path = format!("{path}.{}", volume_sources::called(field));
            wrong.extend(check_source(field, source, &path, name, is_pod));
        } else {
            wrong.push(Cause::forbidden(&format!("{path}.{shown}"), ONE_SOURCE));
        }
        is_first = false;
        wrong.extend(volume_sources::check_name(
            field,
            source,
            name,
            &format!("{path}.name"),
        ));
    }
    if is_first {
        wrong.push(Cause::required(path, "must specify a volume type"));
    }
    wrong
}

fn check_source(kind: &str, source: &Value, path: &str, name: &str, is_pod: bool) -> Vec<Cause> {
    let at = |field: &str| format!("{path}.{field}");
    match kind {
        "emptyDir" => {
            let limit = text(source, "sizeLimit");
            let negative = in_billionths(limit).is_some_and(|limit| limit < 0);
            let why = "SizeLimit field must be a valid resource quantity";
            let cause = negative.then(|| Cause::forbidden(&at("sizeLimit"), why));
            cause.into_iter().collect()
        }
        "secret" => check_files(source, "secretName", path),
        "configMap" => check_files(source, "name", path),
        "downwardAPI" => {
            let mut wrong: Vec<Cause> = check_mode(source, "defaultMode", path)
                .into_iter()
                .collect();
            let items = list(source, "items").iter();
            wrong.extend(items.flat_map(|item| check_told(item, path)));
            wrong
        }
        "projected" => check_projected(source, path),
        "ephemeral" => match &source["volumeClaimTemplate"] {
            Value::Null => vec![Cause::required(&at("volumeClaimTemplate"), "")],
            template => {
                let mut wrong = checks::template_metadata(
                    &template["metadata"],
                    &at("volumeClaimTemplate.metadata"),
                );
                let spec = at("volumeClaimTemplate.spec");
                wrong.extend(storage::check_claim(&template["spec"], &spec));
                wrong
            }
        },
        "image" => {
            let is_missing = is_pod && text(source, "reference").is_empty();
            let missing = is_missing.then(|| Cause::required(&at("reference"), ""));
            let pull = one_of(
                text(source, "pullPolicy"),
                &at("pullPolicy"),
                &containers::PULLS,
            );
            missing.into_iter().chain(pull).collect()
        }
        _ => {
            let volume = Volume {
                name,
                outlives: false,
            };
            volume_sources::check(kind, source, path, volume)
        }
    }
}

fn check_files(source: &Value, name: &str, path: &str) -> Vec<Cause> {
    let mut wrong = Vec::new();
    if text(source, name).is_empty() {
        wrong.push(Cause::required(&format!("{path}.{name}"), ""));
    }
    wrong.extend(check_mode(source, "defaultMode", path));
    for (index, item) in list(source, "items").iter().enumerate() {
        let path = format!("{path}.items[{index}]");
        for field in ["key", "path"] {
            if text(item, field).is_empty() {
                wrong.push(Cause::required(&format!("{path}.{field}"), ""));
            }
        }
        wrong.extend(check_way(text(item, "path"), &format!("{path}.path")));
        wrong.extend(check_mode(item, "mode", &path));
    }
    wrong
}

/// A file that tells of the pod.
fn check_told(item: &Value, path: &str) -> Vec<Cause> {
    let at = |field: &str| format!("{path}.{field}");
    let mut wrong = Vec::new();
    let way = text(item, "path");
    if way.is_empty() {
        wrong.push(Cause::required(&at("path"), ""));
    }
    wrong.extend(check_way(way, &at("path")));
    let (field, resource) = (&item["fieldRef"], &item["resourceFieldRef"]);
    match (field.is_null(), resource.is_null()) {
        (false, _) => {
            wrong.extend(env::check_field(field, &env::OF_FILES, &at("fieldRef")));
            if !resource.is_null() {
                let why = "fieldRef and resourceFieldRef can not be specified simultaneously";
                wrong.push(Cause::invalid(path, &"resource".into(), why));
            }
        }
        (true, false) => {
            wrong.extend(env::check_resource(resource, true, &at("resourceFieldRef")));
        }
        (true, true) => {
            let why = "one of fieldRef and resourceFieldRef is required";
            wrong.push(Cause::required(path, why));
        }
    }
    wrong.extend(check_mode(item, "mode", path));
    wrong
}

fn check_projected(source: &Value, path: &str) -> Vec<Cause> {
    let whole = path;
    let mut wrong: Vec<Cause> = check_mode(source, "defaultMode", path)
        .into_iter()
        .collect();
    let mut seen = HashSet::new();
    for (index, source) in list(source, "sources").iter().enumerate() {
        let path = format!("{path}.sources[{index}]");
        let mut sources = 0;
        for kind in ["secret", "configMap", "downwardAPI", "serviceAccountToken"] {
            let (source, path) = (&source[kind], format!("{path}.{kind}"));
            if source.is_null() {
                continue;
            }
            sources += 1;
            for way in list(source, "items").iter().map(|item| text(item, "path")) {
                // Who is told by name has the name of its source, and else its own.
                let told = if kind == "downwardAPI" {
                    way
                } else {
                    text(source, "name")
                };
                if !way.is_empty() && !seen.insert(way) {
                    let why = "conflicting duplicate paths";
                    wrong.push(Cause::invalid(whole, &told.into(), why));
                }
            }
            match kind {
                "downwardAPI" => {
                    let items = list(source, "items").iter();
                    wrong.extend(items.flat_map(|item| check_told(item, &path)));
                }
                "serviceAccountToken" => {
                    let field = format!("{path}.expirationSeconds");
                    if let Some(seconds) =
                        number(source, "expirationSeconds").filter(|seconds| *seconds < 600)
                    {
                        let why = "may not specify a duration less than 10 minutes";
                        wrong.push(Cause::invalid(&field, &seconds.into(), why));
                    }
                    if let Some(seconds) =
                        number(source, "expirationSeconds").filter(|seconds| *seconds > 1 << 32)
                    {
                        let why = "may not specify a duration larger than 2^32 seconds";
                        wrong.push(Cause::invalid(&field, &seconds.into(), why));
                    }
                    let place = format!("{whole}.path");
                    match text(source, "path") {
                        "" => wrong.push(Cause::required(&place, "")),
                        way => wrong.extend(check_way(way, &place)),
                    }
                }
                _ => wrong.extend(check_files(source, "name", &path)),
            }
        }
        if sources > 1 {
            let why = "may not specify more than 1 volume type per source";
            wrong.push(Cause::forbidden(&path, why));
        }
    }
    wrong
}

fn check_mode(object: &Value, field: &str, path: &str) -> Option<Cause> {
    let mode = number(object, field)?;
    let field = format!("{path}.{field}");
    (!(0..=0o777).contains(&mode)).then(|| Cause::invalid(&field, &mode.into(), NO_MODE))
}

pub(super) fn no_steps_back(way: &str, path: &str) -> Option<Cause> {
    let steps_back = way.split('/').any(|step| step == "..");
    steps_back.then(|| Cause::invalid(path, &way.into(), "must not contain '..'"))
}

/// A path inside of something.
pub(super) fn check_inside(way: &str, path: &str) -> Vec<Cause> {
    let why = "must be a relative path";
    let absolute = way
        .starts_with('/')
        .then(|| Cause::invalid(path, &way.into(), why));
    absolute
        .into_iter()
        .chain(no_steps_back(way, path))
        .collect()
}

fn check_way(way: &str, path: &str) -> Vec<Cause> {
    let mut wrong = check_inside(way, path);
    if way.starts_with("..") && !way.starts_with("../") {
        let why = "must not start with '..'";
        wrong.push(Cause::invalid(path, &way.into(), why));
    }
    wrong
}

pub(super) fn check_mounts(container: &Value, path: &str, volumes: &Volumes<'_>) -> Vec<Cause> {
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    let path = format!("{path}.volumeMounts");
    let privileged = container["securityContext"]["privileged"] == true;
    let devices = list(container, "volumeDevices");
    let devices_named = texts(devices, "name");
    let places_of_devices = texts(devices, "devicePath");
    for (index, mount) in list(container, "volumeMounts").iter().enumerate() {
        let at = |field: &str| format!("{path}[{index}].{field}");
        let (name, place) = (text(mount, "name"), text(mount, "mountPath"));
        if name.is_empty() {
            wrong.push(Cause::required(&at("name"), ""));
        }
        if !volumes.contains_key(name) {
            wrong.push(not_found(&at("name"), name));
        }
        if place.is_empty() {
            wrong.push(Cause::required(&at("mountPath"), ""));
        }
        if !seen.insert(place) {
            wrong.push(Cause::invalid(
                &at("mountPath"),
                &place.into(),
                "must be unique",
            ));
        }
        if devices_named.contains(name) {
            let why = "must not already exist in volumeDevices";
            wrong.push(Cause::invalid(&at("name"), &name.into(), why));
        }
        if places_of_devices.contains(place) {
            let why = "must not already exist as a path in volumeDevices";
            wrong.push(Cause::invalid(&at("mountPath"), &place.into(), why));
        }
        let (below, expression) = (text(mount, "subPath"), text(mount, "subPathExpr"));
        wrong.extend(check_inside(below, &format!("{path}.subPath")));
        if !expression.is_empty() && !below.is_empty() {
            let why = "subPathExpr and subPath are mutually exclusive";
            wrong.push(Cause::invalid(&at("subPathExpr"), &expression.into(), why));
        }
        wrong.extend(check_inside(expression, &format!("{path}.subPathExpr")));
        let propagation = text(mount, "mountPropagation");
        let field = format!("{path}.mountPropagation");
        wrong.extend(one_of_if_there(
            mount,
            "mountPropagation",
            &path,
            &PROPAGATIONS,
        ));
        if propagation == "Bidirectional" && !privileged {
            let why = "Bidirectional mount propagation is available only to privileged containers";
            wrong.push(Cause::forbidden(&field, why));
        }
        wrong.extend(check_read_only(mount, &path));
    }
    wrong.extend(check_devices(
        container,
        volumes,
        &path.replace("volumeMounts", "volumeDevices"),
    ));
    wrong
}

/// How far down a volume is read-only.
fn check_read_only(mount: &Value, path: &str) -> Vec<Cause> {
    let field = format!("{path}.recursiveReadOnly");
    let mut wrong = Vec::new();
    match mount["recursiveReadOnly"].as_str() {
        None | Some("Disabled") => {}
        Some("Enabled" | "IfPossible") => {
            if mount["readOnly"] != true {
                let why = "may only be specified when readOnly is true";
                wrong.push(Cause::forbidden(&field, why));
            }
            let propagation = &mount["mountPropagation"];
            if !propagation.is_null() && propagation != "None" {
                let why = "may only be specified when mountPropagation is None or not specified";
                wrong.push(Cause::forbidden(&field, why));
            }
        }
        Some(other) => wrong.extend(one_of(other, &field, &READ_ONLY)),
    }
    wrong
}

fn check_devices(container: &Value, volumes: &Volumes<'_>, path: &str) -> Vec<Cause> {
    let mut wrong = Vec::new();
    let mounts = list(container, "volumeMounts");
    let mounted = texts(mounts, "name");
    let places_of_mounts = texts(mounts, "mountPath");
    let (mut names, mut places) = (BTreeSet::new(), BTreeSet::new());
    for (index, device) in list(container, "volumeDevices").iter().enumerate() {
        let at = |field: &str| format!("{path}[{index}].{field}");
        let (name, place) = (text(device, "name"), text(device, "devicePath"));
        if name.is_empty() {
            wrong.push(Cause::required(&at("name"), ""));
        } else if !names.insert(name) {
            wrong.push(Cause::invalid(&at("name"), &name.into(), "must be unique"));
        }
        match volumes.get(name) {
            None => wrong.push(not_found(&at("name"), name)),
            Some(volume)
                if volume["persistentVolumeClaim"].is_null() && volume["ephemeral"].is_null() =>
            {
                let why = "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode";
                wrong.push(Cause::invalid(&at("name"), &name.into(), why));
            }
            Some(_) => {}
        }
        if place.is_empty() {
            wrong.push(Cause::required(&at("devicePath"), ""));
        }
        let mut refuse = |field: &str, value: &str, why: &str| {
            wrong.push(Cause::invalid(&at(field), &value.into(), why));
        };
        if places.contains(place) {
            refuse("devicePath", place, "must be unique");
        }
        if no_steps_back(place, path).is_some() {
            refuse("devicePath", place, "can not contain backsteps ('..')");
        } else {
            places.insert(place);
        }
        if mounted.contains(name) {
            refuse("name", name, "must not already exist in volumeMounts");
        }
        if places_of_mounts.contains(place) {
            let why = "must not already exist as a path in volumeMounts";
            refuse("devicePath", place, why);
        }
    }
    wrong
}

pub(super) fn not_found(path: &str, name: &str) -> Cause {
    let why = format!("Not found: {}", Value::from(name));
    Cause::new("FieldValueNotFound", path, why)
}
