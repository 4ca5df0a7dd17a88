//! Whose turn it is: clusters take turns, and in a cluster what is news goes before what was there.

use kommodore::{Action, ClusterState, Context, FleetStatus, Reconcile, Result, controller};
use kommodore_tests::{
    Fleet, Operator, Point, Probe, Website, eventually, on_both_servers, stands,
};

/// Does one thing at a time.
#[controller(for = Website, name = "single", concurrency = 1)]
#[derive(Clone, Default)]
struct Single {
    probe: Probe,
}

impl Reconcile for Single {
    async fn reconcile(&self, _: &Website, cx: &Context<Self>) -> Result<Action> {
        self.probe.end(Point::Begin, cx).await
    }
}

const MANY: usize = 30;

fn name(number: usize) -> String {
    format!("many-{number:02}")
}

async fn create_many(fleet: &Fleet) {
    for number in 0..MANY {
        fleet.create_website("red", &name(number)).await;
    }
}

/// Waits until so many objects wait in a cluster, or are at work.
async fn wait(status: &FleetStatus, cluster: &str, keys: usize) {
    eventually(&format!("{keys} wait in {cluster}"), async || {
        let seen = status.cluster(cluster).map(|cluster| cluster.keys);
        if seen == Some(keys) {
            Ok(())
        } else {
            Err(seen)
        }
    })
    .await;
}

on_both_servers! {
    async fn a_project_with_much_to_do_takes_turns_with_one_that_has_little(fleet: &Fleet) {
        for project in ["blue", "red"] {
            fleet.create_shop(project).await;
        }
        let single = Single::default();
        let held = single.probe.hold(Point::Begin, "first");
        let manager = fleet.manager().controller(single.clone());
        let status = manager.fleet();
        let _operator = Operator::start(manager);
        for project in ["blue", "red"] {
            stands(&status, project, ClusterState::Engaged).await;
        }
        fleet.create_website("red", "first").await;
        held.reached().await;
        create_many(fleet).await;
        wait(&status, "red", MANY + 1).await;
        fleet.create_website("blue", "quiet").await;
        wait(&status, "blue", 1).await;
        held.release();
        wait(&status, "red", 0).await;
        let visits = single.probe.visits();
        assert_eq!(visits.len(), MANY + 2);
        let quiet = visits.iter().position(|visit| visit.cluster == "blue");
        assert!(quiet.is_some_and(|place| place <= 2), "{quiet:?}");
    }

    async fn what_is_news_goes_before_what_was_there_which_does_not_starve(fleet: &Fleet) {
        fleet.create_shop("red").await;
        create_many(fleet).await;
        let single = Single::default();
        let held = single.probe.hold(Point::Begin, &name(0));
        let manager = fleet.manager().controller(single.clone());
        let status = manager.fleet();
        let _operator = Operator::start(manager);
        held.reached().await;
        wait(&status, "red", MANY).await;
        // The last ones change.
        for number in MANY / 2..MANY {
            fleet.set_host("red", &name(number), "new.example.com").await;
        }
        fleet.create_website("red", "new").await;
        wait(&status, "red", MANY + 1).await;
        held.release();
        wait(&status, "red", 0).await;
        let visits = single.probe.visits();
        let names: Vec<&str> = visits.iter().map(|visit| visit.name.as_str()).collect();
        let place = |name: &str| names.iter().position(|found| *found == name);
        assert_eq!(names.len(), MANY + 1);
        let news: Vec<String> = (MANY / 2..MANY / 2 + 6).map(name).collect();
        assert_eq!(names[1..7], news, "first in, first out");
        // One in eight has its turn, though there is news.
        assert!(place(&name(1)) < Some(9), "{names:?}");
        assert!(place("new") < place(&name(4)), "{names:?}");
    }
}
