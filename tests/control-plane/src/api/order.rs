//! Which groups, and which of their versions, the server tells of first.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::elsewhere;
use crate::kinds::priority;
use crate::plane::Plane;

/// In what order a real server tells of the groups of Kubernetes.
const ORDER: [&str; 21] = [
    "",
    "apiregistration.k8s.io",
    "apps",
    "events.k8s.io",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "autoscaling",
    "batch",
    "certificates.k8s.io",
    "networking.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "storage.k8s.io",
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "scheduling.k8s.io",
    "coordination.k8s.io",
    "node.k8s.io",
    "discovery.k8s.io",
    "resource.k8s.io",
    "flowcontrol.apiserver.k8s.io",
];
/// What counts where no API service says it: the most for the groups of Kubernetes, and as for a custom resource else.
const MOST: i64 = 20_000;
const USUAL: i64 = 1_000;
const USUAL_OF_A_VERSION: i64 = 100;

/// What the API services of a control plane say of it.
pub(super) struct Order {
    groups: BTreeMap<String, i64>,
    /// By the names of the API services.
    versions: BTreeMap<String, i64>,
}

impl Order {
    pub(super) fn of(plane: &Plane) -> Self {
        let (mut groups, mut versions) = (BTreeMap::new(), BTreeMap::new());
        for kept in plane.store.list(&elsewhere::bucket(), None).objects {
            let spec = &kept.read()["spec"];
            let number = |field: &str| spec[field].as_i64().unwrap_or_default();
            let group = spec["group"].as_str().unwrap_or_default().to_owned();
            let most = groups.entry(group).or_default();
            *most = number("groupPriorityMinimum").max(*most);
            versions.insert(kept.key.name.clone(), number("versionPriority"));
        }
        Self { groups, versions }
    }

    /// The least of them comes first.
    pub(super) fn of_group(&self, group: &str) -> impl Ord + use<> {
        let known = ORDER.iter().position(|known| *known == group);
        let usual = if known.is_some() { MOST } else { USUAL };
        let priority = self.groups.get(group).copied().unwrap_or(usual);
        (Reverse(priority), known.unwrap_or(ORDER.len()))
    }

    /// The least of them is the preferred one.
    pub(super) fn of_version(&self, group: &str, version: &str) -> impl Ord + use<> {
        let said = self.versions.get(&format!("{version}.{group}"));
        let said = said.copied().unwrap_or(USUAL_OF_A_VERSION);
        (Reverse(said), Reverse(priority(version)))
    }
}
