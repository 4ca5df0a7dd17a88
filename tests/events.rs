//! What a controller tells people about an object.

use k8s_openapi::api::events::v1::Event as Written;
use kommodore::{Action, Cleanup, Context, Event, Reconcile, Result, controller};
use kommodore_tests::{
    Domain, DomainSpec, Fleet, NAMESPACE, Operator, Point, Probe, Website, eventually,
    on_both_servers,
};
use kube::ResourceExt;
use kube::api::{Api, PostParams};
use serde_json::json;

/// Greets every website, and says goodbye.
#[controller(for = Website, finalizer = "demo.kommodore.dev/greeter", name = "demo.kommodore.dev/greeter")]
#[derive(Clone, Default)]
struct Greeter {
    probe: Probe,
}

impl Reconcile for Greeter {
    async fn reconcile(&self, site: &Website, cx: &Context<Self>) -> Result<Action> {
        cx.event(Event::normal(
            "Greeted",
            format!("hello, {}", site.spec.host),
        ));
        if site.labels().contains_key("odd") {
            cx.event(Event::warning("Odd", "x".repeat(2000)).action("Look"));
        }
        for number in 0..site
            .annotations()
            .get("talks")
            .map_or(0, |talks| talks.parse().unwrap())
        {
            cx.event(Event::normal(format!("Talked{number}"), "and talked"));
        }
        self.probe.end(Point::Begin, cx).await
    }
}

impl Cleanup for Greeter {
    async fn cleanup(&self, _: &Website, cx: &Context<Self>) -> Result<Action> {
        cx.event(Event::normal("Left", "goodbye"));
        self.probe.end(Point::Cleanup, cx).await
    }
}

/// The same for what is in no namespace; its name is longer than the API takes for a reporter.
#[controller(
    for = Domain,
    name = "greets-every-domain-that-there-is-and-has-a-name-of-more-than-sixty-three-bytes",
    conditions,
)]
#[derive(Clone, Default)]
struct DomainGreeter;

impl Reconcile for DomainGreeter {
    async fn reconcile(&self, _: &Domain, cx: &Context<Self>) -> Result<Action> {
        cx.event(Event::normal("Greeted", "hello"));
        Ok(Action::done())
    }
}

/// Waits until there is an event about `name` with this reason that `fits`.
async fn told(
    fleet: &Fleet,
    namespace: &str,
    (name, reason): (&str, &str),
    fits: impl Fn(&Written) -> bool,
) -> Written {
    let events: Api<Written> = Api::namespaced(fleet.project_client("red"), namespace);
    let about = |event: &Written| {
        let regarding = event.regarding.as_ref();
        regarding.is_some_and(|regarding| regarding.name.as_deref() == Some(name))
            && event.reason.as_deref() == Some(reason)
    };
    eventually(&format!("{reason} is told of {name}"), async || {
        let all = events
            .list(&Default::default())
            .await
            .map_err(|error| error.to_string())?;
        let mut found = all.items.into_iter().filter(&about);
        match (found.next(), found.next()) {
            (Some(event), None) if fits(&event) => Ok(event),
            other => Err(format!("{other:#?}")),
        }
    })
    .await
}

