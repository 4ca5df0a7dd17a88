//! What is left of a cluster that has gone, of one that never answered, and of a manager that has ended: nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use kommodore::{ClusterState, Endpoint, Error, Manager, Milo};
use kommodore_control_plane::ControlPlane;
use kommodore_tests::{
    Fleet, Guards, Log, Operator, Point, Projects, Sites, Told, WATCHED, condition, crds,
    eventually, from_both_sides, logs_into, on_both_servers, stands, website,
};
use kube::api::{Api, Patch, PatchParams, PostParams};
use serde_json::json;

from_both_sides! {
    async fn a_failed_engagement_leaks_nothing(fleet: &Fleet, projects: &Projects<'_>) {
        for project in ["red", "blue"] {
            projects.create_shop(project).await;
            projects.set_tier(project, Some("gold")).await;
        }
        fleet.silence("red");
        let _forbidden = fleet.forbid("blue", "nobody is allowed anything");
        let guards = Guards::default();
        let connect = guards.clone();
        let manager = fleet.manager_of(projects.provider().labels("tier=gold"));
        let manager = manager.connect(move |config| connect.connect(config)).controller(Sites::default());
        let status = manager.fleet();
        let operator = Operator::start(manager);
        for round in 0..2 {
            for project in ["red", "blue"] {
                stands(&status, project, ClusterState::Connecting).await;
            }
            let error = eventually("it is said", async || status.cluster("blue").unwrap().last_error).await;
            assert!(error.contains("nobody is allowed anything"), "{error}");
            assert!(guards.count() >= 3, "that of the host, one for each, and their calls");
            for project in ["red", "blue"] {
                projects.set_tier(project, None).await;
                stands(&status, project, ClusterState::Gone).await;
            }
            eventually("the clients are gone", async || match guards.count() {
                1 => Ok(()),
                more => Err(more),
            }).await;
            if round == 0 {
                for project in ["red", "blue"] {
                    projects.set_tier(project, Some("gold")).await;
                }
            }
        }
        // One of which not even a client can be made.
        guards.fail(true);
        projects.set_tier("red", Some("gold")).await;
        eventually("it is said", async || status.cluster("red").unwrap().last_error).await;
        projects.set_tier("red", None).await;
        stands(&status, "red", ClusterState::Gone).await;
        operator.stop().await.unwrap();
        eventually("nothing is left", async || guards.count() == 0).await;
        assert_eq!(status.clusters(), []);
    }

    async fn keys_of_a_project_that_has_gone_are_dropped_and_not_tried_again(fleet: &Fleet, projects: &Projects<'_>) {
        for project in ["red", "blue"] {
            projects.create_shop(project).await;
            projects.set_tier(project, Some("gold")).await;
            fleet.create_website(project, "one").await;
        }
        let sites = Sites::default();
        sites.probe.script(Point::Begin, "one", |_| Err(Error::new("never")));
        let manager = fleet.manager_of(projects.provider().labels("tier=gold"));
        let status = manager.fleet();
        let _operator = Operator::start(manager.controller(sites.clone()));
        for project in ["red", "blue"] {
            eventually("it is tried", async || sites.probe.count_in(project, Point::Begin, "one") >= 5).await;
        }
        projects.set_tier("red", None).await;
        stands(&status, "red", ClusterState::Gone).await;
        let (mark, tried) = (fleet.requests().mark(), sites.probe.count_in("red", Point::Begin, "one"));
        // Blue's waits as long as red's would.
        let in_blue = sites.probe.count_in("blue", Point::Begin, "one");
        eventually("blue's is tried again", async || {
            sites.probe.count_in("blue", Point::Begin, "one") >= in_blue + 3
        }).await;
        assert_eq!(sites.probe.count_in("red", Point::Begin, "one"), tried);
        assert_eq!(fleet.said("red", mark), [""; 0]);
        // It begins anew where it comes back.
        projects.set_tier("red", Some("gold")).await;
        eventually("it is tried", async || sites.probe.count_in("red", Point::Begin, "one") > tried).await;
    }
}

