//! The resources that are always there.

use std::borrow::Cow;
use std::sync::Arc;

use super::{Origin, Resource, Scale, Selection, Shape, Version, administration, printers};
use crate::schema;
use crate::store::Bucket;

/// One line of the table.
pub(super) struct Line {
    pub(super) group: &'static str,
    pub(super) plural: &'static str,
    pub(super) kind: &'static str,
    pub(super) short: &'static [&'static str],
    pub(super) namespaced: bool,
    /// Milo serves it in projects.
    pub(super) milo: bool,
    pub(super) generation: bool,
    pub(super) status: bool,
    pub(super) scale: Option<&'static Scale>,
    pub(super) returns_deleted: bool,
    /// It is answered, and never stored.
    pub(super) review: bool,
    pub(super) version: &'static str,
    /// Another version that is served, too.
    pub(super) older: Option<&'static str>,
    /// What is warned of where it is used.
    pub(super) deprecation: Option<&'static str>,
}

/// A number of pods, whose status says how many there are.
const REPLICAS: Scale = Scale {
    spec: Cow::Borrowed("/spec/replicas"),
    status: Cow::Borrowed("/status/replicas"),
    selector: Selection::Labels("/spec/selector"),
};
/// The same of pods that are told by their labels alone.
const OF_LABELS: Scale = Scale {
    spec: Cow::Borrowed("/spec/replicas"),
    status: Cow::Borrowed("/status/replicas"),
    selector: Selection::Map("/spec/selector"),
};

pub(super) const fn line(group: &'static str, plural: &'static str, kind: &'static str) -> Line {
    Line {
        group,
        plural,
        kind,
        short: &[],
        namespaced: true,
        milo: true,
        generation: false,
        status: false,
        scale: None,
        returns_deleted: false,
        review: false,
        version: "v1",
        older: None,
        deprecation: None,
    }
}

/// A question, whose answer is a part of it.
const fn review(group: &'static str, plural: &'static str, kind: &'static str) -> Line {
    Line {
        namespaced: false,
        review: true,
        ..line(group, plural, kind)
    }
}

/// What a cluster with nodes works on, and Milo does not serve.
pub(super) const fn workload(
    group: &'static str,
    plural: &'static str,
    kind: &'static str,
) -> Line {
    Line {
        milo: false,
        generation: true,
        status: true,
        ..line(group, plural, kind)
    }
}

pub(super) const ADMISSION: &str = "admissionregistration.k8s.io";
const APPS: &str = "apps";
pub(super) const NETWORKING: &str = "networking.k8s.io";
const RBAC: &str = "rbac.authorization.k8s.io";

