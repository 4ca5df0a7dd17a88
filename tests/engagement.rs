//! How clusters come into the fleet, change while they are in it, and leave: whoever names them.

use std::time::Duration;

use k8s_openapi::api::core::v1::ConfigMap;
use kommodore::{
    Action, ClusterState, Context, Fixed, Manager, Milo, Provider as _, Reason, Reconcile, Result,
    controller,
};
use kommodore_tests::{
    Domain, DomainSpec, Fault, Fleet, Log, Operator, Outage, Point, Probe, Sites, Told, WATCHED,
    eventually, logs_into, on_both_servers, stands,
};
use kube::api::{Api, DeleteParams, ListParams, PostParams};
use kube::{Config, CustomResourceExt as _};

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

/// Something for what the websites own, which is watched as metadata alone for these.
#[controller(for = ConfigMap, name = "pages")]
#[derive(Clone, Default)]
struct Pages {
    probe: Probe,
}

impl Reconcile for Pages {
    async fn reconcile(&self, page: &ConfigMap, cx: &Context<Self>) -> Result<Action> {
        match page.data {
            Some(_) => self.probe.end(Point::Begin, cx).await,
            None => Ok(Action::done()),
        }
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

/// An object of a cluster is reconciled.
async fn reaches(probe: &Probe, cluster: &str, name: &str) {
    let what = format!("{name} of {cluster} is reconciled");
    eventually(&what, async || {
        probe.count_in(cluster, Point::Begin, name) > 0
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

    async fn a_controller_that_is_added_late_works_everywhere(fleet: &Fleet) {
        for project in ["red", "blue"] {
            fleet.create_shop(project).await;
            fleet.create_website(project, "one").await;
            create_domain(fleet, project, "one").await;
        }
        let (told, teller) = Told::new("told");
        let (sites, domains, pages) = (Sites::default(), Domains::default(), Pages::default());
        let manager = fleet.manager_of(told).controller(sites.clone());
        let (controllers, status) = (manager.controllers(), manager.fleet());
        let operator = Operator::start(manager);
        teller.engage("red", fleet.operator_config_of("red"));
        fleet.website_ready("red", "one").await;
        assert_eq!(stands(&status, "red", ClusterState::Engaged).await.watches, 2);

        controllers.add(domains.clone()).unwrap();
        controllers.add(pages.clone()).unwrap();
        reaches(&domains.probe, "red", "one").await;
        reaches(&pages.probe, "red", "one").await;
        let red = stands(&status, "red", ClusterState::Engaged).await;
        assert_eq!(red.watches, 3, "pages are watched once");
        create_domain(fleet, "red", "two").await;
        reaches(&domains.probe, "red", "two").await;
        // They belong to the others from then on.
        teller.engage("blue", fleet.operator_config_of("blue"));
        fleet.website_ready("blue", "one").await;
        reaches(&domains.probe, "blue", "one").await;
        reaches(&pages.probe, "blue", "one").await;
        let again = controllers.add(domains.clone()).unwrap_err().to_string();
        assert!(again.contains("two controllers are named `domains`"), "{again}");
        fleet.set_host("red", "one", "late.example.com").await;
        fleet.page_shows("red", "one", "late.example.com").await;

        operator.stop().await.unwrap();
        let over = controllers.add(domains).unwrap_err().to_string();
        assert!(over.contains("the manager has ended"), "{over}");
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
        let gone = stands(&status, "red", ClusterState::Gone).await;
        assert_eq!(gone.left, Some(Reason::Gone), "nothing selects");
        assert_eq!(sites.probe.count_in("blue", Point::Begin, "one"), 2);
    }

    async fn a_provider_that_begins_anew_and_names_the_same_clusters_costs_them_nothing(fleet: &Fleet) {
        let (told, teller) = Told::new("told");
        let manager = fleet.manager_of(told);
        let (sites, status) = (Sites::default(), manager.fleet());
        let _operator = Operator::start(manager.controller(sites.clone()));
        for (name, project) in [("one", "red"), ("two", "blue")] {
            fleet.create_shop(project).await;
            fleet.create_website(project, name).await;
            teller.engage(project, fleet.operator_config_of(project));
            fleet.website_ready(project, name).await;
            fleet.engaged(project, &WATCHED).await;
            stands(&status, project, ClusterState::Engaged).await;
        }
        let since = status.cluster("red").unwrap().since;
        let mark = fleet.requests().mark();
        for project in ["red", "blue"] {
            teller.engage(project, fleet.operator_config_of(project));
        }
        // What it does not name any more it disengages, and what it names then comes after all of that.
        teller.tell(|fleet| fleet.disengage("blue", Reason::Gone));
        stands(&status, "blue", ClusterState::Gone).await;
        let red = stands(&status, "red", ClusterState::Engaged).await;
        assert_eq!(red.since, since);
        assert_eq!(fleet.said("red", mark), [""; 0]);
        assert_eq!(fleet.said("blue", mark), [""; 0]);
        fleet.set_host("red", "one", "new.example.com").await;
        fleet.page_shows("red", "one", "new.example.com").await;
        assert_eq!(sites.probe.count(Point::Begin, "one"), 2);
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
