//! What holds for every object that is written, whatever its kind; [`kinds`] adds what holds for one.

mod address_advice;
mod addresses;
mod administration;
mod admission_policies;
mod advice;
mod api_services;
mod app_armor;
mod budgets;
mod certificates;
mod checks;
mod cluster_ips;
mod container_advice;
mod containers;
mod csi;
mod data_sources;
mod defaults;
mod device_capacities;
mod device_claims;
mod device_slices;
mod device_users;
mod devices;
mod endpoints;
mod env;
mod ephemeral;
mod events;
mod fixed;
mod flow_schemas;
mod forgotten;
mod in_go;
mod ingress_classes;
mod job_indexes;
mod job_managers;
mod job_policies;
mod job_status;
mod jobs;
mod kinds;
mod label_keys;
mod legacy;
mod looks;
mod maker_advice;
pub(crate) mod managers;
mod mandatory;
mod metadata;
mod names;
mod networking;
mod node_labels;
mod node_ports;
mod nodes;
mod persistent;
mod placement;
mod pod_advice;
mod pod_annotations;
mod pod_claims;
mod pod_resources;
mod pod_spec;
mod pod_status;
mod pod_updates;
mod pods;
mod priority_levels;
mod probes;
mod quota_scopes;
mod quotas;
mod reserved;
mod resize;
mod resources;
mod restarts;
mod roles;
mod schedules;
mod secrets;
mod service_advice;
mod service_networks;
mod service_ranges;
mod service_rules;
mod services;
mod sizes;
mod statuses;
mod storage;
mod storage_classes;
mod strategies;
mod sysctls;
mod volume_advice;
mod volume_sources;
mod volumes;
pub(crate) mod webhook_clients;
mod webhook_rules;
mod webhooks;
mod wholes;
mod windows;
mod workloads;

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;

use super::odd_namespaces::is_folder;
use super::target::Target;
use crate::failure::{Cause, Failure};
use crate::kinds::{Origin, Resource, namespace_bucket};
use crate::object;
use crate::schema::Empties;
use crate::store::{Kept, Key, Transaction};

pub(crate) use advice::advice;
pub(crate) use certificates::{check_caller as check_certificates, is_signing_request};
pub(in crate::api) use checks::{
    requirement as check_requirement, requirement_values as check_values,
};
pub(crate) use defaults::set as set_defaults;
pub(crate) use in_go::metadata as metadata_in_go;
pub(crate) use jobs::share_labels;
pub(crate) use kinds::{is_created_by_update, not_done};
pub(crate) use legacy::forget as forget_legacy;
pub(crate) use metadata::{
    is_of_path, join_owners, kept_in, other_object, place, same_object, without_version,
};
pub(crate) use names::{
    check_segment, label, label_1035, label_value as check_label_value,
    qualified as check_qualified, subdomain, unfit_for_paths,
};
pub(crate) use pods::quality;
pub(crate) use services::read_service;
pub(crate) use storage::check_growth;
pub(crate) use wholes::check_whole;
pub(crate) use workloads::forget_templates;

/// Gives an object what a server gives away once, and refuses what it asks for and cannot have.
pub(crate) fn allocate(
    target: &Target,
    transaction: &mut Transaction<'_>,
    old: Option<&Value>,
    new: &mut Value,
    dry_run: bool,
) -> Result<(), Failure> {
    cluster_ips::allocate(target, transaction, old, new, dry_run)?;
    node_ports::allocate(target, transaction, old, new, dry_run)
}

/// The rules of a new object.
pub(crate) fn before_create(target: &Target, object: &mut Value) -> Vec<Cause> {
    forgotten::forget(target, object);
    let resource = &target.resource;
    if has_generation(resource) {
        object::set_meta(object, "generation", 1);
    }
    if target.version().status && resource.is_crd() {
        object::as_map(object).remove("status");
        // The sender's status counts for nothing, the default of what is stored does.
        let status = target.stored_schema().field("status");
        if let Some((field, mut default)) =
            status.and_then(|field| Some((field, field.default.clone()?)))
            && field.apply_defaults(&mut default)
        {
            object::as_map(object).insert("status".to_owned(), default);
        }
    }
    let mut wrong = if resource.is_event() {
        events::before_create(target, object)
    } else if resource.is("policy", "poddisruptionbudgets") {
        // Metadata is looked at where all else is well.
        match kinds::before_create(target, object) {
            wrong if wrong.is_empty() => metadata::check(target, object),
            wrong => wrong,
        }
    } else {
        let mut wrong = Vec::from_iter(device_claims::check_admin_access(target, object));
        wrong.extend(metadata::check(target, object));
        wrong.extend(kinds::before_create(target, object));
        wrong
    };
    if wrong.is_empty() {
        // Whatever its kind allows, its name is to stand in a path.
        wrong = names::path_segment(object::name(object), "metadata.name");
    }
    wrong
}

/// What is told of a new object as it was sent.
pub(crate) fn early_advice(target: &Target, object: &Value) -> Vec<String> {
    match target.resource.is("", "pods") {
        true => app_armor::advice(object),
        false => Vec::new(),
    }
}

