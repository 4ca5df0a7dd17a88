//! The rules of single built-in kinds.

use serde_json::{Value, json};

use super::super::target::Target;
use super::{
    administration, budgets, certificates, data_sources, defaults, endpoints, events, fixed, jobs,
    names, networking, nodes, persistent, pods, quotas, reserved, roles, secrets, service_ranges,
    services, sizes, statuses, storage, storage_classes, webhooks, workloads,
};
use crate::failure::Cause;
use crate::kinds::{accept_crd, check_status_of_crd, not_done_for_crd};
use crate::object;
use crate::schema::empty;

pub(super) fn before_create(target: &Target, object: &mut Value) -> Vec<Cause> {
    if target.resource.is_crd() {
        return Vec::new();
    }
    match target.resource.kind.as_str() {
        "Namespace" => {
            object::as_map(object).insert("status".to_owned(), json!({"phase": "Active"}));
            let finalizers = object::field_mut(object, "spec")
                .entry("finalizers")
                .or_insert_with(|| json!([]));
            if let Some(finalizers) = finalizers.as_array_mut()
                && !finalizers.iter().any(|finalizer| finalizer == "kubernetes")
            {
                finalizers.push("kubernetes".into());
            }
            defaults::set(target, object);
            names::namespace_finalizers(object, true)
        }
        "ConfigMap" => config_map(object),
        "Secret" => {
            let mut wrong = names::data_keys(object);
            wrong.extend(secrets::check(object));
            wrong
        }
        "Role" | "ClusterRole" => roles::check(object),
        "RoleBinding" | "ClusterRoleBinding" => roles::check_binding(object),
        "ServiceAccount" => forget_whose_secrets(object),
        "Lease" => lease(None, object),
        "CertificateSigningRequest" => certificates::before_create(target, object),
        "Service" => services::write(None, object),
        "CustomResourceDefinition" => accept_crd(object, None),
        "Pod" => pods::before_create(object),
        "PodTemplate" => pods::check_template(&object["template"], "template"),
        "ControllerRevision" => workloads::check_revision(object),
        kind @ ("Deployment"
        | "StatefulSet"
        | "DaemonSet"
        | "ReplicaSet"
        | "ReplicationController") => {
            start_status(target, object);
            if kind == "DaemonSet" {
                workloads::count_templates(None, object);
            }
            workloads::check(kind, None, object)
        }
        "Job" => {
            start_status(target, object);
            jobs::select_own_pods(object);
            let mut wrong = jobs::check(object);
            wrong.extend(jobs::check_names_of_pods(object));
            wrong
        }
        "CronJob" => {
            start_status(target, object);
            jobs::check_cron_job(None, object)
        }
        "StorageClass" => storage_classes::check(object),
        "PriorityClass" => reserved::check(object),
        "ValidatingWebhookConfiguration" | "MutatingWebhookConfiguration" => {
            webhooks::check(object)
        }
        "PersistentVolumeClaim" => {
            object::as_map(object).insert("status".to_owned(), json!({"phase": "Pending"}));
            storage::protect(object, "kubernetes.io/pvc-protection");
            data_sources::normalize(None, object);
            storage::check_claim(&object["spec"], "spec")
        }
        "PersistentVolume" => {
            let status = json!({"phase": "Pending", "lastPhaseTransitionTime": object::now()});
            object::as_map(object).insert("status".to_owned(), status);
            storage::protect(object, "kubernetes.io/pv-protection");
            persistent::check(object)
        }
        "Ingress" => {
            start_status(target, object);
            let mut wrong = networking::check_ingress(object);
            wrong.extend(networking::check_class(object));
            wrong
        }
        "PodDisruptionBudget" | "HorizontalPodAutoscaler" | "ResourceQuota" => {
            start_status(target, object);
            check(target, None, object)
        }
        "NetworkPolicy" | "LimitRange" | "Endpoints" | "EndpointSlice" => {
            check(target, None, object)
        }
        "Node" => {
            nodes::forget_settings(object);
            let taint = json!({"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"});
            let taints = object::field_mut(object, "spec")
                .entry("taints")
                .or_insert_with(|| json!([]));
            if let Some(taints) = taints
                .as_array_mut()
                .filter(|taints| !taints.contains(&taint))
            {
                taints.push(taint);
            }
            nodes::check(object)
        }
        kind => {
            if target.version().status {
                start_status(target, object);
            }
            administration::begin(kind, object);
            administration::check(kind, object)
        }
    }
}

