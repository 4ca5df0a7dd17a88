//! What observers are told.

use super::*;
use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
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

/// A list, as of the version of the newest object in it.
fn list<const N: usize>(cache: &Cache<ConfigMap>, objects: [ConfigMap; N]) {
    let version = |object: &ConfigMap| object.metadata.resource_version.as_deref()?.parse().ok();
    let newest: u64 = objects.iter().filter_map(version).max().unwrap_or(1);
    list_of(cache, objects, &newest.to_string());
}

fn list_of<const N: usize>(cache: &Cache<ConfigMap>, objects: [ConfigMap; N], version: &str) {
    cache.begin_list();
    for object in objects {
        cache.list_item(&text(&object)).unwrap();
    }
    cache.end_list(version);
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
    cache.overlay(Arc::new(object("a", 3, 2)), true);
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
    list(&cache, [object("a", 1, 1)]);
    cache.remove(&ObjectKey::namespaced("shop", "a"));
    cache.passed("4");
    cache.overlay(Arc::new(object("a", 3, 1)), true);
    assert!(cache.get(&ObjectKey::namespaced("shop", "a")).is_none());
}

#[test]
fn what_we_create_is_there_until_the_watch_has_passed_it() {
    let (cache, tape) = taped();
    list(&cache, [object("a", 1, 1)]);
    let key = |name| ObjectKey::namespaced("shop", name);
    cache.overlay(Arc::new(object("b", 7, 1)), true);
    // What is perhaps not selected is not shown, and still to be found by who deletes.
    let mut hidden = object("c", 8, 1);
    let owner = OwnerReference {
        uid: "owner".into(),
        ..OwnerReference::default()
    };
    hidden.metadata.owner_references = Some(vec![owner]);
    cache.overlay(Arc::new(hidden), false);
    cache.passed("6");
    assert!(cache.get(&key("b")).is_some() && cache.get(&key("c")).is_none());
    assert_eq!(cache.list().len(), 2);
    assert_eq!(cache.owned_by("owner").len(), 1);
    assert_eq!(*tape.0.lock().unwrap(), ["new a 1"], "no watch has said so");
    put(&cache, object("b", 7, 1));
    cache.passed("7");
    assert_eq!(cache.list().len(), 2);
    // It was deleted before the watch came to it.
    cache.passed("9");
    assert!(cache.owned_by("owner").is_empty());
    assert_eq!(*tape.0.lock().unwrap(), ["new a 1", "new b 7"]);
}

#[test]
fn what_is_created_in_the_place_of_another_is_not_taken_for_it() {
    let (cache, tape) = taped();
    list(&cache, [object("a", 1, 1)]);
    let mut second = object("a", 7, 1);
    second.metadata.uid = Some("second".into());
    cache.overlay(Arc::new(second.clone()), true);
    let key = ObjectKey::namespaced("shop", "a");
    let uid = || cache.get(&key).unwrap().metadata.uid.clone();
    assert_eq!(uid().as_deref(), Some("second"));
    assert_eq!(cache.list().len(), 1);
    // The watch comes to a change of the first, and to its end.
    put(&cache, object("a", 4, 2));
    cache.passed("4");
    assert_eq!(uid().as_deref(), Some("second"));
    cache.remove(&key);
    cache.passed("6");
    assert_eq!(uid().as_deref(), Some("second"));
    put(&cache, second);
    cache.passed("7");
    assert_eq!(uid().as_deref(), Some("second"));
    assert_eq!(
        *tape.0.lock().unwrap(),
        ["new a 1", "changed a 4", "gone a", "new a 7"]
    );
}

#[tokio::test(start_paused = true)]
async fn what_we_wrote_is_in_doubt_after_a_while_in_which_no_watch_says_so() {
    let (cache, _) = taped();
    list(&cache, [object("a", 1, 1)]);
    let key = |name| ObjectKey::namespaced("shop", name);
    cache.overlay(Arc::new(object("a", 5, 1)), true);
    cache.overlay(Arc::new(object("b", 6, 1)), true);
    let doubted = || ["a", "b"].map(|name| cache.is_in_doubt(&key(name)));
    tokio::time::advance(BELIEVED - Duration::from_millis(1)).await;
    assert_eq!(doubted(), [false, false]);
    tokio::time::advance(Duration::from_millis(1)).await;
    assert_eq!(doubted(), [true, true]);
    put(&cache, object("a", 5, 1));
    put(&cache, object("b", 6, 1));
    assert_eq!(doubted(), [false, false]);
}

