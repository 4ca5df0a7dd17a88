//! Where a kind keeps its conditions: what the compiler is asked about it. Named by the macro's expansion.

#![allow(
    missing_docs,
    unreachable_pub,
    reason = "public for the expansion alone, through `__private`"
)]

use k8s_openapi::api::apps::v1 as apps;
use k8s_openapi::api::autoscaling::v2 as autoscaling;
use k8s_openapi::api::batch::v1 as batch;
use k8s_openapi::api::certificates::v1 as certificates;
use k8s_openapi::api::core::v1 as core;
use k8s_openapi::api::flowcontrol::v1 as flowcontrol;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1 as apiextensions;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use k8s_openapi::kube_aggregator::pkg::apis::apiregistration::v1 as apiregistration;

/// A list of conditions, as the field `conditions` of a status has it: a `Vec` of [`Condition`] or of another
/// [`ConditionEntry`], or an `Option` of that.
///
/// A list type of one's own says that it is one in a line: `impl ConditionList for YourList {}`.
#[diagnostic::on_unimplemented(
    message = "`status.conditions` cannot be a `{Self}`: it is a list of conditions",
    label = "needs `conditions: Vec<Condition>` in the status",
    note = "write `#[serde(default)] conditions: Vec<Condition>`, with k8s-openapi's `Condition`; a list type of your own is accepted with `impl kommodore::ConditionList for YourList {{}}`"
)]
pub trait ConditionList {}

impl<T: ConditionEntry> ConditionList for Vec<T> {}
impl<L: ConditionList> ConditionList for Option<L> {}

/// A type that is written as a condition: `type`, `status`, `reason`, `message`, `lastTransitionTime`. Those of
/// Kubernetes' own kinds are; one of your own says it in a line: `impl ConditionEntry for YourCondition {}`.
#[diagnostic::on_unimplemented(
    message = "a `{Self}` in `status.conditions` is no condition",
    label = "needs `conditions: Vec<Condition>` in the status",
    note = "write `#[serde(default)] conditions: Vec<Condition>`, with k8s-openapi's `Condition`; a type of your own with the same fields is accepted with `impl kommodore::ConditionEntry for {Self} {{}}`"
)]
pub trait ConditionEntry {}

macro_rules! entries {
    ($($condition:ty,)+) => {
        $(impl ConditionEntry for $condition {})+
    };
}

entries! {
    Condition,
    apiextensions::CustomResourceDefinitionCondition,
    apiregistration::APIServiceCondition,
    apps::DaemonSetCondition,
    apps::DeploymentCondition,
    apps::ReplicaSetCondition,
    apps::StatefulSetCondition,
    autoscaling::HorizontalPodAutoscalerCondition,
    batch::JobCondition,
    certificates::CertificateSigningRequestCondition,
    core::NamespaceCondition,
    core::NodeCondition,
    core::PersistentVolumeClaimCondition,
    core::PodCondition,
    core::ReplicationControllerCondition,
    flowcontrol::FlowSchemaCondition,
    flowcontrol::PriorityLevelConfigurationCondition,
}

/// The field `status` of an object: an `Option` of a status, or one that is always there.
pub struct StatusField<'a, T>(pub &'a T);

impl<'a, S> StatusField<'a, Option<S>> {
    /// Found before the method of [`PlainStatus`].
    pub fn get(&self) -> Option<&'a S> {
        self.0.as_ref()
    }
}

pub trait PlainStatus<'a> {
    type Status;
    fn get(&self) -> Option<&'a Self::Status>;
}

impl<'a, S> PlainStatus<'a> for StatusField<'a, S> {
    type Status = S;

    fn get(&self) -> Option<&'a S> {
        Some(self.0)
    }
}

/// Has to compile, and does nothing.
pub fn is_condition_list<L: ConditionList>(_: &L) {}
