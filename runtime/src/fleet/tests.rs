use std::sync::Condvar;
use std::time::Duration;

use kube::{Client, Config};
use tokio::sync::mpsc;
use tokio::time::sleep;

use super::*;
use crate::watch::Kept;

/// Counts in which clusters it has begun to work, and notes through whose client.
#[derive(Default)]
struct Counting(Mutex<Vec<String>>);

impl Crew for Counting {
    fn board(&self, cluster: &Cluster) {
        let what = format!(
            "{} {}",
            cluster.name(),
            cluster.client().default_namespace()
        );
        self.0.lock().unwrap().push(what);
    }
    fn leave(&self, cluster: &Cluster) {
        self.0
            .lock()
            .unwrap()
            .push(format!("{} is left", cluster.name()));
    }
    fn gone(&self, name: &ClusterName) {
        self.0.lock().unwrap().push(format!("{name} is gone"));
    }
}

impl Counting {
    fn boarded(&self) -> usize {
        let seen = self.0.lock().unwrap();
        seen.iter().filter(|what| !what.contains(" is ")).count()
    }

    fn seen(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

fn fleet() -> (Fleet, Arc<Counting>) {
    let crew = Arc::new(Counting::default());
    (fleet_of(Arc::clone(&crew) as _), crew)
}

fn fleet_of(crew: Arc<dyn Crew>) -> Fleet {
    let tries = AtomicUsize::new(0);
    let connect: Connect = Arc::new(move |config| {
        let line = match config.default_namespace.as_str() {
            "endless" => return Box::pin(std::future::pending()),
            "broken" => Err(kube::Error::LinesCodecMaxLineLengthExceeded),
            "third time" if tries.fetch_add(1, Ordering::Relaxed) < 2 => {
                Err(kube::Error::LinesCodecMaxLineLengthExceeded)
            }
            _ => Client::try_from(config).map(Into::into),
        };
        Box::pin(std::future::ready(line))
    });
    let common = Common::new(64, Kept::default());
    Fleet::new(crew, 1, Duration::ZERO, connect, common)
}

/// A connection that is told by its namespace.
fn through(namespace: &str) -> Config {
    let mut config = Config::new("http://127.0.0.1:1".parse().unwrap());
    config.default_namespace = namespace.into();
    config
}

fn state(fleet: &Fleet, name: &str) -> Option<State> {
    let clusters = fleet.shared.status().into_iter();
    let mut found = clusters.filter(|cluster| cluster.name.as_str() == name);
    found.next().map(|cluster| cluster.state)
}

/// Lets everybody do what there is to do now.
async fn settle() {
    sleep(Duration::from_millis(10)).await;
}

#[tokio::test(start_paused = true)]
async fn a_cluster_that_comes_and_goes_every_second_is_damped_and_one_that_stays_is_engaged() {
    let (fleet, crew) = fleet();
    for _ in 0..120 {
        fleet.engage("red", through("a"));
        sleep(Duration::from_millis(500)).await;
        fleet.disengage("red", Reason::Deselected);
        sleep(Duration::from_millis(500)).await;
    }
    let boarded = crew.boarded();
    assert!((4..=12).contains(&boarded), "{boarded} times in 120 s");
    fleet.engage("red", through("a"));
    settle().await;
    assert_eq!(state(&fleet, "red"), Some(State::Discovered));
    sleep(Duration::from_secs(61)).await;
    assert_eq!(crew.boarded(), boarded + 1);
    assert_eq!(state(&fleet, "red"), Some(State::Engaged));
    // One that has stayed for a while may go and come as it likes.
    for more in 2..5 {
        sleep(Duration::from_secs(61)).await;
        fleet.disengage("red", Reason::Deselected);
        settle().await;
        assert_eq!(state(&fleet, "red"), Some(State::Gone));
        fleet.engage("red", through("a"));
        settle().await;
        assert_eq!(crew.boarded(), boarded + more);
    }
    // A shutdown does not wait.
    fleet.close().await;
    assert_eq!(fleet.clusters(), []);
}

#[tokio::test(start_paused = true)]
async fn a_cluster_that_becomes_another_one_every_second_is_damped() {
    let (fleet, crew) = fleet();
    for _ in 0..60 {
        for namespace in ["one", "other"] {
            let connection = Connection::from(through("a"));
            fleet.engage("red", connection.in_namespace(namespace));
            sleep(Duration::from_secs(1)).await;
        }
    }
    let boarded = crew.boarded();
    assert!((4..=12).contains(&boarded), "{boarded} times in 120 s");
}

#[tokio::test(start_paused = true)]
async fn who_has_left_is_told_for_a_while() {
    let (fleet, _) = fleet();
    fleet.engage("red", through("a"));
    settle().await;
    fleet.disengage("red", Reason::NotReady);
    settle().await;
    let red = fleet.shared.status().remove(0);
    assert_eq!((red.state, red.left), (State::Gone, Some(Reason::NotReady)));
    sleep(Duration::from_secs(301)).await;
    assert_eq!(fleet.shared.status(), []);
}

#[tokio::test(start_paused = true)]
async fn a_name_that_two_providers_give_belongs_to_the_first_until_it_lets_go() {
    let (fleet, crew) = fleet();
    let (one, two) = (fleet.of_provider("one"), fleet.of_provider("two"));
    one.engage("red", through("first"));
    two.engage("red", through("second"));
    settle().await;
    assert_eq!(crew.seen(), ["red first"]);
    let red = fleet.shared.status().remove(0);
    assert_eq!(red.provider, "one");
    assert_eq!(
        red.last_error.as_deref(),
        Some("the name is also given by two")
    );
    // The second has no say.
    two.disengage("red", Reason::Gone);
    settle().await;
    assert_eq!(crew.seen(), ["red first"]);
    two.engage("red", through("second"));
    one.disengage("red", Reason::Gone);
    settle().await;
    assert_eq!(
        crew.seen(),
        ["red first", "red is left", "red is gone", "red second"]
    );
    assert_eq!(fleet.shared.status().remove(0).provider, "two");
    assert_eq!(fleet.shared.status().remove(0).last_error, None);
}

#[tokio::test(start_paused = true)]
async fn one_that_is_gone_and_there_again_at_once_is_another() {
    let (fleet, crew) = fleet();
    fleet.engage("red", through("a"));
    settle().await;
    // That it is not selected for a moment costs nothing.
    fleet.disengage("red", Reason::Deselected);
    fleet.engage("red", through("a"));
    settle().await;
    assert_eq!(crew.seen(), ["red a"]);
    fleet.disengage("red", Reason::Gone);
    fleet.engage("red", through("a"));
    let red = fleet.shared.status().remove(0);
    assert_eq!(red.last_error, None, "nobody else gives the name");
    settle().await;
    let expected = ["red a", "red is left", "red is gone", "red a"];
    assert_eq!(crew.seen(), expected);
    assert_eq!(state(&fleet, "red"), Some(State::Engaged));
    // It may go again before it is engaged.
    fleet.disengage("red", Reason::Gone);
    fleet.engage("red", through("a"));
    fleet.disengage("red", Reason::Deselected);
    settle().await;
    assert_eq!(crew.seen().len(), expected.len() + 2);
    assert_eq!(state(&fleet, "red"), Some(State::Gone));
    // Also where it is somebody else's then.
    let (one, two) = (fleet.of_provider("one"), fleet.of_provider("two"));
    one.engage("blue", through("a"));
    settle().await;
    one.disengage("blue", Reason::Gone);
    two.engage("blue", through("b"));
    settle().await;
    let seen = crew.seen();
    assert_eq!(
        seen[seen.len() - 4..],
        ["blue a", "blue is left", "blue is gone", "blue b"]
    );
}

#[tokio::test(start_paused = true)]
async fn another_connection_takes_the_place_of_the_first_and_the_same_changes_nothing() {
    let (fleet, crew) = fleet();
    let broken = through("broken");
    fleet.engage("red", broken.clone());
    settle().await;
    let red = fleet.shared.status().remove(0);
    assert_eq!(red.state, State::Connecting);
    assert!(red.last_error.is_some());
    // It need not wait for the next try.
    fleet.engage("red", through("a"));
    settle().await;
    assert_eq!(state(&fleet, "red"), Some(State::Engaged));
    for connection in ["a", "b", "b"] {
        fleet.engage("red", through(connection));
        settle().await;
    }
    fleet.engage("red", broken);
    settle().await;
    assert_eq!(crew.seen(), ["red a"]);
    let red = fleet.shared.status().remove(0);
    assert!(red.last_error.unwrap().starts_with("cannot make a client"));
    // Another namespace is another cluster.
    fleet.engage("red", Connection::from(through("c")).in_namespace("shop"));
    settle().await;
    assert_eq!(crew.seen(), ["red a", "red is left", "red c"]);
}

#[tokio::test(start_paused = true)]
async fn another_connection_that_makes_no_client_at_first_is_tried_again() {
    let (fleet, _) = fleet();
    fleet.engage("red", through("a"));
    settle().await;
    let clients = || {
        let seat = fleet.shared.lock().seat_of("red").unwrap();
        let cluster = seat.standing().cluster().cloned();
        cluster.unwrap().client().default_namespace().to_owned()
    };
    fleet.engage("red", through("third time"));
    settle().await;
    assert_eq!(clients(), "a", "the one before is kept meanwhile");
    assert_eq!(state(&fleet, "red"), Some(State::Engaged));
    sleep(Duration::from_secs(10)).await;
    assert_eq!(clients(), "third time");
    // Nobody waits for the next try who has something else to say.
    fleet.engage("red", through("broken"));
    sleep(Duration::from_secs(100)).await;
    fleet.engage("red", through("b"));
    settle().await;
    assert_eq!(clients(), "b");
    fleet.engage("red", through("broken"));
    settle().await;
    fleet.disengage("red", Reason::Gone);
    settle().await;
    assert_eq!(state(&fleet, "red"), Some(State::Gone));
}

#[tokio::test(start_paused = true)]
async fn one_that_waits_for_its_name_may_be_on_its_way_out_when_it_gets_it() {
    let (fleet, _) = fleet();
    let (one, two) = (fleet.of_provider("one"), fleet.of_provider("two"));
    one.engage("red", through("a"));
    two.engage("red", through("b"));
    settle().await;
    two.retire_as_it_is("red");
    one.disengage("red", Reason::Deselected);
    settle().await;
    let seat = fleet.shared.lock().seat_of("red").unwrap();
    let red = seat.standing().cluster().cloned().unwrap();
    assert_eq!(red.client().default_namespace(), "b");
    assert!(red.is_retiring());
}

#[tokio::test(start_paused = true)]
async fn two_that_get_one_name_are_told_apart_and_the_first_keeps_it() {
    let (fleet, crew) = fleet();
    let provider = fleet.of_provider("one");
    let alike = provider.through(Step::Renamed(Arc::new(|name| name[..3].to_owned())));
    for _ in 0..2 {
        alike.engage("red-1", through("first"));
        alike.engage("red-2", through("second"));
        settle().await;
    }
    let red = fleet.shared.status().remove(0);
    assert_eq!(red.provider, "one (red-1)");
    assert_eq!(
        red.last_error.as_deref(),
        Some("the name is also given by one (red-2)")
    );
    // One that goes takes nothing of the other along.
    alike.disengage("red-2", Reason::Gone);
    settle().await;
    assert_eq!(crew.seen(), ["red first"]);
    assert_eq!(fleet.shared.status().remove(0).last_error, None);
    alike.engage("red-2", through("second"));
    alike.disengage("red-1", Reason::Deselected);
    settle().await;
    assert_eq!(crew.seen(), ["red first", "red is left", "red second"]);
    // One that keeps its name is not told apart from itself.
    let same = provider.through(Step::Renamed(Arc::new(ToOwned::to_owned)));
    same.engage("blue", through("a"));
    assert_eq!(fleet.shared.status().remove(0).provider, "one");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_is_never_made_is_told_of_and_keeps_nothing_from_its_cluster() {
    let (fleet, crew) = fleet();
    let has_yet_to_end = || {
        let red = fleet.shared.status().remove(0);
        let error = red.last_error.unwrap_or_default();
        assert!(error.contains("has yet to end"), "{error}");
        red.state
    };
    fleet.engage("red", through("endless"));
    sleep(Duration::from_secs(11)).await;
    assert_eq!(has_yet_to_end(), State::Connecting);
    fleet.engage("red", through("a"));
    settle().await;
    assert_eq!(state(&fleet, "red"), Some(State::Engaged));
    fleet.engage("red", through("endless"));
    sleep(Duration::from_secs(11)).await;
    assert_eq!(has_yet_to_end(), State::Engaged);
    fleet.disengage("red", Reason::Gone);
    settle().await;
    assert_eq!(crew.seen(), ["red a", "red is left", "red is gone"]);
    fleet.engage("red", through("endless"));
    settle().await;
    fleet.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_name_that_is_no_dns_label_is_left_out_alone() {
    let (fleet, crew) = fleet();
    let long = "x".repeat(300);
    for name in ["", "..", "a/../b", "a%2fb", "a?b", "A", &long, "good"] {
        for _ in 0..2 {
            fleet.engage(name, through("a"));
        }
    }
    settle().await;
    assert_eq!(crew.seen(), ["good a"]);
    fleet.disengage("..", Reason::Gone);
    fleet.disengage(&long, Reason::Gone);
    settle().await;
    assert_eq!(crew.seen(), ["good a"]);
}

/// Takes its time when a cluster is gone, in which another one of its name may come.
struct Slow {
    tells: mpsc::UnboundedSender<&'static str>,
    boarded: Mutex<usize>,
    comes: Condvar,
}

impl Crew for Slow {
    fn board(&self, _: &Cluster) {
        self.tells.send("there").unwrap();
        *self.boarded.lock().unwrap() += 1;
        self.comes.notify_all();
    }
    fn leave(&self, _: &Cluster) {}
    fn gone(&self, _: &ClusterName) {
        self.tells.send("going").unwrap();
        let boarded = self.boarded.lock().unwrap();
        let while_alone = |boarded: &mut usize| *boarded < 2;
        let patience = Duration::from_millis(200);
        let waited = self
            .comes
            .wait_timeout_while(boarded, patience, while_alone);
        drop(waited);
        self.tells.send("gone").unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_end_of_one_is_never_told_after_another_of_its_name_has_come() {
    let (tells, mut told) = mpsc::unbounded_channel();
    let fleet = fleet_of(Arc::new(Slow {
        tells,
        boarded: Mutex::default(),
        comes: Condvar::new(),
    }));
    fleet.engage("red", through("a"));
    assert_eq!(told.recv().await, Some("there"));
    fleet.disengage("red", Reason::Gone);
    assert_eq!(told.recv().await, Some("going"));
    fleet.engage("red", through("a"));
    assert_eq!(told.recv().await, Some("gone"));
    assert_eq!(told.recv().await, Some("there"));
}

#[tokio::test]
async fn all_are_named_once_each_provider_has_said_so_however_often_one_does() {
    let (fleet, _) = fleet();
    let (one, merged) = (fleet.of_provider("one"), fleet.of_provider("merged"));
    fleet.expect(2);
    let parts = [merged.of_part(&"#1"), merged.of_part(&"#2")];
    for provider in [&one, &one.found_in(&"a file"), &parts[0], &parts[0]] {
        provider.named_all();
        assert!(!fleet.is_complete());
    }
    parts[1].named_all();
    assert!(fleet.is_complete());
}
