//! Clusters of Cluster API and of cluster inventories, and what the providers have to be allowed.

use std::time::Duration;

use k8s_openapi::api::core::v1::Secret;
use kommodore::{
    ClusterApi, ClusterInventory, ClusterState, KubeconfigSecrets, Manager, Merged, Namespaces,
    Provider as _, Reason,
};
use kommodore_tests::{
    Fleet, Log, Operator, Permit, Point, RECORDS, Sites, WATCHED, crd, kubeconfig_of, logs_into,
    on_both_servers, secret, stands, text_of,
};
use kube::api::{Api, DeleteParams, Patch, PatchParams};
use kube::config::{ExecConfig, ExecInteractiveMode};
use kube::{Config, ResourceExt as _};
use serde_json::{Value, json};

async fn comes_of_cluster_api(fleet: &Fleet, versions: &[&str], ready: Value) {
    fleet.create_shops().await;
    let group = "cluster.x-k8s.io";
    fleet
        .install(crd(group, "Cluster", "clusters", versions))
        .await;
    let (sites, status, _operator) = fleet.operate(ClusterApi::new().grace(Duration::ZERO));
    let cluster = |name: &str| {
        json!({
            "apiVersion": format!("{group}/{}", versions[0]), "kind": "Cluster",
            "metadata": {"name": name, "namespace": RECORDS, "finalizers": ["example.com/infrastructure"]},
            "spec": {},
        })
    };
    let kubeconfig = |name: &str, config: &Config| {
        let labels = json!({"cluster.x-k8s.io/cluster-name": name});
        secret(
            &format!("{name}-kubeconfig"),
            labels,
            "value",
            &text_of(config),
        )
    };
    let red = fleet.put(cluster("red")).await;
    fleet
        .put(kubeconfig("red", &fleet.project_config("red")))
        .await;
    let blue = fleet.put(cluster("blue")).await;
    fleet.put_status(&blue, ready.clone()).await;
    fleet
        .put(kubeconfig("blue", &fleet.project_config("blue")))
        .await;
    fleet.website_ready("blue", "one").await;
    fleet.engaged("blue", &WATCHED).await;
    stands(&status, "red", ClusterState::Discovered).await;
    fleet.put_status(&red, ready).await;
    fleet.website_ready("red", "one").await;

    // One that is deleted is cleaned up, whatever becomes of its kubeconfig.
    let held = sites.probe.hold(Point::Cleanup, "one");
    fleet.delete_record(&red).await;
    fleet.delete_website("red", "one").await;
    held.reached().await;
    let of_red: Api<Secret> = Api::namespaced(fleet.client(), RECORDS);
    of_red
        .delete("red-kubeconfig", &DeleteParams::default())
        .await
        .unwrap();
    fleet
        .put_status(
            &blue,
            json!({"initialization": null, "controlPlaneReady": null}),
        )
        .await;
    let gone = stands(&status, "blue", ClusterState::Gone).await;
    assert_eq!(gone.left, Some(Reason::NotReady));
    held.release();
    fleet.website_gone("red", "one").await;
    for object in [&red, &blue] {
        let mut released = object.clone();
        released.metadata.finalizers = None;
        let release = Patch::Merge(json!({"metadata": {"finalizers": null}}));
        fleet
            .records_like(object)
            .patch(&object.name_any(), &PatchParams::default(), &release)
            .await
            .unwrap();
    }
    let gone = stands(&status, "red", ClusterState::Gone).await;
    assert_eq!(gone.left, Some(Reason::Gone));
    of_red
        .delete("blue-kubeconfig", &DeleteParams::default())
        .await
        .unwrap();
}

