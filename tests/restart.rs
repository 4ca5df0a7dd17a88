//! A manager that ends in the middle of something, and the next one.

use std::time::Duration;

use kommodore_tests::{
    FINALIZER, Fleet, Hold, Operator, Point, Sentinel, Sites, WATCHED, Website, condition,
    eventually, on_both_servers, status_of,
};
use kube::ResourceExt;
use kube::api::DeleteParams;

/// One that cancels what runs as soon as it is stopped, as a process does that is killed.
fn hasty(fleet: &Fleet) -> (Sites, Operator) {
    let sites = Sites::default();
    let manager = fleet
        .manager()
        .grace(Duration::ZERO)
        .reconcile_timeout(Duration::from_secs(600));
    let operator = Operator::start(manager.controller(sites.clone()));
    (sites, operator)
}

/// What must be so in the end, however often it was interrupted.
async fn all_is_well(fleet: &Fleet) -> Website {
    let one = fleet.website_ready("red", "one").await;
    assert_eq!(one.finalizers(), [FINALIZER]);
    let status = one.status.as_ref().unwrap();
    assert_eq!(status.url.as_deref(), Some("http://one.example.com"));
    assert_eq!(status.observed_generation, Some(1));
    assert_eq!(status.conditions.len(), 3);
    assert_eq!(status_of(&one, "PageServed"), Some(("True", "Applied")));
    let page = fleet.page_shows("red", "one", "one.example.com").await;
    let owners = page.metadata.owner_references.unwrap();
    assert_eq!(owners.len(), 1);
    assert_eq!(owners[0].uid, one.uid().unwrap());
    one
}

/// Waits until an operator has sent `request` since `hold` was released, while the project is silent: it is on its
/// way, and nobody will ever hear the answer.
async fn sent_into_silence(fleet: &Fleet, hold: Hold, request: &str) {
    fleet.engaged("red", &WATCHED).await;
    fleet.silence("red");
    let mark = fleet.requests().mark();
    hold.release();
    eventually(&format!("{request} is sent"), async || {
        fleet.said("red", mark) == [request]
    })
    .await;
}

