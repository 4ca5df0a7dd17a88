//! The servers themselves: what every other case takes for granted.

use futures::{StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kommodore_control_plane::Verb;
use kommodore_tests::{
    Domain, DomainSpec, Fleet, Website, WebsiteSpec, eventually, needs_garbage_collection,
    on_both_servers,
};
use kube::api::{
    Api, DeleteParams, ListParams, Patch, PatchParams, PostParams, WatchEvent, WatchParams,
};
use kube::{CustomResourceExt, Resource, ResourceExt};
use serde_json::json;

fn config_map(name: &str) -> ConfigMap {
    ConfigMap {
        metadata: ObjectMeta {
            name: Some(name.into()),
            ..Default::default()
        },
        ..Default::default()
    }
}

fn website(name: &str) -> Website {
    Website::new(
        name,
        WebsiteSpec {
            host: format!("{name}.example.com"),
            certificate: None,
        },
    )
}

on_both_servers! {
    async fn a_project_becomes_ready_unless_it_is_held(fleet: &Fleet) {
        fleet.create_project_unready("held").await;
        fleet.create_project("red").await;
        let held = fleet.projects().get("held").await.unwrap();
        assert_eq!(held.data.get("status"), None, "nobody has said anything yet");
        fleet.set_project_ready("held", true).await;
        fleet.set_project_ready("red", false).await;
        // The controller sees both changes, and has nothing to say: what comes after it is ready shows that.
        fleet.delete_project("held").await;
        fleet.project_gone("held").await;
        let red = fleet.projects().get("red").await.unwrap();
        assert_eq!(red.data["status"]["conditions"][0]["reason"], "TakenOut");
        assert!(fleet.requests().played().iter().any(|request| request.subresource() == Some("status")));
        assert!(fleet.requests().entries().iter().all(|request| request.name() != Some("resourcemanager")));
    }

    async fn a_crd_of_the_root_is_served_in_a_project_with_objects_of_its_own(fleet: &Fleet) {
        fleet.create_project("red").await;
        fleet.create_project("blue").await;
        fleet.ensure_namespace("red", "shop").await;
        fleet.ensure_namespace("blue", "shop").await;
        let red: Api<Website> = Api::namespaced(fleet.project_client("red"), "shop");
        let blue: Api<Website> = Api::namespaced(fleet.project_client("blue"), "shop");
        red.create(&PostParams::default(), &website("one")).await.unwrap();
        assert_eq!(red.list(&ListParams::default()).await.unwrap().items.len(), 1);
        assert_eq!(blue.list(&ListParams::default()).await.unwrap().items.len(), 0);
        let domains: Api<Domain> = Api::all(fleet.project_client("blue"));
        let domain = Domain::new("example.com", DomainSpec { contact: "me".into() });
        assert_eq!(domains.create(&PostParams::default(), &domain).await.unwrap().metadata.generation, Some(1));
        let again = Api::all(fleet.project_client("red")).create(&PostParams::default(), &Website::crd()).await;
        assert!(matches!(&again, Err(kube::Error::Api(status)) if status.code == 409), "{again:?}");
    }

    async fn a_config_map_is_created_listed_and_watched_in_a_project(fleet: &Fleet) {
        fleet.create_project("red").await;
        fleet.ensure_namespace("red", "shop").await;
        let api: Api<ConfigMap> = Api::namespaced(fleet.project_client("red"), "shop");
        let mark = fleet.requests().mark();
        let before = api.list(&ListParams::default()).await.unwrap().metadata.resource_version.unwrap();
        let mut events = api.watch(&WatchParams::default(), &before).await.unwrap().boxed();
        let created = api.create(&PostParams::default(), &config_map("one")).await.unwrap();
        match events.try_next().await.unwrap() {
            Some(WatchEvent::Added(seen)) => assert_eq!(seen.uid(), created.uid()),
            other => panic!("{other:?}"),
        }
        let apply = Patch::Apply(json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one"}, "data": {"a": "b"},
        }));
        api.patch("one", &PatchParams::apply("test"), &apply).await.unwrap();
        match events.try_next().await.unwrap() {
            Some(WatchEvent::Modified(seen)) => assert_eq!(seen.data.unwrap()["a"], "b"),
            other => panic!("{other:?}"),
        }
        let requests = fleet.requests().since(mark);
        let verbs: Vec<Verb> = requests.iter().map(|request| request.verb).collect();
        assert_eq!(verbs, [Verb::List, Verb::Watch, Verb::Create, Verb::Patch]);
        assert!(requests.iter().all(|request| request.project.as_deref() == Some("red")));
        assert!(requests.iter().all(|request| request.namespace() == Some("shop")));
        assert_eq!(fleet.requests().writes(mark).len(), 2);

        fleet.drop_watches("red");
        // kube takes a broken connection for the end of the watch.
        eventually("the watch ends", async || !matches!(events.try_next().await, Ok(Some(_)))).await;
    }

    async fn a_project_goes_when_nothing_is_left_in_it(fleet: &Fleet) {
        fleet.create_project("red").await;
        fleet.ensure_namespace("red", "shop").await;
        let maps: Api<ConfigMap> = Api::namespaced(fleet.project_client("red"), "shop");
        maps.create(&PostParams::default(), &config_map("one")).await.unwrap();
        let websites: Api<Website> = Api::namespaced(fleet.project_client("red"), "shop");
        let mut held = website("held");
        held.metadata.finalizers = Some(vec!["demo.kommodore.dev/test".into()]);
        websites.create(&PostParams::default(), &held).await.unwrap();

        fleet.delete_project("red").await;
        eventually("the website is being deleted", async || {
            websites.get("held").await.map(|website| website.metadata.deletion_timestamp.is_some()).unwrap_or(false)
        })
        .await;
        eventually("the ConfigMap is gone", async || matches!(maps.get_opt("one").await, Ok(None))).await;
        assert!(fleet.projects().get("red").await.unwrap().metadata.deletion_timestamp.is_some());
        let release = Patch::Merge(json!({"metadata": {"finalizers": null}}));
        websites.patch("held", &PatchParams::default(), &release).await.unwrap();
        fleet.project_gone("red").await;

        // Another one of that name begins empty.
        fleet.create_project("red").await;
        assert_eq!(websites.list(&ListParams::default()).await.unwrap().items.len(), 0);
    }

    async fn a_project_that_is_not_there_is_not_found(fleet: &Fleet) {
        let maps: Api<ConfigMap> = Api::default_namespaced(fleet.project_client("nowhere"));
        let error = maps.list(&ListParams::default()).await.unwrap_err();
        assert!(matches!(&error, kube::Error::Api(status) if status.code == 404), "{error}");
    }

    async fn a_silent_project_holds_nobody_up_but_those_who_ask_it(fleet: &Fleet) {
        fleet.create_project("red").await;
        fleet.create_project("blue").await;
        fleet.silence("red");
        let mark = fleet.requests().mark();
        let silent: Api<ConfigMap> = Api::all(fleet.project_client("red"));
        let mut asked = tokio::spawn(async move { silent.list(&ListParams::default()).await });
        eventually("red is asked", async || fleet.requests().since(mark).len() == 1).await;
        Api::<ConfigMap>::all(fleet.project_client("blue")).list(&ListParams::default()).await.unwrap();
        assert_eq!(fleet.requests().since(mark)[0].status, None);
        assert!(futures::poll!(&mut asked).is_pending());
        fleet.unsilence("red");
        asked.await.unwrap().unwrap();
    }

    async fn a_project_is_served_at_an_address_of_its_own(fleet: &Fleet) {
        fleet.create_project_control_plane("red").await;
        fleet.ensure_namespace("red", "shop").await;
        let mut config = fleet.config();
        config.cluster_url = format!("https://{}", fleet.direct("red").await).parse().unwrap();
        let direct: Api<ConfigMap> = Api::namespaced(kube::Client::try_from(config).unwrap(), "shop");
        direct.create(&PostParams::default(), &config_map("one")).await.unwrap();
        assert_eq!(fleet.requests().entries().last().unwrap().project.as_deref(), Some("red"));
        let same: Api<ConfigMap> = Api::namespaced(fleet.project_client("red"), "shop");
        same.get("one").await.unwrap();
        fleet.project_control_planes().delete("red", &DeleteParams::default()).await.unwrap();
        eventually("it is gone", async || {
            matches!(fleet.project_control_planes().get_opt("red").await, Ok(None))
        })
        .await;
    }

    async fn a_crd_that_comes_later_is_served_in_projects_that_are_there(fleet: &Fleet) {
        fleet.create_project("red").await;
        let mut crd = serde_json::to_value(Domain::crd()).unwrap();
        crd["metadata"]["name"] = json!("gardens.late.kommodore.dev");
        crd["spec"]["group"] = json!("late.kommodore.dev");
        crd["spec"]["names"] = json!({"kind": "Garden", "plural": "gardens", "singular": "garden"});
        let crd: k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition =
            serde_json::from_value(crd).unwrap();
        Api::all(fleet.client()).create(&PostParams::default(), &crd).await.unwrap();
        let kind = kube::core::GroupVersionKind::gvk("late.kommodore.dev", "v1alpha1", "Garden");
        let resource = kube::core::ApiResource::from_gvk(&kind);
        let gardens: Api<kube::api::DynamicObject> = Api::all_with(fleet.project_client("red"), &resource);
        eventually("the kind is served", async || gardens.list(&ListParams::default()).await).await;
    }
    async fn what_an_object_owns_goes_with_it(fleet: &Fleet) {
        needs_garbage_collection!(fleet);
        fleet.create_project("red").await;
        fleet.ensure_namespace("red", "shop").await;
        let websites: Api<Website> = Api::namespaced(fleet.project_client("red"), "shop");
        let owner = websites.create(&PostParams::default(), &website("one")).await.unwrap();
        let maps: Api<ConfigMap> = Api::namespaced(fleet.project_client("red"), "shop");
        let mut owned = config_map("owned");
        owned.metadata.owner_references = owner.controller_owner_ref(&()).map(|owner| vec![owner]);
        maps.create(&PostParams::default(), &owned).await.unwrap();
        maps.create(&PostParams::default(), &config_map("free")).await.unwrap();
        websites.delete("one", &DeleteParams::default()).await.unwrap();
        eventually("the ConfigMap goes with its owner", async || matches!(maps.get_opt("owned").await, Ok(None))).await;
        maps.get("free").await.unwrap();
    }
    async fn a_project_can_lack_a_crd_for_a_time(fleet: &Fleet) {
        fleet.create_project("red").await;
        fleet.create_project("blue").await;
        let crd = Website::crd_name();
        let red: Api<Website> = Api::all(fleet.project_client("red"));
        let blue: Api<Website> = Api::all(fleet.project_client("blue"));
        fleet.hide("red", crd).await;
        eventually("the kind is gone", async || {
            matches!(red.list(&ListParams::default()).await, Err(kube::Error::Api(status)) if status.code == 404)
        })
        .await;
        blue.list(&ListParams::default()).await.unwrap();
        fleet.show("red", crd).await;
        eventually("the kind is back", async || red.list(&ListParams::default()).await).await;
    }
    async fn a_project_control_plane_says_that_it_is_being_created(fleet: &Fleet) {
        fleet.create_project_control_plane_unready("red").await;
        let red = fleet.project_control_planes().get("red").await.unwrap();
        assert_eq!(red.data["status"]["conditions"][0]["type"], "ControlPlaneReady");
        assert_eq!(red.data["status"]["conditions"][0]["status"], "False");
        assert_eq!(red.data["status"]["conditions"][0]["reason"], "Creating");
    }
}
