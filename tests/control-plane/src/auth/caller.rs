//! Who a request is from, and what that user may do.

use std::sync::Arc;

use super::rbac::{Decision, Grants, Rule};
use super::{Attributes, User};
use crate::failure::Failure;
use crate::kinds::crd_bucket;
use crate::plane::{Plane, World};

/// A user, and what it may do everywhere and in one namespace: as it was when the request came.
#[derive(Clone)]
pub(crate) struct Caller(Arc<Inner>);

struct Inner {
    user: User,
    /// Nothing for who may do everything, whatever roles say.
    grants: Option<Grants>,
    /// The version of the control plane that they are of.
    as_of: u64,
    /// Whose CRDs those of a project are.
    root: Option<Arc<Plane>>,
}

impl Caller {
    pub(crate) fn new(world: &World, plane: &Plane, user: User, namespace: &str) -> Self {
        let is_limited = world.auth.rbac && !user.is_master();
        let as_of = plane.store.revision();
        let grants = is_limited.then(|| Grants::of(&plane.store, &user, namespace));
        let root = plane.project.is_some().then(|| world.root.clone());
        Self(Arc::new(Inner {
            user,
            grants,
            as_of,
            root,
        }))
    }

    /// The same with what the user may do by now.
    pub(crate) fn renewed(self, plane: &Plane) -> Self {
        let now = plane.store.revision();
        let Inner {
            user, grants, root, ..
        } = &*self.0;
        match grants {
            Some(grants) if now != self.0.as_of => Self(Arc::new(Inner {
                user: user.clone(),
                grants: Some(Grants::of(&plane.store, user, grants.namespace())),
                as_of: now,
                root: root.clone(),
            })),
            _ => self,
        }
    }

    /// The server itself.
    pub(crate) fn server() -> Self {
        Self(Arc::new(Inner {
            user: User::server(),
            grants: None,
            as_of: 0,
            root: None,
        }))
    }

    pub(crate) fn user(&self) -> &User {
        &self.0.user
    }

    /// Whether it may do everything, whatever roles say.
    pub(crate) fn is_unlimited(&self) -> bool {
        self.0.grants.is_none()
    }

    pub(crate) fn decide(&self, asked: &Attributes) -> Decision {
        let Some(grants) = &self.0.grants else {
            return Decision {
                allowed: true,
                reason: String::new(),
            };
        };
        let decision = grants.decide(asked);
        match &self.0.root {
            // What a project's roles allow there does not reach beyond it.
            Some(root) if decision.allowed && changes_definitions(asked) => {
                Grants::of(&root.store, self.user(), "").decide(asked)
            }
            _ => decision,
        }
    }

    pub(crate) fn may(&self, asked: &Attributes) -> bool {
        self.decide(asked).allowed
    }

    pub(crate) fn require(&self, asked: &Attributes) -> Result<(), Failure> {
        let decision = self.decide(asked);
        if decision.allowed {
            return Ok(());
        }
        Err(asked.refused(&self.user().name, &decision.reason))
    }

    /// The rules that it holds in a namespace.
    pub(crate) fn rules(&self, namespace: &str) -> impl Iterator<Item = &Rule> + Clone {
        let grants = self.0.grants.iter();
        grants.flat_map(move |grants| grants.rules(namespace))
    }

    /// What could not be found out about its rules.
    pub(crate) fn errors(&self, namespace: &str) -> Option<String> {
        self.0.grants.as_ref()?.errors(namespace)
    }
}

/// Whether it changes CRDs, which every control plane has in common.
fn changes_definitions(asked: &Attributes) -> bool {
    let definitions = crd_bucket();
    let reads = ["get", "list", "watch"].contains(&asked.verb.as_str());
    !reads && *definitions.group == *asked.group && *definitions.plural == *asked.resource
}