const TABLE: &[Line] = &[
    Line {
        short: &["ns"],
        namespaced: false,
        status: true,
        returns_deleted: true,
        ..line("", "namespaces", "Namespace")
    },
    Line {
        short: &["cm"],
        ..line("", "configmaps", "ConfigMap")
    },
    line("", "secrets", "Secret"),
    Line {
        short: &["ev"],
        ..line("", "events", "Event")
    },
    Line {
        short: &["svc"],
        milo: false,
        status: true,
        returns_deleted: true,
        ..line("", "services", "Service")
    },
    Line {
        short: &["sa"],
        milo: false,
        returns_deleted: true,
        ..line("", "serviceaccounts", "ServiceAccount")
    },
    Line {
        short: &["ev"],
        ..line("events.k8s.io", "events", "Event")
    },
    Line {
        short: &["cs"],
        namespaced: false,
        milo: false,
        deprecation: Some("v1 ComponentStatus is deprecated in v1.19+"),
        ..line("", "componentstatuses", "ComponentStatus")
    },
    line("coordination.k8s.io", "leases", "Lease"),
    Line {
        generation: true,
        ..line("discovery.k8s.io", "endpointslices", "EndpointSlice")
    },
    line(RBAC, "roles", "Role"),
    line(RBAC, "rolebindings", "RoleBinding"),
    Line {
        namespaced: false,
        ..line(RBAC, "clusterroles", "ClusterRole")
    },
    Line {
        namespaced: false,
        ..line(RBAC, "clusterrolebindings", "ClusterRoleBinding")
    },
    Line {
        namespaced: false,
        generation: true,
        ..line(
            ADMISSION,
            "validatingwebhookconfigurations",
            "ValidatingWebhookConfiguration",
        )
    },
    Line {
        namespaced: false,
        generation: true,
        ..line(
            ADMISSION,
            "mutatingwebhookconfigurations",
            "MutatingWebhookConfiguration",
        )
    },
    Line {
        short: &["crd", "crds"],
        namespaced: false,
        generation: true,
        status: true,
        returns_deleted: true,
        ..line(
            "apiextensions.k8s.io",
            "customresourcedefinitions",
            "CustomResourceDefinition",
        )
    },
    Line {
        short: &["po"],
        returns_deleted: true,
        ..workload("", "pods", "Pod")
    },
    Line {
        status: false,
        returns_deleted: true,
        ..workload("", "podtemplates", "PodTemplate")
    },
    Line {
        short: &["rc"],
        scale: Some(&OF_LABELS),
        ..workload("", "replicationcontrollers", "ReplicationController")
    },
    Line {
        short: &["no"],
        namespaced: false,
        generation: false,
        ..workload("", "nodes", "Node")
    },
    Line {
        short: &["pv"],
        namespaced: false,
        generation: false,
        returns_deleted: true,
        ..workload("", "persistentvolumes", "PersistentVolume")
    },
    Line {
        short: &["pvc"],
        generation: false,
        returns_deleted: true,
        ..workload("", "persistentvolumeclaims", "PersistentVolumeClaim")
    },
    Line {
        short: &["ep"],
        deprecation: Some(
            "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
        ),
        generation: false,
        status: false,
        ..workload("", "endpoints", "Endpoints")
    },
    Line {
        milo: false,
        namespaced: true,
        ..review("", "bindings", "Binding")
    },
    Line {
        short: &["limits"],
        generation: false,
        status: false,
        ..workload("", "limitranges", "LimitRange")
    },
    Line {
        short: &["quota"],
        generation: false,
        returns_deleted: true,
        ..workload("", "resourcequotas", "ResourceQuota")
    },
    Line {
        short: &["deploy"],
        scale: Some(&REPLICAS),
        ..workload(APPS, "deployments", "Deployment")
    },
    Line {
        short: &["sts"],
        scale: Some(&REPLICAS),
        ..workload(APPS, "statefulsets", "StatefulSet")
    },
    Line {
        short: &["ds"],
        ..workload(APPS, "daemonsets", "DaemonSet")
    },
    Line {
        short: &["rs"],
        scale: Some(&REPLICAS),
        ..workload(APPS, "replicasets", "ReplicaSet")
    },
    Line {
        generation: false,
        status: false,
        ..workload(APPS, "controllerrevisions", "ControllerRevision")
    },
    workload("batch", "jobs", "Job"),
    Line {
        short: &["cj"],
        ..workload("batch", "cronjobs", "CronJob")
    },
    Line {
        short: &["ing"],
        ..workload(NETWORKING, "ingresses", "Ingress")
    },
    Line {
        namespaced: false,
        status: false,
        ..workload(NETWORKING, "ingressclasses", "IngressClass")
    },
    Line {
        short: &["netpol"],
        status: false,
        ..workload(NETWORKING, "networkpolicies", "NetworkPolicy")
    },
    Line {
        short: &["pdb"],
        ..workload("policy", "poddisruptionbudgets", "PodDisruptionBudget")
    },
    Line {
        short: &["hpa"],
        generation: false,
        version: "v2",
        older: Some("v1"),
        ..workload(
            "autoscaling",
            "horizontalpodautoscalers",
            "HorizontalPodAutoscaler",
        )
    },
    Line {
        short: &["sc"],
        namespaced: false,
        generation: false,
        status: false,
        returns_deleted: true,
        ..workload("storage.k8s.io", "storageclasses", "StorageClass")
    },
    Line {
        short: &["pc"],
        namespaced: false,
        status: false,
        ..workload("scheduling.k8s.io", "priorityclasses", "PriorityClass")
    },
    Line {
        short: &["csr"],
        namespaced: false,
        generation: false,
        ..workload(
            "certificates.k8s.io",
            "certificatesigningrequests",
            "CertificateSigningRequest",
        )
    },
    review(
        "authorization.k8s.io",
        "selfsubjectaccessreviews",
        "SelfSubjectAccessReview",
    ),
    review(
        "authorization.k8s.io",
        "selfsubjectrulesreviews",
        "SelfSubjectRulesReview",
    ),
    review(
        "authorization.k8s.io",
        "subjectaccessreviews",
        "SubjectAccessReview",
    ),
    Line {
        namespaced: true,
        ..review(
            "authorization.k8s.io",
            "localsubjectaccessreviews",
            "LocalSubjectAccessReview",
        )
    },
    review(
        "authentication.k8s.io",
        "selfsubjectreviews",
        "SelfSubjectReview",
    ),
    review("authentication.k8s.io", "tokenreviews", "TokenReview"),
];

fn categories(line: &Line) -> &'static [&'static str] {
    match line.group {
        ADMISSION | "apiextensions.k8s.io" | "apiregistration.k8s.io" => &["api-extensions"],
        _ => match line.kind {
            "Service"
            | "Pod"
            | "ReplicationController"
            | "Deployment"
            | "StatefulSet"
            | "DaemonSet"
            | "ReplicaSet"
            | "Job"
            | "CronJob"
            | "HorizontalPodAutoscaler" => &["all"],
            _ => &[],
        },
    }
}

