//! What the user implements, and what the macro fills in.

mod action;
mod condition;
mod context;
mod declaration;
mod kind;
mod object;
mod reason;
mod status;

pub use action::Action;
pub use condition::{
    ConditionType, ConditionValue, Described, NoConditions, Polarity, State, assert_free_of,
};
pub use context::Context;
pub(crate) use context::Run as RunState;
pub use declaration::{Declaration, Finalizer, IntoKeys, Start, keys, mapped, nothing};
pub(crate) use kind::Place;
pub use kind::{Grant, GroupOf, Kind, Select, UnknownGroup, assert_group};
pub use object::{Object, ObjectKey};
pub use reason::ConditionReason;
pub(crate) use reason::LONGEST as LONGEST_REASON;
pub use status::{ConditionEntry, ConditionList, PlainStatus, StatusField, is_condition_list};

use crate::Result;

/// A type with `#[controller]`: which kind it reconciles, and all that the attribute declared.
///
/// Implemented by [`#[controller]`](macro@crate::controller), never by hand.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a controller",
    label = "has no `#[controller]`",
    note = "write `#[controller(for = YourKind)]` above the struct `{Self}`"
)]
pub trait Controller: Sized {
    /// The kind that is reconciled.
    type Object: Object;
    /// The conditions of `conditions = ..`.
    type Condition: ConditionType;

    /// All that the attribute declared, besides the types; [`Permissions`](crate::Permissions) reads it.
    const DECLARATION: Declaration;
}

/// What a controller does for an object.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no `reconcile`",
    label = "a controller needs `impl Reconcile`",
    note = "write `impl Reconcile for {Self} {{ async fn reconcile(&self, object: &YourKind, cx: &Context<Self>) -> Result<Action> {{ .. }} }}`"
)]
pub trait Reconcile: Controller {
    /// Brings the world in line with `object`. Called with the newest known object, never twice at
    /// once for the same one, and again after every error, change or [`Action::requeue`]. It has to
    /// be idempotent: what is already so must be left so.
    ///
    /// # Errors
    /// Any error makes `Ready` False (where conditions are declared) and is tried again as
    /// [`Error`](crate::Error) says.
    fn reconcile(
        &self,
        object: &Self::Object,
        cx: &Context<Self>,
    ) -> impl Future<Output = Result<Action>> + Send;
}

/// What a controller with a `finalizer` does before an object may go.
///
/// Runs once `metadata.deletionTimestamp` is set and our finalizer is there. [`Action::done`] removes
/// the finalizer; [`Action::requeue`] and errors keep it, and `cleanup` runs again. With `on_leave = release` it runs, too,
/// for an object that is not selected any more, and stays.
#[diagnostic::on_unimplemented(
    message = "`{Self}` declares a finalizer and has no `cleanup`",
    label = "a finalizer needs `impl Cleanup`",
    note = "write `impl Cleanup for {Self} {{ async fn cleanup(&self, object: &YourKind, cx: &Context<Self>) -> Result<Action> {{ .. }} }}`, or remove `finalizer` from `#[controller(..)]`"
)]
pub trait Cleanup: Controller + DeclaresFinalizer {
    /// Undoes what `reconcile` did outside of what the garbage collector deletes. It has to be
    /// idempotent, and right for an object whose `reconcile` never ran to its end.
    ///
    /// # Errors
    /// Any error keeps the finalizer, and is tried again as [`Error`](crate::Error) says.
    fn cleanup(
        &self,
        object: &Self::Object,
        cx: &Context<Self>,
    ) -> impl Future<Output = Result<Action>> + Send;
}

/// A controller whose attribute has `finalizer`. Implemented by the macro.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has a `cleanup` that would never run: it declares no finalizer",
    label = "`impl Cleanup` needs a finalizer",
    note = "write `#[controller(.., finalizer = \"your.domain/name\")]` above the struct `{Self}`, or remove `impl Cleanup`"
)]
pub trait DeclaresFinalizer {}

/// A controller whose attribute has `conditions = T`. Implemented by the macro.
#[diagnostic::on_unimplemented(
    message = "`{Self}` declares no conditions of its own",
    label = "needs a declared condition",
    note = "write `#[controller(.., conditions = YourConditions)]` above the struct `{Self}`"
)]
pub trait DeclaresConditions<T> {}
