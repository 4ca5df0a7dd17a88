//! What is refused of Services.

use serde_json::{Value, json};

use super::support::Talk;

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
        let twice = json!({"type": "NodePort", "ports": [{"port": 80, "name": "a", "nodePort": 32_767}, {"port": 81, "name": "b", "nodePort": 32_767}]});
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
}
