//! Where a value stands in an object.

use std::fmt;

/// The way to a value in an object: `spec.ports[0].name`. It is written down only where something is told of the value:
/// a name can be as long as a whole body, and what is below it in the thousands.
#[derive(Clone, Copy, Default)]
pub(crate) enum Path<'p> {
    #[default]
    Root,
    Below(&'p Path<'p>, Step<'p>),
}

#[derive(Clone, Copy)]
pub(crate) enum Step<'p> {
    Name(&'p str),
    /// Of a map, where it is told apart from a field: `labels[app]`.
    Entry(&'p str),
    /// The same where it is told apart by a dot that is there even at the root: `.app`.
    Value(&'p str),
    At(usize),
}

impl<'p> Path<'p> {
    pub(crate) fn name(&'p self, name: &'p str) -> Self {
        Self::Below(self, Step::Name(name))
    }

    pub(crate) fn entry(&'p self, name: &'p str) -> Self {
        Self::Below(self, Step::Entry(name))
    }

    pub(crate) fn value(&'p self, name: &'p str) -> Self {
        Self::Below(self, Step::Value(name))
    }

    pub(crate) fn at(&'p self, at: usize) -> Self {
        Self::Below(self, Step::At(at))
    }

    pub(crate) fn is_root(&self) -> bool {
        matches!(self, Self::Root)
    }

    /// Whether nothing of it is seen: a name may be empty.
    fn is_blank(&self) -> bool {
        match self {
            Self::Root => true,
            Self::Below(up, Step::Name("")) => up.is_blank(),
            Self::Below(..) => false,
        }
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Below(up, step) = self else {
            return Ok(());
        };
        up.fmt(formatter)?;
        match step {
            Step::Name(name) if up.is_blank() => formatter.write_str(name),
            Step::Name(name) | Step::Value(name) => write!(formatter, ".{name}"),
            Step::Entry(name) => write!(formatter, "[{name}]"),
            Step::At(at) => write!(formatter, "[{at}]"),
        }
    }
}
