//! What the operator does itself wakes nobody, and what somebody else does is never taken for it, however late
//! the watches are.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::ConfigMap;
use kommodore::{Action, Cluster, ClusterState, Context, ObjectKey, Reconcile, Result, controller};
use kommodore_tests::{
    Asked, Fault, Fleet, Operator, Point, Probe, Sentinel, Sites, WATCHED, Website, condition,
    eventually, on_both_servers, page, run, stands, status_of,
};
use kube::ResourceExt;
use kube::api::{Patch, PatchParams, PostParams};
use serde_json::json;
use tokio::sync::watch;

/// Keeps a page that it watches and does not own.
#[controller(for = Website, watches(ConfigMap => Self::site_of), conditions)]
struct Watching {
    probe: Probe,
}

impl Reconcile for Watching {
    async fn reconcile(&self, site: &Website, cx: &Context<Self>) -> Result<Action> {
        self.probe.at(Point::Begin, cx).await?;
        cx.apply(page(site)).await?;
        Ok(Action::done())
    }
}

impl Watching {
    fn site_of(&self, page: &ConfigMap, _: &Cluster) -> Vec<ObjectKey> {
        vec![ObjectKey::of(page)]
    }
}

/// Keeps a page that it owns, and watches besides: all pages, and those of a label.
#[controller(
    for = Website,
    owns(ConfigMap),
    watches(ConfigMap => Self::site_of, ConfigMap(labels = "app=pages") => Self::site_of),
    conditions,
)]
struct Twice {
    probe: Probe,
}

impl Reconcile for Twice {
    async fn reconcile(&self, site: &Website, cx: &Context<Self>) -> Result<Action> {
        self.probe.at(Point::Begin, cx).await?;
        let mut page = page(site);
        page.labels_mut().insert("app".into(), "pages".into());
        match site.spec.host.as_str() {
            "off" => cx.delete::<ConfigMap>(site.name_any()).await.map(|_| ())?,
            _ => cx.apply(page).await.map(|_| ())?,
        }
        Ok(Action::done())
    }
}

impl Twice {
    fn site_of(&self, page: &ConfigMap, _: &Cluster) -> Vec<ObjectKey> {
        vec![ObjectKey::of(page)]
    }
}

/// Keeps a page until the website is switched off.
#[controller(for = Website, owns(ConfigMap), conditions)]
struct Switch {
    probe: Probe,
}

impl Reconcile for Switch {
    async fn reconcile(&self, site: &Website, cx: &Context<Self>) -> Result<Action> {
        self.probe.at(Point::Begin, cx).await?;
        match site.spec.host.as_str() {
            "off" => cx.delete::<ConfigMap>(site.name_any()).await.map(|_| ())?,
            _ => cx.apply(page(site)).await.map(|_| ())?,
        }
        Ok(Action::done())
    }
}

/// Shows in the status what somebody else says in the page, as it would a Deployment's readiness.
#[controller(for = Website, owns(ConfigMap))]
struct Reader {
    probe: Probe,
}

impl Reconcile for Reader {
    async fn reconcile(&self, site: &Website, cx: &Context<Self>) -> Result<Action> {
        let page_now = cx.get::<ConfigMap>(site.name_any()).await?;
        let said = page_now.and_then(|page| page.data.as_ref()?.get("said").cloned());
        self.probe.at(Point::Begin, cx).await?;
        cx.apply(page(site)).await?;
        cx.status(|status| status.url = said);
        self.probe.end(Point::Applied, cx).await
    }
}

/// Lets the watches of pages lag while the switch is on.
fn lag() -> (watch::Sender<bool>, impl Fn(&Asked<'_>) -> Fault) {
    let (switch, lags) = watch::channel(false);
    let rule = move |asked: &Asked<'_>| match asked.watches("configmaps") {
        true => Fault::Lag(lags.clone()),
        false => Fault::None,
    };
    (switch, rule)
}

/// Somebody says something in the page of `one` between the read and the apply of a run, whose apply then
/// changes nothing. The watch of the pages hears of it when the run has applied.
async fn somebody_speaks(fleet: &Fleet, probe: &Probe, lag: Option<watch::Sender<bool>>) {
    fleet.engaged("red", &WATCHED).await;
    fleet.create_website("red", "one").await;
    probe.comes(Point::Applied, "one", 1).await;
    let hold = probe.hold(Point::Begin, "one");
    let label = json!({"metadata": {"labels": {"a": "b"}}});
    fleet.change_website("red", "one", label).await;
    hold.reached().await;
    if let Some(lag) = &lag {
        lag.send_replace(true);
    }
    let before = probe.count(Point::Applied, "one");
    let edit = Patch::Merge(json!({"data": {"said": "hello"}}));
    let pages = fleet.pages("red");
    pages
        .patch("one", &PatchParams::default(), &edit)
        .await
        .unwrap();
    hold.release();
    probe.comes(Point::Applied, "one", before + 1).await;
    if let Some(lag) = lag {
        lag.send_replace(false);
    }
    let shows = |one: &Website| {
        one.status
            .as_ref()
            .is_some_and(|status| status.url.as_deref() == Some("hello"))
    };
    fleet.website_is("red", "one", "it shows it", shows).await;
}

