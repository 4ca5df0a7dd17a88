//! Which objects of a kind a controller sees, and which of their changes wake it.

use std::sync::{Arc, Mutex};

use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kommodore::kube::core::{ApiResource, DynamicObject, GroupVersionKind};
use kommodore::{Action, Cleanup, Cluster, Context, ObjectKey, Reconcile, Result, controller};
use kommodore_tests::{
    Asked, Domain, DomainSpec, Fault, Fleet, NAMESPACE, Operator, Outage, Point, Probe, Website,
    eventually, on_both_servers, page, website,
};
use kube::ResourceExt;
use kube::api::{Api, DeleteParams, Patch, PatchParams, PostParams};
use serde_json::json;

/// Defines a controller of websites that only looks at them.
macro_rules! looks {
    ($name:ident: $($attribute:tt)+) => {
        #[controller($($attribute)+)]
        #[derive(Clone, Default)]
        struct $name {
            probe: Probe,
        }

        impl Reconcile for $name {
            async fn reconcile(&self, _: &Website, cx: &Context<Self>) -> Result<Action> {
                self.probe.end(Point::Begin, cx).await
            }
        }
    };
}

looks!(All: for = Website);
looks!(Gold: for = Website(labels = "tier in (gold),!legacy"));
looks!(Golden: for = Website(labels = "tier=gold", fields = "metadata.name!=other"));
looks!(Main: for = Website(fields = "metadata.name=main"));
looks!(Shop: for = Website(namespace = "shop"));
looks!(Spec: for = Website(on = spec));
looks!(Notes: for = Website(on = labels | annotations));
looks!(Secrets: for = Website, watches(
    Secret(labels = "wakes=one") => Self::one,
    Secret(fields = "metadata.name=wakes-two") => Self::two,
));

impl Secrets {
    fn one(&self, _: &Secret, _: &Cluster) -> Option<ObjectKey> {
        Some(ObjectKey::namespaced(NAMESPACE, "one"))
    }

    async fn two(&self, _: &Secret, _: &Cluster) -> Option<ObjectKey> {
        Some(ObjectKey::namespaced(NAMESPACE, "two"))
    }
}

/// Says in the status how often it ran.
#[controller(for = Website(on = any_change))]
#[derive(Clone, Default)]
struct Counts {
    probe: Probe,
}

impl Reconcile for Counts {
    async fn reconcile(&self, _: &Website, cx: &Context<Self>) -> Result<Action> {
        self.probe.at(Point::Begin, cx).await?;
        let runs = self.probe.count(Point::Begin, &cx.key().name);
        cx.status(|status| status.url = Some(format!("run {runs}")));
        Ok(Action::done())
    }
}

/// Sees gold and silver websites through two watches, and asks for one that it sees through neither.
#[controller(
    for = Website(labels = "tier=gold"),
    watches(Website(labels = "tier=silver") => Self::all),
)]
#[derive(Clone, Default)]
struct Medals {
    probe: Probe,
    listed: Arc<Mutex<Vec<String>>>,
}

impl Medals {
    fn all(&self, _: &Website, cluster: &Cluster) -> Vec<ObjectKey> {
        let all: Vec<_> = cluster.list::<Website>().collect();
        *self.listed.lock().unwrap() = all.iter().map(|site| site.name_any()).collect();
        all.into_iter().map(ObjectKey::of).collect()
    }
}

impl Reconcile for Medals {
    async fn reconcile(&self, _: &Website, cx: &Context<Self>) -> Result<Action> {
        let silver = cx.get::<Website>("silver").await?;
        let wood = cx.get::<Website>("wood").await?;
        let hosts = [silver, wood].map(|site| site.map(|site| site.spec.host.clone()));
        cx.status(|status| status.url = Some(format!("{hosts:?}")));
        self.probe.end(Point::Begin, cx).await
    }
}

/// Keeps pages, and watches those that carry its label.
#[controller(for = Website, owns(ConfigMap(labels = "app=pages")), conditions)]
#[derive(Clone, Default)]
struct Pages {
    probe: Probe,
}

impl Reconcile for Pages {
    async fn reconcile(&self, site: &Website, cx: &Context<Self>) -> Result<Action> {
        let mut page = page(site);
        page.labels_mut().insert("app".into(), "pages".into());
        cx.apply(page).await?;
        self.probe.end(Point::Applied, cx).await
    }
}

/// Keeps a website for every domain, and knows no Rust type of it.
#[controller(
    for = Domain,
    owns(Dynamic(group = "demo.kommodore.dev", version = "v1alpha1", kind = "Website", namespace = "shop")),
    watches(Dynamic(group = "", version = "v1", kind = "ConfigMap", labels = "wakes=domain") => Self::named),
)]
#[derive(Clone, Default)]
struct Domains {
    probe: Probe,
}

