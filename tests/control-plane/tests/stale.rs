//! Reads that lag behind, as a client sees them.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "that is how a test fails"
)]

mod support;

use kommodore_control_plane::{ControlPlane, Fault, Verb};
use kube::api::{
    DynamicObject, ListParams, Patch, PatchParams, PostParams, VersionMatch, WatchParams,
};
use kube::{Api, ResourceExt};
use serde_json::{Value, json};
use support::*;

async fn create(api: &Api<DynamicObject>, name: &str) -> DynamicObject {
    let thing = thing(name, json!({"size": 1}));
    api.create(&PostParams::default(), &thing).await.unwrap()
}

async fn resize(api: &Api<DynamicObject>, name: &str, size: u64) -> DynamicObject {
    let patch = Patch::Merge(json!({"spec": {"size": size}}));
    let parameters = PatchParams::default();
    api.patch(name, &parameters, &patch).await.unwrap()
}

/// The list's version, and each object's name and size.
async fn list(api: &Api<DynamicObject>, parameters: &ListParams) -> (String, Vec<(String, Value)>) {
    let list = api.list(parameters).await.unwrap();
    let size = |thing: &DynamicObject| (thing.name_any(), thing.data["spec"]["size"].clone());
    (
        list.metadata.resource_version.unwrap(),
        list.items.iter().map(size).collect(),
    )
}

fn version(object: &DynamicObject) -> String {
    object.resource_version().unwrap()
}

/// `one` was created, changed and joined by `two`, in three revisions.
async fn grown(plane: &ControlPlane) -> (Api<DynamicObject>, [DynamicObject; 3]) {
    let api = things(asks_once(plane.config()));
    let created = create(&api, "one").await;
    let changed = resize(&api, "one", 2).await;
    let two = create(&api, "two").await;
    (api, [created, changed, two])
}

#[tokio::test]
async fn gets_and_lists_are_as_of_so_many_revisions_ago() {
    let plane = plane().await;
    let (api, [created, changed, two]) = grown(&plane).await;
    let behind = plane.inject(Fault::stale_by(1));
    let all = ListParams::default();
    let old = (version(&changed), vec![("one".to_owned(), json!(2))]);
    assert_eq!(list(&api, &all).await, old);
    assert_eq!(list(&api, &all.clone().match_any()).await, old);
    assert_eq!(api.get("one").await.unwrap(), changed);
    assert_eq!(api.get_opt("two").await.unwrap(), None);
    // A replica that lags knows no newer version, and says so.
    let newer = all
        .clone()
        .at(&version(&two))
        .matching(VersionMatch::NotOlderThan);
    assert_eq!(refusal(api.list(&newer).await).0, 504);
    drop(behind);

    let further = plane.inject(Fault::stale_by(2).of("things").verb(Verb::Get));
    assert_eq!(api.get("one").await.unwrap(), created);
    assert_eq!(list(&api, &all).await.1.len(), 2, "lists are up to date");
    assert_eq!(further.hits(), 1);
    drop(further);
    let _beyond = plane.inject(Fault::stale_by(1_000_000));
    assert_eq!(list(&api, &all).await, ("1".to_owned(), vec![]));
    // What was not seen was done all the same.
    let written = resize(&api, "one", 3).await;
    assert!(written.resource_version() > two.resource_version());
    plane.compact(None);
    // The oldest that is known is as old as it gets.
    assert_eq!(list(&api, &all).await.1.len(), 2);
}

#[tokio::test]
async fn reads_are_as_of_a_moment_and_a_watch_catches_up() {
    let plane = plane_with("red").await;
    let red = plane.project("red").client().unwrap();
    let home = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default"}});
    let created = namespaces(red.clone());
    created
        .create(&PostParams::default(), &object(home))
        .await
        .unwrap();
    let in_red = things(red);
    let before = create(&in_red, "one").await;
    let moment = plane.moment();
    let after = resize(&in_red, "one", 5).await;
    let (at_root, _) = grown(&plane).await;

    let stale = plane.inject(Fault::stale_since(&moment).in_project("red"));
    assert_eq!(in_red.get("one").await.unwrap(), before);
    assert_eq!(list(&at_root, &ListParams::default()).await.1.len(), 2);
    for (begin, parameters) in [
        ("0", WatchParams::default().disable_bookmarks()),
        ("", WatchParams::default().initial_events()),
    ] {
        let mut events = watch(&in_red, &parameters, begin).await;
        let one = "one".to_owned();
        assert_eq!(
            next(&mut events).await,
            ("ADDED", one.clone(), version(&before))
        );
        if begin.is_empty() {
            assert_eq!(
                next(&mut events).await,
                ("BOOKMARK", String::new(), version(&before))
            );
        }
        assert_eq!(next(&mut events).await, ("MODIFIED", one, version(&after)));
    }
    drop(stale);
    assert_eq!(in_red.get("one").await.unwrap(), after);
}

#[tokio::test]
async fn who_lists_behind_goes_on_from_there() {
    let plane = plane().await;
    let moment = plane.moment();
    let later = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "later"}});
    config_maps(plane.client().unwrap())
        .create(&PostParams::default(), &object(later))
        .await
        .unwrap();
    // Nobody had asked for things at that moment, and so there was no cache of them yet.
    let (api, [created, ..]) = grown(&plane).await;
    let _behind = plane.inject(Fault::stale_since(&moment));
    let (old, all) = list(&api, &ListParams::default()).await;
    assert_eq!(all, []);
    let mut events = watch(&api, &WatchParams::default().disable_bookmarks(), &old).await;
    assert_eq!(
        next(&mut events).await,
        ("ADDED", "one".to_owned(), version(&created))
    );
}
