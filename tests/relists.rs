//! What nobody delivers any more is found in a new list, also where our own writes are among it; and a list is whole,
//! also in pages.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::StreamExt as _;
use kommodore::{Action, Builder, Context, Reconcile, Result, controller};
use kommodore_control_plane::Verb;
use kommodore_tests::{
    Asked, Fault, Fleet, Operator, Outage, Point, Probe, Sites, WATCHED, Website, eventually,
    no_streams, on_both_servers,
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

/// Sees websites.
#[controller(for = Website)]
#[derive(Clone, Default)]
struct Seer {
    probe: Probe,
}

impl Reconcile for Seer {
    async fn reconcile(&self, _: &Website, cx: &Context<Self>) -> Result<Action> {
        self.probe.end(Point::Begin, cx).await
    }
}

/// More websites than a page has; returns how many there are.
async fn many_websites(fleet: &Fleet) -> usize {
    let count = 501;
    let creates = futures::stream::iter(0..count).map(async |number| {
        fleet.create_website("red", &format!("site-{number}")).await;
    });
    creates.buffer_unordered(16).collect::<Vec<()>>().await;
    count
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

    async fn all_pages_of_a_list_are_read_and_in_one_piece_where_they_expire(fleet: &Fleet) {
        fleet.create_shop("red").await;
        let count = many_websites(fleet).await;
        for expires in [false, true] {
            let expired = Arc::new(AtomicBool::new(!expires));
            let manager = fleet.manager_behind(move |asked| match asked {
                asked if asked.streams() => no_streams(),
                asked if asked.continues() && !expired.swap(true, Ordering::Relaxed) => {
                    Fault::Refusal(410, "Expired", "the token is too old".into())
                }
                _ => Fault::None,
            }).await;
            let (seer, mark) = (Seer::default(), fleet.requests().mark());
            let operator = Operator::start(manager.controller(seer.clone()));
            eventually("all are seen", async || match seer.probe.visits().len() {
                seen if seen == count => Ok(()),
                seen => Err(seen),
            }).await;
            fleet.engaged("red", &["websites"]).await;
            let mut asked = fleet.asked("red", mark);
            asked.retain(|request| request.verb == Verb::List);
            let is_there = |word: &str| asked.iter().map(|request| request.query.contains(word)).collect::<Vec<_>>();
            // The page that has expired never came to the server.
            let asked = (is_there("limit=500"), is_there("continue="));
            assert_eq!(asked, (vec![true, !expires], vec![false, !expires]));
            operator.stop().await.unwrap();
        }
    }
}
