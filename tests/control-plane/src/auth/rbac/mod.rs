//! Roles and their bindings, evaluated.

pub(crate) mod aggregate;
pub(crate) mod bootstrap;
mod grants;
mod rule;

pub(crate) use grants::{Decision, Grants};
pub(crate) use rule::{Rule, not_held};

use crate::store::Bucket;

pub(crate) const GROUP: &str = "rbac.authorization.k8s.io";

/// Where the objects of one of the four kinds are.
pub(crate) fn bucket(plural: &str) -> Bucket {
    Bucket {
        group: GROUP.into(),
        plural: plural.into(),
    }
}

/// That a role is not there, in the words of those who look for it.
fn missing(kind: &str, name: &str) -> String {
    format!("{}.{GROUP} {name:?} not found", kind.to_lowercase())
}
