//! How much of a controller runs at once, how long, and how soon again; and the names that it gives.

use std::marker::PhantomData;
use std::time::Duration;

use k8s_openapi::api::core::v1::ConfigMap;
use kommodore::{
    Action, Cleanup, ConditionType, Context, Error, Manager, Object, Reconcile, Result, controller,
};
use kommodore_tests::{
    Fleet, Hold, Operator, Point, Probe, Website, condition, on_both_servers, status_of,
};
use kube::ResourceExt;

/// Defines a controller of websites that does what its probe's script says.
macro_rules! does {
    ($name:ident: $($attribute:tt)+) => {
        #[controller($($attribute)+)]
        #[derive(Clone, Default)]
        struct $name {
            probe: Probe,
        }

        impl Reconcile for $name {
            async fn reconcile(&self, _: &Website, cx: &Context<Self>) -> Result<Action> {
                self.probe.end(Point::Begin, cx).await
            }
        }
    };
}

does!(OneInAll: for = Website, concurrency = 1, cluster_concurrency = 1);
does!(OneInEach: for = Website, cluster_concurrency = 1);
does!(Short: for = Website, timeout = "200ms", conditions);
does!(Again: for = Website, resync = "300ms", conditions);
does!(Seldom: for = Website, backoff("1h", "2h"));
does!(Served: for = Website, conditions = Steps, ready = "Served");
/// Has the finalizer of [`Bare`].
#[controller(for = Website, finalizer = "demo.kommodore.dev/bare", name = "thief")]
struct Thief;

impl Reconcile for Thief {
    async fn reconcile(&self, _: &Website, _: &Context<Self>) -> Result<Action> {
        Ok(Action::done())
    }
}

impl Cleanup for Thief {
    async fn cleanup(&self, _: &Website, _: &Context<Self>) -> Result<Action> {
        Ok(Action::done())
    }
}

does!(Other: for = Website, conditions, name = "other");
does!(Same: for = Website, conditions, ready = "Built", name = "same");

#[derive(ConditionType)]
enum Steps {
    Built,
    #[condition(rename = "example.org/Cached", summary = false)]
    Cached,
}

/// Has a finalizer that it gives no name.
#[controller(for = Website, finalizer, name = "bare")]
#[derive(Clone, Default)]
struct Bare {
    probe: Probe,
}

impl Reconcile for Bare {
    async fn reconcile(&self, _: &Website, cx: &Context<Self>) -> Result<Action> {
        self.probe.end(Point::Begin, cx).await
    }
}

impl Cleanup for Bare {
    async fn cleanup(&self, _: &Website, cx: &Context<Self>) -> Result<Action> {
        self.probe.end(Point::Cleanup, cx).await
    }
}

/// Of a parameter it is known at the start what group it has.
#[controller(for = K, finalizer, name = "groupless")]
struct Groupless<K: Object>(PhantomData<fn() -> K>);

impl<K: Object> Reconcile for Groupless<K> {
    async fn reconcile(&self, _: &K, _: &Context<Self>) -> Result<Action> {
        Ok(Action::done())
    }
}

impl<K: Object> Cleanup for Groupless<K> {
    async fn cleanup(&self, _: &K, _: &Context<Self>) -> Result<Action> {
        Ok(Action::done())
    }
}

