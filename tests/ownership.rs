//! Children: whose they are, and what becomes of those that are not ours.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kommodore::{Action, Cleanup, Context, NotOwned, Reconcile, Result, controller};
use kommodore_tests::{
    Domain, DomainSpec, Fleet, NAMESPACE, Operator, Point, Probe, Sites, WATCHED, Website,
    condition, eventually, needs_garbage_collection, on_both_servers, page, status_of,
};
use kube::api::{Api, DeleteParams, Patch, PatchParams, PostParams};
use kube::{Resource, ResourceExt};
use serde_json::json;

/// Keeps a ConfigMap for something that is in no namespace.
#[controller(for = Domain, owns(ConfigMap), finalizer = "demo.kommodore.dev/zones", conditions)]
#[derive(Clone, Default)]
struct Zones {
    probe: Probe,
}

impl Reconcile for Zones {
    async fn reconcile(&self, domain: &Domain, cx: &Context<Self>) -> Result<Action> {
        self.probe.at(Point::Begin, cx).await?;
        let mut zone = config_map("zone", &domain.spec.contact);
        zone.metadata.namespace = Some(NAMESPACE.into());
        cx.apply(zone).await?;
        Ok(Action::done())
    }
}

impl Cleanup for Zones {
    async fn cleanup(&self, _: &Domain, cx: &Context<Self>) -> Result<Action> {
        self.probe.end(Point::Cleanup, cx).await
    }
}

/// Applies what the host of a website names, and remembers what it was refused.
#[controller(for = Website, owns(ConfigMap), conditions)]
#[derive(Clone, Default)]
struct Shelf {
    refused: Arc<Mutex<Vec<&'static str>>>,
}

impl Reconcile for Shelf {
    async fn reconcile(&self, site: &Website, cx: &Context<Self>) -> Result<Action> {
        let mut page = page(site);
        let applied = match site.spec.host.as_str() {
            "adopted" => cx.apply(page).adopt().await.map(|_| ()),
            "unforced" => cx.apply(page).unforced().await.map(|_| ()),
            "elsewhere" => {
                page.metadata.namespace = Some("default".into());
                cx.apply(page).await.map(|_| ())
            }
            "nameless" => {
                page.metadata.name = None;
                cx.apply(page).await.map(|_| ())
            }
            "cluster" => cx
                .apply(Domain::new(
                    "one",
                    DomainSpec {
                        contact: "me".into(),
                    },
                ))
                .await
                .map(|_| ()),
            "read" => {
                let read = cx.get::<ConfigMap>(site.name_any()).await?;
                let mut page = read.map(Arc::unwrap_or_clone).unwrap_or_default();
                page.data = Some(BTreeMap::from([(
                    "index.html".into(),
                    "read and written".into(),
                )]));
                cx.apply(page).await.map(|_| ())
            }
            _ => cx.apply(page).await.map(|_| ()),
        };
        if let Err(error) = &applied {
            self.refused
                .lock()
                .unwrap()
                .push(match error.find::<NotOwned>() {
                    Some(NotOwned::Foreign { .. }) => "foreign",
                    Some(NotOwned::Controlled { .. }) => "controlled",
                    Some(NotOwned::OtherNamespace { .. }) => "other namespace",
                    Some(NotOwned::ClusterScoped { .. }) => "cluster-scoped",
                    Some(NotOwned::Nameless { .. }) => "nameless",
                    _ => "other",
                });
        }
        applied?;
        Ok(Action::done())
    }
}

impl Shelf {
    fn was_refused(&self, why: &str) -> bool {
        self.refused.lock().unwrap().last() == Some(&why)
    }
}

fn config_map(name: &str, content: &str) -> ConfigMap {
    let mut map = ConfigMap {
        data: Some(BTreeMap::from([("index.html".into(), content.into())])),
        ..ConfigMap::default()
    };
    map.metadata.name = Some(name.into());
    map
}

async fn at_work(fleet: &Fleet) -> (Shelf, Operator) {
    fleet.create_shop("red").await;
    let shelf = Shelf::default();
    let operator = Operator::start(fleet.manager().controller(shelf.clone()));
    fleet.engaged("red", &WATCHED).await;
    (shelf, operator)
}

async fn create_page(fleet: &Fleet, owner: Option<OwnerReference>) -> ConfigMap {
    let mut map = config_map("one", "somebody's");
    map.metadata.owner_references = owner.map(|owner| vec![owner]);
    fleet
        .pages("red")
        .create(&PostParams::default(), &map)
        .await
        .unwrap()
}

