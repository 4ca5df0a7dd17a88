//! What the follower of a kind is told, and what others do not get.

use std::sync::atomic::{AtomicUsize, Ordering};

use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::ApiResource;
use serde_json::json;

use super::*;
use crate::watch::feed::reads_metadata_only;
use crate::watch::{Feed, Kept, Selector, Subject};

#[derive(Default)]
struct Tape(Mutex<Vec<String>>);

impl Observer for Tape {
    fn changed(&self, change: &Change<'_>) {
        let word = match (change.before, change.after) {
            (_, None) => "gone",
            (None, _) => "new",
            _ if change.is_another() => "another",
            _ => "changed",
        };
        let meta = change.after.or(change.before).unwrap().metadata();
        let leaving = meta.deletion_timestamp.as_ref().map(|_| " leaving");
        let key = ObjectKey::of_meta(meta);
        let told = format!("{word} {key}{}", leaving.unwrap_or_default());
        self.0.lock().unwrap().push(told);
    }

    fn relisted(&self) {
        self.0.lock().unwrap().push("relisted".into());
    }
}

impl Tape {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

fn text(name: &str, version: &str, is_open: bool) -> String {
    let metadata = json!({"name": name, "resourceVersion": version, "labels": {"tier": "gold"}});
    json!({"metadata": metadata, "open": is_open}).to_string()
}

fn is_open(text: &str) -> serde_json::Result<bool> {
    #[derive(Deserialize)]
    struct Door {
        open: bool,
    }
    serde_json::from_str(text).map(|door: Door| door.open)
}

fn taped() -> (Briefs<bool>, Arc<Tape>) {
    let (briefs, tape) = (Briefs::new(Box::new(is_open)), Arc::new(Tape::default()));
    briefs.observe(Arc::clone(&tape) as Arc<dyn Observer>);
    (briefs, tape)
}

fn list(briefs: &Briefs<bool>, texts: &[String]) {
    briefs.begin_list();
    for text in texts {
        briefs.list_item(text).unwrap();
    }
    briefs.end_list("9");
}

#[test]
fn each_version_is_told_once_and_a_list_takes_away_what_it_lacks() {
    let (briefs, tape) = taped();
    list(&briefs, &[text("a", "1", true), text("b", "2", false)]);
    assert_eq!(tape.take(), ["new a", "new b"]);
    let key = ObjectKey::cluster_scoped("b");
    assert_eq!(briefs.get(&key), Some((false, false)));
    briefs.put(&text("b", "3", true)).unwrap();
    briefs.put(&text("b", "3", true)).unwrap();
    assert_eq!(tape.take(), ["changed b"]);
    assert_eq!(briefs.get(&key), Some((true, false)));
    // It broke off.
    briefs.begin_list();
    list(&briefs, &[text("b", "3", true), text("c", "5", true)]);
    assert_eq!(tape.take(), ["new c", "gone a", "relisted"]);
    for _ in 0..2 {
        // A version that is no number may be any.
        briefs.put(&text("c", "opaque", true)).unwrap();
    }
    assert_eq!(tape.take(), ["changed c", "changed c"]);
    let late = Arc::new(Tape::default());
    briefs.observe(Arc::clone(&late) as Arc<dyn Observer>);
    assert_eq!(late.take(), ["new b", "new c"]);
}

#[test]
fn a_version_that_is_known_is_not_read_again() {
    let reads = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&reads);
    let briefs = Briefs::new(Box::new(move |text| {
        count.fetch_add(1, Ordering::Relaxed);
        is_open(text)
    }));
    for _ in 0..2 {
        list(&briefs, &[text("a", "1", true), text("b", "2", false)]);
    }
    assert_eq!(reads.load(Ordering::Relaxed), 2);
    briefs.put(&text("b", "3", true)).unwrap();
    assert_eq!(reads.load(Ordering::Relaxed), 3);
}

#[test]
fn one_that_is_being_deleted_is_told_as_such_to_its_end() {
    let (briefs, tape) = taped();
    briefs.put(&text("a", "1", true)).unwrap();
    let meta =
        json!({"name": "a", "resourceVersion": "2", "deletionTimestamp": "2026-01-01T00:00:00Z"});
    let leaving = json!({"metadata": meta, "open": true}).to_string();
    briefs.put(&leaving).unwrap();
    let key = ObjectKey::cluster_scoped("a");
    assert_eq!(briefs.get(&key), Some((true, true)));
    Reader::remove(&briefs, &key);
    assert_eq!(briefs.get(&key), None);
    assert_eq!(
        tape.take(),
        ["new a", "changed a leaving", "gone a leaving"]
    );
}

#[test]
fn another_of_the_same_name_is_another() {
    let (briefs, tape) = taped();
    let with_uid = |uid: &str, version: &str| {
        let metadata = json!({"name": "a", "uid": uid, "resourceVersion": version});
        json!({"metadata": metadata, "open": true}).to_string()
    };
    list(&briefs, &[with_uid("first", "1")]);
    list(&briefs, &[with_uid("first", "2")]);
    list(&briefs, &[with_uid("second", "3")]);
    let told = ["new a", "changed a", "relisted", "another a", "relisted"];
    assert_eq!(tape.take(), told);
}

#[test]
fn what_does_not_fit_any_more_stays_as_it_was() {
    let (briefs, tape) = taped();
    let misfit = |name: &str| {
        let metadata = json!({"name": name, "resourceVersion": "5"});
        json!({"metadata": metadata, "open": "ajar"}).to_string()
    };
    let (a, b) = (
        ObjectKey::cluster_scoped("a"),
        ObjectKey::cluster_scoped("b"),
    );
    list(&briefs, &[text("a", "1", true)]);
    for key in [&a, &b] {
        assert!(briefs.put(&misfit(&key.name)).is_err());
        briefs.leave_out(key);
    }
    briefs.begin_list();
    assert!(briefs.list_item(&misfit("a")).is_err());
    briefs.leave_out(&a);
    briefs.end_list("9");
    assert_eq!(tape.take(), ["new a", "relisted"]);
    assert_eq!(briefs.get(&a), Some((true, false)));
    assert_eq!(briefs.get(&b), None, "it never did");
    Reader::remove(&briefs, &a);
    assert_eq!(tape.take(), ["gone a"]);
}

#[test]
fn who_needs_metadata_gets_a_cache_of_its_own() {
    let kind = ApiResource::erase::<ConfigMap>(&());
    let subject = Subject {
        kind,
        selector: Selector::default(),
    };
    let feed = Feed::new(Arc::new(subject), Kept::WhatIsRead);
    let briefs = feed.join_briefly(Box::new(is_open));
    assert!(feed.any().is_none());
    let metadata = feed.join_for_metadata();
    let readers = feed.readers();
    assert!(!readers.iter().all(|reader| reads_metadata_only(&**reader)));
    let whole = json!({"metadata": {"name": "a", "labels": {"tier": "gold"}}, "open": true});
    for reader in readers {
        reader.put(&whole.to_string()).unwrap();
    }
    let key = ObjectKey::cluster_scoped("a");
    assert_eq!(briefs.get(&key), Some((true, false)));
    let seen = metadata.look(&key).unwrap();
    assert_eq!(seen.metadata().labels.as_ref().unwrap()["tier"], "gold");
}
