//! Quantities in all their spellings, and what objects said in older versions.

use serde_json::{Value, json};

use super::support::Talk;

const PODS: &str = "/api/v1/namespaces/{ns}/pods";
const DRY_PODS: &str = "/api/v1/namespaces/{ns}/pods?dryRun=All";

fn pod(container: Value) -> Value {
    let mut pod = json!({"metadata": {"name": "one"}, "spec": {"containers": [{"name": "a", "image": "registry.example.com/app:1.0"}]}});
    let fields = pod["spec"]["containers"][0].as_object_mut().unwrap();
    fields.extend(container.as_object().unwrap().clone());
    pod
}

fn with_template(annotations: Value) -> Value {
    let containers = pod(json!({}))["spec"]["containers"].clone();
    json!({
        "selector": {"matchLabels": {"a": "b"}},
        "template": {"metadata": {"labels": {"a": "b"}, "annotations": annotations}, "spec": {"containers": containers}},
    })
}

conformance! {
    async fn quantities_are_spelled_as_they_were_or_in_one_form(talk: &mut Talk) {
        for quantity in [
            json!("0.1Gi"), json!("1.0001Ki"), json!("1.5Gi"), json!("0.5Ki"), json!("1025Ki"), json!("16Ei"), json!("1E3"), json!("1e+3"), json!("1E-3"), json!("5."),
            json!("+5"), json!("007"), json!("1.500"), json!("1.50"), json!("0.500"), json!("1000k"), json!("12.3e3"), json!("-"), json!("Mi"), json!(".5"), json!("1E20"),
            json!("100n"), json!("0.5m"), json!("1500u"), json!("1e-9"), json!(0.0001), json!(1.5), json!(""), json!("1Kii"), json!("1e"), json!("1.2.3"), json!("1 Gi"),
        ] {
            talk.post(DRY_PODS, pod(json!({"resources": {"limits": {"cpu": quantity}}}))).await;
            let mut volume = pod(json!({}));
            volume["spec"]["volumes"] = json!([{"name": "v", "emptyDir": {"sizeLimit": quantity}}]);
            talk.post(DRY_PODS, volume).await;
        }
        talk.say("what is counted is whole");
        for quantity in ["1.5", "1m", "5"] {
            talk.post(DRY_PODS, pod(json!({"resources": {"limits": {"example.com/x": quantity}}}))).await;
        }
        let path = "/api/v1/namespaces/{ns}/resourcequotas?dryRun=All";
        talk.post(path, json!({"metadata": {"name": "one"}, "spec": {"hard": {"limits.cpu": "100n"}}})).await;
        talk.post("/apis/node.k8s.io/v1/runtimeclasses?dryRun=All", json!({"metadata": {"name": "{ns}"}, "handler": "x", "overhead": {"podFixed": {"cpu": "100n"}}})).await;
    }

    async fn huge_pages_are_whole(talk: &mut Talk) {
        for (name, quantity) in [
            ("hugepages-2Mi", "3Mi"), ("hugepages-2Mi", "4Mi"), ("hugepages-2Mi", "1.5Mi"), ("hugepages-2Mi", "0"), ("hugepages-1Gi", "1"), ("hugepages-x", "4Mi"),
            ("hugepages-1m", "4"),
        ] {
            talk.post(DRY_PODS, pod(json!({"resources": {"limits": {"cpu": 1, (name): quantity}}}))).await;
        }
    }

    async fn units_of_what_a_container_is_told(talk: &mut Talk) {
        for resource in ["limits.cpu", "requests.memory", "limits.ephemeral-storage", "requests.hugepages-2Mi", "requests.x", ""] {
            for divisor in ["1", "1m", "1k", "2", "01", "0"] {
                let source = json!({"resourceFieldRef": {"resource": resource, "divisor": divisor}});
                talk.post(DRY_PODS, pod(json!({"env": [{"name": "A", "valueFrom": source}]}))).await;
            }
        }
        for field in ["metadata.annotations['A B']", "metadata.labels['A B']"] {
            talk.post(DRY_PODS, pod(json!({"env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": field}}}]}))).await;
        }
    }

    async fn a_pod_has_a_moment_to_end(talk: &mut Talk) {
        for (name, grace) in [("one", -1), ("two", 5)] {
            let mut one = pod(json!({}));
            one["metadata"]["name"] = name.into();
            one["spec"]["terminationGracePeriodSeconds"] = grace.into();
            talk.post(PODS, one).await;
            for grace in [-1, -5, 1, 5] {
                talk.patch("merge", &format!("{PODS}/{name}"), json!({"spec": {"terminationGracePeriodSeconds": grace}})).await;
            }
        }
    }

    async fn annotations_that_were_fields_once(talk: &mut Talk) {
        let annotations = json!({"pod.beta.kubernetes.io/init-containers": "x", "pod.alpha.kubernetes.io/init-container-statuses": "y", "a": "b"});
        let mut one = pod(json!({}));
        one["metadata"]["annotations"] = annotations.clone();
        talk.post(PODS, one).await;
        talk.patch("merge", &format!("{PODS}/one"), json!({"metadata": {"annotations": annotations}})).await;
        let apps = "/apis/apps/v1/namespaces/{ns}";
        for kind in ["deployments", "daemonsets"] {
            let path = format!("{apps}/{kind}");
            talk.post(&format!("{path}?dryRun=All"), json!({"metadata": {"name": "one"}, "spec": with_template(annotations.clone())})).await;
            let name = match kind {
                "deployments" => "deprecated.deployment.rollback.to",
                _ => "deprecated.daemonset.template.generation",
            };
            for number in ["", "x", "5", "+05", "0", "-2", "99999999999999999999"] {
                let said = json!({(name): number});
                talk.post(&format!("{path}?dryRun=All"), json!({"metadata": {"name": "one", "annotations": said}, "spec": with_template(json!({}))})).await;
            }
            talk.post(&path, json!({"metadata": {"name": "one"}, "spec": with_template(json!({}))})).await;
            for kind in ["merge", "strategic-merge"] {
                talk.patch(kind, &format!("{path}/one"), json!({"metadata": {"annotations": {(name): "x"}}})).await;
            }
        }
    }

    async fn slices_have_no_topology(talk: &mut Talk) {
        let path = "/apis/discovery.k8s.io/v1/namespaces/{ns}/endpointslices";
        let endpoint = |address: &str| json!([{"addresses": [address], "deprecatedTopology": {"a": "b"}}]);
        talk.post(path, json!({"metadata": {"name": "one"}, "addressType": "IPv4", "endpoints": endpoint("192.0.2.1")})).await;
        talk.patch("merge", &format!("{path}/one"), json!({"endpoints": endpoint("192.0.2.2")})).await;
    }
}