pub(super) fn before_update(target: &Target, old: &Value, new: &mut Value) -> Vec<Cause> {
    if target.resource.is_crd() {
        return Vec::new();
    }
    match target.resource.kind.as_str() {
        "ConfigMap" => {
            let mut wrong = unchangeable(old, new);
            wrong.extend(config_map(new));
            wrong
        }
        "Role" | "ClusterRole" => roles::check(new),
        "Secret" => {
            let mut wrong = Vec::new();
            if old.get("type") != new.get("type") {
                let kind = new.get("type").cloned().unwrap_or_default();
                wrong.push(Cause::invalid("type", &kind, "field is immutable"));
            }
            wrong.extend(unchangeable(old, new));
            wrong.extend(names::data_keys(new));
            wrong.extend(secrets::check(new));
            wrong
        }
        "Namespace" => names::namespace_finalizers(new, false),
        "ServiceAccount" => forget_whose_secrets(new),
        "Lease" => lease(Some(old), new),
        "CertificateSigningRequest" => certificates::before_update(target, old, new),
        "Service" if target.subresource.is_none() => services::write(Some(old), new),
        "CustomResourceDefinition" if target.subresource.is_none() => accept_crd(new, Some(old)),
        "CustomResourceDefinition" => check_status_of_crd(new),
        "RoleBinding" | "ClusterRoleBinding" => {
            let mut wrong = roles::check_binding(new);
            if old.get("roleRef") != new.get("roleRef") {
                wrong.push(fixed::invalid_struct(
                    "roleRef",
                    "rbac.RoleRef",
                    &new["roleRef"],
                    "cannot change roleRef",
                ));
            }
            wrong
        }
        kind if target.is_status() => {
            if kind == "Node" {
                nodes::forget_settings(new);
            }
            if kind == "DaemonSet" {
                workloads::count_templates(Some(old), new);
            }
            statuses::keep(kind, old, new);
            statuses::check(kind, old, new)
        }
        _ if target.subresource.is_some() => Vec::new(),
        "Pod" => pods::before_update(old, new),
        "PodTemplate" => pods::check_template(&new["template"], "template"),
        kind @ ("Deployment"
        | "StatefulSet"
        | "DaemonSet"
        | "ReplicaSet"
        | "ReplicationController") => {
            if kind == "DaemonSet" {
                workloads::count_templates(Some(old), new);
            }
            workloads::check(kind, Some(old), new)
        }
        "Job" => {
            let mut wrong = jobs::check(new);
            wrong.extend(jobs::check_update(old, new));
            wrong
        }
        "CronJob" => jobs::check_cron_job(Some(old), new),
        "PersistentVolumeClaim" => {
            data_sources::normalize(Some(old), new);
            let mut wrong = storage::check_claim(&new["spec"], "spec");
            wrong.extend(storage::check_claim_update(old, new));
            wrong
        }
        "PersistentVolume" => {
            // A real server looks at all of it twice.
            let mut wrong = persistent::check(new);
            wrong.extend(persistent::check(new));
            wrong.extend(storage::check_volume_update(old, new));
            wrong
        }
        "Node" => {
            nodes::forget_settings(new);
            let mut wrong = nodes::check(new);
            wrong.extend(nodes::check_update(old, new));
            wrong
        }
        "Event" => events::before_update(target, old, new),
        "StorageClass" => storage_classes::check_update(old, new),
        "ControllerRevision" => {
            let mut wrong = workloads::check_count(new);
            wrong.extend(fixed::check("ControllerRevision", old, new));
            wrong
        }
        "ValidatingWebhookConfiguration" | "MutatingWebhookConfiguration" => webhooks::check(new),
        "Ingress" => networking::check_ingress(new),
        "IngressClass" => {
            let mut wrong = fixed::check("IngressClass", old, new);
            wrong.extend(administration::check("IngressClass", new));
            wrong
        }
        "ServiceCIDR" => service_ranges::check_update(old, new),
        "PodDisruptionBudget"
        | "HorizontalPodAutoscaler"
        | "ResourceQuota"
        | "NetworkPolicy"
        | "LimitRange"
        | "Endpoints"
        | "EndpointSlice" => check(target, Some(old), new),
        // What may not change at all is not looked at.
        "ResourceClaim" => fixed::check("ResourceClaim", old, new),
        kind => {
            let mut wrong = administration::check(kind, new);
            wrong.extend(administration::check_update(kind, old, new));
            wrong.extend(fixed::check(kind, old, new));
            wrong
        }
    }
}

/// The rules of kinds of which little else is to be said, new or changed.
fn check(target: &Target, old: Option<&Value>, object: &Value) -> Vec<Cause> {
    let kind = target.resource.kind.as_str();
    let mut wrong = match kind {
        "PodDisruptionBudget" => budgets::check_budget(object),
        "HorizontalPodAutoscaler" => budgets::check_autoscaler(old, object),
        "ResourceQuota" => quotas::check_quota(old, object),
        "LimitRange" => quotas::check_range(object),
        "NetworkPolicy" => networking::check_policy(object),
        "Endpoints" => endpoints::check(old, object),
        "EndpointSlice" => endpoints::check_slice(old, object),
        _ => Vec::new(),
    };
    if let Some(old) = old {
        wrong.extend(fixed::check(kind, old, object));
    }
    wrong
}

/// Of the secrets of an account the names are kept, and nothing is wrong with it.
fn forget_whose_secrets(account: &mut Value) -> Vec<Cause> {
    let secrets = account.get_mut("secrets").and_then(Value::as_array_mut);
    for secret in secrets.into_iter().flatten() {
        object::as_map(secret).retain(|field, _| field == "name");
    }
    Vec::new()
}

