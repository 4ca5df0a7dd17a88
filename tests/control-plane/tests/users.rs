//! Users of the embedded control plane, and what roles allow them where.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on fails"
)]

use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kommodore_control_plane::{Builder, ControlPlane, Error};
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::core::DynamicObject;
use kube::{Client, Config};
use serde_json::{Value, json};

/// The code that a list of all config maps is answered with.
async fn lists(client: Client) -> u16 {
    let maps: Api<ConfigMap> = Api::all(client);
    match maps.list(&ListParams::default()).await {
        Ok(_) => 200,
        Err(kube::Error::Api(status)) => status.code,
        Err(error) => panic!("{error}"),
    }
}

fn client(config: Config) -> Client {
    Client::try_from(config).unwrap()
}

/// Binds a cluster role to somebody.
async fn bind(admin: &Client, role: &str, subject: Value) {
    let bindings: Api<ClusterRoleBinding> = Api::all(admin.clone());
    let binding = json!({
        "metadata": {"generateName": "it-"}, "subjects": [subject],
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
    });
    let binding = serde_json::from_value(binding).unwrap();
    bindings
        .create(&PostParams::default(), &binding)
        .await
        .unwrap();
}

async fn create_project(root: &Client, name: &str) {
    let kind =
        kube::core::GroupVersionKind::gvk("resourcemanager.miloapis.com", "v1alpha1", "Project");
    let kind = kube::api::ApiResource::from_gvk(&kind);
    let projects: Api<DynamicObject> = Api::all_with(root.clone(), &kind);
    let mut project = DynamicObject::new(name, &kind);
    project.data = json!({"spec": {"ownerRef": {"kind": "Organization", "name": "o"}}});
    projects
        .create(&PostParams::default(), &project)
        .await
        .unwrap();
}

#[tokio::test]
async fn without_roles_everybody_who_is_known_may_do_everything() {
    let plane = ControlPlane::builder().user("alice", [""; 0]).start().await;
    let plane = plane.unwrap();
    assert_eq!(lists(plane.client_as("alice").unwrap()).await, 200);
    assert_eq!(lists(client(plane.config_anonymous())).await, 401);
    let mut config = plane.config();
    config.auth_info.token = Some("another".to_owned().into());
    assert_eq!(lists(client(config)).await, 401);
    let mut config = plane.config();
    config.auth_info.impersonate = Some("bob".into());
    assert_eq!(lists(client(config)).await, 200);
}

#[tokio::test]
async fn roles_may_be_there_also_where_they_do_not_count() {
    let plane = ControlPlane::builder().furnished().start().await.unwrap();
    let roles: Api<ClusterRole> = Api::all(client(plane.config()));
    let admin = roles.get("cluster-admin").await.unwrap();
    assert_eq!(admin.rules.unwrap()[0].verbs, ["*"]);
    let bindings: Api<ClusterRoleBinding> = Api::all(client(plane.config()));
    let binding = bindings.get("cluster-admin").await.unwrap();
    assert_eq!(binding.subjects.unwrap()[0].name, "system:masters");
}

#[tokio::test]
async fn each_control_plane_has_roles_of_its_own() {
    let builder = ControlPlane::builder().milo().rbac();
    let plane = builder.user("alice", ["devs"]).start().await.unwrap();
    let root = plane.client().unwrap();
    for name in ["red", "blue"] {
        create_project(&root, name).await;
    }
    let (red, blue) = (plane.project("red"), plane.project("blue"));
    let codes = async || {
        let clients = [
            plane.client_as("alice"),
            red.client_as("alice"),
            blue.client_as("alice"),
        ];
        let mut codes = Vec::new();
        for client in clients {
            codes.push(lists(client.unwrap()).await);
        }
        codes
    };
    assert_eq!(codes().await, [403, 403, 403]);
    let devs = json!({"kind": "Group", "name": "devs", "apiGroup": "rbac.authorization.k8s.io"});
    bind(&red.client().unwrap(), "view", devs).await;
    assert_eq!(codes().await, [403, 200, 403]);
    let alice = json!({"kind": "User", "name": "alice", "apiGroup": "rbac.authorization.k8s.io"});
    bind(&root, "view", alice).await;
    assert_eq!(codes().await, [200, 200, 403]);
}

/// CRDs are those of all control planes.
#[tokio::test]
async fn who_may_do_everything_in_a_project_does_not_change_crds() {
    let builder = ControlPlane::builder()
        .milo()
        .rbac()
        .user("alice", ["devs"]);
    let plane = builder.start().await.unwrap();
    let root = plane.client().unwrap();
    create_project(&root, "red").await;
    let red = plane.project("red");
    let alice = json!({"kind": "User", "name": "alice", "apiGroup": "rbac.authorization.k8s.io"});
    bind(&red.client().unwrap(), "cluster-admin", alice.clone()).await;
    let of_red: Api<CustomResourceDefinition> = Api::all(red.client_as("alice").unwrap());
    let name = "projects.resourcemanager.miloapis.com";
    let crd = of_red.get(name).await.unwrap();
    let code = |answer: Result<(), kube::Error>| match answer {
        Err(kube::Error::Api(status)) => status.code,
        answer => panic!("{answer:?}"),
    };
    let labels = Patch::Merge(json!({"metadata": {"labels": {"a": "b"}}}));
    let patched = of_red.patch(name, &PatchParams::default(), &labels).await;
    assert_eq!(code(patched.map(drop)), 403);
    let deleted = of_red.delete(name, &DeleteParams::default()).await;
    assert_eq!(code(deleted.map(drop)), 403);
    let mut another = crd;
    another.metadata = ObjectMeta::default();
    another.metadata.name = Some("others.example.com".into());
    let created = of_red.create(&PostParams::default(), &another).await;
    assert_eq!(code(created.map(drop)), 403);
    // Nor does it on behalf of somebody who may: that is to be asked at the root, too.
    for (user, group) in [("bob", "system:masters"), ("ops", "devs")] {
        let ops = json!({"kind": "User", "name": "ops", "apiGroup": "rbac.authorization.k8s.io"});
        bind(&root, "cluster-admin", ops.clone()).await;
        bind(&red.client().unwrap(), "cluster-admin", ops).await;
        let mut config = red.config_as("alice").unwrap();
        config.auth_info.impersonate = Some(user.into());
        config.auth_info.impersonate_groups = Some(vec![group.into()]);
        let of_red: Api<CustomResourceDefinition> = Api::all(client(config));
        of_red.get(name).await.unwrap();
        let patched = of_red.patch(name, &PatchParams::default(), &labels).await;
        assert_eq!(code(patched.map(drop)), 403, "on behalf of {user}");
    }
    // Who may do it at the root may do it here.
    bind(&root, "cluster-admin", alice).await;
    of_red
        .patch(name, &PatchParams::default(), &labels)
        .await
        .unwrap();
}

