//! What a server asks for that has too much to do.

use std::time::Duration;

use kommodore_control_plane::{Fault, Verb};
use kommodore_tests::{Operator, Quiet, Sites};
use tokio::time::Instant;

const SERVED: &str = "http://one.example.com";
const ASKED: Duration = Duration::from_secs(7);

/// How long it takes until the website of red is served, and that of blue.
async fn served_after(fault: Fault) -> (Duration, Duration) {
    let quiet = Quiet::new(["red", "blue"]).await;
    let sites = Sites::default();
    let began = Instant::now();
    let fault = quiet.plane().inject(fault.in_project("red").times(1));
    for project in ["red", "blue"] {
        quiet.create(project).await;
    }
    let _operator = Operator::start(quiet.manager().controller(sites));
    quiet.shows("blue", SERVED).await;
    let blue = began.elapsed();
    quiet.shows("red", SERVED).await;
    assert_eq!(fault.hits(), 1);
    (began.elapsed(), blue)
}

#[tokio::test(start_paused = true)]
async fn who_is_asked_to_wait_waits_so_long_and_nobody_else_does() {
    let busy = || Fault::status(429).retry_after(7);
    for fault in [
        busy().verb(Verb::Patch).of("websites"),
        busy().verb(Verb::Patch).of("configmaps"),
        busy().verb(Verb::Watch).of("websites"),
        Fault::status(503).retry_after(7).of("configmaps"),
    ] {
        let what = format!("{fault:?}");
        let (red, blue) = served_after(fault).await;
        assert!(blue < ASKED / 2, "{what}: {blue:?}");
        assert!((ASKED..ASKED * 3 / 2).contains(&red), "{what}: {red:?}");
    }
}
