//! The sets of characters that a pattern speaks of, each once.

use std::collections::HashMap;
use std::rc::Rc;

use regex_syntax::hir::Look;

use super::escape::{escape, up_to};
use super::named;
use super::parse::Wrong;
use super::set::Set;

const BAD_RANGE: &str = "invalid character class range";

/// What was read, and what is left.
type Found<'a, T> = Result<(T, &'a str), Wrong<'a>>;
type Perhaps<'a, T> = Result<Option<(T, &'a str)>, Wrong<'a>>;

#[derive(Default)]
pub(super) struct Sets<'a> {
    all: Vec<Set>,
    /// Their indices by how they are written, and whether case is ignored there.
    known: HashMap<(&'a str, bool), usize>,
    /// The same for `\pL` and its like, also where they are in a class.
    named: HashMap<(&'a str, bool), Rc<Set>>,
}

impl<'a> Sets<'a> {
    pub(super) fn all(self) -> Vec<Set> {
        self.all
    }

    fn index(&mut self, written: &'a str, ignore_case: bool, set: impl FnOnce() -> Set) -> usize {
        *self.known.entry((written, ignore_case)).or_insert_with(|| {
            self.all.push(set());
            self.all.len() - 1
        })
    }

    pub(super) fn dot(&mut self, is_all: bool) -> usize {
        match is_all {
            true => self.index("(?s:.)", false, || Set::default().negated()),
            false => self.index("(?-s:.)", false, || only('\n'.into()).negated()),
        }
    }

    pub(super) fn literal(&mut self, literal: u32, written: &'a str, ignore_case: bool) -> usize {
        self.index(written, ignore_case, || match ignore_case {
            true => only(literal).folded(),
            false => only(literal),
        })
    }

    /// What is looked at has to be told apart from everything else.
    pub(super) fn look(&mut self, look: Look) {
        match look {
            Look::WordAscii | Look::WordAsciiNegate => {
                self.index("\\b", false, || named::perl('w').unwrap_or_default());
            }
            Look::StartLF | Look::EndLF => {
                self.index("(?m:$)", false, || only('\n'.into()));
            }
            _ => {}
        }
    }

    /// `\d` and its like, and `\p{..}`.
    pub(super) fn escaped(&mut self, rest: &'a str, ignore_case: bool) -> Perhaps<'a, usize> {
        let Some((group, after)) = self.group(rest, ignore_case)? else {
            return Ok(None);
        };
        let at = self.index(up_to(rest, after), ignore_case, || Set::clone(&group));
        Ok(Some((at, after)))
    }

    pub(super) fn class(&mut self, class: &'a str, ignore_case: bool) -> Found<'a, usize> {
        let mut rest = &class[1..];
        let negated = rest.strip_prefix('^');
        rest = negated.unwrap_or(rest);
        // What is written as it is, and what has a name.
        let (mut plain, mut groups) = (Vec::new(), Vec::new());
        let mut first = true;
        while first || !rest.starts_with(']') {
            first = false;
            if let Some((group, after)) = self.posix(rest, ignore_case)? {
                groups.extend_from_slice(group.ranges());
                rest = after;
                continue;
            }
            if let Some((group, after)) = self.group(rest, ignore_case)? {
                groups.extend_from_slice(group.ranges());
                rest = after;
                continue;
            }
            let (low, mut after) = member(rest, class)?;
            let mut high = low;
            if let Some(end) = after.strip_prefix('-')
                && !end.is_empty()
                && !end.starts_with(']')
            {
                (high, after) = member(end, class)?;
                if high < low {
                    return Err((BAD_RANGE, up_to(rest, after)));
                }
            }
            plain.push((low, high));
            rest = after;
        }
        let after = &rest[1..];
        let at = self.index(up_to(class, after), ignore_case, || {
            let mut plain = Set::of(plain);
            if ignore_case {
                plain = plain.folded();
            }
            groups.extend_from_slice(plain.ranges());
            let all = Set::of(groups);
            match negated {
                Some(_) => all.negated(),
                None => all,
            }
        });
        Ok((at, after))
    }

    /// `[:alpha:]` within a class.
    fn posix(&mut self, rest: &'a str, ignore_case: bool) -> Perhaps<'a, Rc<Set>> {
        let named = rest
            .strip_prefix("[:")
            .and_then(|name| name.split_once(":]"));
        let Some((name, after)) = named else {
            return Ok(None);
        };
        let written = up_to(rest, after);
        let (name, negated) = unturned(name);
        self.turned((written, ignore_case), negated, || named::posix(name))
            .map(|set| Some((set, after)))
            .ok_or((BAD_RANGE, written))
    }

    /// `\d` and its like, and `\p{..}`.
    fn group(&mut self, rest: &'a str, ignore_case: bool) -> Perhaps<'a, Rc<Set>> {
        let Some(letter) = rest.strip_prefix('\\').and_then(|rest| rest.chars().next()) else {
            return Ok(None);
        };
        let after = &rest[1 + letter.len_utf8()..];
        let negated = letter.is_ascii_uppercase();
        let letter = letter.to_ascii_lowercase();
        if letter != 'p' {
            let group = self.turned((up_to(rest, after), ignore_case), negated, || {
                named::perl(letter)
            });
            return Ok(group.map(|group| (group, after)));
        }
        let (name, after) = match after.strip_prefix('{') {
            Some(braced) => braced.split_once('}').ok_or((BAD_RANGE, rest))?,
            None => after.split_at(after.chars().next().map_or(0, char::len_utf8)),
        };
        let written = up_to(rest, after);
        let (name, turned) = unturned(name);
        self.turned((written, ignore_case), negated != turned, || {
            named::unicode(name)
        })
        .map(|group| Some((group, after)))
        .ok_or((BAD_RANGE, written))
    }

    /// A class with a name as it is written, all others if it is negated.
    fn turned(
        &mut self,
        key: (&'a str, bool),
        negated: bool,
        find: impl FnOnce() -> Option<Set>,
    ) -> Option<Rc<Set>> {
        if let Some(known) = self.named.get(&key) {
            return Some(known.clone());
        }
        let mut set = find()?;
        if key.1 {
            set = set.folded();
        }
        if negated {
            set = set.negated();
        }
        let set = Rc::new(set);
        self.named.insert(key, set.clone());
        Some(set)
    }
}

fn only(character: u32) -> Set {
    Set::of(vec![(character, character)])
}

/// A name without the `^` that turns it around, and whether it has one.
fn unturned(name: &str) -> (&str, bool) {
    match name.strip_prefix('^') {
        Some(name) => (name, true),
        None => (name, false),
    }
}

/// A character of a class.
fn member<'a>(rest: &'a str, class: &'a str) -> Found<'a, u32> {
    match rest.chars().next() {
        None => Err(("missing closing ]", class)),
        Some('\\') => escape(rest),
        Some(other) => Ok((other.into(), &rest[other.len_utf8()..])),
    }
}
