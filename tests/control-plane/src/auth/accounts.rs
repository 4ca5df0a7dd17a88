//! Tokens that were issued to service accounts, and how long they stand for them: not beyond the account, nor beyond
//! what they are bound to.

use std::collections::HashSet;
use std::sync::{Arc, Weak};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::clock;
use crate::object;
use crate::plane::Plane;
use crate::store::{Bucket, Key};

/// What a token of a service account depends on.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) plane: Weak<Plane>,
    pub(crate) account: Thing,
    pub(crate) bound_to: Option<Thing>,
    pub(crate) audiences: Vec<String>,
}

/// An object that has to be there, and no other of its name.
#[derive(Debug)]
pub(crate) struct Thing {
    pub(crate) bucket: Bucket,
    pub(crate) key: Key,
    pub(crate) uid: String,
}

impl Account {
    /// Which of the audiences the token is for.
    pub(super) fn meant_for(&self, audiences: &[String]) -> Result<Vec<String>, String> {
        let own: HashSet<&String> = self.audiences.iter().collect();
        let is_own = |audience: &&String| own.contains(*audience);
        let common: Vec<String> = audiences.iter().filter(is_own).cloned().collect();
        if common.is_empty() {
            return Err(format!(
                "token audiences {} is invalid for the target audiences {}",
                quoted(&self.audiences),
                quoted(audiences)
            ));
        }
        Ok(common)
    }

    /// Whether everything is there that the token depends on.
    pub(super) fn check(&self) -> Result<(), String> {
        let name = &self.account.key.name;
        let missing = || format!("serviceaccounts {name:?} not found");
        let plane = self.plane.upgrade().ok_or_else(missing)?;
        let account = self.account.now(&plane).ok_or_else(missing)?;
        if is_as_good_as_deleted(&account) {
            let namespace = &self.account.key.namespace;
            return Err(format!(
                "service account {namespace}/{name} has been deleted"
            ));
        }
        let (uid, known) = (object::uid(&account), &self.account.uid);
        if uid != known {
            return Err(format!(
                "service account UID ({uid}) does not match claim ({known})"
            ));
        }
        let is_there = |thing: &Thing| {
            let now = thing.now(&plane);
            now.is_some_and(|now| object::uid(&now) == thing.uid && !is_as_good_as_deleted(&now))
        };
        match &self.bound_to {
            Some(thing) if !is_there(thing) => {
                Err("service account token has been invalidated".to_owned())
            }
            _ => Ok(()),
        }
    }

    /// Whether it was issued by a control plane: no other knows it.
    pub(super) fn is_of(&self, plane: &Arc<Plane>) -> bool {
        self.plane.as_ptr() == Arc::as_ptr(plane)
    }
}

impl Thing {
    fn now(&self, plane: &Plane) -> Option<Value> {
        plane.store.get(&self.bucket, &self.key)
    }
}

/// Whether something is being deleted, and has been for longer than clocks may differ.
fn is_as_good_as_deleted(object: &Value) -> bool {
    const LEEWAY: SignedDuration = SignedDuration::from_mins(1);
    let since =
        object::meta(object, "deletionTimestamp").and_then(|since| since.parse::<Timestamp>().ok());
    since.is_some_and(|since| clock::now().duration_since(since) > LEEWAY)
}

fn quoted(texts: &[String]) -> String {
    let texts: Vec<String> = texts.iter().map(|text| format!("{text:?}")).collect();
    format!("[{}]", texts.join(" "))
}
