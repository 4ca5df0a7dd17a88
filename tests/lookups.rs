//! Objects are found by their owner and by what an index says, in the cache where they are watched and else at the
//! server.

use std::sync::{Arc, Mutex};

use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kommodore::{Action, Cluster, Context, Lookup, ObjectKey, Reconcile, Result, controller};
use kommodore_tests::{
    Fleet, NAMESPACE, Operator, Point, Probe, Sentinel, Website, on_both_servers, page,
};
use kube::api::{Api, DeleteParams, ObjectMeta, Patch, PatchParams, PostParams};
use kube::{Resource as _, ResourceExt};
use serde_json::json;

/// Reconciles websites whose certificate changes, which an index finds, and keeps a page for each.
#[controller(
    for = Website,
    owns(ConfigMap),
    watches(Secret => Self::sites_using),
    index(by_certificate => Self::certificate),
    conditions,
)]
#[derive(Clone, Default)]
struct Certified {
    probe: Probe,
}

impl Certified {
    fn certificate(site: &Website) -> Option<&String> {
        site.spec.certificate.as_ref()
    }

    fn sites_using(
        &self,
        secret: &Secret,
        cluster: &Cluster,
    ) -> impl IntoIterator<Item = ObjectKey> {
        cluster
            .find(Self::by_certificate(secret.name_any()))
            .map(ObjectKey::of)
    }
}

impl Reconcile for Certified {
    async fn reconcile(&self, site: &Website, cx: &Context<Self>) -> Result<Action> {
        cx.apply(page(site)).await?;
        self.probe.end(Point::Begin, cx).await
    }
}

/// What a website finds of its own.
#[derive(Clone, Default)]
struct Found(Arc<Mutex<Vec<[Vec<String>; 3]>>>);

impl Found {
    /// Looks for the websites of the tier gold and for what the website owns.
    async fn look(
        &self,
        site: &Website,
        gold: Lookup<Website>,
        cx: &kommodore::Scope,
    ) -> Result<()> {
        let found = [
            names(&cx.list(gold).await?),
            names(&cx.list::<ConfigMap>(Lookup::owned_by(site)).await?),
            names(&cx.list::<Website>(Lookup::owned_by(site)).await?),
        ];
        self.0.lock().unwrap().push(found);
        Ok(())
    }
}

/// Watches pages, so that they lie in a cache.
#[controller(
    for = Website(labels = "looks"),
    watches(Website => Self::nobody, ConfigMap => Self::nobody),
    index(by_tier => tiers),
)]
#[derive(Clone, Default)]
struct Watching {
    probe: Probe,
    found: Found,
}

impl Watching {
    fn nobody<K>(&self, _: &K, _: &Cluster) -> Option<ObjectKey> {
        None
    }
}

impl Reconcile for Watching {
    async fn reconcile(&self, site: &Website, cx: &Context<Self>) -> Result<Action> {
        self.found.look(site, Self::by_tier("gold"), cx).await?;
        self.probe.end(Point::Begin, cx).await
    }
}

/// Watches nothing but what it is for.
#[controller(for = Website(labels = "looks"), index(by_tier => tiers))]
#[derive(Clone, Default)]
struct Asking {
    probe: Probe,
    found: Found,
}

impl Reconcile for Asking {
    async fn reconcile(&self, site: &Website, cx: &Context<Self>) -> Result<Action> {
        self.found.look(site, Self::by_tier("gold"), cx).await?;
        self.probe.end(Point::Begin, cx).await
    }
}

fn tiers(site: &Website) -> Vec<String> {
    let tiers = site.labels().get("tier").map(String::as_str);
    tiers
        .unwrap_or_default()
        .split('.')
        .map(Into::into)
        .collect()
}

fn names<K: ResourceExt>(objects: &[Arc<K>]) -> Vec<String> {
    objects.iter().map(|object| object.name_any()).collect()
}

/// A website that looks, and what there is to be found.
async fn prepare(fleet: &Fleet) {
    fleet.create_shop("red").await;
    fleet.ensure_namespace("red", "elsewhere").await;
    let client = fleet.project_client("red");
    let site = |name: &str, labels: serde_json::Value| -> Website {
        let site = json!({
            "apiVersion": "demo.kommodore.dev/v1alpha1", "kind": "Website",
            "metadata": {"name": name, "labels": labels}, "spec": {"host": "x"},
        });
        serde_json::from_value(site).unwrap()
    };
    let create = async |namespace: &str, site: Website| {
        let api: Api<Website> = Api::namespaced(client.clone(), namespace);
        api.create(&PostParams::default(), &site).await.unwrap()
    };
    create("elsewhere", site("far", json!({"tier": "gold"}))).await;
    create(NAMESPACE, site("both", json!({"tier": "silver.gold"}))).await;
    create(NAMESPACE, site("silver", json!({"tier": "silver"}))).await;
    let looker = site("looker", json!({"tier": "gold"}));
    let looker = create(NAMESPACE, looker).await;
    let map = |name: &str, owned: bool| ConfigMap {
        metadata: ObjectMeta {
            name: Some(name.into()),
            owner_references: owned.then(|| vec![looker.owner_ref(&()).unwrap()]),
            ..ObjectMeta::default()
        },
        ..ConfigMap::default()
    };
    for map in [map("owned", true), map("foreign", false), map("ours", true)] {
        fleet
            .pages("red")
            .create(&PostParams::default(), &map)
            .await
            .unwrap();
    }
    // It looks once all of this is there.
    let looks = json!({"metadata": {"labels": {"looks": "yes"}}});
    fleet.change_website("red", "looker", looks).await;
}

