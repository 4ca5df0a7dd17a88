//! A project in trouble delays only itself, and heals by itself.

use k8s_openapi::api::core::v1::ConfigMap;
use kommodore::{Action, Builder, Context, Milo, Reconcile, Result, controller};
use kommodore_tests::{
    Fleet, Operator, Point, Projects, Sites, WATCHED, Website, eventually, from_both_sides,
    needs_garbage_collection, on_both_servers, page,
};
use kube::CustomResourceExt;
use kube::api::{DeleteParams, ListParams};

/// Keeps a page, and holds nothing up.
#[controller(for = Website, owns(ConfigMap), conditions)]
struct Pages;

impl Reconcile for Pages {
    async fn reconcile(&self, site: &Website, cx: &Context<Self>) -> Result<Action> {
        cx.apply(page(site)).await?;
        Ok(Action::done())
    }
}

fn operate(fleet: &Fleet, milo: Milo) -> (Sites, Operator) {
    let sites = Sites::default();
    let operator = Operator::start(fleet.manager_of(milo).controller(sites.clone()));
    (sites, operator)
}

async fn website_kind_is_gone(fleet: &Fleet, project: &str) {
    let websites = fleet.websites(project);
    eventually("the kind is gone", async || {
        matches!(websites.list(&ListParams::default()).await, Err(kube::Error::Api(status)) if status.code == 404)
    })
    .await;
}

async fn crd_goes_and_comes_back(fleet: &Fleet, manager: Builder) {
    fleet.create_shop("red").await;
    fleet.create_shop("blue").await;
    let _operator = Operator::start(manager.controller(Sites::default()));
    fleet.create_website("red", "old").await;
    fleet.website_ready("red", "old").await;
    fleet.create_website("blue", "one").await;
    fleet.website_ready("blue", "one").await;
    fleet.hide("red", Website::crd_name()).await;
    website_kind_is_gone(fleet, "red").await;
    fleet.drop_watches("red");
    fleet.set_host("blue", "one", "new.example.com").await;
    fleet.page_shows("blue", "one", "new.example.com").await;
    fleet.show("red", Website::crd_name()).await;
    let websites = fleet.websites("red");
    let listed = async || websites.list(&ListParams::default()).await;
    eventually("the kind is there", listed).await;
    fleet.create_website("red", "two").await;
    fleet.website_ready("red", "two").await;
}

/// `list` is how the pages are listed.
async fn new_list_tells_what_went(fleet: &Fleet, manager: Builder, list: &str) {
    fleet.create_shop("red").await;
    let sites = Sites::default();
    let _operator = Operator::start(manager.controller(sites.clone()));
    fleet.create_website("red", "one").await;
    fleet.website_ready("red", "one").await;
    fleet.engaged("red", &WATCHED).await;
    let pages = fleet.pages("red");
    // The watch may be back before the history is gone: then once more.
    eventually("the pages are listed anew", async || {
        let mark = fleet.requests().mark();
        fleet.drop_watches("red");
        pages.delete("one", &DeleteParams::default()).await.unwrap();
        if !fleet.forget_history("red") {
            return true;
        }
        fleet.page_shows("red", "one", "one.example.com").await;
        fleet.said("red", mark).iter().any(|said| said == list)
    })
    .await;
    fleet.page_shows("red", "one", "one.example.com").await;
    assert!(sites.probe.count(Point::Begin, "one") >= 2);
    // And the watches go on from the new list.
    fleet.engaged("red", &WATCHED).await;
    fleet.set_host("red", "one", "new.example.com").await;
    fleet.page_shows("red", "one", "new.example.com").await;
}

