//! Versions of built-in kinds that a real server reads still and serves no more, or serves only where it is told to.

use serde_json::Value;

use super::target::Target;

/// The kinds of each of them.
const RETIRED: [(&str, &[&str]); 30] = [
    ("admissionregistration.k8s.io/v1alpha1", &POLICIES),
    ("admissionregistration.k8s.io/v1beta1", &POLICIES),
    (
        "admissionregistration.k8s.io/v1beta1",
        &[
            "MutatingWebhookConfiguration",
            "ValidatingWebhookConfiguration",
        ],
    ),
    (
        "apiextensions.k8s.io/v1beta1",
        &["CustomResourceDefinition"],
    ),
    ("apiregistration.k8s.io/v1beta1", &["APIService"]),
    (
        "apps/v1beta1",
        &["ControllerRevision", "Deployment", "Scale", "StatefulSet"],
    ),
    (
        "apps/v1beta2",
        &[
            "ControllerRevision",
            "DaemonSet",
            "Deployment",
            "ReplicaSet",
            "Scale",
            "StatefulSet",
        ],
    ),
    ("authentication.k8s.io/v1alpha1", &["SelfSubjectReview"]),
    (
        "authentication.k8s.io/v1beta1",
        &["SelfSubjectReview", "TokenReview"],
    ),
    (
        "authorization.k8s.io/v1beta1",
        &[
            "LocalSubjectAccessReview",
            "SelfSubjectAccessReview",
            "SelfSubjectRulesReview",
            "SubjectAccessReview",
        ],
    ),
    ("batch/v1beta1", &["CronJob"]),
    (
        "certificates.k8s.io/v1beta1",
        &["CertificateSigningRequest"],
    ),
    ("coordination.k8s.io/v1beta1", &["Lease"]),
    ("discovery.k8s.io/v1beta1", &["EndpointSlice"]),
    ("events.k8s.io/v1beta1", &["Event"]),
    (
        "extensions/v1beta1",
        &[
            "DaemonSet",
            "Deployment",
            "Ingress",
            "NetworkPolicy",
            "ReplicaSet",
            "Scale",
        ],
    ),
    ("flowcontrol.apiserver.k8s.io/v1beta1", &FLOWS),
    ("flowcontrol.apiserver.k8s.io/v1beta2", &FLOWS),
    ("flowcontrol.apiserver.k8s.io/v1beta3", &FLOWS),
    (
        "networking.k8s.io/v1beta1",
        &["IPAddress", "Ingress", "IngressClass", "ServiceCIDR"],
    ),
    ("node.k8s.io/v1alpha1", &["RuntimeClass"]),
    ("node.k8s.io/v1beta1", &["RuntimeClass"]),
    ("policy/v1beta1", &["PodDisruptionBudget"]),
    ("rbac.authorization.k8s.io/v1alpha1", &RIGHTS),
    ("rbac.authorization.k8s.io/v1beta1", &RIGHTS),
    ("resource.k8s.io/v1beta1", &DEVICES),
    ("resource.k8s.io/v1beta2", &DEVICES),
    ("scheduling.k8s.io/v1beta1", &["PriorityClass"]),
    (
        "storage.k8s.io/v1alpha1",
        &[
            "CSIStorageCapacity",
            "VolumeAttachment",
            "VolumeAttributesClass",
        ],
    ),
    (
        "storage.k8s.io/v1beta1",
        &[
            "CSIDriver",
            "CSINode",
            "CSIStorageCapacity",
            "StorageClass",
            "VolumeAttachment",
            "VolumeAttributesClass",
        ],
    ),
];
const POLICIES: [&str; 4] = [
    "MutatingAdmissionPolicy",
    "MutatingAdmissionPolicyBinding",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
];
const FLOWS: [&str; 2] = ["FlowSchema", "PriorityLevelConfiguration"];
const RIGHTS: [&str; 4] = ["ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"];
const DEVICES: [&str; 4] = [
    "DeviceClass",
    "ResourceClaim",
    "ResourceClaimTemplate",
    "ResourceSlice",
];

/// Whether a kind was served in a version.
pub(super) fn was_served(api_version: &str, kind: &str) -> bool {
    let mut retired = RETIRED.iter();
    retired.any(|(version, kinds)| *version == api_version && kinds.contains(&kind))
}

/// What a patch made an object of such a version, as an object of the version of its path: of most kinds the fields are
/// the same.
pub(super) fn read(target: &Target, object: &mut Value) {
    let text = |field: &str| object.get(field).and_then(Value::as_str);
    let said = text("apiVersion").zip(text("kind"));
    let is_own = |(version, kind): (&str, &str)| {
        kind == target.resource.kind && was_served(version, kind) && !target.resource.is_crd()
    };
    if said.is_some_and(is_own) {
        object["apiVersion"] = target.api_version().into();
    }
}
