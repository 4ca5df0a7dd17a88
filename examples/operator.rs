//! What an operator is, as far as what plays its user is concerned.

use std::time::Duration;

use kommodore::{Builder, Milo, Result};

/// An operator that is ready to run.
pub trait Operator: Send + 'static {
    /// The roles that it needs, as YAML; `None` where it does not know them.
    fn roles(&self) -> Option<String> {
        None
    }

    /// Runs until Ctrl-C or SIGTERM, and then ends in good order.
    fn run(self) -> impl Future<Output = Result<()>> + Send;

    /// Runs until `shutdown` resolves, and then ends in good order.
    fn run_until(
        self,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> impl Future<Output = Result<()>> + Send;
}

impl Operator for Builder {
    fn roles(&self) -> Option<String> {
        Some(self.permissions().yaml("website-operator"))
    }

    fn run(self) -> impl Future<Output = Result<()>> + Send {
        Builder::run(self)
    }

    fn run_until(
        self,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> impl Future<Output = Result<()>> + Send {
        Builder::run_until(self, shutdown)
    }
}

/// How the projects of a fleet are found and reached.
#[derive(Clone, Copy, Debug, Default)]
pub struct Projects {
    /// From inside Milo's infrastructure cluster, and not from outside.
    pub internal: bool,
    /// How long a project may be not ready, where that is not left to the operator.
    pub grace: Option<Duration>,
}

impl Projects {
    /// Kommodore's provider for them.
    pub fn milo(self) -> Milo {
        let milo = if self.internal {
            Milo::internal()
        } else {
            Milo::external()
        };
        match self.grace {
            Some(grace) => milo.grace(grace),
            None => milo,
        }
    }
}
