//! What is asked of a single source of a volume, be it one of a pod or one that outlives pods.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use super::checks::{list, number, one_of, one_of_if_there, text};
use super::{csi, names, volumes};
use crate::failure::Cause;

/// What a source has to say, and nothing more is asked of most.
const REQUIRED: [(&str, &[&str]); 18] = [
    ("awsElasticBlockStore", &["volumeID"]),
    ("azureDisk", &["diskName", "diskURI"]),
    ("azureFile", &["secretName", "shareName"]),
    ("cephfs", &["monitors"]),
    ("cinder", &["volumeID"]),
    ("flexVolume", &["driver"]),
    ("gcePersistentDisk", &["pdName"]),
    ("gitRepo", &["repository"]),
    ("glusterfs", &["endpoints", "path"]),
    ("hostPath", &["path"]),
    ("local", &["path"]),
    ("nfs", &["server", "path"]),
    ("persistentVolumeClaim", &["claimName"]),
    ("photonPersistentDisk", &["pdID"]),
    ("portworxVolume", &["volumeID"]),
    ("rbd", &["monitors", "image"]),
    ("scaleIO", &["gateway", "system", "volumeName"]),
    ("vsphereVolume", &["volumePath"]),
];
const HOST_PATHS: [&str; 8] = [
    "",
    "BlockDevice",
    "CharDevice",
    "Directory",
    "DirectoryOrCreate",
    "File",
    "FileOrCreate",
    "Socket",
];
const SECRETS_OF_DRIVERS: [&str; 4] = [
    "controllerPublishSecretRef",
    "controllerExpandSecretRef",
    "nodePublishSecretRef",
    "nodeExpandSecretRef",
];
const CACHING: [&str; 3] = ["None", "ReadOnly", "ReadWrite"];
const DISKS: [&str; 3] = ["Dedicated", "Managed", "Shared"];
const MANAGED_DISK: &str = "\"/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}\"";
const BLOB_DISK: &str =
    "\"https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd\"";
const HOSTS_AND_PORTS: &str = "must be a host:port pair or multiple pairs separated by commas";
const UNIT_RANGE: &str = "must be between 0 and 255, inclusive";
const PARTITION_RANGE: &str = "must be between 1 and 255, inclusive";
const LONG_TARGET: &str = "Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if \
    iscsi.initiatorName is specified.";
const RESERVED: &str = "kubernetes.io and k8s.io namespaces are reserved";

/// Whose source it is: a volume that outlives pods says more of its secrets.
#[derive(Clone, Copy)]
pub(super) struct Volume<'a> {
    pub(super) name: &'a str,
    pub(super) outlives: bool,
}

/// What a server calls a source where it is alone.
pub(super) fn called(kind: &str) -> &str {
    match kind {
        "gcePersistentDisk" => "persistentDisk",
        kind => kind,
    }
}

/// What is wrong with a source of a kind of which all has to be said in its own fields.
pub(super) fn check(kind: &str, source: &Value, path: &str, volume: Volume<'_>) -> Vec<Cause> {
    let at = |field: &str| format!("{path}.{field}");
    let mut wrong = check_required(kind, source, path);
    match kind {
        "hostPath" | "local" if !wrong.is_empty() => {}
        "hostPath" | "local" => {
            wrong.extend(volumes::no_steps_back(text(source, "path"), &at("path")));
            let is_typed = kind == "hostPath";
            wrong.extend(
                is_typed
                    .then(|| one_of(text(source, "type"), &at("type"), &HOST_PATHS))
                    .flatten(),
            );
        }
        "nfs" => {
            let way = text(source, "path");
            let why = "must be an absolute path";
            let cause =
                (!way.starts_with('/')).then(|| Cause::invalid(&at("path"), &way.into(), why));
            wrong.extend(cause);
        }
        "awsElasticBlockStore" | "gcePersistentDisk" => {
            wrong.extend(out_of_range(
                source,
                "partition",
                &at("partition"),
                PARTITION_RANGE,
            ));
        }
        "gitRepo" => {
            let way = text(source, "directory");
            wrong.extend(volumes::check_inside(way, &at("directory")));
        }
        "flexVolume" => wrong.extend(reserved_options(source, &at("options"))),
        "azureDisk" => wrong.extend(check_azure_disk(source, path)),
        "azureFile" if volume.outlives && source["secretNamespace"] == "" => {
            wrong.push(Cause::required(&at("secretNamespace"), ""));
        }
        "cinder" => wrong.extend(check_secret(source, path, volume)),
        "glusterfs" if volume.outlives => wrong.extend(check_endpoints_namespace(source, path)),
        "iscsi" => wrong.extend(check_iscsi(source, path, volume)),
        "fc" => wrong.extend(check_fibre_channel(source, path)),
        "quobyte" => wrong.extend(check_quobyte(source, path)),
        "flocker" => wrong.extend(check_flocker(source, path)),
        "storageos" => wrong.extend(check_storageos(source, path, volume)),
        "csi" => wrong.extend(check_driver(source, path, volume)),
        _ => {}
    }
    wrong
}