#[tokio::test]
async fn without_a_socket_users_are_users_too() {
    let builder = ControlPlane::builder().milo().rbac().without_socket();
    let plane = builder.user("alice", [""; 0]).start().await.unwrap();
    create_project(&plane.client().unwrap(), "red").await;
    let red = plane.project("red");
    assert_eq!(lists(plane.client_as("alice").unwrap()).await, 403);
    let alice = json!({"kind": "User", "name": "alice", "apiGroup": "rbac.authorization.k8s.io"});
    bind(&red.client().unwrap(), "view", alice).await;
    assert_eq!(lists(red.client_as("alice").unwrap()).await, 200);
    assert_eq!(lists(plane.client_as("alice").unwrap()).await, 403);
}

#[tokio::test]
async fn users_come_and_have_kubeconfigs() {
    let builder = ControlPlane::builder().rbac();
    let builder = builder.user_with_token("alice", [""; 0], "of-alice");
    let plane = builder.start().await.unwrap();
    let mut config = plane.config_anonymous();
    assert_eq!(lists(client(config.clone())).await, 403);
    config.auth_info.token = Some("of-alice".to_owned().into());
    assert_eq!(lists(client(config)).await, 403);
    let robot = plane.add_user("system:serviceaccount:shop:robot", [""; 0]);
    let robot = client(robot.unwrap());
    assert_eq!(lists(robot.clone()).await, 403);
    let account = json!({"kind": "ServiceAccount", "name": "robot", "namespace": "shop"});
    bind(&plane.client().unwrap(), "view", account).await;
    assert_eq!(lists(robot).await, 200);
    let boss = plane.add_user("boss", ["system:masters"]).unwrap();
    assert_eq!(lists(client(boss)).await, 200);
    let users = |config: &Kubeconfig| -> Vec<String> {
        let users = config.auth_infos.iter();
        users.map(|user| user.name.clone()).collect()
    };
    let all = ["admin", "alice", "boss", "system:serviceaccount:shop:robot"];
    assert_eq!(users(&plane.kubeconfig()), all);
    let boss = plane.kubeconfig_as("boss").unwrap();
    assert_eq!(users(&boss), ["boss"]);
    let config = Config::from_custom_kubeconfig(boss, &KubeConfigOptions::default()).await;
    assert_eq!(lists(client(config.unwrap())).await, 200);
    let unknown = plane.client_as("nobody").err();
    assert!(matches!(unknown, Some(Error::UnknownUser(name)) if name == "nobody"));
    for name in ["", "admin"] {
        let refused = plane.add_user(name, [""; 0]);
        assert!(matches!(refused, Err(Error::Refused { .. })), "{name}");
    }
}

/// The code that somebody gets who may edit and not delete, and says who owns an object.
async fn names_an_owner(builder: Builder) -> u16 {
    let plane = builder.rbac().user("alice", [""; 0]).start().await.unwrap();
    let admin = plane.client().unwrap();
    let role = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "patcher"},
        "rules": [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["create", "patch", "get"]}],
    });
    let roles: Api<ClusterRole> = Api::all(admin.clone());
    let role = serde_json::from_value(role).unwrap();
    roles.create(&PostParams::default(), &role).await.unwrap();
    let alice = json!({"kind": "User", "name": "alice", "apiGroup": "rbac.authorization.k8s.io"});
    bind(&admin, "patcher", alice).await;
    let maps: Api<ConfigMap> = Api::namespaced(admin, "default");
    let owner = serde_json::from_value(json!({"metadata": {"name": "owner"}})).unwrap();
    let owner = maps.create(&PostParams::default(), &owner).await.unwrap();
    let child = serde_json::from_value(json!({"metadata": {"name": "child"}})).unwrap();
    maps.create(&PostParams::default(), &child).await.unwrap();
    let owned = json!({"metadata": {"ownerReferences": [
        {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner.metadata.uid},
    ]}});
    let maps: Api<ConfigMap> = Api::namespaced(plane.client_as("alice").unwrap(), "default");
    match maps
        .patch("child", &PatchParams::default(), &Patch::Merge(owned))
        .await
    {
        Ok(_) => 200,
        Err(kube::Error::Api(status)) => status.code,
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn owners_are_named_without_leave_unless_it_is_asked_for() {
    let builder = ControlPlane::builder();
    assert_eq!(names_an_owner(builder).await, 200);
    let builder = ControlPlane::builder().owner_references_permission_enforcement();
    assert_eq!(names_an_owner(builder).await, 403);
}
