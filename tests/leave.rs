//! Objects that leave the selection, and what becomes of their finalizer.

use std::time::Duration;

use k8s_openapi::api::core::v1::ConfigMap;
use kommodore::{Action, Cleanup, Context, Error, Reconcile, Result, controller};
use kommodore_control_plane::{Fault, Verb};
use kommodore_tests::{
    Fleet, Log, Operator, Point, Probe, Quiet, WATCHED, Website, condition, eventually, logs_into,
    on_both_servers, page, status_of, website,
};
use kube::ResourceExt;
use kube::api::PostParams;
use serde_json::json;

/// Two controllers that only differ in what they do of those who leave.
macro_rules! golden {
    ($name:ident, $($options:tt)*) => {
        #[controller($($options)*, owns(ConfigMap), conditions, backoff("10ms", "100ms"))]
        #[derive(Clone, Default)]
        struct $name {
            probe: Probe,
        }

        impl Reconcile for $name {
            async fn reconcile(&self, site: &Website, cx: &Context<Self>) -> Result<Action> {
                cx.apply(page(site)).await?;
                self.probe.end(Point::Applied, cx).await
            }
        }

        impl Cleanup for $name {
            async fn cleanup(&self, _: &Website, cx: &Context<Self>) -> Result<Action> {
                self.probe.end(Point::Cleanup, cx).await
            }
        }
    };
}

golden!(Releasing, for = Website(labels = "tier=gold", on_leave = release), finalizer = "demo.kommodore.dev/golden");
golden!(Keeping, for = Website(labels = "tier=gold", on_leave = keep), finalizer = "demo.kommodore.dev/golden");

const FINALIZER: &str = "demo.kommodore.dev/golden";

async fn operate(fleet: &Fleet) -> (Releasing, Operator) {
    let releasing = Releasing::default();
    let operator = Operator::start(fleet.manager().controller(releasing.clone()));
    fleet.engaged("red", &WATCHED).await;
    (releasing, operator)
}

async fn create_golden(fleet: &Fleet, name: &str) {
    let mut site = website(name);
    site.labels_mut().insert("tier".into(), "gold".into());
    let websites = fleet.websites("red");
    let created = websites.create(&PostParams::default(), &site).await;
    created.unwrap();
    fleet.website_ready("red", name).await;
}

async fn set_tier(fleet: &Fleet, name: &str, tier: &str) {
    let tier = json!({"metadata": {"labels": {"tier": tier}}});
    fleet.change_website("red", name, tier).await;
}

async fn released(fleet: &Fleet, name: &str) {
    fleet
        .website_is("red", name, "it is released", |site| {
            site.finalizers().is_empty()
        })
        .await;
}

