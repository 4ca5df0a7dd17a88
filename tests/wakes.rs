//! What wakes an object, and how many run at once.

use k8s_openapi::api::core::v1::{Namespace, Secret};
use kommodore::{Action, Cluster, Context, ObjectKey, Reconcile, Result, controller};
use kommodore_tests::{
    Fleet, Hold, NAMESPACE, Operator, Point, Probe, Sentinel, Sites, WATCHED, Website, eventually,
    on_both_servers, website,
};
use kube::ResourceExt;
use kube::api::{Api, DeleteParams, Patch, PatchParams, PostParams};
use serde_json::json;

/// How many websites of one project are worked on at once.
const AT_ONCE: usize = 8;

/// Looks at certificates.
#[controller(
    for = Website,
    watches(Secret => Self::sites_with, Namespace => Self::sites_in),
)]
#[derive(Clone, Default)]
struct Certificates {
    probe: Probe,
}

impl Reconcile for Certificates {
    async fn reconcile(&self, site: &Website, cx: &Context<Self>) -> Result<Action> {
        self.probe.at(Point::Begin, cx).await?;
        let mut certificate = None;
        if let Some(name) = &site.spec.certificate {
            certificate = cx.get::<Secret>(name).await?;
        }
        let data = certificate
            .as_ref()
            .and_then(|secret| secret.data.as_ref()?.get("tls.crt"));
        cx.status(|status| {
            status.url = data.map(|data| String::from_utf8_lossy(&data.0).into_owned())
        });
        Ok(Action::done())
    }
}

impl Certificates {
    fn sites_with(
        &self,
        secret: &Secret,
        cluster: &Cluster,
    ) -> impl IntoIterator<Item = ObjectKey> {
        cluster
            .list::<Website>()
            .filter(|site| {
                site.namespace() == secret.namespace()
                    && site.spec.certificate == secret.metadata.name
            })
            .map(ObjectKey::of)
    }

    async fn sites_in(&self, namespace: &Namespace, cluster: &Cluster) -> Vec<ObjectKey> {
        tokio::task::yield_now().await;
        let inside = cluster
            .list::<Website>()
            .filter(|site| site.namespace() == namespace.metadata.name);
        inside.map(ObjectKey::of).collect()
    }
}

fn secret(name: &str, content: &str) -> Secret {
    let data = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": {"tls.crt": content},
    });
    serde_json::from_value(data).unwrap()
}

async fn shows(fleet: &Fleet, name: &str, url: Option<&str>) {
    let what = format!("it shows {url:?}");
    fleet
        .website_is("red", name, &what, |site| {
            site.status
                .as_ref()
                .and_then(|status| status.url.as_deref())
                == url
        })
        .await;
}

