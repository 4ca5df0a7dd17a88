//! A fleet in unrest, under a paused clock: many clusters that are silent, that come and go, or that move.

use std::time::Duration;

use http::HeaderValue;
use http::header::USER_AGENT;
use kommodore::{ClusterState, Reason};
use kommodore_control_plane::{Fault, Verb};
use kommodore_tests::{Log, Operator, Point, Quiet, Sites, Told, eventually, logs_into, stands};
use kube::Config;
use serde_json::json;
use tokio::time::{Instant, sleep};

#[tokio::test(start_paused = true)]
async fn hundreds_that_do_not_answer_give_their_places_to_one_that_does() {
    let silent: Vec<String> = (0..200).map(|number| format!("dead-{number:03}")).collect();
    // The last in the order of the names, in which they are engaged.
    let names = silent.iter().map(String::as_str).chain(["quick"]);
    let quiet = Quiet::new(names).await;
    quiet.create("quick").await;
    quiet.create("dead-000").await;
    for name in &silent {
        quiet.plane().silence(name);
    }
    let manager = quiet.manager().controller(Sites::default());
    let status = manager.fleet();
    let requests = quiet.plane().requests();
    let (began, mark) = (Instant::now(), requests.mark());
    let _operator = Operator::start(manager);
    sleep(Duration::from_millis(100)).await;
    let mut asked = requests.since(mark);
    asked.retain(|request| request.project.is_some());
    assert_eq!(asked.len(), 64, "so many lists come in at once");
    quiet.shows("quick", "http://one.example.com").await;
    // A request has 30 s until it is taken for lost, and 64 have a place at once: for little longer than the list of the
    // projects has taken.
    assert!(
        began.elapsed() < Duration::from_secs(1),
        "{:?}",
        began.elapsed()
    );
    stands(&status, "quick", ClusterState::Engaged).await;
    for name in &silent {
        let waits = status.cluster(name).map(|cluster| cluster.state);
        assert_eq!(waits, Some(ClusterState::Connecting), "{name}");
    }
    // Who has given its place away may still answer.
    quiet.plane().unsilence("dead-000");
    quiet.shows("dead-000", "http://one.example.com").await;
    assert!(
        began.elapsed() < Duration::from_secs(10),
        "{:?}",
        began.elapsed()
    );
    stands(&status, "dead-000", ClusterState::Engaged).await;
}

