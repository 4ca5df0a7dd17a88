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
    /// Roles count.
    is_limited: bool,
    /// Whose CRDs those of a project are.
    root: Option<Arc<Plane>>,
    /// Who asks on behalf of the user, where somebody does.
    asker: Option<Box<User>>,
}

impl Caller {
    pub(crate) fn new(world: &World, plane: &Plane, user: User, namespace: &str) -> Self {
        let is_limited = world.auth.rbac;
        let as_of = plane.store.revision();
        let has_grants = is_limited && !user.is_master();
        let grants = has_grants.then(|| Grants::of(&plane.store, &user, namespace));
        let root = plane.project.is_some().then(|| world.root.clone());
        Self(Arc::new(Inner {
            user,
            grants,
            as_of,
            is_limited,
            root,
            asker: None,
        }))
    }

    /// The same, where somebody else asks on its behalf.
    pub(super) fn asked_by(mut self, asker: Option<User>) -> Self {
        if let Some(inner) = Arc::get_mut(&mut self.0) {
            inner.asker = asker.map(Box::new);
        }
        self
    }

    /// The same with what the user may do by now.
    pub(crate) fn renewed(self, plane: &Plane) -> Self {
        let now = plane.store.revision();
        let Inner {
            user,
            grants,
            root,
            asker,
            ..
        } = &*self.0;
        match grants {
            Some(grants) if now != self.0.as_of => Self(Arc::new(Inner {
                user: user.clone(),
                grants: Some(Grants::of(&plane.store, user, grants.namespace())),
                as_of: now,
                is_limited: true,
                root: root.clone(),
                asker: asker.clone(),
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
            is_limited: false,
            root: None,
            asker: None,
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
        let decide = |grants: &Option<Grants>| match grants {
            Some(grants) => grants.decide(asked),
            None => Decision {
                allowed: true,
                reason: String::new(),
            },
        };
        let decision = decide(&self.0.grants);
        let Some(root) = self.0.root.as_ref().filter(|_| changes_definitions(asked)) else {
            return decision;
        };
        // What a project's roles allow there does not reach beyond it, and neither does on whose behalf somebody may ask.
        let in_root = |user: &User| {
            let is_limited = self.0.is_limited && !user.is_master();
            decide(&is_limited.then(|| Grants::of(&root.store, user, "")))
        };
        let asker = self.0.asker.as_deref().map(in_root);
        let decisions = [Some(decision), asker, Some(in_root(self.user()))];
        let first_refusal = |first: Decision, next| if first.allowed { next } else { first };
        let decided = decisions.into_iter().flatten().reduce(first_refusal);
        decided.unwrap_or_else(|| decide(&None))
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