on_both_servers! {
    async fn clusters_of_cluster_api_are_engaged_when_their_control_plane_is_ready(fleet: &Fleet) {
        comes_of_cluster_api(fleet, &["v1beta2", "v1beta1"], json!({"initialization": {"controlPlaneInitialized": true}})).await;
    }

    async fn clusters_of_an_older_cluster_api_are_engaged_as_well(fleet: &Fleet) {
        comes_of_cluster_api(fleet, &["v1beta1"], json!({"controlPlaneReady": true})).await;
    }

    async fn one_that_is_deleted_with_a_kubeconfig_that_leads_nowhere_is_left_at_the_deadline(fleet: &Fleet) {
        fleet.create_shop("red").await;
        fleet.create_website("red", "one").await;
        let group = "cluster.x-k8s.io";
        fleet.install(crd(group, "Cluster", "clusters", &["v1beta2"])).await;
        let (_, status, _operator) = fleet.operate(ClusterApi::new().cleanup_deadline(Duration::ZERO));
        let red = fleet.put(json!({
            "apiVersion": format!("{group}/v1beta2"), "kind": "Cluster",
            "metadata": {"name": "red", "namespace": RECORDS, "finalizers": ["example.com/infrastructure"]},
            "spec": {},
        })).await;
        fleet.put_status(&red, json!({"initialization": {"controlPlaneInitialized": true}})).await;
        let labels = json!({"cluster.x-k8s.io/cluster-name": "red"});
        let kubeconfig = |text: &str| secret("red-kubeconfig", labels.clone(), "value", text);
        fleet.put(kubeconfig(&text_of(&fleet.project_config("red")))).await;
        fleet.website_ready("red", "one").await;
        fleet.put(kubeconfig("nonsense")).await;
        fleet.delete_record(&red).await;
        let gone = stands(&status, "red", ClusterState::Gone).await;
        assert_eq!(gone.left, Some(Reason::NotReady), "its record is still there");
        let release = Patch::Merge(json!({"metadata": {"finalizers": null}}));
        fleet.records_like(&red).patch("red", &PatchParams::default(), &release).await.unwrap();
        let secrets: Api<Secret> = Api::namespaced(fleet.client(), RECORDS);
        secrets.delete("red-kubeconfig", &DeleteParams::default()).await.unwrap();
    }

    async fn one_that_is_being_deleted_is_cleaned_up_also_where_its_kubeconfig_comes_after_it(fleet: &Fleet) {
        fleet.create_shops().await;
        let group = "cluster.x-k8s.io";
        fleet.install(crd(group, "Cluster", "clusters", &["v1beta2"])).await;
        let cluster = |name: &str| json!({
            "apiVersion": format!("{group}/v1beta2"), "kind": "Cluster",
            "metadata": {"name": name, "namespace": RECORDS, "finalizers": ["example.com/infrastructure"]},
            "spec": {},
        });
        let kubeconfig = |name: &str| {
            let labels = json!({"cluster.x-k8s.io/cluster-name": name});
            secret(&format!("{name}-kubeconfig"), labels, "value", &text_of(&fleet.project_config(name)))
        };
        let mut records = Vec::new();
        for name in ["red", "blue"] {
            let record = fleet.put(cluster(name)).await;
            fleet.put_status(&record, json!({"initialization": {"controlPlaneInitialized": true}})).await;
            fleet.put(kubeconfig(name)).await;
            records.push(record);
        }
        let (sites, status, operator) = fleet.operate(ClusterApi::new());
        fleet.website_ready("red", "one").await;
        operator.stop().await.unwrap();
        // At the next start the one is listed before the other, as it may be.
        let secrets: Api<Secret> = Api::namespaced(fleet.client(), RECORDS);
        secrets.delete("red-kubeconfig", &DeleteParams::default()).await.unwrap();
        fleet.delete_record(&records[0]).await;
        fleet.delete_website("red", "one").await;
        drop((sites, status));
        let (_, status, _operator) = fleet.operate(ClusterApi::new());
        fleet.website_ready("blue", "one").await;
        stands(&status, "red", ClusterState::Discovered).await;
        fleet.put(kubeconfig("red")).await;
        fleet.website_gone("red", "one").await;
        for record in &records {
            let release = Patch::Merge(json!({"metadata": {"finalizers": null}}));
            fleet.records_like(record).patch(&record.name_any(), &PatchParams::default(), &release).await.unwrap();
        }
        stands(&status, "red", ClusterState::Gone).await;
        for name in ["red-kubeconfig", "blue-kubeconfig"] {
            secrets.delete(name, &DeleteParams::default()).await.unwrap();
        }
    }

    async fn clusters_of_an_inventory_are_reached_by_a_command_or_by_a_secret(fleet: &Fleet) {
        fleet.create_shops().await;
        let group = "multicluster.x-k8s.io";
        fleet.install(crd(group, "ClusterProfile", "clusterprofiles", &["v1alpha1"])).await;
        let profile = |name: &str| json!({
            "apiVersion": format!("{group}/v1alpha1"), "kind": "ClusterProfile",
            "metadata": {"name": name, "namespace": RECORDS},
            "spec": {"displayName": name, "clusterManager": {"name": "test"}},
        });
        let healthy = |is: &str| json!([{"type": "ControlPlaneHealthy", "status": is, "reason": "Test", "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z"}]);
        // As a plugin prints it; the profile has all the rest.
        let token = serde_json::to_value(&fleet.config().auth_info).unwrap()["token"].clone();
        let credential = json!({
            "apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": token},
        });
        let command = ExecConfig {
            api_version: Some("client.authentication.k8s.io/v1".into()),
            command: Some("echo".into()),
            args: Some(vec![credential.to_string()]),
            interactive_mode: Some(ExecInteractiveMode::Never),
            ..ExecConfig::default()
        };
        let inventory = ClusterInventory::new().access("plugin", command).consumer("kommodore").grace(Duration::ZERO);
        let (_, status, _operator) = fleet.operate(inventory.named(|meta| format!("of-{}", meta.name.as_deref().unwrap())));

        let red = fleet.put(profile("red")).await;
        let kubeconfig = serde_json::to_value(kubeconfig_of(&[("red", &fleet.project_config("red"))])).unwrap();
        let access = json!([{"name": "unknown", "cluster": {}}, {"name": "plugin", "cluster": kubeconfig["clusters"][0]["cluster"]}]);
        fleet.put_status(&red, json!({"conditions": healthy("True"), "accessProviders": access})).await;
        fleet.website_ready("red", "one").await;

        let blue = fleet.put(profile("blue")).await;
        fleet.put_status(&blue, json!({"conditions": healthy("True")})).await;
        let labels = json!({"x-k8s.io/cluster-inventory-consumer": "kommodore", "x-k8s.io/cluster-profile": "blue"});
        fleet.put(secret("for-kommodore", labels, "Config", &text_of(&fleet.project_config("blue")))).await;
        fleet.website_ready("blue", "one").await;

        fleet.put_status(&blue, json!({"conditions": healthy("False")})).await;
        let gone = stands(&status, "of-blue", ClusterState::Gone).await;
        assert_eq!(gone.left, Some(Reason::NotReady));
        fleet.delete_record(&red).await;
        let gone = stands(&status, "of-red", ClusterState::Gone).await;
        assert_eq!(gone.left, Some(Reason::Deselected));
        let secrets: Api<Secret> = Api::namespaced(fleet.client(), RECORDS);
        secrets.delete("for-kommodore", &DeleteParams::default()).await.unwrap();
    }
}

