//! Writers, watchers and deleters at the same time: every watcher sees every write that was acknowledged, once and in
//! order.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "that is how a test fails"
)]

mod support;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use futures::{StreamExt, TryStreamExt};
use kube::ResourceExt;
use kube::api::{
    Api, DeleteParams, DynamicObject, Patch, PatchParams, PostParams, WatchEvent, WatchParams,
};
use serde_json::json;
use support::*;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

const WRITERS: usize = 4;
const WATCHERS: usize = 6;
const OBJECTS: usize = 10;
const ROUNDS: usize = 12;

/// What was acknowledged or seen: by version, the name and what became of it.
type Writes = BTreeMap<u64, (String, &'static str)>;

fn version(object: &DynamicObject) -> u64 {
    object.resource_version().unwrap().parse().unwrap()
}

/// Creates and changes objects of its own, writes down what was acknowledged, and hands all but the last to who deletes.
async fn write(
    api: Api<DynamicObject>,
    writer: usize,
    writes: Arc<Mutex<Writes>>,
    done: UnboundedSender<String>,
) {
    let note = |version: u64, name: &str, what| {
        let before = writes
            .lock()
            .unwrap()
            .insert(version, (name.to_owned(), what));
        assert_eq!(before, None, "two writes with one version");
    };
    for round in 0..ROUNDS {
        let names: Vec<String> = (0..OBJECTS)
            .map(|number| format!("w{writer}-{round}-{number}"))
            .collect();
        for name in &names {
            let object = object(
                json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"round": round.to_string()}}),
            );
            let created = api.create(&PostParams::default(), &object).await.unwrap();
            note(version(&created), name, "ADDED");
        }
        for name in names {
            let patch = Patch::Merge(json!({"data": {"changed": round.to_string()}}));
            let changed = api
                .patch(&name, &PatchParams::default(), &patch)
                .await
                .unwrap();
            note(version(&changed), &name, "MODIFIED");
            if round < ROUNDS - 1 {
                done.send(name).unwrap();
            }
        }
    }
}

/// Deletes what is handed over until nobody has more.
async fn delete(api: Api<DynamicObject>, mut done: UnboundedReceiver<String>) {
    while let Some(name) = done.recv().await {
        api.delete(&name, &DeleteParams::default()).await.unwrap();
    }
}

/// Watches until it has seen the end, whatever cuts it short, and gives what it saw.
async fn follow(api: Api<DynamicObject>, from: String) -> Writes {
    let (mut seen, mut at, mut last) = (Writes::new(), from, 0);
    loop {
        // It may be cut as it opens.
        let Ok(events) = api.watch(&WatchParams::default(), &at).await else {
            continue;
        };
        let mut events = events.boxed();
        while let Ok(Some(event)) = soon("event", events.try_next()).await {
            let (what, object) = match event {
                WatchEvent::Added(object) => ("ADDED", object),
                WatchEvent::Modified(object) => ("MODIFIED", object),
                WatchEvent::Deleted(object) => ("DELETED", object),
                WatchEvent::Bookmark(_) => continue,
                WatchEvent::Error(status) => panic!("{status:?}"),
            };
            let version = version(&object);
            assert!(version > last, "{version} came after {last}");
            last = version;
            at = version.to_string();
            if object.name_any() == "the-end" {
                return seen;
            }
            let before = seen.insert(version, (object.name_any(), what));
            assert_eq!(before, None, "an event that came twice");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_watcher_sees_every_write_once_and_in_order() {
    let plane = plane().await;
    let client = || plane.client().unwrap();
    let from = config_maps(client())
        .list(&Default::default())
        .await
        .unwrap()
        .metadata
        .resource_version
        .unwrap();
    let watchers: Vec<_> = (0..WATCHERS)
        .map(|_| tokio::spawn(follow(config_maps(client()), from.clone())))
        .collect();
    let writes = Arc::new(Mutex::new(Writes::new()));
    let at_work: Vec<_> = (0..WRITERS)
        .flat_map(|writer| {
            let (done, handed_over) = unbounded_channel();
            [
                tokio::spawn(write(config_maps(client()), writer, writes.clone(), done)),
                tokio::spawn(delete(config_maps(client()), handed_over)),
            ]
        })
        .collect();
    // In the middle of it, and more than once.
    let busy = async {
        for task in at_work {
            task.await.unwrap();
        }
    };
    tokio::pin!(busy);
    let mut cuts = 0;
    loop {
        tokio::select! {
            biased;
            () = &mut busy => break,
            () = tokio::time::sleep(std::time::Duration::from_millis(100)) => {
                plane.drop_watches(None);
                cuts += 1;
            }
        }
    }
    assert!(cuts > 0, "it was over before a watch was cut");
    config_maps(client())
        .create(
            &PostParams::default(),
            &object(
                json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "the-end"}}),
            ),
        )
        .await
        .unwrap();
    let acknowledged = writes.lock().unwrap().clone();
    assert_eq!(acknowledged.len(), WRITERS * OBJECTS * ROUNDS * 2);
    let is_kept = |name: &str| name.contains(&format!("-{}-", ROUNDS - 1));
    let kept: Writes = acknowledged
        .clone()
        .into_iter()
        .filter(|(_, (name, what))| is_kept(name) && *what == "MODIFIED")
        .collect();
    let left = config_maps(client())
        .list(&Default::default())
        .await
        .unwrap();
    let left: Writes = left
        .items
        .into_iter()
        .filter(|object| object.name_any() != "the-end")
        .map(|object| (version(&object), (object.name_any(), "MODIFIED")))
        .collect();
    assert_eq!(
        left, kept,
        "what was acknowledged is there, and nothing else"
    );
    for watcher in watchers {
        let seen = soon("end of a watcher", watcher).await.unwrap();
        let mut lives: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (name, what) in seen.values() {
            lives.entry(name).or_default().push(what);
        }
        assert_eq!(lives.len(), WRITERS * OBJECTS * ROUNDS);
        for (name, life) in lives {
            let whole = ["ADDED", "MODIFIED", "DELETED"];
            let so_far = if is_kept(name) { &whole[..2] } else { &whole };
            assert_eq!(life, so_far, "{name}");
        }
        let others: Writes = seen
            .into_iter()
            .filter(|(_, (_, what))| *what != "DELETED")
            .collect();
        assert_eq!(others, acknowledged);
    }
}
