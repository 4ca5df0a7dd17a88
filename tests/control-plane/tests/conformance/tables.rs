//! Tables of every kind, which say what their columns mean.

use serde_json::{Value, json};

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
    async fn who_is_bound(talk: &mut Talk) {
        const BINDINGS: &str = "/apis/rbac.authorization.k8s.io/v1/namespaces/{ns}/rolebindings";
        let (user, group) = (
            json!({"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": "a", "namespace": "b"}),
            json!({"kind": "Group", "apiGroup": "rbac.authorization.k8s.io", "name": "c", "namespace": "d"}),
        );
        let account = json!({"kind": "ServiceAccount", "name": "e", "namespace": "f"});
        let role = json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "one"});
        talk.post(BINDINGS, json!({"metadata": {"name": "one"}, "roleRef": role, "subjects": [user, group, account]})).await;
        talk.get_picked(&format!("{BINDINGS}/one"), &[("accept", TABLE)], |table| {
            let cells = table["rows"][0]["cells"].as_array().unwrap();
            [1, 3, 4, 5].map(|at| cells[at].clone()).into_iter().collect()
        }).await;
    }

    async fn how_often_a_template_has_changed_is_told_of_whole_objects(talk: &mut Talk) {
        const SETS: &str = "/apis/apps/v1/namespaces/{ns}/daemonsets";
        let template = json!({"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "main", "image": "web:1"}]}});
        let spec = json!({"selector": {"matchLabels": {"app": "web"}}, "template": template});
        talk.prepare(SETS, json!({"metadata": {"name": "one"}, "spec": spec})).await;
        talk.prepare(SETS, json!({"metadata": {"name": "two", "annotations": {"a": "b"}}, "spec": spec})).await;
        let metadata = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
        let list = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
        for name in ["one", "two"] {
            let path = format!("{SETS}/{name}");
            talk.get_picked(&path, &[], |set| set["metadata"]["annotations"].clone()).await;
            talk.get_picked(&path, &[("accept", metadata)], |set| set["metadata"]["annotations"].clone()).await;
            talk.get_picked(&path, &[("accept", TABLE)], |table| table["rows"][0]["object"]["metadata"]["annotations"].clone()).await;
            talk.get_picked(&format!("{path}?includeObject=Object"), &[("accept", TABLE)], |table| {
                table["rows"][0]["object"]["metadata"]["annotations"].clone()
            }).await;
        }
        talk.get_picked(SETS, &[("accept", list)], |list| {
            list["items"].as_array().unwrap().iter().map(|set| set["metadata"]["annotations"].clone()).collect()
        }).await;
    }

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