#[tokio::test(start_paused = true)]
async fn those_that_never_answer_keep_no_place_from_one_that_comes_later() {
    let silent: Vec<String> = (0..150).map(|number| format!("dead-{number:03}")).collect();
    let names = silent.iter().map(String::as_str).chain(["late"]);
    let quiet = Quiet::new(names).await;
    for name in &silent {
        quiet.plane().silence(name);
    }
    let (told, teller) = Told::new("told");
    // As with a whole region, of which each tries again and again.
    let manager = quiet.manager_of(told).lists_at_once(1);
    let manager = manager.controller(Sites::default());
    let status = manager.fleet();
    let _operator = Operator::start(manager);
    for name in silent {
        let config = quiet.plane().project(&name).config();
        teller.tell(move |fleet| fleet.engage(name, config));
    }
    sleep(Duration::from_secs(300)).await;
    let began = Instant::now();
    teller.engage("late", quiet.plane().project("late").config());
    stands(&status, "late", ClusterState::Engaged).await;
    assert!(
        began.elapsed() < Duration::from_secs(2),
        "{:?}",
        began.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn as_many_lists_come_in_at_once_as_the_manager_is_told() {
    for (told, at_once) in [(3, 3), (0, 1), (usize::MAX, 20)] {
        let names: Vec<String> = (0..10).map(|number| format!("dead-{number}")).collect();
        let quiet = Quiet::new(names.iter().map(String::as_str)).await;
        for name in &names {
            quiet.plane().silence(name);
        }
        let requests = quiet.plane().requests();
        let mark = requests.mark();
        let manager = quiet.manager().controller(Sites::default());
        let _operator = Operator::start(manager.lists_at_once(told));
        sleep(Duration::from_millis(100)).await;
        let mut asked = requests.since(mark);
        asked.retain(|request| request.project.is_some());
        assert_eq!(asked.len(), at_once, "of 20, if {told} may come in at once");
    }
}

#[tokio::test(start_paused = true)]
async fn what_many_are_refused_together_they_do_not_try_again_together() {
    const MANY: usize = 50;
    let names: Vec<String> = (0..MANY).map(|number| format!("red-{number:02}")).collect();
    let quiet = Quiet::new(names.iter().map(String::as_str)).await;
    let fault = Fault::status(503).of("websites");
    let refused = quiet.plane().inject(fault);
    let _operator = Operator::start(quiet.manager().controller(Sites::default()));
    sleep(Duration::from_millis(10)).await;
    assert_eq!(refused.hits(), MANY);
    // The first backoff is a quarter of a second, a quarter of that more or less.
    sleep(Duration::from_millis(170)).await;
    assert_eq!(refused.hits(), MANY);
    sleep(Duration::from_millis(70)).await;
    let again = refused.hits() - MANY;
    assert!(
        (MANY / 10..MANY - MANY / 10).contains(&again),
        "{again} of {MANY}"
    );
    sleep(Duration::from_millis(70)).await;
    assert_eq!(refused.hits(), 2 * MANY);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_asks_for_a_wait_of_days_is_told_of_and_asked_again_in_minutes() {
    for code in [429, 503] {
        let quiet = Quiet::new(["red"]).await;
        let fault = Fault::status(code).retry_after(999_999).of("websites");
        let refused = quiet.plane().inject(fault.times(2));
        let manager = quiet.manager().controller(Sites::default());
        let status = manager.fleet();
        let _operator = Operator::start(manager);
        sleep(Duration::from_secs(60)).await;
        assert_eq!(refused.hits(), 1, "it is not asked again at once");
        let error = status.cluster("red").unwrap().last_error;
        assert!(error.unwrap_or_default().contains(&code.to_string()));
        sleep(Duration::from_secs(900)).await;
        stands(&status, "red", ClusterState::Engaged).await;
    }
}

#[tokio::test(start_paused = true)]
async fn trouble_that_is_told_in_ever_other_words_is_one_line_in_the_log() {
    let log = Log::default();
    let _logs = logs_into(&log);
    let quiet = Quiet::new(["red"]).await;
    let manager = quiet.manager().controller(Sites::default());
    let status = manager.fleet();
    let trouble = |code| {
        let fault = Fault::status(code).of("websites").in_project("red");
        quiet.plane().inject(fault)
    };
    let mut refused = trouble(500);
    let _operator = Operator::start(manager);
    for code in [502, 503, 429, 504, 500].repeat(3) {
        sleep(Duration::from_secs(30)).await;
        assert!(refused.hits() > 0);
        refused = trouble(code);
    }
    drop(refused);
    sleep(Duration::from_secs(30)).await;
    stands(&status, "red", ClusterState::Engaged).await;
    let text = log.text();
    let lines = text.lines().filter(|line| line.contains("cannot watch"));
    assert_eq!(lines.count(), 1, "{text}");
}

#[tokio::test(start_paused = true)]
async fn watches_that_began_together_do_not_begin_anew_together() {
    let names: Vec<String> = (0..50).map(|number| format!("red-{number:02}")).collect();
    let quiet = Quiet::new(names.iter().map(String::as_str)).await;
    let manager = quiet.manager().controller(Sites::default());
    let status = manager.fleet();
    let _operator = Operator::start(manager);
    for name in &names {
        stands(&status, name, ClusterState::Engaged).await;
    }
    let requests = quiet.plane().requests();
    let (mut most, mut all) = (0, 0);
    for _ in 0..300 {
        let mark = requests.mark();
        sleep(Duration::from_secs(1)).await;
        let begun = requests.since(mark).len();
        most = most.max(begun);
        all += begun;
    }
    assert!(all >= 100, "{all} begin anew");
    assert!(most <= 20, "{most} of them within a second");
}

#[tokio::test(start_paused = true)]
async fn a_cluster_that_flaps_every_second_is_damped_and_worked_on_once_it_stays() {
    let quiet = Quiet::new(["red"]).await;
    quiet.create("red").await;
    let (told, teller) = Told::new("told");
    let manager = quiet.manager_of(told).controller(Sites::default());
    let status = manager.fleet();
    let _operator = Operator::start(manager);
    let red = quiet.plane().project("red").config();
    let requests = quiet.plane().requests();
    let mark = requests.mark();
    for _ in 0..60 {
        teller.engage("red", red.clone());
        sleep(Duration::from_secs(1)).await;
        teller.tell(|fleet| fleet.disengage("red", Reason::Deselected));
        sleep(Duration::from_secs(1)).await;
    }
    let mut lists = requests.since(mark);
    lists.retain(|request| request.plural() == "websites" && request.verb == Verb::Watch);
    assert!((4..=12).contains(&lists.len()), "{} in 120 s", lists.len());
    quiet.change("red", json!({"spec": {"host": "new"}})).await;
    teller.engage("red", red);
    let waits = stands(&status, "red", ClusterState::Discovered).await;
    let error = waits.last_error.unwrap_or_default();
    assert!(error.contains("comes and goes all the time"), "{error}");
    quiet.shows("red", "http://new").await;
    stands(&status, "red", ClusterState::Engaged).await;
}

#[tokio::test(start_paused = true)]
async fn a_fleet_that_moves_is_listed_by_and_by() {
    let names: Vec<String> = (0..100).map(|number| format!("red-{number:02}")).collect();
    let quiet = Quiet::new(names.iter().map(String::as_str)).await;
    let requests = quiet.plane().requests();
    let (told, teller) = Told::new("told");
    let manager = quiet.manager_of(told).controller(Sites::default());
    let status = manager.fleet();
    let _operator = Operator::start(manager);
    let move_all = |who: &'static str| {
        let all: Vec<(String, Config)> = names
            .iter()
            .map(|name| {
                let mut config = quiet.plane().project(name).config();
                config.headers = vec![(USER_AGENT, HeaderValue::from_static(who))];
                (name.clone(), config)
            })
            .collect();
        teller.tell(|fleet| {
            for (name, config) in all {
                fleet.engage(name, config);
            }
        });
    };
    let watched = |who: &str| {
        let mut watches = requests.open_watches();
        watches.retain(|watch| watch.user_agent.as_deref() == Some(who));
        watches.len()
    };
    move_all("first");
    for name in &names {
        stands(&status, name, ClusterState::Engaged).await;
    }
    assert_eq!(watched("first"), 200);
    let _slow = quiet
        .plane()
        .inject(Fault::latency(Duration::from_millis(100)));
    let mark = requests.mark();
    move_all("second");
    sleep(Duration::from_millis(50)).await;
    assert_eq!(
        requests.since(mark).len(),
        64,
        "so many lists come in at once"
    );
    eventually("all have moved", async || watched("second") == 200).await;
    assert_eq!(watched("first"), 0);
    assert!(
        status
            .clusters()
            .iter()
            .all(|cluster| cluster.state == ClusterState::Engaged)
    );
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_alternates_every_second_is_damped_and_one_that_is_rotated_is_not() {
    let quiet = Quiet::new(["red"]).await;
    let requests = quiet.plane().requests();
    let connection = |who: &'static str| {
        let mut config = quiet.plane().project("red").config();
        config.headers = vec![(USER_AGENT, HeaderValue::from_static(who))];
        config
    };
    // Who watches now.
    let watches = |who: &str| {
        let mut watches = requests.open_watches();
        watches.retain(|watch| watch.user_agent.as_deref() == Some(who));
        watches.len()
    };
    let (told, teller) = Told::new("told");
    let sites = Sites::default();
    let manager = quiet.manager_of(told).controller(sites.clone());
    let status = manager.fleet();
    let _operator = Operator::start(manager);
    teller.engage("red", connection("first"));
    stands(&status, "red", ClusterState::Engaged).await;
    for who in ["second", "third"] {
        teller.engage("red", connection(who));
        eventually("it is reached in the new way", async || watches(who) == 2).await;
        sleep(Duration::from_secs(3600)).await;
    }
    let mark = requests.mark();
    for _ in 0..60 {
        for who in ["one", "other"] {
            teller.engage("red", connection(who));
            sleep(Duration::from_secs(1)).await;
        }
    }
    let mut begun = requests.since(mark);
    begun.retain(|request| request.plural() == "websites");
    assert!((4..=24).contains(&begun.len()), "{} in 120 s", begun.len());
    let red = status.cluster("red").unwrap();
    assert_eq!(red.state, ClusterState::Engaged);
    let error = red.last_error.unwrap_or_default();
    assert!(
        error.contains("becomes another one all the time"),
        "{error}"
    );
    // It is worked on all the time, and the newest one has its turn.
    teller.engage("red", connection("newest"));
    quiet.create("red").await;
    quiet.shows("red", "http://one.example.com").await;
    assert_eq!(watches("newest"), 0);
    sleep(Duration::from_secs(61)).await;
    assert_eq!(watches("newest"), 2);
    // Whoever leaves need not wait.
    teller.engage("red", connection("one"));
    teller.tell(|fleet| fleet.disengage("red", Reason::Gone));
    stands(&status, "red", ClusterState::Gone).await;
    assert_eq!(sites.probe.count(Point::Begin, "one"), 1);
}
