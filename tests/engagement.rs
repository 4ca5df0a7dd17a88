//! How clusters come into the fleet, change while they are in it, and leave: whoever names them.

use std::time::Duration;

use http::HeaderValue;
use http::header::USER_AGENT;
use kommodore::{
    Action, ClusterState, Context, Fixed, Manager, Milo, Provider as _, Reason, Reconcile, Result,
    controller,
};
use kommodore_control_plane::{Fault as Trouble, Verb};
use kommodore_tests::{
    Domain, DomainSpec, Fault, Fleet, Log, Operator, Outage, Point, Probe, Quiet, Sites, Told,
    WATCHED, eventually, logs_into, on_both_servers, stands,
};
use kube::api::{Api, DeleteParams, ListParams, PostParams};
use kube::{Config, CustomResourceExt as _};
use serde_json::json;
use tokio::time::{Instant, sleep};

/// Something for another kind.
#[controller(for = Domain)]
#[derive(Clone, Default)]
struct Domains {
    probe: Probe,
}

impl Reconcile for Domains {
    async fn reconcile(&self, _: &Domain, cx: &Context<Self>) -> Result<Action> {
        self.probe.end(Point::Begin, cx).await
    }
}

async fn create_domain(fleet: &Fleet, project: &str, name: &str) {
    let domain = Domain::new(
        name,
        DomainSpec {
            contact: "me".into(),
        },
    );
    let domains: Api<Domain> = Api::all(fleet.project_client(project));
    eventually("the domain is created", async || {
        match domains.create(&PostParams::default(), &domain).await {
            Err(kube::Error::Api(status)) if status.code == 409 => Ok(()),
            other => other.map(|_| ()),
        }
    })
    .await;
}

/// The same address, with the path of a project.
fn in_project(fleet: &Fleet, project: &str, mut config: Config) -> Config {
    let path = fleet.project_config(project).cluster_url;
    let mut parts = config.cluster_url.into_parts();
    parts.path_and_query = path.into_parts().path_and_query;
    config.cluster_url = parts.try_into().unwrap();
    config
}

