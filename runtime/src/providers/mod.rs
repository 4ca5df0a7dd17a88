//! Where clusters come from. A provider only says engage and disengage.

mod milo;

use futures::future::BoxFuture;

use crate::fleet::{Cluster, Fleet};
use crate::manager::Permissions;

pub use milo::{Endpoint, Milo, ProjectName};

/// A source of clusters: finds them, and tells the fleet which are to be worked on.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a provider of clusters",
    label = "needs `impl Provider`",
    note = "Kommodore has `Milo::external()` and `Milo::internal()`; one of your own implements `Provider`"
)]
pub trait Provider: Send + Sync + 'static {
    /// What it is called in the log.
    fn name(&self) -> &str;

    /// What it has to be allowed to do in the host cluster; nothing by default. It is printed with the
    /// permissions of the [manager](crate::Builder::permissions).
    fn permissions(&self) -> Permissions {
        Permissions::default()
    }

    /// Runs until the manager drops the future. `host` is the cluster that the manager's own
    /// configuration names, `config` that configuration. Once it has told `fleet` of all the clusters that there are,
    /// it says so ([`Fleet::named_all`]). Trouble is the provider's to retry: it ends
    /// only with an error that retrying cannot mend, which ends the manager.
    fn run(
        self: Box<Self>,
        host: Cluster,
        config: kube::Config,
        fleet: Fleet,
    ) -> BoxFuture<'static, crate::Result<()>>;
}
