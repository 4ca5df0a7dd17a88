//! What pods, their templates and their volumes are asked for, field by field.

use serde_json::{Value, json};

use super::support::{Talk, with};

const PODS: &str = "/api/v1/namespaces/{ns}/pods?dryRun=All";

fn container(more: Value) -> Value {
    with(json!({"name": "main", "image": "a:1"}), more)
}

fn spec(more: Value) -> Value {
    with(json!({"containers": [container(json!({}))]}), more)
}

/// Asks for a pod with each of these, beside what a pod has to say.
async fn try_pods(talk: &mut Talk, all: impl IntoIterator<Item = Value>) {
    for more in all {
        let pod = json!({"metadata": {"name": "one", "labels": {"a": "b"}}, "spec": spec(more)});
        talk.post(PODS, pod).await;
    }
}

/// Asks for a pod whose container says each of these.
async fn try_containers(talk: &mut Talk, all: impl IntoIterator<Item = Value>) {
    let pods = all
        .into_iter()
        .map(|more| json!({"containers": [container(more)]}));
    try_pods(talk, pods).await;
}

/// Sources of which something is missing or wrong, of pods and of volumes that outlive them.
fn sources() -> Vec<Value> {
    vec![
        json!({"iscsi": {}}),
        json!({"iscsi": {"targetPortal": "a:1", "iqn": "x", "lun": 256, "chapAuthSession": true, "initiatorName": "iqn.x"}}),
        json!({"iscsi": {"targetPortal": "a:1", "iqn": "iqn.2020-01.a.b:c", "lun": 0, "secretRef": {}, "initiatorName": "x"}}),
        json!({"iscsi": {"targetPortal": "a".repeat(70), "iqn": "eui.0123456789abcdef", "lun": 1, "initiatorName": "naa.0123"}}),
        json!({"rbd": {}}),
        json!({"rbd": {"monitors": ["a"], "image": "b"}}),
        json!({"cephfs": {}}),
        json!({"glusterfs": {}}),
        json!({"glusterfs": {"endpoints": "a", "path": "b", "endpointsNamespace": "A b"}}),
        json!({"scaleIO": {}}),
        json!({"scaleIO": {"gateway": "a", "system": "b", "volumeName": "c", "secretRef": {"name": "d"}}}),
        json!({"azureDisk": {}}),
        json!({"azureDisk": {"diskName": "a", "diskURI": "https://b", "cachingMode": "Odd", "kind": "Odd"}}),
        json!({"azureDisk": {"diskName": "a", "diskURI": "https://b", "kind": "Managed"}}),
        json!({"azureDisk": {"diskName": "a", "diskURI": "https://b"}}),
        json!({"azureFile": {}}),
        json!({"quobyte": {}}),
        json!({"quobyte": {"registry": "a:1,b,c:1:2,[::1]:2", "volume": "v"}}),
        json!({"quobyte": {"registry": "a:1", "volume": "v", "tenant": "t".repeat(65)}}),
        json!({"flexVolume": {"options": {"a.kubernetes.io/b": "c"}}}),
        json!({"flexVolume": {"driver": "a", "options": {"K8S.io": "a"}}}),
        json!({"storageos": {"secretRef": {}}}),
        json!({"storageos": {"volumeName": "A b", "volumeNamespace": "C.d"}}),
        json!({"vsphereVolume": {}}),
        json!({"cinder": {"secretRef": {}}}),
        json!({"fc": {}}),
        json!({"fc": {"targetWWNs": ["a"], "wwids": ["b"]}}),
        json!({"fc": {"targetWWNs": ["a"], "lun": -1}}),
        json!({"awsElasticBlockStore": {"partition": 256}}),
        json!({"gcePersistentDisk": {"partition": -1}}),
        json!({"portworxVolume": {}}),
        json!({"photonPersistentDisk": {}}),
        json!({"flocker": {}}),
        json!({"flocker": {"datasetName": "a/b", "datasetUUID": "c"}}),
        json!({"hostPath": {"path": "/a/..", "type": "Odd"}}),
        json!({"nfs": {"server": "a", "path": "b"}}),
        json!({"csi": {"driver": "A b", "nodePublishSecretRef": {"name": "C d"}}}),
        json!({"csi": {"driver": "a".repeat(64), "nodePublishSecretRef": {}}}),
    ]
}

