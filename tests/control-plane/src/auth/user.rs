//! Who asks.

use std::collections::BTreeMap;

use crate::api::{label, subdomain};

/// The user of a request that shows nothing.
pub(crate) const ANONYMOUS: &str = "system:anonymous";
pub(crate) const AUTHENTICATED: &str = "system:authenticated";
pub(crate) const UNAUTHENTICATED: &str = "system:unauthenticated";
/// The group that may do everything, whatever roles say.
pub(crate) const MASTERS: &str = "system:masters";
const SERVICE_ACCOUNT: &str = "system:serviceaccount:";

/// A user, as its token or somebody who impersonates it says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct User {
    pub(crate) name: String,
    pub(crate) uid: String,
    pub(crate) groups: Vec<String>,
    pub(crate) extra: BTreeMap<String, Vec<String>>,
}

impl User {
    /// A user that is known, with the groups that follow from that.
    pub(crate) fn known(name: &str, groups: impl IntoIterator<Item = String>) -> Self {
        let mut user = Self {
            name: name.to_owned(),
            uid: name.to_owned(),
            groups: groups.into_iter().collect(),
            ..Self::default()
        };
        if let Some((namespace, _)) = service_account(name) {
            for group in groups_of_accounts(namespace) {
                user.join(group);
            }
        }
        user.join(AUTHENTICATED.to_owned());
        user
    }

    pub(crate) fn anonymous() -> Self {
        Self {
            name: ANONYMOUS.to_owned(),
            groups: vec![UNAUTHENTICATED.to_owned()],
            ..Self::default()
        }
    }

    pub(crate) fn is_anonymous(&self) -> bool {
        self.name == ANONYMOUS
    }

    /// The server itself.
    pub(crate) fn server() -> Self {
        Self::known("system:apiserver", [MASTERS.to_owned()])
    }

    pub(crate) fn is_in(&self, group: &str) -> bool {
        self.groups.iter().any(|known| known == group)
    }

    /// Whether it may do everything, whatever roles say.
    pub(crate) fn is_master(&self) -> bool {
        self.is_in(MASTERS)
    }

    fn join(&mut self, group: String) {
        if !self.is_in(&group) {
            self.groups.push(group);
        }
    }
}

/// The namespace and the name of a service account, by the name of its user.
pub(crate) fn service_account(user: &str) -> Option<(&str, &str)> {
    let (namespace, name) = user.strip_prefix(SERVICE_ACCOUNT)?.split_once(':')?;
    let is_one = label(namespace).is_none() && subdomain(name).is_none();
    is_one.then_some((namespace, name))
}

/// The groups of all service accounts, and of those in a namespace.
pub(crate) fn groups_of_accounts(namespace: &str) -> [String; 2] {
    [
        "system:serviceaccounts".to_owned(),
        format!("system:serviceaccounts:{namespace}"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_user_is_in_the_groups_that_follow() {
        let alice = User::known("alice", ["devs".to_owned()]);
        assert_eq!(alice.groups, ["devs", AUTHENTICATED]);
        let robot = User::known("system:serviceaccount:shop:robot", []);
        let expected = ["system:serviceaccounts", "system:serviceaccounts:shop"];
        assert_eq!(robot.groups[..2], expected);
        assert_eq!(service_account("system:serviceaccount:shop"), None);
    }
}
