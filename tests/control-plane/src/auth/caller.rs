//! Who a request is from, and what that user may do.

use std::sync::Arc;

use super::rbac::{Decision, Grants, Rule};
use super::{Attributes, User};
use crate::failure::Failure;
use crate::plane::{Plane, World};

/// A user, and what it may do everywhere and in one namespace: as it was when the request came.
#[derive(Clone)]
pub(crate) struct Caller(Arc<Inner>);

struct Inner {
    user: User,
    /// Nothing for who may do everything, whatever roles say.
    grants: Option<Grants>,
}

impl Caller {
    pub(crate) fn new(world: &World, plane: &Plane, user: User, namespace: &str) -> Self {
        let is_limited = world.auth.rbac && !user.is_master();
        let grants = is_limited.then(|| Grants::of(&plane.store, &user, namespace));
        Self(Arc::new(Inner { user, grants }))
    }

    /// The server itself.
    pub(crate) fn server() -> Self {
        Self(Arc::new(Inner {
            user: User::server(),
            grants: None,
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
        match &self.0.grants {
            Some(grants) => grants.decide(asked),
            None => Decision {
                allowed: true,
                reason: String::new(),
            },
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