#[tokio::test(start_paused = true)]
async fn what_is_newer_than_a_list_of_an_earlier_time_is_in_doubt_until_the_server_was_asked() {
    let (cache, tape) = taped();
    list(&cache, [object("a", 90, 7), object("b", 3, 1)]);
    cache.overlay(Arc::new(object("new", 95, 1)), true);
    tokio::time::advance(BELIEVED).await;
    // A backup of long ago is the server's state now.
    list_of(&cache, [object("a", 40, 2), object("b", 3, 1)], "50");
    let key = |name| ObjectKey::namespaced("shop", name);
    assert!(cache.is_in_doubt(&key("a")) && !cache.is_in_doubt(&key("b")));
    assert!(cache.get(&key("new")).is_none());
    cache.overlay(Arc::new(object("a", 40, 2)), true);
    assert!(!cache.is_in_doubt(&key("a")));
    let version = || {
        cache
            .get(&key("a"))
            .unwrap()
            .metadata
            .resource_version
            .clone()
    };
    assert_eq!(version().as_deref(), Some("40"));
    put(&cache, object("a", 51, 3));
    assert_eq!(version().as_deref(), Some("51"));
    assert_eq!(
        *tape.0.lock().unwrap(),
        [
            "new a 90",
            "new b 3",
            "changed a",
            "relisted",
            "changed a 51"
        ]
    );
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
    cache.end_list("3");
    assert!(cache.get(&key("b")).is_none());
}

/// An index by the value of a label, that of an owner and a naive look agree.
fn agree(cache: &Cache<ConfigMap>) {
    struct Test;
    fn tier(map: &ConfigMap) -> Vec<String> {
        let label = map.metadata.labels.as_ref().and_then(|all| all.get("tier"));
        label.into_iter().cloned().collect()
    }
    for value in ["0", "1", "2"] {
        let mut owner = ConfigMap::default();
        owner.metadata.uid = Some(value.into());
        for lookup in [
            Lookup::indexed::<Test>("tier", tier, value),
            Lookup::owned_by(&owner),
        ] {
            let mut naive = cache.list();
            naive.retain(|map| lookup.has(map));
            assert_eq!(cache.find(&lookup), naive);
        }
    }
}

#[test]
fn an_index_follows_whatever_happens_to_the_objects() {
    let (cache, _) = taped();
    let mut state = 1_u64;
    let mut draw = |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33) % below
    };
    let mut found = 0;
    for version in 1..500_u32 {
        let name = ["a", "b", "c", "d"][draw(4) as usize];
        let mut map = object(name, version, 1);
        let (tier, owner) = (draw(4).to_string(), draw(4).to_string());
        map.metadata.labels = Some([("tier".into(), tier)].into());
        map.metadata.owner_references = Some(vec![OwnerReference {
            uid: owner,
            ..OwnerReference::default()
        }]);
        match draw(8) {
            0 => cache.remove(&ObjectKey::of(&map)),
            1 | 2 => cache.overlay(Arc::new(map), true),
            3 => list(&cache, [map]),
            4 => cache.release(&map, "any"),
            _ => put(&cache, map),
        }
        agree(&cache);
        found += cache.list().len();
    }
    assert!(found > 500, "{found}");
}

#[test]
fn an_index_whose_function_panics_hurts_nobody() {
    struct Test;
    let (cache, _) = taped();
    put(&cache, object("a", 1, 1));
    let lookup = Lookup::indexed::<Test>("panics", |_| panic!("out of order"), "any");
    assert_eq!(cache.find(&lookup), [] as [Arc<ConfigMap>; 0]);
    put(&cache, object("a", 2, 2));
    assert_eq!(cache.list().len(), 1);
}

/// Observes until it is over.
struct Passing(AtomicBool);

impl Observer for Passing {
    fn changed(&self, _: &Change<'_>) {}

    fn is_over(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

#[test]
fn observers_that_are_over_do_not_pile_up() {
    let (cache, _) = taped();
    for _ in 0..1_000 {
        let passing = Arc::new(Passing(AtomicBool::new(false)));
        Source::observe(&cache, Arc::clone(&passing) as Arc<dyn Observer>);
        passing.0.store(true, Ordering::Relaxed);
    }
    let left = cache.lock().observers.len();
    assert!(left <= 2 * FEW, "{left}");
    let there = Arc::new(Passing(AtomicBool::new(false)));
    for _ in 0..100 {
        Source::observe(&cache, Arc::clone(&there) as Arc<dyn Observer>);
    }
    assert!(cache.lock().observers.len() > 100, "the others stay");
}