on_both_servers! {
    async fn a_restart_on_a_fleet_that_is_as_it_should_be_changes_nothing(fleet: &Fleet) {
        fleet.create_shop("red").await;
        let (_, operator) = hasty(fleet);
        for name in ["one", "two"] {
            fleet.create_website("red", name).await;
            fleet.website_ready("red", name).await;
        }
        operator.stop().await.unwrap();
        let versions = async || {
            let mut versions = Vec::new();
            for name in ["one", "two"] {
                let website = fleet.websites("red").get(name).await.unwrap();
                let page = fleet.pages("red").get(name).await.unwrap();
                versions.push((name, website.resource_version(), page.resource_version()));
            }
            versions
        };
        let before = versions().await;
        let (sites, _operator) = hasty(fleet);
        let sentinel = Sentinel::new(fleet, "red").await;
        sentinel.passes(fleet).await;
        assert_eq!(versions().await, before);
        for name in ["one", "two"] {
            assert_eq!(sites.probe.count(Point::Begin, name), 1);
        }
    }

    async fn what_happened_while_nobody_ran_is_found(fleet: &Fleet) {
        fleet.create_shop("red").await;
        let (_, operator) = hasty(fleet);
        for name in ["one", "two", "three"] {
            fleet.create_website("red", name).await;
            fleet.website_ready("red", name).await;
        }
        operator.stop().await.unwrap();
        fleet.pages("red").delete("one", &DeleteParams::default()).await.unwrap();
        fleet.set_host("red", "two", "two.new.example.com").await;
        fleet.delete_website("red", "three").await;
        fleet.create_website("red", "four").await;
        assert_eq!(fleet.websites("red").get("three").await.unwrap().finalizers(), [FINALIZER]);
        let (sites, _operator) = hasty(fleet);
        fleet.page_shows("red", "one", "one.example.com").await;
        fleet.page_shows("red", "two", "two.new.example.com").await;
        fleet.website_gone("red", "three").await;
        fleet.website_ready("red", "four").await;
        assert_eq!(sites.probe.count(Point::Cleanup, "three"), 1);
        assert_eq!(sites.probe.count(Point::Begin, "three"), 0);
    }

    async fn a_create_is_finished_after_an_end_before_the_apply(fleet: &Fleet) {
        fleet.create_shop("red").await;
        let (sites, operator) = hasty(fleet);
        let held = sites.probe.hold(Point::Begin, "one");
        fleet.create_website("red", "one").await;
        held.reached().await;
        operator.stop().await.unwrap();
        let one = fleet.websites("red").get("one").await.unwrap();
        assert_eq!((one.finalizers(), &one.status), (&[FINALIZER.to_owned()][..], &None));
        let mark = fleet.requests().mark();
        let (sites, _operator) = hasty(fleet);
        all_is_well(fleet).await;
        assert_eq!(fleet.wrote("red", mark), ["patch configmaps/one", "patch websites/one/status"]);
        assert_eq!(sites.probe.count(Point::Begin, "one"), 1);
    }

    async fn a_create_is_finished_after_an_end_before_the_status(fleet: &Fleet) {
        fleet.create_shop("red").await;
        let (sites, operator) = hasty(fleet);
        let held = sites.probe.hold(Point::Applied, "one");
        fleet.create_website("red", "one").await;
        held.reached().await;
        operator.stop().await.unwrap();
        let before = fleet.page_shows("red", "one", "one.example.com").await;
        assert_eq!(fleet.websites("red").get("one").await.unwrap().status, None);
        let (_, _operator) = hasty(fleet);
        all_is_well(fleet).await;
        let after = fleet.pages("red").get("one").await.unwrap();
        assert_eq!(before.resource_version(), after.resource_version());
    }

    async fn a_create_is_finished_after_an_end_with_the_apply_on_its_way(fleet: &Fleet) {
        fleet.create_shop("red").await;
        let (sites, operator) = hasty(fleet);
        let held = sites.probe.hold(Point::Begin, "one");
        fleet.create_website("red", "one").await;
        held.reached().await;
        sent_into_silence(fleet, held, "patch configmaps/one").await;
        operator.stop().await.unwrap();
        fleet.unsilence("red");
        let (_, _operator) = hasty(fleet);
        all_is_well(fleet).await;
    }

    async fn a_create_is_finished_after_an_end_with_the_status_on_its_way(fleet: &Fleet) {
        fleet.create_shop("red").await;
        let (sites, operator) = hasty(fleet);
        let held = sites.probe.hold(Point::Applied, "one");
        fleet.create_website("red", "one").await;
        held.reached().await;
        sent_into_silence(fleet, held, "patch websites/one/status").await;
        operator.stop().await.unwrap();
        fleet.unsilence("red");
        let (_, _operator) = hasty(fleet);
        all_is_well(fleet).await;
    }

    async fn a_create_is_finished_however_often_it_is_interrupted(fleet: &Fleet) {
        fleet.create_shop("red").await;
        let mark = fleet.requests().mark();
        let mut created = false;
        // Each manager is ended as soon as it has sent one more write than all before it.
        for writes in 1..=3 {
            let (_, operator) = hasty(fleet);
            if !created {
                fleet.create_website("red", "one").await;
                created = true;
            }
            eventually("it writes", async || fleet.wrote("red", mark).len() >= writes).await;
            operator.stop().await.unwrap();
        }
        let (_, _operator) = hasty(fleet);
        all_is_well(fleet).await;
        let sentinel = Sentinel::new(fleet, "red").await;
        sentinel.passes(fleet).await;
        all_is_well(fleet).await;
    }

    async fn a_delete_is_finished_after_an_end_during_the_cleanup(fleet: &Fleet) {
        fleet.create_shop("red").await;
        let (sites, operator) = hasty(fleet);
        fleet.create_website("red", "one").await;
        fleet.website_ready("red", "one").await;
        let held = sites.probe.hold(Point::Cleanup, "one");
        fleet.delete_website("red", "one").await;
        held.reached().await;
        operator.stop().await.unwrap();
        assert_eq!(fleet.websites("red").get("one").await.unwrap().finalizers(), [FINALIZER]);
        let mark = fleet.requests().mark();
        let (again, _operator) = hasty(fleet);
        fleet.website_gone("red", "one").await;
        assert_eq!(again.probe.count(Point::Cleanup, "one"), 1);
        assert_eq!(again.probe.count(Point::Begin, "one"), 0);
        assert_eq!(fleet.wrote("red", mark), ["patch websites/one"]);
        assert_eq!(sites.probe.count(Point::Cleanup, "one"), 1);
    }

    async fn a_delete_is_finished_after_an_end_with_its_last_write_on_its_way(fleet: &Fleet) {
        fleet.create_shop("red").await;
        let (sites, operator) = hasty(fleet);
        fleet.create_website("red", "one").await;
        fleet.website_ready("red", "one").await;
        let held = sites.probe.hold(Point::Cleanup, "one");
        fleet.delete_website("red", "one").await;
        held.reached().await;
        sent_into_silence(fleet, held, "patch websites/one").await;
        operator.stop().await.unwrap();
        fleet.unsilence("red");
        let (again, _operator) = hasty(fleet);
        fleet.website_gone("red", "one").await;
        let sentinel = Sentinel::new(fleet, "red").await;
        sentinel.passes(fleet).await;
        assert!(again.probe.count(Point::Cleanup, "one") <= 1);
        assert_eq!(again.probe.count(Point::Begin, "one"), 0);
    }

    async fn two_managers_after_each_other_leave_no_trace_of_the_first(fleet: &Fleet) {
        fleet.create_shop("red").await;
        let (sites, operator) = hasty(fleet);
        sites.probe.script(Point::Begin, "one", |_| Err(kommodore::Error::terminal("this version is too old")));
        fleet.create_website("red", "one").await;
        fleet.website_is("red", "one", "it is stalled", |one| condition(one, "Stalled").is_some()).await;
        operator.stop().await.unwrap();
        let (_, _operator) = hasty(fleet);
        fleet.engaged("red", &WATCHED).await;
        all_is_well(fleet).await;
    }
}
