//! One real fleet, or one real control plane, for all tests of a process.

use std::future::Future;
use std::ops::Deref;
use std::sync::Arc;

use serde_json::Value;
use tokio::sync::{Mutex, MutexGuard, OnceCell};

use super::{Assets, RealControlPlane, RealError, RealFleet};

static FLEET: OnceCell<Result<RealFleet, String>> = OnceCell::const_new();
static CONTROL_PLANE: OnceCell<Result<Arc<RealControlPlane>, String>> = OnceCell::const_new();
static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());

/// The process's real fleet, for one test at a time.
pub struct RealLease {
    fleet: RealFleet,
    _turn: MutexGuard<'static, ()>,
}

impl RealFleet {
    /// Waits for the turn and gives the fleet, empty. It is started for the first one, with `crds` installed for
    /// good, on a runtime of its own, and stays until the process ends.
    pub async fn lease(assets: &Assets, crds: Vec<Value>) -> Result<RealLease, RealError> {
        let turn = ONE_AT_A_TIME.lock().await;
        let started = FLEET
            .get_or_init(|| {
                let assets = assets.clone();
                on_its_own_thread(move || {
                    let (assets, crds) = (assets.clone(), crds.clone());
                    async move { RealFleet::start(&assets, &crds).await }
                })
            })
            .await;
        let fleet = started.clone().map_err(RealError::Server)?;
        fleet.reset().await?;
        Ok(RealLease { fleet, _turn: turn })
    }
}

impl Deref for RealLease {
    type Target = RealFleet;

    fn deref(&self) -> &RealFleet {
        &self.fleet
    }
}

impl RealControlPlane {
    /// The process's real control plane, for all tests at once. It is started for the first one, on a runtime of
    /// its own, and stays until the process ends.
    pub async fn shared(assets: &Assets) -> Result<Arc<Self>, RealError> {
        let started = CONTROL_PLANE.get_or_init(|| {
            let assets = assets.clone();
            on_its_own_thread(move || {
                let assets = assets.clone();
                async move { Self::start(&assets).await.map(Arc::new) }
            })
        });
        started.await.clone().map_err(RealError::Server)
    }
}

async fn on_its_own_thread<T: Send + 'static, F>(
    start: impl Fn() -> F + Send + 'static,
) -> Result<T, String>
where
    F: Future<Output = Result<T, RealError>>,
{
    let (tell, told) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let runtime = match tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
        {
            Ok(runtime) => runtime,
            // Dropping `tell` says that there is no fleet.
            Err(error) => return tracing::error!(%error, "no runtime for the real servers"),
        };
        runtime.block_on(async {
            let started = match start().await {
                // A port that was free may have been taken in the meantime.
                Err(error) => {
                    tracing::warn!(%error, "the real servers did not start, they are tried once more");
                    start().await.map_err(|error| error.to_string())
                }
                started => started.map_err(|error| error.to_string()),
            };
            if tell.send(started).is_ok() {
                std::future::pending::<()>().await;
            }
        });
    });
    told.await
        .unwrap_or_else(|_| Err("the real servers' thread ended".into()))
}
