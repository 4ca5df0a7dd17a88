//! One real fleet for all tests of a process.

use std::ops::Deref;

use serde_json::Value;
use tokio::sync::{Mutex, MutexGuard, OnceCell};

use super::{Assets, RealError, RealFleet};

static FLEET: OnceCell<Result<RealFleet, String>> = OnceCell::const_new();
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
            .get_or_init(|| on_its_own_thread(assets.clone(), crds))
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

async fn on_its_own_thread(assets: Assets, crds: Vec<Value>) -> Result<RealFleet, String> {
    let (tell, told) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let runtime = match tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
        {
            Ok(runtime) => runtime,
            // Dropping `tell` says that there is no fleet.
            Err(error) => return tracing::error!(%error, "no runtime for the real fleet"),
        };
        runtime.block_on(async {
            let started = match RealFleet::start(&assets, &crds).await {
                // A port that was free may have been taken in the meantime.
                Err(error) => {
                    tracing::warn!(%error, "the real fleet did not start, it is tried once more");
                    RealFleet::start(&assets, &crds)
                        .await
                        .map_err(|error| error.to_string())
                }
                started => started.map_err(|error| error.to_string()),
            };
            if tell.send(started).is_ok() {
                std::future::pending::<()>().await;
            }
        });
    });
    told.await
        .unwrap_or_else(|_| Err("the real fleet's thread ended".into()))
}
