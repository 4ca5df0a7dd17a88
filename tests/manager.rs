//! A manager from its start to its end.

use std::time::Duration;

use k8s_openapi::api::core::v1::Namespace;
use kommodore::{Action, Context, Manager, Milo, Reconcile, Result, controller};
use kommodore_tests::{
    Fleet, NAMESPACE, Operator, Point, Sites, WATCHED, Website, eventually, on_both_servers,
    website,
};
use kube::api::{Api, PostParams};

const LONG: Duration = Duration::from_secs(600);

/// Another one that says whether a website is Ready.
#[controller(for = Website, name = "rival", conditions)]
struct Rival;

impl Reconcile for Rival {
    async fn reconcile(&self, _: &Website, _: &Context<Self>) -> Result<Action> {
        Ok(Action::done())
    }
}

/// One with the name of [`Sites`].
#[controller(for = Website, name = "sites")]
struct Namesake;

impl Reconcile for Namesake {
    async fn reconcile(&self, _: &Website, _: &Context<Self>) -> Result<Action> {
        Ok(Action::done())
    }
}

async fn refused(builder: kommodore::Builder) -> String {
    let error = builder.run_until(std::future::pending()).await.unwrap_err();
    format!("{error:#}")
}

on_both_servers! {
    async fn what_cannot_work_is_refused_at_the_start(fleet: &Fleet) {
        let mark = fleet.requests().mark();
        let none = refused(fleet.manager()).await;
        assert!(none.contains("no controller") && none.contains(".controller("), "{none}");
        let twice = refused(fleet.manager().controller(Sites::default()).controller(Namesake)).await;
        assert!(twice.contains("two controllers are named `sites`"), "{twice}");
        let rivals = refused(fleet.manager().controller(Sites::default()).controller(Rival)).await;
        for word in ["`sites`", "`rival`", "Ready", "Website"] {
            assert!(rivals.contains(word), "{rivals}");
        }
        assert_eq!(fleet.requests().since(mark).len(), 0);
    }

    async fn without_a_provider_it_works_in_the_cluster_that_it_is_given(fleet: &Fleet) {
        let namespaces: Api<Namespace> = Api::all(fleet.client());
        let mut namespace = Namespace::default();
        namespace.metadata.name = Some(NAMESPACE.into());
        eventually("the namespace is there", async || {
            let created = namespaces.create(&PostParams::default(), &namespace).await;
            created.is_ok() || namespaces.get(NAMESPACE).await.is_ok_and(|found| {
                found.metadata.deletion_timestamp.is_none()
            })
        })
        .await;
        fleet.create_shop("red").await;
        fleet.create_website("red", "one").await;
        let mark = fleet.requests().mark();
        let sites = Sites::default();
        let _operator = Operator::start(Manager::builder(fleet.operator_config()).controller(sites.clone()));
        let websites: Api<Website> = Api::namespaced(fleet.client(), NAMESPACE);
        websites.create(&PostParams::default(), &website("one")).await.unwrap();
        eventually("the website is Ready", async || {
            let one = websites.get("one").await.unwrap();
            kommodore_tests::status_of(&one, "Ready") == Some(("True", "ReconcileSucceeded"))
        })
        .await;
        assert_eq!(sites.probe.visits()[0].cluster, "local");
        assert_eq!(fleet.said("red", mark), [""; 0]);
    }

    async fn what_runs_may_finish_and_nothing_new_begins_once_it_is_stopped(fleet: &Fleet) {
        fleet.create_shop("red").await;
        let sites = Sites::default();
        let mut operator = Operator::start(fleet.manager().grace(LONG).controller(sites.clone()));
        let held = sites.probe.hold(Point::Begin, "one");
        fleet.create_website("red", "one").await;
        held.reached().await;
        fleet.engaged("red", &WATCHED).await;
        operator.interrupt();
        fleet.disengaged("red").await;
        fleet.create_website("red", "two").await;
        assert!(!operator.has_ended());
        held.release();
        operator.stop().await.unwrap();
        let mark = fleet.requests().mark();
        let one = fleet.website_ready("red", "one").await;
        fleet.page_shows("red", "one", "one.example.com").await;
        assert_eq!(one.status.unwrap().observed_generation, Some(1));
        assert_eq!(fleet.websites("red").get("two").await.unwrap().metadata.finalizers, None);
        assert_eq!(sites.probe.count(Point::Begin, "two"), 0);
        assert_eq!(fleet.said("red", mark), [""; 0], "it has ended");
    }

    async fn what_does_not_finish_within_the_grace_is_cancelled(fleet: &Fleet) {
        fleet.create_shop("red").await;
        let sites = Sites::default();
        let manager = fleet.manager().grace(Duration::from_millis(300)).reconcile_timeout(LONG);
        let operator = Operator::start(manager.controller(sites.clone()));
        let held = sites.probe.hold(Point::Begin, "one");
        fleet.create_website("red", "one").await;
        held.reached().await;
        operator.stop().await.unwrap();
        let mark = fleet.requests().mark();
        held.release();
        // Somebody else's turn shows that the one who was held up does not go on.
        let next = Sites::default();
        let _next = Operator::start(fleet.manager().controller(next.clone()));
        fleet.website_ready("red", "one").await;
        let wrote = fleet.wrote("red", mark);
        assert_eq!(wrote, ["patch configmaps/one", "patch websites/one/status"]);
        assert_eq!(sites.probe.count(Point::Applied, "one"), 0);
        assert_eq!(next.probe.count(Point::Begin, "one"), 1);
    }

    async fn it_ends_although_a_project_answers_nothing(fleet: &Fleet) {
        fleet.create_shop("red").await;
        fleet.create_shop("blue").await;
        fleet.silence("red");
        let sites = Sites::default();
        let operator = Operator::start(fleet.manager().grace(LONG).controller(sites));
        fleet.engaged("blue", &WATCHED).await;
        let mut ended = Box::pin(operator.stop());
        eventually("it ends", async || match futures::poll!(&mut ended) {
            std::task::Poll::Ready(ended) => Some(ended),
            std::task::Poll::Pending => None,
        })
        .await
        .unwrap();
        // The server hears of it a moment later.
        fleet.disengaged("blue").await;
        fleet.unsilence("red");
    }

    async fn a_running_reconcile_may_finish_when_its_project_is_disengaged(fleet: &Fleet) {
        fleet.create_shop("red").await;
        let sites = Sites::default();
        let milo = Milo::external().grace(Duration::from_millis(100));
        let _operator = Operator::start(fleet.manager_of(milo).grace(LONG).controller(sites.clone()));
        fleet.engaged("red", &WATCHED).await;
        let held = sites.probe.hold(Point::Begin, "one");
        fleet.create_website("red", "one").await;
        held.reached().await;
        fleet.set_project_ready("red", false).await;
        fleet.disengaged("red").await;
        held.release();
        fleet.website_ready("red", "one").await;
        // It is engaged anew once it is ready, and not before.
        assert_eq!(fleet.watched("red"), [""; 0]);
        fleet.set_project_ready("red", true).await;
        fleet.set_host("red", "one", "new.example.com").await;
        fleet.page_shows("red", "one", "new.example.com").await;
    }
}
