//! What is allowed and far from usual: times without an end, projects at odd addresses, calls within calls.

use std::time::Duration;

use kommodore::{
    Action, ConditionType, Context, Endpoint, Error, Milo, Reconcile, Result, controller,
};
use kommodore_tests::{
    Fleet, NAMESPACE, Operator, Point, SiteCondition, Sites, WATCHED, Website, eventually,
    on_both_servers, status_of,
};
use tokio::sync::watch;

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
