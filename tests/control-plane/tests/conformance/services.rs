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
}
