//! The rules of volumes and what is used of them.

use serde_json::Value;

use super::super::target::Target;
use super::checks::{at, list, one_of, one_of_if_there, selector, text};
use super::fixed::{forbidden_change, same};
use super::{data_sources, fixed, names};
use crate::failure::{Cause, Failure};
use crate::object;
use crate::schema::in_billionths;
use crate::store::{Key, Transaction};

const ACCESS_MODES: [&str; 4] = [
    "ReadOnlyMany",
    "ReadWriteMany",
    "ReadWriteOnce",
    "ReadWriteOncePod",
];
pub(super) const VOLUME_MODES: [&str; 2] = ["Block", "Filesystem"];
const FIXED_CLAIM: &str = "spec is immutable after creation except resources.requests and volumeAttributesClassName \
    for bound claims";
const TOO_SMALL: &str = "field can not be less than status.capacity";
const NO_GROWTH: &str = "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc \
    must support resize";
/// What of the spec of a volume is not what it is made of.
const NO_SOURCE: [&str; 9] = [
    "accessModes",
    "capacity",
    "claimRef",
    "mountOptions",
    "nodeAffinity",
    "persistentVolumeReclaimPolicy",
    "storageClassName",
    "volumeAttributesClassName",
    "volumeMode",
];

/// What is wrong with what a claim, or the template of one, asks for.
pub(super) fn check_claim(spec: &Value, at_path: &str) -> Vec<Cause> {
    let path = |field: &str| format!("{at_path}.{field}");
    let mut wrong = Vec::new();
    let modes = list(spec, "accessModes");
    if modes.is_empty() {
        let why = "at least 1 access mode is required";
        wrong.push(Cause::required(&path("accessModes"), why));
    }
    wrong.extend(selector(&spec["selector"], &path("selector")));
    wrong.extend(check_modes(modes, &path("accessModes")));
    let storage = at(spec, "/resources/requests/storage");
    let field = path("resources[storage]");
    match storage.as_str() {
        None => wrong.push(Cause::required(&field, "")),
        Some(size) if in_billionths(size) <= Some(0) => {
            wrong.push(Cause::invalid(&field, storage, "must be greater than zero"));
        }
        Some(_) => {}
    }
    let class = text(spec, "storageClassName");
    if !class.is_empty() {
        let why = names::subdomain(class);
        wrong.extend(why.map(|why| Cause::invalid(&path("storageClassName"), &class.into(), why)));
    }
    wrong.extend(one_of_if_there(spec, "volumeMode", at_path, &VOLUME_MODES));
    wrong.extend(data_sources::check(spec, at_path));
    let class = text(spec, "volumeAttributesClassName");
    if !class.is_empty() {
        let (why, path) = (names::subdomain(class), path("volumeAttributesClassName"));
        wrong.extend(why.map(|why| Cause::invalid(&path, &class.into(), why)));
    }
    wrong
}

pub(super) fn check_modes(modes: &[Value], path: &str) -> Vec<Cause> {
    let names = modes.iter().filter_map(Value::as_str);
    let mut wrong: Vec<Cause> = names
        .filter_map(|mode| one_of(mode, path, &ACCESS_MODES))
        .collect();
    let alone = |mode: &Value| mode == "ReadWriteOncePod";
    let known = |mode: &Value| ACCESS_MODES.iter().any(|known| mode == known);
    if modes.iter().any(alone) && modes.iter().any(|mode| !alone(mode) && known(mode)) {
        let why = "may not use ReadWriteOncePod with other access modes";
        wrong.push(Cause::forbidden(path, why));
    }
    wrong
}

