//! How the object of a key is seen before it is reconciled.

use std::sync::Arc;

use super::Outcome;
use super::reconcile::Handled;
use super::verdict::delay_of;
use crate::Error;
use crate::controller::Start;
use crate::object::Remote;
use crate::transport::Failure;
use crate::watch::Cache;

impl<C: Start> Handled<C> {
    /// The object as the cache shows it; as the server has it, where what we wrote has not come back for too long.
    pub(super) async fn see(
        &self,
        cache: &Cache<C::Object>,
        remote: &Remote,
    ) -> Result<Option<Arc<C::Object>>, Outcome> {
        if !cache.is_in_doubt(remote.key()) {
            return Ok(cache.get(remote.key()));
        }
        self.read(cache, remote).await.map_err(|failure| {
            let hiccup = failure.is_hiccup();
            let error = Error::new(failure).context("reading it, as its watch is behind");
            tracing::warn!(error = %format!("{error:#}"), "failed; trying again");
            Outcome {
                again: delay_of(&error),
                hiccup,
                ..Outcome::default()
            }
        })
    }

    async fn read(
        &self,
        cache: &Cache<C::Object>,
        remote: &Remote,
    ) -> Result<Option<Arc<C::Object>>, Failure> {
        let selector = self.declaration.select.selector();
        let Some(live) = remote.get_selected(&selector).await? else {
            return Ok(None);
        };
        let live = cache.keep(serde_json::from_value(live).map_err(kube::Error::SerdeError)?);
        cache.overlay(Arc::clone(&live), true);
        Ok(Some(live))
    }
}