on_both_servers! {
    async fn what_leaves_is_cleaned_up_and_released_and_may_come_back(fleet: &Fleet) {
        fleet.create_shop("red").await;
        let (releasing, _operator) = operate(fleet).await;
        create_golden(fleet, "one").await;
        create_golden(fleet, "two").await;
        let mark = fleet.requests().mark();
        set_tier(fleet, "one", "bronze").await;
        released(fleet, "one").await;
        let said = ["get websites/one", "list websites", "delete configmaps/one", "patch websites/one"];
        assert_eq!(fleet.said("red", mark), said);
        assert_eq!(fleet.pages("red").get_opt("one").await.unwrap(), None);
        assert_eq!(releasing.probe.count(Point::Cleanup, "one"), 1);
        // What is deleted while it is selected costs what it did.
        let mark = fleet.requests().mark();
        fleet.delete_website("red", "two").await;
        fleet.website_gone("red", "two").await;
        set_tier(fleet, "one", "gold").await;
        fleet.page_shows("red", "one", "one.example.com").await;
        releasing.probe.comes(Point::Applied, "one", 2).await;
        let one = fleet.website_ready("red", "one").await;
        assert_eq!(one.finalizers(), [FINALIZER]);
        let about_two = |said: &String| said.ends_with("websites/two");
        let said: Vec<String> = fleet.said("red", mark).into_iter().filter(about_two).collect();
        assert_eq!(said, ["patch websites/two"]);
        assert_eq!(releasing.probe.count(Point::Cleanup, "two"), 1);
    }

    async fn a_cleanup_that_takes_its_time_keeps_the_finalizer_and_ends_with_the_absence(fleet: &Fleet) {
        fleet.create_shop("red").await;
        let (releasing, _operator) = operate(fleet).await;
        create_golden(fleet, "one").await;
        releasing.probe.script(Point::Cleanup, "one", |nth| match nth {
            1 => Err(Error::new("not now")),
            _ => Ok(Action::requeue(Duration::from_millis(20))),
        });
        set_tier(fleet, "one", "bronze").await;
        let one = fleet.website_is("red", "one", "it is being cleaned up", |one| {
            status_of(one, "Ready") == Some(("False", "CleaningUp"))
        }).await;
        assert!(condition(&one, "Ready").unwrap().message.contains("is not selected any more"));
        releasing.probe.comes(Point::Cleanup, "one", 4).await;
        assert_eq!(fleet.websites("red").get("one").await.unwrap().finalizers(), [FINALIZER]);
        assert!(fleet.pages("red").get("one").await.is_ok());
        // It comes back before that is done.
        set_tier(fleet, "one", "gold").await;
        fleet.website_ready("red", "one").await;
        let cleanups = releasing.probe.count(Point::Cleanup, "one");
        // And goes for good.
        set_tier(fleet, "one", "bronze").await;
        releasing.probe.comes(Point::Cleanup, "one", cleanups + 1).await;
        fleet.delete_website("red", "one").await;
        releasing.probe.script(Point::Cleanup, "one", |_| Ok(Action::done()));
        fleet.website_gone("red", "one").await;
    }

    async fn what_leaves_while_nobody_looks_is_found(fleet: &Fleet) {
        fleet.create_shop("red").await;
        let (_, operator) = operate(fleet).await;
        for name in ["one", "two", "three"] {
            create_golden(fleet, name).await;
        }
        operator.stop().await.unwrap();
        set_tier(fleet, "one", "bronze").await;
        set_tier(fleet, "two", "bronze").await;
        fleet.delete_website("red", "two").await;
        let (releasing, _operator) = operate(fleet).await;
        released(fleet, "one").await;
        fleet.website_gone("red", "two").await;
        eventually("the page of one is gone", async || {
            matches!(fleet.pages("red").get_opt("one").await, Ok(None))
        }).await;
        releasing.probe.comes(Point::Applied, "three", 1).await;
        assert!(fleet.pages("red").get("three").await.is_ok());
        let cleanups = ["one", "two", "three"].map(|name| releasing.probe.count(Point::Cleanup, name));
        assert_eq!(cleanups, [1, 1, 0]);
    }

    async fn what_is_kept_waits_until_it_is_selected_again(fleet: &Fleet) {
        fleet.create_shop("red").await;
        let keeping = Keeping::default();
        let _operator = Operator::start(fleet.manager().controller(keeping.clone()));
        fleet.engaged("red", &WATCHED).await;
        create_golden(fleet, "one").await;
        let mark = fleet.requests().mark();
        set_tier(fleet, "one", "bronze").await;
        fleet.delete_website("red", "one").await;
        create_golden(fleet, "two").await;
        let about_one = |said: &String| said.ends_with("/one");
        assert!(!fleet.said("red", mark).iter().any(about_one));
        assert_eq!(fleet.websites("red").get("one").await.unwrap().finalizers(), [FINALIZER]);
        assert_eq!(keeping.probe.count(Point::Cleanup, "one"), 0);
        set_tier(fleet, "one", "gold").await;
        fleet.website_gone("red", "one").await;
        assert_eq!(keeping.probe.count(Point::Cleanup, "one"), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_say_who_has_left_is_asked_again_and_told_of_once() {
    let log = Log::default();
    let _logs = logs_into(&log);
    let quiet = Quiet::new(["red"]).await;
    let fault = Fault::status(503).of("websites").verb(Verb::List);
    let refused = quiet.plane().inject(fault);
    let _operator = Operator::start(quiet.manager().controller(Releasing::default()));
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert!(refused.hits() > 10, "{}", refused.hits());
    let text = log.text();
    let said = text
        .lines()
        .filter(|line| line.contains("cannot look for objects"));
    assert_eq!(said.count(), 1, "{text}");
}
