//! The life of one object: what each of its changes costs at the API server, to the request.

use std::sync::{Arc, Mutex};

use k8s_openapi::api::core::v1::ConfigMap;
use kommodore::{Action, Cleanup, Context, Reconcile, Result, controller};
use kommodore_tests::{
    Domain, DomainSpec, FINALIZER, Fleet, Operator, Point, Probe, Sentinel, Sites, WATCHED,
    Website, eventually, needs_garbage_collection, on_both_servers, page, status_of, website,
};
use kube::ResourceExt;
use kube::api::{Api, DeleteParams, Patch, PatchParams, PostParams};
use serde_json::json;

const CREATED: [&str; 3] = [
    "patch websites/one",
    "patch configmaps/one",
    "patch websites/one/status",
];

/// Keeps a page, and looks again every second.
#[controller(
    for = Website,
    name = "again",
    owns(ConfigMap),
    finalizer = "demo.kommodore.dev/again",
    conditions,
    resync = "1s",
)]
#[derive(Clone, Default)]
struct Again {
    probe: Probe,
}

impl Reconcile for Again {
    async fn reconcile(&self, site: &Website, cx: &Context<Self>) -> Result<Action> {
        cx.apply(page(site)).await?;
        cx.status(|status| status.url = Some(site.spec.host.clone()));
        self.probe.end(Point::Applied, cx).await
    }
}

impl Cleanup for Again {
    async fn cleanup(&self, _: &Website, cx: &Context<Self>) -> Result<Action> {
        self.probe.end(Point::Cleanup, cx).await
    }
}

/// Keeps a website for every domain, and remembers where it was said to be.
#[controller(for = Domain, owns(Website(namespace = "shop")))]
#[derive(Clone, Default)]
struct Delegates {
    probe: Probe,
    urls: Arc<Mutex<Vec<Option<String>>>>,
}

impl Reconcile for Delegates {
    async fn reconcile(&self, domain: &Domain, cx: &Context<Self>) -> Result<Action> {
        let mut site = website(&domain.name_any());
        site.spec.host.clone_from(&domain.spec.contact);
        let site = cx.apply(site).await?;
        let url = site.status.and_then(|status| status.url);
        self.urls.lock().unwrap().push(url);
        self.probe.end(Point::Applied, cx).await
    }
}

/// Keeps a website until its host says that its time is over.
#[controller(for = Website, name = "timed", finalizer = "demo.kommodore.dev/timed")]
#[derive(Clone, Default)]
struct Timed {
    probe: Probe,
}

impl Reconcile for Timed {
    async fn reconcile(&self, site: &Website, cx: &Context<Self>) -> Result<Action> {
        if site.spec.host == "over" {
            cx.delete::<Website>(cx.key().clone()).await?;
        }
        self.probe.end(Point::Begin, cx).await
    }
}

