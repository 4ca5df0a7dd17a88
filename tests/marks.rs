//! Children that no owner reference reaches: marked, found again, and gone with their owner.

use std::time::Duration;

use k8s_openapi::api::core::v1::ConfigMap;
use kommodore::{
    Action, Cleanup, ClusterName, Context, Error, Milo, NotOwned, Reconcile, Result, controller,
};
use kommodore_tests::{
    Domain, DomainSpec, Fleet, NAMESPACE, Operator, Point, Probe, WATCHED, Website, condition,
    eventually, on_both_servers, page, status_of, website,
};
use kube::ResourceExt;
use kube::api::{Api, DeleteParams, Patch, PatchParams, PostParams};
use serde_json::json;

const MARK: &str = "kommodore.dev/owner";
const GRACE: Duration = Duration::from_millis(300);
const OTHER: &str = "other";

/// Puts the page of a website where its host says.
#[controller(
    for = Website,
    name = "outreach",
    owns(ConfigMap, Domain),
    finalizer = "demo.kommodore.dev/outreach",
    conditions,
    backoff("10ms", "200ms"),
)]
#[derive(Clone, Default)]
struct Outreach {
    probe: Probe,
}

impl Reconcile for Outreach {
    async fn reconcile(&self, site: &Website, cx: &Context<Self>) -> Result<Action> {
        self.probe.at(Point::Begin, cx).await?;
        let mut page = page(site);
        match site.spec.host.as_str() {
            "nothing" => {}
            "hub" => {
                let hub = cx.find_cluster(&ClusterName::new("hub")?);
                let hub = hub.ok_or_else(|| Error::new("the hub is not engaged"))?;
                page.metadata.name = Some(format!("{}-{}", cx.cluster().name(), site.name_any()));
                cx.apply(page).to(&hub).await?;
            }
            "shared" => {
                page.metadata.name = Some("shared".into());
                cx.apply(page).marked().await?;
            }
            "adopted" => {
                page.metadata.name = Some("shared".into());
                cx.apply(page).marked().adopt().await?;
            }
            _ => {
                page.metadata.namespace = Some(OTHER.into());
                let domain = Domain::new(
                    &site.name_any(),
                    DomainSpec {
                        contact: site.spec.host.clone(),
                    },
                );
                cx.apply(page).marked().await?;
                cx.apply(domain).marked().await?;
            }
        }
        self.probe.end(Point::Applied, cx).await
    }
}

impl Cleanup for Outreach {
    async fn cleanup(&self, _: &Website, cx: &Context<Self>) -> Result<Action> {
        self.probe.end(Point::Cleanup, cx).await
    }
}

/// Would mark, and has no finalizer.
#[controller(for = Website, owns(ConfigMap), conditions)]
struct Careless;

impl Reconcile for Careless {
    async fn reconcile(&self, site: &Website, cx: &Context<Self>) -> Result<Action> {
        cx.apply(page(site)).marked().await?;
        Ok(Action::done())
    }
}

/// Would mark what it does not watch.
#[controller(for = Website, finalizer = "demo.kommodore.dev/blind", conditions)]
struct Blind;

impl Reconcile for Blind {
    async fn reconcile(&self, site: &Website, cx: &Context<Self>) -> Result<Action> {
        let refused = cx.apply(page(site)).marked().await.unwrap_err();
        assert!(matches!(refused.find(), Some(NotOwned::NotDeclared { .. })));
        Err(refused)
    }
}

impl Cleanup for Blind {
    async fn cleanup(&self, _: &Website, _: &Context<Self>) -> Result<Action> {
        Ok(Action::done())
    }
}

/// Marks what it does not select, and what lies in the host cluster.
#[controller(
    for = Website,
    name = "narrow",
    owns(ConfigMap(labels = "app=pages")),
    finalizer = "demo.kommodore.dev/narrow",
    conditions,
)]
struct Narrow;

impl Reconcile for Narrow {
    async fn reconcile(&self, site: &Website, cx: &Context<Self>) -> Result<Action> {
        let mut page = page(site);
        if site.spec.host == "selected" {
            page.labels_mut().insert("app".into(), "pages".into());
        }
        if site.spec.host == "host" {
            let host = cx.find_cluster(&ClusterName::LOCAL).unwrap();
            cx.apply(page).to(&host).await?;
        } else {
            cx.apply(page).marked().await?;
        }
        Ok(Action::done())
    }
}

impl Cleanup for Narrow {
    async fn cleanup(&self, _: &Website, _: &Context<Self>) -> Result<Action> {
        Ok(Action::done())
    }
}

async fn at_work(fleet: &Fleet, milo: Milo, projects: &[&str]) -> (Outreach, Operator) {
    for project in projects {
        fleet.create_shop(project).await;
    }
    operate(fleet, milo, projects).await
}

