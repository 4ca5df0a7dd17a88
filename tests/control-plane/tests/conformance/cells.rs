//! What tables show of single kinds.

use serde_json::{Value, json};

use super::support::Talk;

const TABLE: &str = "application/json;as=Table;g=meta.k8s.io;v=v1";

/// Makes an object and shows its row.
async fn row(talk: &mut Talk, path: &str, object: Value) {
    let name = object["metadata"]["name"].as_str().unwrap().to_owned();
    talk.prepare(path, object).await;
    cells(talk, &format!("{path}/{name}")).await;
}

async fn cells(talk: &mut Talk, path: &str) {
    talk.get_picked(path, &[("accept", TABLE)], |table| {
        let rows = table["rows"].as_array().into_iter().flatten();
        rows.map(|row| row["cells"].clone()).collect()
    })
    .await;
}

/// A metric of a type, or what there is of it, by its targets.
fn metric(kind: &str, part: &str, values: Value) -> Value {
    let about = json!({"kind": "Service", "name": "one", "apiVersion": "v1"});
    let (field, mut source) = match kind {
        "Pods" => ("pods", json!({"metric": {"name": "hits"}})),
        "Object" => (
            "object",
            json!({"metric": {"name": "hits"}, "describedObject": about}),
        ),
        "External" => ("external", json!({"metric": {"name": "hits"}})),
        "ContainerResource" => (
            "containerResource",
            json!({"name": "cpu", "container": "main"}),
        ),
        _ => ("resource", json!({"name": "cpu"})),
    };
    source[part] = values;
    json!({"type": kind, field: source})
}

fn wanted(kind: &str, of: &str, value: Value) -> Value {
    let field = format!("{}{}", of[..1].to_lowercase(), &of[1..]);
    let field = if of == "Utilization" {
        "averageUtilization"
    } else {
        &field
    };
    metric(kind, "target", json!({"type": of, field: value}))
}

