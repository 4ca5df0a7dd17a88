//! Attributes before and after ours, a condition of compilation among them.

#![deny(warnings, missing_docs)]
#![warn(clippy::pedantic)]

use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use kommodore::{Action, ConditionType, Context, Reconcile, Result, controller};

/// There in this build.
#[derive(Clone, Debug)]
#[cfg(not(target_os = "horizon"))]
#[controller(for = ConfigMap, name = "present")]
#[derive(Default)]
#[must_use]
/// Documentation goes on.
#[cfg(not(target_os = "horizon"))]
pub struct Present {
    /// A field with an attribute.
    #[doc(hidden)]
    pub field: u8,
    #[cfg(target_os = "horizon")]
    absent: u8,
}

/// Absent in this build, and its implementations with it.
#[controller(for = Nowhere, conditions = Nothing)]
#[cfg(target_os = "horizon")]
pub struct Absent;

/// Still there, and nothing in the expansion says that it should not be used.
#[controller(for = Namespace)]
#[deprecated = "use `Present`"]
#[derive(Default)]
pub struct Old();

/// One of these is deprecated.
#[derive(ConditionType)]
pub enum Steps {
    /// The usual one.
    Built,
    /// The other.
    #[deprecated]
    Baked,
}

impl Reconcile for Present {
    async fn reconcile(&self, _: &ConfigMap, _: &Context<Self>) -> Result<Action> {
        Ok(Action::done())
    }
}

#[allow(deprecated)]
impl Reconcile for Old {
    async fn reconcile(&self, _: &Namespace, _: &Context<Self>) -> Result<Action> {
        Ok(Action::done())
    }
}

/// Uses what is there.
fn main() {
    let _ = Present::default();
}
