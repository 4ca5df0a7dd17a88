//! Conditions in statuses of every shape that has a list of them.

use std::ops::Deref;

use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kommodore::{Action, ConditionEntry, ConditionList, ConditionType, Context, Object, Reconcile, Result, controller};
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A list of one's own.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(transparent)]
struct Conditions(Vec<Condition>);

impl ConditionList for Conditions {}

#[derive(CustomResource, Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[kube(group = "demo.kommodore.dev", version = "v1", kind = "Team", status = "TeamStatus")]
struct TeamSpec {}

#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
struct TeamStatus {
    #[serde(default)]
    conditions: Conditions,
}

#[controller(for = Team, conditions)]
struct Teams;

impl Reconcile for Teams {
    async fn reconcile(&self, _: &Team, _: &Context<Self>) -> Result<Action> {
        Ok(Action::done())
    }
}

#[derive(CustomResource, Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[kube(group = "demo.kommodore.dev", version = "v1", kind = "Page", status = "PageStatus")]
struct PageSpec {}

/// Conditions in what several statuses have in common.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
struct PageStatus {
    #[serde(flatten)]
    common: Common,
}

#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
struct Common {
    conditions: Option<Vec<Condition>>,
}

impl Deref for PageStatus {
    type Target = Common;

    fn deref(&self) -> &Common {
        &self.common
    }
}

#[controller(for = Page, conditions)]
struct Pages;

impl Reconcile for Pages {
    async fn reconcile(&self, _: &Page, _: &Context<Self>) -> Result<Action> {
        Ok(Action::done())
    }
}

/// A condition of one's own.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
struct Step {
    r#type: String,
    status: String,
}

impl ConditionEntry for Step {}

#[derive(CustomResource, Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[kube(group = "demo.kommodore.dev", version = "v1", kind = "Book", status = "BookStatus")]
struct BookSpec {}

#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
struct BookStatus {
    conditions: Vec<Step>,
}

#[controller(for = Book, conditions)]
struct Books;

impl Reconcile for Books {
    async fn reconcile(&self, _: &Book, _: &Context<Self>) -> Result<Action> {
        Ok(Action::done())
    }
}

/// A kind that comes with Kubernetes, and has conditions of its own type.
#[controller(for = Namespace, conditions)]
struct Namespaces;

impl Reconcile for Namespaces {
    async fn reconcile(&self, _: &Namespace, _: &Context<Self>) -> Result<Action> {
        Ok(Action::done())
    }
}

/// Of a kind that is a parameter the fields are not known: the first status write tells.
#[controller(for = K, conditions, name = "any")]
struct Any<K: Object>(std::marker::PhantomData<fn() -> K>);

impl<K: Object> Reconcile for Any<K> {
    async fn reconcile(&self, _: &K, _: &Context<Self>) -> Result<Action> {
        Ok(Action::done())
    }
}

/// The same of what a parameter has.
trait Named {
    type Kind: Object;
    type Conditions: ConditionType;
}

#[controller(for = N::Kind, conditions = N::Conditions, ready = "Available", name = "named")]
struct ByName<N: Named>(std::marker::PhantomData<fn() -> N>)
where
    N: 'static;

impl<N: Named + 'static> Reconcile for ByName<N> {
    async fn reconcile(&self, _: &N::Kind, _: &Context<Self>) -> Result<Action> {
        Ok(Action::done())
    }
}

fn main() {
    let _ = (Teams, Pages, Books, Namespaces, Any::<Namespace>(std::marker::PhantomData));
}