impl Reconcile for Domains {
    async fn reconcile(&self, domain: &Domain, cx: &Context<Self>) -> Result<Action> {
        self.probe.at(Point::Begin, cx).await?;
        let kind = GroupVersionKind::gvk("demo.kommodore.dev", "v1alpha1", "Website");
        let site = DynamicObject::new(&domain.name_any(), &ApiResource::from_gvk(&kind))
            .within(NAMESPACE)
            .data(json!({"spec": {"host": domain.spec.contact}}));
        cx.apply_dynamic(site).await?;
        Ok(Action::done())
    }
}

impl Domains {
    fn named(&self, map: &DynamicObject, _: &Cluster) -> Option<ObjectKey> {
        let name = map.data["data"]["domain"].as_str()?;
        Some(ObjectKey::cluster_scoped(name))
    }
}

/// Holds gold websites, one after the other.
#[controller(
    for = Website(labels = "tier=gold", fields = "metadata.name!=other"),
    finalizer = "demo.kommodore.dev/gold",
    cluster_concurrency = 1,
)]
#[derive(Clone, Default)]
struct Holder {
    probe: Probe,
}

impl Reconcile for Holder {
    async fn reconcile(&self, _: &Website, cx: &Context<Self>) -> Result<Action> {
        self.probe.end(Point::Begin, cx).await
    }
}

impl Cleanup for Holder {
    async fn cleanup(&self, _: &Website, cx: &Context<Self>) -> Result<Action> {
        self.probe.end(Point::Cleanup, cx).await
    }
}

fn secret(name: &str, labels: serde_json::Value) -> Secret {
    let metadata = json!({"name": name, "labels": labels});
    serde_json::from_value(json!({"apiVersion": "v1", "kind": "Secret", "metadata": metadata}))
        .unwrap()
}

/// Runs `selecting`, whose `probe` is told, beside a controller of all websites that shows what has been seen.
async fn beside(
    fleet: &Fleet,
    selecting: impl FnOnce(kommodore::Builder) -> kommodore::Builder,
) -> (All, Operator) {
    fleet.create_shop("red").await;
    let all = All::default();
    let manager = selecting(fleet.manager().controller(all.clone()));
    let operator = Operator::start(manager);
    fleet.engaged("red", &["websites", "websites"]).await;
    (all, operator)
}

