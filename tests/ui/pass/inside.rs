//! In a function and in a module, private and public, for one kind twice.

use kommodore::{Action, Context, Reconcile, Result, controller};

mod teams {
    use k8s_openapi::api::core::v1::Namespace;
    use kommodore::ConditionType;

    use super::{Action, Context, Reconcile, Result, controller};

    #[controller(for = Namespace, conditions = self::TeamCondition, name = "teams")]
    pub struct Teams(pub(super) usize);

    #[derive(ConditionType)]
    pub enum TeamCondition {
        QuotaSet,
    }

    impl Teams {
        pub fn new() -> Self {
            Self(3)
        }
    }

    impl Reconcile for Teams {
        async fn reconcile(&self, _: &Namespace, cx: &Context<Self>) -> Result<Action> {
            cx.set(TeamCondition::QuotaSet.is_true("Applied", "the quota is there"));
            Ok(Action::done())
        }
    }
}

fn main() {
    use k8s_openapi::api::core::v1::Namespace;

    #[controller(for = Namespace)]
    struct Local {
        teams: teams::Teams,
    }

    impl Reconcile for Local {
        async fn reconcile(&self, _: &Namespace, _: &Context<Self>) -> Result<Action> {
            Ok(Action::done())
        }
    }

    let local = Local {
        teams: teams::Teams::new(),
    };
    assert_eq!(local.teams.0, 3);
}
