//! What is allowed and far from usual: times without an end, projects at odd addresses, calls within calls.

use std::time::Duration;

use kommodore::{
    Action, Cleanup, ConditionType, Context, Endpoint, Error, Milo, Reconcile, Result, controller,
};
use kommodore_tests::{
    Domain, DomainSpec, Fleet, NAMESPACE, Operator, Point, Probe, SiteCondition, Sites, WATCHED,
    Website, eventually, on_both_servers, status_of,
};
use kube::ResourceExt;
use kube::api::{Api, Patch, PatchParams};
use serde_json::json;
use tokio::sync::watch;

/// A finalizer of somebody else.
const BUSY: &str = "demo.kommodore.dev/busy";

/// Sets a condition while it changes the status.
#[controller(for = Website, conditions = SiteCondition)]
struct Nested;

impl Reconcile for Nested {
    async fn reconcile(&self, site: &Website, cx: &Context<Self>) -> Result<Action> {
        cx.status(|status| {
            status.url = Some(site.spec.host.clone());
            cx.set(SiteCondition::PageServed.is_true("Served", "it is served"));
        });
        cx.set(SiteCondition::Degraded.is_false("AsExpected", "nothing is missing"));
        Ok(Action::done())
    }
}

/// Keeps a domain for each website, and lets the website go when the domain is gone, which others have a say in.
#[controller(
    for = Website,
    name = "demolition",
    owns(Domain),
    finalizer = "demo.kommodore.dev/demolition",
    conditions,
)]
#[derive(Clone, Default)]
struct Demolition {
    probe: Probe,
}

impl Reconcile for Demolition {
    async fn reconcile(&self, site: &Website, cx: &Context<Self>) -> Result<Action> {
        let contact = site.spec.host.clone();
        let mut domain = Domain::new(&site.name_any(), DomainSpec { contact });
        domain.metadata.finalizers = Some(vec![BUSY.into()]);
        cx.apply(domain).marked().unforced().await?;
        Ok(Action::done())
    }
}

impl Cleanup for Demolition {
    async fn cleanup(&self, site: &Website, cx: &Context<Self>) -> Result<Action> {
        self.probe.at(Point::Cleanup, cx).await?;
        cx.delete::<Domain>(site.name_any()).await?;
        Ok(match cx.get::<Domain>(site.name_any()).await? {
            Some(_) => Action::requeue(Duration::from_millis(100)),
            None => Action::done(),
        })
    }
}

/// The project red is said to be at `host`, where nothing is, and blue is where it is.
async fn one_is_at(fleet: &Fleet, host: &'static str) {
    fleet.create_project_control_plane("blue").await;
    fleet.ensure_namespace("blue", NAMESPACE).await;
    let address = fleet.direct("blue").await;
    let (asked, was_asked) = watch::channel(false);
    let milo = Milo::internal().resolver(move |project| match project.as_str() {
        "red" => {
            asked.send_replace(true);
            Endpoint {
                host: host.into(),
                port: 9,
            }
        }
        _ => Endpoint {
            host: address.ip().to_string(),
            port: address.port(),
        },
    });
    let operator = Operator::start(fleet.manager_of(milo).controller(Sites::default()));
    fleet.engaged("blue", &WATCHED).await;
    fleet.create_project_control_plane("red").await;
    eventually("the address of red is asked for", async || {
        *was_asked.borrow()
    })
    .await;
    fleet.create_website("blue", "one").await;
    fleet.website_ready("blue", "one").await;
    operator.stop().await.unwrap();
}

