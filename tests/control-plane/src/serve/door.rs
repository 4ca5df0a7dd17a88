//! A port, as far as faults know it.

use std::collections::BTreeSet;

use super::fault::What;
use super::faults::{Asked, Faults};
use super::record::Verb;

/// What goes wrong at a port, before there is a request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Door {
    faults: Faults,
    /// The project that is served there alone; none for all.
    project: Option<String>,
}

impl Door {
    pub(crate) fn new(faults: &Faults, project: Option<String>) -> Self {
        Self {
            faults: faults.clone(),
            project,
        }
    }

    /// Whether the certificate of the connection that begins now is to be one that is no longer valid.
    pub(super) fn shows_an_expired_certificate(&self) -> bool {
        let expired = |what: &What| matches!(what, What::CertificateExpired);
        !self.happening(&mut BTreeSet::new(), expired).is_empty()
    }

    /// Resolves when nobody is to come in.
    pub(super) async fn closed(&self, known: &mut BTreeSet<u64>) {
        self.until(known, |closing| closing).await;
    }

    /// Resolves when whoever comes may come in.
    pub(super) async fn open(&self, known: &mut BTreeSet<u64>) {
        self.until(known, |closing| !closing).await;
    }

    async fn until(&self, known: &mut BTreeSet<u64>, wanted: impl Fn(bool) -> bool) {
        let mut changes = self.faults.changes();
        loop {
            changes.mark_unchanged();
            let closing = self.happening(known, |what| matches!(what, What::PortClosed));
            if wanted(!closing.is_empty()) {
                return;
            }
            changes.changed().await;
        }
    }

    fn happening(&self, known: &mut BTreeSet<u64>, relevant: impl Fn(&What) -> bool) -> Vec<What> {
        let asked = Asked {
            project: self.project.clone(),
            verb: Verb::Other,
            resource: None,
            name: None,
        };
        self.faults.lasting(&asked, known, relevant)
    }
}