conformance! {
    async fn sources_of_volumes_of_pods(talk: &mut Talk) {
        let more = [
            json!({"gitRepo": {"directory": "/a"}}), json!({"gitRepo": {"repository": "a", "directory": "../b"}}), json!({"image": {}}), json!({"image": {"reference": "a", "pullPolicy": "Odd"}}),
            json!({"image": {"reference": "a:1"}}), json!({"rbd": {"monitors": ["a"], "image": "b"}, "hostPath": {"path": "/"}}),
            json!({"projected": {"sources": [{"serviceAccountToken": {"path": "/a", "expirationSeconds": 1_u64 << 40}}]}}),
            json!({"ephemeral": {"volumeClaimTemplate": {
                "metadata": {"name": "a", "uid": "b", "finalizers": ["c"], "annotations": {"A b": "c"}, "labels": {"a": "B c"}},
                "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1"}}, "volumeAttributesClassName": "A b", "dataSourceRef": {"kind": "PersistentVolumeClaim", "name": "a", "namespace": "B c"}},
            }}}),
        ];
        let volumes = sources().into_iter().chain(more).map(|source| json!({"volumes": [with(json!({"name": "v"}), source)]}));
        try_pods(talk, volumes).await;
    }

    async fn sources_of_volumes_that_outlive_pods(talk: &mut Talk) {
        let volume = |more: Value| {
            let spec = with(json!({"accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1"}}), more);
            json!({"metadata": {"name": "{ns}"}, "spec": spec})
        };
        let secrets = json!({"driver": "a", "volumeHandle": "b", "controllerPublishSecretRef": {}, "nodeStageSecretRef": {}, "nodePublishSecretRef": {"name": "A b", "namespace": "C d"}, "nodeExpandSecretRef": {"name": "a"}});
        let more = [
            json!({"azureFile": {"secretName": "a", "shareName": "b", "secretNamespace": ""}}), json!({"csi": secrets}), json!({"local": {}}), json!({"local": {"path": "a/.."}, "nodeAffinity": {}}),
            json!({"flexVolume": {}, "hostPath": {"path": "/a"}}), json!({"hostPath": {"path": "/a/./../"}, "persistentVolumeReclaimPolicy": "Recycle"}), json!({"hostPath": {"path": "/a"}, "volumeAttributesClassName": "A b"}),
            json!({"csi": {"driver": "a", "volumeHandle": "b"}, "volumeAttributesClassName": ""}), json!({"hostPath": {"path": "/a"}, "capacity": {"storage": "-1500m"}}), json!({"cephfs": {"monitors": ["a"]}, "fc": {}, "cinder": {}}),
        ];
        for source in sources().into_iter().chain(more) {
            talk.post("/api/v1/persistentvolumes?dryRun=All", volume(source)).await;
        }
    }

    async fn volumes_that_are_said_where_they_are_attached(talk: &mut Talk) {
        let source = json!({"csi": {"driver": "a", "volumeHandle": "b"}, "accessModes": ["ReadWriteOnce"]});
        let inline = |more: Value| json!({"attacher": "a", "nodeName": "n", "source": {"inlineVolumeSpec": with(source.clone(), more)}});
        for spec in [
            inline(json!({})), inline(json!({"accessModes": ["Odd"], "claimRef": {"name": "a"}, "capacity": {"storage": "1"}, "storageClassName": "a", "volumeMode": "Block", "nodeAffinity": {}, "persistentVolumeReclaimPolicy": "Delete"})),
            inline(json!({"csi": null, "azureDisk": {}})), inline(json!({"csi": null, "accessModes": []})), json!({"attacher": "A b", "nodeName": "C d", "source": {}}),
            json!({"attacher": "a".repeat(70), "nodeName": "n", "source": {"persistentVolumeName": "A b"}}), json!({"attacher": "a", "nodeName": "n", "source": {"persistentVolumeName": "a", "inlineVolumeSpec": {}}}),
        ] {
            talk.post("/apis/storage.k8s.io/v1/volumeattachments?dryRun=All", json!({"metadata": {"name": "{ns}"}, "spec": spec})).await;
        }
    }

    async fn containers_that_start_again(talk: &mut Talk) {
        let rule = |rule: Value| json!({"restartPolicy": "Never", "restartPolicyRules": [rule]});
        try_containers(talk, [
            json!({"restartPolicy": "Odd"}), json!({"restartPolicyRules": [{"action": "Restart", "exitCodes": {"operator": "In", "values": [1]}}]}), rule(json!({})),
            rule(json!({"action": "Odd", "exitCodes": {"operator": "Odd"}})), rule(json!({"action": "Restart", "exitCodes": {"operator": "NotIn", "values": vec![1; 256]}})),
            json!({"restartPolicy": "Always", "restartPolicyRules": vec![json!({"action": "RestartAllContainers", "exitCodes": {"operator": "In", "values": [1]}}); 21]}),
        ]).await;
        let first = |more: Value| json!({"initContainers": [with(json!({"name": "first", "image": "a"}), more)]});
        try_pods(talk, [first(json!({"restartPolicyRules": [{}]})), first(json!({"restartPolicy": "Odd"})), first(rule(json!({}))), first(json!({"resizePolicy": [{"resourceName": "cpu", "restartPolicy": "RestartContainer"}]}))]).await;
    }

    async fn what_containers_get(talk: &mut Talk) {
        let claims = |claims: Value| json!({"resources": {"claims": claims}});
        try_containers(talk, [
            claims(json!([{}])), claims(json!([{"name": "a"}, {"name": "a"}, {"name": "b", "request": "c"}, {"name": "b", "request": "c"}, {"name": "b"}, {"name": "c", "request": "D e"}])),
            json!({"resizePolicy": [{}, {"resourceName": "cpu", "restartPolicy": "NotRequired"}, {"resourceName": "cpu", "restartPolicy": "Odd"}, {"resourceName": "disk"}]}),
            json!({"securityContext": {"procMount": "Unmasked"}}), json!({"securityContext": {"procMount": "Odd"}}),
            json!({"env": [{"name": "a", "valueFrom": {"configMapKeyRef": {"name": "a", "key": "k".repeat(254)}}}, {"name": "b", "valueFrom": {"secretKeyRef": {"name": "a", "key": "../k"}}}]}),
            json!({"env": [{"name": "a", "valueFrom": {"fileKeyRef": {}}}, {"name": "b", "valueFrom": {"fileKeyRef": {"key": "a=b", "volumeName": "A b", "path": "../c"}}}]}),
            json!({"livenessProbe": {"httpGet": {"port": ""}}}), json!({"volumeDevices": [{"name": "a", "devicePath": "/a"}, {"name": "a", "devicePath": "/a"}, {"name": "b", "devicePath": "/c/.."}], "volumeMounts": [{"name": "a", "mountPath": "/a"}]}),
        ]).await;
        let uses = |more: Value| json!({"volumes": [{"name": "a", "emptyDir": {}}, {"name": "b", "hostPath": {"path": "/b"}}], "containers": [container(more)]});
        let mount = |more: Value| uses(json!({"volumeMounts": [with(json!({"name": "a", "mountPath": "/a"}), more)]}));
        let file = |volume: &str| uses(json!({"env": [{"name": "a", "valueFrom": {"fileKeyRef": {"key": "a", "volumeName": volume, "path": "b"}}}]}));
        try_pods(talk, [
            mount(json!({"recursiveReadOnly": "Enabled", "mountPropagation": "HostToContainer"})), mount(json!({"recursiveReadOnly": "Odd"})), mount(json!({"recursiveReadOnly": "IfPossible", "readOnly": true})),
            file("a"), file("b"), file("c"), json!({"hostUsers": false, "hostPID": true, "hostIPC": true, "hostNetwork": true, "containers": [container(json!({"securityContext": {"procMount": "Unmasked"}, "volumeDevices": [{"name": "a", "devicePath": "/a"}]}))]}),
        ]).await;
    }

    async fn what_pods_say_beside_their_containers(talk: &mut Talk) {
        let dns = |searches: Value| json!({"dnsConfig": {"searches": searches}});
        try_pods(talk, [
            dns(json!(["", ".", "_a.b-c_d.", "A b", "-a"])), dns(json!(vec!["a"; 33])), dns(json!([vec!["a"; 1025].join("."), vec!["b"; 130].join(".")])),
            json!({"hostnameOverride": "A b"}), json!({"hostnameOverride": "a".repeat(70), "setHostnameAsFQDN": true, "hostNetwork": true}), json!({"hostnameOverride": "a.b"}),
            json!({"resourceClaims": [{"resourceClaimName": "A b"}, {"name": "A b", "resourceClaimTemplateName": "c"}, {"name": "a", "resourceClaimName": "b"}, {"name": "a", "resourceClaimName": "b"}]}),
            json!({"overhead": {"odd": "1"}}), json!({"os": {}}), json!({"os": {"name": "odd"}}), json!({"securityContext": {"supplementalGroupsPolicy": "Odd"}}), json!({"securityContext": {"seLinuxChangePolicy": "MountOption"}}),
        ]).await;
        talk.say("what is not there yet");
        try_pods(talk, [
            json!({"schedulingGroup": {"podGroupName": "a"}}), json!({"containers": [container(json!({"lifecycle": {"stopSignal": "SIGABRT"}})), {"name": "b", "image": "a", "lifecycle": {"stopSignal": "SIGABRT", "preStop": {"sleep": {"seconds": 1}}}}]}),
            json!({"volumes": [{"name": "v", "projected": {"sources": [{"clusterTrustBundle": {"name": "a", "path": "b"}}]}}]}),
        ]).await;
        talk.say("how images are pulled");
        let digest = format!("a@sha256:{}", "0".repeat(64));
        let images = ["a", "a:latest", "a:1", "A b", "Host/a", "host:1/a", "a/B", &digest, "a:latest@sha256:0123", "-", "é"];
        let containers: Vec<Value> = images.iter().enumerate().map(|(index, image)| json!({"name": format!("c{index}"), "image": image})).collect();
        try_pods(talk, [json!({"containers": containers})]).await;
    }

    async fn labels_by_which_pods_are_placed(talk: &mut Talk) {
        let near = |more: Value| with(json!({"topologyKey": "a"}), more);
        let spread = |more: Value| with(json!({"topologyKey": "a", "maxSkew": 1, "whenUnsatisfiable": "DoNotSchedule"}), more);
        let selector = json!({"matchLabels": {"x": "y"}});
        for keys in [
            json!({"matchLabelKeys": ["a"]}), json!({"matchLabelKeys": ["a", "c"], "labelSelector": selector}), json!({"matchLabelKeys": ["a"], "labelSelector": {"matchLabels": {"a": "b"}}}),
            json!({"matchLabelKeys": ["A b"], "labelSelector": {"matchExpressions": [{"key": "a", "operator": "Exists"}]}}), json!({"matchLabelKeys": ["", "a"], "mismatchLabelKeys": ["a"], "labelSelector": selector}),
        ] {
            let mut of_spread = keys.clone();
            of_spread.as_object_mut().unwrap().remove("mismatchLabelKeys");
            try_pods(talk, [
                json!({"affinity": {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [near(keys.clone())]}, "podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1, "podAffinityTerm": near(keys)}]}}}),
                json!({"topologySpreadConstraints": [spread(of_spread)]}),
            ]).await;
        }
    }

    async fn pods_of_windows(talk: &mut Talk) {
        let options = |options: Value| json!({"securityContext": {"windowsOptions": options}});
        let user = |user: &str| options(json!({"runAsUserName": user}));
        try_containers(talk, [
            options(json!({"gmsaCredentialSpecName": "A b"})), options(json!({"gmsaCredentialSpec": "a".repeat(65 * 1024)})), user("a\\b\\c"), user("a\tb"), user("\\b"), user(". ."), user("a\\b=c"), user("do?main\\"), user(&"u".repeat(105)),
            user(&format!("{}\\u", "d".repeat(256))), options(json!({"hostProcess": true})),
        ]).await;
        let host = |own: bool| json!({"name": format!("c-{own}"), "image": "a", "securityContext": {"windowsOptions": {"hostProcess": own}}});
        let linux = json!({"hostPID": true, "hostUsers": true, "shareProcessNamespace": false, "securityContext": {"fsGroup": 1, "runAsUser": 1, "supplementalGroups": [1], "seccompProfile": {"type": "RuntimeDefault"}}});
        let of_container = json!({"privileged": false, "capabilities": {}, "runAsGroup": 1, "readOnlyRootFilesystem": false, "allowPrivilegeEscalation": true});
        try_pods(talk, [
            json!({"securityContext": {"windowsOptions": {"hostProcess": true}}, "hostNetwork": true, "containers": [host(true), host(false)]}), json!({"hostNetwork": true, "containers": [host(true), host(false)]}),
            json!({"os": {"name": "linux"}, "securityContext": {"windowsOptions": {"runAsUserName": "a"}}, "containers": [container(user("b"))]}),
            with(json!({"os": {"name": "windows"}, "containers": [container(json!({"securityContext": of_container}))]}), linux),
        ]).await;
    }

    async fn ephemeral_containers_that_are_refused(talk: &mut Talk) {
        let debugger = |more: Value| with(json!({"name": "debug", "image": "a"}), more);
        let all = [
            json!({}), debugger(json!({"ports": [{"containerPort": 1}], "resources": {"limits": {"cpu": "1"}}, "livenessProbe": {"exec": {"command": ["a"]}}, "lifecycle": {}, "targetContainerName": "other"})),
            debugger(json!({"name": "main", "image": " a ", "volumeMounts": [{"name": "v", "mountPath": "/a", "subPath": "b", "subPathExpr": "c"}]})), debugger(json!({"restartPolicy": "Always", "resizePolicy": [{"resourceName": "cpu", "restartPolicy": "NotRequired"}]})),
        ];
        let volumes = json!([{"name": "v", "emptyDir": {}}]);
        try_pods(talk, all.iter().map(|one| json!({"volumes": volumes, "ephemeralContainers": [one]}))).await;
        let pods = "/api/v1/namespaces/{ns}/pods";
        talk.prepare(pods, json!({"metadata": {"name": "one"}, "spec": spec(json!({"volumes": volumes}))})).await;
        for one in all {
            talk.patch("merge", &format!("{pods}/one/ephemeralcontainers?dryRun=All"), json!({"spec": {"ephemeralContainers": [one]}})).await;
        }
    }

    async fn metadata_of_templates(talk: &mut Talk) {
        let template = |annotations: Value, more: Value| json!({"metadata": {"labels": {"a": "b"}, "annotations": annotations}, "spec": spec(more)});
        let templates = [
            template(json!({"A b": "c"}), json!({})), template(json!({"a": "b".repeat(257 * 1024)}), json!({})), template(json!({}), json!({"hostname": "A b", "subdomain": "C d"})),
            template(json!({}), json!({"hostnameOverride": "A b", "schedulingGroup": {"podGroupName": "a"}})), template(json!({}), json!({"volumes": [{"name": "v", "image": {}}]})),
        ];
        let selector = json!({"matchLabels": {"a": "b"}});
        for plural in ["deployments", "statefulsets", "daemonsets"] {
            for template in &templates {
                let spec = json!({"selector": selector, "template": template});
                talk.post(&format!("/apis/apps/v1/namespaces/{{ns}}/{plural}?dryRun=All"), json!({"metadata": {"name": "one"}, "spec": spec})).await;
            }
        }
        let set = json!({"selector": selector, "template": template(json!({}), json!({})), "updateStrategy": {"rollingUpdate": {"maxUnavailable": 1}}});
        talk.post("/apis/apps/v1/namespaces/{ns}/statefulsets?dryRun=All", json!({"metadata": {"name": "one"}, "spec": set})).await;
    }

    async fn jobs_that_choose_their_pods(talk: &mut Talk) {
        let job = |more: Value| with(json!({"template": {"spec": spec(json!({"restartPolicy": "Never"}))}}), more);
        for more in [
            json!({"selector": {"matchLabels": {"a": "B c"}}}), json!({"selector": {"matchExpressions": [{"key": "a", "operator": "Odd"}]}}), json!({"selector": {"matchLabels": {"a": "b"}}}),
            json!({"podFailurePolicy": {"rules": [{"action": "FailJob", "onExitCodes": {"operator": "In"}}]}}),
        ] {
            talk.post("/apis/batch/v1/namespaces/{ns}/jobs?dryRun=All", json!({"metadata": {"name": "one"}, "spec": job(more)})).await;
        }
        for more in [json!({"backoffLimitPerIndex": 1}), json!({"maxFailedIndexes": -1}), json!({"successPolicy": {"rules": [{"succeededCount": 1}]}})] {
            let spec = json!({"schedule": "* * * * *", "jobTemplate": {"spec": job(more)}});
            talk.post("/apis/batch/v1/namespaces/{ns}/cronjobs?dryRun=All", json!({"metadata": {"name": "one"}, "spec": spec})).await;
        }
    }

    async fn classes_capacities_and_hints(talk: &mut Talk) {
        let class = |more: Value| with(json!({"metadata": {"name": "{ns}"}, "handler": "a"}), more);
        for more in [
            json!({"overhead": {"podFixed": {"odd": "1"}}}), json!({"overhead": {"podFixed": {"cpu": "-1"}}}), json!({"scheduling": {"nodeSelector": {"a": "B c"}, "tolerations": [{"operator": "Odd"}, {"key": "A b", "operator": "Exists"}]}}),
        ] {
            talk.post("/apis/node.k8s.io/v1/runtimeclasses?dryRun=All", class(more)).await;
        }
        let capacity = |more: Value| with(json!({"metadata": {"name": "one"}, "storageClassName": "a"}), more);
        for more in [json!({"capacity": "-1"}), json!({"nodeTopology": {"matchLabels": {"a": "B c"}}, "capacity": "1"})] {
            talk.post("/apis/storage.k8s.io/v1/namespaces/{ns}/csistoragecapacities?dryRun=All", capacity(more)).await;
        }
        let named = |names: &[&str]| names.iter().map(|name| json!({"name": name})).collect::<Vec<_>>();
        for hints in [
            json!({"forZones": named(&["a", "a", "B c"])}), json!({"forNodes": named(&["", "a", "a"])}), json!({"forZones": named(&["a"; 9]), "forNodes": named(&["B c"])}), json!({"forNodes": named(&["a"; 9])}),
        ] {
            let slice = json!({"metadata": {"name": "one"}, "addressType": "IPv4", "endpoints": [{"addresses": ["1.2.3.4"], "hints": hints}]});
            talk.post("/apis/discovery.k8s.io/v1/namespaces/{ns}/endpointslices?dryRun=All", slice).await;
        }
        let driver = json!({"metadata": {"name": "{ns}"}, "spec": {"preventPodSchedulingIfMissing": true}});
        talk.post("/apis/storage.k8s.io/v1/csidrivers?dryRun=All", driver).await;
    }

    async fn annotations_that_mean_something(talk: &mut Talk) {
        const TOLERATIONS: &str = "scheduler.alpha.kubernetes.io/tolerations";
        let containers = json!([{"name": "main", "image": "a:1"}]);
        for (key, value) in [
            ("kubernetes.io/config.mirror", "x"), ("controller.kubernetes.io/pod-deletion-cost", "x"), ("controller.kubernetes.io/pod-deletion-cost", "+1"), ("controller.kubernetes.io/pod-deletion-cost", "008"), ("controller.kubernetes.io/pod-deletion-cost", ""),
            ("controller.kubernetes.io/pod-deletion-cost", "2147483648"), ("controller.kubernetes.io/pod-deletion-cost", "-0"), ("controller.kubernetes.io/pod-deletion-cost", "-10"), ("controller.kubernetes.io/pod-deletion-cost", "0"),
            (TOLERATIONS, "x"), (TOLERATIONS, ""), (TOLERATIONS, "null"), (TOLERATIONS, "[]"), (TOLERATIONS, "{}"), (TOLERATIONS, "[1]"), (TOLERATIONS, r#"[{"key":1}]"#), (TOLERATIONS, r#"[{"effect":1}]"#),
            (TOLERATIONS, r#"[{"tolerationSeconds":"1"}]"#), (TOLERATIONS, r#"[{"tolerationSeconds":5}]"#), (TOLERATIONS, r#"[null,{"key":"!","operator":"Exists","effect":"X"}]"#), (TOLERATIONS, r#"[{"key":"a","operator":"Odd"}] "#),
        ] {
            let metadata = json!({"name": "annotated", "annotations": {key: value}});
            talk.post("/api/v1/namespaces/{ns}/pods?dryRun=All", json!({"metadata": metadata, "spec": {"containers": containers}})).await;
        }
        let metadata = json!({"labels": {"a": "b"}, "annotations": {"controller.kubernetes.io/pod-deletion-cost": "x"}});
        let spec = json!({"selector": {"matchLabels": {"a": "b"}}, "template": {"metadata": metadata, "spec": {"containers": containers}}});
        talk.post("/apis/apps/v1/namespaces/{ns}/deployments?dryRun=All", json!({"metadata": {"name": "annotated"}, "spec": spec})).await;
    }

    async fn annotations_of_pods_that_change(talk: &mut Talk) {
        const PODS: &str = "/api/v1/namespaces/{ns}/pods";
        const MIRROR: &str = "kubernetes.io/config.mirror";
        const ARMOR: &str = "container.apparmor.security.beta.kubernetes.io/main";
        let containers = json!([{"name": "main", "image": "a:1"}]);
        talk.prepare(PODS, json!({"metadata": {"name": "plain"}, "spec": {"containers": containers}})).await;
        let armed = json!({ARMOR: "runtime/default", "other": "a"});
        talk.prepare(PODS, json!({"metadata": {"name": "armed", "annotations": armed}, "spec": {"containers": containers}})).await;
        talk.prepare(PODS, json!({"metadata": {"name": "mirror", "annotations": {MIRROR: "a"}}, "spec": {"nodeName": "nobody", "containers": containers}})).await;
        for (name, annotations) in [
            ("plain", json!({"controller.kubernetes.io/pod-deletion-cost": "x"})), ("plain", json!({MIRROR: "a"})), ("plain", json!({ARMOR: "runtime/default"})), ("plain", json!({"scheduler.alpha.kubernetes.io/tolerations": "x"})),
            ("plain", json!({"seccomp.security.alpha.kubernetes.io/pod": "bad"})), ("plain", json!({"controller.kubernetes.io/pod-deletion-cost": "5"})), ("armed", json!({ARMOR: "unconfined"})), ("armed", json!({ARMOR: null})),
            ("armed", json!({"other": "b"})), ("mirror", json!({MIRROR: "b"})), ("mirror", json!({MIRROR: null})), ("mirror", json!({"other": "b"})),
        ] {
            for below in ["", "/status"] {
                talk.patch("merge", &format!("{PODS}/{name}{below}"), json!({"metadata": {"annotations": annotations}})).await;
            }
        }
    }

    async fn what_the_status_was_of_is_kept(talk: &mut Talk) {
        let pods = "/api/v1/namespaces/{ns}/pods";
        talk.prepare(pods, json!({"metadata": {"name": "observed"}, "spec": {"containers": [{"name": "main", "image": "a:1"}]}})).await;
        let status = &format!("{pods}/observed/status");
        let of = |generation: i64| json!({"type": "Ready", "status": "True", "observedGeneration": generation});
        let without = json!({"type": "Ready", "status": "False"});
        for said in [
            json!({"observedGeneration": 1, "conditions": [of(1)]}), json!({"observedGeneration": null, "conditions": [without]}), json!({"observedGeneration": 0, "conditions": [of(0), without]}), json!({"observedGeneration": 2, "conditions": [of(2), without]}),
            json!({"conditions": [without, without, {"type": "Other", "status": "True"}]}),
        ] {
            talk.patch("merge", status, json!({"status": said})).await;
        }
        let mut whole = talk.get(&format!("{pods}/observed")).await.body;
        whole["status"] = json!({});
        talk.put(status, whole).await;
    }
}