fn check_required(kind: &str, source: &Value, path: &str) -> Vec<Cause> {
    let known = REQUIRED.iter().find(|(known, _)| *known == kind);
    let fields = known.map_or(&[][..], |(_, fields)| fields);
    let missing = fields.iter().filter(|field| is_missing(&source[**field]));
    missing
        .map(|field| Cause::required(&format!("{path}.{field}"), ""))
        .collect()
}

fn is_missing(value: &Value) -> bool {
    match value {
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        value => value.is_null(),
    }
}

fn out_of_range(source: &Value, field: &str, path: &str, why: &str) -> Option<Cause> {
    let number = number(source, field)?;
    (!(0..=255).contains(&number)).then(|| Cause::invalid(path, &number.into(), why))
}

fn is_label(value: &str, path: &str) -> Option<Cause> {
    names::label(value).map(|why| Cause::invalid(path, &value.into(), why))
}

/// The secret of a source, of which a volume that outlives pods says where it is.
fn check_secret(source: &Value, path: &str, volume: Volume<'_>) -> Vec<Cause> {
    let secret = &source["secretRef"];
    let fields: &[&str] = match (secret.is_null(), volume.outlives) {
        (true, _) => &[],
        (false, true) => &["name", "namespace"],
        (false, false) => &["name"],
    };
    let missing = fields.iter().filter(|field| is_missing(&secret[**field]));
    missing
        .map(|field| Cause::required(&format!("{path}.secretRef.{field}"), ""))
        .collect()
}

fn reserved_options(source: &Value, path: &str) -> Vec<Cause> {
    let options = source["options"].as_object().into_iter().flatten();
    let is_reserved = |key: &str| {
        let domain = key.split_once('/').map_or(key, |(domain, _)| domain);
        let domain = format!(".{}", domain.to_lowercase());
        [".kubernetes.io", ".k8s.io"]
            .iter()
            .any(|reserved| domain.ends_with(reserved))
    };
    let reserved = options.filter(|(key, _)| is_reserved(key));
    reserved
        .map(|(key, _)| Cause::invalid(&format!("{path}[{key}]"), &key.as_str().into(), RESERVED))
        .collect()
}

fn check_azure_disk(source: &Value, path: &str) -> Vec<Cause> {
    let at = |field: &str| format!("{path}.{field}");
    let mut wrong: Vec<Cause> = Vec::new();
    wrong.extend(one_of_if_there(source, "cachingMode", path, &CACHING));
    wrong.extend(one_of_if_there(source, "kind", path, &DISKS));
    let place = text(source, "diskURI");
    let (begin, known) = match source["kind"].as_str() {
        None => return wrong,
        Some("Managed") => ("/subscriptions/", MANAGED_DISK),
        Some(_) => ("https://", BLOB_DISK),
    };
    if !place.starts_with(begin) {
        wrong.push(Cause::unsupported(&at("diskURI"), &place.into(), known));
    }
    wrong
}

fn check_endpoints_namespace(source: &Value, path: &str) -> Option<Cause> {
    let path = format!("{path}.endpointsNamespace");
    match source["endpointsNamespace"].as_str()? {
        "" => {
            let why = "if the endpointnamespace is set, it must be a valid namespace name";
            Some(Cause::invalid(&path, &"".into(), why))
        }
        name => is_label(name, &path),
    }
}

