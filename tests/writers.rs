//! Others change the object's metadata while we do.

use kommodore_tests::{
    FINALIZER, Fleet, Operator, Point, Sentinel, Sites, WATCHED, eventually, on_both_servers,
    website,
};
use kube::ResourceExt;
use kube::api::PostParams;
use serde_json::json;

const FOREIGN: &str = "elsewhere.example.com/backup";

/// An operator in the project red.
async fn at_work(fleet: &Fleet) -> (Sites, Operator, Sentinel) {
    fleet.create_shop("red").await;
    let sites = Sites::default();
    let operator = Operator::start(fleet.manager().controller(sites.clone()));
    fleet.engaged("red", &WATCHED).await;
    let sentinel = Sentinel::new(fleet, "red").await;
    (sites, operator, sentinel)
}

async fn create_with_foreign_finalizer(fleet: &Fleet) {
    let mut one = website("one");
    one.metadata.finalizers = Some(vec![FOREIGN.into()]);
    fleet
        .websites("red")
        .create(&PostParams::default(), &one)
        .await
        .unwrap();
    let one = fleet.website_ready("red", "one").await;
    assert_eq!(one.finalizers(), [FOREIGN, FINALIZER]);
}

on_both_servers! {
    async fn a_finalizer_is_added_to_an_object_that_changes_all_the_time(fleet: &Fleet) {
        let (sites, _operator, _) = at_work(fleet).await;
        let websites = fleet.websites("red");
        let mark = fleet.requests().mark();
        let mut count = 0;
        // Again and again, until the server has refused a patch of ours.
        eventually("somebody changes a website between our look and our patch", async || {
            let name = format!("site-{count}");
            count += 1;
            websites.create(&PostParams::default(), &website(&name)).await.unwrap();
            for label in 0..5 {
                let change = json!({"metadata": {"labels": {format!("l{label}"): "set"}}});
                let change = kube::api::Patch::Merge(change);
                websites.patch(&name, &Default::default(), &change).await.unwrap();
            }
            let ready = fleet.website_ready("red", &name).await;
            assert_eq!(ready.finalizers(), [FINALIZER]);
            assert_eq!(ready.labels().len(), 5);
            fleet.asked("red", mark).iter().any(|request| {
                request.plural() == "websites"
                    && request.subresource().is_none()
                    && request.status.is_some_and(|status| status.as_u16() == 422)
            })
        })
        .await;
        assert!(sites.probe.visits().iter().all(|visit| visit.point != Point::Cleanup));
    }

    async fn an_object_that_is_deleted_meanwhile_gets_no_finalizer_and_no_reconcile(fleet: &Fleet) {
        let (sites, _operator, sentinel) = at_work(fleet).await;
        let websites = fleet.websites("red");
        let mut one = website("one");
        one.metadata.finalizers = Some(vec![FOREIGN.into()]);
        websites.create(&PostParams::default(), &one).await.unwrap();
        websites.delete("one", &Default::default()).await.unwrap();
        sentinel.passes(fleet).await;
        let one = websites.get("one").await.unwrap();
        // Either it was ours before it was deleted, and has been cleaned up; or it never was.
        assert_eq!(one.finalizers(), [FOREIGN]);
        assert_eq!(sites.probe.count(Point::Begin, "one"), sites.probe.count(Point::Cleanup, "one"));
    }

    async fn a_foreign_finalizer_outlives_ours(fleet: &Fleet) {
        let (sites, _operator, sentinel) = at_work(fleet).await;
        create_with_foreign_finalizer(fleet).await;
        fleet.delete_website("red", "one").await;
        let one = fleet.website_is("red", "one", "ours is gone", |one| one.finalizers() == [FOREIGN]).await;
        assert!(one.metadata.deletion_timestamp.is_some());
        let mark = fleet.requests().mark();
        fleet.change_website("red", "one", json!({"metadata": {"labels": {"seen": "yes"}}})).await;
        sentinel.passes(fleet).await;
        assert_eq!(sentinel.others(fleet.said("red", mark)), [""; 0], "it is no business of ours any more");
        assert_eq!(sites.probe.count(Point::Cleanup, "one"), 1);
        assert_eq!(sites.probe.count(Point::Begin, "one"), 1);
        fleet.change_website("red", "one", json!({"metadata": {"finalizers": null}})).await;
        fleet.website_gone("red", "one").await;
    }

    async fn ours_goes_alone_also_when_another_goes_during_the_cleanup(fleet: &Fleet) {
        let (sites, _operator, sentinel) = at_work(fleet).await;
        create_with_foreign_finalizer(fleet).await;
        let held = sites.probe.hold(Point::Cleanup, "one");
        fleet.delete_website("red", "one").await;
        held.reached().await;
        let mark = fleet.requests().mark();
        // Ours moves to the first place, where we did not see it.
        fleet.change_website("red", "one", json!({"metadata": {"finalizers": [FINALIZER]}})).await;
        held.release();
        fleet.website_gone("red", "one").await;
        sentinel.passes(fleet).await;
        let said = sentinel.others(fleet.said("red", mark));
        assert_eq!(said, ["patch websites/one", "get websites/one", "patch websites/one"]);
        assert_eq!(sites.probe.count(Point::Cleanup, "one"), 1);
    }

    async fn a_finalizer_that_somebody_takes_away_comes_back(fleet: &Fleet) {
        let (_, _operator, _) = at_work(fleet).await;
        fleet.create_website("red", "one").await;
        fleet.website_ready("red", "one").await;
        fleet.change_website("red", "one", json!({"metadata": {"finalizers": null}})).await;
        fleet.website_is("red", "one", "it has our finalizer", |one| one.finalizers() == [FINALIZER]).await;
    }

    async fn a_change_during_the_cleanup_does_not_stop_it(fleet: &Fleet) {
        let (sites, _operator, _) = at_work(fleet).await;
        fleet.create_website("red", "one").await;
        fleet.website_ready("red", "one").await;
        let held = sites.probe.hold(Point::Cleanup, "one");
        fleet.delete_website("red", "one").await;
        held.reached().await;
        fleet.change_website("red", "one", json!({"metadata": {"labels": {"seen": "yes"}}})).await;
        held.release();
        fleet.website_gone("red", "one").await;
        assert_eq!(sites.probe.count(Point::Begin, "one"), 1);
    }

    async fn an_object_that_is_gone_when_its_cleanup_ends_is_nobodys_trouble(fleet: &Fleet) {
        let (sites, _operator, sentinel) = at_work(fleet).await;
        let first = fleet.create_website("red", "one").await;
        fleet.website_ready("red", "one").await;
        let held = sites.probe.hold(Point::Cleanup, "one");
        fleet.delete_website("red", "one").await;
        held.reached().await;
        let mark = fleet.requests().mark();
        // Somebody loses patience, and makes another one of that name.
        fleet.change_website("red", "one", json!({"metadata": {"finalizers": null}})).await;
        let second = fleet.create_website("red", "one").await;
        assert_ne!(first.uid(), second.uid());
        held.release();
        sentinel.passes(fleet).await;
        sites.probe.comes(Point::Begin, "one", 2).await;
        let kept = fleet.website_is("red", "one", "it has our finalizer", |one| one.finalizers() == [FINALIZER]).await;
        assert_eq!(kept.uid(), second.uid());
        assert_eq!(kept.metadata.deletion_timestamp, None);
        assert_eq!(sites.probe.count(Point::Cleanup, "one"), 1);
        let refused = fleet.asked("red", mark);
        assert!(refused.iter().any(|request| request.status.is_some_and(|status| status.as_u16() == 422)), "{refused:?}");
    }
}
