//! Addresses that could be written in another way.

use serde_json::{Value, json};

use super::support::Talk;

fn named(spec: Value) -> Value {
    json!({"metadata": {"name": "one"}, "spec": spec})
}

fn path(group: &str, plural: &str) -> String {
    format!("{group}/namespaces/{{ns}}/{plural}?dryRun=All")
}

const ADDRESSES: [&str; 8] = [
    "010.1.1.1",
    "10.01.1.1",
    "::ffff:1.2.3.4",
    "FE80::1",
    "2001:db8:0:0:0:0:0:1",
    "1.2.3.4",
    "256.1.1.1",
    "fe80::1%eth0",
];
const RANGES: [&str; 11] = [
    "10.0.0.0/8",
    "010.0.0.0/8",
    "10.0.0.0/08",
    "10.0.0.1/8",
    "::ffff:10.0.0.0/104",
    "FD00::/8",
    "fd00::1/64",
    "10.0.0.0",
    "10.0.0.0/33",
    "0.0.0.0/0",
    "::/0",
];

conformance! {
    async fn addresses_of_services(talk: &mut Talk) {
        let services = path("/api/v1", "services");
        for address in ADDRESSES {
            talk.post(&services, named(json!({"ports": [{"port": 80}], "externalIPs": [address]}))).await;
            talk.post(&services, named(json!({"type": "LoadBalancer", "ports": [{"port": 80}], "loadBalancerIP": address}))).await;
        }
        for address in ["10.1.0.1", "10.0.0.0", "10.0.255.255", "192.168.0.1"] {
            talk.post(&services, named(json!({"ports": [{"port": 80}], "clusterIP": address}))).await;
        }
    }

    async fn ranges_of_services(talk: &mut Talk) {
        let services = path("/api/v1", "services");
        for range in RANGES {
            talk.post(&services, named(json!({"type": "LoadBalancer", "ports": [{"port": 80}], "loadBalancerSourceRanges": [range]}))).await;
        }
        for kind in ["LoadBalancer", "ClusterIP"] {
            for ranges in ["10.0.0.0/8, 11.0.0.0/8", "010.0.0.0/8,x", "10.0.0.0/8,", " "] {
                let mut service = named(json!({"type": kind, "ports": [{"port": 80}]}));
                service["metadata"]["annotations"] = json!({"service.beta.kubernetes.io/load-balancer-source-ranges": ranges});
                talk.post(&services, service).await;
            }
        }
    }

    async fn addresses_of_endpoints(talk: &mut Talk) {
        for address in ADDRESSES {
            let subsets = json!([{"addresses": [{"ip": address}], "ports": [{"port": 80}]}]);
            talk.post(&path("/api/v1", "endpoints"), json!({"metadata": {"name": "one"}, "subsets": subsets})).await;
            let kind = if address.contains(':') { "IPv6" } else { "IPv4" };
            let slice = json!({"metadata": {"name": "one"}, "addressType": kind, "endpoints": [{"addresses": [address]}], "ports": []});
            talk.post(&path("/apis/discovery.k8s.io/v1", "endpointslices"), slice).await;
        }
    }

    async fn addresses_of_pods(talk: &mut Talk) {
        for address in ADDRESSES {
            let spec = json!({
                "containers": [{"name": "main", "image": "web:1"}], "restartPolicy": "Never", "hostAliases": [{"ip": address, "hostnames": ["a"]}],
                "dnsPolicy": "None", "dnsConfig": {"nameservers": [address]},
            });
            talk.post(&path("/api/v1", "pods"), named(spec.clone())).await;
            let template = json!({"template": {"spec": spec}});
            talk.post(&path("/apis/batch/v1", "jobs"), named(template.clone())).await;
            talk.post(&path("/apis/batch/v1", "cronjobs"), named(json!({"schedule": "* * * * *", "jobTemplate": {"spec": template}}))).await;
        }
    }

    async fn ranges_of_policies_and_nodes(talk: &mut Talk) {
        for range in RANGES {
            let block = |cidr: &str, except: &str| json!({"ipBlock": {"cidr": cidr, "except": [except]}});
            let policy = json!({"podSelector": {}, "ingress": [{"from": [block(range, range)]}], "egress": [{"to": [block("0.0.0.0/0", range)]}]});
            talk.post(&path("/apis/networking.k8s.io/v1", "networkpolicies"), named(policy)).await;
            talk.post("/api/v1/nodes?dryRun=All", json!({"metadata": {"name": "node-{ns}"}, "spec": {"podCIDR": range, "podCIDRs": [range]}})).await;
            let cidr = json!({"metadata": {"name": "cidr-{ns}"}, "spec": {"cidrs": [range]}});
            talk.post("/apis/networking.k8s.io/v1/servicecidrs?dryRun=All", cidr).await;
        }
        for address in ADDRESSES {
            let owner = json!({"parentRef": {"resource": "services", "namespace": "a", "name": "b"}});
            talk.post("/apis/networking.k8s.io/v1/ipaddresses?dryRun=All", json!({"metadata": {"name": address}, "spec": owner})).await;
        }
    }

    async fn of_whom_an_address_is(talk: &mut Talk) {
        const ADDRESSES: &str = "/apis/networking.k8s.io/v1/ipaddresses?dryRun=All";
        let parent = |group: &str, resource: &str, namespace: &str, name: &str| json!({"group": group, "resource": resource, "namespace": namespace, "name": name});
        for parent in [
            json!({}), parent("a_b", "", "", ""), parent("", "services", "", "one"), parent("", "a/b", "..", "a%b"), parent("example.com", "things", "x", "."),
        ] {
            talk.post(ADDRESSES, json!({"metadata": {"name": "192.0.2.77"}, "spec": {"parentRef": parent}})).await;
        }
    }
}