on_both_servers! {
    async fn what_is_watched_wakes_those_whom_the_mapper_names(fleet: &Fleet) {
        fleet.create_shop("red").await;
        let probe = Probe::default();
        let _operator = Operator::start(fleet.manager().controller(Certificates { probe: probe.clone() }));
        fleet.engaged("red", &["websites", "secrets", "namespaces"]).await;
        let websites = fleet.websites("red");
        let mut one = website("one");
        one.spec.certificate = Some("cert".into());
        websites.create(&PostParams::default(), &one).await.unwrap();
        websites.create(&PostParams::default(), &website("two")).await.unwrap();
        for name in ["one", "two"] {
            fleet.website_is("red", name, "it has been looked at", |site| site.status.is_some()).await;
        }

        let mark = fleet.requests().mark();
        let secrets: Api<Secret> = Api::namespaced(fleet.project_client("red"), NAMESPACE);
        secrets.create(&PostParams::default(), &secret("cert", "first")).await.unwrap();
        shows(fleet, "one", Some("first")).await;
        let second = Patch::Merge(json!({"stringData": {"tls.crt": "second"}}));
        secrets.patch("cert", &PatchParams::default(), &second).await.unwrap();
        shows(fleet, "one", Some("second")).await;
        // One that nobody uses wakes nobody, and is seen before the next.
        secrets.create(&PostParams::default(), &secret("unused", "x")).await.unwrap();
        secrets.delete("cert", &DeleteParams::default()).await.unwrap();
        shows(fleet, "one", None).await;
        assert_eq!((probe.count(Point::Begin, "one"), probe.count(Point::Begin, "two")), (4, 1));
        let said = fleet.said("red", mark);
        assert!(said.iter().all(|said| said == "patch websites/one/status"), "a watched kind is not read: {said:?}");

        let namespaces: Api<Namespace> = Api::all(fleet.project_client("red"));
        let label = Patch::Merge(json!({"metadata": {"labels": {"a": "b"}}}));
        namespaces.patch(NAMESPACE, &PatchParams::default(), &label).await.unwrap();
        probe.comes(Point::Begin, "one", 5).await;
        probe.comes(Point::Begin, "two", 2).await;
    }

    async fn changes_during_a_run_come_to_one_more_run_after_it(fleet: &Fleet) {
        fleet.create_shop("red").await;
        let sites = Sites::default();
        let _operator = Operator::start(fleet.manager().controller(sites.clone()));
        fleet.engaged("red", &WATCHED).await;
        let sentinel = Sentinel::new(fleet, "red").await;
        let held = sites.probe.hold(Point::Begin, "one");
        fleet.create_website("red", "one").await;
        held.reached().await;
        for host in ["a.example.com", "b.example.com", "c.example.com"] {
            fleet.set_host("red", "one", host).await;
        }
        sentinel.passes(fleet).await;
        assert_eq!(sites.probe.count(Point::Begin, "one"), 1, "never twice at once");
        held.release();
        fleet.page_shows("red", "one", "c.example.com").await;
        fleet.website_ready("red", "one").await;
        sentinel.passes(fleet).await;
        assert_eq!(sites.probe.count(Point::Begin, "one"), 2);
    }

    async fn a_change_during_the_last_moment_of_a_run_is_not_lost(fleet: &Fleet) {
        fleet.create_shop("red").await;
        let sites = Sites::default();
        let _operator = Operator::start(fleet.manager().controller(sites.clone()));
        let held = sites.probe.hold(Point::Applied, "one");
        fleet.create_website("red", "one").await;
        held.reached().await;
        fleet.set_host("red", "one", "late.example.com").await;
        fleet.edit_page("red", "one").await;
        held.release();
        fleet.page_shows("red", "one", "late.example.com").await;
        let one = fleet.website_ready("red", "one").await;
        assert_eq!(one.status.unwrap().url.as_deref(), Some("http://late.example.com"));
    }

    async fn so_many_of_a_project_run_at_once_and_the_others_wait_their_turn(fleet: &Fleet) {
        fleet.create_shop("red").await;
        fleet.create_shop("blue").await;
        let names: Vec<String> = (0..AT_ONCE + 3).map(|number| format!("site-{number}")).collect();
        let sites = Sites::default();
        let holds: Vec<Hold> = names.iter().map(|name| sites.probe.hold(Point::Begin, name)).collect();
        for name in &names {
            fleet.create_website("red", name).await;
        }
        let _operator = Operator::start(fleet.manager().controller(sites.clone()));
        let begun = || sites.probe.visits().iter().filter(|visit| visit.cluster == "red").count();
        eventually("as many as may run do", async || begun() >= AT_ONCE).await;
        // A project that is full takes no place of another.
        fleet.create_website("blue", "one").await;
        fleet.website_ready("blue", "one").await;
        fleet.set_host("blue", "one", "new.example.com").await;
        fleet.page_shows("blue", "one", "new.example.com").await;
        assert_eq!(begun(), AT_ONCE);
        drop(holds);
        for name in &names {
            fleet.website_ready("red", name).await;
            assert_eq!(sites.probe.count(Point::Begin, name), 1);
        }
    }

    async fn two_controllers_of_one_kind_share_its_watch(fleet: &Fleet) {
        fleet.create_shop("red").await;
        let (sites, certificates) = (Sites::default(), Certificates::default());
        let manager = fleet.manager().controller(sites.clone()).controller(certificates.clone());
        let _operator = Operator::start(manager);
        fleet.engaged("red", &["websites", "configmaps", "secrets", "namespaces"]).await;
        let mut watched = fleet.watched("red");
        watched.sort();
        assert_eq!(watched, ["configmaps", "namespaces", "secrets", "websites"]);
        fleet.create_website("red", "one").await;
        fleet.website_ready("red", "one").await;
        certificates.probe.comes(Point::Begin, "one", 1).await;
    }

    async fn a_mapper_that_panics_costs_one_change_and_no_more(fleet: &Fleet) {
        fleet.create_shop("red").await;
        let probe = Probe::default();
        let secrets: Api<Secret> = Api::namespaced(fleet.project_client("red"), NAMESPACE);
        secrets.create(&PostParams::default(), &secret("poison", "x")).await.unwrap();
        let _operator = Operator::start(fleet.manager().controller(Certificates { probe: probe.clone() }));
        let mut one = website("one");
        one.spec.certificate = Some("cert".into());
        fleet.websites("red").create(&PostParams::default(), &one).await.unwrap();
        probe.comes(Point::Begin, "one", 1).await;
        secrets.delete("poison", &DeleteParams::default()).await.unwrap();
        secrets.create(&PostParams::default(), &secret("cert", "first")).await.unwrap();
        shows(fleet, "one", Some("first")).await;
    }
}