conformance! {
    async fn what_autoscalers_are_to_reach(talk: &mut Talk) {
        const SCALERS: &str = "/apis/autoscaling/v2/namespaces/{ns}/horizontalpodautoscalers";
        let kinds = [
            wanted("Pods", "AverageValue", json!("500m")), wanted("Object", "Value", json!("10")), wanted("Object", "AverageValue", json!("2k")),
            wanted("External", "Value", json!("5")), wanted("External", "AverageValue", json!("7")), wanted("ContainerResource", "Utilization", json!(50)),
            wanted("ContainerResource", "AverageValue", json!("2")), wanted("Resource", "Utilization", json!(60)), wanted("Resource", "AverageValue", json!("3")),
        ];
        let scaler = |metrics: &[Value]| {
            let target = json!({"kind": "Deployment", "name": "web", "apiVersion": "apps/v1"});
            json!({"spec": {"scaleTargetRef": target, "maxReplicas": 3, "metrics": metrics}})
        };
        let ones = kinds.iter().enumerate().map(|(index, kind)| (format!("one-{index}"), std::slice::from_ref(kind)));
        for (name, metrics) in ones.chain([("two".to_owned(), &kinds[..2]), ("many".to_owned(), &kinds[..])]) {
            let mut scaler = scaler(metrics);
            scaler["metadata"] = json!({"name": name});
            row(talk, SCALERS, scaler).await;
            for values in [json!({"value": "7"}), json!({"averageValue": "1500m"}), json!({"averageUtilization": 33, "averageValue": "1"}), json!({})] {
                let current: Vec<Value> = metrics.iter().map(|wanted| metric(wanted["type"].as_str().unwrap(), "current", values.clone())).collect();
                let path = format!("{SCALERS}/{name}");
                talk.patch_unsaid("merge", &format!("{path}/status"), json!({"status": {"currentMetrics": current}})).await;
                cells(talk, &path).await;
            }
            let other = metric("Resource", "current", json!({"averageValue": "3"}));
            talk.patch_unsaid("merge", &format!("{SCALERS}/{name}/status"), json!({"status": {"currentMetrics": [other]}})).await;
            cells(talk, &format!("{SCALERS}/{name}")).await;
        }
    }

    async fn where_the_pods_of_services_are(talk: &mut Talk) {
        const SLICES: &str = "/apis/discovery.k8s.io/v1/namespaces/{ns}/endpointslices";
        let slice = |name: &str, kind: &str, addresses: &[&[&str]], ports: Value| {
            let endpoints: Vec<Value> = addresses.iter().map(|addresses| json!({"addresses": addresses})).collect();
            json!({"metadata": {"name": name}, "addressType": kind, "endpoints": endpoints, "ports": ports})
        };
        let ports = json!([{"name": "a", "port": 80}, {"name": "b", "port": 81}, {"name": "c", "port": 82}, {"name": "d", "port": 83}]);
        row(talk, SLICES, slice("many", "IPv4", &[&["192.0.2.5"], &["192.0.2.4", "192.0.2.3"], &["192.0.2.2"], &["192.0.2.1"]], ports)).await;
        row(talk, SLICES, slice("three", "IPv4", &[&["192.0.2.3", "192.0.2.2"], &["192.0.2.1"]], json!([{"name": "x"}, {"name": ""}, {"name": "c", "port": 1}]))).await;
        row(talk, SLICES, slice("older", "IPv6", &[&["2001:db8::1"]], json!([{}]))).await;
        row(talk, SLICES, slice("none", "IPv4", &[], json!([]))).await;
        const ENDPOINTS: &str = "/api/v1/namespaces/{ns}/endpoints";
        let addresses = |all: &[&str]| -> Value { all.iter().map(|ip| json!({"ip": ip})).collect() };
        let ports = |all: &[u16]| -> Value { all.iter().map(|port| json!({"name": format!("p{port}"), "port": port})).collect() };
        for (name, subsets) in [
            ("ports", json!([{"addresses": addresses(&["192.0.2.1", "192.0.2.2"]), "ports": ports(&[80])}])),
            ("many", json!([{"addresses": addresses(&["192.0.2.1", "192.0.2.2"]), "ports": ports(&[80, 81])}, {"addresses": addresses(&["192.0.2.7"]), "ports": ports(&[9])}])),
            ("portless", json!([{"addresses": addresses(&["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"])}])),
            ("newer", json!([{"addresses": addresses(&["2001:db8::1"]), "ports": ports(&[8])}])),
            ("ill", json!([{"notReadyAddresses": addresses(&["192.0.2.9"]), "ports": ports(&[8])}])),
            ("none", json!([])),
        ] {
            row(talk, ENDPOINTS, json!({"metadata": {"name": name}, "subsets": subsets})).await;
        }
    }

    async fn which_pods_policies_are_for(talk: &mut Talk) {
        const POLICIES: &str = "/apis/networking.k8s.io/v1/namespaces/{ns}/networkpolicies";
        let expression = |key: &str, operator: &str, values: Value| json!({"key": key, "operator": operator, "values": values});
        let expressions = json!([
            expression("z", "In", json!(["b", "a"])), expression("a", "Exists", json!([])), expression("c", "DoesNotExist", json!([])), expression("d", "NotIn", json!(["q"])),
        ]);
        for (name, selector) in [("all", json!({})), ("labels", json!({"matchLabels": {"b": "1", "a": "2"}})), ("both", json!({"matchLabels": {"m": "n"}, "matchExpressions": expressions}))] {
            row(talk, POLICIES, json!({"metadata": {"name": name}, "spec": {"podSelector": selector}})).await;
        }
    }

    async fn what_nodes_are_for(talk: &mut Talk) {
        for (name, labels) in [
            ("one", json!({"kubernetes.io/role": "master"})),
            ("two", json!({"node-role.kubernetes.io/b": "", "node-role.kubernetes.io/a": "x", "kubernetes.io/role": "aa"})),
            ("same", json!({"kubernetes.io/role": "a", "node-role.kubernetes.io/a": ""})),
            ("none", json!({"kubernetes.io/role": ""})),
        ] {
            let name = format!("{{ns}}-{name}");
            row(talk, "/api/v1/nodes", json!({"metadata": {"name": name, "labels": labels}})).await;
        }
    }

    async fn classes_of_storage_in_annotations(talk: &mut Talk) {
        const CLASS: &str = "volume.beta.kubernetes.io/storage-class";
        const CLAIMS: &str = "/api/v1/namespaces/{ns}/persistentvolumeclaims";
        let asked = |class: Value| json!({"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}, "storageClassName": class});
        for (name, annotations, class) in [("older", json!({CLASS: "old"}), json!("")), ("both", json!({CLASS: "old"}), json!("new")), ("empty", json!({CLASS: ""}), json!("new")), ("newer", json!({}), json!("new"))] {
            row(talk, CLAIMS, json!({"metadata": {"name": name, "annotations": annotations}, "spec": asked(class)})).await;
        }
        let offered = json!({"accessModes": ["ReadWriteMany", "ReadOnlyMany", "ReadWriteMany"], "capacity": {"storage": "1Gi"}, "hostPath": {"path": "/a"}, "storageClassName": "new"});
        row(talk, "/api/v1/persistentvolumes", json!({"metadata": {"name": "{ns}", "annotations": {CLASS: "old"}}, "spec": offered})).await;
    }

    async fn flow_schemas_in_the_order_in_which_they_are_asked(talk: &mut Talk) {
        const SCHEMAS: &str = "/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas";
        let schemas = [("a", 9_999), ("b", 7_000), ("c", 7_000), ("d", 2)];
        for (name, precedence) in schemas {
            let spec = json!({"matchingPrecedence": precedence, "priorityLevelConfiguration": {"name": "exempt"}});
            talk.prepare(SCHEMAS, json!({"metadata": {"name": format!("{{ns}}-{name}")}, "spec": spec})).await;
        }
        let own = talk.fill("{ns}-");
        talk.get_picked(SCHEMAS, &[("accept", TABLE)], |table| {
            let rows = table["rows"].as_array().unwrap().iter();
            let rows = rows.map(|row| &row["cells"]).filter(|cells| cells[0].as_str().unwrap().starts_with(&own));
            rows.map(|cells| json!([cells[0], cells[1], cells[2], cells[3]])).collect()
        }).await;
        for (name, _) in schemas {
            talk.unsaid("DELETE", &format!("{SCHEMAS}/{{ns}}-{name}"), None).await;
        }
    }
}
