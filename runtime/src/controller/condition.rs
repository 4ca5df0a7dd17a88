//! The conditions that a controller declares.

/// An enum of condition types, one for each unit variant; derive it with
/// [`#[derive(ConditionType)]`](macro@crate::ConditionType).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a set of conditions",
    label = "needs `#[derive(ConditionType)]`",
    note = "write `#[derive(ConditionType)] enum {Self} {{ .. }}` with one unit variant for each condition"
)]
#[expect(
    clippy::wrong_self_convention,
    reason = "`Degraded.is_true(..)` reads as what it says; the variant is used up, so that it need not be `Copy`"
)]
pub trait ConditionType: Sized + Send + Sync + 'static {
    #[doc(hidden)]
    const ALL: &'static [Self];

    /// The condition's `type`, as it stands in `status.conditions`.
    fn name(&self) -> &'static str;

    /// Whether True is good news.
    fn polarity(&self) -> Polarity;

    /// The condition with status True. The reason is one CamelCase word for programs, the message a
    /// sentence for people.
    fn is_true(
        self,
        reason: impl Into<String>,
        message: impl Into<String>,
    ) -> ConditionValue<Self> {
        ConditionValue {
            condition: self,
            state: State::True,
            reason: reason.into(),
            message: message.into(),
        }
    }

    /// The condition with status False; see [`is_true`](ConditionType::is_true).
    fn is_false(
        self,
        reason: impl Into<String>,
        message: impl Into<String>,
    ) -> ConditionValue<Self> {
        ConditionValue {
            condition: self,
            state: State::False,
            reason: reason.into(),
            message: message.into(),
        }
    }

    /// The condition with status Unknown; see [`is_true`](ConditionType::is_true).
    fn is_unknown(
        self,
        reason: impl Into<String>,
        message: impl Into<String>,
    ) -> ConditionValue<Self> {
        ConditionValue {
            condition: self,
            state: State::Unknown,
            reason: reason.into(),
            message: message.into(),
        }
    }
}

/// Whether a condition that is True is good news.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Polarity {
    /// True is how it should be; False makes the object not Ready.
    Positive,
    /// True is a problem and makes the object not Ready: `#[condition(negative)]`.
    Negative,
}

/// The status of a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It is so.
    True,
    /// It is not so.
    False,
    /// Nobody can tell now.
    Unknown,
}

impl State {
    /// As it stands in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::True => "True",
            Self::False => "False",
            Self::Unknown => "Unknown",
        }
    }
}

/// A condition with its status, reason and message, ready for [`Context::set`](crate::Context::set).
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "give it to `cx.set(..)`"]
pub struct ConditionValue<T> {
    pub(crate) condition: T,
    pub(crate) state: State,
    pub(crate) reason: String,
    pub(crate) message: String,
}
