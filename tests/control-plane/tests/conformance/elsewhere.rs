//! API services that another server is to answer, which is not there. Each case has a real server of its own, as they
//! keep every namespace of it from ending.

use serde_json::{Value, json};

use super::support::{Talk, thing_crd};

const SERVICES: &str = "/apis/apiregistration.k8s.io/v1/apiservices";
const CRDS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const AGGREGATED: &str =
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";

fn service() -> Value {
    json!({"metadata": {"name": "v1beta1.{group}"}, "spec": {
        "group": "{group}", "version": "v1beta1", "insecureSkipTLSVerify": true, "groupPriorityMinimum": 100, "versionPriority": 100,
        "service": {"name": "api", "namespace": "{ns}"},
    }})
}

/// Waits until its service is told to be unavailable for a reason.
async fn unavailable(talk: &mut Talk, reason: &str) {
    let path = format!("{SERVICES}/v1beta1.{{group}}");
    talk.get_until(&path, |_, service| {
        service["status"]["conditions"][0]["reason"] == reason
    })
    .await;
}

fn group_in(list: &Value, name: &str) -> Value {
    let all = ["groups", "items"].map(|field| list[field].as_array());
    let mut all = all.into_iter().flatten().flatten();
    let own = all.find(|group| group["name"] == name || group["metadata"]["name"] == name);
    own.cloned().unwrap_or_default()
}

