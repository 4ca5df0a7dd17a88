//! What a controller sees of the objects that are watched.

use std::sync::{Arc, Mutex};

use k8s_openapi::api::core::v1::ConfigMap;
use kommodore::{Action, Builder, Cleanup, Context, Reconcile, Result, controller};
use kommodore_tests::{
    Fleet, NAMESPACE, Operator, Point, Probe, Sentinel, WATCHED, Website, on_both_servers, page,
    website,
};
use kube::ResourceExt;
use kube::api::{Api, ObjectMeta, PostParams};
use kube::core::{Expression, Selector};
use serde_json::json;

const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// The annotations of an object, and whether it has managed fields.
type Seen = (Vec<String>, bool);

/// Remembers which annotations it saw, and whether managed fields. It gets each object as the server returned it for
/// the finalizer, and after that as it was watched.
#[controller(
    for = Website,
    owns(ConfigMap),
    finalizer = "demo.kommodore.dev/looker",
    conditions,
)]
#[derive(Clone, Default)]
struct Looker {
    probe: Probe,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Reconcile for Looker {
    async fn reconcile(&self, site: &Website, cx: &Context<Self>) -> Result<Action> {
        if site.name_any() == "one" {
            let annotations = site.annotations().keys().cloned().collect();
            let managed = !site.managed_fields().is_empty();
            self.seen.lock().unwrap().push((annotations, managed));
        }
        cx.apply(page(site)).await?;
        self.probe.end(Point::Begin, cx).await
    }
}

impl Cleanup for Looker {
    async fn cleanup(&self, _: &Website, cx: &Context<Self>) -> Result<Action> {
        self.probe.end(Point::Cleanup, cx).await
    }
}

/// Counts what it is told of websites, which are watched, and of ConfigMaps, which are not.
#[controller(for = Website, rbac(ConfigMap(verbs = "list")))]
#[derive(Clone, Default)]
struct Counter {
    probe: Probe,
    counted: Arc<Mutex<Vec<[Vec<String>; 4]>>>,
}

impl Reconcile for Counter {
    async fn reconcile(&self, _: &Website, cx: &Context<Self>) -> Result<Action> {
        let gold = || Expression::In("tier".into(), ["gold".to_owned()].into());
        let lists = [
            names(cx.list::<Website>(Selector::default()).await?),
            names(cx.list::<Website>(gold()).await?),
            names(
                cx.list::<ConfigMap>(Expression::NotEqual("tier".into(), "gold".into()))
                    .await?,
            ),
            names(cx.list::<ConfigMap>(gold()).await?),
        ];
        self.counted.lock().unwrap().push(lists);
        self.probe.end(Point::Begin, cx).await
    }
}

/// The names of those that the case made.
fn names<K: ResourceExt>(objects: Vec<Arc<K>>) -> Vec<String> {
    let names = objects.iter().map(|object| object.name_any());
    names.filter(|name| name != "kube-root-ca.crt").collect()
}

/// What a controller sees of a website that `kubectl apply` made, when it is new and when its host has changed.
async fn seen(fleet: &Fleet, manager: Builder) -> (Looker, Vec<Seen>, Operator) {
    fleet.create_shop("red").await;
    let looker = Looker::default();
    let operator = Operator::start(manager.controller(looker.clone()));
    fleet.engaged("red", &WATCHED).await;
    let mut one = website("one");
    one.annotations_mut()
        .extend([LAST_APPLIED, "demo/note"].map(|name| (name.into(), "{}".into())));
    fleet
        .websites("red")
        .create(&PostParams::default(), &one)
        .await
        .unwrap();
    looker.probe.comes(Point::Begin, "one", 1).await;
    fleet.set_host("red", "one", "new.example.com").await;
    looker.probe.comes(Point::Begin, "one", 2).await;
    let seen = looker.seen.lock().unwrap().clone();
    (looker, seen, operator)
}

on_both_servers! {
    async fn what_nobody_reads_is_dropped_and_its_change_wakes_nobody(fleet: &Fleet) {
        let (looker, seen, _operator) = seen(fleet, fleet.manager()).await;
        let expected = (vec!["demo/note".to_owned()], false);
        assert_eq!(seen, [expected.clone(), expected]);
        let sentinel = Sentinel::new(fleet, "red").await;
        fleet.change_website("red", "one", json!({"metadata": {"annotations": {LAST_APPLIED: "{\"more\": 1}"}}})).await;
        sentinel.passes(fleet).await;
        assert_eq!(looker.probe.count(Point::Begin, "one"), 2);
        let one = fleet.websites("red").get("one").await.unwrap();
        assert_eq!(one.annotations()[LAST_APPLIED], "{\"more\": 1}", "at the server it is as it was");
    }

    async fn lists_come_from_the_cache_where_there_is_one_and_else_from_the_server(fleet: &Fleet) {
        fleet.create_shop("red").await;
        fleet.ensure_namespace("red", "elsewhere").await;
        let client = fleet.project_client("red");
        let create = async |namespace: &str, name: &str, gold: bool| {
            let metadata = ObjectMeta {
                name: Some(name.into()),
                labels: gold.then(|| [("tier".into(), "gold".into())].into()),
                ..ObjectMeta::default()
            };
            let map = ConfigMap { metadata: metadata.clone(), ..ConfigMap::default() };
            let maps: Api<ConfigMap> = Api::namespaced(client.clone(), namespace);
            maps.create(&PostParams::default(), &map).await.unwrap();
            let site = Website { metadata, spec: website(name).spec, status: None };
            let sites: Api<Website> = Api::namespaced(client.clone(), namespace);
            sites.create(&PostParams::default(), &site).await.unwrap();
        };
        create("elsewhere", "far", true).await;
        create(NAMESPACE, "gold", true).await;
        create(NAMESPACE, "plain", false).await;
        let counter = Counter::default();
        let mark = fleet.requests().mark();
        let _operator = Operator::start(fleet.manager().controller(counter.clone()));
        for name in ["far", "gold", "plain"] {
            counter.probe.comes(Point::Begin, name, 1).await;
        }
        let both = vec!["gold".to_owned(), "plain".to_owned()];
        let shop = [both, vec!["gold".into()], vec!["plain".into()], vec!["gold".into()]];
        let far = vec!["far".to_owned()];
        let elsewhere = [far.clone(), far.clone(), Vec::new(), far];
        let counted = counter.counted.lock().unwrap().clone();
        assert!(counted.iter().all(|lists| *lists == shop || *lists == elsewhere), "{counted:?}");
        assert!(counted.contains(&shop) && counted.contains(&elsewhere), "{counted:?}");
        let said = fleet.said("red", mark);
        let lists = |what: &str| said.iter().filter(|said| *said == what).count();
        assert_eq!((lists("stream websites"), lists("list configmaps")), (1, 6), "{said:?}");
    }

    async fn all_metadata_is_kept_for_who_asks_for_it(fleet: &Fleet) {
        let (_, seen, _operator) = seen(fleet, fleet.manager().keep_all_metadata()).await;
        let expected = (vec!["demo/note".to_owned(), LAST_APPLIED.to_owned()], true);
        assert_eq!(seen, [expected.clone(), expected]);
    }
}
