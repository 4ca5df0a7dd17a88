//! `Impersonate-User` and what goes with it: a request on behalf of somebody else.
//!
//! There are two ways to be allowed that. The old one is the verb `impersonate`, with which all can be done that the
//! other may do. The new ones have a verb for whom (`impersonate:user-info`) and another for what
//! (`impersonate-on:user-info:list`). They are tried in turn, beginning with the one that last worked for the user,
//! and a refusal is that of the first.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use http::HeaderMap;

use super::user::{self, ANONYMOUS, AUTHENTICATED, UNAUTHENTICATED};
use super::{Attributes, Caller, MASTERS, User};
use crate::api::{decode, subdomain};
use crate::failure::Failure;
use crate::odd;
use crate::patch::go;
use crate::plane::{Plane, World};

const USER: &str = "impersonate-user";
const GROUP: &str = "impersonate-group";
const UID: &str = "impersonate-uid";
const EXTRA: &str = "impersonate-extra-";
const NODE: &str = "system:node:";
/// The API group of whom the new ways name.
const AUTHENTICATION: &str = "authentication.k8s.io";

/// The ways to be allowed it, in the order in which they are tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Node,
    ServiceAccount,
    UserInfo,
    Legacy,
}

const MODES: [Mode; 4] = [
    Mode::Node,
    Mode::ServiceAccount,
    Mode::UserInfo,
    Mode::Legacy,
];

/// How users have last impersonated others.
#[derive(Debug, Default)]
pub(crate) struct Impersonators(Mutex<BTreeMap<String, Mode>>);

impl Impersonators {
    fn last(&self, user: &User) -> Option<Mode> {
        let modes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        modes.get(&user.name).copied()
    }

    fn remember(&self, user: &User, mode: Mode) {
        let mut modes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        modes.insert(user.name.clone(), mode);
    }
}

/// The user that a request is on behalf of, and who asks so; the one that sends it alone, if it names no other.
pub(super) fn apply(
    world: &World,
    plane: &Plane,
    user: User,
    asked: &Attributes,
    headers: &HeaderMap,
) -> Result<(User, Option<User>), Failure> {
    let Some(wanted) = wanted(headers)? else {
        return Ok((user, None));
    };
    let last = world.auth.impersonators.last(&user);
    let rest = MODES.into_iter().filter(|mode| Some(*mode) != last);
    let modes = last.into_iter().chain(rest);
    let mut refusal = None;
    for mode in modes.filter(|mode| mode.fits(&wanted)) {
        match mode.check(world, plane, &user, &wanted, asked) {
            Ok(()) => {
                world.auth.impersonators.remember(&user, mode);
                return Ok((complete(wanted, mode), Some(user)));
            }
            Err(failure) => refusal = refusal.or(Some(failure)),
        }
    }
    // The last way fits everybody, so there is a refusal.
    Err(refusal.unwrap_or_else(|| asked.refused(&user.name, "")))
}

/// Whom the headers name; nobody if there are none.
fn wanted(headers: &HeaderMap) -> Result<Option<User>, Failure> {
    let all = |name: &str| -> Vec<String> {
        let values = headers.get_all(name).iter();
        values.map(|value| odd::read(value.as_bytes())).collect()
    };
    let first = |name| all(name).into_iter().next().unwrap_or_default();
    let mut extra = BTreeMap::new();
    for name in headers.keys() {
        if let Some(key) = name.as_str().strip_prefix(EXTRA) {
            extra.insert(decode(key, false), all(name.as_str()));
        }
    }
    let user = User {
        name: first(USER),
        uid: first(UID),
        groups: all(GROUP),
        extra,
    };
    if !user.name.is_empty() {
        return Ok(Some(user));
    }
    if user == User::default() {
        return Ok(None);
    }
    let user = in_go(&user);
    let why = format!("requested {user} without impersonating a user name");
    let mut failure = Failure::bad_request(why);
    failure.no_sniff = true;
    Err(failure)
}

/// The user, as Go prints it.
fn in_go(user: &User) -> String {
    let list = |values: &[String]| {
        let quoted: Vec<String> = values.iter().map(|value| go::quoted(value)).collect();
        match quoted.as_slice() {
            [] => "[]string(nil)".to_owned(),
            quoted => format!("[]string{{{}}}", quoted.join(", ")),
        }
    };
    let extra: Vec<String> = user
        .extra
        .iter()
        .map(|(key, values)| format!("{}:{}", go::quoted(key), list(values)))
        .collect();
    let extra = match extra.as_slice() {
        [] => "map[string][]string(nil)".to_owned(),
        extra => format!("map[string][]string{{{}}}", extra.join(", ")),
    };
    format!(
        "&user.DefaultInfo{{Name:{}, UID:{}, Groups:{}, Extra:{extra}}}",
        go::quoted(&user.name),
        go::quoted(&user.uid),
        list(&user.groups)
    )
}

