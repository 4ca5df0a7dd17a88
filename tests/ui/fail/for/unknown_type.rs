use kommodore::{Action, Context, Reconcile, Result, controller};

#[controller(for = Rollouts)]
struct Rollout;

impl Reconcile for Rollout {
    async fn reconcile(&self, _: &Rollouts, _: &Context<Self>) -> Result<Action> {
        Ok(Action::done())
    }
}

fn main() {}
