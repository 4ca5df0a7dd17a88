//! What is watched in the cluster of the manager wakes objects in all clusters that are worked on.

use k8s_openapi::api::core::v1::ConfigMap;
use kommodore::{
    Action, Builder, Cluster, Context, Manager, ObjectKey, Reconcile, Result, controller,
};
use kommodore_tests::{Fleet, Operator, Point, Probe, Website, eventually, on_both_servers};
use kube::ResourceExt as _;
use kube::api::{Api, DeleteParams, Patch, PatchParams};
use serde_json::json;

const NAMESPACE: &str = "default";

/// Looks at all websites again when the settings for them change, which lie beside the projects.
#[controller(
    for = Website,
    watches(ConfigMap(in = local, labels = "settings=sites") => Self::all),
)]
#[derive(Clone, Default)]
struct Settled {
    probe: Probe,
}

impl Settled {
    /// Those of the cluster that it is asked about, whatever cluster the settings are in.
    fn all(&self, settings: &ConfigMap, cluster: &Cluster) -> Vec<ObjectKey> {
        assert_eq!(settings.name_any(), "settings");
        cluster.list::<Website>().map(ObjectKey::of).collect()
    }
}

impl Reconcile for Settled {
    async fn reconcile(&self, _: &Website, cx: &Context<Self>) -> Result<Action> {
        self.probe.end(Point::Begin, cx).await
    }
}

fn start(manager: Builder) -> (Probe, Operator) {
    let settled = Settled::default();
    let probe = settled.probe.clone();
    (probe, Operator::start(manager.controller(settled)))
}

/// Changes the settings, or makes them.
async fn settle(fleet: &Fleet, value: usize) {
    let settings = json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "settings", "labels": {"settings": "sites"}},
        "data": {"value": value.to_string()},
    });
    let params = PatchParams::apply("test").force();
    let patch = Patch::Apply(settings);
    maps(fleet)
        .patch("settings", &params, &patch)
        .await
        .unwrap();
}

fn maps(fleet: &Fleet) -> Api<ConfigMap> {
    Api::namespaced(fleet.client(), NAMESPACE)
}

/// How many watches of ConfigMaps an operator has in the root.
fn watches_in_root(fleet: &Fleet) -> usize {
    let watches = fleet.requests().open_watches();
    let of_maps = watches.iter().filter(|watch| {
        watch.project.is_none()
            && watch.plural() == "configmaps"
            && watch.user_agent.as_deref() == Some("operator")
    });
    of_maps.count()
}

/// Waits until a website has been looked at once more in a project.
async fn comes(probe: &Probe, project: &str, name: &str, count: usize) {
    let what = format!("{project}/{name} is looked at for the {count}. time");
    eventually(&what, async || {
        match probe.count_in(project, Point::Begin, name) {
            seen if seen == count => Ok(()),
            seen => Err(seen),
        }
    })
    .await;
}

on_both_servers! {
    async fn a_change_wakes_objects_in_every_project_through_one_watch(fleet: &Fleet) {
        fleet.create_shop("red").await;
        let (probe, _operator) = start(fleet.manager());
        fleet.engaged("red", &["websites"]).await;
        fleet.create_website("red", "one").await;
        comes(&probe, "red", "one", 1).await;
        settle(fleet, 1).await;
        comes(&probe, "red", "one", 2).await;
        // A project that comes later sees what is there already.
        fleet.create_shop("blue").await;
        fleet.engaged("blue", &["websites"]).await;
        fleet.create_website("blue", "late").await;
        comes(&probe, "blue", "late", 1).await;
        for value in 2..=4 {
            settle(fleet, value).await;
            comes(&probe, "red", "one", 1 + value).await;
            comes(&probe, "blue", "late", value).await;
        }
        maps(fleet).delete("settings", &DeleteParams::default()).await.unwrap();
        comes(&probe, "red", "one", 6).await;
        comes(&probe, "blue", "late", 5).await;
        assert_eq!(watches_in_root(fleet), 1);
        for project in ["red", "blue"] {
            assert_eq!(fleet.watched(project), ["websites"]);
        }
    }

    async fn a_project_that_goes_leaves_the_others_their_watch(fleet: &Fleet) {
        for project in ["red", "blue"] {
            fleet.create_project_unready(project).await;
        }
        let milo = kommodore::Milo::external().grace(std::time::Duration::ZERO);
        let (probe, _operator) = start(fleet.manager_of(milo));
        for project in ["red", "blue"] {
            fleet.set_project_ready(project, true).await;
            fleet.ensure_namespace(project, kommodore_tests::NAMESPACE).await;
            fleet.create_website(project, "one").await;
            comes(&probe, project, "one", 1).await;
        }
        fleet.set_project_ready("red", false).await;
        fleet.disengaged("red").await;
        settle(fleet, 1).await;
        comes(&probe, "blue", "one", 2).await;
        assert_eq!(probe.count_in("red", Point::Begin, "one"), 1);
        assert_eq!(watches_in_root(fleet), 1);
        fleet.set_project_ready("red", true).await;
        fleet.engaged("red", &["websites"]).await;
        eventually("it is looked at again", async || probe.count_in("red", Point::Begin, "one") >= 2).await;
        let before = probe.count_in("red", Point::Begin, "one");
        settle(fleet, 2).await;
        eventually("it is woken again", async || probe.count_in("red", Point::Begin, "one") > before).await;
        comes(&probe, "blue", "one", 3).await;
    }

    async fn without_a_provider_it_is_the_cluster_that_is_worked_on(fleet: &Fleet) {
        let mut config = fleet.operator_config();
        config.default_namespace = NAMESPACE.into();
        let (probe, _operator) = start(Manager::builder(config));
        let websites: Api<Website> = Api::namespaced(fleet.client(), NAMESPACE);
        let mut site = kommodore_tests::website("one");
        site.metadata.namespace = None;
        eventually("the website is there", async || {
            websites.create(&Default::default(), &site).await
        }).await;
        comes(&probe, "local", "one", 1).await;
        eventually("the settings are watched", async || watches_in_root(fleet) == 1).await;
        settle(fleet, 1).await;
        comes(&probe, "local", "one", 2).await;
        websites.delete("one", &DeleteParams::default()).await.unwrap();
    }
}

#[test]
fn it_is_allowed_where_it_is_watched() {
    let config = || kube::Config::new("http://127.0.0.1:1".parse().unwrap());
    let of_maps = |permissions: &kommodore::Permissions| {
        let rules = permissions.rules().into_iter();
        let rule = rules.filter(|rule| rule.resource == "configmaps");
        rule.map(|rule| rule.verbs).collect::<Vec<_>>()
    };
    let manager = Manager::builder(config()).controller(Settled::default());
    let alone = manager.permissions();
    let fleet = manager.provider(kommodore::Milo::external()).permissions();
    let watched = [vec!["get", "list", "watch"]];
    assert_eq!(of_maps(&alone.member), watched);
    assert_eq!(of_maps(&alone.host), [] as [Vec<&str>; 0]);
    assert_eq!(of_maps(&fleet.member), [] as [Vec<&str>; 0]);
    assert_eq!(of_maps(&fleet.host), watched);
}
