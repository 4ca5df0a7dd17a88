//! The life of one object: what each of its changes costs at the API server, to the request.

use kommodore_tests::{
    FINALIZER, Fleet, Operator, Point, Sentinel, Sites, WATCHED, eventually,
    needs_garbage_collection, on_both_servers, status_of,
};
use kube::ResourceExt;
use kube::api::{DeleteParams, Patch, PatchParams};
use serde_json::json;

const CREATED: [&str; 3] = [
    "patch websites/one",
    "patch configmaps/one",
    "patch websites/one/status",
];

/// An operator in the project red, and a website that is Ready there.
async fn at_work(fleet: &Fleet) -> (Sites, Operator, Sentinel) {
    fleet.create_shop("red").await;
    let sites = Sites::default();
    let operator = Operator::start(fleet.manager().controller(sites.clone()));
    fleet.engaged("red", &WATCHED).await;
    let sentinel = Sentinel::new(fleet, "red").await;
    (sites, operator, sentinel)
}

on_both_servers! {
    async fn a_create_is_one_reconcile_three_writes_and_no_read(fleet: &Fleet) {
        let (sites, _operator, sentinel) = at_work(fleet).await;
        let mark = fleet.requests().mark();
        fleet.create_website("red", "one").await;
        let one = fleet.website_ready("red", "one").await;
        sentinel.passes(fleet).await;
        assert_eq!(sentinel.others(fleet.said("red", mark)), CREATED);
        assert_eq!(sites.probe.count(Point::Begin, "one"), 1);

        assert_eq!(one.finalizers(), [FINALIZER]);
        let status = one.status.as_ref().unwrap();
        assert_eq!(status.url.as_deref(), Some("http://one.example.com"));
        assert_eq!(status.observed_generation, Some(1));
        assert_eq!(status_of(&one, "Ready"), Some(("True", "ReconcileSucceeded")));
        assert_eq!(status_of(&one, "PageServed"), Some(("True", "Applied")));
        assert_eq!(status_of(&one, "Degraded"), Some(("False", "AsExpected")));
        let page = fleet.pages("red").get("one").await.unwrap();
        let owner = &page.metadata.owner_references.as_ref().unwrap()[0];
        assert_eq!((owner.kind.as_str(), &owner.uid, owner.controller), ("Website", &one.uid().unwrap(), Some(true)));
        let manager = &page.metadata.managed_fields.as_ref().unwrap()[0];
        assert_eq!((manager.manager.as_deref(), manager.operation.as_deref()), (Some("sites"), Some("Apply")));
    }

    async fn a_change_of_the_spec_is_one_reconcile_and_two_writes(fleet: &Fleet) {
        let (sites, _operator, sentinel) = at_work(fleet).await;
        fleet.create_website("red", "one").await;
        fleet.website_ready("red", "one").await;
        let mark = fleet.requests().mark();
        fleet.set_host("red", "one", "new.example.com").await;
        fleet.page_shows("red", "one", "new.example.com").await;
        fleet.website_ready("red", "one").await;
        sentinel.passes(fleet).await;
        assert_eq!(sentinel.others(fleet.said("red", mark)), &CREATED[1..]);
        assert_eq!(sites.probe.count(Point::Begin, "one"), 2);
    }

    async fn a_label_and_an_annotation_are_looked_at_and_the_status_of_others_is_not(fleet: &Fleet) {
        let (sites, _operator, sentinel) = at_work(fleet).await;
        fleet.create_website("red", "one").await;
        fleet.website_ready("red", "one").await;
        let foreign = json!({"status": {"url": "http://elsewhere"}});
        fleet.websites("red").patch_status("one", &PatchParams::default(), &Patch::Merge(foreign)).await.unwrap();
        sentinel.passes(fleet).await;
        assert_eq!(sites.probe.count(Point::Begin, "one"), 1, "a status is not looked at");
        fleet.change_website("red", "one", json!({"metadata": {"labels": {"tier": "gold"}}})).await;
        sites.probe.comes(Point::Begin, "one", 2).await;
        fleet.change_website("red", "one", json!({"metadata": {"annotations": {"demo/note": "x"}}})).await;
        sites.probe.comes(Point::Begin, "one", 3).await;
        sentinel.passes(fleet).await;
        assert_eq!(sites.probe.count(Point::Begin, "one"), 3);
        let one = fleet.website_ready("red", "one").await;
        assert_eq!(one.status.unwrap().url.as_deref(), Some("http://one.example.com"));
    }

    async fn a_child_that_somebody_edits_is_put_right_with_one_write(fleet: &Fleet) {
        let (sites, _operator, sentinel) = at_work(fleet).await;
        fleet.create_website("red", "one").await;
        let ready = fleet.website_ready("red", "one").await;
        let mark = fleet.requests().mark();
        fleet.edit_page("red", "one").await;
        fleet.page_shows("red", "one", "one.example.com").await;
        sentinel.passes(fleet).await;
        assert_eq!(sentinel.others(fleet.said("red", mark)), ["patch configmaps/one"]);
        assert_eq!(sites.probe.count(Point::Begin, "one"), 2);
        assert_eq!(fleet.website_ready("red", "one").await.resource_version(), ready.resource_version());
    }

    async fn a_child_that_somebody_deletes_comes_back_with_one_write(fleet: &Fleet) {
        let (sites, _operator, sentinel) = at_work(fleet).await;
        fleet.create_website("red", "one").await;
        fleet.website_ready("red", "one").await;
        let lost = fleet.page_shows("red", "one", "one.example.com").await;
        let mark = fleet.requests().mark();
        fleet.pages("red").delete("one", &DeleteParams::default()).await.unwrap();
        let back = fleet.page_shows("red", "one", "one.example.com").await;
        assert_ne!(back.uid(), lost.uid());
        sentinel.passes(fleet).await;
        assert_eq!(sentinel.others(fleet.said("red", mark)), ["patch configmaps/one"]);
        assert_eq!(sites.probe.count(Point::Begin, "one"), 2);
    }

    async fn a_delete_is_one_cleanup_and_one_write(fleet: &Fleet) {
        let (sites, _operator, sentinel) = at_work(fleet).await;
        fleet.create_website("red", "one").await;
        fleet.website_ready("red", "one").await;
        let mark = fleet.requests().mark();
        fleet.delete_website("red", "one").await;
        fleet.website_gone("red", "one").await;
        sentinel.passes(fleet).await;
        assert_eq!(sentinel.others(fleet.said("red", mark)), ["patch websites/one"]);
        assert_eq!(sites.probe.count(Point::Cleanup, "one"), 1);
        assert_eq!(sites.probe.count(Point::Begin, "one"), 1);
        assert_eq!(sites.probe.count(Point::Cleanup, Sentinel::NAME), 0);
    }

    async fn what_it_owned_goes_with_it_and_nothing_brings_it_back(fleet: &Fleet) {
        needs_garbage_collection!(fleet);
        let (sites, _operator, sentinel) = at_work(fleet).await;
        fleet.create_website("red", "one").await;
        fleet.website_ready("red", "one").await;
        fleet.delete_website("red", "one").await;
        let pages = fleet.pages("red");
        eventually("the page goes with its website", async || matches!(pages.get_opt("one").await, Ok(None))).await;
        sentinel.passes(fleet).await;
        assert_eq!(pages.get_opt("one").await.unwrap(), None);
        assert_eq!(sites.probe.count(Point::Begin, "one"), 1);
    }

    async fn one_of_the_same_name_that_comes_after_it_is_another(fleet: &Fleet) {
        let (sites, _operator, _) = at_work(fleet).await;
        let first = fleet.create_website("red", "one").await;
        fleet.website_ready("red", "one").await;
        fleet.delete_website("red", "one").await;
        fleet.website_gone("red", "one").await;
        let second = fleet.create_website("red", "one").await;
        assert_ne!(first.uid(), second.uid());
        // The page of the first one may still be there: it is not taken over, and goes.
        if fleet.supports_gc() {
            fleet.website_ready("red", "one").await;
            let page = fleet.page_shows("red", "one", "one.example.com").await;
            assert_eq!(page.metadata.owner_references.unwrap()[0].uid, second.uid().unwrap());
        }
        sites.probe.comes(Point::Begin, "one", 2).await;
    }

    async fn one_that_is_deleted_during_its_reconcile_is_cleaned_up_after_it(fleet: &Fleet) {
        let (sites, _operator, sentinel) = at_work(fleet).await;
        let held = sites.probe.hold(Point::Begin, "one");
        fleet.create_website("red", "one").await;
        held.reached().await;
        fleet.delete_website("red", "one").await;
        sentinel.passes(fleet).await;
        assert_eq!(sites.probe.count(Point::Cleanup, "one"), 0, "never twice at once");
        held.release();
        fleet.website_gone("red", "one").await;
        sentinel.passes(fleet).await;
        assert_eq!((sites.probe.count(Point::Begin, "one"), sites.probe.count(Point::Cleanup, "one")), (1, 1));
        if fleet.supports_gc() {
            let pages = fleet.pages("red");
            eventually("nothing is left", async || matches!(pages.get_opt("one").await, Ok(None))).await;
        }
    }
}
