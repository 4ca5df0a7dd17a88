//! What pods may do in a namespace whose labels say it, and what is warned of.

use serde_json::{Value, json};

use super::support::Talk;

const PODS: &str = "/api/v1/namespaces/{ns}/pods";
const NAMESPACES: &str = "/api/v1/namespaces";

/// The labels of a namespace, each behind the prefix that all have.
fn labels(labels: &[(&str, &str)]) -> Value {
    let labels = labels.iter();
    labels
        .map(|(label, value)| (format!("pod-security.kubernetes.io/{label}"), json!(value)))
        .collect()
}

/// A pod, and what its spec and its containers say.
fn pod(spec: Value, containers: &[Value]) -> Value {
    let containers: Vec<Value> = containers
        .iter()
        .enumerate()
        .map(|(index, more)| {
            let mut container = json!({"name": format!("c{index}"), "image": "one"});
            container
                .as_object_mut()
                .unwrap()
                .extend(more.as_object().unwrap().clone());
            container
        })
        .collect();
    let mut all = json!({"containers": containers});
    all.as_object_mut()
        .unwrap()
        .extend(spec.as_object().unwrap().clone());
    json!({"metadata": {"name": "one"}, "spec": all})
}

fn secured(context: Value) -> Value {
    json!({"securityContext": context})
}