on_both_servers! {
    async fn an_event_says_who_tells_what_about_which_object(fleet: &Fleet) {
        fleet.create_shop("red").await;
        let _operator = Operator::start(fleet.manager().controller(Greeter::default()));
        let site = fleet.create_website("red", "one").await;
        let event = told(fleet, NAMESPACE, ("one", "Greeted"), |_| true).await;
        assert_eq!(event.type_.as_deref(), Some("Normal"));
        assert_eq!(event.note.as_deref(), Some("hello, one.example.com"));
        assert_eq!(event.action.as_deref(), Some("Reconcile"));
        assert_eq!(event.reporting_controller.as_deref(), Some("demo.kommodore.dev/greeter"));
        assert!(event.event_time.is_some() && event.reporting_instance.is_some());
        let regarding = event.regarding.unwrap();
        assert_eq!(
            (regarding.kind.as_deref(), regarding.api_version.as_deref(), regarding.uid),
            (Some("Website"), Some("demo.kommodore.dev/v1alpha1"), site.uid()),
        );
        fleet.delete_website("red", "one").await;
        told(fleet, NAMESPACE, ("one", "Left"), |_| true).await;
    }

    async fn what_is_told_again_is_counted_and_what_is_too_long_is_cut(fleet: &Fleet) {
        fleet.create_shop("red").await;
        let greeter = Greeter::default();
        let mut operator = Operator::start(fleet.manager().controller(greeter.clone()));
        fleet.create_website("red", "one").await;
        told(fleet, NAMESPACE, ("one", "Greeted"), |event| event.series.is_none()).await;
        fleet.change_website("red", "one", json!({"metadata": {"labels": {"odd": "yes"}}})).await;
        let count = |event: &Written| event.series.as_ref().map_or(1, |series| series.count);
        told(fleet, NAMESPACE, ("one", "Greeted"), |event| count(event) == 2).await;
        let odd = told(fleet, NAMESPACE, ("one", "Odd"), |_| true).await;
        assert_eq!((odd.note.map(|note| note.len()), odd.action.as_deref()), (Some(1024), Some("Look")));
        // What has not been written yet is written at the end.
        for (runs, host) in [(3, "three"), (4, "four"), (5, "five")] {
            fleet.set_host("red", "one", host).await;
            greeter.probe.comes(Point::Begin, "one", runs).await;
        }
        operator.interrupt();
        let event = told(fleet, NAMESPACE, ("one", "Greeted"), |event| count(event) == 5).await;
        assert_eq!(event.note.as_deref(), Some("hello, one.example.com"));
        operator.stop().await.unwrap();
    }

    async fn there_are_not_too_many_about_one_object(fleet: &Fleet) {
        fleet.create_shop("red").await;
        let greeter = Greeter::default();
        let mut operator = Operator::start(fleet.manager().controller(greeter.clone()));
        fleet.create_website("red", "loud").await;
        greeter.probe.comes(Point::Begin, "loud", 1).await;
        fleet.change_website("red", "loud", json!({"metadata": {"annotations": {"talks": "40"}}})).await;
        greeter.probe.comes(Point::Begin, "loud", 2).await;
        // With the greeting there are 25, and another object has as many of its own.
        told(fleet, NAMESPACE, ("loud", "Talked23"), |_| true).await;
        fleet.create_website("red", "two").await;
        told(fleet, NAMESPACE, ("two", "Greeted"), |_| true).await;
        operator.interrupt();
        operator.stop().await.unwrap();
        let events: Api<Written> = Api::namespaced(fleet.project_client("red"), NAMESPACE);
        let all = events.list(&Default::default()).await.unwrap();
        let about = |event: &&Written| event.regarding.as_ref().unwrap().name.as_deref() == Some("loud");
        let told: Vec<_> = all.items.iter().filter(about).filter_map(|event| event.reason.clone()).collect();
        assert_eq!(told.len(), 25, "{told:?}");
    }

    async fn about_what_is_in_no_namespace_it_is_in_default_or_nowhere(fleet: &Fleet) {
        fleet.create_project("red").await;
        let _operator = Operator::start(fleet.manager().controller(DomainGreeter));
        let domains: Api<Domain> = Api::all(fleet.project_client("red"));
        let domain = |name: &str| Domain::new(name, DomainSpec { contact: "somebody".into() });
        let ready = async |name: &str| {
            eventually(&format!("{name} is Ready all the same"), async || {
                let domain = domains.get(name).await.map_err(|error| error.to_string())?;
                let status = domain.status.as_ref();
                let is = status.is_some_and(|status| status.conditions.iter().any(|one| one.status == "True"));
                is.then_some(()).ok_or(format!("{domain:#?}"))
            }).await;
        };
        domains.create(&PostParams::default(), &domain("one")).await.unwrap();
        ready("one").await;
        fleet.ensure_namespace("red", "default").await;
        domains.create(&PostParams::default(), &domain("two")).await.unwrap();
        ready("two").await;
        let event = told(fleet, "default", ("two", "Greeted"), |_| true).await;
        let reporter = event.reporting_controller.unwrap();
        assert_eq!(reporter.len(), 63, "{reporter}");
    }
}