on_both_servers! {
    async fn of_one_at_a_time_the_second_waits_for_the_first(fleet: &Fleet) {
        for project in ["red", "blue"] {
            fleet.create_shop(project).await;
        }
        let (all, each) = (OneInAll::default(), OneInEach::default());
        let holds = [all.probe.hold(Point::Begin, "one"), each.probe.hold(Point::Begin, "one")];
        let _operator = Operator::start(fleet.manager().controller(all.clone()).controller(each.clone()));
        for project in ["red", "blue"] {
            fleet.engaged(project, &["websites"]).await;
        }
        fleet.create_website("red", "one").await;
        for hold in &holds {
            hold.reached().await;
        }
        fleet.create_website("red", "two").await;
        fleet.create_website("blue", "three").await;
        // The other cluster is not held up by a limit of each, and shows that the changes have been seen.
        each.probe.comes(Point::Begin, "three", 1).await;
        assert_eq!(each.probe.count(Point::Begin, "two"), 0);
        assert_eq!((all.probe.count(Point::Begin, "two"), all.probe.count(Point::Begin, "three")), (0, 0));
        holds.into_iter().for_each(Hold::release);
        all.probe.comes(Point::Begin, "two", 1).await;
        all.probe.comes(Point::Begin, "three", 1).await;
        each.probe.comes(Point::Begin, "two", 1).await;
    }

    async fn what_takes_too_long_is_cancelled(fleet: &Fleet) {
        fleet.create_shop("red").await;
        let short = Short::default();
        let held = short.probe.hold(Point::Begin, "one");
        let _operator = Operator::start(fleet.manager().controller(short.clone()));
        fleet.create_website("red", "one").await;
        fleet.website_is("red", "one", "it says that it took too long", |site| {
            condition(site, "Ready").is_some_and(|ready| ready.message.contains("did not finish within 0.2 s"))
        }).await;
        held.release();
        fleet.website_ready("red", "one").await;
    }

    async fn a_resync_comes_without_news_and_writes_nothing(fleet: &Fleet) {
        fleet.create_shop("red").await;
        let again = Again::default();
        again.probe.script(Point::Begin, "terminal", |_| Err(Error::terminal("for good")));
        again.probe.script(Point::Begin, "patient", |_| Ok(Action::requeue(Duration::from_secs(3600))));
        let _operator = Operator::start(fleet.manager().controller(again.clone()));
        fleet.create_website("red", "terminal").await;
        fleet.create_website("red", "patient").await;
        fleet.create_website("red", "one").await;
        let ready = fleet.website_ready("red", "one").await;
        let runs = again.probe.count(Point::Begin, "one");
        again.probe.comes(Point::Begin, "one", runs + 3).await;
        again.probe.comes(Point::Begin, "patient", 3).await;
        assert_eq!(again.probe.count(Point::Begin, "terminal"), 1);
        let now = fleet.websites("red").get("one").await.unwrap();
        assert_eq!(now.resource_version(), ready.resource_version());
    }

    async fn a_declared_backoff_replaces_the_default_one(fleet: &Fleet) {
        fleet.create_shop("red").await;
        let seldom = Seldom::default();
        seldom.probe.script(Point::Begin, "failing", |_| Err(Error::new("not now")));
        // By the default this would be some ten tries.
        seldom.probe.script(Point::Begin, "clock", |nth| match nth {
            1..=10 => Ok(Action::requeue(Duration::from_millis(50))),
            _ => Ok(Action::done()),
        });
        let _operator = Operator::start(fleet.manager().controller(seldom.clone()));
        fleet.engaged("red", &["websites"]).await;
        fleet.create_website("red", "failing").await;
        seldom.probe.comes(Point::Begin, "failing", 1).await;
        fleet.create_website("red", "clock").await;
        seldom.probe.comes(Point::Begin, "clock", 11).await;
        assert_eq!(seldom.probe.count(Point::Begin, "failing"), 1);
    }

    async fn the_summary_and_the_conditions_have_the_names_that_are_given(fleet: &Fleet) {
        fleet.create_shop("red").await;
        let (served, other) = (Served::default(), Other::default());
        served.probe.script(Point::Begin, "one", |_| Err(Error::terminal("no")));
        let _operator = Operator::start(fleet.manager().controller(served.clone()).controller(other.clone()));
        fleet.create_website("red", "one").await;
        let one = fleet.website_is("red", "one", "both have their say", |site| {
            status_of(site, "Ready").is_some() && status_of(site, "Served").is_some()
        }).await;
        assert_eq!(status_of(&one, "Ready"), Some(("True", "ReconcileSucceeded")));
        assert_eq!(status_of(&one, "Served"), Some(("False", "ReconcileFailed")));
        assert_eq!(status_of(&one, "example.org/Cached"), Some(("Unknown", "Pending")));
        assert_eq!((status_of(&one, "Cached"), status_of(&one, "Stalled")), (None, None));
        assert_eq!(one.status.unwrap().observed_generation, Some(1), "who writes Ready writes it");
    }

    async fn a_finalizer_without_a_value_is_named_after_group_and_controller(fleet: &Fleet) {
        fleet.create_shop("red").await;
        let bare = Bare::default();
        let _operator = Operator::start(fleet.manager().controller(bare.clone()));
        fleet.create_website("red", "one").await;
        bare.probe.comes(Point::Begin, "one", 1).await;
        assert_eq!(fleet.websites("red").get("one").await.unwrap().finalizers(), ["demo.kommodore.dev/bare"]);
        fleet.delete_website("red", "one").await;
        fleet.website_gone("red", "one").await;
        assert_eq!(bare.probe.count(Point::Cleanup, "one"), 1);
    }

    async fn what_cannot_go_together_is_refused_at_the_start(fleet: &Fleet) {
        let manager = || Manager::builder(fleet.operator_config());
        let refused = async |builder: kommodore::Builder| {
            format!("{:#}", builder.run_until(std::future::pending()).await.unwrap_err())
        };
        let twice = refused(manager().controller(Other::default()).controller(Short::default())).await;
        assert!(twice.contains("`other` and `short` would both write the condition Ready of Website"), "{twice}");
        let declared = refused(manager().controller(Served::default()).controller(Same::default())).await;
        assert!(declared.contains("the condition Built of Website"), "{declared}");
        let thief = refused(manager().controller(Bare::default()).controller(Thief)).await;
        assert!(thief.contains("`bare` and `thief` have one finalizer"), "{thief}");
        let groupless = refused(manager().controller(Groupless::<ConfigMap>(PhantomData))).await;
        assert!(groupless.contains("finalizer = \"your.domain/groupless\""), "{groupless}");
    }
}
