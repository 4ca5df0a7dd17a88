//! What observers are told.

use super::*;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::ObjectMeta;

#[derive(Default)]
struct Tape(Mutex<Vec<String>>);

impl Observer for Tape {
    fn changed(&self, change: &Change<'_>) {
        let newest = change.after.or(change.before).unwrap();
        let word = match (change.before, change.after) {
            (_, None) => "gone",
            (None, _) => "new",
            _ if On::DEFAULT.counts(change.changed) => "changed",
            _ => "same",
        };
        let name = newest.metadata().name.as_deref().unwrap();
        let version = change.version.map(|version| format!(" {version}"));
        self.0
            .lock()
            .unwrap()
            .push(format!("{word} {name}{}", version.unwrap_or_default()));
    }

    fn relisted(&self) {
        self.0.lock().unwrap().push("relisted".into());
    }
}

fn object(name: &str, version: u32, generation: i64) -> ConfigMap {
    let metadata = ObjectMeta {
        name: Some(name.into()),
        namespace: Some("shop".into()),
        uid: Some(format!("uid-{name}")),
        resource_version: Some(version.to_string()),
        generation: Some(generation),
        ..ObjectMeta::default()
    };
    ConfigMap {
        metadata,
        ..ConfigMap::default()
    }
}

fn text(object: &ConfigMap) -> String {
    serde_json::to_string(object).unwrap()
}

fn list<const N: usize>(cache: &Cache<ConfigMap>, objects: [ConfigMap; N]) {
    cache.begin_list();
    for object in objects {
        cache.list_item(&text(&object)).unwrap();
    }
    cache.end_list();
}

fn put(cache: &Cache<ConfigMap>, object: ConfigMap) {
    cache.put(&text(&object)).unwrap();
}

fn taped() -> (Cache<ConfigMap>, Arc<Tape>) {
    let (cache, tape) = (Cache::new(Kept::WhatIsRead), Arc::new(Tape::default()));
    Source::observe(&cache, Arc::clone(&tape) as Arc<dyn Observer>);
    (cache, tape)
}

#[test]
fn a_relist_tells_what_went_while_the_watch_was_down() {
    let (cache, tape) = taped();
    list(&cache, [object("a", 1, 1), object("b", 2, 1)]);
    list(&cache, [object("b", 2, 1), object("c", 5, 1)]);
    assert_eq!(
        *tape.0.lock().unwrap(),
        ["new a 1", "new b 2", "new c", "gone a", "relisted"],
        "what came with the second list may be more than one write"
    );
}

#[test]
fn a_list_that_breaks_off_takes_nothing_away() {
    let (cache, tape) = taped();
    list(&cache, [object("a", 1, 1), object("b", 2, 1)]);
    cache.begin_list();
    cache.list_item(&text(&object("b", 3, 2))).unwrap();
    list(&cache, [object("a", 1, 1), object("b", 3, 2)]);
    assert_eq!(
        *tape.0.lock().unwrap(),
        ["new a 1", "new b 2", "changed b", "relisted"]
    );
}

#[test]
fn our_own_write_is_seen_at_once_and_hides_no_change_of_a_user() {
    let (cache, tape) = taped();
    put(&cache, object("a", 1, 1));
    // A user's change (version 2, generation 2) comes back to us with our own write (version 3).
    cache.overlay(Arc::new(object("a", 3, 2)));
    let key = ObjectKey::namespaced("shop", "a");
    assert_eq!(
        cache
            .get(&key)
            .unwrap()
            .metadata
            .resource_version
            .as_deref(),
        Some("3")
    );
    put(&cache, object("a", 2, 2));
    assert_eq!(
        cache
            .get(&key)
            .unwrap()
            .metadata
            .resource_version
            .as_deref(),
        Some("3"),
        "the older one came in"
    );
    put(&cache, object("a", 3, 2));
    put(&cache, object("a", 4, 2));
    assert_eq!(
        *tape.0.lock().unwrap(),
        ["new a 1", "changed a 2", "same a 3", "same a 4"],
        "each is told with the version that came"
    );
}

#[test]
fn a_write_does_not_bring_back_what_is_gone() {
    let (cache, _) = taped();
    put(&cache, object("a", 1, 1));
    cache.remove(&ObjectKey::namespaced("shop", "a"));
    cache.overlay(Arc::new(object("a", 3, 1)));
    assert!(cache.get(&ObjectKey::namespaced("shop", "a")).is_none());
}

#[test]
fn a_new_list_replaces_one_by_one_and_keeps_nothing_twice() {
    let (cache, _) = taped();
    list(&cache, [object("a", 1, 1), object("b", 2, 1)]);
    let key = |name| ObjectKey::namespaced("shop", name);
    let old = Arc::downgrade(&cache.get(&key("a")).unwrap());
    cache.begin_list();
    cache.list_item(&text(&object("a", 3, 2))).unwrap();
    assert!(old.upgrade().is_none(), "before the list is whole");
    assert!(cache.get(&key("b")).is_some(), "it may still come");
    cache.end_list();
    assert!(cache.get(&key("b")).is_none());
}
