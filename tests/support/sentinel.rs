//! How a case knows that nothing more is to come.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::fleet::Fleet;

/// A website whose reconciles show that the operator has seen all that happened before.
pub struct Sentinel {
    project: String,
    turns: AtomicUsize,
}

impl Sentinel {
    /// How it is called.
    pub const NAME: &str = "sentinel";

    /// Creates it, and waits until it is Ready.
    pub async fn new(fleet: &Fleet, project: &str) -> Self {
        fleet.create_website(project, Self::NAME).await;
        fleet.website_ready(project, Self::NAME).await;
        Self {
            project: project.into(),
            turns: Default::default(),
        }
    }

    /// Waits until the operator has seen what has happened so far to websites and to pages.
    pub async fn passes(&self, fleet: &Fleet) {
        let turn = self.turns.fetch_add(1, Ordering::Relaxed);
        let host = format!("turn-{turn}.example.com");
        fleet.set_host(&self.project, Self::NAME, &host).await;
        fleet.page_shows(&self.project, Self::NAME, &host).await;
        fleet.website_ready(&self.project, Self::NAME).await;
        fleet.edit_page(&self.project, Self::NAME).await;
        fleet.page_shows(&self.project, Self::NAME, &host).await;
    }

    /// What is not about it, of what operators did in its project.
    pub fn others(&self, said: Vec<String>) -> Vec<String> {
        said.into_iter()
            .filter(|said| !said.contains(Self::NAME))
            .collect()
    }
}
