//! Who asks, and who may.
//!
//! A token says who asks (`tokens`), headers may say on whose behalf (`impersonation`), and where roles count (`rbac`)
//! they say whether it may be done. What is written is looked at once more: nobody grants what it does not hold
//! (`escalation`), and nobody holds up the deletion of what is not its own (`owners`).

mod accounts;
mod attributes;
mod caller;
mod claims;
mod escalation;
mod impersonation;
mod issuer;
mod owners;
mod parameters;
pub(crate) mod rbac;
mod tokens;
mod user;

use std::sync::{Arc, OnceLock};

use http::HeaderMap;

pub(crate) use accounts::{Account, Thing};
pub(crate) use attributes::{Attributes, selected_name};
pub(crate) use caller::Caller;
pub(crate) use claims::check as check_claim;
pub(crate) use escalation::{check as check_escalation, check_creation, grants_the_same};
pub(crate) use issuer::{Issuer, NoKey};
pub(crate) use owners::check as check_owners;
pub(crate) use parameters::check as check_parameters;
pub(crate) use rbac::GROUP as ROLES;
pub(crate) use tokens::{AUDIENCE, Tokens};
pub(crate) use user::{MASTERS, User};

use crate::failure::Failure;
use crate::plane::{Plane, World};
use impersonation::Impersonators;
use rbac::bootstrap::Seeds;

/// What a server knows of its users.
#[derive(Default)]
pub(crate) struct Auth {
    /// Roles count; without them everybody who is known may do everything.
    pub(crate) rbac: bool,
    /// Also for who names an owner.
    owners_need_leave: bool,
    pub(crate) tokens: Tokens,
    pub(crate) issuer: Issuer,
    impersonators: Impersonators,
    /// The roles that a project begins with.
    seeds: OnceLock<Seeds>,
}

impl Auth {
    pub(crate) fn new(rbac: bool, owners_need_leave: bool) -> Self {
        Self {
            rbac,
            owners_need_leave,
            ..Self::default()
        }
    }

    /// Gives a project's control plane the roles that it begins with.
    pub(crate) fn seed(&self, plane: &Plane, ids: &crate::ids::Ids) {
        if let Some(seeds) = self.seeds.get() {
            seeds.sow(plane, ids);
        }
    }

    /// Puts the roles that every real server has into the root. Where they do not count, no project has any.
    pub(crate) fn bootstrap(world: &Arc<World>) -> Result<(), Failure> {
        if !world.auth.rbac && !world.options.furnished {
            return Ok(());
        }
        let seeds = rbac::bootstrap::install(world)?;
        if world.auth.rbac {
            // It is done once.
            let _ = world.auth.seeds.set(seeds);
        }
        Ok(())
    }
}

/// Who a request is from, or is on behalf of. Whether it may be made is still to be asked.
pub(crate) fn caller(
    world: &World,
    plane: &Plane,
    user: User,
    asked: &Attributes,
    headers: &HeaderMap,
) -> Result<Caller, Failure> {
    let (user, asker) = impersonation::apply(world, plane, user, asked, headers)?;
    Ok(Caller::new(world, plane, user, &asked.namespace).asked_by(asker))
}