from_both_sides! {
    async fn a_project_that_answers_nothing_from_the_start_delays_no_other(fleet: &Fleet, projects: &Projects<'_>) {
        projects.create_shop("red").await;
        projects.create_shop("blue").await;
        fleet.create_website("red", "one").await;
        fleet.silence("red");
        let (sites, _operator) = operate(fleet, projects.provider());
        fleet.create_website("blue", "one").await;
        fleet.website_ready("blue", "one").await;
        assert_eq!(sites.probe.count_in("red", Point::Begin, "one"), 0);
        fleet.unsilence("red");
        fleet.website_ready("red", "one").await;
    }

    async fn a_project_that_stops_answering_delays_no_other_and_heals(fleet: &Fleet, projects: &Projects<'_>) {
        projects.create_shop("red").await;
        projects.create_shop("blue").await;
        let (sites, _operator) = operate(fleet, projects.provider());
        for project in ["red", "blue"] {
            fleet.create_website(project, "one").await;
            fleet.website_ready(project, "one").await;
            fleet.engaged(project, &WATCHED).await;
        }
        let held = sites.probe.hold(Point::Begin, "one");
        fleet.set_host("red", "one", "red.example.com").await;
        held.reached().await;
        fleet.silence("red");
        let mark = fleet.requests().mark();
        held.release();
        // Its apply hangs, and blue goes on.
        eventually("the apply is sent", async || fleet.asked("red", mark).len() == 1).await;
        fleet.set_host("blue", "one", "blue.example.com").await;
        fleet.page_shows("blue", "one", "blue.example.com").await;
        fleet.website_ready("blue", "one").await;
        assert!(fleet.asked("red", mark).iter().all(|request| request.status.is_none()));
        fleet.unsilence("red");
        fleet.page_shows("red", "one", "red.example.com").await;
        fleet.website_ready("red", "one").await;
    }
}

on_both_servers! {
    async fn a_project_that_lacks_the_crd_is_worked_on_once_it_has_it(fleet: &Fleet) {
        fleet.create_shop("red").await;
        fleet.create_shop("blue").await;
        fleet.hide("red", Website::crd_name()).await;
        website_kind_is_gone(fleet, "red").await;
        let (sites, _operator) = operate(fleet, Milo::external());
        fleet.create_website("blue", "one").await;
        fleet.website_ready("blue", "one").await;
        assert_eq!(sites.probe.count_in("red", Point::Begin, "one"), 0);
        fleet.show("red", Website::crd_name()).await;
        let websites = fleet.websites("red");
        eventually("the kind is there", async || websites.list(&ListParams::default()).await).await;
        fleet.create_website("red", "one").await;
        fleet.website_ready("red", "one").await;
    }

    async fn a_crd_that_goes_and_comes_back_takes_its_project_along(fleet: &Fleet) {
        crd_goes_and_comes_back(fleet, fleet.manager()).await;
    }

    async fn a_crd_that_goes_and_comes_back_takes_its_project_along_with_pages(fleet: &Fleet) {
        crd_goes_and_comes_back(fleet, fleet.manager_of_pages().await).await;
    }

    async fn what_happens_while_the_watches_are_down_is_found(fleet: &Fleet) {
        fleet.create_shop("red").await;
        let (sites, _operator) = operate(fleet, Milo::external());
        for name in ["one", "two", "three"] {
            fleet.create_website("red", name).await;
            fleet.website_ready("red", name).await;
        }
        fleet.drop_watches("red");
        fleet.pages("red").delete("one", &DeleteParams::default()).await.unwrap();
        fleet.set_host("red", "two", "two.new.example.com").await;
        fleet.delete_website("red", "three").await;
        fleet.page_shows("red", "one", "one.example.com").await;
        fleet.page_shows("red", "two", "two.new.example.com").await;
        fleet.website_gone("red", "three").await;
        assert_eq!(sites.probe.count(Point::Cleanup, "three"), 1);
    }

    async fn what_goes_while_the_watches_are_down_is_found_in_a_new_list(fleet: &Fleet) {
        new_list_tells_what_went(fleet, fleet.manager(), "stream configmaps").await;
    }

    async fn what_goes_while_the_watches_are_down_is_found_in_new_pages(fleet: &Fleet) {
        new_list_tells_what_went(fleet, fleet.manager_of_pages().await, "list configmaps").await;
    }

    async fn another_object_of_the_same_name_that_came_unseen_is_another(fleet: &Fleet) {
        needs_garbage_collection!(fleet);
        fleet.create_shop("red").await;
        let _operator = Operator::start(fleet.manager().controller(Pages));
        let first = fleet.create_website("red", "one").await;
        fleet.website_ready("red", "one").await;
        fleet.engaged("red", &WATCHED).await;
        fleet.drop_watches("red");
        fleet.delete_website("red", "one").await;
        let second = fleet.create_website("red", "one").await;
        fleet.forget_history("red");
        assert_ne!(first.metadata.uid, second.metadata.uid);
        // The page of the first one goes with it.
        let ready = fleet.website_ready("red", "one").await;
        assert_eq!(ready.metadata.uid, second.metadata.uid);
        let page = fleet.page_shows("red", "one", "one.example.com").await;
        assert_eq!(page.metadata.owner_references.unwrap()[0].uid, second.metadata.uid.unwrap());
    }
}