#[tokio::test]
async fn the_providers_work_under_the_permissions_that_they_print() {
    let fleet = Fleet::embedded_with_roles().await;
    let log = Log::default();
    let _logs = logs_into(&log);
    fleet.create_shops().await;
    let versions = ["v1beta2", "v1beta1"];
    fleet
        .install(crd("cluster.x-k8s.io", "Cluster", "clusters", &versions))
        .await;
    fleet
        .install(crd(
            "multicluster.x-k8s.io",
            "ClusterProfile",
            "clusterprofiles",
            &["v1alpha1"],
        ))
        .await;
    let cluster = json!({
        "apiVersion": "cluster.x-k8s.io/v1beta2", "kind": "Cluster",
        "metadata": {"name": "red", "namespace": RECORDS}, "spec": {},
    });
    let cluster = fleet.put(cluster).await;
    fleet
        .put_status(
            &cluster,
            json!({"initialization": {"controlPlaneInitialized": true}}),
        )
        .await;
    let labels = json!({"cluster.x-k8s.io/cluster-name": "red"});
    fleet
        .put(secret(
            "red-kubeconfig",
            labels,
            "value",
            &text_of(&fleet.project_config("red")),
        ))
        .await;
    let labels = json!({"sigs.k8s.io/multicluster-runtime-kubeconfig": "true"});
    fleet
        .put(secret(
            "blue",
            labels,
            "kubeconfig",
            &text_of(&fleet.project_config("blue")),
        ))
        .await;

    let config = Config::try_from(fleet.operator_kubeconfig().unwrap()).unwrap();
    let all = Merged::new()
        .with("api", ClusterApi::new())
        .with("inventory", ClusterInventory::new().consumer("kommodore"))
        .with("secrets", KubeconfigSecrets::new())
        .with("namespaces", Namespaces::new().only(|_| false));
    let manager = Manager::builder(config)
        .provider(all)
        .controller(Sites::default());
    let permit = Permit::of(&manager.permissions());
    permit.grant(&fleet, &permit).await;
    let status = manager.fleet();
    let operator = Operator::start(manager);
    for (name, project) in [("api-red", "red"), ("secrets-blue", "blue")] {
        stands(&status, name, ClusterState::Engaged).await;
        fleet.website_ready(project, "one").await;
    }
    operator.stop().await.unwrap();
    assert_eq!(log.refusals(), [""; 0]);
}
