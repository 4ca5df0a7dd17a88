//! Milo's projects come and go, and the operator with them.

use std::time::Duration;

use kommodore::{
    Action, Cleanup, ClusterState, Context, Manager, Milo, Reconcile, Result, controller,
};
use kommodore_tests::{
    Domain, DomainSpec, FINALIZER, Fault, Fleet, KubeconfigFile, Log, Operator, Outage, Point,
    Probe, Projects, Sites, WATCHED, eventually, from_both_sides, kubeconfig_of, logs_into,
    on_both_servers, stands,
};
use kube::ResourceExt;
use kube::api::{Api, PostParams};
use kube::config::AuthInfo;

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

from_both_sides! {
    async fn every_website_becomes_ready_in_every_project(fleet: &Fleet, projects: &Projects<'_>) {
        for project in ["red", "blue"] {
            projects.create_shop(project).await;
            fleet.create_website(project, "one").await;
            fleet.create_website(project, "two").await;
        }
        let (sites, _operator) = operate(fleet, projects.provider());
        for project in ["red", "blue"] {
            for name in ["one", "two"] {
                fleet.website_ready(project, name).await;
                assert_eq!(sites.probe.count_in(project, Point::Begin, name), 1);
            }
        }
    }

    async fn a_project_is_engaged_once_it_is_ready(fleet: &Fleet, projects: &Projects<'_>) {
        let (_, _operator) = operate(fleet, projects.provider());
        projects.create_shop("red").await;
        fleet.create_website("red", "one").await;
        fleet.website_ready("red", "one").await;
        let mark = fleet.requests().mark();
        projects.create_unready("blue").await;
        // What is seen of the project after it shows that blue has been seen, and let be.
        projects.set_ready("red", true).await;
        fleet.set_host("red", "one", "new.example.com").await;
        fleet.page_shows("red", "one", "new.example.com").await;
        assert_eq!(fleet.said("blue", mark), [""; 0]);
        projects.set_ready("blue", true).await;
        fleet.ensure_namespace("blue", "shop").await;
        fleet.create_website("blue", "one").await;
        fleet.website_ready("blue", "one").await;
    }

    async fn one_that_is_not_ready_for_longer_than_the_grace_is_disengaged_and_the_others_go_on(fleet: &Fleet, projects: &Projects<'_>) {
        projects.create_shop("red").await;
        projects.create_shop("blue").await;
        let (sites, _operator) = operate(fleet, projects.provider().grace(GRACE));
        for project in ["red", "blue"] {
            fleet.create_website(project, "one").await;
            fleet.website_ready(project, "one").await;
        }
        fleet.engaged("red", &WATCHED).await;
        projects.set_ready("red", false).await;
        fleet.disengaged("red").await;
        let mark = fleet.requests().mark();
        fleet.set_host("red", "one", "unseen.example.com").await;
        fleet.set_host("blue", "one", "seen.example.com").await;
        fleet.page_shows("blue", "one", "seen.example.com").await;
        assert_eq!(fleet.said("red", mark), [""; 0]);
        assert_eq!(sites.probe.count_in("red", Point::Begin, "one"), 1);

        projects.set_ready("red", true).await;
        fleet.page_shows("red", "one", "unseen.example.com").await;
        fleet.website_ready("red", "one").await;
        assert_eq!(sites.probe.count_in("red", Point::Begin, "one"), 2);
    }

    async fn one_that_is_ready_again_within_the_grace_notices_nothing(fleet: &Fleet, projects: &Projects<'_>) {
        projects.create_shop("red").await;
        projects.create_shop("blue").await;
        let (sites, _operator) = operate(fleet, projects.provider().grace(Duration::from_secs(2)));
        fleet.create_website("red", "one").await;
        fleet.website_ready("red", "one").await;
        fleet.engaged("red", &WATCHED).await;
        fleet.engaged("blue", &WATCHED).await;
        let mark = fleet.requests().mark();
        projects.set_ready("red", false).await;
        projects.set_ready("red", true).await;
        // Blue's grace begins after red's did, and so is over after red's would have been.
        projects.set_ready("blue", false).await;
        fleet.disengaged("blue").await;
        assert_eq!(fleet.said("red", mark), [""; 0]);
        fleet.set_host("red", "one", "new.example.com").await;
        fleet.page_shows("red", "one", "new.example.com").await;
        assert_eq!(sites.probe.count(Point::Begin, "one"), 2);
    }

    async fn one_that_is_deleted_stays_until_its_cleanup_has_run_and_gets_no_new_finalizers(fleet: &Fleet, projects: &Projects<'_>) {
        projects.create_shop("red").await;
        let (sites, domains) = (Sites::default(), Domains::default());
        let manager = fleet.manager_of(projects.provider().grace(GRACE));
        let _operator = Operator::start(manager.controller(sites.clone()).controller(domains.clone()));
        fleet.create_website("red", "one").await;
        fleet.website_ready("red", "one").await;
        let held = sites.probe.hold(Point::Cleanup, "one");
        projects.delete("red").await;
        held.reached().await;

        // Not ready, and that for longer than the grace: it stays all the same.
        projects.set_ready("red", false).await;
        let mark = fleet.requests().mark();
        let all: Api<Domain> = Api::all(fleet.project_client("red"));
        let late = Domain::new("late", DomainSpec { contact: "me".into() });
        all.create(&PostParams::default(), &late).await.unwrap();
        eventually("what came late goes", async || matches!(all.get_opt("late").await, Ok(None))).await;
        assert_eq!(fleet.wrote("red", mark), [""; 0]);
        assert_eq!(domains.probe.visits(), []);
        let one = fleet.websites("red").get("one").await.unwrap();
        assert_eq!(one.finalizers(), [FINALIZER]);
        assert!(projects.api().get("red").await.unwrap().metadata.deletion_timestamp.is_some());

        held.release();
        projects.gone("red").await;
        fleet.disengaged("red").await;
        assert_eq!(sites.probe.count(Point::Cleanup, "one"), 1);

        // Another one of that name is engaged like any other.
        projects.create_shop("red").await;
        fleet.create_website("red", "one").await;
        fleet.website_ready("red", "one").await;
    }

    async fn a_cleanup_that_does_not_end_is_given_up_at_the_deadline(fleet: &Fleet, projects: &Projects<'_>) {
        projects.create_shop("red").await;
        let (sites, _operator) = operate(fleet, projects.provider().cleanup_deadline(Duration::from_secs(1)));
        sites.probe.script(Point::Cleanup, "one", |_| Err(kommodore::Error::new("not now")));
        fleet.create_website("red", "one").await;
        fleet.website_ready("red", "one").await;
        fleet.engaged("red", &WATCHED).await;
        fleet.delete_website("red", "one").await;
        sites.probe.comes(Point::Cleanup, "one", 2).await;
        projects.delete("red").await;
        fleet.disengaged("red").await;
        let mark = fleet.requests().mark();
        // A change of the project does not bring it back.
        projects.set_tier("red", Some("gold")).await;
        projects.create_shop("blue").await;
        fleet.create_website("blue", "one").await;
        fleet.website_ready("blue", "one").await;
        assert_eq!(fleet.said("red", mark), [""; 0]);
        assert_eq!(fleet.websites("red").get("one").await.unwrap().finalizers(), [FINALIZER]);
    }

    async fn one_that_loses_the_label_is_disengaged_and_one_that_gains_it_is_engaged(fleet: &Fleet, projects: &Projects<'_>) {
        for project in ["red", "blue"] {
            projects.create_shop(project).await;
            fleet.create_website(project, "one").await;
        }
        projects.set_tier("red", Some("gold")).await;
        let mark = fleet.requests().mark();
        let (_, _operator) = operate(fleet, projects.provider().grace(NEVER).labels("tier=gold"));
        fleet.website_ready("red", "one").await;
        assert_eq!(fleet.said("blue", mark), [""; 0]);
        fleet.engaged("red", &WATCHED).await;
        projects.set_tier("red", None).await;
        fleet.disengaged("red").await;
        let after = fleet.requests().mark();
        fleet.set_host("red", "one", "unseen.example.com").await;
        projects.set_tier("blue", Some("gold")).await;
        fleet.website_ready("blue", "one").await;
        assert_eq!(fleet.said("red", after), [""; 0]);

        let mut asked = fleet.requests().since(mark);
        asked.retain(|request| request.plural() == projects.plural() && request.user_agent.as_deref() == Some("operator"));
        assert!(!asked.is_empty());
        for request in asked {
            assert!(request.query.contains("labelSelector=tier%3Dgold"), "the server selects: {request}");
        }
    }

    async fn one_that_is_deleted_while_nobody_runs_is_cleaned_up_by_the_next(fleet: &Fleet, projects: &Projects<'_>) {
        projects.create_shop("red").await;
        let (_, operator) = operate(fleet, projects.provider());
        fleet.create_website("red", "one").await;
        fleet.website_ready("red", "one").await;
        operator.stop().await.unwrap();
        projects.delete("red").await;
        fleet.website_is("red", "one", "it is being deleted", |one| one.metadata.deletion_timestamp.is_some()).await;
        let (sites, _operator) = operate(fleet, projects.provider());
        projects.gone("red").await;
        assert_eq!(sites.probe.count(Point::Cleanup, "one"), 1);
        assert_eq!(sites.probe.count(Point::Begin, "one"), 0);
    }

    async fn projects_may_be_reached_with_credentials_of_their_own(fleet: &Fleet, projects: &Projects<'_>) {
        projects.create_shop("red").await;
        fleet.create_website("red", "one").await;
        // The configuration that is given is told by its `User-Agent`.
        let given = projects.provider().config(fleet.operator_config());
        let manager = Manager::builder(fleet.config()).provider(given);
        let _operator = Operator::start(manager.controller(Sites::default()));
        fleet.website_ready("red", "one").await;
        fleet.engaged("red", &WATCHED).await;
        let in_red = fleet.requests().open_watches();
        let in_red = in_red.iter().filter(|watch| watch.project.as_deref() == Some("red"));
        assert!(in_red.clone().count() >= 2 && in_red.clone().count() == fleet.watched("red").len());
    }

    async fn another_token_in_the_kubeconfig_engages_what_was_refused_with_the_one_before(fleet: &Fleet, projects: &Projects<'_>) {
        projects.create_shop("red").await;
        fleet.create_website("red", "one").await;
        let right = fleet.config();
        let mut wrong = right.clone();
        wrong.auth_info = AuthInfo { token: Some("of nobody".to_owned().into()), ..AuthInfo::default() };
        let name = format!("token-{}", right.cluster_url.port_u16().unwrap());
        let file = KubeconfigFile::write(&kubeconfig_of(&[("it", &wrong)]), &name);
        let manager = fleet.manager_of(projects.provider().kubeconfig(&file.0));
        let status = manager.fleet();
        let sites = Sites::default();
        let _operator = Operator::start(manager.controller(sites.clone()));
        let refused = async || status.cluster("red").and_then(|red| red.last_error);
        let error = eventually("it is refused", refused).await;
        assert!(error.contains("401"), "{error}");
        let _file = KubeconfigFile::write(&kubeconfig_of(&[("it", &right)]), &name);
        fleet.website_ready("red", "one").await;
        stands(&status, "red", ClusterState::Engaged).await;
    }
}

on_both_servers! {
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

#[tokio::test]
async fn another_project_of_the_same_name_that_came_unseen_is_another_also_where_labels_select() {
    let fleet = Fleet::embedded().await;
    let projects = Projects::outside(&fleet);
    let outage = Outage::default();
    let of_root = outage.clone();
    let config = fleet
        .config_behind(move |asked| match asked.is_in("") {
            true => Fault::None,
            false => of_root.of_watch(),
        })
        .await;
    let log = Log::default();
    let _logs = logs_into(&log);
    let manager = Manager::builder(config).provider(Milo::external().labels("tier=gold"));
    let _operator = Operator::start(manager.controller(Sites::default()));
    projects.create_shop("red").await;
    projects.set_tier("red", Some("gold")).await;
    fleet.create_website("red", "one").await;
    fleet.website_ready("red", "one").await;
    outage.begin();
    fleet.delete_website("red", "one").await;
    fleet.website_gone("red", "one").await;
    projects.delete("red").await;
    projects.gone("red").await;
    projects.create_shop("red").await;
    projects.set_tier("red", Some("gold")).await;
    outage.end();
    log.says("disengaged cluster=red reason=Gone").await;
    fleet.create_website("red", "one").await;
    fleet.website_ready("red", "one").await;
}
