//! With Kommodore.

use std::path::Path;
use std::time::Duration;

use k8s_openapi::api::core::v1::ConfigMap;
use kommodore::{Action, Cleanup, Context, Manager, Milo, Reconcile, Result, controller};
use kommodore_tests::{Website, page};

#[controller(
    for = Website,
    name = "fleet",
    owns(ConfigMap),
    finalizer = "demo.kommodore.dev/fleet",
    conditions,
    concurrency = 64,
    cluster_concurrency = 8,
)]
struct Pages {
    resync: Option<Duration>,
}

impl Reconcile for Pages {
    async fn reconcile(&self, site: &Website, cx: &Context<Self>) -> Result<Action> {
        super::count();
        cx.apply(page(site)).await?;
        Ok(self.resync.map_or(Action::done(), Action::requeue))
    }
}

impl Cleanup for Pages {
    async fn cleanup(&self, _: &Website, _: &Context<Self>) -> Result<Action> {
        super::count();
        Ok(Action::done())
    }
}

pub(crate) async fn run(kubeconfig: &Path, resync: Option<Duration>) {
    let manager = Manager::builder(crate::process::config_of(kubeconfig).await)
        .provider(Milo::external())
        .controller(Pages { resync });
    manager.run_until(super::until_told()).await.unwrap();
}