async fn operate(fleet: &Fleet, milo: Milo, projects: &[&str]) -> (Outreach, Operator) {
    let outreach = Outreach::default();
    let operator = Operator::start(fleet.manager_of(milo).controller(outreach.clone()));
    for project in projects {
        fleet.engaged(project, &WATCHED).await;
    }
    (outreach, operator)
}

/// A website whose page lies in the hub.
async fn create_reaching_out(fleet: &Fleet, project: &str, name: &str) {
    let mut site = website(name);
    site.spec.host = "hub".into();
    let websites = fleet.websites(project);
    let created = websites.create(&PostParams::default(), &site).await;
    created.unwrap();
    fleet
        .page_shows("hub", &format!("{project}-{name}"), "hub")
        .await;
    fleet.website_ready(project, name).await;
}

/// Somebody takes a website away without asking its finalizer.
async fn delete_by_force(fleet: &Fleet, project: &str, name: &str) {
    fleet.delete_website(project, name).await;
    let free = json!({"metadata": {"finalizers": null}});
    fleet.change_website(project, name, free).await;
    fleet.website_gone(project, name).await;
}

async fn page_gone(fleet: &Fleet, project: &str, name: &str) {
    let pages = fleet.pages(project);
    let what = format!("the page {name} in {project} goes");
    eventually(&what, async || match pages.get_opt(name).await {
        Ok(None) => Ok(()),
        other => Err(other),
    })
    .await;
}

async fn label(fleet: &Fleet, project: &str, tier: Option<&str>) {
    let patch = Patch::Merge(json!({"metadata": {"labels": {"tier": tier}}}));
    let projects = fleet.projects();
    let labelled = projects
        .patch(project, &PatchParams::default(), &patch)
        .await;
    labelled.unwrap();
}

async fn refused(fleet: &Fleet, contains: &str) {
    let what = format!("it is stalled: {contains}");
    fleet
        .website_is("red", "one", &what, |one| {
            condition(one, "Stalled").is_some_and(|stalled| stalled.message.contains(contains))
        })
        .await;
}

