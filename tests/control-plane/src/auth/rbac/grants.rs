//! What the roles of a control plane allow a user.

use serde_json::Value;

use super::rule::Rule;
use super::{bucket, missing};
use crate::auth::{Attributes, User, user};
use crate::object;
use crate::odd;
use crate::store::{Key, Store};

/// All that somebody is allowed, everywhere and in one namespace.
#[derive(Debug, Default)]
pub(crate) struct Grants {
    everywhere: Vec<Grant>,
    namespace: String,
    there: Vec<Grant>,
}

/// What comes of one binding.
#[derive(Debug)]
struct Grant {
    /// Which binding it is, for those who ask why.
    source: String,
    /// The rules of its role, or what is wrong with it.
    rules: Result<Vec<Rule>, String>,
}

/// Whether it is allowed, and why, or why it is not known.
#[derive(Debug)]
pub(crate) struct Decision {
    pub(crate) allowed: bool,
    pub(crate) reason: String,
}

impl Grants {
    /// Reads the bindings of a control plane.
    pub(crate) fn of(store: &Store, user: &User, namespace: &str) -> Self {
        let read = |plural: &str, namespace: Option<&str>| {
            let bindings = store.list(&bucket(plural), namespace).objects;
            let grants = bindings.iter();
            grants
                .filter_map(|binding| Grant::of(store, user, binding.read()))
                .collect()
        };
        Self {
            everywhere: read("clusterrolebindings", None),
            namespace: namespace.to_owned(),
            there: match namespace {
                "" => Vec::new(),
                namespace => read("rolebindings", Some(namespace)),
            },
        }
    }

    /// The one whose roles count besides those that count everywhere.
    pub(crate) fn namespace(&self) -> &str {
        &self.namespace
    }

    fn in_force(&self, namespace: &str) -> impl Iterator<Item = &Grant> + Clone {
        let local = !namespace.is_empty() && self.namespace == namespace;
        let there = if local { &self.there[..] } else { &[] };
        self.everywhere.iter().chain(there)
    }

    pub(crate) fn decide(&self, asked: &Attributes) -> Decision {
        let allows = |grant: &&Grant| {
            let rules = grant.rules.as_deref().unwrap_or_default();
            rules.iter().any(|rule| rule.allows(asked))
        };
        match self.in_force(&asked.namespace).find(allows) {
            Some(grant) => Decision {
                allowed: true,
                reason: format!("RBAC: allowed by {}", grant.source),
            },
            None => Decision {
                allowed: false,
                reason: match self.errors(&asked.namespace) {
                    Some(errors) => format!("RBAC: {errors}"),
                    None => String::new(),
                },
            },
        }
    }

    /// The rules that hold in a namespace, in order.
    pub(crate) fn rules(&self, namespace: &str) -> impl Iterator<Item = &Rule> + Clone {
        self.in_force(namespace)
            .flat_map(|grant| grant.rules.as_deref().unwrap_or_default())
    }

    /// What is wrong with the bindings that count in a namespace.
    pub(crate) fn errors(&self, namespace: &str) -> Option<String> {
        let mut errors: Vec<&str> = Vec::new();
        for grant in self.in_force(namespace) {
            if let Err(error) = &grant.rules
                && !errors.contains(&error.as_str())
            {
                errors.push(error);
            }
        }
        match errors.as_slice() {
            [] => None,
            [one] => Some((*one).to_owned()),
            several => Some(format!("[{}]", several.join(", "))),
        }
    }
}

impl Grant {
    /// Nothing, if the binding is for others.
    fn of(store: &Store, user: &User, binding: &Value) -> Option<Self> {
        let namespace = object::namespace(binding);
        let subjects = binding.get("subjects").and_then(Value::as_array)?;
        let subject = subjects
            .iter()
            .find_map(|subject| described(subject, user, namespace))?;
        let text = |field: &str| binding["roleRef"][field].as_str().unwrap_or_default();
        let (kind, role) = (text("kind"), text("name"));
        let source = match (namespace, object::name(binding)) {
            ("", name) => format!("ClusterRoleBinding {name:?}"),
            (namespace, name) => format!("RoleBinding \"{name}/{namespace}\""),
        };
        Some(Self {
            source: format!("{source} of {kind} {role:?} to {subject}"),
            rules: rules(store, kind, namespace, role),
        })
    }
}

fn rules(store: &Store, kind: &str, namespace: &str, name: &str) -> Result<Vec<Rule>, String> {
    let (plural, namespace) = match kind {
        "Role" => ("roles", namespace),
        _ => ("clusterroles", ""),
    };
    match store.kept(&bucket(plural), &Key::new(namespace, name)) {
        Some(role) => Ok(Rule::all_of(role.read())),
        None => Err(missing(kind, name)),
    }
}

/// How a subject is named, if it is the user.
fn described(subject: &Value, user: &User, namespace: &str) -> Option<String> {
    let text = |field: &str| subject[field].as_str().unwrap_or_default();
    let name = text("name");
    match text("kind") {
        "User" => (user.name == odd::read_text(name)).then(|| format!("User {name:?}")),
        "Group" => user
            .is_in(&odd::read_text(name))
            .then(|| format!("Group {name:?}")),
        "ServiceAccount" => {
            let namespace = match text("namespace") {
                "" => namespace,
                own => own,
            };
            let is_it = user::service_account(&user.name) == Some((namespace, name));
            is_it.then(|| format!("ServiceAccount \"{name}/{namespace}\""))
        }
        _ => None,
    }
}
