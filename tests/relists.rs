//! What nobody delivers any more is found in a new list, also where our own writes are among it; and a list is whole,
//! also in pages.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use futures::StreamExt as _;
use k8s_openapi::api::core::v1::ConfigMap;
use kommodore::{Action, Builder, ClusterState, Context, Reconcile, Result, controller};
use kommodore_control_plane::Verb;
use kommodore_tests::{
    Asked, Fault, Fleet, Operator, Outage, Point, Probe, Sites, Website, eventually, no_streams,
    on_both_servers, stands,
};
use kube::api::{DeleteParams, PostParams};
use kube::core::Expression;

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

/// Counts pages, which it does not watch.
#[controller(for = Website, rbac(ConfigMap(verbs = "list")))]
#[derive(Clone, Default)]
struct Counter {
    counted: Arc<Mutex<Vec<usize>>>,
}

impl Reconcile for Counter {
    async fn reconcile(&self, _: &Website, cx: &Context<Self>) -> Result<Action> {
        let pages = cx.list::<ConfigMap>(Expression::Equal("many".into(), "yes".into()));
        let count = pages.await?.len();
        self.counted.lock().unwrap().push(count);
        Ok(Action::done())
    }
}

/// More pages than a page of a list has; returns how many there are.
async fn many_pages(fleet: &Fleet) -> usize {
    let (count, pages) = (501, fleet.pages("red"));
    let creates = futures::stream::iter(0..count).map(async |number| {
        let mut page = ConfigMap::default();
        page.metadata.name = Some(format!("page-{number}"));
        page.metadata.labels = Some([("many".into(), "yes".into())].into());
        pages.create(&PostParams::default(), &page).await.unwrap();
    });
    creates.buffer_unordered(16).collect::<Vec<()>>().await;
    count
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
        let manager = manager.controller(sites.clone());
        let status = manager.fleet();
        let _operator = Operator::start(manager);
        stands(&status, "red", ClusterState::Engaged).await;
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

    async fn what_a_controller_lists_at_the_server_is_whole_also_where_a_page_expires(fleet: &Fleet) {
        fleet.create_shop("red").await;
        let count = many_pages(fleet).await;
        let expired = AtomicBool::new(false);
        let manager = fleet.manager_behind(move |asked| {
            match asked.continues() && !expired.swap(true, Ordering::Relaxed) {
                true => Fault::Refusal(410, "Expired", "the token is too old".into()),
                false => Fault::None,
            }
        });
        let (counter, mark) = (Counter::default(), fleet.requests().mark());
        let _operator = Operator::start(manager.await.controller(counter.clone()));
        for (turn, lists) in [("one", 2), ("two", 4)] {
            fleet.create_website("red", turn).await;
            eventually("they are counted", async || {
                let said = fleet.said("red", mark);
                let lists_so_far = said.iter().filter(|said| *said == "list configmaps").count();
                (lists_so_far == lists).then_some(()).ok_or(said)
            }).await;
        }
        let counted = eventually("both times", async || {
            let counted = counter.counted.lock().unwrap().clone();
            (counted.len() == 2).then(|| counted.clone()).ok_or(counted)
        }).await;
        assert_eq!(counted, [count, count]);
    }
}
