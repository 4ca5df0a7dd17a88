//! What holds for the whole of a cluster where nothing else is said. Each case has a real server of its own.

use serde_json::{Value, json};

use super::support::{Talk, extend};

const TABLE: &str = "application/json;as=Table;g=meta.k8s.io;v=v1";

conformance! {
    async fn one_class_of_priority_is_that_of_all_pods(talk: &mut Talk) {
        const CLASSES: &str = "/apis/scheduling.k8s.io/v1/priorityclasses";
        const PODS: &str = "/api/v1/namespaces/{ns}/pods";
        let class = |name: &str, value: i64, is_default: bool| {
            json!({"metadata": {"name": name}, "value": value, "globalDefault": is_default})
        };
        let pod = |name: &str, more: Value| {
            let mut spec = json!({"containers": [{"name": "one", "image": "one"}]});
            extend(&mut spec, &more);
            json!({"metadata": {"name": name}, "spec": spec})
        };
        talk.post(CLASSES, class("one", 5, true)).await;
        talk.post_until(&format!("{PODS}?dryRun=All"), pod("soon", json!({"priority": 5})), |code| code == 201).await;
        talk.post(CLASSES, class("two", 6, true)).await;
        talk.post(CLASSES, class("two", 6, false)).await;
        talk.patch("merge", &format!("{CLASSES}/two"), json!({"globalDefault": true})).await;
        talk.patch("merge", &format!("{CLASSES}/one"), json!({"description": "the one"})).await;
        talk.post(PODS, pod("one", json!({}))).await;
        talk.post(PODS, pod("empty", json!({"priorityClassName": ""}))).await;
        talk.post(PODS, pod("own", json!({"priority": 0}))).await;
        talk.post(PODS, pod("never", json!({"preemptionPolicy": "Never"}))).await;
        talk.post(PODS, pod("system", json!({"priorityClassName": "system-node-critical"}))).await;
        talk.patch("merge", &format!("{CLASSES}/one"), json!({"globalDefault": false})).await;
        talk.post_until(&format!("{PODS}?dryRun=All"), pod("soon", json!({"priority": 0})), |code| code == 201).await;
        talk.patch("merge", &format!("{CLASSES}/two"), json!({"globalDefault": true})).await;
    }

    async fn claims_and_ingresses_have_the_class_that_is_marked(talk: &mut Talk) {
        const STORAGE: &str = "/apis/storage.k8s.io/v1/storageclasses";
        const INGRESSES: &str = "/apis/networking.k8s.io/v1/ingressclasses";
        const CLAIMS: &str = "/api/v1/namespaces/{ns}/persistentvolumeclaims";
        const ROUTES: &str = "/apis/networking.k8s.io/v1/namespaces/{ns}/ingresses";
        let storage = |name: &str, mark: &str| {
            json!({"metadata": {"name": name, "annotations": {mark: "true"}}, "provisioner": "example.com/one"})
        };
        let claim = |name: &str, metadata: Value, class: Value| {
            let spec = json!({"accessModes": ["ReadWriteOnce"], "storageClassName": class, "resources": {"requests": {"storage": "1Gi"}}});
            let mut metadata = metadata;
            metadata["name"] = name.into();
            json!({"metadata": metadata, "spec": spec})
        };
        talk.post(CLAIMS, claim("before", json!({}), json!(null))).await;
        talk.prepare(STORAGE, storage("b", "storageclass.kubernetes.io/is-default-class")).await;
        talk.post_until_answer(&format!("{CLAIMS}?dryRun=All"), claim("soon", json!({}), json!(null)), |claim| claim["spec"]["storageClassName"] == "b").await;
        let called = |table: &Value| table["rows"][0]["cells"][0].clone();
        talk.get_picked(&format!("{STORAGE}/b"), &[("accept", TABLE)], called).await;
        talk.post(CLAIMS, claim("one", json!({}), json!(null))).await;
        talk.post(CLAIMS, claim("empty", json!({}), json!(""))).await;
        talk.post(CLAIMS, claim("other", json!({}), json!("other"))).await;
        talk.post(CLAIMS, claim("older", json!({"annotations": {"volume.beta.kubernetes.io/storage-class": "older"}}), json!(null))).await;
        talk.patch("merge", &format!("{CLAIMS}/before"), json!({"metadata": {"labels": {"a": "b"}}})).await;
        talk.say("what is no more marked");
        talk.unsaid("DELETE", &format!("{STORAGE}/b"), None).await;
        talk.prepare(STORAGE, storage("a", "storageclass.beta.kubernetes.io/is-default-class")).await;
        talk.post_until_answer(&format!("{CLAIMS}?dryRun=All"), claim("soon", json!({}), json!(null)), |claim| claim["spec"]["storageClassName"] == "a").await;
        talk.post(CLAIMS, claim("two", json!({}), json!(null))).await;
        talk.say("ingresses");
        let ingress = |name: &str, annotations: Value, class: Value| {
            let backend = json!({"service": {"name": "one", "port": {"number": 80}}});
            json!({"metadata": {"name": name, "annotations": annotations}, "spec": {"ingressClassName": class, "defaultBackend": backend}})
        };
        talk.post(ROUTES, ingress("before", json!({}), json!(null))).await;
        talk.prepare(INGRESSES, json!({"metadata": {"name": "own", "annotations": {"ingressclass.kubernetes.io/is-default-class": "true"}}, "spec": {"controller": "example.com/one"}})).await;
        talk.post_until_answer(&format!("{ROUTES}?dryRun=All"), ingress("soon", json!({}), json!(null)), |ingress| ingress["spec"]["ingressClassName"] == "own").await;
        talk.get_picked(&format!("{INGRESSES}/own"), &[("accept", TABLE)], called).await;
        talk.post(ROUTES, ingress("one", json!({}), json!(null))).await;
        talk.post(ROUTES, ingress("other", json!({}), json!("other"))).await;
        talk.post(ROUTES, ingress("older", json!({"kubernetes.io/ingress.class": "older"}), json!(null))).await;
        talk.patch("merge", &format!("{ROUTES}/before"), json!({"metadata": {"labels": {"a": "b"}}})).await;
    }

    async fn what_is_always_there_comes_back(talk: &mut Talk) {
        if !talk.has_controllers() { return talk.skip() }
        const SERVICES: &str = "/api/v1/namespaces/default/services";
        const LEASES: &str = "/api/v1/namespaces/kube-node-lease";
        // A real server makes it a moment after its start.
        talk.until(&format!("{SERVICES}/kubernetes"), |code, _| code == 200).await;
        let service = talk.unsaid("GET", &format!("{SERVICES}/kubernetes"), None).await;
        talk.unsaid("DELETE", SERVICES, None).await;
        let is_new = |old: &Value, new: &Value| new["kind"] == old["kind"] && new["metadata"]["uid"] != old["metadata"]["uid"];
        talk.until(&format!("{SERVICES}/kubernetes"), |_, new| is_new(&service, new)).await;
        talk.get_picked(&format!("{SERVICES}/kubernetes"), &[], |service| {
            let mut service = service.clone();
            // The port is another on every server.
            service["spec"]["ports"][0]["targetPort"] = Value::Null;
            service
        }).await;
        let namespace = talk.delete(LEASES).await.body;
        talk.until(LEASES, |_, new| is_new(&namespace, new)).await;
        talk.get(LEASES).await;
    }
}
