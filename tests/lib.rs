//! What the front-door tests share: a fleet that is either embedded or real, so that each case is written once.
//!
//! ```ignore
//! kommodore_tests::on_both_servers! {
//!     async fn a_new_project_becomes_ready(fleet: &Fleet) {
//!         fleet.create_project("red").await;
//!     }
//! }
//! ```
//!
//! makes the tests `embedded::a_new_project_becomes_ready` and `real::a_new_project_becomes_ready`. The real one needs
//! `KUBEBUILDER_ASSETS`, a folder with `etcd` and `kube-apiserver`, and says that it is skipped where there is none.

mod support;

pub use support::clusters::{Clusters, Engaged};
pub use support::credentials::{pem_of, prints, token_of};
pub use support::eventually::{Seen, eventually};
pub use support::example::{Example, KubeconfigFile, built};
pub use support::fleet::Fleet;
pub use support::folder::Folder;
pub use support::guard::Guards;
pub use support::kinds::{
    Domain, DomainSpec, DomainStatus, Website, WebsiteSpec, WebsiteStatus, crds,
};

pub use support::kubeconfigs::kubeconfig_of;
pub use support::log::{Log, logs_into};
pub use support::operator::{Operator, stands};
pub use support::permit::{OF_LEASES, Permission, Permit, single};
pub use support::probe::{Hold, Point, Probe, Visit};
pub use support::proxy::{Asked, Fault, Outage, no_streams};
pub use support::quiet::Quiet;
pub use support::records::{RECORDS, crd, secret, text_of};
pub use support::relay::Relay;
pub use support::sentinel::Sentinel;
pub use support::side::Projects;
pub use support::sites::{
    FINALIZER, NAMESPACE, SiteCondition, Sites, WATCHED, condition, page, status_of, website,
};
pub use support::told::{Teller, Told};
pub use support::tunnel::Tunnel;

#[doc(hidden)]
pub use support::run;
