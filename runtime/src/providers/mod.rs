//! Where clusters come from. A provider only says engage and disengage.

mod cluster_api;
mod cluster_inventory;
mod contexts;
mod fixed;
mod follow;
mod followed;
mod foreign;
mod kubeconfig;
mod mapped;
mod merged;
mod milo;
mod namespaces;
mod secrets;
mod selection;

use futures::future::BoxFuture;

use crate::fleet::{Cluster, Fleet};
use crate::manager::Permissions;

pub use cluster_api::ClusterApi;
pub use cluster_inventory::ClusterInventory;
pub use fixed::{Fixed, Single};
pub use kubeconfig::Kubeconfig;
pub use mapped::Mapped;
pub use merged::Merged;
pub use milo::{Endpoint, Milo, ProjectName};
pub use namespaces::Namespaces;
pub use secrets::KubeconfigSecrets;

/// A source of clusters: finds them, and tells the fleet which are to be worked on.
///
/// One of your own needs two methods: its name, and [`run`](Provider::run), which tells the fleet to
/// [`engage`](Fleet::engage) and [`disengage`](Fleet::disengage). The clusters of any provider can be filtered and
/// mapped: [`only`](Provider::only), [`renamed`](Provider::renamed) and [`adjusted`](Provider::adjusted).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a provider of clusters",
    label = "needs `impl Provider`",
    note = "Kommodore has `Milo`, `ClusterApi`, `ClusterInventory`, `Kubeconfig`, `KubeconfigSecrets`, `Namespaces`, `Fixed`, \
            `Single` and `Merged`; one of your own implements `Provider`"
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

    /// Only the clusters whose names are `kept`.
    ///
    /// ```
    /// # use kommodore::{Milo, Provider};
    /// let without_tests = Milo::external().only(|name| !name.starts_with("test-"));
    /// ```
    fn only(self, kept: impl Fn(&str) -> bool + Send + Sync + 'static) -> Mapped
    where
        Self: Sized,
    {
        Mapped::only(self, kept)
    }

    /// Each cluster has another name in the fleet, made from that which the provider gives it. The same name has to
    /// give the same each time. It has to be a DNS label; that which the provider gives need not be one. Where several get
    /// one name, the first keeps it, and the log has an error that names both.
    ///
    /// ```
    /// # use kommodore::{Milo, Provider};
    /// let of_europe = Milo::external().renamed(|name| format!("eu-{name}"));
    /// ```
    fn renamed(self, name: impl Fn(&str) -> String + Send + Sync + 'static) -> Mapped
    where
        Self: Sized,
    {
        Mapped::renamed(self, name)
    }

    /// Changes how each cluster is reached, by its name. Clusters that come with a client of their own stay as they are.
    ///
    /// ```
    /// # use kommodore::{Milo, Provider};
    /// let impersonating = Milo::external().adjusted(|name, config| {
    ///     config.auth_info.impersonate = Some(format!("system:serviceaccount:{name}:operator"));
    /// });
    /// ```
    fn adjusted(self, adjust: impl Fn(&str, &mut kube::Config) + Send + Sync + 'static) -> Mapped
    where
        Self: Sized,
    {
        Mapped::adjusted(self, adjust)
    }
}