on_both_servers! {
    async fn a_cleanup_may_take_for_ever(fleet: &Fleet) {
        fleet.create_shop("red").await;
        fleet.create_shop("blue").await;
        let sites = Sites::default();
        let milo = Milo::external().cleanup_deadline(Duration::MAX);
        let operator = Operator::start(fleet.manager_of(milo).controller(sites.clone()));
        fleet.create_website("red", "one").await;
        fleet.website_ready("red", "one").await;
        fleet.delete_project("red").await;
        sites.probe.comes(Point::Cleanup, "one", 1).await;
        fleet.project_gone("red").await;
        fleet.disengaged("red").await;
        fleet.create_website("blue", "one").await;
        fleet.website_ready("blue", "one").await;
        operator.stop().await.unwrap();
    }

    async fn a_cleanup_may_wait_for_somebody_else_through_a_restart(fleet: &Fleet) {
        fleet.create_shop("red").await;
        let operate = || {
            let demolition = Demolition::default();
            let operator = Operator::start(fleet.manager().controller(demolition.clone()));
            (demolition, operator)
        };
        let domains: Api<Domain> = Api::all(fleet.project_client("red"));
        let (demolition, operator) = operate();
        fleet.create_website("red", "one").await;
        fleet.website_ready("red", "one").await;
        fleet.delete_website("red", "one").await;
        let waits = |one: &Website| status_of(one, "Ready") == Some(("False", "CleaningUp"));
        fleet.website_is("red", "one", "it waits", waits).await;
        demolition.probe.comes(Point::Cleanup, "one", 4).await;
        operator.stop().await.unwrap();
        let before = fleet.websites("red").get("one").await.unwrap();
        let (demolition, operator) = operate();
        demolition.probe.comes(Point::Cleanup, "one", 3).await;
        let now = fleet.websites("red").get("one").await.unwrap();
        assert_eq!(now.resource_version(), before.resource_version(), "waiting writes nothing");
        let free = Patch::Merge(json!({"metadata": {"finalizers": null}}));
        domains.patch("one", &PatchParams::default(), &free).await.unwrap();
        fleet.website_gone("red", "one").await;
        assert_eq!(domains.get_opt("one").await.unwrap(), None);
        operator.stop().await.unwrap();
    }

    async fn the_next_run_may_be_never(fleet: &Fleet) {
        fleet.create_shop("red").await;
        let sites = Sites::default();
        // More of them than are worked on at once.
        let names: Vec<String> = (0..20).map(|number| format!("site-{number}")).collect();
        for name in &names {
            sites.probe.script(Point::Applied, name, |_| Ok(Action::requeue(Duration::MAX)));
            fleet.create_website("red", name).await;
        }
        let operator = Operator::start(fleet.manager().controller(sites.clone()));
        for name in &names {
            fleet.website_ready("red", name).await;
        }
        // A change is a reason all the same.
        fleet.set_host("red", "site-0", "new.example.com").await;
        sites.probe.comes(Point::Applied, "site-0", 2).await;
        operator.stop().await.unwrap();
    }

    async fn an_error_may_be_tried_again_never(fleet: &Fleet) {
        fleet.create_shop("red").await;
        let sites = Sites::default();
        sites.probe.script(Point::Applied, "one", |_| Err(Error::retry_in(Duration::MAX, "never again")));
        let operator = Operator::start(fleet.manager().controller(sites.clone()));
        fleet.create_website("red", "one").await;
        fleet.website_is("red", "one", "it failed", |one| status_of(one, "Ready") == Some(("False", "ReconcileFailed"))).await;
        fleet.set_host("red", "one", "new.example.com").await;
        sites.probe.comes(Point::Applied, "one", 2).await;
        operator.stop().await.unwrap();
    }

    async fn a_condition_may_be_set_while_the_status_is_changed(fleet: &Fleet) {
        fleet.create_shop("red").await;
        let operator = Operator::start(fleet.manager().controller(Nested));
        fleet.create_website("red", "one").await;
        let one = fleet.website_ready("red", "one").await;
        assert_eq!(status_of(&one, "PageServed"), Some(("True", "Served")));
        assert_eq!(one.status.unwrap().url.as_deref(), Some("one.example.com"));
        operator.stop().await.unwrap();
    }

    async fn a_project_at_an_ipv6_address_costs_no_other(fleet: &Fleet) {
        one_is_at(fleet, "::1").await;
    }

    async fn a_project_at_an_impossible_address_costs_no_other(fleet: &Fleet) {
        one_is_at(fleet, "no host at all/").await;
    }
}