impl Cleanup for Timed {
    async fn cleanup(&self, _: &Website, cx: &Context<Self>) -> Result<Action> {
        self.probe.end(Point::Cleanup, cx).await
    }
}

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
        let mark = fleet.requests().mark();
        fleet.change_website("red", "one", json!({"metadata": {"labels": {"tier": "gold"}}})).await;
        sites.probe.comes(Point::Begin, "one", 2).await;
        sentinel.passes(fleet).await;
        // Nothing but the status of somebody else is to be put right.
        assert_eq!(sentinel.others(fleet.said("red", mark)), &CREATED[2..]);
        fleet.change_website("red", "one", json!({"metadata": {"annotations": {"demo/note": "x"}}})).await;
        sites.probe.comes(Point::Begin, "one", 3).await;
        sentinel.passes(fleet).await;
        assert_eq!(sites.probe.count(Point::Begin, "one"), 3);
        let one = fleet.website_ready("red", "one").await;
        assert_eq!(one.status.unwrap().url.as_deref(), Some("http://one.example.com"));
    }

    async fn a_resync_and_a_note_of_somebody_change_nothing_and_a_restart_applies_once(fleet: &Fleet) {
        fleet.create_shop("red").await;
        let again = Again::default();
        let operator = Operator::start(fleet.manager().controller(again.clone()));
        fleet.engaged("red", &WATCHED).await;
        let mark = fleet.requests().mark();
        fleet.create_website("red", "one").await;
        again.probe.comes(Point::Applied, "one", 3).await;
        assert_eq!(fleet.said("red", mark), CREATED);
        let mark = fleet.requests().mark();
        fleet.change_website("red", "one", json!({"metadata": {"annotations": {"demo/note": "x"}}})).await;
        again.probe.comes(Point::Applied, "one", again.probe.count(Point::Applied, "one") + 2).await;
        assert_eq!(fleet.said("red", mark), Vec::<String>::new());
        operator.stop().await.unwrap();

        let before = fleet.website_ready("red", "one").await;
        let page_before = fleet.pages("red").get("one").await.unwrap();
        let again = Again::default();
        let mark = fleet.requests().mark();
        let _operator = Operator::start(fleet.manager().controller(again.clone()));
        again.probe.comes(Point::Applied, "one", 3).await;
        assert_eq!(fleet.wrote("red", mark), ["patch configmaps/one"]);
        assert_eq!(fleet.website_ready("red", "one").await.resource_version(), before.resource_version());
        let page_now = fleet.pages("red").get("one").await.unwrap();
        assert_eq!(page_now.resource_version(), page_before.resource_version());
    }

    async fn a_child_of_which_only_the_status_changed_is_read_and_not_applied(fleet: &Fleet) {
        fleet.create_shop("red").await;
        let delegates = Delegates::default();
        let _operator = Operator::start(fleet.manager().controller(delegates.clone()));
        fleet.engaged("red", &["domains", "websites"]).await;
        let domains: Api<Domain> = Api::all(fleet.project_client("red"));
        let domain = Domain::new("one", DomainSpec { contact: "somebody".into() });
        let mark = fleet.requests().mark();
        domains.create(&PostParams::default(), &domain).await.unwrap();
        delegates.probe.comes(Point::Applied, "one", 1).await;
        let seen = Patch::Merge(json!({"status": {"url": "first"}}));
        let websites = fleet.websites("red");
        websites.patch_status("one", &PatchParams::default(), &seen).await.unwrap();
        delegates.probe.comes(Point::Applied, "one", 2).await;
        let moved = Patch::Merge(json!({"status": {"url": "second"}}));
        websites.patch_status("one", &PatchParams::default(), &moved).await.unwrap();
        delegates.probe.comes(Point::Applied, "one", 3).await;
        fleet.set_host("red", "one", "elsewhere").await;
        delegates.probe.comes(Point::Applied, "one", 4).await;
        let said = ["patch websites/one", "get websites/one", "get websites/one", "patch websites/one"];
        assert_eq!(fleet.said("red", mark), said);
        let urls = delegates.urls.lock().unwrap().clone();
        // Of two writes in one second it cannot be told which was the last, so that ours may be looked at again.
        let urls: Vec<_> = urls.iter().take(4).map(Option::as_deref).collect();
        assert_eq!(urls, [None, Some("first"), Some("second"), Some("second")]);
    }

    async fn an_owner_reference_that_somebody_edits_is_put_right(fleet: &Fleet) {
        fleet.create_shop("red").await;
        let delegates = Delegates::default();
        let _operator = Operator::start(fleet.manager().controller(delegates.clone()));
        fleet.engaged("red", &["domains", "websites"]).await;
        let domains: Api<Domain> = Api::all(fleet.project_client("red"));
        let domain = Domain::new("one", DomainSpec { contact: "somebody".into() });
        domains.create(&PostParams::default(), &domain).await.unwrap();
        delegates.probe.comes(Point::Applied, "one", 1).await;
        let websites = fleet.websites("red");
        let mut site = websites.get("one").await.unwrap();
        let owned = site.owner_references().to_vec();
        assert_eq!(owned[0].block_owner_deletion, Some(true));
        site.owner_references_mut()[0].block_owner_deletion = Some(false);
        websites.replace("one", &PostParams::default(), &site).await.unwrap();
        eventually("it is as it was", async || {
            websites.get("one").await.unwrap().owner_references() == owned
        })
        .await;
    }

    async fn an_object_that_its_own_reconcile_deletes_is_cleaned_up(fleet: &Fleet) {
        fleet.create_shop("red").await;
        let timed = Timed::default();
        let _operator = Operator::start(fleet.manager().controller(timed.clone()));
        fleet.engaged("red", &["websites"]).await;
        fleet.create_website("red", "one").await;
        timed.probe.comes(Point::Begin, "one", 1).await;
        fleet.set_host("red", "one", "over").await;
        fleet.website_gone("red", "one").await;
        assert_eq!(timed.probe.count(Point::Begin, "one"), 2);
        assert_eq!(timed.probe.count(Point::Cleanup, "one"), 1);
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