/// What a field selector may name besides name and namespace.
fn selectable(group: &str, kind: &str) -> &'static [&'static str] {
    match (group, kind) {
        ("", "Event") => &[
            "involvedObject.apiVersion",
            "involvedObject.fieldPath",
            "involvedObject.kind",
            "involvedObject.name",
            "involvedObject.namespace",
            "involvedObject.resourceVersion",
            "involvedObject.uid",
            "reason",
            "reportingComponent",
            "source",
            "type",
        ],
        (_, "Event") => &[
            "reason",
            "regarding.apiVersion",
            "regarding.fieldPath",
            "regarding.kind",
            "regarding.name",
            "regarding.namespace",
            "regarding.resourceVersion",
            "regarding.uid",
            "reportingController",
            "type",
        ],
        (_, "Namespace") => &["status.phase"],
        (_, "Secret") => &["type"],
        (_, "Service") => &["spec.clusterIP", "spec.type"],
        (_, "Pod") => &[
            "spec.host",
            "spec.hostNetwork",
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "status.nominatedNodeName",
            "status.phase",
            "status.podIP",
            "status.podIPs",
        ],
        ("", "ReplicationController") => &["status.replicas"],
        (_, "Node") => &["spec.unschedulable"],
        (_, "Job") => &["status.successful"],
        (_, "ResourceSlice") => &["spec.driver", "spec.nodeName"],
        (_, "CertificateSigningRequest") => &["spec.signerName"],
        _ => &[],
    }
}

/// What is asked of a service account for a token: it is posted to one, and has no path of its own.
const TOKEN_REQUEST: &[Line] = &[Line {
    namespaced: true,
    ..review("authentication.k8s.io", "tokenrequests", "TokenRequest")
}];

/// How many there are to be of an object: it is put to one, and has no path of its own either.
const SCALE: &[Line] = &[Line {
    namespaced: true,
    ..review("autoscaling", "scales", "Scale")
}];

pub(crate) fn scale() -> Option<Resource> {
    resources_of(SCALE).next()
}

pub(crate) fn token_request() -> Option<Resource> {
    resources_of(TOKEN_REQUEST).next()
}

/// That a pod is to go if its budget allows it: it is posted to one.
const EVICTION: &[Line] = &[Line {
    namespaced: true,
    older: Some("v1beta1"),
    ..review("policy", "evictions", "Eviction")
}];

pub(crate) fn eviction() -> Option<Resource> {
    resources_of(EVICTION).next()
}

/// All built-in resources.
pub(super) fn resources() -> impl Iterator<Item = Resource> {
    resources_of(TABLE).chain(resources_of(administration::TABLE))
}

fn resources_of(table: &'static [Line]) -> impl Iterator<Item = Resource> {
    table.iter().filter_map(|line| {
        let names = std::iter::once(line.version).chain(line.older);
        let versions: Vec<Version> = names.filter_map(|name| version(line, name)).collect();
        if versions.is_empty() {
            return None;
        }
        let group: Arc<str> = line.group.into();
        let plural: Arc<str> = line.plural.into();
        // Events are the same objects in both groups.
        let stored_group = if line.kind == "Event" {
            "".into()
        } else {
            group.clone()
        };
        Some(Resource {
            bucket: Bucket {
                group: stored_group,
                plural: plural.clone(),
            },
            group,
            plural,
            singular: line.kind.to_lowercase(),
            kind: line.kind.to_owned(),
            list_kind: format!("{}List", line.kind),
            short_names: line.short.iter().map(|name| (*name).to_owned()).collect(),
            categories: categories(line)
                .iter()
                .map(|name| (*name).to_owned())
                .collect(),
            namespaced: line.namespaced,
            versions,
            stored: line.version.to_owned(),
            stored_shape: None,
            origin: Origin::BuiltIn {
                in_projects: line.milo,
                generation: line.generation,
                returns_deleted: line.returns_deleted,
                review: line.review,
            },
        })
    })
}

fn version(line: &Line, name: &str) -> Option<Version> {
    Some(Version {
        name: name.to_owned(),
        schema: Shape::BuiltIn(schema::builtin(line.group, name, line.kind)?),
        raw: None,
        is_long: false,
        deprecation: line.deprecation.map(str::to_owned),
        status: line.status,
        scale: line.scale.cloned(),
        selectable: selectable(line.group, line.kind)
            .iter()
            .map(|field| (*field).to_owned())
            .collect(),
        columns: printers::columns(line.kind),
    })
}
