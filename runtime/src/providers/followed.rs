//! A kubeconfig in a file whose current context may change.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::future::BoxFuture;
use kube::Config;

use super::contexts::{Marks, current, is_as_before};
use super::kubeconfig::INTERVAL;
use crate::Result;

/// What the current context of a kubeconfig leads to, as it was read last. Clones share it.
#[derive(Clone)]
pub(super) struct Followed(Arc<Inner>);

struct Inner {
    path: PathBuf,
    state: Mutex<State>,
}

struct State {
    config: Config,
    marks: Marks,
    /// Why it could not be read, as it has been said.
    failed: Option<String>,
}

impl Followed {
    /// Reads it, as soon as that can be done.
    pub(super) async fn new(path: PathBuf) -> Self {
        let mut failed = None;
        loop {
            match read(&path).await {
                Ok((marks, config)) => {
                    let state = Mutex::new(State {
                        config,
                        marks,
                        failed: None,
                    });
                    return Self(Arc::new(Inner { path, state }));
                }
                Err(error) => say(&path, format!("{error:#}"), &mut failed),
            }
            tokio::time::sleep(INTERVAL).await;
        }
    }

    pub(super) fn config(&self) -> Config {
        self.lock().config.clone()
    }

    /// Resolves when it has become another one.
    pub(super) fn changed(&self) -> BoxFuture<'static, ()> {
        let this = self.clone();
        Box::pin(async move {
            loop {
                tokio::time::sleep(INTERVAL).await;
                if this.look().await {
                    return;
                }
            }
        })
    }

    /// Looks whether it has become another one. While it cannot be read, it stays as it is.
    async fn look(&self) -> bool {
        {
            let state = self.lock();
            if state.failed.is_none() && is_as_before(&state.marks) {
                return false;
            }
        }
        let read = read(&self.0.path).await;
        let mut state = self.lock();
        match read {
            Ok((marks, config)) => {
                *state = State {
                    config,
                    marks,
                    failed: None,
                };
                true
            }
            Err(error) => {
                say(&self.0.path, format!("{error:#}"), &mut state.failed);
                false
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn read(path: &Path) -> Result<(Marks, Config)> {
    let path = path.to_owned();
    tokio::task::spawn_blocking(move || current(&path)).await?
}

/// Says what is wrong, unless it has been said.
fn say(path: &Path, error: String, said: &mut Option<String>) {
    if said.as_ref() != Some(&error) {
        tracing::warn!(file = %path.display(), error, "cannot read the kubeconfig; where it leads stays as it is");
    }
    *said = Some(error);
}