fn check_iscsi(source: &Value, path: &str, volume: Volume<'_>) -> Vec<Cause> {
    let at = |field: &str| format!("{path}.{field}");
    let required =
        |field: &str| is_missing(&source[field]).then(|| Cause::required(&at(field), ""));
    let mut wrong: Vec<Cause> = required("targetPortal").into_iter().collect();
    if volume.outlives {
        let portal = text(source, "targetPortal");
        let too_long = is_long_target(source, volume.name);
        wrong.extend(
            too_long.then(|| Cause::invalid(&at("targetportal"), &portal.into(), LONG_TARGET)),
        );
    }
    let unknown = match volume.outlives {
        true => "must be valid format",
        false => "must be valid format starting with iqn, eui, or naa",
    };
    match text(source, "iqn") {
        "" => wrong.extend(required("iqn")),
        name => wrong.extend(check_initiator(name, &at("iqn"), unknown)),
    }
    wrong.extend(out_of_range(source, "lun", &at("lun"), UNIT_RANGE));
    let secret = &source["secretRef"];
    let has_secret = ["chapAuthDiscovery", "chapAuthSession"]
        .iter()
        .any(|field| source[*field] == true);
    if has_secret && secret.is_null() {
        wrong.push(Cause::required(&at("secretRef"), ""));
    }
    if volume.outlives && !secret.is_null() && is_missing(&secret["name"]) {
        wrong.push(Cause::required(&at("secretRef.name"), ""));
    }
    if let Some(name) = source["initiatorName"].as_str() {
        wrong.extend(check_initiator(name, &at("initiatorname"), unknown));
    }
    wrong
}

/// Whether the name of a volume and what it is reached by are too long together.
fn is_long_target(source: &Value, name: &str) -> bool {
    let length = name.len() + 1 + text(source, "targetPortal").len();
    !source["initiatorName"].is_null() && length > 64
}

/// What is wrong with the name of a pod's volume that its source has a part in.
pub(super) fn check_name(kind: &str, source: &Value, name: &str, path: &str) -> Option<Cause> {
    let too_long = kind == "iscsi" && is_long_target(source, name);
    too_long.then(|| Cause::invalid(path, &name.into(), LONG_TARGET))
}

fn check_initiator(name: &str, path: &str, unknown: &str) -> Option<Cause> {
    static FORMS: LazyLock<Vec<(&str, Regex)>> = LazyLock::new(|| {
        let forms = [
            (
                "iqn",
                r"iqn\.\d{4}-\d{2}\.([[:alnum:]\-.]+)(:[^,;*&$|\s]+)$",
            ),
            ("eui", r"^eui.[[:alnum:]]{16}$"),
            ("naa", r"^naa.[[:alnum:]]{32}$"),
        ];
        let forms = forms.into_iter();
        forms
            .filter_map(|(begin, form)| Some((begin, Regex::new(form).ok()?)))
            .collect()
    });
    let form = FORMS.iter().find(|(begin, _)| name.starts_with(begin));
    let why = match form {
        None => unknown,
        Some((_, form)) if form.is_match(name) => return None,
        Some(_) => "must be valid format",
    };
    Some(Cause::invalid(path, &name.into(), why))
}

fn check_fibre_channel(source: &Value, path: &str) -> Vec<Cause> {
    let at = |field: &str| format!("{path}.{field}");
    let (targets, ids) = (list(source, "targetWWNs"), list(source, "wwids"));
    let mut wrong = Vec::new();
    if targets.is_empty() && ids.is_empty() {
        let why = "must specify either targetWWNs or wwids, but not both";
        wrong.push(Cause::required(&at("targetWWNs"), why));
    }
    if !targets.is_empty() && !ids.is_empty() {
        let why = "targetWWNs and wwids can not be specified simultaneously";
        wrong.push(Cause::invalid(
            &at("targetWWNs"),
            &source["targetWWNs"],
            why,
        ));
    }
    if !targets.is_empty() && source["lun"].is_null() {
        let why = "lun is required if targetWWNs is specified";
        wrong.push(Cause::required(&at("lun"), why));
    } else if !targets.is_empty() {
        wrong.extend(out_of_range(source, "lun", &at("lun"), UNIT_RANGE));
    }
    wrong
}

