//! What a server has before anybody writes to it, and what it adds by itself.

use serde_json::{Value, json};

use super::support::{Talk, thing_crd};

/// Each object of a list, without what another server has another of.
fn all(list: &Value) -> Value {
    let items = list["items"].as_array().into_iter().flatten();
    items.map(without_times).collect()
}

fn without_times(object: &Value) -> Value {
    let mut object = object.clone();
    for field in ["uid", "resourceVersion", "managedFields"] {
        if let Some(metadata) = object["metadata"].as_object_mut() {
            metadata.remove(field);
        }
    }
    object
}

/// The same of those that are there from the start.
fn of_start(list: &Value) -> Value {
    const MANAGED: &str = "kube-aggregator.kubernetes.io/automanaged";
    let items = list["items"].as_array().into_iter().flatten();
    let at_start = items.filter(|service| service["metadata"]["labels"][MANAGED] == "onstart");
    at_start.map(without_times).collect()
}

conformance! {
    async fn how_a_server_is_set_up(talk: &mut Talk) {
        let rbac = "/apis/rbac.authorization.k8s.io/v1";
        for namespace in ["kube-system", "kube-public"] {
            for plural in ["roles", "rolebindings"] {
                talk.get_picked(&format!("{rbac}/namespaces/{namespace}/{plural}"), &[], all).await;
            }
        }
        for plural in ["flowschemas", "prioritylevelconfigurations"] {
            let path = format!("/apis/flowcontrol.apiserver.k8s.io/v1/{plural}?labelSelector=!a");
            talk.get_picked(&path, &[], |list| {
                let items = list["items"].as_array().into_iter().flatten();
                let at_start = items.filter(|one| !one["metadata"]["annotations"]["apf.kubernetes.io/autoupdate-spec"].is_null());
                at_start.map(without_times).collect()
            }).await;
        }
        talk.get_picked("/apis/apiregistration.k8s.io/v1/apiservices", &[], of_start).await;
        talk.get_picked("/apis/networking.k8s.io/v1/servicecidrs/kubernetes", &[], without_times).await;
        talk.get_picked("/api/v1/namespaces/kube-system/configmaps/kube-apiserver-legacy-service-account-token-tracking", &[], |map| {
            map["data"].as_object().unwrap().keys().cloned().collect()
        }).await;
        talk.get_picked("/apis/coordination.k8s.io/v1/namespaces/kube-system/leases?labelSelector=apiserver.kubernetes.io/identity%3Dkube-apiserver", &[], |list| {
            let lease = &list["items"][0];
            let name = lease["metadata"]["name"].as_str().unwrap();
            let holder = lease["spec"]["holderIdentity"].as_str().unwrap();
            let keys = |value: &Value| -> Vec<String> { value.as_object().unwrap().keys().cloned().collect() };
            json!([name.len(), holder.strip_prefix(name).is_some(), lease["spec"]["leaseDurationSeconds"], keys(&lease["metadata"]["labels"]), keys(&lease["metadata"]["annotations"])])
        }).await;
    }

    async fn what_a_server_tells_of_its_paths(talk: &mut Talk) {
        const SAID: [&str; 17] = [
            "/api", "/api/v1", "/apis", "/apis/", "/apis/apps", "/apis/apps/v1", "/healthz", "/healthz/ping", "/livez", "/livez/etcd", "/openapi/v2",
            "/openapi/v3", "/openapi/v3/", "/readyz", "/readyz/shutdown", "/readyz/informer-sync", "/version",
        ];
        talk.get_picked("/", &[], |told| {
            let paths = told["paths"].as_array().unwrap().iter();
            paths.filter(|path| SAID.contains(&path.as_str().unwrap())).cloned().collect()
        }).await;
        talk.get_picked("/api", &[], |told| {
            let mut told = told.clone();
            let address = &mut told["serverAddressByClientCIDRs"][0]["serverAddress"];
            *address = address.as_str().unwrap().starts_with("127.0.0.1:").into();
            told
        }).await;
        talk.get_picked("/apis/apiextensions.k8s.io/v1", &[], |told| told["resources"][0].clone()).await;
    }

    async fn api_services_of_definitions(talk: &mut Talk) {
        let services = "/apis/apiregistration.k8s.io/v1/apiservices";
        let version = |name: &str| json!({"name": name, "served": true, "storage": name == "v1", "schema": {"openAPIV3Schema": {"type": "object"}}});
        let mut definition = thing_crd(version("v1"));
        definition["spec"]["versions"] = json!([version("v1"), version("v2")]);
        talk.install(definition).await;
        for version in ["v1", "v2"] {
            talk.get_until(&format!("{services}/{version}.{{group}}"), |code, service| {
                code == 200 && !service["status"]["conditions"].is_null()
            }).await;
        }
        talk.delete("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/things.{group}").await;
        for version in ["v1", "v2"] {
            talk.get_until_gone(&format!("{services}/{version}.{{group}}")).await;
        }
    }

    async fn services_have_addresses(talk: &mut Talk) {
        let service = talk.prepare("/api/v1/namespaces/{ns}/services", json!({"metadata": {"name": "web"}, "spec": {"ports": [{"port": 80}]}})).await;
        let path = format!("/apis/networking.k8s.io/v1/ipaddresses/{}", service["spec"]["clusterIP"].as_str().unwrap());
        talk.say("the address of the service");
        talk.until(&path, |code, _| code == 200).await;
        talk.get_picked("/apis/networking.k8s.io/v1/ipaddresses?labelSelector=ipaddress.kubernetes.io/managed-by%3Dipallocator.k8s.io", &[], |list| {
            let items = list["items"].as_array().into_iter().flatten();
            items.filter(|address| address["spec"]["parentRef"]["name"] == "web" && address["spec"]["parentRef"]["namespace"] == service["metadata"]["namespace"]).cloned().collect()
        }).await;
        talk.unsaid("DELETE", "/api/v1/namespaces/{ns}/services/web", None).await;
        talk.until_gone(&path).await;
    }
}
