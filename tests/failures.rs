//! What goes wrong in one object's reconcile is that object's own business.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use kommodore::{Action, Error, Result, ResultExt};
use kommodore_tests::{
    FINALIZER, Fleet, Operator, Point, Sentinel, Sites, WATCHED, condition, eventually,
    on_both_servers, status_of,
};
use kube::ResourceExt;
use kube::core::Status;

/// An operator in the project red.
async fn at_work(fleet: &Fleet) -> (Sites, Operator, Sentinel) {
    fleet.create_shop("red").await;
    let sites = Sites::default();
    let operator = Operator::start(fleet.manager().controller(sites.clone()));
    fleet.engaged("red", &WATCHED).await;
    let sentinel = Sentinel::new(fleet, "red").await;
    (sites, operator, sentinel)
}

/// Runs of `one` fail at `point` with what `error` makes, until the returned switch is turned.
fn fails(
    sites: &Sites,
    point: Point,
    error: impl Fn() -> Result<Action> + Send + Sync + 'static,
) -> Arc<AtomicBool> {
    let mended = Arc::new(AtomicBool::new(false));
    let switch = Arc::clone(&mended);
    sites.probe.script(point, "one", move |_| {
        match switch.load(Ordering::Relaxed) {
            true => Ok(Action::done()),
            false => error(),
        }
    });
    mended
}

async fn failed(fleet: &Fleet, reason: &str, message: &str) {
    let one = fleet
        .website_is("red", "one", reason, |one| {
            status_of(one, "Ready") == Some(("False", reason))
        })
        .await;
    assert_eq!(condition(&one, "Ready").unwrap().message, message);
    assert_eq!(one.finalizers(), [FINALIZER]);
}

fn unavailable() -> kube::Error {
    let mut status = Status::failure("etcd is down", "ServiceUnavailable");
    status.code = 503;
    kube::Error::Api(Box::new(status))
}

