//! Where a kind keeps its conditions: what the compiler is asked about it. Named by the macro's expansion.

#![allow(
    missing_docs,
    unreachable_pub,
    reason = "public for the expansion alone, through `__private`"
)]

/// A list of conditions, as the field `conditions` of a status has it: `Vec<Condition>`, a `Vec` of any other
/// type that is written like one, or an `Option` of these.
///
/// A list type of one's own says that it is one in a line: `impl ConditionList for YourList {}`.
#[diagnostic::on_unimplemented(
    message = "`status.conditions` cannot be a `{Self}`: it is a list of conditions",
    label = "needs `conditions: Vec<Condition>` in the status",
    note = "write `#[serde(default)] conditions: Vec<Condition>`, with k8s-openapi's `Condition`; a list type of your own is accepted with `impl kommodore::ConditionList for YourList {{}}`"
)]
pub trait ConditionList {}

impl<T> ConditionList for Vec<T> {}
impl<L: ConditionList> ConditionList for Option<L> {}

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