/// Adds the groups that follow from the name, and from how it is allowed.
fn complete(mut user: User, mode: Mode) -> User {
    if mode == Mode::Node {
        user.groups.push("system:nodes".to_owned());
    }
    if let (true, Some((namespace, _))) =
        (user.groups.is_empty(), user::service_account(&user.name))
    {
        user.groups.extend(user::groups_of_accounts(namespace));
    }
    let group = match user.name == ANONYMOUS {
        true => UNAUTHENTICATED,
        false => AUTHENTICATED,
    };
    if !user.is_in(group) && !user.is_in(UNAUTHENTICATED) {
        user.groups.push(group.to_owned());
    }
    user
}

impl Mode {
    fn fits(self, wanted: &User) -> bool {
        let is_alone = wanted.uid.is_empty() && wanted.groups.is_empty() && wanted.extra.is_empty();
        let node = wanted.name.strip_prefix(NODE);
        let is_node = node.is_some_and(|name| subdomain(name).is_none());
        let is_account = user::service_account(&wanted.name).is_some();
        match self {
            Self::Node => is_node && is_alone,
            Self::ServiceAccount => is_account && is_alone,
            Self::UserInfo => !is_node && !is_account,
            Self::Legacy => true,
        }
    }

    /// What its verbs say; nothing for the old one.
    fn name(self) -> Option<&'static str> {
        match self {
            Self::Node => Some("arbitrary-node"),
            Self::ServiceAccount => Some("serviceaccount"),
            Self::UserInfo => Some("user-info"),
            Self::Legacy => None,
        }
    }

    fn check(
        self,
        world: &World,
        plane: &Plane,
        user: &User,
        wanted: &User,
        asked: &Attributes,
    ) -> Result<(), Failure> {
        let require = |asked: &Attributes| {
            Caller::new(world, plane, user.clone(), &asked.namespace).require(asked)
        };
        if let Some(mode) = self.name() {
            let verb = format!("impersonate-on:{mode}:{}", asked.verb);
            require(&Attributes {
                verb,
                ..asked.clone()
            })?;
        }
        for (whom, why_never) in self.whom(wanted) {
            if let Some(why) = why_never {
                return Err(whom.refused(&user.name, &why));
            }
            require(&whom)?;
        }
        Ok(())
    }

    /// All that is to be allowed of whom it is, and why some of it never is.
    fn whom(self, wanted: &User) -> Vec<(Attributes, Option<String>)> {
        let (verb, group) = match self.name() {
            Some(mode) => (format!("impersonate:{mode}"), AUTHENTICATION),
            None => ("impersonate".to_owned(), ""),
        };
        let one = |group: &str, resource: &str, name: &str| Attributes {
            verb: verb.clone(),
            group: group.to_owned(),
            resource: resource.to_owned(),
            name: name.to_owned(),
            ..Attributes::default()
        };
        let mut all = Vec::new();
        match (self, user::service_account(&wanted.name)) {
            (Self::Node, _) => {
                let name = wanted.name.strip_prefix(NODE).unwrap_or_default();
                all.push((one(group, "nodes", name), None));
            }
            (_, Some((namespace, name))) => {
                let mut account = one(group, "serviceaccounts", name);
                account.namespace = namespace.to_owned();
                all.push((account, None));
            }
            _ => all.push((one(group, "users", &wanted.name), None)),
        }
        let is_new = self != Self::Legacy;
        if !wanted.uid.is_empty() {
            all.push((one(AUTHENTICATION, "uids", &wanted.uid), None));
        }
        for (name, called) in [("", "empty string"), (MASTERS, MASTERS)] {
            if is_new && wanted.is_in(name) {
                let why = format!("impersonating the {called} group is not allowed");
                all.push((one(group, "groups", name), Some(why)));
            }
        }
        for name in &wanted.groups {
            all.push((one(group, "groups", name), None));
        }
        if is_new && let Some(why) = wanted.extra.iter().find_map(never_extra) {
            all.push((one(AUTHENTICATION, "userextras", ""), Some(why)));
        }
        for (key, values) in &wanted.extra {
            for value in values {
                let mut extra = one(AUTHENTICATION, "userextras", value);
                extra.subresource = key.clone();
                all.push((extra, None));
            }
        }
        all
    }
}

/// Why the new ways never allow a key or its values.
fn never_extra((key, values): (&String, &Vec<String>)) -> Option<String> {
    let what = if key.is_empty() {
        "the empty string key".to_owned()
    } else if !is_prefixed(key) {
        return Some(format!(
            "impersonating an invalid key in extra is not allowed: extra.key: Invalid value: {key:?}: must be a \
             domain-prefixed path (such as \"acme.io/foo\")"
        ));
    } else if *key != key.to_lowercase() {
        let why = "impersonating a non-lowercase key in extra is not allowed";
        return Some(format!("{why}: {key:?}"));
    } else if values.iter().any(String::is_empty) {
        "the empty string value".to_owned()
    } else {
        return None;
    };
    Some(format!("impersonating {what} in extra is not allowed"))
}

/// Whether a domain stands before it.
fn is_prefixed(key: &str) -> bool {
    key.split_once('/')
        .is_some_and(|(domain, path)| !domain.is_empty() && !path.is_empty())
}
