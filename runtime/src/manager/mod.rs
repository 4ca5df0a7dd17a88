//! One process: its controllers, its providers, and its life from start to shutdown.

mod admission;
mod builder;
mod controllers;
pub(crate) mod leader;
mod permissions;
mod release;
mod run;
mod signals;

pub use builder::Builder;
pub use controllers::Controllers;
pub use leader::{LeaderElection, LeadershipLost};
pub use permissions::{ManagerPermissions, Permissions, Rule};

/// Runs controllers against a fleet of clusters. See [`Manager::builder`].
#[derive(Debug)]
pub struct Manager(());

impl Manager {
    /// A manager whose host cluster is the one that `config` names. Without a
    /// [`provider`](Builder::provider) its controllers work in the host cluster, else in the clusters
    /// of the provider.
    pub fn builder(config: kube::Config) -> Builder {
        Builder::new(config)
    }
}
