//! A controller that is generic over what it works with, with bounds in both places.

use std::marker::PhantomData;

use k8s_openapi::api::core::v1::{ConfigMap, Service};
use kommodore::{Action, Cleanup, Cluster, Context, ObjectKey, Reconcile, Result, controller};

trait Dns: Send + Sync + 'static {
    fn remove(&self, name: &str) -> impl Future<Output = Result<()>> + Send;
}

#[controller(
    for = Service,
    watches(ConfigMap => Self::woken),
    finalizer = "demo.kommodore.dev/dns",
    conditions,
)]
struct Records<D: Dns, T, const LIMIT: usize = 8>
where
    T: Send + Sync + 'static,
{
    dns: D,
    kind: PhantomData<T>,
}

impl<D: Dns, T, const LIMIT: usize> Reconcile for Records<D, T, LIMIT>
where
    T: Send + Sync + 'static,
{
    async fn reconcile(&self, _: &Service, cx: &Context<Self>) -> Result<Action> {
        cx.not_ready("Waiting", "no address yet");
        Ok(Action::done())
    }
}

impl<D: Dns, T, const LIMIT: usize> Cleanup for Records<D, T, LIMIT>
where
    T: Send + Sync + 'static,
{
    async fn cleanup(&self, service: &Service, _: &Context<Self>) -> Result<Action> {
        self.dns
            .remove(service.metadata.name.as_deref().unwrap_or_default())
            .await?;
        Ok(Action::done())
    }
}

impl<D: Dns, T, const LIMIT: usize> Records<D, T, LIMIT>
where
    T: Send + Sync + 'static,
{
    fn woken(
        &self,
        map: &ConfigMap,
        _: &Cluster,
    ) -> impl IntoIterator<Item = ObjectKey> + use<D, T, LIMIT> {
        std::iter::repeat_n(ObjectKey::of(map), LIMIT)
    }
}

struct NoDns;

impl Dns for NoDns {
    async fn remove(&self, _: &str) -> Result<()> {
        Ok(())
    }
}

fn main() {
    let _ = Records::<NoDns, u8> {
        dns: NoDns,
        kind: PhantomData,
    };
}
