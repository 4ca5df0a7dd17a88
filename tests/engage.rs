//! Controllers that work in the host cluster, in the fleet, or in both, and whose children lie on the other side.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use kommodore::{
    Action, Builder, Cleanup, ClusterName, ClusterState, Context, Manager, Milo, Reconcile, Result,
    controller,
};
use kommodore_tests::{
    Fleet, NAMESPACE, Operator, Point, Probe, Website, eventually, on_both_servers, website,
};
use kube::api::{Api, DeleteParams, Patch, PatchParams, PostParams};
use kube::{Client, ResourceExt as _};
use serde_json::json;

#[path = "../examples/gather.rs"]
#[expect(dead_code, reason = "it is a program as well")]
mod gather;
#[path = "../examples/policies.rs"]
#[expect(dead_code, reason = "it is a program as well")]
mod policies;

/// Works everywhere.
#[controller(for = Website, name = "everywhere", engage(local, provider), finalizer = "demo.kommodore.dev/everywhere")]
#[derive(Clone, Default)]
struct Everywhere {
    probe: Probe,
}

impl Reconcile for Everywhere {
    async fn reconcile(&self, _: &Website, cx: &Context<Self>) -> Result<Action> {
        self.probe.end(Point::Begin, cx).await
    }
}

impl Cleanup for Everywhere {
    async fn cleanup(&self, _: &Website, cx: &Context<Self>) -> Result<Action> {
        self.probe.end(Point::Cleanup, cx).await
    }
}

/// Works in the clusters of the providers alone.
#[controller(for = Website, engage(provider))]
struct Abroad;

impl Reconcile for Abroad {
    async fn reconcile(&self, _: &Website, _: &Context<Self>) -> Result<Action> {
        Ok(Action::done())
    }
}

/// The ConfigMaps of the namespace in a project, or in the host cluster.
fn maps<'a>(fleet: &Fleet, project: impl Into<Option<&'a str>>) -> Api<ConfigMap> {
    Api::namespaced(client(fleet, project), NAMESPACE)
}

fn client<'a>(fleet: &Fleet, project: impl Into<Option<&'a str>>) -> Client {
    match project.into() {
        Some(project) => fleet.project_client(project),
        None => fleet.client(),
    }
}

/// Makes a ConfigMap with a label, or changes its text.
async fn write(maps: &Api<ConfigMap>, name: &str, label: &str, text: &str) {
    let map = json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": name, "labels": {label: ""}},
        "data": {"text": text},
    });
    let params = PatchParams::apply("somebody").force();
    let written = maps.patch(name, &params, &Patch::Apply(map)).await;
    written.unwrap_or_else(|error| panic!("{name} is written: {error}"));
}

async fn says(maps: &Api<ConfigMap>, name: &str, text: &str) {
    eventually(&format!("{name} says {text}"), async || {
        let map = maps.get_opt(name).await.unwrap();
        let data = map.map(|map| map.data.unwrap_or_default());
        let wanted = BTreeMap::from([("text".to_owned(), text.to_owned())]);
        match data {
            Some(data) if data == wanted => Ok(()),
            other => Err(other),
        }
    })
    .await;
}

async fn is_gone(maps: &Api<ConfigMap>, name: &str) {
    eventually(&format!("{name} is gone"), async || {
        maps.get_opt(name).await.unwrap().is_none()
    })
    .await;
}

/// The namespace of the shop in the host cluster.
async fn host_has_shop(fleet: &Fleet) {
    let namespaces: Api<Namespace> = Api::all(fleet.client());
    let mut shop = Namespace::default();
    shop.metadata.name = Some(NAMESPACE.into());
    namespaces
        .create(&PostParams::default(), &shop)
        .await
        .unwrap();
}

fn start(manager: Builder) -> Operator {
    Operator::start(manager)
}