/// The rules of an object that takes the place of another; `fixed` is what it would change of its metadata, and may not.
pub(crate) fn before_update(
    target: &Target,
    old: &Value,
    new: &mut Value,
    fixed: &[Cause],
) -> Vec<Cause> {
    forgotten::forget(target, new);
    let mut rest = Vec::from_iter(device_claims::check_allocated_access(target, old, new));
    rest.extend(kinds::before_update(target, old, new));
    if target.resource.is("", "namespaces") && target.is_status() {
        let mut of_time = fixed
            .iter()
            .filter(|cause| cause.field == "metadata.deletionTimestamp");
        let is_deleting = object::is_deleting(old) || of_time.next().is_some();
        rest.extend(kinds::phase_of_namespace(new, is_deleting));
    }
    if target.subresource.as_deref() == Some("ephemeralcontainers") {
        rest.extend(pods::check_spec(&new["spec"]));
        rest.extend(ephemeral::check(old, new));
    }
    if target.subresource.as_deref() == Some("resize") {
        rest.extend(resize::check(old, new));
    }
    looks::check(target, old, new, fixed, rest)
}

/// Moves the generation of an object that was changed; `empties` is what it was sent with besides, and a custom resource
/// can have been `said_otherwise` than it is kept.
pub(crate) fn move_generation(
    target: &Target,
    old: &Value,
    new: &mut Value,
    empties: &Empties,
    said_otherwise: bool,
) {
    // It does not move by what the status endpoint of a built-in kind writes.
    let is_status = target.is_status();
    if is_status && !target.resource.is_crd() || !counts_changes(&target.resource) {
        return;
    }
    let is_more = counts_empties(&target.resource, empties) || said_otherwise && !is_status;
    if is_more || generation_moves(target, old, new) {
        let generation = old
            .pointer("/metadata/generation")
            .and_then(Value::as_i64)
            .unwrap_or(0);
        object::set_meta(new, "generation", generation.wrapping_add(1));
    }
}

/// To some kinds an empty list is a change from none, though it is not kept.
fn counts_empties(resource: &Resource, empties: &Empties) -> bool {
    match (&*resource.group, &*resource.plural) {
        ("networking.k8s.io", "networkpolicies") => empties.are_in("spec"),
        (
            "admissionregistration.k8s.io",
            "mutatingwebhookconfigurations" | "validatingwebhookconfigurations",
        ) => empties.are_in("webhooks"),
        _ => false,
    }
}

fn has_generation(resource: &Resource) -> bool {
    match resource.origin {
        Origin::BuiltIn { generation, .. } => generation,
        Origin::Crd { .. } => true,
    }
}

/// The changes of a CSIDriver are counted, though a new one has no generation.
fn counts_changes(resource: &Resource) -> bool {
    has_generation(resource) || resource.is("storage.k8s.io", "csidrivers")
}

/// With a status subresource the generation follows the spec (everything but metadata and status); without one,
/// everything but metadata.
fn generation_moves(target: &Target, old: &Value, new: &Value) -> bool {
    let counts = |name: &str, value: &Value| match name {
        "metadata" => false,
        "status" if target.version().status => false,
        _ if target.resource.is_crd() => true,
        // To a real server no list and an empty one are the same.
        _ => !value.is_null() && value.as_array().is_none_or(|list| !list.is_empty()),
    };
    let labels = |object: &Value| object.pointer("/metadata/labels").cloned();
    let annotations = |object: &Value| object.pointer("/metadata/annotations").cloned();
    // Of two kinds, and of nothing else, something of the metadata counts too.
    let slice = target.resource.is("discovery.k8s.io", "endpointslices");
    let deployment = target.resource.is("apps", "deployments");
    let never = target.resource.is("scheduling.k8s.io", "priorityclasses");
    (!never && !object::same_fields(old, new, counts))
        || (slice && labels(old) != labels(new))
        || (deployment && annotations(old) != annotations(new))
}

fn new_finalizers(old: &Value, new: &Value) -> Option<Cause> {
    if !object::is_deleting(old) {
        return None;
    }
    let known: BTreeSet<&str> = object::finalizers(old).collect();
    let added: BTreeSet<&str> = object::finalizers(new)
        .filter(|finalizer| !known.contains(finalizer))
        .collect();
    let list: Vec<String> = added
        .iter()
        .map(|finalizer| format!("{finalizer:?}"))
        .collect();
    let message = format!(
        "no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}",
        list.join(", ")
    );
    (!added.is_empty()).then(|| Cause::forbidden("metadata.finalizers", &message))
}

/// All metadata that an endpoint of a part may leave as it was.
const ALL: &[&str] = &[
    "annotations",
    "deletionTimestamp",
    "finalizers",
    "labels",
    "ownerReferences",
];

/// Leaves fields of the metadata as they were.
fn keep_metadata(old: &Value, new: &mut Value, fields: &[&str]) {
    let metadata = object::metadata_mut(new);
    for field in fields {
        match old["metadata"].get(field) {
            Some(value) => metadata.insert((*field).to_owned(), value.clone()),
            None => metadata.remove(*field),
        };
    }
}

