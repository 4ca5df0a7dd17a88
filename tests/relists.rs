//! What nobody delivers any more is found in a new list, also where our own writes are among it.

use kommodore::{Action, Builder, Context, Reconcile, Result, controller};
use kommodore_tests::{
    Asked, Fault, Fleet, Operator, Outage, Point, Probe, Sites, WATCHED, Website, on_both_servers,
};
use kube::api::DeleteParams;

/// Says its host in its status, and minds every change.
#[controller(for = Website(on = any_change))]
#[derive(Clone, Default)]
struct Attentive {
    probe: Probe,
}

impl Reconcile for Attentive {
    async fn reconcile(&self, site: &Website, cx: &Context<Self>) -> Result<Action> {
        self.probe.at(Point::Begin, cx).await?;
        let host = site.spec.host.clone();
        cx.status(|status| status.url = Some(host));
        Ok(Action::done())
    }
}

/// A manager to whom the watches of one kind can be cut.
async fn manager(fleet: &Fleet, plural: &'static str, outage: &Outage) -> Builder {
    let outage = outage.clone();
    let rule = move |asked: &Asked<'_>| match asked.is_in("red") && asked.watches(plural) {
        true => outage.of_watch(),
        false => Fault::None,
    };
    fleet.manager_behind(rule).await
}

on_both_servers! {
    async fn a_child_that_goes_before_its_creation_was_delivered_comes_back(fleet: &Fleet) {
        fleet.create_shop("red").await;
        let (sites, outage) = (Sites::default(), Outage::default());
        let manager = manager(fleet, "configmaps", &outage).await;
        let _operator = Operator::start(manager.controller(sites.clone()));
        fleet.engaged("red", &WATCHED).await;
        outage.begin();
        fleet.create_website("red", "one").await;
        fleet.website_ready("red", "one").await;
        fleet.pages("red").delete("one", &DeleteParams::default()).await.unwrap();
        outage.end();
        fleet.page_shows("red", "one", "one.example.com").await;
        sites.probe.comes(Point::Begin, "one", 2).await;
    }

    async fn a_change_that_a_new_list_brings_together_with_our_own_write_is_seen(fleet: &Fleet) {
        fleet.create_shop("red").await;
        let (sites, outage) = (Attentive::default(), Outage::default());
        let manager = manager(fleet, "websites", &outage).await;
        let _operator = Operator::start(manager.controller(sites.clone()));
        fleet.create_website("red", "one").await;
        let says = async |host: &str| {
            fleet.website_is("red", "one", host, |website| {
                website.status.as_ref().is_some_and(|status| status.url.as_deref() == Some(host))
            }).await
        };
        says("one.example.com").await;
        let held = sites.probe.hold(Point::Begin, "one");
        fleet.set_host("red", "one", "two.example.com").await;
        held.reached().await;
        outage.begin();
        fleet.set_host("red", "one", "three.example.com").await;
        held.release();
        // It is written over what it has not seen, by a version that it takes for its own.
        says("two.example.com").await;
        outage.end();
        says("three.example.com").await;
    }
}
