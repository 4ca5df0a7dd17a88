//! Milo's projects come and go, and the operator with them.

use std::collections::BTreeMap;
use std::time::Duration;

use kommodore::{Action, Cleanup, Context, Endpoint, Milo, Reconcile, Result, controller};
use kommodore_tests::{
    Domain, DomainSpec, FINALIZER, Fleet, KubeconfigFile, Operator, Outage, Point, Probe, Sites,
    WATCHED, condition, eventually, kubeconfig_of, on_both_servers,
};
use kube::ResourceExt;
use kube::api::{Api, DeleteParams, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

const GRACE: Duration = Duration::from_millis(300);
const NEVER: Duration = Duration::from_secs(3600);

/// Something cluster-scoped with a finalizer.
#[controller(for = Domain, finalizer = "demo.kommodore.dev/domains")]
#[derive(Clone, Default)]
struct Domains {
    probe: Probe,
}

impl Reconcile for Domains {
    async fn reconcile(&self, _: &Domain, cx: &Context<Self>) -> Result<Action> {
        self.probe.at(Point::Begin, cx).await?;
        Ok(Action::done())
    }
}

impl Cleanup for Domains {
    async fn cleanup(&self, _: &Domain, cx: &Context<Self>) -> Result<Action> {
        self.probe.at(Point::Cleanup, cx).await?;
        Ok(Action::done())
    }
}

fn operate(fleet: &Fleet, milo: Milo) -> (Sites, Operator) {
    let sites = Sites::default();
    let operator = Operator::start(fleet.manager_of(milo).controller(sites.clone()));
    (sites, operator)
}

async fn label(fleet: &Fleet, project: &str, tier: Value) {
    let patch = Patch::Merge(json!({"metadata": {"labels": {"tier": tier}}}));
    fleet
        .projects()
        .patch(project, &PatchParams::default(), &patch)
        .await
        .unwrap();
}

on_both_servers! {
    async fn every_website_becomes_ready_in_every_project(fleet: &Fleet) {
        for project in ["red", "blue"] {
            fleet.create_shop(project).await;
            fleet.create_website(project, "one").await;
            fleet.create_website(project, "two").await;
        }
        let (sites, _operator) = operate(fleet, Milo::external());
        for project in ["red", "blue"] {
            for name in ["one", "two"] {
                fleet.website_ready(project, name).await;
                assert_eq!(sites.probe.count_in(project, Point::Begin, name), 1);
            }
        }
    }

    async fn a_project_is_engaged_once_it_is_ready(fleet: &Fleet) {
        let (_, _operator) = operate(fleet, Milo::external());
        fleet.create_shop("red").await;
        fleet.create_website("red", "one").await;
        fleet.website_ready("red", "one").await;
        let mark = fleet.requests().mark();
        fleet.create_project_unready("blue").await;
        // What is seen of the project after it shows that blue has been seen, and let be.
        fleet.set_project_ready("red", true).await;
        fleet.set_host("red", "one", "new.example.com").await;
        fleet.page_shows("red", "one", "new.example.com").await;
        assert_eq!(fleet.said("blue", mark), [""; 0]);
        fleet.set_project_ready("blue", true).await;
        fleet.ensure_namespace("blue", "shop").await;
        fleet.create_website("blue", "one").await;
        fleet.website_ready("blue", "one").await;
    }

    async fn one_that_is_not_ready_for_longer_than_the_grace_is_disengaged_and_the_others_go_on(fleet: &Fleet) {
        fleet.create_shop("red").await;
        fleet.create_shop("blue").await;
        let (sites, _operator) = operate(fleet, Milo::external().grace(GRACE));
        for project in ["red", "blue"] {
            fleet.create_website(project, "one").await;
            fleet.website_ready(project, "one").await;
        }
        fleet.engaged("red", &WATCHED).await;
        fleet.set_project_ready("red", false).await;
        fleet.disengaged("red").await;
        let mark = fleet.requests().mark();
        fleet.set_host("red", "one", "unseen.example.com").await;
        fleet.set_host("blue", "one", "seen.example.com").await;
        fleet.page_shows("blue", "one", "seen.example.com").await;
        assert_eq!(fleet.said("red", mark), [""; 0]);
        assert_eq!(sites.probe.count_in("red", Point::Begin, "one"), 1);

        fleet.set_project_ready("red", true).await;
        fleet.page_shows("red", "one", "unseen.example.com").await;
        fleet.website_ready("red", "one").await;
        assert_eq!(sites.probe.count_in("red", Point::Begin, "one"), 2);
    }

    async fn one_that_is_ready_again_within_the_grace_notices_nothing(fleet: &Fleet) {
        fleet.create_shop("red").await;
        fleet.create_shop("blue").await;
        let (sites, _operator) = operate(fleet, Milo::external().grace(Duration::from_secs(2)));
        fleet.create_website("red", "one").await;
        fleet.website_ready("red", "one").await;
        fleet.engaged("red", &WATCHED).await;
        fleet.engaged("blue", &WATCHED).await;
        let mark = fleet.requests().mark();
        fleet.set_project_ready("red", false).await;
        fleet.set_project_ready("red", true).await;
        // Blue's grace begins after red's did, and so is over after red's would have been.
        fleet.set_project_ready("blue", false).await;
        fleet.disengaged("blue").await;
        assert_eq!(fleet.said("red", mark), [""; 0]);
        fleet.set_host("red", "one", "new.example.com").await;
        fleet.page_shows("red", "one", "new.example.com").await;
        assert_eq!(sites.probe.count(Point::Begin, "one"), 2);
    }

    async fn one_that_is_deleted_stays_until_its_cleanup_has_run_and_gets_no_new_finalizers(fleet: &Fleet) {
        fleet.create_shop("red").await;
        let (sites, domains) = (Sites::default(), Domains::default());
        let manager = fleet.manager_of(Milo::external().grace(GRACE));
        let _operator = Operator::start(manager.controller(sites.clone()).controller(domains.clone()));
        fleet.create_website("red", "one").await;
        fleet.website_ready("red", "one").await;
        let held = sites.probe.hold(Point::Cleanup, "one");
        fleet.delete_project("red").await;
        held.reached().await;

        // Not ready, and that for longer than the grace: it stays all the same.
        fleet.set_project_ready("red", false).await;
        let mark = fleet.requests().mark();
        let all: Api<Domain> = Api::all(fleet.project_client("red"));
        let late = Domain::new("late", DomainSpec { contact: "me".into() });
        all.create(&PostParams::default(), &late).await.unwrap();
        eventually("what came late goes", async || matches!(all.get_opt("late").await, Ok(None))).await;
        assert_eq!(fleet.wrote("red", mark), [""; 0]);
        assert_eq!(domains.probe.visits(), []);
        let one = fleet.websites("red").get("one").await.unwrap();
        assert_eq!(one.finalizers(), [FINALIZER]);
        assert!(fleet.projects().get("red").await.unwrap().metadata.deletion_timestamp.is_some());

        held.release();
        fleet.project_gone("red").await;
        fleet.disengaged("red").await;
        assert_eq!(sites.probe.count(Point::Cleanup, "one"), 1);

        // Another one of that name is engaged like any other.
        fleet.create_shop("red").await;
        fleet.create_website("red", "one").await;
        fleet.website_ready("red", "one").await;
    }

    async fn a_cleanup_that_does_not_end_is_given_up_at_the_deadline(fleet: &Fleet) {
        fleet.create_shop("red").await;
        let (sites, _operator) = operate(fleet, Milo::external().cleanup_deadline(Duration::from_secs(1)));
        sites.probe.script(Point::Cleanup, "one", |_| Err(kommodore::Error::new("not now")));
        fleet.create_website("red", "one").await;
        fleet.website_ready("red", "one").await;
        fleet.engaged("red", &WATCHED).await;
        fleet.delete_website("red", "one").await;
        sites.probe.comes(Point::Cleanup, "one", 2).await;
        fleet.delete_project("red").await;
        fleet.disengaged("red").await;
        let mark = fleet.requests().mark();
        // A change of the project does not bring it back.
        label(fleet, "red", json!("gold")).await;
        fleet.create_shop("blue").await;
        fleet.create_website("blue", "one").await;
        fleet.website_ready("blue", "one").await;
        assert_eq!(fleet.said("red", mark), [""; 0]);
        assert_eq!(fleet.websites("red").get("one").await.unwrap().finalizers(), [FINALIZER]);
    }

    async fn one_that_loses_the_label_is_disengaged_and_one_that_gains_it_is_engaged(fleet: &Fleet) {
        for project in ["red", "blue"] {
            fleet.create_shop(project).await;
            fleet.create_website(project, "one").await;
        }
        label(fleet, "red", json!("gold")).await;
        let mark = fleet.requests().mark();
        let (_, _operator) = operate(fleet, Milo::external().grace(NEVER).labels("tier=gold"));
        fleet.website_ready("red", "one").await;
        assert_eq!(fleet.said("blue", mark), [""; 0]);
        fleet.engaged("red", &WATCHED).await;
        label(fleet, "red", json!(null)).await;
        fleet.disengaged("red").await;
        let after = fleet.requests().mark();
        fleet.set_host("red", "one", "unseen.example.com").await;
        label(fleet, "blue", json!("gold")).await;
        fleet.website_ready("blue", "one").await;
        assert_eq!(fleet.said("red", after), [""; 0]);

        let mut asked = fleet.requests().since(mark);
        asked.retain(|request| request.plural() == "projects" && request.user_agent.as_deref() == Some("operator"));
        assert!(!asked.is_empty());
        for request in asked {
            assert!(request.query.contains("labelSelector=tier%3Dgold"), "the server selects: {request}");
        }
    }

    async fn from_inside_each_project_is_reached_at_its_own_address(fleet: &Fleet) {
        fleet.create_project_control_plane("red").await;
        fleet.ensure_namespace("red", "shop").await;
        let address = fleet.direct("red").await;
        let milo = Milo::internal().grace(GRACE).resolver(move |project| {
            assert_eq!(project.as_str(), "red");
            Endpoint { host: address.ip().to_string(), port: address.port() }
        });
        let (_, _operator) = operate(fleet, milo);
        fleet.create_website("red", "one").await;
        fleet.website_ready("red", "one").await;
        fleet.engaged("red", &WATCHED).await;
        fleet.set_project_control_plane_ready("red", false).await;
        fleet.disengaged("red").await;
        let mark = fleet.requests().mark();
        fleet.set_host("red", "one", "new.example.com").await;
        fleet.set_project_control_plane_ready("red", true).await;
        let one = fleet.website_ready("red", "one").await;
        assert_eq!(condition(&one, "Ready").unwrap().observed_generation, Some(2));
        assert!(fleet.wrote("red", mark).contains(&"patch configmaps/one".to_owned()));
    }

    async fn from_inside_labels_select_and_one_that_is_deleted_stays_until_its_cleanup_has_run(fleet: &Fleet) {
        let all = fleet.project_control_planes();
        let tier = async |project: &str, tier: Value| {
            let patch = Patch::Merge(json!({"metadata": {"labels": {"tier": tier}}}));
            all.patch(project, &PatchParams::default(), &patch).await.unwrap();
        };
        let mut places = BTreeMap::new();
        for project in ["red", "blue"] {
            fleet.create_project_control_plane(project).await;
            fleet.ensure_namespace(project, "shop").await;
            places.insert(project, fleet.direct(project).await);
            tier(project, json!("gold")).await;
        }
        let milo = Milo::internal().grace(GRACE).labels("tier=gold").resolver(move |project| {
            let address = places[project.as_str()];
            Endpoint { host: address.ip().to_string(), port: address.port() }
        });
        let (sites, _operator) = operate(fleet, milo);
        fleet.create_website("red", "one").await;
        fleet.website_ready("red", "one").await;
        fleet.engaged("blue", &WATCHED).await;
        tier("red", json!(null)).await;
        fleet.disengaged("red").await;
        tier("red", json!("gold")).await;
        fleet.engaged("red", &WATCHED).await;
        let held = sites.probe.hold(Point::Cleanup, "one");
        all.delete("red", &DeleteParams::default()).await.unwrap();
        held.reached().await;
        // Blue's grace begins after red's would, and so is over after it.
        fleet.set_project_control_plane_ready("red", false).await;
        fleet.set_project_control_plane_ready("blue", false).await;
        fleet.disengaged("blue").await;
        fleet.engaged("red", &WATCHED).await;
        held.release();
        eventually("it is gone", async || matches!(all.get_opt("red").await, Ok(None))).await;
        fleet.disengaged("red").await;
        assert_eq!(sites.probe.count(Point::Cleanup, "one"), 1);
    }

    async fn one_that_is_deleted_while_nobody_runs_is_cleaned_up_by_the_next(fleet: &Fleet) {
        fleet.create_shop("red").await;
        let (_, operator) = operate(fleet, Milo::external());
        fleet.create_website("red", "one").await;
        fleet.website_ready("red", "one").await;
        operator.stop().await.unwrap();
        fleet.delete_project("red").await;
        fleet.website_is("red", "one", "it is being deleted", |one| one.metadata.deletion_timestamp.is_some()).await;
        let (sites, _operator) = operate(fleet, Milo::external());
        fleet.project_gone("red").await;
        assert_eq!(sites.probe.count(Point::Cleanup, "one"), 1);
        assert_eq!(sites.probe.count(Point::Begin, "one"), 0);
    }

    async fn projects_may_be_reached_with_credentials_of_their_own(fleet: &Fleet) {
        fleet.create_shop("red").await;
        fleet.create_website("red", "one").await;
        // The configuration that is given is told by its `User-Agent`.
        let given = Milo::external().config(fleet.operator_config());
        let manager = kommodore::Manager::builder(fleet.config()).provider(given);
        let _operator = Operator::start(manager.controller(Sites::default()));
        fleet.website_ready("red", "one").await;
        fleet.engaged("red", &WATCHED).await;
        let in_red = fleet.requests().open_watches();
        let in_red = in_red.iter().filter(|watch| watch.project.as_deref() == Some("red"));
        assert!(in_red.clone().count() >= 2 && in_red.clone().count() == fleet.watched("red").len());
    }

    async fn a_kubeconfig_that_changes_is_followed_also_in_a_project_that_is_being_deleted(fleet: &Fleet) {
        for project in ["red", "blue"] {
            fleet.create_shop(project).await;
            fleet.create_website(project, project).await;
        }
        let outage = Outage::default();
        let of_old = outage.clone();
        let old = fleet.config_behind(move |_| of_old.of_watch()).await;
        let name = format!("milo-{}", fleet.config().cluster_url.port_u16().unwrap());
        let write = |config| KubeconfigFile::write(&kubeconfig_of(&[("it", config)]), &name);
        // It is there a little later than the operator.
        let path = write(&old).0.clone();
        let (sites, _operator) = operate(fleet, Milo::external().kubeconfig(path));
        let mark = fleet.requests().mark();
        eventually("the projects are watched", async || !fleet.requests().open_watches().is_empty()).await;
        assert_eq!(fleet.said("red", mark), [""; 0]);
        let _file = write(&old);
        for project in ["red", "blue"] {
            fleet.website_ready(project, project).await;
        }
        let held = sites.probe.hold(Point::Cleanup, "red");
        fleet.delete_project("red").await;
        held.reached().await;
        outage.begin();
        fleet.set_host("blue", "blue", "new.example.com").await;
        let _file = write(&fleet.config());
        fleet.page_shows("blue", "blue", "new.example.com").await;
        held.release();
        fleet.project_gone("red").await;
    }
}