/// A namespace ends by being deleted, not by saying so; `is_deleting` is whether it is, or says that it is.
pub(super) fn phase_of_namespace(new: &Value, is_deleting: bool) -> Option<Cause> {
    let phase = new.pointer("/status/phase").cloned().unwrap_or_default();
    let (only, state) = match is_deleting {
        true => ("Terminating", "not empty"),
        false => ("Active", "empty"),
    };
    (phase != only).then(|| {
        let why = format!("may only be '{only}' if `deletionTimestamp` is {state}");
        Cause::invalid("status.Phase", &phase, &why)
    })
}

/// The status of a new object, whatever its writer says.
fn start_status(target: &Target, object: &mut Value) {
    let status = target.version().schema.schema().field("status");
    let status = status.map_or_else(|| json!({}), empty);
    object::as_map(object).insert("status".to_owned(), status);
}

/// What an object asks for and this server does not do: its writer is warned.
pub(crate) fn not_done(target: &Target, object: &Value) -> Vec<String> {
    if target.resource.is_crd() {
        return Vec::new();
    }
    match target.resource.kind.as_str() {
        "CustomResourceDefinition" => not_done_for_crd(object),
        "ValidatingWebhookConfiguration" | "MutatingWebhookConfiguration"
            if object.get("webhooks").is_some() =>
        {
            vec!["webhooks are stored, and not called by this server".to_owned()]
        }
        "ValidatingAdmissionPolicy"
        | "ValidatingAdmissionPolicyBinding"
        | "MutatingAdmissionPolicy"
        | "MutatingAdmissionPolicyBinding" => {
            vec!["admission policies are stored, and not evaluated by this server".to_owned()]
        }
        "APIService" if object.pointer("/spec/service").is_some() => {
            vec!["requests are not passed on to services by this server".to_owned()]
        }
        "FlowSchema" | "PriorityLevelConfiguration" => {
            vec!["flow control is stored, and not exercised by this server".to_owned()]
        }
        _ => Vec::new(),
    }
}

/// The kinds of which an update of an object that is not there creates it.
const CREATED_BY_UPDATE: [(&str, &str); 11] = [
    ("", "services"),
    ("", "endpoints"),
    ("", "events"),
    ("", "limitranges"),
    ("coordination.k8s.io", "leases"),
    ("events.k8s.io", "events"),
    ("node.k8s.io", "runtimeclasses"),
    ("rbac.authorization.k8s.io", "roles"),
    ("rbac.authorization.k8s.io", "rolebindings"),
    ("rbac.authorization.k8s.io", "clusterroles"),
    ("rbac.authorization.k8s.io", "clusterrolebindings"),
];

/// Whether an update of an object that is not there creates it.
pub(crate) fn is_created_by_update(target: &Target) -> bool {
    let mut kinds = CREATED_BY_UPDATE.into_iter();
    let is_of_kind = kinds.any(|(group, plural)| target.resource.is(group, plural));
    // Of those that have a status it alone is asked of Services, which get no addresses by it.
    is_of_kind && matches!(target.subresource.as_deref(), None | Some("status"))
}

/// The numbers of a Lease. What belongs to coordinated elections, which are off by default, is dropped unless it is
/// there already.
fn lease(old: Option<&Value>, object: &mut Value) -> Vec<Cause> {
    for field in ["strategy", "preferredHolder"] {
        let known = old.is_some_and(|old| old.pointer(&format!("/spec/{field}")).is_some());
        if !known {
            object::field_mut(object, "spec").remove(field);
        }
    }
    let mut wrong = Vec::new();
    for (field, least, why) in [
        ("leaseDurationSeconds", 1, "must be greater than 0"),
        ("leaseTransitions", 0, "must be greater than or equal to 0"),
    ] {
        let path = format!("/spec/{field}");
        if let Some(value) = object.pointer(&path)
            && value.as_i64().is_some_and(|number| number < least)
        {
            wrong.push(Cause::invalid(&format!("spec.{field}"), value, why));
        }
    }
    wrong
}

/// `immutable: true` is for ever, and holds the data.
fn unchangeable(old: &Value, new: &Value) -> Vec<Cause> {
    if old.get("immutable") != Some(&Value::Bool(true)) {
        return Vec::new();
    }
    const WHY: &str = "field is immutable when `immutable` is set";
    let mut wrong = Vec::new();
    if new.get("immutable") != Some(&Value::Bool(true)) {
        wrong.push(Cause::forbidden("immutable", WHY));
    }
    // The texts of a ConfigMap are there, if there are none.
    let is_there = |field: &str| field == "data" && new["kind"] == "ConfigMap";
    for field in ["data", "binaryData"] {
        let (was, is) = (&old[field], &new[field]);
        if was != is && !(is_there(field) && fixed::same(was, is)) {
            wrong.push(Cause::forbidden(field, WHY));
        }
    }
    wrong
}

/// The keys, and how much there is of it.
fn config_map(object: &Value) -> Vec<Cause> {
    let mut wrong = names::data_keys(object);
    if sizes::data(object) > sizes::MOST {
        wrong.push(Cause::too_long("[]", sizes::MOST));
    }
    wrong
}
