//! One watch for each kind and selection, whatever number of controllers uses it.

use k8s_openapi::api::core::v1::ConfigMap;
use kommodore::{Action, Cluster, Context, ObjectKey, Reconcile, Result, controller};
use kommodore_tests::{
    Fleet, Operator, Point, Probe, Sites, WATCHED, Website, eventually, on_both_servers,
};
use kube::core::DynamicObject;

/// Looks at the websites again, and at whole pages.
#[controller(for = Website, watches(ConfigMap => Self::site_of))]
#[derive(Clone, Default)]
struct Reader {
    probe: Probe,
}

impl Reader {
    fn site_of(&self, page: &ConfigMap, _: &Cluster) -> Option<ObjectKey> {
        Some(ObjectKey::of(page))
    }
}

impl Reconcile for Reader {
    async fn reconcile(&self, _: &Website, cx: &Context<Self>) -> Result<Action> {
        self.probe.end(Point::Begin, cx).await
    }
}

/// The same without a Rust type of pages.
#[controller(for = Website, watches(Dynamic(group = "", version = "v1", kind = "ConfigMap") => Self::site_of))]
#[derive(Clone, Default)]
struct Untyped {
    probe: Probe,
}

impl Untyped {
    fn site_of(&self, page: &DynamicObject, _: &Cluster) -> Option<ObjectKey> {
        page.data.get("data")?;
        Some(ObjectKey::of(page))
    }
}

impl Reconcile for Untyped {
    async fn reconcile(&self, _: &Website, cx: &Context<Self>) -> Result<Action> {
        self.probe.end(Point::Begin, cx).await
    }
}

/// Owns the pages of one label, which is another selection.
#[controller(for = Website, owns(ConfigMap(labels = "app=pages")))]
struct Labelled;

impl Reconcile for Labelled {
    async fn reconcile(&self, _: &Website, _: &Context<Self>) -> Result<Action> {
        Ok(Action::done())
    }
}

fn watches(fleet: &Fleet) -> Vec<String> {
    let mut watched = fleet.watched("red");
    watched.sort();
    watched
}

on_both_servers! {
    async fn controllers_of_one_kind_share_its_watch_and_one_that_owns_it_too(fleet: &Fleet) {
        fleet.create_shop("red").await;
        let (sites, reader, untyped) = (Sites::default(), Reader::default(), Untyped::default());
        let mark = fleet.requests().mark();
        // The one that needs metadata only comes first.
        let manager = fleet.manager()
            .controller(sites.clone()).controller(reader.clone()).controller(untyped.clone());
        let _operator = Operator::start(manager);
        fleet.engaged("red", &WATCHED).await;
        fleet.create_website("red", "one").await;
        fleet.website_ready("red", "one").await;
        let before = sites.probe.count(Point::Begin, "one");
        let seen = [&reader.probe, &untyped.probe].map(|probe| probe.count(Point::Begin, "one"));
        fleet.edit_page("red", "one").await;
        fleet.page_shows("red", "one", "one.example.com").await;
        sites.probe.comes(Point::Begin, "one", before + 1).await;
        reader.probe.comes(Point::Begin, "one", seen[0] + 1).await;
        untyped.probe.comes(Point::Begin, "one", seen[1] + 1).await;
        assert_eq!(fleet.listed("red", mark), ["configmaps", "websites"]);
        assert_eq!(watches(fleet), ["configmaps", "websites"]);
    }

    async fn another_selection_is_another_watch(fleet: &Fleet) {
        fleet.create_shop("red").await;
        let mark = fleet.requests().mark();
        let manager = fleet.manager().controller(Sites::default()).controller(Labelled);
        let _operator = Operator::start(manager);
        let all = ["configmaps", "configmaps", "websites"];
        eventually("all is watched", async || match watches(fleet) {
            watches if watches == all => Ok(()),
            others => Err(others),
        }).await;
        assert_eq!(fleet.listed("red", mark), all);
    }
}
