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

    /// Every host that has a record for `cluster`.
    pub fn hosts(&self, cluster: &str) -> Vec<String> {
        let records = self.lock();
        let of_cluster = records.iter().filter(|(name, _)| name.as_str() == cluster);
        of_cluster.map(|(_, host)| host.clone()).collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeSet<(ClusterName, String)>> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
