//! Discovery: what a client learns of a server before it asks for anything.

use serde_json::{Value, json};

use super::support::Talk;

const AGGREGATED: &str =
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";

fn crd(version_names: &[&str]) -> Value {
    let versions: Vec<Value> = version_names
        .iter()
        .enumerate()
        .map(|(index, name)| {
            json!({
                "name": name, "served": true, "storage": index == 0,
                "subresources": {"status": {}, "scale": {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"}},
                "schema": {"openAPIV3Schema": {"type": "object", "description": "A thing.", "properties": {
                    "spec": {"type": "object", "properties": {"replicas": {"type": "integer", "description": "How many."}}},
                    "status": {"type": "object", "properties": {"replicas": {"type": "integer"}}},
                }}},
            })
        })
        .collect();
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "things.{group}"},
        "spec": {
            "group": "{group}", "scope": "Namespaced", "versions": versions,
            "names": {"kind": "Thing", "plural": "things", "singular": "thing", "listKind": "ThingList", "shortNames": ["th"], "categories": ["all", "toys"]},
        },
    })
}

/// What is said of some resources in a list of many.
fn some(list: &Value, names: &[&str]) -> Value {
    let resources = list["resources"].as_array().cloned().unwrap_or_default();
    let known = resources
        .into_iter()
        .filter(|one| names.contains(&one["name"].as_str().unwrap_or_default()));
    let mut known: Vec<Value> = known.collect();
    for one in &mut known {
        if let Some(fields) = one.as_object_mut() {
            fields.remove("storageVersionHash");
        }
    }
    json!({"groupVersion": list["groupVersion"], "kind": list["kind"], "resources": known})
}

/// Waits until the group of the case is told everywhere.
async fn known(talk: &mut Talk) {
    talk.until("/apis/{group}", |code, _| code == 200).await;
}