fn expected() -> [Vec<String>; 3] {
    let words = |words: &[&str]| words.iter().map(ToString::to_string).collect();
    [
        words(&["both", "looker"]),
        words(&["ours", "owned"]),
        words(&[]),
    ]
}

on_both_servers! {
    async fn a_mapper_wakes_those_that_an_index_finds(fleet: &Fleet) {
        fleet.create_shop("red").await;
        let sites = Certified::default();
        let _operator = Operator::start(fleet.manager().controller(sites.clone()));
        fleet.engaged("red", &["websites", "secrets", "configmaps"]).await;
        let sentinel = Sentinel::new(fleet, "red").await;
        let uses = async |site: &str, secret: Option<&str>| {
            fleet.change_website("red", site, json!({"spec": {"certificate": secret}})).await;
        };
        for (site, secret) in [("one", Some("first")), ("two", Some("second")), ("none", None)] {
            fleet.create_website("red", site).await;
            uses(site, secret).await;
        }
        sentinel.passes(fleet).await;
        let secrets: Api<Secret> = Api::namespaced(fleet.project_client("red"), NAMESPACE);
        let woken = async |by: &str, what: &dyn Fn(&str) -> serde_json::Value| {
            let before = ["one", "two", "none"].map(|site| sites.probe.count(Point::Begin, site));
            let patch = Patch::Apply(what(by));
            secrets.patch(by, &PatchParams::apply("test").force(), &patch).await.unwrap();
            let after = async || {
                sentinel.passes(fleet).await;
                ["one", "two", "none"].map(|site| sites.probe.count(Point::Begin, site))
            };
            // Secrets have a watch of their own, for which the sentinel does not speak.
            kommodore_tests::eventually("somebody is woken", async || {
                let after = after().await;
                match after == before {
                    true => Err(after),
                    false => Ok([0, 1, 2].map(|place| after[place] - before[place])),
                }
            }).await
        };
        let secret = |value: &'static str| move |name: &str| json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": {"key": value},
        });
        assert_eq!(woken("first", &secret("a")).await, [1, 0, 0]);
        assert_eq!(woken("second", &secret("a")).await, [0, 1, 0]);
        uses("one", Some("second")).await;
        fleet.delete_website("red", "two").await;
        fleet.website_gone("red", "two").await;
        sentinel.passes(fleet).await;
        assert_eq!(woken("second", &secret("b")).await, [1, 0, 0]);
        uses("none", Some("first")).await;
        sentinel.passes(fleet).await;
        assert_eq!(woken("first", &secret("b")).await, [0, 0, 1]);
    }

    async fn what_is_watched_is_found_in_the_cache(fleet: &Fleet) {
        prepare(fleet).await;
        let watching = Watching::default();
        let mark = fleet.requests().mark();
        let _operator = Operator::start(fleet.manager().controller(watching.clone()));
        watching.probe.comes(Point::Begin, "looker", 1).await;
        assert_eq!(*watching.found.0.lock().unwrap(), [expected()]);
        let mut said = fleet.said("red", mark);
        said.sort();
        assert_eq!(said, ["stream configmaps", "stream websites", "stream websites"]);
        // And what changes is found as it is now.
        fleet.pages("red").delete("ours", &DeleteParams::default()).await.unwrap();
        fleet.change_website("red", "both", json!({"metadata": {"labels": {"tier": "silver"}}})).await;
        kommodore_tests::eventually("what is left is found", async || {
            let runs = watching.probe.count(Point::Begin, "looker");
            let turn = json!({"metadata": {"annotations": {"turn": runs.to_string()}}});
            fleet.change_website("red", "looker", turn).await;
            watching.probe.comes(Point::Begin, "looker", runs + 1).await;
            let found = watching.found.0.lock().unwrap().last().cloned().unwrap();
            match found == [vec!["looker".to_owned()], vec!["owned".into()], Vec::new()] {
                true => Ok(()),
                false => Err(found),
            }
        }).await;
        assert!(!fleet.said("red", mark).iter().any(|said| said.starts_with("list")));
    }

    async fn what_is_not_watched_is_found_at_the_server(fleet: &Fleet) {
        prepare(fleet).await;
        let asking = Asking::default();
        let mark = fleet.requests().mark();
        let _operator = Operator::start(fleet.manager().controller(asking.clone()));
        asking.probe.comes(Point::Begin, "looker", 1).await;
        assert_eq!(*asking.found.0.lock().unwrap(), [expected()]);
        // Of websites it has a selection, which is not all of them.
        let all = ["stream websites", "list websites", "list configmaps", "list websites"];
        assert_eq!(fleet.said("red", mark), all);
    }
}
