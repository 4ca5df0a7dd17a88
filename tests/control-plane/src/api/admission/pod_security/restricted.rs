//! What the level `restricted` checks besides: that pods give up what they do not need.

use serde_json::Value;

use super::baseline::{is_seccomp, use_of};
use super::found::{
    Found, containers, containers_that, counted, name, plural, quoted, setters, sorted, text,
};

const VOLUMES: [&str; 9] = [
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "image",
    "persistentVolumeClaim",
    "projected",
    "secret",
];
const OTHER_VOLUMES: [&str; 21] = [
    "hostPath",
    "gcePersistentDisk",
    "awsElasticBlockStore",
    "gitRepo",
    "nfs",
    "iscsi",
    "glusterfs",
    "rbd",
    "flexVolume",
    "cinder",
    "cephfs",
    "flocker",
    "fc",
    "azureFile",
    "vsphereVolume",
    "quobyte",
    "azureDisk",
    "photonPersistentDisk",
    "portworxVolume",
    "scaleIO",
    "storageos",
];

pub(super) fn escalation(spec: &Value) -> Option<Found> {
    let names = containers_that(spec, |container| {
        container["securityContext"]["allowPrivilegeEscalation"] != false
    });
    let who = counted("container", &names);
    let what = format!("{who} must set securityContext.allowPrivilegeEscalation=false");
    (!names.is_empty()).then(|| Found::new("allowPrivilegeEscalation != false", what))?
}

pub(super) fn capabilities(spec: &Value) -> Option<Found> {
    let of = |container: &Value, field: &str| -> Vec<String> {
        let list = container["securityContext"]["capabilities"][field].as_array();
        let names = list.into_iter().flatten().filter_map(Value::as_str);
        names.map(str::to_owned).collect()
    };
    let added = |container: &Value| {
        let mut added = of(container, "add");
        added.retain(|name| name != "NET_BIND_SERVICE");
        added
    };
    let mut what = Vec::new();
    let keeping = containers_that(spec, |container| {
        !of(container, "drop").iter().any(|name| name == "ALL")
    });
    if !keeping.is_empty() {
        let who = counted("container", &keeping);
        what.push(format!(
            "{who} must set securityContext.capabilities.drop=[\"ALL\"]"
        ));
    }
    let adding = containers_that(spec, |container| !added(container).is_empty());
    if !adding.is_empty() {
        let all = sorted(containers(spec).flat_map(added).collect());
        let (who, all) = (counted("container", &adding), quoted(&all));
        what.push(format!(
            "{who} must not include {all} in securityContext.capabilities.add"
        ));
    }
    (!what.is_empty()).then(|| Found::new("unrestricted capabilities", what.join("; ")))?
}

pub(super) fn volumes(spec: &Value) -> Option<Found> {
    let volumes = spec["volumes"].as_array().into_iter().flatten();
    let is_of = |volume: &Value, kinds: &[&'static str]| {
        let mut kinds = kinds.iter();
        kinds.find(|kind| !volume[**kind].is_null()).copied()
    };
    let wrong: Vec<&Value> = volumes
        .filter(|volume| is_of(volume, &VOLUMES).is_none())
        .collect();
    let names: Vec<&str> = wrong.iter().map(|volume| name(volume)).collect();
    let kinds = wrong
        .iter()
        .map(|volume| is_of(volume, &OTHER_VOLUMES).unwrap_or("unknown"));
    let kinds = sorted(kinds.collect());
    let what = format!(
        "{} {} {} {}",
        counted("volume", &names),
        use_of(&names),
        plural("restricted volume type", kinds.len()),
        quoted(&kinds)
    );
    (!names.is_empty()).then(|| Found::new("restricted volume types", what))?
}

pub(super) fn not_root(spec: &Value) -> Option<Found> {
    const REASON: &str = "runAsNonRoot != true";
    let said = |value: &Value| value["securityContext"]["runAsNonRoot"].as_bool();
    let explicit = containers_that(spec, |container| said(container) == Some(false));
    if let Some(who) = setters(said(spec) == Some(false), &explicit) {
        let what = format!("{who} must not set securityContext.runAsNonRoot=false");
        return Found::new(REASON, what);
    }
    let implicit = containers_that(spec, |container| said(container).is_none());
    if said(spec) == Some(true) || implicit.is_empty() {
        return None;
    }
    let who = counted("container", &implicit);
    let what = format!("pod or {who} must set securityContext.runAsNonRoot=true");
    Found::new(REASON, what)
}

pub(super) fn user(spec: &Value) -> Option<Found> {
    let is_root = |value: &Value| value["securityContext"]["runAsUser"] == 0;
    let who = setters(is_root(spec), &containers_that(spec, is_root))?;
    Found::new("runAsUser=0", format!("{who} must not set runAsUser=0"))
}

pub(super) fn seccomp(spec: &Value) -> Option<Found> {
    const REASON: &str = "seccompProfile";
    let said = |value| text(value, "/securityContext/seccompProfile/type");
    let is_wrong = |value| said(value).is_some_and(|kind| !is_seccomp(kind));
    if let Some(who) = setters(is_wrong(spec), &containers_that(spec, is_wrong)) {
        let all = std::iter::once(spec)
            .chain(containers(spec))
            .filter_map(said);
        let all = sorted(all.filter(|kind| !is_seccomp(kind)).collect());
        let all = quoted(&all);
        let what = format!("{who} must not set securityContext.seccompProfile.type to {all}");
        return Found::new(REASON, what);
    }
    let implicit = containers_that(spec, |container| said(container).is_none());
    if said(spec).is_some() || implicit.is_empty() {
        return None;
    }
    let who = counted("container", &implicit);
    let what = format!(
        "pod or {who} must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\""
    );
    Found::new(REASON, what)
}
