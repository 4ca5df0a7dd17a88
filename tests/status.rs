//! What a controller says of its object, and what it leaves to others.

use std::sync::Arc;

use k8s_openapi::api::core::v1::ConfigMap;
use kommodore::{Action, ConditionType, Context, Reconcile, Result, controller};
use kommodore_tests::{
    Fleet, Operator, Point, Probe, SiteCondition, Sites, Website, condition, on_both_servers, page,
    status_of,
};
use kube::ResourceExt;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

/// Says of a website what its case says.
#[controller(for = Website, conditions = SiteCondition)]
struct Judge {
    #[expect(clippy::type_complexity, reason = "it is said once")]
    says: Arc<dyn Fn(&Website, &Context<Judge>) + Send + Sync>,
}

impl Reconcile for Judge {
    async fn reconcile(&self, site: &Website, cx: &Context<Self>) -> Result<Action> {
        (self.says)(site, cx);
        Ok(Action::done())
    }
}

/// Has no conditions of its own.
#[controller(for = Website, conditions)]
struct Bare;

impl Reconcile for Bare {
    async fn reconcile(&self, _: &Website, _: &Context<Self>) -> Result<Action> {
        Ok(Action::done())
    }
}

/// Has no conditions, and a child.
#[controller(for = Website, owns(ConfigMap))]
struct Quiet {
    probe: Probe,
}

impl Reconcile for Quiet {
    async fn reconcile(&self, site: &Website, cx: &Context<Self>) -> Result<Action> {
        cx.apply(page(site)).await?;
        self.probe.end(Point::Applied, cx).await
    }
}

/// Has a status and no conditions.
#[controller(for = Website)]
struct Addresses;

impl Reconcile for Addresses {
    async fn reconcile(&self, site: &Website, cx: &Context<Self>) -> Result<Action> {
        cx.status(|status| status.url = Some(site.spec.host.clone()));
        Ok(Action::done())
    }
}

async fn judged(
    fleet: &Fleet,
    says: impl Fn(&Website, &Context<Judge>) + Send + Sync + 'static,
) -> Operator {
    fleet.create_shop("red").await;
    let operator = Operator::start(fleet.manager().controller(Judge {
        says: Arc::new(says),
    }));
    fleet.engaged("red", &["websites"]).await;
    operator
}

async fn write_status(fleet: &Fleet, status: Value) -> Website {
    let patch = Patch::Merge(json!({ "status": status }));
    fleet
        .websites("red")
        .patch_status("one", &PatchParams::default(), &patch)
        .await
        .unwrap()
}

/// The website once its newest generation has been looked at.
async fn observed(fleet: &Fleet) -> Website {
    fleet
        .website_is("red", "one", "it has been looked at", |one| {
            one.status
                .as_ref()
                .is_some_and(|status| status.observed_generation == one.metadata.generation)
        })
        .await
}