conformance! {
    async fn versions_of_the_core_group(talk: &mut Talk) {
        talk.get_picked("/api", &[], |value| json!({"kind": value["kind"], "versions": value["versions"]})).await;
        talk.get_picked("/version", &[], |value| json!([value["major"], value["minor"]])).await;
    }

    async fn a_server_is_ready_and_alive(talk: &mut Talk) {
        for path in ["/readyz", "/livez", "/healthz"] {
            talk.get(path).await;
        }
        talk.get("/readyz/ping").await;
        talk.get("/livez/nothing").await;
        talk.say("at length");
        for path in [
            "/readyz?verbose", "/livez?verbose=0", "/healthz?verbose&exclude=ping", "/readyz?verbose&exclude=two&exclude=one&exclude=etcd",
        ] {
            talk.get(path).await;
        }
        for path in ["/readyz?exclude=one", "/readyz/ping?verbose", "/readyz/etcd-readiness", "/readyz/shutdown", "/livez/shutdown", "/readyz/", "/livez/ping/"] {
            talk.get(path).await;
        }
        talk.say("by any verb");
        for verb in ["HEAD", "POST", "DELETE"] {
            talk.send(verb, "/livez", &[], None).await;
            talk.send(verb, "/readyz/ping", &[], None).await;
        }
    }

    async fn checks_that_are_done_at_the_start(talk: &mut Talk) {
        for path in ["/readyz/poststarthook/start-apiextensions-informers", "/livez/poststarthook/rbac/bootstrap-roles", "/healthz/poststarthook", "/readyz/poststarthook/none"] {
            talk.get(path).await;
        }
    }

    async fn documents_for_people_to_read(talk: &mut Talk) {
        let names = |line: &str| line.split(": ").next().map(str::to_owned);
        talk.get_lines("/version", &[], names).await;
        // Groups that other cases have are there, too, and what only its makers read.
        let is_other = |line: &str| {
            let mut parts = line.trim().trim_matches(['"', ',']).split('/').skip(1);
            match (parts.next(), parts.next()) {
                (Some("apis"), Some(group)) => {
                    group.contains('-') || group.contains('.') && !group.ends_with(".k8s.io")
                }
                _ => false,
            }
        };
        talk.get_lines("/", &[], |line| (!is_other(line)).then(|| line.trim_end_matches(',').to_owned())).await;
    }

    async fn metrics_for_who_collects_them(talk: &mut Talk) {
        let is_ours = |line: &str, name: &str| line.starts_with(name) || line.starts_with(&format!("# TYPE {name}")) || line.starts_with(&format!("# HELP {name}"));
        talk.get_lines("/metrics", &[], |line| (line == "# TYPE kubernetes_build_info gauge").then(|| line.to_owned())).await;
        talk.get_lines("/metrics/slis", &[], |line| {
            is_ours(line, "kubernetes_healthcheck").then(|| line.to_owned()).filter(|line| !line.contains("kubernetes_healthchecks_total"))
        }).await;
    }

    async fn documents_that_look_at_no_verb(talk: &mut Talk) {
        for path in ["/api", "/api/v1", "/version", "/apis", "/apis/apps", "/apis/apps/v1"] {
            talk.send("HEAD", path, &[], None).await;
        }
    }

    async fn slashes_without_anything_between(talk: &mut Talk) {
        talk.prepare("/api/v1/namespaces/{ns}/configmaps", json!({"metadata": {"name": "slashed-{ns}"}})).await;
        for path in [
            "//", "//api", "//api/v1/namespaces/{ns}", "/api//v1/namespaces/{ns}", "/api/v1//namespaces/{ns}", "/apis//v1/namespaces",
            "/apis/apps//deployments", "/apis/apps/v1//deployments", "/api/v1/namespaces/{ns}//configmaps", "/api/v1/namespaces/{ns}/configmaps//one",
            "/api/v1/namespaces/{ns}/configmaps/one/", "/api/v1/namespaces/{ns}/configmaps/one//", "/api/v1/nodes/{ns}//status",
            "/api/v1/namespaces//configmaps/one", "/api/v1/namespaces//configmaps?fieldSelector=metadata.name%3Dslashed-{ns}",
        ] {
            talk.get(path).await;
        }
    }

    async fn numbers_in_queries(talk: &mut Talk) {
        for path in ["limit=one", "limit=99999999999999999999", "limit=-1", "limit=", "timeoutSeconds=1.5", "timeoutSeconds=", "timeoutSeconds=-1"] {
            talk.get(&format!("/api/v1/namespaces/{{ns}}/secrets?{path}")).await;
        }
    }

    async fn resources_of_the_core_group(talk: &mut Talk) {
        let names = [
            "namespaces", "namespaces/status", "namespaces/finalize", "configmaps", "secrets", "services", "services/status", "serviceaccounts", "events",
            "pods", "pods/attach", "pods/binding", "pods/ephemeralcontainers", "pods/eviction", "pods/exec", "pods/log", "pods/portforward", "pods/proxy", "pods/status", "nodes", "nodes/proxy", "nodes/status", "services/proxy", "persistentvolumeclaims", "persistentvolumeclaims/status", "persistentvolumes", "endpoints",
            "limitranges", "resourcequotas", "resourcequotas/status", "replicationcontrollers", "replicationcontrollers/scale", "replicationcontrollers/status", "podtemplates",
        ];
        talk.get_picked("/api/v1", &[], |value| some(value, &names)).await;
    }

    async fn resources_of_other_groups(talk: &mut Talk) {
        for (group, names) in [
            ("apps/v1", &["deployments", "deployments/scale", "deployments/status", "statefulsets", "statefulsets/scale", "daemonsets", "replicasets", "replicasets/scale", "controllerrevisions"][..]),
            ("batch/v1", &["jobs", "jobs/status", "cronjobs", "cronjobs/status"]),
            ("coordination.k8s.io/v1", &["leases"]),
            ("rbac.authorization.k8s.io/v1", &["roles", "rolebindings", "clusterroles", "clusterrolebindings"]),
            ("networking.k8s.io/v1", &["ingresses", "ingresses/status", "ingressclasses", "networkpolicies"]),
            ("apiextensions.k8s.io/v1", &["customresourcedefinitions", "customresourcedefinitions/status"]),
            ("events.k8s.io/v1", &["events"]),
            ("policy/v1", &["poddisruptionbudgets", "poddisruptionbudgets/status"]),
            ("autoscaling/v2", &["horizontalpodautoscalers", "horizontalpodautoscalers/status"]),
            ("discovery.k8s.io/v1", &["endpointslices"]),
            ("storage.k8s.io/v1", &["storageclasses"]),
            ("scheduling.k8s.io/v1", &["priorityclasses"]),
            ("authorization.k8s.io/v1", &["selfsubjectaccessreviews", "selfsubjectrulesreviews"]),
        ] {
            talk.get_picked(&format!("/apis/{group}"), &[], |value| some(value, names)).await;
        }
    }

    async fn as_what_objects_are_stored(talk: &mut Talk) {
        for group in ["api/v1", "apis/admissionregistration.k8s.io/v1", "apis/apiextensions.k8s.io/v1", "apis/apps/v1", "apis/autoscaling/v1", "apis/autoscaling/v2", "apis/events.k8s.io/v1", "apis/networking.k8s.io/v1"] {
            talk.get_picked(&format!("/{group}"), &[], |list| {
                let resources = list["resources"].as_array().into_iter().flatten();
                let stored = resources.filter(|one| !one["storageVersionHash"].is_null());
                stored.map(|one| (one["name"].as_str().unwrap().to_owned(), one["storageVersionHash"].clone())).collect()
            }).await;
        }
    }

    async fn groups_are_listed(talk: &mut Talk) {
        let groups = ["apps", "batch", "coordination.k8s.io", "rbac.authorization.k8s.io", "apiextensions.k8s.io", "networking.k8s.io"];
        talk.get_picked("/apis", &[], |value| {
            let all = value["groups"].as_array().cloned().unwrap_or_default();
            let ours: Vec<Value> = all.into_iter().filter(|group| groups.contains(&group["name"].as_str().unwrap_or_default())).collect();
            let mut ours = ours;
            ours.sort_by_key(|group| group["name"].to_string());
            json!({"kind": value["kind"], "apiVersion": value["apiVersion"], "groups": ours})
        }).await;
        talk.get("/apis/apps").await;
        talk.get("/apis/coordination.k8s.io").await;
        talk.get("/apis/nothing.example.com").await;
        talk.get("/apis/nothing.example.com/v1").await;
        talk.get("/apis/apps/v7").await;
    }

    async fn the_group_of_a_crd(talk: &mut Talk) {
        talk.install(crd(&["v1"])).await;
        known(talk).await;
        talk.get("/apis/{group}").await;
        talk.get("/apis/{group}/v1").await;
        talk.get("/apis/{group}/v2").await;
        talk.get_picked("/apis", &[], |value| {
            let all = value["groups"].as_array().cloned().unwrap_or_default();
            all.into_iter().find(|group| group["name"] == "the-group-of-a-crd.example.com").unwrap_or_default()
        }).await;
    }

    async fn versions_of_a_crd_come_in_the_order_of_their_stability(talk: &mut Talk) {
        talk.install(crd(&["v1beta1", "v1", "v2alpha1", "v10", "v2", "odd"])).await;
        known(talk).await;
        talk.get("/apis/{group}").await;
        talk.get("/apis/{group}/v10").await;
    }

    async fn discovery_in_one_answer(talk: &mut Talk) {
        talk.install(crd(&["v1", "v1beta1"])).await;
        known(talk).await;
        let ours = |value: &Value, name: &str| {
            let all = value["items"].as_array().cloned().unwrap_or_default();
            let group = all.into_iter().find(|group| group["metadata"]["name"].as_str().unwrap_or_default() == name);
            json!({"kind": value["kind"], "apiVersion": value["apiVersion"], "group": group})
        };
        talk.until_as("/apis", AGGREGATED, |value| value["items"].as_array().is_some_and(|all| all.iter().any(|one| one["metadata"]["name"] == "discovery-in-one-answer.example.com"))).await;
        talk.get_picked("/apis", &[("accept", AGGREGATED)], |value| ours(value, "discovery-in-one-answer.example.com")).await;
        talk.get_picked("/apis", &[("accept", AGGREGATED)], |value| ours(value, "coordination.k8s.io")).await;
        talk.get_picked("/api", &[("accept", AGGREGATED)], |value| {
            let resources = value["items"][0]["versions"][0]["resources"].as_array().cloned().unwrap_or_default();
            let known = ["configmaps", "namespaces", "pods", "secrets", "services"];
            let mut ours: Vec<Value> = resources.into_iter().filter(|one| known.contains(&one["resource"].as_str().unwrap_or_default())).collect();
            for one in &mut ours {
                // What is done inside of a node.
                if let Some(subresources) = one["subresources"].as_array_mut() {
                    subresources.retain(|one| one["subresource"] == "status" || one["subresource"] == "finalize");
                }
            }
            json!({"kind": value["kind"], "apiVersion": value["apiVersion"], "resources": ours})
        }).await;
    }

    async fn fields_come_in_the_order_of_their_types(talk: &mut Talk) {
        talk.install(crd(&["v1"])).await;
        known(talk).await;
        let group = talk.fill("{group}");
        talk.until_as("/apis", AGGREGATED, |value| value["items"].as_array().is_some_and(|all| all.iter().any(|one| one["metadata"]["name"] == *group))).await;
        let name = |line: &str| line.split(": ").next().map(str::to_owned);
        talk.get_lines("/api?pretty=true", &[], name).await;
        for path in ["/apis/autoscaling", "/apis/autoscaling/v1", "/apis/{group}", "/apis/{group}/v1"] {
            talk.get_lines(path, &[], |line| Some(format!("as it is: {line}"))).await;
            talk.get_lines(&format!("{path}?pretty=true"), &[], |line| Some(format!("as it is: {line}"))).await;
        }
        let ours = |line: &str| {
            let groups: Vec<&str> = line.split(r#"{"metadata":"#).filter(|told| told.contains(&group)).collect();
            (!groups.is_empty()).then(|| format!("as it is: {}", groups.concat().trim_end_matches(['}', ']', ','])))
        };
        talk.get_lines("/apis", &[("accept", AGGREGATED)], ours).await;
    }

    async fn the_schema_of_a_crd(talk: &mut Talk) {
        talk.install(crd(&["v1"])).await;
        talk.until("/openapi/v3/apis/{group}/v1", |code, _| code == 200).await;
        talk.get_picked("/openapi/v3/apis/{group}/v1", &[], |value| {
            let schemas = value["components"]["schemas"].as_object().cloned().unwrap_or_default();
            let thing = schemas.into_iter().find(|(name, _)| name.ends_with(".Thing"));
            let mut thing = thing.unwrap_or_default();
            // The texts are for people.
            for field in ["apiVersion", "kind", "metadata"] {
                if let Some(field) = thing.1["properties"][field].as_object_mut() {
                    field.remove("description");
                }
            }
            json!([value["openapi"], thing.0, thing.1])
        }).await;
        talk.get("/openapi/v3/apis/{group}/v9").await;
        talk.get("/openapi/v3/nothing").await;
    }

    async fn a_group_goes_with_its_last_crd(talk: &mut Talk) {
        talk.install(crd(&["v1"])).await;
        known(talk).await;
        talk.unsaid("DELETE", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/things.{group}", None).await;
        talk.until("/apis/{group}", |code, _| code == 404).await;
        talk.get("/apis/{group}").await;
        talk.get("/apis/{group}/v1").await;
        talk.get("/apis/{group}/v1/namespaces/{ns}/things").await;
    }
}
