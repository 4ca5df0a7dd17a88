//! Children that are not applied any more, and go on request.

use std::time::Duration;

use k8s_openapi::api::core::v1::ConfigMap;
use kommodore::{
    Action, Cleanup, ClusterName, ClusterState, Context, Error, Permissions, Reconcile, Result,
    controller,
};
use kommodore_tests::{
    Asked, Fault, Fleet, Operator, Point, Probe, WATCHED, Website, condition, eventually,
    on_both_servers, page, stands, status_of, website,
};
use kube::ResourceExt;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use serde_json::json;
use tokio::sync::watch;

/// Keeps the pages that the host of a website lists: `a,b`, and `hub/c` in another project.
async fn shelve(site: &Website, cx: &kommodore::Scope) -> Result<()> {
    for name in site.spec.host.split(',') {
        let mut page = page(site);
        match name.strip_prefix("hub/") {
            Some(name) => {
                page.metadata.name = Some(name.into());
                let hub = cx.find_cluster(&ClusterName::new("hub")?);
                let hub = hub.ok_or_else(|| Error::new("the hub is not engaged"))?;
                cx.apply(page).to(&hub).await?;
            }
            None => {
                page.metadata.name = Some(name.into());
                cx.apply(page).await?;
            }
        }
    }
    Ok(())
}

/// Prunes at the end of what is done.
#[controller(
    for = Website,
    name = "shelves",
    owns(ConfigMap),
    finalizer = "demo.kommodore.dev/shelves",
    conditions,
    prune,
)]
#[derive(Clone, Default)]
struct Shelves {
    probe: Probe,
}

impl Reconcile for Shelves {
    async fn reconcile(&self, site: &Website, cx: &Context<Self>) -> Result<Action> {
        shelve(site, cx).await?;
        self.probe.end(Point::Applied, cx).await
    }
}

impl Cleanup for Shelves {
    async fn cleanup(&self, _: &Website, _: &Context<Self>) -> Result<Action> {
        Ok(Action::done())
    }
}

/// Prunes when it says so, and comes back.
#[controller(for = Website, name = "tidy", owns(ConfigMap), conditions)]
#[derive(Clone, Default)]
struct Tidy {
    probe: Probe,
}

impl Reconcile for Tidy {
    async fn reconcile(&self, site: &Website, cx: &Context<Self>) -> Result<Action> {
        shelve(site, cx).await?;
        let pruned = cx.prune().await?;
        cx.status(|status| status.url = Some(format!("pruned {pruned}")));
        self.probe.at(Point::Applied, cx).await?;
        Ok(Action::requeue(Duration::from_secs(3600)))
    }
}

async fn at_work(fleet: &Fleet, projects: &[&str]) -> (Shelves, Operator) {
    for project in projects {
        fleet.create_shop(project).await;
    }
    let shelves = Shelves::default();
    let operator = Operator::start(fleet.manager().controller(shelves.clone()));
    for project in projects {
        fleet.engaged(project, &WATCHED).await;
    }
    (shelves, operator)
}

async fn create(fleet: &Fleet, host: &str) {
    let mut site = website("one");
    site.spec.host = host.into();
    let websites = fleet.websites("red");
    let created = websites.create(&PostParams::default(), &site).await;
    created.unwrap();
    fleet.website_ready("red", "one").await;
}

async fn pages(fleet: &Fleet, project: &str) -> Vec<String> {
    let all = fleet.pages(project).list(&Default::default()).await;
    let mut names: Vec<String> = all.unwrap().iter().map(ResourceExt::name_any).collect();
    // A real server puts one into each namespace.
    names.retain(|name| name != "kube-root-ca.crt");
    names
}

