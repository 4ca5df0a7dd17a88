//! The resources that are always there.

use std::sync::Arc;

use super::{Origin, Resource, Shape, Version, printers};
use crate::schema;
use crate::store::Bucket;

/// One line of the table.
struct Line {
    group: &'static str,
    plural: &'static str,
    kind: &'static str,
    short: &'static [&'static str],
    namespaced: bool,
    /// Milo serves it in projects.
    milo: bool,
    generation: bool,
    status: bool,
    returns_deleted: bool,
}

const fn line(group: &'static str, plural: &'static str, kind: &'static str) -> Line {
    Line {
        group,
        plural,
        kind,
        short: &[],
        namespaced: true,
        milo: true,
        generation: false,
        status: false,
        returns_deleted: false,
    }
}

const ADMISSION: &str = "admissionregistration.k8s.io";
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
];

fn categories(line: &Line) -> &'static [&'static str] {
    match line.group {
        ADMISSION | "apiextensions.k8s.io" => &["api-extensions"],
        _ if line.kind == "Service" => &["all"],
        _ => &[],
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
            "type",
        ],
        (_, "Event") => &[
            "reason",
            "regarding.kind",
            "regarding.name",
            "regarding.namespace",
            "regarding.uid",
            "reportingController",
            "type",
        ],
        (_, "Namespace") => &["status.phase"],
        (_, "Secret") => &["type"],
        (_, "Service") => &["spec.clusterIP", "spec.type"],
        _ => &[],
    }
}

/// All built-in resources.
pub(super) fn resources() -> impl Iterator<Item = Resource> {
    TABLE.iter().filter_map(|line| {
        let schema = schema::builtin(line.group, "v1", line.kind)?;
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
            versions: vec![Version {
                name: "v1".to_owned(),
                schema: Shape::BuiltIn(schema),
                raw: None,
                deprecation: None,
                status: line.status,
                selectable: selectable(line.group, line.kind)
                    .iter()
                    .map(|field| (*field).to_owned())
                    .collect(),
                columns: printers::columns(line.kind),
            }],
            stored: "v1".to_owned(),
            stored_shape: None,
            origin: Origin::BuiltIn {
                in_projects: line.milo,
                generation: line.generation,
                returns_deleted: line.returns_deleted,
            },
        })
    })
}