on_both_servers! {
    async fn a_moved_endpoint_costs_no_key_and_no_event(fleet: &Fleet) {
        fleet.create_shop("red").await;
        for name in ["changed", "drifted", "deleted", "waiting", "quiet"] {
            fleet.create_website("red", name).await;
        }
        let outage = Outage::default();
        let old = outage.clone();
        let old = fleet.config_behind(move |_| old.of_watch()).await;
        let (told, teller) = Told::new("told");
        let (sites, manager) = (Sites::default(), fleet.manager_of(told));
        sites.probe.script(Point::Applied, "waiting", |nth| match nth {
            1 => Ok(Action::requeue(Duration::from_secs(3))),
            _ => Ok(Action::done()),
        });
        let status = manager.fleet();
        let _operator = Operator::start(manager.controller(sites.clone()));
        teller.engage("red", in_project(fleet, "red", old));
        for name in ["changed", "drifted", "deleted", "waiting", "quiet"] {
            fleet.website_ready("red", name).await;
        }
        assert_eq!(stands(&status, "red", ClusterState::Engaged).await.watches, 2);

        // Whoever has seen these has seen what was written to the others before.
        fleet.set_host("red", "changed", "second.example.com").await;
        fleet.page_shows("red", "changed", "second.example.com").await;
        fleet.edit_page("red", "drifted").await;
        fleet.page_shows("red", "drifted", "drifted.example.com").await;
        outage.begin();
        fleet.set_host("red", "changed", "new.example.com").await;
        fleet.pages("red").delete("drifted", &DeleteParams::default()).await.unwrap();
        fleet.delete_website("red", "deleted").await;
        let red = stands(&status, "red", ClusterState::Degraded).await;
        assert!(red.last_error.is_some());
        let new = fleet.operator_config_of("red");
        teller.engage("red", new.clone());
        fleet.page_shows("red", "changed", "new.example.com").await;
        fleet.page_shows("red", "drifted", "drifted.example.com").await;
        fleet.website_gone("red", "deleted").await;
        sites.probe.comes(Point::Begin, "waiting", 2).await;
        assert_eq!(sites.probe.count(Point::Begin, "quiet"), 1);
        assert_eq!(sites.probe.count(Point::Cleanup, "deleted"), 1);
        stands(&status, "red", ClusterState::Engaged).await;

        // The same once more changes nothing.
        fleet.engaged("red", &WATCHED).await;
        let mark = fleet.requests().mark();
        teller.engage("red", new);
        fleet.set_host("red", "changed", "newer.example.com").await;
        fleet.page_shows("red", "changed", "newer.example.com").await;
        let said = fleet.said("red", mark);
        assert!(said.iter().all(|said| said.starts_with("patch")), "{said:?}");
    }

    async fn a_kind_that_is_missing_or_forbidden_leaves_the_other_controllers_to_work_and_heals(fleet: &Fleet) {
        for project in ["red", "blue"] {
            fleet.create_shop(project).await;
            fleet.create_website(project, "one").await;
        }
        let crd = Domain::crd_name();
        fleet.hide("red", crd).await;
        let of_red: Api<Domain> = Api::all(fleet.project_client("red"));
        eventually("the kind is gone", async || of_red.list(&ListParams::default()).await.is_err()).await;
        create_domain(fleet, "blue", "one").await;
        let allowed = tokio::sync::watch::Sender::new(false);
        let is_allowed = allowed.subscribe();
        let manager = fleet.manager_behind(move |asked| {
            match asked.is_in("blue") && asked.is_of("domains") && !*is_allowed.borrow() {
                true => Fault::Refusal(403, "Forbidden", "domains are forbidden".into()),
                false => Fault::None,
            }
        }).await;
        let (sites, domains, status) = (Sites::default(), Domains::default(), manager.fleet());
        let _operator = Operator::start(manager.controller(sites).controller(domains.clone()));
        for (project, why) in [("red", "no kind Domain"), ("blue", "domains are forbidden")] {
            fleet.website_ready(project, "one").await;
            let degraded = stands(&status, project, ClusterState::Degraded).await;
            let error = degraded.last_error.unwrap_or_default();
            assert!(error.contains(why), "{error}");
            assert_eq!((degraded.watches, degraded.provider.starts_with("milo")), (3, true));
        }
        assert_eq!(domains.probe.visits(), []);
        fleet.show("red", crd).await;
        create_domain(fleet, "red", "two").await;
        allowed.send_replace(true);
        domains.probe.comes(Point::Begin, "one", 1).await;
        domains.probe.comes(Point::Begin, "two", 1).await;
        for project in ["red", "blue"] {
            let engaged = stands(&status, project, ClusterState::Engaged).await;
            eventually("nothing waits", async || status.cluster(project).unwrap().keys == 0).await;
            assert!(engaged.last_error.is_some(), "it is remembered");
        }
    }

    async fn a_cluster_is_seen_on_all_its_way(fleet: &Fleet) {
        fleet.create_shop("red").await;
        fleet.create_website("red", "one").await;
        fleet.silence("red");
        let sites = Sites::default();
        let held = sites.probe.hold(Point::Begin, "one");
        let manager = fleet.manager_of(Milo::external().grace(Duration::ZERO));
        let status = manager.fleet();
        assert_eq!(status.clusters(), []);
        fleet.set_project_ready("red", false).await;
        let _operator = Operator::start(manager.controller(sites));
        stands(&status, "red", ClusterState::Discovered).await;
        fleet.set_project_ready("red", true).await;
        stands(&status, "red", ClusterState::Connecting).await;
        fleet.unsilence("red");
        held.reached().await;
        let engaged = stands(&status, "red", ClusterState::Engaged).await;
        assert_eq!((engaged.keys, engaged.watches, engaged.left), (1, 2, None));
        fleet.set_project_ready("red", false).await;
        let leaving = stands(&status, "red", ClusterState::Disengaging).await;
        assert!(leaving.since >= engaged.since);
        held.release();
        let gone = stands(&status, "red", ClusterState::Gone).await;
        assert_eq!((gone.left, gone.keys, gone.watches), (Some(Reason::NotReady), 0, 0));
        fleet.set_project_ready("red", true).await;
        stands(&status, "red", ClusterState::Engaged).await;
    }

    async fn a_provider_whose_watch_is_lost_finds_what_has_come_and_gone_meanwhile(fleet: &Fleet) {
        for project in ["red", "blue"] {
            fleet.create_shop(project).await;
            fleet.create_website(project, "one").await;
        }
        let outage = Outage::default();
        let of_root = outage.clone();
        let manager = fleet.manager_behind(move |asked| match asked.is_in("") {
            true => Fault::None,
            false => of_root.of_watch(),
        }).await;
        let (sites, status) = (Sites::default(), manager.fleet());
        let _operator = Operator::start(manager.controller(sites.clone()));
        for project in ["red", "blue"] {
            fleet.website_ready(project, "one").await;
        }
        outage.begin();
        fleet.delete_website("red", "one").await;
        fleet.website_gone("red", "one").await;
        fleet.delete_project("red").await;
        fleet.project_gone("red").await;
        fleet.create_shop("green").await;
        fleet.create_website("green", "one").await;
        // What goes on in the others does not depend on it.
        fleet.set_host("blue", "one", "new.example.com").await;
        fleet.page_shows("blue", "one", "new.example.com").await;
        outage.end();
        fleet.website_ready("green", "one").await;
        stands(&status, "red", ClusterState::Gone).await;
        assert_eq!(sites.probe.count_in("blue", Point::Begin, "one"), 2);
    }

    async fn clusters_are_filtered_renamed_and_adjusted_in_one_way_for_all_providers(fleet: &Fleet) {
        for project in ["red", "blue"] {
            fleet.create_shop(project).await;
            fleet.create_website(project, "one").await;
        }
        // The one who is adjusted is known by its `User-Agent`.
        let agent = fleet.operator_config().headers;
        let milo = Milo::external()
            .only(|name| name != "blue")
            .renamed(|name| format!("milo-{name}"))
            .adjusted(move |name, config| {
                assert!(name.starts_with("milo-"), "{name}");
                config.headers = agent.clone();
            });
        let sites = Sites::default();
        let manager = Manager::builder(fleet.config()).provider(milo).controller(sites.clone());
        let status = manager.fleet();
        let _operator = Operator::start(manager);
        fleet.website_ready("red", "one").await;
        fleet.engaged("red", &WATCHED).await;
        assert_eq!(sites.probe.count_in("milo-red", Point::Begin, "one"), 1);
        fleet.delete_website("red", "one").await;
        fleet.website_gone("red", "one").await;
        fleet.delete_project("red").await;
        stands(&status, "milo-red", ClusterState::Gone).await;
        let names: Vec<String> = status.clusters().iter().map(|cluster| cluster.name.to_string()).collect();
        assert_eq!(names, ["milo-red"]);
    }
}

