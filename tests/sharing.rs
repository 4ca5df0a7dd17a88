//! One watch for each kind and selection, whatever number of controllers uses it.

use std::sync::{Arc, Mutex};

use k8s_openapi::api::core::v1::ConfigMap;
use kommodore::{Action, Cluster, Context, Lookup, ObjectKey, Reconcile, Result, controller};
use kommodore_tests::{
    Fleet, Operator, Point, Probe, Sites, WATCHED, Website, eventually, on_both_servers,
    page as page_of,
};
use kube::ResourceExt as _;
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

/// Owns pages without a look into them.
#[controller(for = Website, owns(ConfigMap))]
struct Metadata;

impl Reconcile for Metadata {
    async fn reconcile(&self, _: &Website, _: &Context<Self>) -> Result<Action> {
        Ok(Action::done())
    }
}

/// Keeps pages as a whole, and remembers what it saw of its own.
#[controller(for = Website, owns(ConfigMap(full)))]
#[derive(Clone, Default)]
struct Whole {
    probe: Probe,
    seen: Arc<Mutex<Vec<Option<String>>>>,
}

impl Reconcile for Whole {
    async fn reconcile(&self, site: &Website, cx: &Context<Self>) -> Result<Action> {
        let owned = cx.list::<ConfigMap>(Lookup::owned_by(site)).await?;
        let page = cx.get::<ConfigMap>(site.name_any()).await?;
        assert_eq!(page.as_slice(), owned, "they come from one cache");
        let host = page.and_then(|page| page.data.as_ref()?.get("index.html").cloned());
        self.seen.lock().unwrap().push(host);
        cx.apply(page_of(site)).await?;
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

    async fn what_is_owned_as_a_whole_is_read_from_the_cache_which_one_that_needs_metadata_shares(fleet: &Fleet) {
        fleet.create_shop("red").await;
        let (whole, mark) = (Whole::default(), fleet.requests().mark());
        // The one that needs metadata only comes first.
        let manager = fleet.manager().controller(Metadata).controller(whole.clone());
        let _operator = Operator::start(manager);
        fleet.engaged("red", &WATCHED).await;
        fleet.create_website("red", "one").await;
        fleet.page_shows("red", "one", "one.example.com").await;
        whole.probe.comes(Point::Begin, "one", 1).await;
        fleet.edit_page("red", "one").await;
        fleet.page_shows("red", "one", "one.example.com").await;
        whole.probe.comes(Point::Begin, "one", 2).await;
        let seen = [None, Some("somebody was here".to_owned())];
        assert_eq!(*whole.seen.lock().unwrap(), seen);
        assert_eq!(fleet.listed("red", mark), ["configmaps", "websites"]);
        assert_eq!(watches(fleet), ["configmaps", "websites"]);
        let said = fleet.said("red", mark);
        assert!(!said.iter().any(|said| said.starts_with("get") || said.starts_with("list")), "{said:?}");
    }
}