/// The metadata that the status endpoint leaves as it was.
pub(crate) fn kept_by_status(resource: &Resource) -> &'static [&'static str] {
    match (&*resource.group, &*resource.plural) {
        ("", "pods") => &["deletionTimestamp", "ownerReferences"],
        ("apps", "deployments") => &["labels"],
        ("apiregistration.k8s.io", "apiservices") => {
            &["annotations", "finalizers", "labels", "ownerReferences"]
        }
        ("resource.k8s.io", "resourceclaims")
        | ("networking.k8s.io", "servicecidrs")
        | ("storage.k8s.io", "volumeattachments")
        | ("flowcontrol.apiserver.k8s.io", "flowschemas" | "prioritylevelconfigurations")
        | ("admissionregistration.k8s.io", "validatingadmissionpolicies") => ALL,
        _ => &[],
    }
}

/// What an endpoint of a kind besides does not write, and so makes nobody own.
pub(crate) fn not_owned(
    resource: &Resource,
    subresource: Option<&str>,
) -> &'static [&'static [&'static str]] {
    match is_signing_request(resource) {
        true => certificates::not_owned(subresource),
        false => &[],
    }
}

/// Takes over from the old object what the endpoint does not write.
pub(crate) fn keep_what_is_not_written(target: &Target, old: &Value, new: &mut Value) {
    let keep = |new: &mut Value, field: &str| match old.get(field) {
        Some(value) => {
            object::as_map(new).insert(field.to_owned(), value.clone());
        }
        None => {
            object::as_map(new).remove(field);
        }
    };
    match target.subresource.as_deref() {
        Some("status" | "approval") => {
            let managed = new.pointer("/metadata/managedFields").cloned();
            let mut whole = old.clone();
            match new.get("status") {
                Some(status) => {
                    object::as_map(&mut whole).insert("status".to_owned(), status.clone())
                }
                None => object::as_map(&mut whole).remove("status"),
            };
            if !target.resource.is_crd()
                && let Some(metadata) = new.get("metadata")
            {
                whole["metadata"] = metadata.clone();
                keep_metadata(old, &mut whole, kept_by_status(&target.resource));
            }
            match managed {
                Some(managed) => object::set_meta(&mut whole, "managedFields", managed),
                None => {
                    object::metadata_mut(&mut whole).remove("managedFields");
                }
            }
            *new = whole;
        }
        Some("finalize") => {
            keep(new, "status");
            let spec = object::field_mut(new, "spec");
            spec.retain(|_, value| value.as_array().is_some_and(|list| !list.is_empty()));
        }
        Some("ephemeralcontainers") => {
            ephemeral::keep_the_rest(old, new);
            keep_metadata(old, new, ALL);
        }
        Some("resize") => {
            resize::keep_the_rest(old, new);
            keep_metadata(old, new, ALL);
        }
        _ => {
            if target.version().status {
                keep(new, "status");
            }
            if target.resource.is("", "namespaces") {
                keep(new, "spec");
            }
        }
    }
}

/// Whether nothing holds an object any more that is being deleted: no finalizer, and no time that a pod is given.
pub(crate) fn is_finished(resource: &Resource, object: &Value) -> bool {
    let spec_holds = resource.is("", "namespaces")
        && object
            .pointer("/spec/finalizers")
            .and_then(Value::as_array)
            .is_some_and(|list| !list.is_empty());
    let grace = object.pointer("/metadata/deletionGracePeriodSeconds");
    let has_time = grace.and_then(Value::as_i64).is_some_and(|left| left > 0);
    let is_held = object::finalizers(object).next().is_some() || spec_holds || has_time;
    object::is_deleting(object) && !is_held
}

/// Nothing is written in a namespace that is not there.
pub(crate) fn namespace_of(target: &Target) -> Result<Option<Arc<Kept>>, Failure> {
    let namespace = target.namespace.as_deref();
    let Some(namespace) = namespace.filter(|name| target.resource.namespaced && !name.is_empty())
    else {
        return Ok(None);
    };
    if is_folder(namespace) {
        let why = format!("invalid resource name {namespace:?}: [may not be '{namespace}']");
        return Err(Failure::internal(&why));
    }
    let store = &target.plane.store;
    let found = store.kept(&namespace_bucket(), &Key::new("", namespace));
    match (found, target.world.registry.get("", "namespaces")) {
        (Some(found), _) => Ok(Some(found)),
        (None, Some(namespaces)) => Err(Failure::not_found(&namespaces, namespace)),
        (None, None) => Err(Failure::no_such_resource()),
    }
}

/// Nothing is created in one that is going away, either.
pub(crate) fn namespace_takes_content(target: &Target, name: &str) -> Result<(), Failure> {
    let Some(found) = namespace_of(target)?.filter(|found| found.is_deleting) else {
        return Ok(());
    };
    let namespace = &found.key.name;
    let why = format!(
        "unable to create new content in namespace {namespace} because it is being terminated"
    );
    let message = format!("namespace {namespace} is being terminated");
    let cause = Cause::new("NamespaceTerminating", "metadata.namespace", message);
    Err(Failure::forbidden(&target.resource, name, &why).with_causes(vec![cause]))
}
