//! How much a text of YAML may make of itself.

/// How deep it nests at most, as JSON does.
const DEEPEST: usize = 127;

/// How many bytes of text aliases make at most: what they stand for is copied.
const MOST_TEXT: usize = 64 * 1024 * 1024;

/// What has been decoded.
#[derive(Default)]
pub(super) struct Limits {
    decoded: u64,
    by_aliases: u64,
    text_by_aliases: usize,
    /// How many aliases are being followed.
    aliases: usize,
    depth: usize,
}

impl Limits {
    /// Counts a node.
    pub(super) fn decode(&mut self) -> Result<(), String> {
        self.decoded += 1;
        if self.aliases > 0 {
            self.by_aliases += 1;
        }
        self.allow(!self.is_too_much())
    }

    /// Counts the text of a node.
    pub(super) fn copy(&mut self, length: usize) -> Result<(), String> {
        if self.aliases > 0 {
            self.text_by_aliases = self.text_by_aliases.saturating_add(length);
        }
        self.allow(self.text_by_aliases <= MOST_TEXT)
    }

    pub(super) fn enter_alias(&mut self) {
        self.aliases += 1;
    }

    pub(super) fn leave_alias(&mut self) {
        self.aliases -= 1;
    }

    pub(super) fn enter(&mut self) -> Result<(), String> {
        if self.depth >= DEEPEST {
            return Err(format!("exceeded max depth of {DEEPEST}"));
        }
        self.depth += 1;
        Ok(())
    }

    pub(super) fn leave(&mut self) {
        self.depth -= 1;
    }

    fn allow(&self, is_well: bool) -> Result<(), String> {
        match is_well {
            true => Ok(()),
            false => Err("document contains excessive aliasing".to_owned()),
        }
    }

    /// The bounds of Go's decoder: of a small document nearly all may come of aliases, of a great one a tenth.
    #[allow(
        clippy::cast_precision_loss,
        reason = "a part is compared, and not to the digit"
    )]
    fn is_too_much(&self) -> bool {
        const SMALL: f64 = 400_000.0;
        const GREAT: f64 = 4_000_000.0;
        let decoded = self.decoded as f64;
        let part = self.by_aliases as f64 / decoded;
        let greatness = ((decoded - SMALL) / (GREAT - SMALL)).clamp(0.0, 1.0);
        self.by_aliases > 100 && self.decoded > 1_000 && part > 0.99 - 0.89 * greatness
    }
}
