//! What a controller sees of the objects that are watched.

use std::sync::{Arc, Mutex};

use kommodore::{Action, Builder, Cleanup, Context, Reconcile, Result, controller};
use kommodore_tests::{
    Fleet, Operator, Point, Probe, Sentinel, WATCHED, Website, on_both_servers, page, website,
};
use kube::ResourceExt;
use kube::api::PostParams;
use serde_json::json;

const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// The annotations of an object, and whether it has managed fields.
type Seen = (Vec<String>, bool);

/// Remembers which annotations it saw, and whether managed fields. It gets each object as the server returned it for
/// the finalizer, and after that as it was watched.
#[controller(
    for = Website,
    owns(k8s_openapi::api::core::v1::ConfigMap),
    finalizer = "demo.kommodore.dev/looker",
    conditions,
)]
#[derive(Clone, Default)]
struct Looker {
    probe: Probe,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Reconcile for Looker {
    async fn reconcile(&self, site: &Website, cx: &Context<Self>) -> Result<Action> {
        if site.name_any() == "one" {
            let annotations = site.annotations().keys().cloned().collect();
            let managed = !site.managed_fields().is_empty();
            self.seen.lock().unwrap().push((annotations, managed));
        }
        cx.apply(page(site)).await?;
        self.probe.end(Point::Begin, cx).await
    }
}

impl Cleanup for Looker {
    async fn cleanup(&self, _: &Website, cx: &Context<Self>) -> Result<Action> {
        self.probe.end(Point::Cleanup, cx).await
    }
}

/// What a controller sees of a website that `kubectl apply` made, when it is new and when its host has changed.
async fn seen(fleet: &Fleet, manager: Builder) -> (Looker, Vec<Seen>, Operator) {
    fleet.create_shop("red").await;
    let looker = Looker::default();
    let operator = Operator::start(manager.controller(looker.clone()));
    fleet.engaged("red", &WATCHED).await;
    let mut one = website("one");
    one.annotations_mut()
        .extend([LAST_APPLIED, "demo/note"].map(|name| (name.into(), "{}".into())));
    fleet
        .websites("red")
        .create(&PostParams::default(), &one)
        .await
        .unwrap();
    looker.probe.comes(Point::Begin, "one", 1).await;
    fleet.set_host("red", "one", "new.example.com").await;
    looker.probe.comes(Point::Begin, "one", 2).await;
    let seen = looker.seen.lock().unwrap().clone();
    (looker, seen, operator)
}

on_both_servers! {
    async fn what_nobody_reads_is_dropped_and_its_change_wakes_nobody(fleet: &Fleet) {
        let (looker, seen, _operator) = seen(fleet, fleet.manager()).await;
        let expected = (vec!["demo/note".to_owned()], false);
        assert_eq!(seen, [expected.clone(), expected]);
        let sentinel = Sentinel::new(fleet, "red").await;
        fleet.change_website("red", "one", json!({"metadata": {"annotations": {LAST_APPLIED: "{\"more\": 1}"}}})).await;
        sentinel.passes(fleet).await;
        assert_eq!(looker.probe.count(Point::Begin, "one"), 2);
        let one = fleet.websites("red").get("one").await.unwrap();
        assert_eq!(one.annotations()[LAST_APPLIED], "{\"more\": 1}", "at the server it is as it was");
    }

    async fn all_metadata_is_kept_for_who_asks_for_it(fleet: &Fleet) {
        let (_, seen, _operator) = seen(fleet, fleet.manager().keep_all_metadata()).await;
        let expected = (vec!["demo/note".to_owned(), LAST_APPLIED.to_owned()], true);
        assert_eq!(seen, [expected.clone(), expected]);
    }
}
