//! What is refused of Ingresses, NetworkPolicies, Endpoints and their slices.

use serde_json::{Value, json};

use super::support::Talk;
use super::workloads::refused;

fn backend() -> Value {
    json!({"service": {"name": "one", "port": {"number": 80}}})
}

/// An Ingress of one path, and what it says besides.
fn path(more: Value) -> Value {
    let mut path = json!({"path": "/", "pathType": "Prefix", "backend": backend()});
    path.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    json!({"rules": [{"http": {"paths": [path]}}]})
}

conformance! {
    async fn ingresses_that_are_refused(talk: &mut Talk) {
        let service = |service: Value| path(json!({"backend": {"service": service}}));
        refused(talk, "/apis/networking.k8s.io/v1/namespaces/{ns}/ingresses", path(json!({})), &[
            path(json!({"pathType": "Odd"})),
            path(json!({"path": "/a//b/../c%2f/."})),
            path(json!({"path": "a", "pathType": "ImplementationSpecific"})),
            path(json!({"backend": {}})),
            path(json!({"backend": {"service": {"name": "a", "port": {"number": 1}}, "resource": {"kind": "a", "name": "b"}}})),
            path(json!({"backend": {"resource": {"kind": "", "name": ""}}})),
            service(json!({"name": "", "port": {}})),
            service(json!({"name": "A_", "port": {"number": 70_000}})),
            service(json!({"name": "a", "port": {"number": 7, "name": "b"}})),
            service(json!({"name": "a", "port": {"name": "X_"}})),
            json!({"rules": [{"host": "1.2.3.4"}, {"host": "*.example.com"}, {"host": "*example"}, {"host": "A_"}, {"http": {"paths": []}}]}),
            json!({"tls": [{"hosts": ["*example", "A_", "*.example.com"], "secretName": "A_"}], "ingressClassName": "A_", "defaultBackend": {}}),
        ]).await;
    }

    async fn network_policies_that_are_refused(talk: &mut Talk) {
        let ports = json!([{"port": 0}, {"port": "X_"}, {"protocol": "Odd", "port": 70_000}, {"port": 80, "endPort": 70}, {"endPort": 5}, {"port": "a", "endPort": 5}, {"port": 80, "endPort": 90}]);
        let peers = json!([
            {}, {"ipBlock": {"cidr": "x"}}, {"ipBlock": {"cidr": ""}}, {"ipBlock": {"cidr": "10.0.0.0/8", "except": ["11.0.0.0/16", "10.1.0.0/16", "x", "10.0.0.0/8"]}},
            {"ipBlock": {"cidr": "2001:db8::/64"}, "podSelector": {"matchLabels": {"a": "b c"}}}, {"namespaceSelector": {"matchExpressions": [{"key": "a", "operator": "Odd"}]}},
        ]);
        refused(talk, "/apis/networking.k8s.io/v1/namespaces/{ns}/networkpolicies", json!({"podSelector": {}}), &[
            json!({"ingress": [{"ports": ports, "from": peers}], "egress": [{"ports": ports, "to": peers}]}),
            json!({"policyTypes": ["Odd"], "podSelector": {"matchLabels": {"a": "b c"}}}),
            json!({"policyTypes": ["Ingress", "Egress", "Ingress"]}),
        ]).await;
    }

    async fn endpoints_that_are_refused(talk: &mut Talk) {
        let path = "/api/v1/namespaces/{ns}/endpoints";
        talk.prepare(path, json!({"metadata": {"name": "one"}, "subsets": [{"addresses": [{"ip": "192.0.2.1"}], "ports": [{"port": 80}]}]})).await;
        for subsets in [
            json!([{"ports": [{"port": 80}]}]),
            json!([{
                "addresses": [{"ip": "x"}, {"ip": "127.0.0.1"}, {"ip": "192.0.2.2", "hostname": "A_", "nodeName": "A_"}], "notReadyAddresses": [{"ip": "0.0.0.0"}],
                "ports": [{"port": 0}, {"port": 5, "name": "A_", "protocol": "Odd", "appProtocol": "a b"}],
            }]),
        ] {
            talk.post(path, json!({"metadata": {"name": "two"}, "subsets": subsets})).await;
            talk.patch("merge", &format!("{path}/one"), json!({"subsets": subsets})).await;
        }
        talk.say("and slices of them");
        let path = "/apis/discovery.k8s.io/v1/namespaces/{ns}/endpointslices";
        talk.prepare(path, json!({"metadata": {"name": "one"}, "addressType": "IPv4", "endpoints": [{"addresses": ["192.0.2.1"]}]})).await;
        let bad = json!({
            "endpoints": [{"addresses": []}, {"addresses": ["x", "::1", "127.0.0.1"]}, {"addresses": ["192.0.2.2"], "hostname": "A_", "nodeName": "A_"}],
            "ports": [{"port": 0}, {"port": 5, "name": "A_"}, {"port": 5, "name": "b", "protocol": "Odd", "appProtocol": "a b"}, {"port": 5, "name": "b"}],
        });
        talk.patch("merge", &format!("{path}/one"), bad.clone()).await;
        for kind in [json!("IPv4"), json!("IPv6"), json!("FQDN"), json!("Odd"), Value::Null] {
            let mut slice = bad.clone();
            slice["metadata"] = json!({"name": "two"});
            slice["addressType"] = kind;
            talk.post(path, slice).await;
        }
    }

    async fn slices_with_nothing_in_them(talk: &mut Talk) {
        let path = "/apis/discovery.k8s.io/v1/namespaces/{ns}/endpointslices";
        talk.post(path, json!({"metadata": {"name": "one"}, "addressType": "IPv4", "endpoints": [], "ports": []})).await;
        for patch in [
            json!({"endpoints": []}),
            json!({"endpoints": [{"addresses": ["1.2.3.4"]}], "ports": [{"name": "a", "port": 1}]}),
            json!({"endpoints": []}),
            json!({"endpoints": null, "ports": []}),
            json!({"ports": null}),
            json!({"endpoints": [{"addresses": ["1.2.3.5"]}, {"$patch": "replace"}]}),
        ] {
            talk.patch("strategic-merge", &format!("{path}/one"), patch).await;
        }
    }

    async fn slices_are_not_patched_by_element(talk: &mut Talk) {
        let path = "/apis/discovery.k8s.io/v1/namespaces/{ns}/endpointslices";
        talk.post(path, json!({"metadata": {"name": "one"}, "addressType": "IPv4", "endpoints": [{"addresses": ["192.0.2.1"]}]})).await;
        for endpoints in [
            json!([{"$patch": "delete"}]),
            json!([{"addresses": ["192.0.2.2"]}, {"$patch": "delete"}]),
            json!([{"$patch": "delete", "addresses": ["192.0.2.3"]}]),
            json!([{"$patch": "merge", "addresses": ["192.0.2.4"], "nodeName": null}]),
            json!([{"$patch": "odd", "addresses": ["192.0.2.5"], "odd": 1}]),
        ] {
            for more in ["", "?fieldValidation=Strict"] {
                talk.patch("strategic-merge", &format!("{path}/one{more}"), json!({"endpoints": endpoints})).await;
            }
        }
    }

    async fn ingresses_to_resources(talk: &mut Talk) {
        const INGRESSES: &str = "/apis/networking.k8s.io/v1/namespaces/{ns}/ingresses?dryRun=All";
        for resource in [
            json!({"apiGroup": "UPPER", "kind": "K", "name": "n"}), json!({"apiGroup": "", "kind": "K/x", "name": "n/a"}), json!({"kind": "", "name": ".."}), json!({"apiGroup": "a.b", "kind": "K", "name": "n"}),
            json!({"kind": "%"}),
        ] {
            talk.post(INGRESSES, json!({"metadata": {"name": "one"}, "spec": {"defaultBackend": {"resource": resource}}})).await;
            let paths = json!([{"path": "/", "pathType": "Prefix", "backend": {"resource": resource}}]);
            talk.post(INGRESSES, json!({"metadata": {"name": "one"}, "spec": {"rules": [{"http": {"paths": paths}}]}})).await;
        }
    }
}