/// What is wrong with a claim that is changed: once it is bound it may ask for more, and for nothing else.
pub(super) fn check_claim_update(old: &Value, new: &Value) -> Vec<Cause> {
    const SIZE: &str = "/resources/requests/storage";
    let (was, is) = (&old["spec"], &new["spec"]);
    let (mut had, mut kept) = (was.clone(), is.clone());
    let fields = object::as_map(&mut kept);
    if text(was, "volumeName").is_empty() {
        object::as_map(&mut had).insert("volumeName".to_owned(), is["volumeName"].clone());
    }
    if was["storageClassName"].is_null() {
        fields.remove("storageClassName");
    }
    if old["status"]["phase"] == "Bound" {
        let class = was["volumeAttributesClassName"].clone();
        fields.insert("volumeAttributesClassName".to_owned(), class);
        if let Some(size) = kept.pointer_mut(SIZE) {
            *size = at(was, SIZE).clone();
        }
    }
    let mut wrong = Vec::new();
    wrong.extend(forbidden_change(
        "spec",
        FIXED_CLAIM,
        "core.PersistentVolumeClaimSpec",
        &had,
        &kept,
    ));
    let size = |size: &Value| size.as_str().and_then(in_billionths).unwrap_or(0);
    let capacity = size(at(old, "/status/capacity/storage"));
    if size(at(is, SIZE)) < size(at(was, SIZE)) && size(at(is, SIZE)) <= capacity {
        wrong.push(Cause::forbidden(
            "spec.resources.requests.storage",
            TOO_SMALL,
        ));
    }
    wrong.extend(fixed::check("PersistentVolumeClaim", old, new));
    wrong
}

/// Whether a bound claim may grow, which its class says.
pub(crate) fn check_growth(
    target: &Target,
    transaction: &Transaction<'_>,
    old: &Value,
    new: &Value,
) -> Result<(), Failure> {
    if !target.resource.is("", "persistentvolumeclaims") || target.subresource.is_some() {
        return Ok(());
    }
    let size = |claim: &Value| {
        let size = at(claim, "/spec/resources/requests/storage").as_str();
        size.and_then(in_billionths).unwrap_or(0)
    };
    if size(new) <= size(old) {
        return Ok(());
    }
    let class = text(&new["spec"], "storageClassName");
    let classes = target
        .world
        .registry
        .get("storage.k8s.io", "storageclasses");
    let class = classes.and_then(|classes| transaction.get(&classes.bucket, &Key::new("", class)));
    match class.is_some_and(|class| class["allowVolumeExpansion"] == true) {
        true => Ok(()),
        false => Err(Failure::forbidden(
            &target.resource,
            object::name(new),
            NO_GROWTH,
        )),
    }
}

/// What a volume is made of stays, and so does where it can be reached.
pub(super) fn check_volume_update(old: &Value, new: &Value) -> Vec<Cause> {
    let source = |volume: &Value| {
        let mut spec = volume["spec"].clone();
        object::as_map(&mut spec).retain(|field, _| !NO_SOURCE.contains(&field.as_str()));
        // It may be said later.
        if at(old, "/spec/csi/controllerExpandSecretRef").is_null()
            && let Some(driver) = spec.get_mut("csi").and_then(Value::as_object_mut)
        {
            driver.remove("controllerExpandSecretRef");
        }
        spec
    };
    let mut wrong = Vec::new();
    wrong.extend(forbidden_change(
        "spec.persistentvolumesource",
        "spec.persistentvolumesource is immutable after creation",
        "core.PersistentVolumeSource",
        &source(old),
        &source(new),
    ));
    wrong.extend(fixed::check("PersistentVolume", old, new));
    let (was, is) = (&old["spec"]["nodeAffinity"], &new["spec"]["nodeAffinity"]);
    if !was.is_null() && !same(was, is) {
        let why = "field is immutable, except for updating from beta label to GA";
        wrong.push(match is {
            Value::Null => Cause::invalid("nodeAffinity", is, why),
            _ => fixed::invalid_struct("nodeAffinity", "core.VolumeNodeAffinity", is, why),
        });
    }
    wrong
}

/// Keeps what may be in use, until its controller says that it is not.
pub(super) fn protect(object: &mut Value, finalizer: &str) {
    let mut finalizers: Vec<String> = object::finalizers(object).map(str::to_owned).collect();
    if !finalizers.iter().any(|known| known == finalizer) {
        finalizers.push(finalizer.to_owned());
    }
    object::set_finalizers(object, finalizers);
}
