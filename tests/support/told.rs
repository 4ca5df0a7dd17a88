//! A provider that does as a case tells it.

use futures::future::BoxFuture;
use kommodore::{Cluster, Fleet, Provider, Result};
use kube::Config;
use tokio::sync::mpsc;

type Order = Box<dyn FnOnce(&Fleet) + Send>;

/// Tells the fleet what a [`Teller`] says.
pub struct Told {
    name: &'static str,
    orders: mpsc::UnboundedReceiver<Order>,
}

/// Tells a provider what to do.
pub struct Teller(mpsc::UnboundedSender<Order>);

impl Told {
    /// A provider of this name, and who tells it what to do.
    pub fn new(name: &'static str) -> (Self, Teller) {
        let (sender, orders) = mpsc::unbounded_channel();
        (Self { name, orders }, Teller(sender))
    }
}

impl Teller {
    /// Does this with the fleet, as soon as the manager runs.
    pub fn tell(&self, order: impl FnOnce(&Fleet) + Send + 'static) {
        assert!(self.0.send(Box::new(order)).is_ok(), "the manager runs");
    }

    /// A cluster is to be worked on.
    pub fn engage(&self, name: &'static str, config: Config) {
        self.tell(move |fleet| fleet.engage(name, config));
    }
}

impl Provider for Told {
    fn name(&self) -> &str {
        self.name
    }

    fn run(
        mut self: Box<Self>,
        _: Cluster,
        _: Config,
        fleet: Fleet,
    ) -> BoxFuture<'static, Result<()>> {
        Box::pin(async move {
            while let Some(order) = self.orders.recv().await {
                order(&fleet);
            }
            Ok(())
        })
    }
}
