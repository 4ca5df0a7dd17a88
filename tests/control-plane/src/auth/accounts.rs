//! Tokens that were issued to service accounts, and how long they stand for them: not beyond the account, nor beyond
//! what they are bound to.

use std::collections::HashSet;
use std::sync::Weak;

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
        let uid = self.account.uid_now(&plane).ok_or_else(missing)?;
        if uid != self.account.uid {
            let known = &self.account.uid;
            return Err(format!(
                "service account UID ({uid}) does not match claim ({known})"
            ));
        }
        match &self.bound_to {
            Some(thing) if thing.uid_now(&plane).as_ref() != Some(&thing.uid) => {
                Err("service account token has been invalidated".to_owned())
            }
            _ => Ok(()),
        }
    }
}

impl Thing {
    fn uid_now(&self, plane: &Plane) -> Option<String> {
        let object = plane.store.get(&self.bucket, &self.key)?;
        Some(object::uid(&object).to_owned())
    }
}

fn quoted(texts: &[String]) -> String {
    let texts: Vec<String> = texts.iter().map(|text| format!("{text:?}")).collect();
    format!("[{}]", texts.join(" "))
}
