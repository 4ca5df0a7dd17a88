//! The conditions that a controller declares.

use std::mem::discriminant;

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
    /// Every variant, with what stands about it.
    #[doc(hidden)]
    const ALL: &'static [(Self, Described)];

    /// The condition with this `type`; `None` where there is none.
    fn from_name(name: &str) -> Option<Self>;

    /// The condition's `type`, as it stands in `status.conditions`: the name of the variant, or what
    /// `#[condition(rename = "..")]` says.
    fn name(&self) -> &'static str {
        self.described().map_or("", |described| described.name)
    }

    /// Whether True is good news.
    fn polarity(&self) -> Polarity {
        self.described()
            .map_or(Polarity::Positive, |described| described.polarity)
    }

    /// What it means that the condition is True: the doc comment of the variant, empty where there is none.
    fn meaning(&self) -> &'static str {
        self.described().map_or("", |described| described.meaning)
    }

    /// Whether `Ready` depends on the condition; false for `#[condition(summary = false)]`.
    fn counts(&self) -> bool {
        self.described().is_some_and(|described| described.counts)
    }

    #[doc(hidden)]
    fn described(&self) -> Option<&'static Described> {
        // A variant is told by its discriminant, so that it need be neither `Copy` nor `Eq`.
        let this = discriminant(self);
        let mut all = Self::ALL.iter();
        all.find_map(|(condition, described)| {
            (discriminant(condition) == this).then_some(described)
        })
    }

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

/// What stands about a condition in its enum. Made by the derive.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct Described {
    pub(crate) name: &'static str,
    pub(crate) polarity: Polarity,
    pub(crate) meaning: &'static str,
    pub(crate) counts: bool,
}

#[allow(missing_docs, reason = "for the derive alone")]
impl Described {
    pub const fn new(name: &'static str, meaning: &'static str) -> Self {
        Self {
            name,
            polarity: Polarity::Positive,
            meaning,
            counts: true,
        }
    }

    #[must_use]
    pub const fn negative(mut self) -> Self {
        self.polarity = Polarity::Negative;
        self
    }

    #[must_use]
    pub const fn apart(mut self) -> Self {
        self.counts = false;
        self
    }
}

/// The condition type of controllers that declare none of their own.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub enum NoConditions {}

impl ConditionType for NoConditions {
    const ALL: &'static [(Self, Described)] = &[];

    fn from_name(_: &str) -> Option<Self> {
        None
    }
}

/// A constant that is made by this compiles only if none of the conditions has the name of the summary.
#[doc(hidden)]
pub const fn assert_free_of<T: ConditionType>(ready: &'static str) {
    let mut rest = T::ALL;
    while let [(_, described), after @ ..] = rest {
        assert!(
            !same(described.name, ready),
            "one of the declared conditions has the name that `ready` gives to the summary of all: rename one of the two"
        );
        rest = after;
    }
}

const fn same(one: &str, other: &str) -> bool {
    let (mut one, mut other) = (one.as_bytes(), other.as_bytes());
    while let ([a, rest @ ..], [b, others @ ..]) = (one, other) {
        if *a != *b {
            return false;
        }
        (one, other) = (rest, others);
    }
    one.is_empty() && other.is_empty()
}
