#![doc = include_str!("../README.md")]

mod controller;
mod engine;
mod error;
mod fleet;
mod manager;
mod object;
mod providers;
mod transport;
mod watch;

pub use controller::{
    Action, Cleanup, ConditionEntry, ConditionList, ConditionReason, ConditionType, ConditionValue,
    Context, Controller, DeclaresConditions, DeclaresFinalizer, Object, ObjectKey, Polarity,
    Reconcile, State,
};
pub use error::{BoxError, Error, Result, ResultExt, Retry};
pub use fleet::{
    Cluster, ClusterName, ClusterStatus, Connection, Fleet, InvalidName, Reason,
    State as ClusterState, Status as FleetStatus,
};
pub use manager::{
    Builder, Controllers, LeaderElection, LeadershipLost, Manager, ManagerPermissions, Permissions,
    Rule,
};
pub use object::{Apply, Event, NotOwned, Scope};
pub use providers::{
    ClusterApi, ClusterInventory, Endpoint, Fixed, Kubeconfig, KubeconfigSecrets, Mapped, Merged,
    Milo, Namespaces, ProjectName, Provider, Single,
};
pub use transport::Failure;
pub use watch::Lookup;
pub use {k8s_openapi, kube};

#[doc = include_str!("condition_type.md")]
pub use kommodore_macros::ConditionType;
#[doc = include_str!("macros.md")]
pub use kommodore_macros::controller;

/// Everything that an operator usually needs: `use kommodore::prelude::*;`.
pub mod prelude {
    pub use crate::{
        Action, Cleanup, Cluster, ClusterName, ConditionType, Context, Error, Event,
        LeaderElection, Lookup, Manager, Milo, ObjectKey, Reconcile, Result, ResultExt, Scope,
        controller,
    };
    pub use kube::Config;
}

/// What the macros write. Not for people: it changes without notice.
#[doc(hidden)]
pub mod __private {
    pub use crate::controller::{
        Action, Cleanup, ConditionType, Context, Controller, Declaration, DeclaresConditions,
        DeclaresFinalizer, Described, Finalizer, Grant, GroupOf, IntoKeys, Kind, NoConditions,
        ObjectKey, PlainStatus, Reconcile, Select, Start, StatusField, UnknownGroup,
        assert_free_of, assert_group, is_condition_list, keys, mapped, nothing,
    };
    pub use crate::error::Result;
    pub use crate::fleet::Cluster;
    pub use crate::watch::{AnyObject, IntoValues, Lookup, On, values};
    pub use core::convert::Into;
    pub use core::marker::{Send, Sync};
    pub use core::option::Option;
    pub use core::primitive::{str, usize};
    pub use core::time::Duration;
    pub use futures::future::BoxFuture;
    pub use kube::core::DynamicObject;
    pub use std::boxed::Box;
    pub use std::string::String;
    pub use std::vec::Vec;
}
