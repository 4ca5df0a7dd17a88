use std::cell::RefCell;

use k8s_openapi::api::apps::v1::Deployment;
use kommodore::{Action, Context, Reconcile, Result, controller};

#[controller(for = Deployment)]
struct Rollout {
    seen: RefCell<u32>,
}

impl Reconcile for Rollout {
    async fn reconcile(&self, _: &Deployment, _: &Context<Self>) -> Result<Action> {
        *self.seen.borrow_mut() += 1;
        Ok(Action::done())
    }
}

fn main() {}