fn check_quobyte(source: &Value, path: &str) -> Vec<Cause> {
    let at = |field: &str| format!("{path}.{field}");
    let registry = text(source, "registry");
    let mut wrong = Vec::new();
    if registry.is_empty() {
        wrong.push(Cause::required(&at("registry"), HOSTS_AND_PORTS));
    } else if text(source, "tenant").len() >= 65 {
        let why = "must be a UUID and may not exceed a length of 64 characters";
        wrong.push(Cause::required(&at("tenant"), why));
    } else {
        let unfit = registry.split(',').filter(|pair| !is_host_and_port(pair));
        wrong.extend(
            unfit.map(|_| Cause::invalid(&at("registry"), &registry.into(), HOSTS_AND_PORTS)),
        );
    }
    if text(source, "volume").is_empty() {
        wrong.push(Cause::required(&at("volume"), ""));
    }
    wrong
}

fn is_host_and_port(pair: &str) -> bool {
    let Some((host, port)) = pair.rsplit_once(':') else {
        return false;
    };
    let inside = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    let host_fits = match inside {
        Some(inside) => !inside.contains(['[', ']']),
        None => !host.contains([':', '[', ']']),
    };
    host_fits && !port.contains(['[', ']'])
}

fn check_flocker(source: &Value, path: &str) -> Vec<Cause> {
    let (name, id) = (text(source, "datasetName"), text(source, "datasetUUID"));
    let mut wrong = Vec::new();
    match (name.is_empty(), id.is_empty()) {
        (true, true) => {
            let why = "one of datasetName and datasetUUID is required";
            wrong.push(Cause::required(path, why));
        }
        (false, false) => {
            let why = "datasetName and datasetUUID can not be specified simultaneously";
            wrong.push(Cause::invalid(path, &"resource".into(), why));
        }
        _ => {}
    }
    if name.contains('/') {
        let path = format!("{path}.datasetName");
        wrong.push(Cause::invalid(&path, &name.into(), "must not contain '/'"));
    }
    wrong
}

fn check_storageos(source: &Value, path: &str, volume: Volume<'_>) -> Vec<Cause> {
    let at = |field: &str| format!("{path}.{field}");
    let (name, space) = (text(source, "volumeName"), text(source, "volumeNamespace"));
    let mut wrong = Vec::new();
    match name {
        "" => wrong.push(Cause::required(&at("volumeName"), "")),
        name => wrong.extend(is_label(name, &at("volumeName"))),
    }
    if !space.is_empty() {
        wrong.extend(is_label(space, &at("volumeNamespace")));
    }
    wrong.extend(check_secret(source, path, volume));
    wrong
}

fn check_driver(source: &Value, path: &str, volume: Volume<'_>) -> Vec<Cause> {
    let at = |field: &str| format!("{path}.{field}");
    let mut wrong = csi::check_name(text(source, "driver"), &at("driver"));
    if !volume.outlives {
        let secret = &source["nodePublishSecretRef"];
        let name = text(secret, "name");
        if !secret.is_null() && name.is_empty() {
            wrong.push(Cause::required(&at("nodePublishSecretRef.name"), ""));
        } else if !secret.is_null() {
            let why = names::subdomain(name);
            wrong.extend(why.map(|why| Cause::invalid(&at("name"), &name.into(), why)));
        }
        return wrong;
    }
    if text(source, "volumeHandle").is_empty() {
        wrong.push(Cause::required(&at("volumeHandle"), ""));
    }
    let secrets = SECRETS_OF_DRIVERS
        .iter()
        .filter(|field| !source[**field].is_null());
    for field in secrets {
        let checks: [(&str, names::Rule); 2] =
            [("name", names::subdomain), ("namespace", names::label)];
        for (part, check) in checks {
            let (value, path) = (text(&source[*field], part), at(&format!("{field}.{part}")));
            wrong.extend(match value {
                "" => Some(Cause::required(&path, "")),
                value => check(value).map(|why| Cause::invalid(&path, &value.into(), why)),
            });
        }
    }
    wrong
}