on_both_servers! {
    async fn a_project_that_is_reached_elsewhere_is_engaged_there_without_a_reconcile(fleet: &Fleet) {
        fleet.create_project_control_plane("red").await;
        fleet.ensure_namespace("red", "shop").await;
        let port = fleet.direct("red").await.port();
        let has_moved = Arc::new(AtomicBool::new(false));
        let moved = Arc::clone(&has_moved);
        let milo = Milo::internal().resolver(move |_| {
            let host = if moved.load(Ordering::Relaxed) { "localhost" } else { "127.0.0.1" };
            Endpoint { host: host.into(), port }
        });
        let sites = Sites::default();
        let _operator = Operator::start(fleet.manager_of(milo).controller(sites.clone()));
        fleet.create_website("red", "one").await;
        fleet.website_ready("red", "one").await;
        fleet.edit_page("red", "one").await;
        fleet.page_shows("red", "one", "one.example.com").await;
        fleet.create_website("red", "two").await;
        fleet.website_ready("red", "two").await;
        let tried = sites.probe.count(Point::Begin, "one");
        let mark = fleet.requests().mark();
        has_moved.store(true, Ordering::Relaxed);
        let note = Patch::Merge(json!({"metadata": {"annotations": {"moved": "yes"}}}));
        fleet.project_control_planes().patch("red", &PatchParams::default(), &note).await.unwrap();
        eventually("it is watched at the new address", async || {
            let said = fleet.said("red", mark);
            match WATCHED.iter().all(|kind| said.contains(&format!("stream {kind}"))) {
                true => Ok(()),
                false => Err(said),
            }
        }).await;
        fleet.set_host("red", "two", "new.example.com").await;
        fleet.page_shows("red", "two", "new.example.com").await;
        assert_eq!(sites.probe.count(Point::Begin, "one"), tried);
    }
}

#[tokio::test]
async fn a_shutdown_is_silent_and_leaves_nothing() {
    let fleet = Fleet::embedded().await;
    let log = Log::default();
    let _logs = logs_into(&log);
    for project in ["red", "blue", "green"] {
        fleet.create_shop(project).await;
        fleet.create_website(project, "one").await;
    }
    fleet.create_website("red", "failing").await;
    fleet.silence("green");
    let (sites, guards) = (Sites::default(), Guards::default());
    sites
        .probe
        .script(Point::Begin, "failing", |_| Err(Error::new("never")));
    let connect = guards.clone();
    let manager = fleet.manager_of(Milo::external());
    let manager = manager.connect(move |config| connect.connect(config));
    let status = manager.fleet();
    let operator = Operator::start(manager.controller(sites.clone()));
    fleet.website_ready("red", "one").await;
    fleet.website_ready("blue", "one").await;
    stands(&status, "green", ClusterState::Connecting).await;
    sites.probe.comes(Point::Begin, "failing", 3).await;
    // One runs while it is told to end, and is waited for.
    let held = sites.probe.hold(Point::Begin, "one");
    fleet.set_host("blue", "one", "new.example.com").await;
    held.reached().await;
    let before = log.text().len();
    let mut operator = operator;
    operator.interrupt();
    log.says("shutting down").await;
    held.release();
    operator.stop().await.unwrap();
    fleet.page_shows("blue", "one", "new.example.com").await;
    let said = log.text().split_off(before);
    let bad = |line: &&str| line.contains(" WARN ") || line.contains(" ERROR ");
    assert_eq!(
        said.lines().filter(bad).collect::<Vec<_>>(),
        [""; 0],
        "{said}"
    );
    assert!(said.contains("ended"), "{said}");
    for project in ["red", "blue", "green"] {
        assert_eq!(fleet.watched(project), [""; 0]);
    }
    assert_eq!(status.clusters(), []);
    eventually("nothing is left", async || guards.count() == 0).await;
    let mark = fleet.requests().mark();
    fleet.set_host("red", "one", "unseen.example.com").await;
    assert_eq!(fleet.said("red", mark), [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_credential_that_has_expired_is_said_and_the_next_one_goes_on_where_it_was() {
    let builder = ControlPlane::builder().user("robot", ["system:masters"]);
    let builder = crds().iter().fold(builder, |builder, crd| builder.crd(crd));
    let plane = builder.start().await.unwrap();
    let websites: Api<_> = Api::namespaced(plane.client().unwrap(), "default");
    let (told, teller) = Told::new("told");
    let manager = Manager::builder(plane.config()).provider(told);
    let status = manager.fleet();
    let _operator = Operator::start(manager.controller(Sites::default()));
    teller.engage("red", plane.config_as("robot").unwrap());
    let is_ready = async |name: &str| {
        eventually("it is ready", async || {
            let site: kommodore_tests::Website = websites.get(name).await.unwrap();
            let ready = condition(&site, "Ready").cloned();
            ready.filter(|ready| {
                ready.status == "True" && ready.observed_generation == site.metadata.generation
            })
        })
        .await
    };
    for name in ["one", "quiet"] {
        let mut site = website(name);
        site.metadata.namespace = Some("default".into());
        websites
            .create(&PostParams::default(), &site)
            .await
            .unwrap();
        is_ready(name).await;
    }
    plane.expire_token("robot", Duration::ZERO).unwrap();
    plane.drop_watches(None);
    let degraded = stands(&status, "red", ClusterState::Degraded).await;
    let error = degraded.last_error.unwrap();
    assert!(error.contains("401"), "{error}");
    let host = Patch::Merge(json!({"spec": {"host": "new.example.com"}}));
    websites
        .patch("one", &PatchParams::default(), &host)
        .await
        .unwrap();
    teller.engage("red", plane.renew_token("robot").unwrap());
    is_ready("one").await;
    stands(&status, "red", ClusterState::Engaged).await;
}
