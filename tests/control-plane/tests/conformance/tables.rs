//! Tables of every kind, which say what their columns mean.

use serde_json::Value;

use super::support::Talk;

const TABLE: &str = "application/json;as=Table;g=meta.k8s.io;v=v1";

/// What a server has of a group, and can list.
fn listed(resources: &Value) -> Vec<String> {
    let all = resources["resources"].as_array().into_iter().flatten();
    let can_list = |one: &&Value| {
        one["verbs"]
            .as_array()
            .is_some_and(|verbs| verbs.contains(&"list".into()))
    };
    let mut names: Vec<String> = all
        .filter(can_list)
        .filter_map(|one| one["name"].as_str().map(str::to_owned))
        .collect();
    names.sort();
    names
}

conformance! {
    async fn columns_of_every_kind(talk: &mut Talk) {
        for group in [
            "api/v1", "apis/admissionregistration.k8s.io/v1", "apis/apiextensions.k8s.io/v1", "apis/apiregistration.k8s.io/v1", "apis/apps/v1", "apis/autoscaling/v1",
            "apis/autoscaling/v2", "apis/batch/v1", "apis/certificates.k8s.io/v1", "apis/coordination.k8s.io/v1", "apis/discovery.k8s.io/v1", "apis/events.k8s.io/v1",
            "apis/flowcontrol.apiserver.k8s.io/v1", "apis/networking.k8s.io/v1", "apis/node.k8s.io/v1", "apis/policy/v1", "apis/rbac.authorization.k8s.io/v1", "apis/resource.k8s.io/v1",
            "apis/scheduling.k8s.io/v1", "apis/storage.k8s.io/v1",
        ] {
            let resources = talk.unsaid("GET", &format!("/{group}"), None).await;
            for plural in listed(&resources) {
                let path = format!("/{group}/{plural}?limit=1");
                talk.get_picked(&path, &[("accept", TABLE)], |table| table["columnDefinitions"].clone()).await;
            }
        }
    }
}