on_both_servers! {
    async fn labels_select_and_what_loses_them_is_left_alone(fleet: &Fleet) {
        let gold = Gold::default();
        let (all, _operator) = beside(fleet, |manager| manager.controller(gold.clone())).await;
        fleet.create_website("red", "one").await;
        fleet.change_website("red", "one", json!({"metadata": {"labels": {"tier": "gold"}}})).await;
        gold.probe.comes(Point::Begin, "one", 1).await;
        fleet.change_website("red", "one", json!({"metadata": {"labels": {"legacy": "yes"}}})).await;
        fleet.set_host("red", "one", "after.example.com").await;
        fleet.change_website("red", "one", json!({"metadata": {"labels": {"legacy": null}}})).await;
        gold.probe.comes(Point::Begin, "one", 2).await;
        fleet.create_website("red", "two").await;
        all.probe.comes(Point::Begin, "two", 1).await;
        assert_eq!((gold.probe.count(Point::Begin, "one"), gold.probe.count(Point::Begin, "two")), (2, 0));
    }

    async fn what_has_just_left_the_selection_gets_no_finalizer(fleet: &Fleet) {
        fleet.create_shop("red").await;
        let (holder, golden, outage) = (Holder::default(), Golden::default(), Outage::default());
        let cut = outage.clone();
        let rule = move |asked: &Asked<'_>| match asked.is_in("red") && asked.watches("websites") {
            true => cut.of_watch(),
            false => Fault::None,
        };
        // Both hear of a website at once, and one of them does not wait for its turn.
        let manager = fleet.manager_behind(rule).await.controller(holder.clone()).controller(golden.clone());
        let _operator = Operator::start(manager);
        fleet.engaged("red", &["websites"]).await;
        let create = async |name: &str| {
            let mut site = website(name);
            site.labels_mut().insert("tier".into(), "gold".into());
            fleet.websites("red").create(&PostParams::default(), &site).await.unwrap();
        };
        let first = holder.probe.hold(Point::Begin, "first");
        create("first").await;
        first.reached().await;
        for name in ["leaves", "stays"] {
            create(name).await;
            golden.probe.comes(Point::Begin, name, 1).await;
        }
        outage.begin();
        fleet.change_website("red", "leaves", json!({"metadata": {"labels": {"tier": "bronze"}}})).await;
        fleet.change_website("red", "stays", json!({"metadata": {"labels": {"shape": "round"}}})).await;
        first.release();
        holder.probe.comes(Point::Begin, "stays", 1).await;
        assert_eq!(holder.probe.count(Point::Begin, "leaves"), 0);
        outage.end();
        create("last").await;
        holder.probe.comes(Point::Begin, "last", 1).await;
        assert_eq!(holder.probe.count(Point::Begin, "leaves"), 0);
        let finalizers = async |name: &str| {
            let site = fleet.websites("red").get(name).await.unwrap();
            site.finalizers().len()
        };
        assert_eq!((finalizers("leaves").await, finalizers("stays").await), (0, 1));
        for name in ["first", "stays", "last"] {
            fleet.delete_website("red", name).await;
            fleet.website_gone("red", name).await;
        }
    }

    async fn fields_and_a_namespace_select(fleet: &Fleet) {
        let (main, shop) = (Main::default(), Shop::default());
        let (all, _operator) = beside(fleet, |manager| manager.controller(main.clone()).controller(shop.clone())).await;
        fleet.ensure_namespace("red", "elsewhere").await;
        let elsewhere: Api<Website> = Api::namespaced(fleet.project_client("red"), "elsewhere");
        let mut strange = website("strange");
        strange.metadata.namespace = None;
        elsewhere.create(&PostParams::default(), &strange).await.unwrap();
        all.probe.comes(Point::Begin, "strange", 1).await;
        for name in ["one", "main"] {
            fleet.create_website("red", name).await;
            shop.probe.comes(Point::Begin, name, 1).await;
        }
        main.probe.comes(Point::Begin, "main", 1).await;
        assert_eq!(main.probe.visits().len(), 1, "{:?}", main.probe.visits());
        assert_eq!(shop.probe.visits().len(), 2, "{:?}", shop.probe.visits());
    }

    async fn only_the_named_changes_count(fleet: &Fleet) {
        let (spec, notes) = (Spec::default(), Notes::default());
        let (all, _operator) = beside(fleet, |manager| manager.controller(spec.clone()).controller(notes.clone())).await;
        fleet.create_website("red", "one").await;
        for probe in [&spec.probe, &notes.probe, &all.probe] {
            probe.comes(Point::Begin, "one", 1).await;
        }
        fleet.change_website("red", "one", json!({"metadata": {"annotations": {"note": "x"}}})).await;
        notes.probe.comes(Point::Begin, "one", 2).await;
        all.probe.comes(Point::Begin, "one", 2).await;
        fleet.set_host("red", "one", "new.example.com").await;
        spec.probe.comes(Point::Begin, "one", 2).await;
        all.probe.comes(Point::Begin, "one", 3).await;
        // A change that all of them look at, behind those that they do not.
        fleet.change_website("red", "one", json!({"metadata": {"labels": {"a": "b"}}, "spec": {"host": "last"}})).await;
        for (probe, count) in [(&spec.probe, 3), (&notes.probe, 3), (&all.probe, 4)] {
            probe.comes(Point::Begin, "one", count).await;
            assert_eq!(probe.count(Point::Begin, "one"), count);
        }
    }

    async fn any_change_is_that_of_a_status_too_but_for_our_own(fleet: &Fleet) {
        let counts = Counts::default();
        let (all, _operator) = beside(fleet, |manager| manager.controller(counts.clone())).await;
        fleet.create_website("red", "one").await;
        fleet.website_is("red", "one", "the first run is told", |site| {
            site.status.as_ref().is_some_and(|status| status.url.as_deref() == Some("run 1"))
        }).await;
        let foreign = json!({"status": {"observedGeneration": 7}});
        fleet.websites("red").patch_status("one", &PatchParams::default(), &Patch::Merge(foreign)).await.unwrap();
        fleet.website_is("red", "one", "the second run is told", |site| {
            site.status.as_ref().is_some_and(|status| status.url.as_deref() == Some("run 2"))
        }).await;
        // What comes after the echo of that has been seen.
        fleet.create_website("red", "two").await;
        counts.probe.comes(Point::Begin, "two", 1).await;
        all.probe.comes(Point::Begin, "two", 1).await;
        assert_eq!(counts.probe.count(Point::Begin, "one"), 2);
        assert_eq!(all.probe.count(Point::Begin, "one"), 1);
    }

    async fn a_kind_is_watched_once_for_each_selector(fleet: &Fleet) {
        fleet.create_shop("red").await;
        let secrets = Secrets::default();
        let _operator = Operator::start(fleet.manager().controller(secrets.clone()));
        fleet.engaged("red", &["websites", "secrets", "secrets"]).await;
        for name in ["one", "two"] {
            fleet.create_website("red", name).await;
            secrets.probe.comes(Point::Begin, name, 1).await;
        }
        let api: Api<Secret> = Api::namespaced(fleet.project_client("red"), NAMESPACE);
        api.create(&PostParams::default(), &secret("nobody", json!({}))).await.unwrap();
        api.create(&PostParams::default(), &secret("wakes-one", json!({"wakes": "one"}))).await.unwrap();
        secrets.probe.comes(Point::Begin, "one", 2).await;
        api.create(&PostParams::default(), &secret("wakes-two", json!({}))).await.unwrap();
        secrets.probe.comes(Point::Begin, "two", 2).await;
        assert_eq!(secrets.probe.visits().len(), 4, "{:?}", secrets.probe.visits());
    }

    async fn what_two_selections_show_is_listed_once_and_what_they_hide_is_asked_for(fleet: &Fleet) {
        fleet.create_shop("red").await;
        let medals = Medals::default();
        let _operator = Operator::start(fleet.manager().controller(medals.clone()));
        fleet.engaged("red", &["websites", "websites"]).await;
        let medal = async |name: &str, tier: &str| {
            let mut site = website(name);
            site.labels_mut().insert("tier".into(), tier.into());
            fleet.websites("red").create(&PostParams::default(), &site).await.unwrap();
        };
        medal("wood", "wood").await;
        medal("gold", "gold").await;
        medals.probe.comes(Point::Begin, "gold", 1).await;
        let mark = fleet.requests().mark();
        medal("silver", "silver").await;
        let shown = r#"[Some("silver.example.com"), Some("wood.example.com")]"#;
        fleet.website_is("red", "gold", "it shows both", |site| {
            site.status.as_ref().and_then(|status| status.url.as_deref()) == Some(shown)
        }).await;
        assert_eq!(*medals.listed.lock().unwrap(), ["gold", "silver"]);
        let said = fleet.said("red", mark);
        assert!(said.contains(&"get websites/wood".into()), "{said:?}");
        assert!(!said.contains(&"get websites/silver".into()), "{said:?}");
    }

    async fn owned_with_a_selector_nobody_loses_what_it_leaves_out(fleet: &Fleet) {
        fleet.create_shop("red").await;
        let pages = Pages::default();
        let _operator = Operator::start(fleet.manager().controller(pages.clone()));
        fleet.engaged("red", &["websites", "configmaps"]).await;
        // It is there, and not selected.
        let mut foreign = page(&website("taken"));
        foreign.data.as_mut().unwrap().insert("mine".into(), "yes".into());
        fleet.pages("red").create(&PostParams::default(), &foreign).await.unwrap();
        fleet.create_website("red", "taken").await;
        fleet.website_is("red", "taken", "it says that the page is not ours", |site| {
            kommodore_tests::condition(site, "Ready").is_some_and(|ready| ready.message.contains("controlled by nobody"))
        }).await;
        let kept = fleet.pages("red").get("taken").await.unwrap();
        assert_eq!(kept.data.unwrap()["mine"], "yes");

        fleet.create_website("red", "one").await;
        fleet.website_ready("red", "one").await;
        let mark = fleet.requests().mark();
        fleet.edit_page("red", "one").await;
        fleet.page_shows("red", "one", "one.example.com").await;
        let said = fleet.said("red", mark);
        assert!(!said.contains(&"get configmaps/one".into()), "what is selected is not read: {said:?}");
    }

    async fn kinds_without_a_rust_type_are_owned_and_watched(fleet: &Fleet) {
        fleet.create_shop("red").await;
        let domains = Domains::default();
        let _operator = Operator::start(fleet.manager().controller(domains.clone()));
        fleet.engaged("red", &["domains", "websites", "configmaps"]).await;
        let api: Api<Domain> = Api::all(fleet.project_client("red"));
        let domain = Domain::new("one", DomainSpec { contact: "somebody".into() });
        let domain = api.create(&PostParams::default(), &domain).await.unwrap();
        let made = eventually("the website is made", async || fleet.websites("red").get("one").await).await;
        assert_eq!(made.spec.host, "somebody");
        let owner = &made.metadata.owner_references.as_ref().unwrap()[0];
        assert_eq!((owner.kind.as_str(), Some(&owner.uid), owner.controller), ("Domain", domain.uid().as_ref(), Some(true)));

        fleet.websites("red").delete("one", &DeleteParams::default()).await.unwrap();
        eventually("it comes back", async || match fleet.websites("red").get("one").await {
            Ok(back) if back.uid() != made.uid() => Ok(()),
            other => Err(other),
        }).await;
        let runs = domains.probe.count(Point::Begin, "one");
        let map = json!({
            "apiVersion": "v1", "kind": "ConfigMap", "data": {"domain": "one"},
            "metadata": {"name": "any", "labels": {"wakes": "domain"}},
        });
        fleet.pages("red").create(&PostParams::default(), &serde_json::from_value(map).unwrap()).await.unwrap();
        domains.probe.comes(Point::Begin, "one", runs + 1).await;
    }
}