on_both_servers! {
    async fn what_an_owner_reference_does_not_reach_is_marked_and_goes_before_the_finalizer(fleet: &Fleet) {
        let (outreach, operator) = at_work(fleet, Milo::external(), &["red"]).await;
        fleet.ensure_namespace("red", OTHER).await;
        let pages: Api<ConfigMap> = Api::namespaced(fleet.project_client("red"), OTHER);
        let domains: Api<Domain> = Api::all(fleet.project_client("red"));
        let mark = fleet.requests().mark();
        fleet.create_website("red", "one").await;
        fleet.website_ready("red", "one").await;
        let written = ["patch websites/one", "patch configmaps/one", "patch domains/one", "patch websites/one/status"];
        assert_eq!(fleet.said("red", mark), written);
        let (page, domain) = (pages.get("one").await.unwrap(), domains.get("one").await.unwrap());
        let annotation = r#"{"controller":"outreach","cluster":"red","kind":"Website","namespace":"shop","name":"one"}"#;
        for meta in [&page.metadata, &domain.metadata] {
            assert_eq!(meta.owner_references, None);
            assert_eq!(meta.annotations.as_ref().unwrap()[MARK], annotation);
            assert_eq!(meta.labels, page.metadata.labels);
        }

        // Drift wakes the owner, whatever namespace it is in.
        let edit = Patch::Merge(json!({"spec": {"contact": "somebody"}}));
        domains.patch("one", &PatchParams::default(), &edit).await.unwrap();
        eventually("the domain is put right", async || {
            domains.get("one").await.unwrap().spec.contact == "one.example.com"
        }).await;
        pages.delete("one", &DeleteParams::default()).await.unwrap();
        eventually("the page is back", async || pages.get("one").await).await;
        outreach.probe.comes(Point::Applied, "one", 3).await;

        // The next one knows what the one before has marked.
        operator.stop().await.unwrap();
        let (_, _operator) = operate(fleet, Milo::external(), &["red"]).await;
        let what = "it has been looked at";
        fleet.set_host("red", "one", "nothing").await;
        fleet.website_is("red", "one", what, |one| {
            one.status.as_ref().is_some_and(|status| status.observed_generation == Some(2))
        }).await;
        assert!(pages.get("one").await.is_ok(), "what is not applied any more stays");
        let mark = fleet.requests().mark();
        fleet.delete_website("red", "one").await;
        fleet.website_gone("red", "one").await;
        assert_eq!(fleet.said("red", mark), ["delete domains/one", "delete configmaps/one", "patch websites/one"]);
        assert_eq!((pages.get_opt("one").await.unwrap(), domains.get_opt("one").await.unwrap()), (None, None));
    }

    async fn what_lies_in_another_project_is_put_right_and_goes_with_its_owner(fleet: &Fleet) {
        let (outreach, _operator) = at_work(fleet, Milo::external(), &["red", "hub"]).await;
        create_reaching_out(fleet, "red", "one").await;
        assert_eq!(outreach.probe.count(Point::Begin, "one"), 1, "our own write wakes nothing");
        let mark = fleet.requests().mark();
        fleet.edit_page("hub", "red-one").await;
        fleet.page_shows("hub", "red-one", "hub").await;
        fleet.pages("hub").delete("red-one", &DeleteParams::default()).await.unwrap();
        fleet.page_shows("hub", "red-one", "hub").await;
        outreach.probe.comes(Point::Applied, "one", 3).await;
        assert_eq!(fleet.said("hub", mark), ["patch configmaps/red-one", "patch configmaps/red-one"]);
        assert_eq!(fleet.said("red", mark), [""; 0]);

        // An owner of the same name elsewhere is another.
        create_reaching_out(fleet, "hub", "one").await;
        fleet.delete_website("red", "one").await;
        fleet.website_gone("red", "one").await;
        assert_eq!(fleet.pages("hub").get_opt("red-one").await.unwrap(), None);
        assert!(fleet.pages("hub").get("hub-one").await.is_ok());
        assert_eq!(outreach.probe.count_in("red", Point::Cleanup, "one"), 1);
    }

    async fn a_cluster_that_flaps_costs_nobody_anything(fleet: &Fleet) {
        for project in ["red", "hub"] {
            fleet.create_shop(project).await;
            label(fleet, project, Some("gold")).await;
        }
        let milo = Milo::external().grace(GRACE).labels("tier=gold");
        let (outreach, operator) = operate(fleet, milo.clone(), &["red", "hub"]).await;
        create_reaching_out(fleet, "red", "one").await;
        let uid = fleet.pages("hub").get("red-one").await.unwrap().uid();
        let mark = fleet.requests().mark();
        for project in ["red", "hub"] {
            fleet.set_project_ready(project, false).await;
            fleet.disengaged(project).await;
            fleet.set_project_ready(project, true).await;
            fleet.engaged(project, &WATCHED).await;
            label(fleet, project, None).await;
            fleet.disengaged(project).await;
            label(fleet, project, Some("gold")).await;
            fleet.engaged(project, &WATCHED).await;
            fleet.drop_watches(project);
            fleet.engaged(project, &WATCHED).await;
        }
        // And both at once, and the operator itself.
        for project in ["red", "hub"] {
            label(fleet, project, None).await;
            fleet.disengaged(project).await;
        }
        operator.stop().await.unwrap();
        let (again, _operator) = operate(fleet, milo, &[]).await;
        for project in ["hub", "red"] {
            label(fleet, project, Some("gold")).await;
            fleet.engaged(project, &WATCHED).await;
        }
        // What happens now shows that what came before has been looked at.
        fleet.edit_page("hub", "red-one").await;
        fleet.page_shows("hub", "red-one", "hub").await;
        again.probe.comes(Point::Applied, "one", 1).await;
        assert_eq!(fleet.pages("hub").get("red-one").await.unwrap().uid(), uid);
        let deleted = |said: &String| said.starts_with("delete");
        assert!(!fleet.said("hub", mark).iter().any(deleted) && !fleet.said("red", mark).iter().any(deleted));
        assert_eq!(outreach.probe.count(Point::Cleanup, "one"), 0);
    }

    async fn what_an_owner_has_left_that_was_taken_away_by_force_goes(fleet: &Fleet) {
        let (outreach, operator) = at_work(fleet, Milo::external(), &["red", "hub"]).await;
        for name in ["one", "two"] {
            create_reaching_out(fleet, "red", name).await;
            outreach.probe.script(Point::Cleanup, name, |_| Err(Error::new("not now")));
        }
        delete_by_force(fleet, "red", "one").await;
        page_gone(fleet, "hub", "red-one").await;
        // The same while nobody runs.
        operator.stop().await.unwrap();
        delete_by_force(fleet, "red", "two").await;
        assert!(fleet.pages("hub").get("red-two").await.is_ok());
        let (_, _operator) = operate(fleet, Milo::external(), &["red", "hub"]).await;
        page_gone(fleet, "hub", "red-two").await;
    }

    async fn what_a_cluster_has_left_that_is_gone_goes_and_not_before(fleet: &Fleet) {
        let milo = Milo::external().grace(GRACE);
        let (_, _operator) = at_work(fleet, milo, &["red", "hub"]).await;
        let lose = async || {
            create_reaching_out(fleet, "red", "one").await;
            fleet.set_project_ready("red", false).await;
            fleet.disengaged("red").await;
            delete_by_force(fleet, "red", "one").await;
            // What happens in the hub now shows that nothing else has happened there.
            create_reaching_out(fleet, "hub", "one").await;
            fleet.delete_website("hub", "one").await;
            fleet.website_gone("hub", "one").await;
            assert!(fleet.pages("hub").get("red-one").await.is_ok(), "nobody can know yet");
        };
        lose().await;
        fleet.set_project_ready("red", true).await;
        page_gone(fleet, "hub", "red-one").await;
        lose().await;
        fleet.delete_project("red").await;
        page_gone(fleet, "hub", "red-one").await;
        fleet.project_gone("red").await;
    }

    async fn what_lies_in_a_cluster_that_is_away_goes_when_that_is_back(fleet: &Fleet) {
        let milo = Milo::external().grace(GRACE);
        let (_, _operator) = at_work(fleet, milo, &["red", "hub"]).await;
        for name in ["one", "two"] {
            create_reaching_out(fleet, "red", name).await;
        }
        fleet.set_project_ready("hub", false).await;
        fleet.disengaged("hub").await;
        fleet.delete_website("red", "one").await;
        fleet.website_gone("red", "one").await;
        fleet.set_project_ready("hub", true).await;
        page_gone(fleet, "hub", "red-one").await;

        fleet.set_project_ready("hub", false).await;
        fleet.disengaged("hub").await;
        fleet.delete_project("red").await;
        fleet.project_gone("red").await;
        assert!(fleet.pages("hub").get("red-two").await.is_ok());
        fleet.set_project_ready("hub", true).await;
        page_gone(fleet, "hub", "red-two").await;
    }

    async fn nobody_marks_what_would_not_be_found_again(fleet: &Fleet) {
        fleet.create_shop("red").await;
        fleet.create_website("red", "one").await;
        let operator = Operator::start(fleet.manager().controller(Careless));
        refused(fleet, "by a controller without a finalizer").await;
        operator.stop().await.unwrap();
        let operator = Operator::start(fleet.manager().controller(Blind));
        refused(fleet, "add its kind to `owns(..)`").await;
        assert_eq!(fleet.pages("red").get_opt("one").await.unwrap(), None);
        operator.stop().await.unwrap();
        let _operator = Operator::start(fleet.manager().controller(Narrow));
        refused(fleet, "what `owns(ConfigMap(..))` selects has to contain it").await;
        fleet.set_host("red", "one", "host").await;
        refused(fleet, "in the cluster local, as the controller does not work there").await;
        let mark = fleet.requests().mark();
        fleet.set_host("red", "one", "selected").await;
        fleet.website_ready("red", "one").await;
        let said = fleet.said("red", mark);
        assert_eq!(said.iter().filter(|said| *said == "list configmaps").count(), 1, "{said:?}");
        let mark = fleet.requests().mark();
        fleet.edit_page("red", "one").await;
        fleet.page_shows("red", "one", "selected").await;
        assert_eq!(fleet.said("red", mark), ["patch configmaps/one"]);
        fleet.delete_website("red", "one").await;
        page_gone(fleet, "red", "one").await;
    }

    async fn a_mark_is_respected_as_an_owner_reference_is(fleet: &Fleet) {
        let (_, _operator) = at_work(fleet, Milo::external(), &["red"]).await;
        let refusal = async |name: &str, contains: &str| {
            fleet.website_is("red", name, contains, |site| {
                status_of(site, "Ready") == Some(("False", "ReconcileFailed"))
                    && condition(site, "Ready").unwrap().message.contains(contains)
            }).await;
        };
        // Somebody has one that nobody controls.
        let mut theirs = ConfigMap::default();
        theirs.metadata.name = Some("shared".into());
        let theirs = fleet.pages("red").create(&PostParams::default(), &theirs).await.unwrap();
        for name in ["one", "two"] {
            fleet.create_website("red", name).await;
            fleet.set_host("red", name, "shared").await;
            refusal(name, "is controlled by nobody").await;
        }
        fleet.set_host("red", "one", "adopted").await;
        fleet.website_ready("red", "one").await;
        assert_eq!(fleet.page_shows("red", "shared", "adopted").await.uid(), theirs.uid());
        fleet.set_host("red", "two", "adopted").await;
        refusal("two", "is controlled by Website shop/one in red, by the controller outreach").await;
        // What somebody takes the mark off is not ours any more, and stays.
        let unmark = Patch::Merge(json!({"metadata": {"labels": {MARK: null}}}));
        fleet.set_host("red", "one", "nothing").await;
        fleet.website_ready("red", "one").await;
        fleet.pages("red").patch("shared", &PatchParams::default(), &unmark).await.unwrap();
        fleet.delete_website("red", "one").await;
        fleet.website_gone("red", "one").await;
        let page = fleet.pages("red").get("shared").await.unwrap();
        assert_eq!((page.uid(), page.namespace().as_deref()), (theirs.uid(), Some(NAMESPACE)));
    }
}
