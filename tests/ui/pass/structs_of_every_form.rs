//! Unit, tuple and braced structs, of every visibility, and one that is not there.

use k8s_openapi::api::apps::v1::Deployment;
use kommodore::{Action, Context, Reconcile, Result, controller};

#[controller(for = Deployment, name = "unit")]
pub struct Unit;

#[controller(for = Deployment, name = "tuple")]
pub(crate) struct Tuple(pub u8, pub(crate) u8);

#[controller(for = Deployment, name = "braced")]
struct Braced {
    pub(self) field: u8,
}

#[cfg(any())]
#[controller(for = NoSuchKind, finalizer, owns(NorThis))]
struct Absent;

#[controller(for = NoSuchKind, finalizer, owns(NorThis))]
#[cfg(any())]
struct AbsentAfterwards;

macro_rules! reconcile {
    ($($name:ident),*) => {$(
        impl Reconcile for $name {
            async fn reconcile(&self, _: &Deployment, _: &Context<Self>) -> Result<Action> {
                Ok(Action::done())
            }
        }
    )*};
}

reconcile!(Unit, Tuple, Braced);

fn main() {
    let _ = (Unit, Tuple(0, 0), Braced { field: 0 }.field);
}