on_both_servers! {
    async fn a_policy_of_the_host_is_in_every_cluster_also_in_those_that_come_later(fleet: &Fleet) {
        host_has_shop(fleet).await;
        fleet.create_shop("red").await;
        let host = maps(fleet, None);
        write(&host, "rules", "policy", "one").await;
        let manager = fleet.manager().controller(policies::Policies);
        let clusters = manager.fleet();
        let _operator = start(manager);
        let (red, blue) = (maps(fleet, "red"), maps(fleet, "blue"));
        says(&red, "rules", "one").await;
        eventually("the host cluster is engaged", async || {
            let host = clusters.cluster(ClusterName::LOCAL.as_str());
            host.is_some_and(|host| host.state == ClusterState::Engaged && host.watches > 0)
        })
        .await;
        write(&host, "rules", "policy", "two").await;
        says(&red, "rules", "two").await;
        // It is put right there.
        write(&red, "rules", "mine", "three").await;
        says(&red, "rules", "two").await;
        red.delete("rules", &DeleteParams::default()).await.unwrap();
        says(&red, "rules", "two").await;
        // In a member the same label means nothing.
        write(&red, "own", "policy", "own").await;
        fleet.create_shop("blue").await;
        says(&blue, "rules", "two").await;
        host.delete("rules", &DeleteParams::default()).await.unwrap();
        is_gone(&red, "rules").await;
        is_gone(&blue, "rules").await;
        is_gone(&host, "rules").await;
        let own = red.get("own").await.unwrap();
        assert_eq!(own.finalizers(), &[] as &[String]);
    }

    async fn what_became_of_copies_while_their_cluster_was_away_is_put_right(fleet: &Fleet) {
        host_has_shop(fleet).await;
        fleet.create_shop("red").await;
        let host = maps(fleet, None);
        write(&host, "kept", "policy", "one").await;
        write(&host, "dropped", "policy", "one").await;
        let operator = start(fleet.manager().controller(policies::Policies));
        for name in ["kept", "dropped"] {
            says(&maps(fleet, "red"), name, "one").await;
        }
        operator.stop().await.unwrap();
        write(&maps(fleet, "red"), "kept", "mine", "three").await;
        // By force, so that nobody cleans up.
        let free = json!({"metadata": {"finalizers": null}});
        host.patch("dropped", &PatchParams::default(), &Patch::Merge(free)).await.unwrap();
        host.delete("dropped", &DeleteParams::default()).await.unwrap();
        let _operator = start(fleet.manager().controller(policies::Policies));
        says(&maps(fleet, "red"), "kept", "one").await;
        is_gone(&maps(fleet, "red"), "dropped").await;
    }

    async fn reports_are_gathered_in_the_host_and_go_with_their_cluster(fleet: &Fleet) {
        host_has_shop(fleet).await;
        let host = maps(fleet, None);
        for project in ["red", "blue"] {
            fleet.create_shop(project).await;
            write(&maps(fleet, project), "usage", "report", project).await;
        }
        let _operator = start(fleet.manager().controller(gather::Gather));
        for project in ["red", "blue"] {
            says(&host, &format!("{project}-usage"), project).await;
        }
        write(&maps(fleet, "red"), "usage", "report", "more").await;
        says(&host, "red-usage", "more").await;
        write(&host, "red-usage", "mine", "less").await;
        says(&host, "red-usage", "more").await;
        host.delete("blue-usage", &DeleteParams::default()).await.unwrap();
        says(&host, "blue-usage", "blue").await;
        maps(fleet, "blue").delete("usage", &DeleteParams::default()).await.unwrap();
        is_gone(&host, "blue-usage").await;
        // The copy goes before the original, whose finalizer waits for that.
        is_gone(&maps(fleet, "blue"), "usage").await;
        write(&maps(fleet, "blue"), "usage", "report", "again").await;
        says(&host, "blue-usage", "again").await;
        fleet.delete_project("red").await;
        is_gone(&host, "red-usage").await;
        says(&host, "blue-usage", "again").await;
        // One watch in the host, whatever number of clusters.
        let watches = fleet.requests().open_watches();
        let of_maps = watches.iter().filter(|watch| {
            watch.project.is_none() && watch.plural() == "configmaps" && watch.user_agent.as_deref() == Some("operator")
        });
        assert_eq!(of_maps.count(), 1);
    }

    async fn a_controller_works_in_the_host_and_in_the_fleet(fleet: &Fleet) {
        host_has_shop(fleet).await;
        fleet.create_shop("red").await;
        let everywhere = Everywhere::default();
        let probe = everywhere.probe.clone();
        let operator = start(fleet.manager().controller(everywhere.clone()));
        let websites: Api<Website> = Api::namespaced(fleet.client(), NAMESPACE);
        websites.create(&PostParams::default(), &website("host")).await.unwrap();
        fleet.create_website("red", "one").await;
        probe.comes(Point::Begin, "host", 1).await;
        probe.comes(Point::Begin, "one", 1).await;
        assert_eq!(probe.count_in("local", Point::Begin, "host"), 1);
        websites.delete("host", &DeleteParams::default()).await.unwrap();
        probe.comes(Point::Cleanup, "host", 1).await;
        websites.create(&PostParams::default(), &website("left")).await.unwrap();
        probe.comes(Point::Begin, "left", 1).await;
        operator.stop().await.unwrap();
        let manager = fleet.manager().controller(everywhere);
        let released = manager.release_finalizers_until(std::future::pending()).await.unwrap();
        assert_eq!(released, 2);
        let left = websites.get("left").await.unwrap();
        assert_eq!(left.finalizers(), &[] as &[String]);
    }
}

#[tokio::test]
async fn a_controller_for_providers_needs_one() {
    let fleet = Fleet::embedded().await;
    let manager = Manager::builder(fleet.config()).controller(Abroad);
    let refused = manager.run_until(std::future::pending()).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the controller `abroad` works in the clusters of providers alone, as its `engage(provider)` says, and the manager \
         has no provider: add one with `.provider(..)`"
    );
}

#[tokio::test]
async fn the_permissions_are_told_apart_by_where_they_are_needed() {
    let fleet = Fleet::embedded().await;
    let manager = || Manager::builder(fleet.config()).provider(Milo::external());
    let of = |manager: Builder| {
        let permissions = manager.permissions();
        let rules = |permissions: &kommodore::Permissions| {
            let rules = permissions.rules().into_iter();
            let rules = rules.filter(|rule| rule.resource.starts_with("configmaps"));
            rules.map(|rule| rule.verbs.join(" ")).collect::<Vec<_>>()
        };
        (rules(&permissions.host), rules(&permissions.member))
    };
    let (host, member) = of(manager().controller(policies::Policies));
    assert_eq!(host, ["get list patch watch"]);
    assert_eq!(member, ["create delete get list patch watch"]);
    let (host, member) = of(manager().controller(gather::Gather));
    assert_eq!(host, ["create delete get list patch watch"]);
    assert_eq!(member, ["get list patch watch"]);
}
