//! What is refused of Services.

use serde_json::{Value, json};

use super::support::{PORTS_OF_NODES, Talk};

fn of_port(more: Value) -> Value {
    let mut port = json!({"port": 80});
    port.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    json!({"ports": [port]})
}

/// A port, and what else there is to say.
fn and(more: Value) -> Value {
    let mut spec = of_port(json!({}));
    spec.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    spec
}

conformance! {
    async fn services_that_are_refused(talk: &mut Talk) {
        let _alone = PORTS_OF_NODES.lock().await;
        let path = "/api/v1/namespaces/{ns}/services";
        talk.prepare(path, json!({"metadata": {"name": "one"}, "spec": of_port(json!({}))})).await;
        for spec in [
            json!({"ports": [{"port": 80, "name": "a"}, {"port": 81, "name": "a"}]}),
            json!({"ports": [{"port": 80, "name": "a"}, {"port": 80, "name": "b"}]}),
            json!({"ports": [{"port": 80, "name": "A_"}, {"port": 0, "name": "b"}]}),
            of_port(json!({"protocol": "Odd", "targetPort": "Bad_Name", "appProtocol": "a b"})),
            of_port(json!({"targetPort": 70_000, "nodePort": 80})),
            json!({"type": "ExternalName", "externalName": ""}),
            json!({"type": "ExternalName", "externalName": "Not_Valid"}),
            and(json!({"selector": {"a b": "c"}, "sessionAffinity": "Odd"})),
            and(json!({"sessionAffinity": "ClientIP", "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 0}}})),
            and(json!({"externalIPs": ["x", "127.0.0.1", "0.0.0.0", "169.254.1.1", "1.2.3.4"]})),
            and(json!({"loadBalancerSourceRanges": ["1.2.3.0/24"], "loadBalancerClass": "example.com/a", "allocateLoadBalancerNodePorts": true})),
            and(json!({"type": "LoadBalancer", "loadBalancerSourceRanges": ["x", "1.2.3.0/33"], "loadBalancerClass": "a b"})),
            and(json!({"externalTrafficPolicy": "Local", "internalTrafficPolicy": "Odd", "trafficDistribution": "Odd"})),
            and(json!({"type": "NodePort", "externalTrafficPolicy": "Odd"})),
            and(json!({"type": "LoadBalancer", "healthCheckNodePort": 80})),
            and(json!({"ipFamilyPolicy": "Odd"})),
            and(json!({"ipFamilies": ["IPv4", "IPv4"]})),
        ] {
            talk.post(&format!("{path}?dryRun=All"), json!({"metadata": {"name": "two"}, "spec": spec})).await;
            talk.patch("merge", &format!("{path}/one?dryRun=All"), json!({"spec": spec})).await;
        }
        talk.say("with ports of nodes");
        let far = json!({"type": "NodePort", "ports": [{"port": 80, "nodePort": 80}]});
        let twice = json!({"type": "NodePort", "ports": [{"port": 80, "name": "a", "nodePort": 30_004}, {"port": 81, "name": "b", "nodePort": 30_004}]});
        for spec in [&far, &twice] {
            talk.post(path, json!({"metadata": {"name": "two"}, "spec": spec})).await;
        }
        talk.patch("merge", &format!("{path}/one"), json!({"spec": far})).await;
        talk.say("with addresses of their own");
        for spec in [
            and(json!({"type": "NodePort", "clusterIP": "None"})),
            and(json!({"type": "LoadBalancer", "clusterIP": "None"})),
            and(json!({"clusterIP": "x"})),
            and(json!({"clusterIPs": ["10.0.0.99"]})),
            and(json!({"clusterIP": "None", "clusterIPs": ["None", "10.0.0.3"]})),
            json!({"type": "ExternalName", "externalName": "example.com", "clusterIP": "10.0.0.98"}),
        ] {
            talk.post(&format!("{path}?dryRun=All"), json!({"metadata": {"name": "two"}, "spec": spec})).await;
        }
        talk.say("what is defaulted");
        let one = and(json!({"sessionAffinity": "ClientIP"}));
        talk.post(path, json!({"metadata": {"name": "three"}, "spec": one})).await;
        talk.patch("merge", &format!("{path}/three"), json!({"spec": {"sessionAffinity": "None"}})).await;
        talk.post(path, json!({"metadata": {"name": "four"}, "spec": of_port(json!({"targetPort": 0}))})).await;
    }

    async fn addresses_are_given_once(talk: &mut Talk) {
        let path = "/api/v1/namespaces/{ns}/services";
        let at = |name: &str, ip: &str| json!({"metadata": {"name": name}, "spec": and(json!({"clusterIP": ip}))});
        talk.post(path, at("one", "10.0.0.3")).await;
        for ip in ["10.0.0.3", "10.0.0.0", "192.0.2.1", "10.0.0.1", "::1", "10.0.0.099"] {
            talk.post(path, at("two", ip)).await;
        }
        talk.post(path, at("one", "10.0.0.3")).await;
        talk.post("/api/v1/namespaces/default/services", at("kubernetes", "10.0.0.1")).await;
        talk.say("before what else is wrong");
        talk.post(path, json!({"metadata": {"name": "two"}, "spec": {"clusterIP": "10.0.0.3", "ports": [{"port": 0}]}})).await;
        talk.post(path, json!({"metadata": {"name": "two"}, "spec": {"clusterIP": "10.0.0.4", "type": "NodePort", "ports": [{"port": 80, "nodePort": 80}]}})).await;
        talk.post(path, at("two", "10.0.0.4")).await;
        talk.say("where nothing is kept");
        for ip in ["10.0.0.3", "10.0.0.5", ""] {
            talk.post(&format!("{path}?dryRun=All"), at("three", ip)).await;
        }
        talk.post(path, at("three", "10.0.0.5")).await;
        talk.say("who needs none lets go of it");
        let outside = json!({"spec": {"type": "ExternalName", "externalName": "example.com"}});
        let inside = |ip: &str| json!({"spec": {"type": "ClusterIP", "clusterIP": ip}});
        talk.patch("merge", &format!("{path}/one"), outside.clone()).await;
        talk.post(path, at("four", "10.0.0.3")).await;
        for ip in ["10.0.0.3", "192.0.2.1", "10.0.0.6"] {
            talk.patch("merge", &format!("{path}/one"), inside(ip)).await;
        }
        talk.patch("merge", &format!("{path}/two"), inside("10.0.0.3")).await;
        talk.patch("merge", &format!("{path}/two"), outside.clone()).await;
        talk.patch("merge", &format!("{path}/two"), inside("None")).await;
        talk.post(path, at("five", "10.0.0.4")).await;
        talk.say("and who is deleted, once it is gone");
        talk.patch("merge", &format!("{path}/five"), json!({"metadata": {"finalizers": ["example.com/a"]}})).await;
        talk.delete(&format!("{path}/five")).await;
        talk.post(path, at("six", "10.0.0.4")).await;
        talk.patch("merge", &format!("{path}/five"), json!({"metadata": {"finalizers": null}})).await;
        talk.post(path, at("six", "10.0.0.4")).await;
        talk.say("of what families they are");
        for (index, spec) in [
            json!({"clusterIP": "10.0.0.7", "clusterIPs": ["10.0.0.7", "fd00::1"]}),
            json!({"clusterIP": "10.0.0.7", "clusterIPs": ["10.0.0.7", "10.0.0.8"], "ipFamilyPolicy": "PreferDualStack"}),
            json!({"ipFamilyPolicy": "RequireDualStack", "ipFamilies": ["IPv6", "IPv4"]}),
            json!({"ipFamilies": ["IPv6", "IPv4"]}),
            json!({"clusterIP": "::1", "ipFamilies": ["IPv4"]}),
            json!({"ipFamilyPolicy": "PreferDualStack"}),
            json!({"clusterIP": "None", "selector": {"a": "b"}, "ipFamilyPolicy": "RequireDualStack"}),
            json!({"clusterIP": "None", "selector": {"a": "b"}, "ipFamilyPolicy": "PreferDualStack"}),
            json!({"clusterIP": "None", "ipFamilies": ["IPv6"]}),
            json!({"clusterIP": "None", "ipFamilyPolicy": "PreferDualStack"}),
            json!({"clusterIP": "None", "ipFamilyPolicy": "SingleStack"}),
        ].into_iter().enumerate() {
            talk.post(path, json!({"metadata": {"name": format!("of-{index}")}, "spec": and(spec)})).await;
        }
        for spec in [
            json!({"ipFamilyPolicy": "RequireDualStack"}),
            json!({"ipFamilyPolicy": "PreferDualStack"}),
            json!({"ipFamilies": ["IPv6"]}),
            json!({"clusterIPs": ["10.0.0.6", "fd00::1"]}),
        ] {
            talk.patch("merge", &format!("{path}/one"), json!({"spec": spec})).await;
        }
    }

    async fn a_service_is_made_by_its_status(talk: &mut Talk) {
        let path = "/api/v1/namespaces/{ns}/services";
        let service = |name: &str| {
            let spec = json!({"ports": [{"port": 80}], "type": "LoadBalancer"});
            json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec, "status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}})
        };
        talk.put(&format!("{path}/put/status"), service("put")).await;
        talk.patch("apply", &format!("{path}/applied/status?fieldManager=one"), service("applied")).await;
        talk.patch("apply", &format!("{path}/bare/status?fieldManager=one"), json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "bare"}})).await;
        let mut headless = service("headless");
        headless["spec"] = json!({"ports": [{"port": 80}], "clusterIP": "None"});
        talk.put(&format!("{path}/headless/status"), headless).await;
        for kind in ["merge", "strategic-merge", "json"] {
            let body = if kind == "json" { json!([]) } else { json!({"status": {}}) };
            talk.patch(kind, &format!("{path}/none/status"), body).await;
        }
        for name in ["put", "applied"] {
            talk.get(&format!("{path}/{name}")).await;
            talk.delete(&format!("{path}/{name}")).await;
        }
    }

    async fn ports_of_nodes_that_are_asked_for(talk: &mut Talk) {
        let _alone = PORTS_OF_NODES.lock().await;
        let path = "/api/v1/namespaces/{ns}/services";
        let port = |port: u16, name: &str, of_node: Option<u16>| {
            let mut port = json!({"port": port, "name": name});
            if let Some(of_node) = of_node {
                port["nodePort"] = of_node.into();
            }
            port
        };
        let balancer = |name: &str, ports: Value| {
            let spec = json!({"type": "LoadBalancer", "allocateLoadBalancerNodePorts": false, "clusterIP": "None", "ports": ports});
            json!({"metadata": {"name": name}, "spec": spec})
        };
        talk.say("a balancer that needs none has those that it asks for");
        talk.post(path, balancer("one", json!([port(80, "a", Some(30_001)), port(81, "b", None)]))).await;
        let mut one = balancer("one", json!([port(80, "a", Some(30_001)), port(81, "b", None)]));
        one["spec"]["clusterIP"].take();
        talk.post(&format!("{path}?dryRun=All"), one.clone()).await;
        one["spec"]["ports"] = json!([port(80, "a", Some(30_001)), port(81, "a", Some(30_001))]);
        talk.post(path, one.clone()).await;
        talk.say("a port that is there twice has the port of a node twice");
        one["spec"]["ports"] = json!([port(80, "a", Some(30_001)), port(80, "b", None)]);
        talk.post(path, one).await;
        let node = json!({"metadata": {"name": "two"}, "spec": {"type": "NodePort", "ports": [port(80, "a", Some(30_002))]}});
        talk.prepare(path, node).await;
        let two = format!("{path}/two");
        talk.say("those that are called alike would have the same");
        talk.patch("merge", &two, json!({"spec": {"ports": [port(80, "a", None), port(81, "a", None)]}})).await;
        talk.patch("merge", &two, json!({"spec": {"type": "ClusterIP", "ports": [port(80, "a", None)]}})).await;
        talk.say("and one that had none has each that it asks for");
        let mut ports = json!([port(80, "a", Some(30_003)), port(80, "b", Some(30_003))]);
        ports[1]["protocol"] = "UDP".into();
        talk.patch("merge", &two, json!({"spec": {"type": "NodePort", "ports": ports}})).await;
        talk.patch("merge", &two, json!({"spec": {"ports": [port(80, "a", Some(30_003)), port(81, "b", Some(30_003))]}})).await;
    }

    async fn lists_of_services_that_are_empty(talk: &mut Talk) {
        let path = "/api/v1/namespaces/{ns}/services?dryRun=All";
        for spec in [
            json!({"clusterIP": "None", "clusterIPs": []}), json!({"clusterIP": "None", "clusterIPs": [], "ipFamilies": [], "ports": []}), json!({"type": "ExternalName", "externalName": "one.two", "clusterIPs": [], "ipFamilies": []}),
        ] {
            talk.post(path, json!({"metadata": {"name": "two"}, "spec": spec})).await;
        }
        talk.prepare("/api/v1/namespaces/{ns}/services", json!({"metadata": {"name": "one"}, "spec": {"clusterIP": "None"}})).await;
        for spec in [json!({"type": "ExternalName", "externalName": "one.two", "clusterIP": null, "clusterIPs": []}), json!({"clusterIPs": [], "ipFamilies": []})] {
            talk.patch("merge", "/api/v1/namespaces/{ns}/services/one?dryRun=All", json!({"spec": spec})).await;
        }
    }

    async fn services_without_a_name_have_no_address(talk: &mut Talk) {
        let path = "/api/v1/namespaces/{ns}/services";
        for spec in [
            json!({"clusterIP": "10.0.0.14", "ports": [{"port": 80}]}), json!({"clusterIP": "10.0.0.14", "type": "NodePort", "ports": [{"port": 80, "nodePort": 1}]}),
            json!({"clusterIP": "None"}), json!({"type": "ExternalName", "externalName": "one.two"}),
        ] {
            for dry in ["", "?dryRun=All"] {
                talk.post(&format!("{path}{dry}"), json!({"spec": spec})).await;
            }
        }
    }

    async fn names_that_lead_elsewhere_have_no_traffic_inside(talk: &mut Talk) {
        let path = "/api/v1/namespaces/{ns}/services";
        let elsewhere = |policy: &str| json!({"type": "ExternalName", "externalName": "example.com", "internalTrafficPolicy": policy});
        for (name, policy) in [("one", "Cluster"), ("two", "Local"), ("none", "Odd")] {
            talk.post(path, json!({"metadata": {"name": name}, "spec": elsewhere(policy)})).await;
        }
        talk.get(&format!("{path}/two")).await;
        talk.patch("merge", &format!("{path}/one"), json!({"spec": elsewhere("Cluster")})).await;
        let applied = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "three"}, "spec": elsewhere("Local")});
        talk.patch("apply", &format!("{path}/three?fieldManager=me"), applied).await;
    }

    async fn fields_that_only_some_services_need(talk: &mut Talk) {
        let path = "/api/v1/namespaces/{ns}/services";
        let one = format!("{path}/one");
        talk.post(path, json!({"metadata": {"name": "one"}, "spec": and(json!({"ipFamilyPolicy": "PreferDualStack"}))})).await;
        talk.say("A policy that is not said is that of before");
        talk.put(&one, json!({"metadata": {"name": "one"}, "spec": and(json!({}))})).await;
        // The last gives up what a real server warns of, which the next would be warned of where its cache is slow.
        for spec in [
            json!({"type": "LoadBalancer", "externalTrafficPolicy": "Local"}),
            json!({"externalTrafficPolicy": "Cluster"}),
            json!({"type": "NodePort"}),
            json!({"type": "ClusterIP"}),
            json!({"type": "LoadBalancer", "loadBalancerClass": "example.com/a", "allocateLoadBalancerNodePorts": false}),
            json!({"type": "ClusterIP", "externalIPs": ["1.2.3.4"]}),
            json!({"sessionAffinity": "ClientIP"}),
            json!({"externalIPs": null}),
        ] {
            talk.patch("merge", &one, json!({"spec": spec})).await;
        }
    }

    async fn names_that_lead_elsewhere_have_no_address(talk: &mut Talk) {
        for more in [json!({}), json!({"clusterIP": ""}), json!({"clusterIP": null}), json!({"clusterIPs": null}), json!({"clusterIPs": []}), json!({"clusterIP": "", "clusterIPs": null})] {
            let mut spec = more;
            spec["type"] = "ExternalName".into();
            spec["externalName"] = "a.b".into();
            let service = talk.prepare("/api/v1/namespaces/{ns}/services", json!({"metadata": {"name": "one"}, "spec": {"ports": [{"port": 80}]}})).await;
            let address = service["spec"]["clusterIP"].as_str().unwrap_or_default().to_owned();
            let address = format!("/apis/networking.k8s.io/v1/ipaddresses/{address}");
            talk.until(&address, |status, _| status == 200).await;
            talk.patch("merge", "/api/v1/namespaces/{ns}/services/one", json!({"spec": spec})).await;
            talk.until_gone(&address).await;
            talk.unsaid("DELETE", "/api/v1/namespaces/{ns}/services/one", None).await;
        }
        talk.prepare("/api/v1/namespaces/{ns}/services", json!({"metadata": {"name": "two"}, "spec": {"clusterIP": "None", "ports": [{"port": 80}]}})).await;
        talk.put("/api/v1/namespaces/{ns}/services/two", json!({"metadata": {"name": "two"}, "spec": {"type": "ExternalName", "externalName": "test", "clusterIP": "None", "ports": [{"port": 80}]}})).await;
        talk.prepare("/api/v1/namespaces/{ns}/services", json!({"metadata": {"name": "three"}, "spec": {"ports": [{"port": 80}]}})).await;
        talk.put("/api/v1/namespaces/{ns}/services/three", json!({"metadata": {"name": "three"}, "spec": {"type": "ExternalName", "externalName": "test", "clusterIP": "None", "ports": [{"port": 80}]}})).await;
        talk.get("/api/v1/namespaces/{ns}/services/three").await;
        talk.get_picked("/api/v1/namespaces/{ns}/services?fieldSelector=spec.clusterIP!=None", &[], |list: &Value| list["items"].as_array().into_iter().flatten().map(|service| service["metadata"]["name"].clone()).collect()).await;
    }

    async fn an_address_is_taken_as_long_as_it_is_there(talk: &mut Talk) {
        let address = "/apis/networking.k8s.io/v1/ipaddresses/10.0.0.9";
        let parent = json!({"parentRef": {"resource": "services", "namespace": "{ns}", "name": "nobody"}});
        talk.post("/apis/networking.k8s.io/v1/ipaddresses", json!({"metadata": {"name": "10.0.0.9"}, "spec": parent})).await;
        let service = json!({"metadata": {"name": "one"}, "spec": {"clusterIP": "10.0.0.9", "ports": [{"port": 80}]}});
        talk.post("/api/v1/namespaces/{ns}/services", service.clone()).await;
        talk.unsaid("DELETE", address, None).await;
        talk.unsaid("POST", "/api/v1/namespaces/{ns}/services", Some(service.clone())).await;
        talk.get(address).await;
        talk.patch_unsaid("merge", "/api/v1/namespaces/{ns}/services/one", json!({"spec": {"type": "ExternalName", "externalName": "a.b", "clusterIP": null, "clusterIPs": null}})).await;
        talk.get(address).await;
        talk.unsaid("DELETE", "/api/v1/namespaces/{ns}/services/one", None).await;
        talk.unsaid("POST", "/api/v1/namespaces/{ns}/services", Some(service)).await;
        talk.get(address).await;
        talk.unsaid("DELETE", "/api/v1/namespaces/{ns}/services/one", None).await;
        talk.get(address).await;
    }

    async fn nothing_answers_behind_a_service(talk: &mut Talk) {
        talk.prepare("/api/v1/namespaces/{ns}/services", json!({"metadata": {"name": "one"}, "spec": {"ports": [{"port": 80, "name": "web"}]}})).await;
        talk.prepare("/api/v1/namespaces/{ns}/endpoints", json!({"metadata": {"name": "one"}})).await;
        let subsets = json!([{"notReadyAddresses": [{"ip": "192.0.2.1"}], "ports": [{"port": 80}]}]);
        talk.prepare("/api/v1/namespaces/{ns}/endpoints", json!({"metadata": {"name": "alone"}, "subsets": subsets})).await;
        for name in ["one", "one:web", "one:80", "one:81", "http:one:other", "alone", "alone:80", "alone:web", "none", "none:80"] {
            talk.get(&format!("/api/v1/namespaces/{{ns}}/services/{name}/proxy/")).await;
        }
    }

    async fn endpoints_go_with_the_service_of_their_name(talk: &mut Talk) {
        const ENDPOINTS: &str = "/api/v1/namespaces/{ns}/endpoints";
        const SERVICES: &str = "/api/v1/namespaces/{ns}/services";
        let service = json!({"metadata": {"name": "one"}, "spec": {"clusterIP": "None", "ports": [{"port": 80}]}});
        for finalizers in [json!([]), json!(["example.com/a"])] {
            talk.prepare(SERVICES, service.clone()).await;
            talk.prepare(ENDPOINTS, json!({"metadata": {"name": "one", "finalizers": finalizers}})).await;
            talk.delete(&format!("{SERVICES}/one?dryRun=All")).await;
            talk.get(&format!("{ENDPOINTS}/one")).await;
            talk.delete(&format!("{SERVICES}/one?propagationPolicy=Background")).await;
            talk.get(&format!("{ENDPOINTS}/one")).await;
        }
    }
}
