//! A DNS provider that is not there: records are kept in memory.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use kommodore::{ClusterName, Result};

/// Stands for the API of a DNS provider.
#[derive(Clone, Debug, Default)]
pub struct Dns {
    records: Arc<Mutex<BTreeSet<(ClusterName, String)>>>,
}

impl Dns {
    /// Points `host` to the pages of `cluster`.
    ///
    /// # Errors
    /// None here; a real provider would have some.
    pub async fn upsert(&self, cluster: &ClusterName, host: &str) -> Result<()> {
        self.lock().insert((cluster.clone(), host.to_owned()));
        Ok(())
    }

    /// Removes the record of `host`, if there is one.
    ///
    /// # Errors
    /// None here; a real provider would have some.
    pub async fn remove(&self, cluster: &ClusterName, host: &str) -> Result<()> {
        self.lock().remove(&(cluster.clone(), host.to_owned()));
        Ok(())
    }

    /// Whether there is a record of `host` for `cluster`.
    pub fn has(&self, cluster: &str, host: &str) -> bool {
        self.lock()
            .iter()
            .any(|(name, found)| name.as_str() == cluster && found == host)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeSet<(ClusterName, String)>> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