on_both_servers! {
    async fn our_own_write_of_what_we_only_watch_wakes_nobody(fleet: &Fleet) {
        fleet.create_shop("red").await;
        let probe = Probe::default();
        let _operator = Operator::start(fleet.manager().controller(Watching { probe: probe.clone() }));
        fleet.engaged("red", &WATCHED).await;
        let sentinel = Sentinel::new(fleet, "red").await;
        fleet.create_website("red", "one").await;
        fleet.page_shows("red", "one", "one.example.com").await;
        sentinel.passes(fleet).await;
        assert_eq!(probe.count(Point::Begin, "one"), 1);
        fleet.set_host("red", "one", "new.example.com").await;
        fleet.page_shows("red", "one", "new.example.com").await;
        sentinel.passes(fleet).await;
        assert_eq!(probe.count(Point::Begin, "one"), 2);
    }

    async fn our_own_writes_wake_nobody_also_when_they_come_back_through_several_watches(fleet: &Fleet) {
        fleet.create_shop("red").await;
        let probe = Probe::default();
        let _operator = Operator::start(fleet.manager().controller(Twice { probe: probe.clone() }));
        fleet.engaged("red", &WATCHED).await;
        let sentinel = Sentinel::new(fleet, "red").await;
        fleet.create_website("red", "one").await;
        fleet.page_shows("red", "one", "one.example.com").await;
        sentinel.passes(fleet).await;
        assert_eq!(probe.count(Point::Begin, "one"), 1);
        fleet.set_host("red", "one", "new.example.com").await;
        fleet.page_shows("red", "one", "new.example.com").await;
        sentinel.passes(fleet).await;
        assert_eq!(probe.count(Point::Begin, "one"), 2);
        fleet.set_host("red", "one", "off").await;
        eventually("the page is gone", async || matches!(fleet.pages("red").get_opt("one").await, Ok(None))).await;
        sentinel.passes(fleet).await;
        assert_eq!(probe.count(Point::Begin, "one"), 3);
    }

    async fn our_own_delete_of_a_child_wakes_nobody(fleet: &Fleet) {
        fleet.create_shop("red").await;
        let probe = Probe::default();
        let _operator = Operator::start(fleet.manager().controller(Switch { probe: probe.clone() }));
        fleet.engaged("red", &WATCHED).await;
        let sentinel = Sentinel::new(fleet, "red").await;
        fleet.create_website("red", "one").await;
        fleet.page_shows("red", "one", "one.example.com").await;
        sentinel.passes(fleet).await;
        fleet.set_host("red", "one", "off").await;
        eventually("the page is gone", async || matches!(fleet.pages("red").get_opt("one").await, Ok(None))).await;
        sentinel.passes(fleet).await;
        assert_eq!(probe.count(Point::Begin, "one"), 2);
    }

    async fn what_somebody_says_in_a_child_during_a_run_is_seen(fleet: &Fleet) {
        fleet.create_shop("red").await;
        let probe = Probe::default();
        let _operator = Operator::start(fleet.manager().controller(Reader { probe: probe.clone() }));
        somebody_speaks(fleet, &probe, None).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_somebody_says_in_a_child_is_seen_also_when_the_watch_is_later_than_our_apply() {
    let fleet = run::embedded().await;
    fleet.create_shop("red").await;
    let (switch, rule) = lag();
    let probe = Probe::default();
    let reader = Reader {
        probe: probe.clone(),
    };
    let _operator = Operator::start(fleet.manager_behind(rule).await.controller(reader));
    somebody_speaks(&fleet, &probe, Some(switch)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_controls_is_refused_also_when_the_watch_does_not_know_it_yet() {
    let fleet = run::embedded().await;
    fleet.create_shop("red").await;
    let (switch, rule) = lag();
    let sites = Sites::default();
    let manager = fleet.manager_behind(rule).await.controller(sites.clone());
    let status = manager.fleet();
    let _operator = Operator::start(manager);
    stands(&status, "red", ClusterState::Engaged).await;
    switch.send_replace(true);
    let mut foreign = ConfigMap {
        data: Some(BTreeMap::from([("index.html".into(), "precious".into())])),
        ..ConfigMap::default()
    };
    foreign.metadata.name = Some("one".into());
    let pages = fleet.pages("red");
    pages
        .create(&PostParams::default(), &foreign)
        .await
        .unwrap();
    fleet.create_website("red", "one").await;
    let one = fleet
        .website_is("red", "one", "it is concluded", |one| {
            condition(one, "Ready").is_some()
        })
        .await;
    assert_eq!(status_of(&one, "Ready"), Some(("False", "ReconcileFailed")));
    let page = pages.get("one").await.unwrap();
    assert_eq!(page.data.unwrap()["index.html"], "precious");
    assert_eq!(page.metadata.owner_references, None);
}