/// The message of the failure that the website `one` tells of, and whether it is stalled.
async fn refusal(fleet: &Fleet, contains: &str) -> (String, bool) {
    let one = fleet
        .website_is("red", "one", contains, |one| {
            status_of(one, "Ready") == Some(("False", "ReconcileFailed"))
                && condition(one, "Ready").is_some_and(|ready| ready.message.contains(contains))
        })
        .await;
    (
        condition(&one, "Ready").unwrap().message.clone(),
        condition(&one, "Stalled").is_some(),
    )
}

on_both_servers! {
    async fn something_cluster_scoped_keeps_a_child_in_a_namespace(fleet: &Fleet) {
        needs_garbage_collection!(fleet);
        fleet.create_shop("red").await;
        let zones = Zones::default();
        let _operator = Operator::start(fleet.manager().controller(zones.clone()));
        fleet.engaged("red", &["domains", "configmaps"]).await;
        let domains: Api<Domain> = Api::all(fleet.project_client("red"));
        let mark = fleet.requests().mark();
        let domain = Domain::new("example.com", DomainSpec { contact: "me".into() });
        domains.create(&PostParams::default(), &domain).await.unwrap();
        eventually("the domain is Ready", async || {
            domains.get("example.com").await.is_ok_and(|domain| {
                domain.status.is_some_and(|status| status.conditions.iter().any(|found| found.status == "True"))
            })
        })
        .await;
        let all = ["patch domains/example.com", "patch configmaps/zone", "patch domains/example.com/status"];
        assert_eq!(fleet.said("red", mark), all);
        let zone = fleet.pages("red").get("zone").await.unwrap();
        assert_eq!(zone.metadata.owner_references.unwrap()[0].kind, "Domain");

        // One key, whatever namespace the child is in.
        fleet.edit_page("red", "zone").await;
        fleet.page_shows("red", "zone", "me").await;
        assert_eq!(zones.probe.count(Point::Begin, "example.com"), 2);
        let visit = zones.probe.visits().remove(0);
        assert_eq!((visit.cluster.as_str(), visit.name.as_str()), ("red", "example.com"));

        domains.delete("example.com", &DeleteParams::default()).await.unwrap();
        eventually("the domain is gone", async || matches!(domains.get_opt("example.com").await, Ok(None))).await;
        eventually("its child is gone", async || matches!(fleet.pages("red").get_opt("zone").await, Ok(None))).await;
        assert_eq!(zones.probe.count(Point::Cleanup, "example.com"), 1);
    }

    async fn what_nobody_controls_is_left_alone(fleet: &Fleet) {
        let (shelf, _operator) = at_work(fleet).await;
        let theirs = create_page(fleet, None).await;
        fleet.create_website("red", "one").await;
        let (message, stalled) = refusal(fleet, "is controlled by nobody").await;
        assert!(message.contains("ConfigMap shop/one") && message.contains(".adopt()"), "{message}");
        assert!(!stalled && shelf.was_refused("foreign"));
        let page = fleet.pages("red").get("one").await.unwrap();
        assert_eq!(page.resource_version(), theirs.resource_version());
        fleet.pages("red").delete("one", &DeleteParams::default()).await.unwrap();
        fleet.website_ready("red", "one").await;
        fleet.page_shows("red", "one", "one.example.com").await;
    }

    async fn what_nobody_controls_is_adopted_on_request(fleet: &Fleet) {
        let (shelf, _operator) = at_work(fleet).await;
        let theirs = create_page(fleet, None).await;
        let one = fleet.create_website("red", "one").await;
        refusal(fleet, "is controlled by nobody").await;
        assert!(shelf.was_refused("foreign"));
        fleet.set_host("red", "one", "adopted").await;
        let ours = fleet.page_shows("red", "one", "adopted").await;
        assert_eq!(ours.uid(), theirs.uid());
        assert_eq!(ours.metadata.owner_references.unwrap()[0].uid, one.uid().unwrap());
        fleet.website_ready("red", "one").await;
    }

    async fn what_another_controls_is_never_taken(fleet: &Fleet) {
        let (shelf, _operator) = at_work(fleet).await;
        let other = fleet.create_website("red", "other").await;
        fleet.website_ready("red", "other").await;
        let theirs = create_page(fleet, other.controller_owner_ref(&())).await;
        fleet.create_website("red", "one").await;
        let (message, stalled) = refusal(fleet, "is controlled by").await;
        assert!(message.contains("ConfigMap shop/one is controlled by Website other"), "{message}");
        assert!(!stalled && shelf.was_refused("controlled"));
        let asked = shelf.refused.lock().unwrap().len();
        fleet.set_host("red", "one", "adopted").await;
        eventually("it is refused again", async || shelf.refused.lock().unwrap().len() > asked + 1).await;
        assert!(shelf.was_refused("controlled"), "to adopt is to take from nobody, not from another");
        let page = fleet.pages("red").get("one").await.unwrap();
        assert_eq!(page.resource_version(), theirs.resource_version());
    }

    async fn a_conflict_is_shown_when_it_is_not_forced(fleet: &Fleet) {
        let (shelf, _operator) = at_work(fleet).await;
        fleet.create_website("red", "one").await;
        fleet.set_host("red", "one", "unforced").await;
        fleet.website_ready("red", "one").await;
        fleet.page_shows("red", "one", "unforced").await;
        let theirs = json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"index.html": "theirs"}});
        let apply = PatchParams::apply("somebody").force();
        fleet.pages("red").patch("one", &apply, &Patch::Apply(theirs)).await.unwrap();
        let (message, _) = refusal(fleet, "conflict").await;
        assert!(message.contains("somebody") && message.contains(".data.index.html"), "{message}");
        assert!(shelf.was_refused("other"));
        fleet.page_shows("red", "one", "theirs").await;
        // And is won when it is.
        fleet.set_host("red", "one", "forced").await;
        fleet.page_shows("red", "one", "forced").await;
        fleet.website_ready("red", "one").await;
    }

    async fn a_child_that_the_garbage_collector_would_delete_is_refused(fleet: &Fleet) {
        let (shelf, _operator) = at_work(fleet).await;
        fleet.create_website("red", "one").await;
        fleet.website_ready("red", "one").await;
        for (host, why, says) in [
            ("elsewhere", "other namespace", "ConfigMap default/one cannot be owned by Website shop/one"),
            ("cluster", "cluster-scoped", "Domain one cannot be owned by Website shop/one"),
            ("nameless", "nameless", "a ConfigMap without `metadata.name` cannot be applied"),
        ] {
            let mark = fleet.requests().mark();
            fleet.set_host("red", "one", host).await;
            let (_, stalled) = refusal(fleet, says).await;
            assert!(stalled && shelf.was_refused(why), "{host}: {:?}", shelf.refused.lock().unwrap());
            assert_eq!(fleet.said("red", mark), ["patch websites/one/status"], "nothing is sent for {host}");
        }
    }

    async fn what_was_read_can_be_applied_as_it_is(fleet: &Fleet) {
        let (_, _operator) = at_work(fleet).await;
        fleet.create_website("red", "one").await;
        fleet.page_shows("red", "one", "one.example.com").await;
        fleet.set_host("red", "one", "read").await;
        let page = fleet.page_shows("red", "one", "read and written").await;
        assert_eq!(page.metadata.owner_references.unwrap().len(), 1);
        fleet.website_ready("red", "one").await;
    }

    async fn what_others_put_into_a_child_stays(fleet: &Fleet) {
        let (_, _operator) = at_work(fleet).await;
        fleet.create_website("red", "one").await;
        fleet.page_shows("red", "one", "one.example.com").await;
        let theirs = json!({"data": {"robots.txt": "theirs", "index.html": "theirs"}, "metadata": {"labels": {"a": "b"}}});
        fleet.pages("red").patch("one", &PatchParams::default(), &Patch::Merge(theirs)).await.unwrap();
        let page = fleet.page_shows("red", "one", "one.example.com").await;
        assert_eq!(page.labels()["a"], "b");
        assert_eq!(page.data.unwrap()["robots.txt"], "theirs");
    }

    async fn a_child_that_loses_its_owner_is_not_ours_any_more(fleet: &Fleet) {
        fleet.create_shop("red").await;
        let sites = Sites::default();
        let _operator = Operator::start(fleet.manager().controller(sites.clone()));
        fleet.create_website("red", "one").await;
        fleet.website_ready("red", "one").await;
        let orphan = json!({"metadata": {"ownerReferences": null}});
        fleet.pages("red").patch("one", &PatchParams::default(), &Patch::Merge(orphan)).await.unwrap();
        let (message, _) = refusal(fleet, "is controlled by nobody").await;
        assert!(message.contains(".adopt()"));
        fleet.pages("red").delete("one", &DeleteParams::default()).await.unwrap();
        fleet.website_ready("red", "one").await;
    }
}
