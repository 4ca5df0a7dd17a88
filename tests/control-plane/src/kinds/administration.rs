//! The resources of those who look after a cluster: what is admitted and how fast, and what nodes and drivers offer.

use super::builtin::{ADMISSION, Line, NETWORKING, line, workload};

const FLOW_CONTROL: &str = "flowcontrol.apiserver.k8s.io";
const DEVICES: &str = "resource.k8s.io";
const STORAGE: &str = "storage.k8s.io";

/// What belongs to a whole cluster, and Milo does not serve.
const fn cluster(group: &'static str, plural: &'static str, kind: &'static str) -> Line {
    Line {
        milo: false,
        namespaced: false,
        ..line(group, plural, kind)
    }
}

/// The same, which counts its generations.
const fn counted(group: &'static str, plural: &'static str, kind: &'static str) -> Line {
    Line {
        generation: true,
        ..cluster(group, plural, kind)
    }
}

pub(super) const TABLE: &[Line] = &[
    Line {
        status: true,
        ..counted(
            ADMISSION,
            "validatingadmissionpolicies",
            "ValidatingAdmissionPolicy",
        )
    },
    counted(
        ADMISSION,
        "validatingadmissionpolicybindings",
        "ValidatingAdmissionPolicyBinding",
    ),
    counted(
        ADMISSION,
        "mutatingadmissionpolicies",
        "MutatingAdmissionPolicy",
    ),
    counted(
        ADMISSION,
        "mutatingadmissionpolicybindings",
        "MutatingAdmissionPolicyBinding",
    ),
    Line {
        status: true,
        ..cluster("apiregistration.k8s.io", "apiservices", "APIService")
    },
    Line {
        status: true,
        ..counted(FLOW_CONTROL, "flowschemas", "FlowSchema")
    },
    Line {
        status: true,
        ..counted(
            FLOW_CONTROL,
            "prioritylevelconfigurations",
            "PriorityLevelConfiguration",
        )
    },
    cluster("node.k8s.io", "runtimeclasses", "RuntimeClass"),
    Line {
        short: &["ip"],
        ..cluster(NETWORKING, "ipaddresses", "IPAddress")
    },
    Line {
        status: true,
        ..cluster(NETWORKING, "servicecidrs", "ServiceCIDR")
    },
    Line {
        returns_deleted: true,
        ..counted(DEVICES, "deviceclasses", "DeviceClass")
    },
    Line {
        generation: false,
        returns_deleted: true,
        ..workload(DEVICES, "resourceclaims", "ResourceClaim")
    },
    Line {
        generation: false,
        status: false,
        returns_deleted: true,
        ..workload(DEVICES, "resourceclaimtemplates", "ResourceClaimTemplate")
    },
    Line {
        returns_deleted: true,
        ..counted(DEVICES, "resourceslices", "ResourceSlice")
    },
    Line {
        returns_deleted: true,
        generation: false,
        ..cluster(STORAGE, "csidrivers", "CSIDriver")
    },
    Line {
        returns_deleted: true,
        ..cluster(STORAGE, "csinodes", "CSINode")
    },
    Line {
        generation: false,
        status: false,
        ..workload(STORAGE, "csistoragecapacities", "CSIStorageCapacity")
    },
    Line {
        status: true,
        returns_deleted: true,
        ..cluster(STORAGE, "volumeattachments", "VolumeAttachment")
    },
    Line {
        short: &["vac"],
        returns_deleted: true,
        ..cluster(STORAGE, "volumeattributesclasses", "VolumeAttributesClass")
    },
];