on_both_servers! {
    async fn what_is_not_applied_any_more_goes_and_nothing_else(fleet: &Fleet) {
        let (shelves, _operator) = at_work(fleet, &["red"]).await;
        let mut theirs = ConfigMap::default();
        theirs.metadata.name = Some("theirs".into());
        fleet.pages("red").create(&PostParams::default(), &theirs).await.unwrap();
        create(fleet, "a,b,c").await;
        fleet.create_website("red", "two").await;
        fleet.website_ready("red", "two").await;
        let mark = fleet.requests().mark();
        fleet.set_host("red", "one", "b").await;
        fleet.website_ready("red", "one").await;
        assert_eq!(pages(fleet, "red").await, ["b", "theirs", "two.example.com"]);
        let said = ["patch configmaps/b", "delete configmaps/a", "delete configmaps/c", "patch websites/one/status"];
        assert_eq!(fleet.said("red", mark), said);
        // It has heard of what it did itself, and looks no more.
        fleet.pages("red").delete("b", &DeleteParams::default()).await.unwrap();
        eventually("the page is back", async || fleet.pages("red").get("b").await).await;
        shelves.probe.comes(Point::Applied, "one", 3).await;
        assert_eq!(shelves.probe.count(Point::Applied, "one"), 3);
    }

    async fn nothing_goes_before_all_is_well(fleet: &Fleet) {
        let (shelves, _operator) = at_work(fleet, &["red"]).await;
        create(fleet, "a").await;
        shelves.probe.script(Point::Applied, "one", |nth| match nth {
            2 => Err(Error::new("not yet")),
            3 => Ok(Action::requeue(Duration::from_millis(10))),
            4 => Err(Error::terminal("never")),
            _ => Ok(Action::done()),
        });
        fleet.set_host("red", "one", "b").await;
        fleet.website_is("red", "one", "it is stalled", |one| condition(one, "Stalled").is_some()).await;
        assert_eq!(pages(fleet, "red").await, ["a", "b"]);
        fleet.change_website("red", "one", json!({"metadata": {"labels": {"again": "yes"}}})).await;
        fleet.website_ready("red", "one").await;
        assert_eq!(pages(fleet, "red").await, ["b"]);
    }

    async fn what_was_marked_is_pruned_in_other_clusters_too(fleet: &Fleet) {
        let (_, _operator) = at_work(fleet, &["red", "hub"]).await;
        create(fleet, "a,hub/b,hub/c").await;
        assert_eq!(pages(fleet, "hub").await, ["b", "c"]);
        let mark = fleet.requests().mark();
        fleet.set_host("red", "one", "a,hub/c").await;
        fleet.website_ready("red", "one").await;
        assert_eq!(pages(fleet, "hub").await, ["c"]);
        assert_eq!(fleet.said("hub", mark), ["patch configmaps/c", "delete configmaps/b"]);
    }

    async fn the_author_may_say_when(fleet: &Fleet) {
        fleet.create_shop("red").await;
        let _operator = Operator::start(fleet.manager().controller(Tidy::default()));
        fleet.engaged("red", &WATCHED).await;
        create(fleet, "a,b,c").await;
        fleet.set_host("red", "one", "b").await;
        let one = fleet.website_ready("red", "one").await;
        assert_eq!(one.status.unwrap().url.as_deref(), Some("pruned 2"));
        assert_eq!(pages(fleet, "red").await, ["b"]);
    }

    async fn what_has_just_been_applied_is_pruned_before_its_watch_tells_of_it(fleet: &Fleet) {
        fleet.create_shop("red").await;
        let (late, lags) = watch::channel(false);
        let rule = move |asked: &Asked<'_>| match asked.watches("configmaps") {
            true => Fault::Lag(lags.clone()),
            false => Fault::None,
        };
        let manager = fleet.manager_behind(rule).await.controller(Shelves::default());
        let status = manager.fleet();
        let _operator = Operator::start(manager);
        stands(&status, "red", ClusterState::Engaged).await;
        late.send_replace(true);
        create(fleet, "a,b").await;
        fleet.set_host("red", "one", "a").await;
        eventually("the other goes", async || pages(fleet, "red").await == ["a"]).await;
        late.send_replace(false);
    }

    async fn what_somebody_takes_at_this_moment_stays_and_what_they_only_touch_goes(fleet: &Fleet) {
        fleet.create_shop("red").await;
        let (switch, lags) = watch::channel(false);
        let rule = move |asked: &Asked<'_>| match asked.watches("configmaps") {
            true => Fault::Lag(lags.clone()),
            false => Fault::None,
        };
        let shelves = Shelves::default();
        let _operator = Operator::start(fleet.manager_behind(rule).await.controller(shelves.clone()));
        fleet.engaged("red", &WATCHED).await;
        create(fleet, "a,b,c").await;
        switch.send_replace(true);
        let change = async |name: &str, metadata: serde_json::Value| {
            let patch = Patch::Merge(json!({"metadata": metadata}));
            fleet.pages("red").patch(name, &PatchParams::default(), &patch).await.unwrap();
        };
        change("a", json!({"ownerReferences": null})).await;
        change("b", json!({"labels": {"touched": "yes"}})).await;
        fleet.set_host("red", "one", "c").await;
        fleet.website_is("red", "one", "it is as it should be", |one| {
            one.status.as_ref().is_some_and(|status| status.observed_generation == Some(2))
        }).await;
        assert_eq!(pages(fleet, "red").await, ["a", "c"]);
        switch.send_replace(false);
        let ready = fleet.website_ready("red", "one").await;
        assert_eq!(status_of(&ready, "Ready"), Some(("True", "ReconcileSucceeded")));
    }
}

#[test]
fn it_needs_to_be_allowed_to_delete() {
    let role = |rules: Permissions| rules.cluster_role("r");
    let of =
        |role: String| role.contains(r#"["create", "delete", "get", "list", "patch", "watch"]"#);
    assert!(of(role(Permissions::of::<Shelves>())));
    assert!(!of(role(Permissions::of::<Tidy>())));
}