/// A pod that gives up all that it can.
fn humble() -> Value {
    let context = json!({"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}});
    let of_pod = json!({"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}});
    pod(secured(of_pod), &[secured(context)])
}

/// Sets the labels of the namespace of the case, and waits until they count for this pod.
async fn label(talk: &mut Talk, said: &[(&str, &str)], refused: Value) {
    let patch = json!({"metadata": {"labels": labels(said)}});
    talk.patch_unsaid("merge", &format!("{NAMESPACES}/{{ns}}"), patch)
        .await;
    let path = format!("{PODS}?dryRun=All");
    talk.post_until(&path, refused, |code| code == 403).await;
}

/// Pods that reach out of their containers, each in another way.
fn reaching() -> Vec<Value> {
    let both = |context: Value| {
        pod(
            secured(context.clone()),
            &[secured(context.clone()), json!({}), secured(context)],
        )
    };
    let one = |context: Value| pod(json!({}), &[secured(context), json!({})]);
    let mut pods = vec![
        both(json!({"appArmorProfile": {"type": "Unconfined"}})),
        one(json!({"capabilities": {"add": ["SYS_ADMIN", "CHOWN", "NET_ADMIN"]}})),
        pod(
            json!({"hostNetwork": true, "hostPID": true, "hostIPC": true}),
            &[json!({"ports": [{"containerPort": 80}]})],
        ),
        pod(
            json!({"volumes": [{"name": "a", "hostPath": {"path": "/a"}}, {"name": "b", "hostPath": {"path": "/b"}}, {"name": "c", "emptyDir": {}}]}),
            &[json!({})],
        ),
        pod(
            json!({}),
            &[
                json!({"ports": [{"containerPort": 80, "hostPort": 9000}, {"containerPort": 81, "hostPort": 10000}]}),
                json!({"ports": [{"containerPort": 82, "hostPort": 82}]}),
            ],
        ),
        pod(
            json!({}),
            &[
                json!({"livenessProbe": {"httpGet": {"port": 80, "host": "example.com"}}, "lifecycle": {"preStop": {"tcpSocket": {"port": 80, "host": "127.0.0.1"}}}}),
            ],
        ),
        one(json!({"privileged": true})),
        pod(
            json!({}),
            &[
                secured(json!({"privileged": true})),
                secured(json!({"privileged": true})),
            ],
        ),
        both(json!({"seLinuxOptions": {"type": "spc_t", "user": "u", "role": "r"}})),
        one(json!({"seLinuxOptions": {"type": "container_engine_t"}})),
        both(json!({"seccompProfile": {"type": "Unconfined"}})),
        pod(
            secured(
                json!({"sysctls": [{"name": "kernel.msgmax", "value": "1"}, {"name": "net.ipv4.tcp_rmem", "value": "1"}]}),
            ),
            &[json!({})],
        ),
        pod(
            json!({"hostNetwork": true, "securityContext": {"windowsOptions": {"hostProcess": true}}}),
            &[json!({})],
        ),
    ];
    let mut first = one(json!({"privileged": true}));
    first["spec"]["initContainers"] =
        json!([{"name": "first", "image": "one", "securityContext": {"privileged": true}}]);
    pods.push(first);
    pods
}

conformance! {
    async fn labels_of_policies_are_known(talk: &mut Talk) {
        let path = format!("{NAMESPACES}?dryRun=All");
        for said in [
            [("enforce", "baseline"), ("enforce-version", "v1.30")],
            [("enforce", "odd"), ("enforce-version", "v2.1")],
            [("audit", "Baseline"), ("audit-version", "1.2")],
            [("warn", ""), ("warn-version", "v1.01")],
            [("warn", "privileged"), ("warn-version", "latest")],
        ] {
            talk.post(&path, json!({"metadata": {"name": "{ns}-other", "labels": labels(&said)}})).await;
            talk.patch("merge", &format!("{NAMESPACES}/{{ns}}?dryRun=All"), json!({"metadata": {"labels": labels(&said)}})).await;
        }
    }

    async fn pods_reach_not_out_of_their_containers(talk: &mut Talk) {
        label(talk, &[("enforce", "baseline")], pod(json!({"hostPID": true}), &[json!({})])).await;
        for pod in reaching() {
            talk.post(&format!("{PODS}?dryRun=All"), pod).await;
        }
        talk.post(PODS, pod(json!({}), &[json!({})])).await;
        talk.say("what changes");
        talk.patch("merge", &format!("{PODS}/one"), json!({"metadata": {"labels": {"a": "b"}}})).await;
        let debugger = json!({"spec": {"ephemeralContainers": [{"name": "debug", "image": "one", "securityContext": {"privileged": true}}]}});
        talk.patch("strategic-merge", &format!("{PODS}/one/ephemeralcontainers"), debugger).await;
        talk.say("what makes pods is warned");
        let template = json!({"metadata": {"labels": {"a": "b"}}, "spec": pod(json!({"hostPID": true}), &[json!({})])["spec"]});
        let apps = "/apis/apps/v1/namespaces/{ns}";
        talk.post(&format!("{apps}/deployments"), json!({"metadata": {"name": "one"}, "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": template}})).await;
        talk.patch("merge", &format!("{apps}/deployments/one"), json!({"spec": {"paused": true}})).await;
        talk.patch("merge", &format!("{apps}/deployments/one/scale"), json!({"spec": {"replicas": 2}})).await;
        let once = json!({"spec": {"hostPID": true, "restartPolicy": "Never", "containers": [{"name": "one", "image": "one"}]}});
        let batch = "/apis/batch/v1/namespaces/{ns}";
        talk.post(&format!("{batch}/jobs"), json!({"metadata": {"name": "one"}, "spec": {"suspend": true, "template": once}})).await;
        talk.post(&format!("{batch}/cronjobs"), json!({"metadata": {"name": "one"}, "spec": {"suspend": true, "schedule": "* * * * *", "jobTemplate": {"spec": {"template": once}}}})).await;
        talk.post("/api/v1/namespaces/{ns}/podtemplates", json!({"metadata": {"name": "one"}, "template": template})).await;
    }

    async fn pods_give_up_what_they_do_not_need(talk: &mut Talk) {
        label(talk, &[("enforce", "restricted")], pod(json!({}), &[json!({})])).await;
        let path = &format!("{PODS}?dryRun=All");
        talk.post(path, humble()).await;
        talk.post(path, pod(json!({}), &[json!({}), json!({})])).await;
        for pod in reaching() {
            talk.post(path, pod).await;
        }
        let with = |pointer: &str, value: Value| {
            let mut pod = humble();
            *pod.pointer_mut(pointer).unwrap() = value;
            pod
        };
        let context = "/spec/containers/0/securityContext";
        talk.post(path, with(&format!("{context}/capabilities"), json!({"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]}))).await;
        talk.post(path, with(&format!("{context}/capabilities"), json!({"drop": ["CHOWN"], "add": ["CHOWN"]}))).await;
        talk.post(path, with("/spec/securityContext/runAsNonRoot", json!(false))).await;
        talk.post(path, with("/spec/securityContext", json!({}))).await;
        talk.post(path, with("/spec/securityContext", json!({"runAsNonRoot": true, "runAsUser": 0, "seccompProfile": {"type": "Unconfined"}}))).await;
        talk.post(path, with(context, json!({"allowPrivilegeEscalation": false, "runAsNonRoot": false, "runAsUser": 0, "capabilities": {"drop": ["ALL"]}}))).await;
        let mut mounting = humble();
        mounting["spec"]["volumes"] = json!([{"name": "a", "nfs": {"server": "a", "path": "/"}}, {"name": "b", "hostPath": {"path": "/b"}}, {"name": "c", "emptyDir": {}}]);
        talk.post(path, mounting).await;
        talk.say("windows has less to give up");
        let mut windows = humble();
        windows["spec"]["os"] = json!({"name": "windows"});
        windows["spec"]["securityContext"] = json!({"runAsNonRoot": true});
        windows["spec"]["containers"][0]["securityContext"] = json!({});
        talk.post(path, windows).await;
        talk.say("in a version of before");
        label(talk, &[("enforce", "restricted"), ("enforce-version", "v1.18")], pod(json!({}), &[json!({})])).await;
        talk.post_until(path, with("/spec/securityContext", json!({"runAsNonRoot": true})), |code| code == 201).await;
        talk.post(path, pod(json!({}), &[json!({})])).await;
    }

    async fn a_policy_may_warn_alone(talk: &mut Talk) {
        let said = [("enforce", "restricted"), ("warn", "restricted"), ("warn-version", "v1.30"), ("audit", "baseline")];
        label(talk, &said, pod(json!({}), &[json!({})])).await;
        let lenient = json!({"metadata": {"labels": labels(&[("enforce", "privileged")])}});
        talk.patch_unsaid("merge", &format!("{NAMESPACES}/{{ns}}"), lenient).await;
        talk.post_until(&format!("{PODS}?dryRun=All"), pod(json!({}), &[json!({})]), |code| code == 201).await;
        talk.post(PODS, pod(json!({"hostPID": true}), &[json!({})])).await;
        talk.say("what is there is looked at");
        for (name, spec) in [("two", json!({"hostPID": true})), ("three", json!({"hostPID": true})), ("four", json!({"hostIPC": true})), ("five", json!({}))] {
            let mut pod = pod(spec, &[json!({})]);
            pod["metadata"]["name"] = name.into();
            talk.unsaid("POST", PODS, Some(pod)).await;
        }
        let own = format!("{NAMESPACES}/{{ns}}");
        for said in [
            [("enforce", "baseline"), ("enforce-version", "latest")],
            [("enforce", "baseline"), ("enforce-version", "v1.20")],
            [("enforce", "restricted"), ("enforce-version", "v1.20")],
            [("enforce", "baseline"), ("enforce-version", "v1.20")],
            [("enforce", "privileged"), ("enforce-version", "v1.20")],
        ] {
            talk.patch("merge", &own, json!({"metadata": {"labels": labels(&said)}})).await;
        }
    }
}
