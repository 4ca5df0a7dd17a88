//! Which parts of an object a patch takes apart: those come out of it with their fields sorted by name, and all others as
//! they were.

use std::collections::BTreeMap;

use serde_json::Value;

/// No object nests deeper, whatever a pointer says.
const DEEPEST: usize = 250;

/// What a patch has to do with a part of an object, if anything.
pub(crate) enum Touched {
    /// It put it there.
    Whole,
    /// It looked for something within it: by name or index.
    Within(BTreeMap<String, Touched>),
}

impl Touched {
    /// By a merge patch.
    pub(crate) fn by_merge(old: &Value, patch: &Value) -> Self {
        let (Value::Object(old), Value::Object(patch)) = (old, patch) else {
            return Self::Whole;
        };
        let fields = patch.iter().map(|(name, value)| {
            let old = old.get(name).unwrap_or(&Value::Null);
            (name.clone(), Self::by_merge(old, value))
        });
        Self::Within(fields.collect())
    }

    /// By a JSON patch.
    pub(crate) fn by_json_patch(body: &[u8]) -> Self {
        let mut all = Self::nothing();
        let operations: Vec<Value> = serde_json::from_slice(body).unwrap_or_default();
        for operation in &operations {
            let (brings, moves) = match operation["op"].as_str() {
                Some("add" | "replace") => (true, false),
                Some("copy" | "move") => (false, true),
                _ => (false, false),
            };
            if let Some(from) = operation["from"].as_str().filter(|_| moves) {
                all.touch(from, false);
            }
            if let Some(path) = operation["path"].as_str() {
                all.touch(path, brings);
            }
        }
        all
    }

    /// The same of a part of it.
    pub(crate) fn within(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Whole => Some(self),
            Self::Within(parts) => parts.get(name),
        }
    }

    fn nothing() -> Self {
        Self::Within(BTreeMap::new())
    }

    /// All above what a pointer names, and that itself if something was put there.
    fn touch(&mut self, pointer: &str, brings: bool) {
        let tokens = pointer.split('/').skip(1);
        let tokens: Vec<_> = tokens
            .take(DEEPEST)
            .map(|token| token.replace("~1", "/").replace("~0", "~"))
            .collect();
        self.touch_within(&tokens, brings);
    }

    fn touch_within(&mut self, tokens: &[String], brings: bool) {
        match (self, tokens) {
            (Self::Within(parts), [last]) if brings => {
                parts.insert(last.clone(), Self::Whole);
            }
            (Self::Within(parts), [first, more @ ..]) if !more.is_empty() => {
                let part = parts.entry(first.clone()).or_insert_with(Self::nothing);
                part.touch_within(more, brings);
            }
            _ => {}
        }
    }
}
