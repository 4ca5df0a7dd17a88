//! A kubeconfig in a file whose current context may change.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::future::BoxFuture;
use kube::Config;

use super::kubeconfig::{INTERVAL, Marks, current, is_as_before};
use crate::{Error, Result};

/// What the current context of a kubeconfig leads to, as it was read last. Clones share it.
#[derive(Clone)]
pub(super) struct Followed(Arc<Inner>);

struct Inner {
    path: PathBuf,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    config: Option<Config>,
    marks: Marks,
    /// Why it could not be read, as it has been said.
    failed: Option<String>,
}

impl Followed {
    /// Reads it, or says why that cannot be done.
    pub(super) async fn new(path: PathBuf) -> Self {
        let state = Mutex::default();
        let followed = Self(Arc::new(Inner { path, state }));
        followed.look().await;
        followed
    }

    pub(super) fn config(&self) -> Result<Config> {
        let state = self.lock();
        let config = state.config.clone();
        config.ok_or_else(|| {
            let error = state.failed.clone().unwrap_or_default();
            Error::terminal(format!("reading {}: {error}", self.0.path.display()))
        })
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

    /// Looks whether it has become another one. One that cannot be read stays as it is.
    async fn look(&self) -> bool {
        let this = self.clone();
        let looked = tokio::task::spawn_blocking(move || this.look_now()).await;
        looked.unwrap_or_default()
    }

    fn look_now(&self) -> bool {
        let Inner { path, .. } = &*self.0;
        {
            let state = self.lock();
            if state.failed.is_none() && state.config.is_some() && is_as_before(&state.marks) {
                return false;
            }
        }
        let read = current(path);
        let mut state = self.lock();
        match read {
            Ok((marks, config)) => {
                state.config = Some(config);
                state.marks = marks;
                state.failed = None;
                true
            }
            Err(error) => {
                let error = format!("{error:#}");
                if state.failed.as_ref() != Some(&error) {
                    tracing::warn!(file = %path.display(), error, "cannot read the kubeconfig; what it led to stays as it is");
                }
                state.failed = Some(error);
                false
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
