//! What an election asks of the API server.

use k8s_openapi::api::coordination::v1::Lease;
use kube::Client;
use kube::api::{Api, PostParams};

use super::Election;
use crate::manager::Permissions;
use crate::transport::Failure;

/// What an election needs to be allowed to do in its namespace of the host cluster.
pub(super) const GROUP: &str = "coordination.k8s.io";
pub(super) const RESOURCE: &str = "leases";
pub(super) const VERBS: [&str; 3] = ["get", "create", "update"];

pub(super) fn permissions() -> Permissions {
    Permissions::default().and(GROUP, RESOURCE, &VERBS)
}

/// The one Lease of an election.
pub(super) trait Leases: Send + Sync + 'static {
    /// The Lease, if it is there.
    fn get(&self) -> impl Future<Output = Result<Option<Lease>, Failure>> + Send;
    /// The Lease as it was created.
    fn create(&self, lease: &Lease) -> impl Future<Output = Result<Lease, Failure>> + Send;
    /// The Lease as it is after the update, which is refused when somebody was faster.
    fn update(&self, lease: &Lease) -> impl Future<Output = Result<Lease, Failure>> + Send;
}

/// The Lease in the host cluster.
pub(super) struct HostLeases {
    api: Api<Lease>,
    name: String,
}

impl HostLeases {
    pub(super) fn new(client: Client, election: &Election) -> Self {
        Self {
            api: Api::namespaced(client, &election.namespace),
            name: election.name.clone(),
        }
    }
}

impl Leases for HostLeases {
    async fn get(&self) -> Result<Option<Lease>, Failure> {
        Ok(self.api.get_opt(&self.name).await?)
    }

    async fn create(&self, lease: &Lease) -> Result<Lease, Failure> {
        Ok(self.api.create(&PostParams::default(), lease).await?)
    }

    async fn update(&self, lease: &Lease) -> Result<Lease, Failure> {
        let params = PostParams::default();
        Ok(self.api.replace(&self.name, &params, lease).await?)
    }
}
