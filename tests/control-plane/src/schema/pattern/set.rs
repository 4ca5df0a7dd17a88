//! Sets of characters.

use regex_syntax::hir::{ClassUnicode, ClassUnicodeRange};

const LAST: u32 = char::MAX as u32;

/// Ranges in order, which neither overlap nor touch. Go's characters may be surrogates, which no text has.
#[derive(Clone, Debug, Default)]
pub(super) struct Set(Vec<(u32, u32)>);

impl Set {
    pub(super) fn of(mut ranges: Vec<(u32, u32)>) -> Self {
        // Mostly they are a few lists in order, which this sort takes as they are.
        ranges.sort();
        let mut joined: Vec<(u32, u32)> = Vec::with_capacity(ranges.len());
        for (low, high) in ranges {
            match joined.last_mut() {
                Some((_, end)) if low <= end.saturating_add(1) => *end = high.max(*end),
                _ => joined.push((low, high)),
            }
        }
        Self(joined)
    }

    pub(super) fn ranges(&self) -> &[(u32, u32)] {
        &self.0
    }

    pub(super) fn negated(&self) -> Self {
        let mut others = Vec::with_capacity(self.0.len() + 1);
        let mut next = 0;
        for (low, high) in &self.0 {
            if next < *low {
                others.push((next, low - 1));
            }
            next = high + 1;
        }
        if next <= LAST {
            others.push((next, LAST));
        }
        Self(others)
    }

    /// With every character that differs in case only.
    pub(super) fn folded(&self) -> Self {
        let mut class = self.class();
        class.case_fold_simple();
        let mut ranges = self.0.clone();
        ranges.extend(Self::from(&class).0);
        Self::of(ranges)
    }

    /// The same as the engine has it.
    pub(super) fn class(&self) -> ClassUnicode {
        ClassUnicode::new(self.0.iter().filter_map(|(low, high)| {
            // A range that begins or ends within the surrogates begins behind or ends before them.
            let low = char::from_u32(*low).unwrap_or('\u{E000}');
            let high = char::from_u32(*high).unwrap_or('\u{D7FF}');
            (low <= high).then(|| ClassUnicodeRange::new(low, high))
        }))
    }
}

impl From<&ClassUnicode> for Set {
    fn from(class: &ClassUnicode) -> Self {
        let ranges = class.iter();
        Self::of(
            ranges
                .map(|range| (range.start().into(), range.end().into()))
                .collect(),
        )
    }
}
