//! How big a pattern may be, as Go counts it.

const MAX_SIZE: u64 = (128 << 20) / 40;
const MAX_HEIGHT: u32 = 1000;
const MAX_COPIES: u64 = 1000;

/// What a part of a pattern costs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cost {
    /// The instructions of the program that it becomes.
    size: u64,
    /// How deep it nests.
    height: u32,
    /// How often what is inside of its repetitions stands there in the end.
    copies: u64,
    shape: Shape,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// One character after the other, which is one thing however long it is.
    Text,
    /// A list that goes up in one around it.
    All,
    Any,
    Other,
}

impl Cost {
    pub(super) const SINGLE: Self = Self {
        size: 1,
        height: 1,
        copies: 1,
        shape: Shape::Other,
    };
    pub(super) const CHARACTER: Self = Self {
        shape: Shape::Text,
        ..Self::SINGLE
    };

    fn above(self, size: u64) -> Self {
        Self {
            size: size.max(1),
            height: self.height + 1,
            shape: Shape::Other,
            ..self
        }
    }

    pub(super) fn captured(self) -> Self {
        self.above(self.size + 2)
    }

    /// Under `?`, `*` or `+`.
    pub(super) fn under(self, operator: char) -> Self {
        self.above(self.size + if operator == '*' { 2 } else { 1 })
    }

    pub(super) fn counted(self, least: u32, most: Option<u32>) -> Self {
        let (copies, size) = match most {
            Some(most) => (
                most,
                self.size * u64::from(most) + u64::from(most.saturating_sub(least)),
            ),
            None if least == 0 => (1, self.size + 2),
            None => (least, self.size * u64::from(least) + 1),
        };
        Self {
            // What is not there at all is no copy of anything.
            copies: (self.copies * u64::from(copies)).max(1),
            ..self.above(size)
        }
    }

    /// One after the other.
    pub(super) fn all(costs: &[Self]) -> Self {
        if costs.is_empty() {
            return Self::SINGLE;
        }
        let size = costs.iter().map(|cost| cost.size).sum();
        if costs.iter().all(|cost| cost.shape == Shape::Text) {
            return Self {
                size,
                ..Self::CHARACTER
            };
        }
        Self::list(costs, Shape::All, size)
    }

    /// One or the other.
    pub(super) fn any(costs: &[Self]) -> Self {
        let size = costs.iter().map(|cost| cost.size + 1).sum::<u64>();
        Self::list(costs, Shape::Any, size.saturating_sub(1))
    }

    fn list(costs: &[Self], shape: Shape, size: u64) -> Self {
        let heights = costs
            .iter()
            .map(|cost| cost.height + u32::from(cost.shape != shape));
        Self {
            size,
            height: heights.max().unwrap_or(1),
            copies: costs.iter().map(|cost| cost.copies).max().unwrap_or(1),
            shape,
        }
    }

    pub(super) fn height(self) -> u32 {
        self.height
    }

    pub(super) fn check(self) -> Result<(), &'static str> {
        if self.size > MAX_SIZE {
            Err("expression too large")
        } else if self.height > MAX_HEIGHT {
            Err("expression nests too deeply")
        } else {
            Ok(())
        }
    }

    pub(super) fn has_too_many_copies(self) -> bool {
        self.copies > MAX_COPIES
    }
}
