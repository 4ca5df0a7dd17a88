//! What is done to objects beside themselves.

use serde_json::{Value, json};

use super::support::{Talk, extend, thing_crd};

const PODS: &str = "/api/v1/namespaces/{ns}/pods";
const BUDGETS: &str = "/apis/policy/v1/namespaces/{ns}/poddisruptionbudgets";
const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/{ns}/deployments";

fn pod(name: &str) -> Value {
    json!({
        "metadata": {"name": name, "labels": {"app": "web"}},
        "spec": {"containers": [{"name": "main", "image": "registry.example.com/app:1.0"}]},
    })
}

async fn running(talk: &mut Talk, name: &str) {
    talk.post(PODS, pod(name)).await;
    let status = json!({"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}});
    talk.patch("merge", &format!("{PODS}/{name}/status"), status)
        .await;
}

fn eviction(name: &str) -> Value {
    json!({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}})
}

fn deployment() -> Value {
    json!({"metadata": {"name": "one"}, "spec": {
        "replicas": 1, "selector": {"matchLabels": {"app": "web"}},
        "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "main", "image": "registry.example.com/app:1.0"}]}},
    }})
}

fn scale(spec: Value) -> Value {
    json!({"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "one"}, "spec": spec})
}

/// Where to make what can be scaled, and such an object: of a built-in kind, and of one that is installed for it.
async fn scalable(talk: &mut Talk) -> [(&'static str, Value); 2] {
    const THINGS: &str = "/apis/{group}/v1/namespaces/{ns}/things";
    let number = json!({"type": "integer"});
    let spec = json!({"type": "object", "properties": {"replicas": number, "other": number}});
    let scale =
        json!({"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"});
    talk.install(thing_crd(json!({
        "name": "v1", "served": true, "storage": true,
        "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}},
        "subresources": {"scale": scale},
    })))
    .await;
    let thing = json!({
        "apiVersion": "{group}/v1", "kind": "Thing", "metadata": {"name": "one"}, "spec": {"replicas": 1, "other": 2},
    });
    [(DEPLOYMENTS, deployment()), (THINGS, thing)]
}

conformance! {
    async fn proxies_with_schemes_and_ports(talk: &mut Talk) {
        talk.prepare("/api/v1/namespaces/{ns}/services", json!({"metadata": {"name": "web"}, "spec": {"ports": [{"name": "http", "port": 80}]}})).await;
        talk.prepare(PODS, pod("one")).await;
        for name in ["web:80", "http:web:80", "https:web:http", "web:", "web:81", "http:none:80", "ftp:web:80", "a:b:c:d", ":80"] {
            talk.get(&format!("/api/v1/namespaces/{{ns}}/services/{name}/proxy/a")).await;
        }
        for name in ["one:80", "https:one:80", "none:80", "ftp:one:80"] {
            talk.get(&format!("{PODS}/{name}/proxy")).await;
        }
        for name in ["none-{ns}:80", "https:none-{ns}:80", "ftp:none-{ns}:80"] {
            talk.get(&format!("/api/v1/nodes/{name}/proxy")).await;
        }
    }

    async fn evictions_of_another_pod(talk: &mut Talk) {
        talk.prepare(PODS, pod("one")).await;
        talk.patch_unsaid("merge", &format!("{PODS}/one/status"), json!({"status": {"phase": "Running"}})).await;
        for preconditions in [json!({"uid": "another"}), json!({"resourceVersion": "1"})] {
            let eviction = json!({"metadata": {"name": "one", "namespace": "{ns}"}, "deleteOptions": {"preconditions": preconditions}});
            talk.post(&format!("{PODS}/one/eviction"), eviction).await;
            talk.get_picked(&format!("{PODS}/one"), &[], |pod| pod["status"].clone()).await;
        }
    }

    async fn less_than_no_time(talk: &mut Talk) {
        let mut short = pod("one");
        short["spec"]["terminationGracePeriodSeconds"] = (-1).into();
        talk.post(PODS, short).await;
    }

    async fn finalizers_of_namespaces(talk: &mut Talk) {
        let path = "/api/v1/namespaces/finalized-{ns}";
        talk.prepare("/api/v1/namespaces", json!({"metadata": {"name": "finalized-{ns}"}})).await;
        for (metadata, finalizers) in [
            (json!({"name": "finalized-{ns}", "labels": {"a": "b"}}), json!(["example.com/one"])),
            (json!({"name": "finalized-{ns}"}), json!(["kubernetes", "example.com/one"])),
            (json!({"name": "finalized-{ns}"}), json!(["one"])),
            (json!({"name": "another"}), json!([])),
            (json!({"name": "finalized-{ns}"}), json!([])),
        ] {
            talk.put(&format!("{path}/finalize"), json!({"metadata": metadata, "spec": {"finalizers": finalizers}, "status": {"phase": "Terminating"}})).await;
        }
        talk.delete(path).await;
    }

    async fn pods_are_bound_to_nodes(talk: &mut Talk) {
        talk.post(PODS, pod("one")).await;
        let path = format!("{PODS}/one/binding");
        let node = json!({"kind": "Node", "name": "node-1"});
        talk.post(&path, json!({})).await;
        talk.post(&path, json!({"metadata": {"name": "two"}, "target": node})).await;
        talk.post(&path, json!({"metadata": {"name": "one"}})).await;
        talk.post(&path, json!({"metadata": {"name": "one"}, "target": {"kind": "Pod", "name": "node-1"}})).await;
        talk.post(&path, json!({"metadata": {"name": "one", "uid": "another"}, "target": node})).await;
        talk.post(&format!("{path}?dryRun=All"), json!({"metadata": {"name": "one"}, "target": node})).await;
        talk.post(&path, json!({"metadata": {"name": "one", "labels": {"a": "b"}, "annotations": {"c": "d"}}, "target": node})).await;
        talk.get(&format!("{PODS}/one")).await;
        talk.post(&path, json!({"metadata": {"name": "one"}, "target": node})).await;
        talk.post(&format!("{PODS}/two/binding"), json!({"metadata": {"name": "two"}, "target": node})).await;
        talk.get(&path).await;
    }

    async fn bindings_name_their_pods(talk: &mut Talk) {
        let path = "/api/v1/namespaces/{ns}/bindings";
        talk.post(PODS, pod("one")).await;
        let binding = |name: &str| json!({"metadata": {"name": name}, "target": {"name": "node-1"}});
        for refused in [
            json!({}), binding("two"), json!({"metadata": {"name": "one"}}), json!({"kind": "Binding", "apiVersion": "v2", "metadata": {"name": "one"}}),
        ] {
            talk.post(path, refused).await;
        }
        talk.post("/api/v1/bindings", binding("one")).await;
        talk.post(&format!("{path}?dryRun=All"), binding("one")).await;
        talk.post(path, binding("one")).await;
        talk.post(path, binding("one")).await;
        talk.get_picked(&format!("{PODS}/one"), &[], |pod| pod["spec"]["nodeName"].clone()).await;
        talk.get(path).await;
        talk.get(&format!("{path}/one")).await;
        talk.delete(&format!("{path}/one")).await;
        talk.get_picked("/api/v1", &[], |list| {
            list["resources"].as_array().into_iter().flatten().filter(|resource| resource["kind"] == "Binding").cloned().collect()
        }).await;
    }

    async fn pods_are_evicted(talk: &mut Talk) {
        talk.post(PODS, pod("one")).await;
        let path = format!("{PODS}/one/eviction");
        talk.post(&path, json!({"apiVersion": "v1", "kind": "Eviction", "metadata": {"name": "one"}})).await;
        talk.post(&path, eviction("two")).await;
        talk.post(&format!("{path}?dryRun=All"), eviction("one")).await;
        talk.post(&format!("{PODS}/one/binding"), json!({"metadata": {"name": "one"}, "target": {"name": "node-1"}})).await;
        talk.post(&path, json!({"metadata": {"name": "one"}})).await;
        talk.get(&format!("{PODS}/one")).await;
        let at_once = json!({"metadata": {"name": "one"}, "deleteOptions": {"gracePeriodSeconds": 0}});
        talk.post(&path, at_once).await;
        talk.get(&format!("{PODS}/one")).await;
        talk.post(&path, eviction("one")).await;
        talk.get(&path).await;
    }

    async fn a_budget_decides_on_evictions(talk: &mut Talk) {
        talk.post(BUDGETS, json!({"metadata": {"name": "web"}, "spec": {"maxUnavailable": 1, "selector": {"matchLabels": {"app": "web"}}}})).await;
        running(talk, "one").await;
        running(talk, "two").await;
        talk.post(&format!("{PODS}/one/eviction"), eviction("one")).await;
        let status = json!({"status": {"observedGeneration": 1, "disruptionsAllowed": 1, "desiredHealthy": 1, "currentHealthy": 2, "expectedPods": 2}});
        talk.patch("merge", &format!("{BUDGETS}/web/status"), status).await;
        talk.post(&format!("{PODS}/one/eviction"), eviction("one")).await;
        talk.get(&format!("{PODS}/one")).await;
        talk.get(&format!("{BUDGETS}/web")).await;
        talk.post(&format!("{PODS}/two/eviction"), eviction("two")).await;
        talk.patch("merge", &format!("{BUDGETS}/web/status"), json!({"status": {"currentHealthy": 0}})).await;
        talk.post(&format!("{PODS}/two/eviction"), eviction("two")).await;
        talk.post(BUDGETS, json!({"metadata": {"name": "more"}, "spec": {"maxUnavailable": 1, "selector": {}}})).await;
        talk.post(&format!("{PODS}/two/eviction"), eviction("two")).await;
    }

    async fn a_scale_is_applied(talk: &mut Talk) {
        talk.post(DEPLOYMENTS, deployment()).await;
        let path = format!("{DEPLOYMENTS}/one/scale");
        let (me, forced) = (format!("{path}?fieldManager=me"), format!("{path}?fieldManager=me&force=true"));
        talk.patch("apply", &me, scale(json!({"replicas": 3}))).await;
        talk.patch("apply", &forced, scale(json!({"replicas": 3}))).await;
        talk.get(&format!("{DEPLOYMENTS}/one")).await;
        talk.patch("apply", &me, scale(json!({"replicas": 4}))).await;
        talk.patch("apply", &format!("{path}?fieldManager=you"), scale(json!({"replicas": 5}))).await;
        talk.patch("apply", &me, scale(json!({"replicas": -1}))).await;
        talk.patch("apply", &me, scale(json!({"odd": 1}))).await;
        talk.patch("apply", &me, json!({"apiVersion": "apps/v1", "kind": "Deployment", "spec": {}})).await;
        talk.patch("apply", &format!("{DEPLOYMENTS}/two/scale?fieldManager=me"), scale(json!({"replicas": 1}))).await;
        talk.patch("apply", &forced, scale(json!({}))).await;
        talk.get(&format!("{DEPLOYMENTS}/one")).await;
        talk.patch("merge", &path, json!({"spec": {"replicas": 2}})).await;
        talk.patch("apply", &format!("{path}?fieldManager=you"), scale(json!({"replicas": 6}))).await;
        talk.patch("apply", &forced, scale(json!({}))).await;
    }

    async fn the_scale_of_a_replication_controller_says_which_labels_count(talk: &mut Talk) {
        let path = "/api/v1/namespaces/{ns}/replicationcontrollers";
        let mut controller = deployment();
        controller["spec"]["template"]["metadata"]["labels"]["tier"] = "front".into();
        controller["spec"]["selector"] = json!({"tier": "front", "app": "web"});
        talk.post(path, controller).await;
        talk.get(&format!("{path}/one/scale")).await;
        talk.patch("merge", &format!("{path}/one/scale"), json!({"spec": {"replicas": 2}})).await;
    }

    async fn who_scales_is_written_down(talk: &mut Talk) {
        for (path, object) in scalable(talk).await {
            talk.post(&format!("{path}?fieldManager=maker"), object).await;
            let one = format!("{path}/one");
            let scaled = format!("{one}/scale");
            let seen = talk.unsaid("GET", &one, None).await;
            let mut put = scale(json!({"replicas": 2}));
            put["metadata"]["resourceVersion"] = seen["metadata"]["resourceVersion"].clone();
            talk.put(&format!("{scaled}?fieldManager=putter"), put).await;
            talk.get_picked(&one, &[], |object| object["metadata"]["managedFields"].clone()).await;
            for (kind, at, replicas) in [
                ("merge", &scaled, 3), ("apply", &scaled, 4), ("merge", &one, 5), ("merge", &scaled, 6), ("apply", &scaled, 6),
            ] {
                match kind {
                    "apply" => talk.patch(kind, &format!("{at}?fieldManager=applier&force=true"), scale(json!({"replicas": replicas}))).await,
                    _ => talk.patch(kind, &format!("{at}?fieldManager=patcher"), json!({"spec": {"replicas": replicas}})).await,
                };
                talk.get_picked(&one, &[], |object| object["metadata"]["managedFields"].clone()).await;
            }
        }
    }

    async fn who_scales_to_none_or_to_what_there_is_owns_nothing(talk: &mut Talk) {
        for (path, object) in scalable(talk).await {
            talk.post(&format!("{path}?fieldManager=maker"), object).await;
            let one = format!("{path}/one");
            let scaled = format!("{one}/scale");
            let number = talk.unsaid("GET", &one, None).await["spec"]["replicas"].clone();
            for (kind, at, replicas) in [
                ("put", &scaled, number.clone()), ("put", &scaled, number), ("merge", &one, json!(7)), ("put", &scaled, json!(7)),
                ("merge", &scaled, json!(7)), ("merge", &scaled, json!(5)), ("merge", &scaled, json!(0)), ("merge", &scaled, json!(4)),
                ("merge", &one, json!(0)), ("put", &scaled, json!(0)), ("put", &scaled, json!(2)), ("apply", &scaled, json!(2)), ("merge", &one, json!(3)),
                ("apply", &scaled, json!(3)), ("merge", &scaled, json!(0)), ("apply", &scaled, json!(0)), ("merge", &scaled, json!(6)),
            ] {
                let body = scale(json!({"replicas": replicas}));
                match kind {
                    "apply" => talk.patch(kind, &format!("{at}?fieldManager=applier"), body).await,
                    "put" => talk.put(&format!("{at}?fieldManager=putter"), body).await,
                    _ => talk.patch(kind, &format!("{at}?fieldManager=patcher"), json!({"spec": {"replicas": replicas}})).await,
                };
                talk.get_picked(&one, &[], |object| object["metadata"]["managedFields"].clone()).await;
            }
        }
    }

    async fn who_no_longer_says_how_many(talk: &mut Talk) {
        for (path, object) in scalable(talk).await {
            talk.post(&format!("{path}?fieldManager=maker"), object).await;
            let one = format!("{path}/one");
            let scaled = format!("{one}/scale");
            let applied = |spec: Value| {
                let mut body = scale(json!({}));
                match spec {
                    Value::Null => body.as_object_mut().unwrap().remove("spec"),
                    spec => body.as_object_mut().unwrap().insert("spec".into(), spec),
                };
                body
            };
            for (manager, spec) in [
                ("one", json!({"replicas": 1})), ("two", json!({"replicas": 1})), ("one", json!({})), ("one", json!({"replicas": null})), ("one", json!(null)),
                ("two", json!({})), ("two", json!(null)), ("one", json!({"replicas": 0})), ("two&force=true", json!({"replicas": 0})), ("one", json!({"replicas": 3})),
            ] {
                talk.patch("apply", &format!("{scaled}?fieldManager={manager}"), applied(spec)).await;
                talk.get_picked(&one, &[], |object| json!([object["metadata"]["managedFields"], object["spec"]["replicas"]])).await;
            }
            talk.say("the number of an object that nobody owns was there before");
            talk.patch("merge", &one, json!({"metadata": {"managedFields": [{}]}})).await;
            for (manager, replicas) in [("one", 2), ("one", 0), ("two", 5), ("two&force=true", 5)] {
                talk.patch("apply", &format!("{scaled}?fieldManager={manager}"), applied(json!({"replicas": replicas}))).await;
                talk.get_picked(&one, &[], |object| object["metadata"]["managedFields"].clone()).await;
            }
        }
    }

    async fn patches_that_make_something_else_of_a_scale(talk: &mut Talk) {
        let containers = json!([{"name": "a", "image": "registry.example.com/app:1.0"}]);
        let spec = json!({"selector": {"matchLabels": {"a": "b"}}, "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": containers}}});
        let path = "/apis/apps/v1/namespaces/{ns}/deployments";
        talk.prepare(path, json!({"metadata": {"name": "one"}, "spec": spec})).await;
        for (field, value) in [("kind", "X"), ("kind", ""), ("apiVersion", "x/v1"), ("apiVersion", "v1"), ("apiVersion", "autoscaling/v2"), ("apiVersion", "")] {
            for kind in ["merge", "strategic-merge"] {
                talk.patch(kind, &format!("{path}/one/scale"), json!({(field): value})).await;
            }
            talk.patch("json", &format!("{path}/one/scale"), json!([{"op": "replace", "path": format!("/{field}"), "value": value}])).await;
        }
    }

    async fn what_a_node_would_answer(talk: &mut Talk) {
        talk.post(PODS, pod("one")).await;
        let mut two = pod("two");
        two["spec"]["initContainers"] = json!([{"name": "first", "image": "registry.example.com/app:1.0"}]);
        talk.post(PODS, two).await;
        let mut lost = pod("lost");
        lost["spec"]["nodeName"] = "nowhere-{ns}".into();
        talk.post(PODS, lost).await;
        for asked in [
            "one/log", "one/log?container=main&follow=true", "one/log?container=other", "one/log?tailLines=-1", "one/log?limitBytes=0&sinceSeconds=0", "one/log?tailLines=x",
            "two/log", "lost/log", "none/log", "one/exec?command=ls", "one/exec?container=other", "two/exec", "none/exec", "one/attach", "one/portforward", "lost/portforward",
            "none/portforward", "one/proxy", "one/proxy/a/b", "none/proxy", "one/nothing",
        ] {
            talk.get(&format!("{PODS}/{asked}")).await;
        }
        talk.say("by other verbs");
        for (verb, asked) in [
            ("POST", "log"), ("POST", "exec?command=ls"), ("PUT", "exec"), ("DELETE", "attach"), ("POST", "portforward"), ("PUT", "proxy"), ("DELETE", "proxy/a"),
        ] {
            talk.send(verb, &format!("{PODS}/one/{asked}"), &[], None).await;
        }
        talk.say("of services and nodes");
        talk.post("/api/v1/namespaces/{ns}/services", json!({"metadata": {"name": "one"}, "spec": {"clusterIP": "None", "ports": [{"port": 80}]}})).await;
        talk.get("/api/v1/namespaces/{ns}/services/one/proxy").await;
        for path in ["services/one/proxy", "services/none/proxy/a", "pods/one/proxy", "pods/one/exec", "pods/one/attach", "pods/one/portforward", "pods/none/log"] {
            for said in ["All", ""] {
                talk.get(&format!("/api/v1/namespaces/{{ns}}/{path}?dryRun={said}")).await;
            }
            talk.send("OPTIONS", &format!("/api/v1/namespaces/{{ns}}/{path}"), &[], None).await;
        }
        talk.get("/api/v1/namespaces/{ns}/services/none/proxy/a").await;
        talk.get("/api/v1/nodes/{ns}/proxy").await;
    }

    async fn ephemeral_containers(talk: &mut Talk) {
        talk.post(PODS, pod("one")).await;
        let at = format!("{PODS}/one/ephemeralcontainers");
        talk.get(&at).await;
        let with = |containers: Value| json!({"spec": {"ephemeralContainers": containers}});
        talk.patch("strategic-merge", &at, with(json!([{"name": "debug", "image": "registry.example.com/shell:1.0"}]))).await;
        talk.patch("strategic-merge", &at, with(Value::Null)).await;
        talk.patch("strategic-merge", &format!("{PODS}/one"), json!({"metadata": {"labels": {"a": "b"}}})).await;
        talk.patch("strategic-merge", &format!("{PODS}/none/ephemeralcontainers"), json!({})).await;
        talk.delete(&at).await;
    }

    async fn only_a_part_of_a_pod_is_written_and_all_of_what_was_sent_is_owned(talk: &mut Talk) {
        for (part, name) in [("ephemeralcontainers", "one"), ("resize", "two")] {
            let mut pod = pod(name);
            pod["metadata"]["annotations"] = json!({"a": "b"});
            pod["metadata"]["finalizers"] = json!(["example.com/a"]);
            talk.post(PODS, pod).await;
            let path = format!("{PODS}/{name}/{part}");
            let debugger = json!([{"name": "debug", "image": "registry.example.com/shell:1.0"}]);
            let other = json!([{"name": "main", "image": "registry.example.com/other:1.0", "resources": {}}]);
            let spec = match part {
                "resize" => json!({"containers": other}),
                _ => json!({"ephemeralContainers": debugger}),
            };
            talk.put(&path, json!({"metadata": {"name": name}, "spec": spec})).await;
            let metadata = json!({"labels": {"more": "1"}, "annotations": null, "generateName": "a", "ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": "a", "uid": "b"}]});
            talk.patch("strategic-merge", &path, json!({"metadata": metadata, "spec": spec})).await;
            talk.patch("strategic-merge", &path, json!({"status": {"phase": "Failed"}})).await;
            let applied = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"applied": "1"}}, "spec": spec});
            talk.patch("apply", &format!("{path}?fieldManager=applier&force=true"), applied).await;
            talk.get(&format!("{PODS}/{name}")).await;
            talk.patch_unsaid("merge", &format!("{PODS}/{name}"), json!({"metadata": {"finalizers": null}})).await;
        }
    }

    async fn pods_are_resized(talk: &mut Talk) {
        let resources = |resources: Value| json!({"name": "main", "resources": resources});
        let mut one = pod("one");
        one["spec"]["containers"][0]["resources"] = json!({"requests": {"cpu": "1"}, "limits": {"cpu": "2", "memory": "1Gi"}});
        one["spec"]["initContainers"] = json!([{"name": "side", "image": "registry.example.com/app:1.0", "restartPolicy": "Always"}]);
        talk.post(PODS, one).await;
        talk.get_picked("/api/v1", &[], |list| {
            let resources = list["resources"].as_array();
            resources.into_iter().flatten().find(|resource| resource["name"] == "pods/resize").cloned().unwrap_or_default()
        })
        .await;
        talk.get(&format!("{PODS}/one/resize")).await;
        let path = format!("{PODS}/one/resize");
        for container in [
            resources(json!({"requests": {"cpu": "500m"}})),
            resources(json!({"requests": {"memory": "512Mi"}, "limits": {"memory": "768Mi"}})),
            resources(json!({"requests": {"cpu": "3"}})),
            resources(json!({"requests": {"ephemeral-storage": "3"}})),
            resources(json!({"requests": {"odd": "1"}})),
            resources(json!({"limits": {"cpu": null}})),
            resources(Value::Null),
            json!({"name": "more", "image": "registry.example.com/app:1.0"}),
            json!({"name": "main", "resizePolicy": [{"resourceName": "cpu", "restartPolicy": "RestartContainer"}]}),
        ] {
            talk.patch("strategic-merge", &path, json!({"spec": {"containers": [container]}})).await;
        }
        talk.patch("strategic-merge", &path, json!({"spec": {"initContainers": [{"name": "side", "resources": {"requests": {"cpu": "1"}}}]}})).await;
        talk.patch("strategic-merge", &path, json!({"spec": {"initContainers": [{"name": "more", "image": "a"}]}})).await;
        talk.patch("strategic-merge", &path, json!({"metadata": {"resourceVersion": "1"}})).await;
        talk.patch("json", &path, json!([{"op": "replace", "path": "/spec/containers/0/resources/requests/cpu", "value": "700m"}])).await;
        let mut written = talk.get(&format!("{PODS}/one")).await.body;
        written["spec"]["containers"][0]["resources"]["requests"]["cpu"] = "800m".into();
        talk.put(&path, written).await;
        talk.post(&path, json!({})).await;
        talk.delete(&path).await;
        talk.get(&format!("{PODS}/none/resize")).await;
        talk.patch("merge", &format!("{PODS}/none/resize"), json!({})).await;
        talk.say("and stay what they are");
        talk.post(PODS, pod("two")).await;
        for wanted in [json!({"requests": {"cpu": "1"}}), json!({"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"cpu": "1", "memory": "1Gi"}})] {
            talk.patch("strategic-merge", &format!("{PODS}/two/resize"), json!({"spec": {"containers": [resources(wanted)]}})).await;
        }
    }

    async fn a_scale_says_whose_it_is(talk: &mut Talk) {
        let sets = "/apis/apps/v1/namespaces/{ns}/replicasets";
        let template = json!({"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "main", "image": "web:1"}]}});
        talk.prepare(sets, json!({"metadata": {"name": "one"}, "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": template}})).await;
        for change in [
            json!({"op": "move", "path": "/metadata", "from": "/spec"}), json!({"op": "remove", "path": "/metadata"}), json!({"op": "replace", "path": "/metadata", "value": {}}),
            json!({"op": "remove", "path": "/metadata/name"}), json!({"op": "replace", "path": "/metadata/name", "value": "two"}), json!({"op": "remove", "path": "/metadata/uid"}),
        ] {
            talk.patch("json", &format!("{sets}/one/scale"), json!([change])).await;
        }
    }

    async fn the_metadata_of_a_scale(talk: &mut Talk) {
        for (path, object) in scalable(talk).await {
            talk.prepare(path, object).await;
            for kind in ["PartialObjectMetadata", "PartialObjectMetadataList"] {
                let accept = [("accept", format!("application/json;as={kind};g=meta.k8s.io;v=v1"))];
                let accept = accept.each_ref().map(|(name, value)| (*name, value.as_str()));
                talk.send("GET", &format!("{path}/one/scale"), &accept, None).await;
            }
        }
    }

    async fn a_scale_that_is_applied_is_of_its_path(talk: &mut Talk) {
        for (kinds, more) in [("deployments", json!({})), ("statefulsets", json!({"serviceName": "s"}))] {
            let all = format!("/apis/apps/v1/namespaces/{{ns}}/{kinds}");
            let mut spec = json!({"replicas": 2, "selector": {"matchLabels": {"a": "b"}}, "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "a", "image": "b"}]}}});
            extend(&mut spec, &more);
            talk.prepare(&all, json!({"metadata": {"name": "one"}, "spec": spec})).await;
            for fields in [
                json!({"metadata": {"name": "other"}, "spec": {"replicas": 4}}), json!({"metadata": {"name": "one", "namespace": "other"}, "spec": {"replicas": 4}}),
                json!({"metadata": {"managedFields": []}, "spec": {"replicas": 4}}), json!({"odd": 1}), json!({"spec": {"replicas": 4, "odd": 1}}), json!({"spec": {"replicas": "4"}}),
                json!({"metadata": {"labels": 1}, "spec": {"replicas": 4}}), json!({"apiVersion": "", "kind": ""}), json!({"apiVersion": "v1"}), json!({"metadata": {"name": "one"}, "spec": {"replicas": 3}}),
            ] {
                let mut scale = json!({"apiVersion": "autoscaling/v1", "kind": "Scale"});
                extend(&mut scale, &fields);
                for manager in ["a&force=true", "b"] {
                    talk.patch("apply", &format!("{all}/one/scale?fieldManager={manager}"), scale.clone()).await;
                }
            }
            talk.get_picked(&format!("{all}/one"), &[], |one| json!([one["spec"]["replicas"], one["metadata"]["managedFields"]])).await;
        }
    }

    async fn a_scale_that_is_applied_without_its_number(talk: &mut Talk) {
        talk.prepare(DEPLOYMENTS, json!({"metadata": {"name": "one"}, "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "a", "image": "b"}]}}}})).await;
        for (manager, fields) in [
            ("a", json!({"spec": {"replicas": 3}})), ("a", json!({"status": {"replicas": 4}})), ("b", json!({"spec": {"replicas": 3}})), ("b", json!({"status": {"replicas": 4}})), ("a", json!({"status": null})),
            ("b", json!({"spec": null})), ("b", json!({})),
        ] {
            let mut scale = json!({"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "one"}});
            extend(&mut scale, &fields);
            talk.patch("apply", &format!("{DEPLOYMENTS}/one/scale?fieldManager={manager}&force=true"), scale).await;
            talk.get_picked(&format!("{DEPLOYMENTS}/one"), &[], |one| json!([one["spec"]["replicas"], one["metadata"]["managedFields"]])).await;
        }
    }

    async fn budgets_that_do_not_let_a_pod_go(talk: &mut Talk) {
        let mut pod = json!({"metadata": {"name": "one", "labels": {"a": "b"}}, "spec": {"nodeName": "nobody", "containers": [{"name": "a", "image": "b"}]}});
        talk.prepare(BUDGETS, json!({"metadata": {"name": "one"}, "spec": {"selector": {"matchLabels": {"a": "b"}}}})).await;
        let make = |name: &str| {
            pod["metadata"]["name"] = name.into();
            pod.clone()
        };
        let mut make = make;
        let running = json!({"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}});
        let reason = |reason: &str, message: &str| json!([{"type": "DisruptionAllowed", "status": "False", "reason": reason, "message": message, "lastTransitionTime": "2020-01-01T00:00:00Z"}]);
        let disrupted: serde_json::Map<String, Value> = (0..2001).map(|index| (format!("p{index}"), "2020-01-01T00:00:00Z".into())).collect();
        talk.prepare(PODS, make("held")).await;
        talk.patch_unsaid("merge", &format!("{PODS}/held/status"), running.clone()).await;
        for status in [
            json!({"disruptionsAllowed": 0, "currentHealthy": 3, "desiredHealthy": 3}), json!({"currentHealthy": 4, "desiredHealthy": 3}), json!({"conditions": reason("Why", "because")}), json!({"conditions": reason("Why", "")}),
            json!({"conditions": reason("SyncFailed", "boom")}), json!({"currentHealthy": 1, "desiredHealthy": 3}), json!({"conditions": reason("Why", "because")}), json!({"disruptionsAllowed": 2, "disruptedPods": disrupted}),
        ] {
            let mut status = json!({"status": status});
            status["status"]["observedGeneration"] = 1.into();
            talk.patch_unsaid("merge", &format!("{BUDGETS}/one/status"), status).await;
            talk.post(&format!("{PODS}/held/eviction"), json!({"metadata": {"name": "held"}})).await;
        }
        talk.patch_unsaid("merge", &format!("{BUDGETS}/one/status"), json!({"status": {"disruptionsAllowed": 2, "disruptedPods": null, "conditions": [], "currentHealthy": 5}})).await;
        talk.post(&format!("{PODS}/held/eviction"), json!({"metadata": {"name": "held"}})).await;
        talk.get_picked(&format!("{BUDGETS}/one"), &[], |budget| json!([budget["status"]["disruptionsAllowed"], budget["status"]["conditions"]])).await;
        talk.say("who is not ready is no loss, whatever state of it is meant");
        for (name, preconditions) in [("p1", json!({"resourceVersion": "1"})), ("p2", json!({"uid": "other"})), ("p3", json!({"uid": "other", "resourceVersion": "1"}))] {
            talk.prepare(PODS, make(name)).await;
            talk.patch_unsaid("merge", &format!("{PODS}/{name}/status"), json!({"status": {"phase": "Running"}})).await;
            talk.post(&format!("{PODS}/{name}/eviction"), json!({"metadata": {"name": name}, "deleteOptions": {"preconditions": preconditions}})).await;
        }
    }

    async fn whose_number_is_asked_first(talk: &mut Talk) {
        let template = json!({"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "main", "image": "a:1"}]}});
        let deployments = "/apis/apps/v1/namespaces/{ns}/deployments";
        talk.prepare(deployments, json!({"metadata": {"name": "asked"}, "spec": {"replicas": 1, "selector": {"matchLabels": {"a": "b"}}, "template": template}})).await;
        let scale = &format!("{deployments}/asked/scale");
        let of = |replicas: Value| json!({"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "asked"}, "spec": {"replicas": replicas}});
        for replicas in [json!(-1), json!(2147483648_i64), json!(1.5), json!(2)] {
            talk.send("PATCH", &format!("{scale}?fieldManager=other"), &[("content-type", "application/apply-patch+yaml")], Some(of(replicas.clone()))).await;
            talk.send("PATCH", &format!("{scale}?fieldManager=other&force=true&dryRun=All"), &[("content-type", "application/apply-patch+yaml")], Some(of(replicas))).await;
        }
        talk.say("of versions of old, and of another object");
        for version in ["extensions/v1beta1", "apps/v1beta1", "apps/v1beta2", "apps/v1"] {
            let mut old = of(json!(1));
            old["apiVersion"] = version.into();
            talk.put(scale, old).await;
        }
        let mut other = of(json!(1));
        other["metadata"]["uid"] = "abc".into();
        talk.put(scale, other.clone()).await;
        talk.put(&format!("{scale}?dryRun=All"), other.clone()).await;
        talk.patch("merge", scale, json!({"metadata": {"uid": "abc"}})).await;
    }
}
