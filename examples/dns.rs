//! A DNS provider that is not there: records are kept in memory.

use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

/// Stands for the API of a DNS provider.
#[derive(Clone, Debug, Default)]
pub struct Dns {
    records: Arc<Mutex<BTreeSet<(String, String)>>>,
}

impl Dns {
    /// Points `host` to the pages of `cluster`.
    ///
    /// # Errors
    /// None here; a real provider would have some.
    pub async fn upsert(&self, cluster: impl AsRef<str>, host: &str) -> io::Result<()> {
        self.lock().insert(record(cluster, host));
        Ok(())
    }

    /// Removes the record of `host`, if there is one.
    ///
    /// # Errors
    /// None here; a real provider would have some.
    pub async fn remove(&self, cluster: impl AsRef<str>, host: &str) -> io::Result<()> {
        self.lock().remove(&record(cluster, host));
        Ok(())
    }

    /// Every host that has a record for `cluster`.
    pub fn hosts(&self, cluster: &str) -> Vec<String> {
        let records = self.lock();
        let of_cluster = records.iter().filter(|(name, _)| name == cluster);
        of_cluster.map(|(_, host)| host.clone()).collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeSet<(String, String)>> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn record(cluster: impl AsRef<str>, host: &str) -> (String, String) {
    (cluster.as_ref().to_owned(), host.to_owned())
}
