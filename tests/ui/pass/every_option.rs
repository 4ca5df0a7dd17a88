//! Every option at once, with several kinds and mappers of every shape.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Node, Secret, Service};
use kommodore::{
    Action, Cleanup, Cluster, ConditionType, Context, ObjectKey, Reconcile, Result, controller,
};

mod reexport {
    pub use ::kommodore as operator;
}

#[controller(
    name = "demo.kommodore.dev/rollout",
    crate = reexport::operator,
    for = Deployment,
    owns(ConfigMap, k8s_openapi::api::batch::v1::Job, Service),
    watches(
        Secret => Self::plain,
        Namespace => Self::asynchronous,
        Node => mappers::anywhere::<Node>,
    ),
    finalizer = "demo.kommodore.dev/rollout",
    conditions = Steps,
)]
pub(crate) struct Rollout {
    _pages: u32,
}

/// A condition for each variant; the user's own derives stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ConditionType)]
#[condition(crate = reexport::operator)]
pub(crate) enum Steps {
    /// The image is there.
    Built = 1,
    #[condition(negative)]
    Degraded,
    r#Shipped,
}

impl Reconcile for Rollout {
    async fn reconcile(&self, _: &Deployment, cx: &Context<Self>) -> Result<Action> {
        let steps = [Steps::Built, Steps::Degraded, Steps::Shipped];
        for step in steps {
            cx.set(step.is_unknown("Waiting", "not there yet"));
        }
        Ok(Action::done())
    }
}

impl Cleanup for Rollout {
    async fn cleanup(&self, _: &Deployment, _: &Context<Self>) -> Result<Action> {
        Ok(Action::done())
    }
}

impl Rollout {
    fn plain(&self, secret: &Secret, _: &Cluster) -> Option<ObjectKey> {
        Some(ObjectKey::of(secret))
    }

    async fn asynchronous(&self, namespace: &Namespace, _: &Cluster) -> Vec<ObjectKey> {
        std::future::ready(()).await;
        vec![ObjectKey::of(namespace)]
    }
}

mod mappers {
    use kommodore::{Cluster, ObjectKey};

    pub(crate) fn anywhere<K: kube::Resource>(
        _: &super::Rollout,
        object: &K,
        _: &Cluster,
    ) -> [ObjectKey; 1] {
        [ObjectKey::of(object)]
    }
}

fn main() {
    let _ = Rollout { _pages: 1 };
    assert_eq!(ConditionType::name(&Steps::Shipped), "Shipped");
}