on_both_servers! {
    async fn an_error_makes_it_not_ready_and_is_tried_again_until_it_is_mended(fleet: &Fleet) {
        let (sites, _operator, sentinel) = at_work(fleet).await;
        let mended = fails(&sites, Point::Begin, || {
            Err(std::io::Error::other("disk on fire")).context("reading the page")
        });
        let mark = fleet.requests().mark();
        fleet.create_website("red", "one").await;
        failed(fleet, "ReconcileFailed", "reading the page: disk on fire").await;
        sites.probe.comes(Point::Begin, "one", 4).await;
        sentinel.passes(fleet).await;
        // Each try comes to the same, and so is written once.
        assert_eq!(sentinel.others(fleet.said("red", mark)), ["patch websites/one", "patch websites/one/status"]);
        let one = fleet.websites("red").get("one").await.unwrap();
        assert_eq!(condition(&one, "Stalled"), None);
        assert_eq!(one.status.unwrap().observed_generation, Some(1));
        mended.store(true, Ordering::Relaxed);
        fleet.website_ready("red", "one").await;
    }

    async fn any_error_passes_a_question_mark(fleet: &Fleet) {
        let (sites, _operator, _) = at_work(fleet).await;
        let mended = fails(&sites, Point::Applied, || {
            let number: u8 = "many".parse()?;
            Ok(Action::requeue(Duration::from_secs(number.into())))
        });
        fleet.create_website("red", "one").await;
        failed(fleet, "ReconcileFailed", "invalid digit found in string").await;
        mended.store(true, Ordering::Relaxed);
        let one = fleet.website_ready("red", "one").await;
        assert_eq!(status_of(&one, "PageServed"), Some(("True", "Applied")));
    }

    async fn a_terminal_error_is_not_tried_again_before_something_changes(fleet: &Fleet) {
        let (sites, _operator, sentinel) = at_work(fleet).await;
        let mended = fails(&sites, Point::Begin, || Err(Error::terminal("no such host")));
        fleet.create_website("red", "one").await;
        failed(fleet, "ReconcileFailed", "no such host").await;
        let one = fleet.websites("red").get("one").await.unwrap();
        assert_eq!(status_of(&one, "Stalled"), Some(("True", "ReconcileFailed")));
        sentinel.passes(fleet).await;
        sentinel.passes(fleet).await;
        assert_eq!(sites.probe.count(Point::Begin, "one"), 1);

        fleet.set_host("red", "one", "worse.example.com").await;
        sites.probe.comes(Point::Begin, "one", 2).await;
        mended.store(true, Ordering::Relaxed);
        sentinel.passes(fleet).await;
        assert_eq!(sites.probe.count(Point::Begin, "one"), 2);
        fleet.set_host("red", "one", "good.example.com").await;
        let one = fleet.website_ready("red", "one").await;
        assert_eq!(condition(&one, "Stalled"), None);
    }

    async fn an_error_and_an_action_name_the_time_of_the_next_run(fleet: &Fleet) {
        let (sites, _operator, _) = at_work(fleet).await;
        const DELAY: Duration = Duration::from_millis(400);
        let times: Arc<std::sync::Mutex<Vec<Instant>>> = Arc::default();
        let clock = Arc::clone(&times);
        sites.probe.script(Point::Applied, "one", move |nth| {
            clock.lock().unwrap().push(Instant::now());
            match nth {
                1 => Err(Error::retry_in(DELAY, "busy")),
                2 => Ok(Action::requeue(DELAY)),
                _ => Ok(Action::done()),
            }
        });
        fleet.create_website("red", "one").await;
        failed(fleet, "ReconcileFailed", "busy").await;
        sites.probe.comes(Point::Applied, "one", 3).await;
        let times = times.lock().unwrap().clone();
        assert!(times[1] - times[0] >= DELAY, "{times:?}");
        assert!(times[2] - times[1] >= DELAY, "{times:?}");
        fleet.website_ready("red", "one").await;
    }

    async fn a_panic_is_an_error_of_its_object_alone(fleet: &Fleet) {
        let (sites, _operator, sentinel) = at_work(fleet).await;
        let mended = fails(&sites, Point::Begin, || panic!("index out of bounds"));
        fleet.create_website("red", "one").await;
        failed(fleet, "ReconcileFailed", "it panicked: index out of bounds").await;
        sentinel.passes(fleet).await;
        fleet.create_website("red", "two").await;
        fleet.website_ready("red", "two").await;
        mended.store(true, Ordering::Relaxed);
        fleet.website_ready("red", "one").await;
    }

    async fn a_reconcile_that_does_not_end_is_cancelled_and_holds_nobody_up(fleet: &Fleet) {
        fleet.create_shop("red").await;
        let sites = Sites::default();
        let manager = fleet.manager().reconcile_timeout(Duration::from_secs(2));
        let _operator = Operator::start(manager.controller(sites.clone()));
        let held = sites.probe.hold(Point::Begin, "one");
        fleet.create_website("red", "one").await;
        held.reached().await;
        fleet.create_website("red", "two").await;
        fleet.website_ready("red", "two").await;
        failed(fleet, "ReconcileFailed", "it did not finish within 2 s").await;
        sites.probe.comes(Point::Begin, "one", 2).await;
        held.release();
        fleet.website_ready("red", "one").await;
        assert_eq!(sites.probe.count(Point::Begin, "two"), 1);
    }

    async fn a_cleanup_that_fails_keeps_the_finalizer_and_is_tried_again(fleet: &Fleet) {
        let (sites, _operator, sentinel) = at_work(fleet).await;
        for error in [|| Err(Error::new("DNS is down")), || panic!("DNS is down")] {
            let mended = fails(&sites, Point::Cleanup, error);
            fleet.create_website("red", "one").await;
            // The page of the one before may have to go first.
            if fleet.supports_gc() {
                fleet.website_ready("red", "one").await;
            }
            let before = sites.probe.count(Point::Cleanup, "one");
            fleet.delete_website("red", "one").await;
            let reason = "CleanupFailed";
            let one = fleet
                .website_is("red", "one", reason, |one| status_of(one, "Ready") == Some(("False", reason)))
                .await;
            assert!(condition(&one, "Ready").unwrap().message.ends_with("DNS is down"));
            sites.probe.comes(Point::Cleanup, "one", before + 3).await;
            sentinel.passes(fleet).await;
            assert_eq!(fleet.websites("red").get("one").await.unwrap().finalizers(), [FINALIZER]);
            mended.store(true, Ordering::Relaxed);
            fleet.website_gone("red", "one").await;
        }
    }

    async fn a_cleanup_that_is_not_finished_keeps_the_finalizer_and_runs_again(fleet: &Fleet) {
        let (sites, _operator, sentinel) = at_work(fleet).await;
        let finished = fails(&sites, Point::Cleanup, || Ok(Action::requeue(Duration::from_millis(50))));
        fleet.create_website("red", "one").await;
        fleet.website_ready("red", "one").await;
        let mark = fleet.requests().mark();
        fleet.delete_website("red", "one").await;
        sites.probe.comes(Point::Cleanup, "one", 3).await;
        sentinel.passes(fleet).await;
        let one = fleet.websites("red").get("one").await.unwrap();
        assert_eq!(one.finalizers(), [FINALIZER]);
        assert_eq!(status_of(&one, "Ready"), Some(("False", "CleaningUp")));
        finished.store(true, Ordering::Relaxed);
        fleet.website_gone("red", "one").await;
        sentinel.passes(fleet).await;
        let all = ["patch websites/one/status", "patch websites/one"];
        assert_eq!(sentinel.others(fleet.said("red", mark)), all);
    }

    async fn a_server_in_trouble_makes_nothing_unready_until_the_third_time_in_a_row(fleet: &Fleet) {
        let (sites, _operator, sentinel) = at_work(fleet).await;
        fleet.create_website("red", "one").await;
        fleet.website_ready("red", "one").await;
        let trouble = |nth| match nth {
            2 | 3 | 5.. => Err(unavailable().into()),
            _ => Ok(Action::done()),
        };
        sites.probe.script(Point::Begin, "one", trouble);
        let mark = fleet.requests().mark();
        fleet.set_host("red", "one", "new.example.com").await;
        fleet.website_ready("red", "one").await;
        sentinel.passes(fleet).await;
        assert_eq!(sites.probe.count(Point::Begin, "one"), 4);
        let wrote = sentinel.others(fleet.wrote("red", mark));
        assert_eq!(wrote, ["patch configmaps/one", "patch websites/one/status"]);

        fleet.set_host("red", "one", "newer.example.com").await;
        let unknown = Some(("Unknown", "ServerUnavailable"));
        let one = fleet.website_is("red", "one", "Unknown", |one| status_of(one, "Ready") == unknown).await;
        assert!(sites.probe.count(Point::Begin, "one") >= 7);
        assert_eq!(status_of(&one, "PageServed"), Some(("True", "Applied")));
        sites.probe.script(Point::Begin, "one", |_| Ok(Action::done()));
        fleet.website_ready("red", "one").await;
        eventually("the page follows", async || {
            fleet.pages("red").get("one").await.is_ok_and(|page| page.data.unwrap()["index.html"] == "newer.example.com")
        })
        .await;
    }
}
