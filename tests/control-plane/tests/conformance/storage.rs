//! Classes of storage, and drivers of volumes.

use serde_json::{Value, json};

use super::support::{Talk, extend};

const CLASSES: &str = "/apis/storage.k8s.io/v1/storageclasses";
const DRIVERS: &str = "/apis/storage.k8s.io/v1/csidrivers";

conformance! {
    async fn parameters_of_classes(talk: &mut Talk) {
        let class = |parameters: Value| json!({"metadata": {"name": "{ns}"}, "provisioner": "example.com/one", "parameters": parameters});
        let many: serde_json::Map<String, Value> = (0..513).map(|index| (format!("k{index}"), "v".into())).collect();
        for parameters in [json!({"": "x"}), json!({"": "", "a": "b"}), json!({"a": ""}), json!({"a": "b".repeat(256 * 1024)}), json!({"": "b".repeat(256 * 1024 + 1)}), many.into()] {
            talk.post(&format!("{CLASSES}?dryRun=All"), class(parameters)).await;
        }
        talk.prepare(CLASSES, class(json!({"a": "b"}))).await;
        talk.patch("merge", &format!("{CLASSES}/{{ns}}"), json!({"parameters": {"": "x"}})).await;
    }

    async fn topologies_of_classes(talk: &mut Talk) {
        let of = |key: &str, values: &[&str]| json!({"key": key, "values": values});
        let term = |expressions: &[Value]| json!({"matchLabelExpressions": expressions});
        let class = |topologies: &[Value]| json!({"metadata": {"name": "{ns}"}, "provisioner": "one", "allowedTopologies": topologies});
        let one = || term(&[of("a", &["x"])]);
        for topologies in [
            &[json!({})][..], &[json!({}), one(), json!({})], &[one(), one()], &[term(&[of("a", &["x"]), of("a", &["y"])]), term(&[of("a", &["y"])])],
            &[term(&[of("a", &["x", "y"])]), term(&[of("a", &["y", "x"])])], &[term(&[of("a", &[])])], &[term(&[of("a", &["x", "x"])])], &[term(&[of("", &["x"])])],
            &[term(&[of("a", &["b c", ""]), of("example.com/b", &["x"])]), one()],
        ] {
            talk.post(&format!("{CLASSES}?dryRun=All"), class(topologies)).await;
        }
        talk.prepare(CLASSES, class(&[one()])).await;
        for topologies in [[term(&[of("b", &["x"])])], [term(&[of("b", &[])])]] {
            talk.patch("merge", &format!("{CLASSES}/{{ns}}"), json!({"allowedTopologies": topologies})).await;
        }
    }

    async fn changes_of_drivers_are_counted(talk: &mut Talk) {
        let name = "{ns}.example.com";
        let one = format!("{DRIVERS}/{name}");
        let audience = |name: &str| json!([{"audience": name}]);
        talk.post(DRIVERS, json!({"metadata": {"name": name}, "spec": {"tokenRequests": audience("a")}})).await;
        for spec in [
            json!({"requiresRepublish": true}), json!({"podInfoOnMount": true, "fsGroupPolicy": "None"}), json!({"podInfoOnMount": true}), json!({"attachRequired": false}),
            json!({"tokenRequests": audience("b")}), json!({"serviceAccountTokenInSecrets": true}), json!({"tokenRequests": audience("c")}), json!({"serviceAccountTokenInSecrets": null}), json!({"tokenRequests": null}),
        ] {
            talk.patch("merge", &one, json!({"spec": spec})).await;
        }
        talk.patch("merge", &one, json!({"metadata": {"labels": {"a": "b"}}})).await;
        talk.say("one that comes with a number");
        let name = "{ns}-2.example.com";
        talk.post(DRIVERS, json!({"metadata": {"name": name, "generation": 7}, "spec": {"tokenRequests": audience("a"), "serviceAccountTokenInSecrets": false}})).await;
        talk.patch("merge", &format!("{DRIVERS}/{name}"), json!({"spec": {"requiresRepublish": true}})).await;
    }

    async fn claims_say_what_they_are_filled_from_in_both_ways(talk: &mut Talk) {
        let claims = "/api/v1/namespaces/{ns}/persistentvolumeclaims";
        let claim = |name: &str, sources: Value| {
            let mut spec = json!({"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}});
            extend(&mut spec, &sources);
            json!({"metadata": {"name": name}, "spec": spec})
        };
        let other = |name: &str| json!({"kind": "PersistentVolumeClaim", "name": name});
        let snapshot = json!({"kind": "VolumeSnapshot", "apiGroup": "snapshot.storage.k8s.io", "name": "z"});
        let (pod, own) = (json!({"kind": "Pod", "name": "z"}), json!({"kind": "Foo", "apiGroup": "x.y", "name": "z"}));
        let elsewhere = |mut source: Value| {
            source["namespace"] = "other".into();
            source
        };
        for (at, sources) in [
            json!({"dataSource": other("z")}), json!({"dataSource": snapshot}), json!({"dataSource": own}), json!({"dataSource": pod}),
            json!({"dataSourceRef": other("z")}), json!({"dataSourceRef": snapshot}), json!({"dataSourceRef": own}), json!({"dataSourceRef": pod}),
            json!({"dataSourceRef": elsewhere(other("z"))}), json!({"dataSource": other("z"), "dataSourceRef": elsewhere(other("z"))}),
            json!({"dataSource": other("z"), "dataSourceRef": other("z")}), json!({"dataSource": other("z"), "dataSourceRef": other("y")}),
            json!({"dataSource": pod, "dataSourceRef": own}), json!({"dataSource": {"kind": "PersistentVolumeClaim", "apiGroup": "", "name": "z"}, "dataSourceRef": other("z")}),
            json!({"dataSource": {"kind": "PersistentVolumeClaim", "name": ""}}), json!({"dataSourceRef": {"kind": "", "name": "z"}}),
            json!({"dataSourceRef": {"kind": "Foo", "apiGroup": "_x", "name": "z"}}), json!({"dataSourceRef": {}}),
        ].into_iter().enumerate() {
            talk.post(claims, claim(&format!("claim-{at}"), sources)).await;
        }
        talk.say("and cannot unsay it");
        for field in ["dataSource", "dataSourceRef"] {
            talk.patch("merge", &format!("{claims}/claim-0"), json!({"spec": {field: null}})).await;
        }
        talk.patch("merge", &format!("{claims}/claim-0"), json!({"spec": {"dataSource": null, "dataSourceRef": null}})).await;
    }
}