on_both_servers! {
    async fn ready_follows_from_the_declared_conditions(fleet: &Fleet) {
        let _operator = judged(fleet, |site, cx| {
            cx.set(match site.spec.host.as_str() {
                "broken" => SiteCondition::PageServed.is_false("Broken", "it is broken"),
                "unclear" => SiteCondition::PageServed.is_unknown("Unclear", "nobody knows"),
                _ => SiteCondition::PageServed.is_true("Served", "it is served"),
            });
            cx.set(match site.spec.host.as_str() {
                "degraded" | "broken" => SiteCondition::Degraded.is_true("Slow", "it is slow"),
                _ => SiteCondition::Degraded.is_false("AsExpected", "all is well"),
            });
        })
        .await;
        fleet.create_website("red", "one").await;
        for (host, status, reason, message) in [
            ("well", "True", "ReconcileSucceeded", ""),
            ("broken", "False", "Broken", "PageServed: it is broken"),
            ("unclear", "Unknown", "Unclear", "PageServed: nobody knows"),
            ("degraded", "False", "Slow", "Degraded: it is slow"),
            ("well", "True", "ReconcileSucceeded", ""),
        ] {
            fleet.set_host("red", "one", host).await;
            let one = observed(fleet).await;
            let ready = condition(&one, "Ready").unwrap();
            let said = (ready.status.as_str(), ready.reason.as_str(), ready.message.as_str());
            assert_eq!(said, (status, reason, message), "{host}");
            assert_eq!(ready.observed_generation, one.metadata.generation, "{host}");
        }
    }

    async fn a_condition_that_nobody_set_is_unknown_and_one_not_set_again_stays(fleet: &Fleet) {
        let _operator = judged(fleet, |site, cx| {
            if site.spec.host == "served" {
                cx.set(SiteCondition::PageServed.is_true("Served", "it is served"));
                cx.set(SiteCondition::Degraded.is_false("AsExpected", "all is well"));
            }
        })
        .await;
        fleet.create_website("red", "one").await;
        let one = observed(fleet).await;
        for name in ["PageServed", "Degraded", "Ready"] {
            assert_eq!(condition(&one, name).unwrap().status, "Unknown", "{name}");
        }
        fleet.set_host("red", "one", "served").await;
        let one = observed(fleet).await;
        assert_eq!(status_of(&one, "Ready"), Some(("True", "ReconcileSucceeded")));
        fleet.set_host("red", "one", "not looked at").await;
        let one = observed(fleet).await;
        // What was true of the generation before may be true of this one, or not.
        let served = condition(&one, "PageServed").unwrap();
        assert_eq!((served.status.as_str(), served.observed_generation), ("True", Some(2)));
        let ready = condition(&one, "Ready").unwrap();
        assert_eq!((ready.status.as_str(), ready.observed_generation), ("Unknown", Some(3)));
    }

    async fn the_author_may_say_more_of_ready_than_the_conditions(fleet: &Fleet) {
        let _operator = judged(fleet, |site, cx| match site.spec.host.as_str() {
            "waits" => cx.not_ready("Waiting", "for the DNS"),
            _ => cx.ready("GoodEnough", "it will do"),
        })
        .await;
        fleet.create_website("red", "one").await;
        let one = observed(fleet).await;
        assert_eq!(status_of(&one, "Ready"), Some(("True", "GoodEnough")));
        fleet.set_host("red", "one", "waits").await;
        let one = observed(fleet).await;
        assert_eq!(status_of(&one, "Ready"), Some(("False", "Waiting")));
        assert_eq!(condition(&one, "Ready").unwrap().message, "for the DNS");
    }

    async fn a_transition_has_the_time_when_the_status_changed(fleet: &Fleet) {
        let _operator = judged(fleet, |site, cx| {
            cx.set(match site.spec.host.as_str() {
                "broken" => SiteCondition::PageServed.is_false("Broken", "it is broken"),
                host => SiteCondition::PageServed.is_true("Served", format!("at {host}")),
            });
            cx.set(SiteCondition::Degraded.is_false("AsExpected", "all is well"));
        })
        .await;
        fleet.create_website("red", "one").await;
        let mut conditions = serde_json::to_value(observed(fleet).await.status.unwrap().conditions).unwrap();
        // A long time passes.
        for condition in conditions.as_array_mut().unwrap() {
            condition["lastTransitionTime"] = json!("2020-02-02T02:02:02Z");
        }
        let old = write_status(fleet, json!({ "conditions": conditions })).await;
        let since = |one: &Website, name: &str| condition(one, name).unwrap().last_transition_time.clone();
        fleet.set_host("red", "one", "new").await;
        let one = observed(fleet).await;
        assert_eq!(condition(&one, "PageServed").unwrap().message, "at new");
        for name in ["PageServed", "Degraded", "Ready"] {
            assert_eq!(since(&one, name), since(&old, name), "{name} did not change");
        }
        fleet.set_host("red", "one", "broken").await;
        let one = observed(fleet).await;
        assert!(since(&one, "PageServed") > since(&old, "PageServed"));
        assert!(since(&one, "Ready") > since(&old, "Ready"));
        assert_eq!(since(&one, "Degraded"), since(&old, "Degraded"));
    }

    async fn bare_conditions_are_ready_alone_and_what_others_say_stays(fleet: &Fleet) {
        fleet.create_shop("red").await;
        fleet.create_website("red", "one").await;
        let foreign = json!({
            "type": "Audited", "status": "False", "reason": "Pending", "message": "somebody will look",
            "lastTransitionTime": "2020-02-02T02:02:02Z",
        });
        write_status(fleet, json!({"url": "http://elsewhere", "conditions": [foreign]})).await;
        let _operator = Operator::start(fleet.manager().controller(Bare));
        let one = fleet.website_ready("red", "one").await;
        let status = one.status.as_ref().unwrap();
        assert_eq!(status.url.as_deref(), Some("http://elsewhere"));
        assert_eq!(serde_json::to_value(&status.conditions[0]).unwrap(), foreign);
        assert_eq!(status.conditions.len(), 2);
        assert!(one.finalizers().is_empty());
    }

    async fn a_controller_without_conditions_never_writes_a_status(fleet: &Fleet) {
        fleet.create_shop("red").await;
        let probe = Probe::default();
        let _operator = Operator::start(fleet.manager().controller(Quiet { probe: probe.clone() }));
        fleet.engaged("red", &["websites", "configmaps"]).await;
        probe.script(Point::Applied, "one", |nth| match nth {
            1 => Err(kommodore::Error::new("not yet")),
            _ => Ok(Action::done()),
        });
        let mark = fleet.requests().mark();
        let created = fleet.create_website("red", "one").await;
        probe.comes(Point::Applied, "one", 2).await;
        // What comes of the next one shows that nothing more came of this one.
        fleet.create_website("red", "two").await;
        probe.comes(Point::Applied, "two", 1).await;
        fleet.set_host("red", "two", "new.example.com").await;
        fleet.page_shows("red", "two", "new.example.com").await;
        let one = fleet.websites("red").get("one").await.unwrap();
        assert_eq!(one.resource_version(), created.resource_version());
        assert!(fleet.wrote("red", mark).iter().all(|wrote| wrote.starts_with("patch configmaps/")));
    }

    async fn a_status_can_be_written_without_conditions(fleet: &Fleet) {
        fleet.create_shop("red").await;
        fleet.create_website("red", "one").await;
        let _operator = Operator::start(fleet.manager().controller(Addresses));
        let one = observed(fleet).await;
        let status = one.status.unwrap();
        assert_eq!(status.url.as_deref(), Some("one.example.com"));
        assert_eq!(status.conditions, []);
    }

    async fn another_writer_of_the_status_loses_nothing(fleet: &Fleet) {
        fleet.create_shop("red").await;
        let sites = Sites::default();
        let _operator = Operator::start(fleet.manager().controller(sites.clone()));
        let held = sites.probe.hold(Point::Applied, "one");
        let mark = fleet.requests().mark();
        fleet.create_website("red", "one").await;
        held.reached().await;
        // Somebody else writes between our look at the status and our write.
        let foreign = json!({
            "type": "Audited", "status": "True", "reason": "Passed", "message": "",
            "lastTransitionTime": "2020-02-02T02:02:02Z",
        });
        write_status(fleet, json!({"conditions": [foreign], "url": "http://elsewhere"})).await;
        held.release();
        let one = fleet.website_ready("red", "one").await;
        let status = one.status.as_ref().unwrap();
        assert_eq!(serde_json::to_value(&status.conditions[0]).unwrap(), foreign);
        assert_eq!(status.url.as_deref(), Some("http://one.example.com"));
        assert_eq!(status_of(&one, "PageServed"), Some(("True", "Applied")));
        assert_eq!(sites.probe.count(Point::Begin, "one"), 1);
        let again = ["patch websites/one/status", "get websites/one", "patch websites/one/status"];
        let mut said = fleet.said("red", mark);
        said.retain(|said| said.ends_with("/one/status") || said.starts_with("get"));
        assert_eq!(said, again);
    }
}