conformance! {
    async fn why_another_server_is_not_available(talk: &mut Talk) {
        talk.post(SERVICES, service()).await;
        unavailable(talk, "ServiceNotFound").await;
        talk.prepare("/api/v1/namespaces/{ns}/services", json!({"metadata": {"name": "api"}, "spec": {"ports": [{"name": "http", "port": 80}]}})).await;
        unavailable(talk, "ServicePortError").await;
        talk.patch_unsaid("merge", "/api/v1/namespaces/{ns}/services/api", json!({"spec": {"ports": [{"name": "https", "port": 443}]}})).await;
        unavailable(talk, "EndpointsNotFound").await;
        talk.prepare("/apis/discovery.k8s.io/v1/namespaces/{ns}/endpointslices", json!({
            "metadata": {"name": "api", "labels": {"kubernetes.io/service-name": "api"}}, "addressType": "IPv4", "endpoints": [],
            "ports": [{"name": "https", "port": 443}],
        })).await;
        unavailable(talk, "MissingEndpoints").await;
        talk.unsaid("DELETE", "/api/v1/namespaces/{ns}/services/api", None).await;
        unavailable(talk, "ServiceNotFound").await;
    }

    async fn a_group_of_a_server_that_is_not_there(talk: &mut Talk) {
        let group = talk.fill("{group}");
        talk.unsaid("POST", SERVICES, Some(service())).await;
        talk.until("/apis/{group}/v1beta1", |code, _| code == 503).await;
        talk.until("/apis/{group}", |code, _| code == 200).await;
        talk.until_as("/apis", AGGREGATED, |value| group_in(value, &group)["versions"][0]["freshness"] == "Stale").await;
        talk.get("/apis/{group}").await;
        talk.get_picked("/apis", &[], |list| group_in(list, &group)).await;
        talk.get_picked("/apis", &[("accept", AGGREGATED)], |list| group_in(list, &group)).await;
        for path in ["", "/things", "/namespaces/{ns}/things/one"] {
            talk.get(&format!("/apis/{{group}}/v1beta1{path}")).await;
        }
        talk.delete("/apis/{group}/v1beta1/namespaces/{ns}/things/one").await;
        talk.post("/apis/{group}/v1beta1/namespaces/{ns}/things", json!({})).await;
        talk.get("/apis/{group}/v1").await;
    }

    async fn a_version_of_a_server_that_is_not_there_and_of_a_definition(talk: &mut Talk) {
        let group = talk.fill("{group}");
        talk.unsaid("POST", SERVICES, Some(service())).await;
        talk.until("/apis/{group}/v1beta1", |code, _| code == 503).await;
        let version = |name: &str, stored: bool| json!({
            "name": name, "served": true, "storage": stored, "schema": {"openAPIV3Schema": {"type": "object"}},
        });
        let mut definition = thing_crd(version("v1", true));
        definition["spec"]["versions"] = json!([version("v1", true), version("v1beta1", false)]);
        talk.prepare(CRDS, definition).await;
        talk.until_as("/apis", AGGREGATED, |value| {
            let group = group_in(value, &group);
            group["versions"].as_array().is_some_and(|all| all.len() == 2) && group["versions"][0]["freshness"] == "Current"
        }).await;
        talk.until("/apis/{group}/v1/namespaces/{ns}/things", |code, _| code == 200).await;
        for path in ["", "/v1", "/v1beta1", "/v1/namespaces/{ns}/things", "/v1beta1/namespaces/{ns}/things"] {
            talk.get(&format!("/apis/{{group}}{path}")).await;
        }
        talk.get_picked("/apis", &[("accept", AGGREGATED)], |list| group_in(list, &group)).await;
        talk.delete(&format!("{SERVICES}/v1beta1.{{group}}")).await;
        talk.patch_unsaid("merge", &format!("{CRDS}/things.{{group}}"), json!({"spec": {"names": {"categories": ["all"]}}})).await;
        talk.until("/apis/{group}/v1beta1", |code, list| code == 200 && list["resources"][0]["categories"][0] == "all").await;
        talk.get("/apis/{group}/v1beta1").await;
        // Somebody sees to it that it has one of its own again.
        talk.get_until(&format!("{SERVICES}/v1beta1.{{group}}"), |code, _| code == 200).await;
    }

    async fn no_namespace_ends_while_a_server_is_not_there(talk: &mut Talk) {
        talk.unsaid("POST", SERVICES, Some(service())).await;
        talk.until("/apis/{group}/v1beta1", |code, _| code == 503).await;
        let group = talk.fill("{group}");
        talk.until_as("/apis", AGGREGATED, |value| group_in(value, &group)["versions"][0]["freshness"] == "Stale").await;
        talk.prepare("/api/v1/namespaces", json!({"metadata": {"name": "{ns}-ends"}})).await;
        talk.unsaid("DELETE", "/api/v1/namespaces/{ns}-ends", None).await;
        if !talk.has_controllers() {
            return talk.skip();
        }
        talk.get_until("/api/v1/namespaces/{ns}-ends", |_, namespace| !namespace["status"]["conditions"].is_null()).await;
        talk.delete(&format!("{SERVICES}/v1beta1.{{group}}")).await;
        talk.get_until_gone("/api/v1/namespaces/{ns}-ends").await;
        talk.until("/apis/{group}/v1beta1", |code, _| code == 404).await;
        talk.get("/apis/{group}").await;
        talk.get("/apis/{group}/v1beta1").await;
    }

    async fn who_is_told_of_first(talk: &mut Talk) {
        let services = [("high", "v1", 20000, 15), ("high", "v1alpha2", 19000, 30), ("low", "v1", 10, 15), ("as-apps", "v1", 17800, 15), ("usual", "v1", 1000, 100)];
        for (group, version, priority, of_version) in services {
            let mut service = service();
            service["metadata"]["name"] = format!("{version}.{group}.{{group}}").into();
            for (field, value) in [
                ("group", format!("{group}.{{group}}").into()), ("version", version.into()), ("groupPriorityMinimum", priority.into()), ("versionPriority", of_version.into()),
            ] {
                service["spec"][field] = value;
            }
            talk.prepare(SERVICES, service).await;
        }
        for (group, ..) in services {
            let group = talk.fill(&format!("{group}.{{group}}"));
            talk.until(&format!("/apis/{group}"), |code, _| code == 200).await;
            talk.until_as("/apis", AGGREGATED, |value| group_in(value, &group)["versions"][0]["freshness"] == "Stale").await;
        }
        talk.get("/apis/high.{group}").await;
        for (accept, list, version) in [("application/json", "groups", "groupVersion"), (AGGREGATED, "items", "version")] {
            talk.get_picked("/apis", &[("accept", accept)], |told| {
                let groups = told[list].as_array().into_iter().flatten();
                groups.map(|group| json!([group["name"], group["metadata"]["name"], group["versions"].as_array().map(|all| all.iter().map(|one| one[version].clone()).collect::<Vec<_>>())])).collect()
            }).await;
        }
    }
}