#[tokio::test]
async fn names_that_cannot_be_are_said_once_and_one_of_two_providers_is_told_of_both() {
    let fleet = Fleet::embedded().await;
    let log = Log::default();
    let _logs = logs_into(&log);
    fleet.create_shop("red").await;
    fleet.create_website("red", "one").await;
    let mut fixed = Fixed::new();
    let long = "x".repeat(300);
    for name in ["..", "a%2fb", "a?b", "", &long, "good"] {
        fixed = fixed.cluster(name, fleet.operator_config_of("red"));
    }
    let (told, teller) = Told::new("told");
    let manager = fleet.manager_of(fixed).provider(told);
    let status = manager.fleet();
    let sites = Sites::default();
    let _operator = Operator::start(manager.controller(sites.clone()));
    fleet.website_ready("red", "one").await;
    for _ in 0..2 {
        teller.engage("good", fleet.operator_config_of("red"));
        teller.engage("a..b", fleet.operator_config_of("red"));
    }
    log.says("two providers have one name for a cluster").await;
    teller.engage("better", fleet.operator_config_of("red"));
    stands(&status, "better", ClusterState::Engaged).await;
    let text = log.text();
    let lines = |words: &str| text.lines().filter(|line| line.contains(words)).count();
    let both = text
        .lines()
        .find(|line| line.contains("two providers"))
        .unwrap();
    assert!(
        both.contains("fixed (no. 6)") && both.contains("second=told"),
        "{both}"
    );
    assert_eq!(lines("two providers have one name"), 1, "{text}");
    assert_eq!(lines("a cluster is left out"), 6, "{text}");
    assert!(!text.contains(&"x".repeat(64)), "{text}");
    let names: Vec<String> = status
        .clusters()
        .iter()
        .map(|cluster| cluster.name.to_string())
        .collect();
    assert_eq!(names, ["better", "good"]);
}

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
    // A request has 30 s until it is taken for lost, and 64 have a place at once.
    assert!(
        began.elapsed() < Duration::from_secs(3),
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
        .inject(Trouble::latency(Duration::from_millis(100)));
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
