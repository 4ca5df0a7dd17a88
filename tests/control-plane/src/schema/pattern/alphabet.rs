//! An alphabet for a pattern: characters that it never tells apart are one letter.
//!
//! The engine makes an automaton of UTF-8 of every class, and of every copy of it where it is repeated. That of `\pL` has
//! hundreds of states. In an alphabet of its own a pattern has few letters, and a class of them is little more than a
//! class of ASCII.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::ops::Range;

use regex_syntax::hir::Class;

use super::set::Set;

/// The letter of every character.
#[derive(Debug)]
pub(super) struct Alphabet {
    ascii: [char; 128],
    /// Where another letter begins.
    others: Vec<(u32, char)>,
}

impl Alphabet {
    /// An alphabet that tells apart what one of the sets does, and the sets written in it.
    pub(super) fn of(sets: &[Set]) -> (Self, Vec<Class>) {
        let parts = Parts::of(sets);
        let mut this = Self {
            ascii: ['\0'; 128],
            others: Vec::new(),
        };
        for (start, letter) in parts.starts.iter().zip(&parts.letters) {
            if this.others.last().is_none_or(|(_, last)| last != letter) {
                this.others.push((*start, *letter));
            }
        }
        for (character, letter) in ('\0'..).zip(&mut this.ascii) {
            *letter = find(&this.others, character);
        }
        let written = sets
            .iter()
            .map(|set| Class::Unicode(parts.write(set).class()));
        (this, written.collect())
    }

    pub(super) fn spell(&self, text: &str) -> String {
        let letters = text.chars().map(|character| {
            let ascii = self.ascii.get(character as usize).copied();
            ascii.unwrap_or_else(|| find(&self.others, character))
        });
        letters.collect()
    }
}

fn find(letters: &[(u32, char)], character: char) -> char {
    let at = letters.partition_point(|(start, _)| *start <= u32::from(character));
    letters
        .get(at.wrapping_sub(1))
        .map_or(character, |(_, letter)| *letter)
}

/// All characters, cut wherever a set begins or ends.
struct Parts {
    starts: Vec<u32>,
    /// The letter of each part, which is the same for parts that are in the same sets.
    letters: Vec<char>,
    /// Where the letters that come one after the other from a part on have their end.
    ends: Vec<usize>,
}

impl Parts {
    fn of(sets: &[Set]) -> Self {
        let ranges = sets.iter().flat_map(Set::ranges);
        let mut starts: Vec<u32> = ranges.flat_map(|(low, high)| [*low, high + 1]).collect();
        starts.push(0);
        starts.sort_unstable();
        starts.dedup();
        let mut this = Self {
            letters: Vec::new(),
            ends: Vec::new(),
            starts,
        };
        this.letters = letters(&this.starts, &this.marks(sets));
        this.ends = (1..=this.letters.len()).collect();
        for at in (1..this.letters.len()).rev() {
            if u32::from(this.letters[at]) == u32::from(this.letters[at - 1]) + 1 {
                this.ends[at - 1] = this.ends[at];
            }
        }
        this
    }

    /// What marks each part: the marks of all sets that it is in, one on top of the other. Every set has one by
    /// chance, so that only the same sets come to the same.
    fn marks(&self, sets: &[Set]) -> Vec<u128> {
        let chance = RandomState::new();
        let half = |seed: (usize, bool)| u128::from(chance.hash_one(seed));
        let mut marks = vec![0; self.starts.len()];
        for (at, set) in sets.iter().enumerate() {
            let mark = half((at, false)) << 64 | half((at, true));
            for range in set.ranges() {
                let within = self.within(*range);
                for bound in [within.start, within.end] {
                    if let Some(change) = marks.get_mut(bound) {
                        *change ^= mark;
                    }
                }
            }
        }
        let mut current = 0;
        for mark in &mut marks {
            current ^= *mark;
            *mark = current;
        }
        marks
    }

    /// The parts of a range of one of the sets.
    fn within(&self, (low, high): (u32, u32)) -> Range<usize> {
        let before = |bound| self.starts.partition_point(|start| *start < bound);
        before(low)..before(high + 1)
    }

    /// The letters of a set.
    fn write(&self, set: &Set) -> Set {
        let mut letters = Vec::new();
        for range in set.ranges() {
            let Range { mut start, end } = self.within(*range);
            while start < end {
                let next = self.ends[start].min(end);
                letters.push((self.letters[start].into(), self.letters[next - 1].into()));
                start = next;
            }
        }
        Set::of(letters)
    }
}

/// What is marked alike has one letter. With ASCII among them it is the first of ASCII, otherwise it is not of ASCII.
/// So what stands for a character of a word is one itself, and what stands for another is none.
fn letters(starts: &[u32], marks: &[u128]) -> Vec<char> {
    let mut known = HashMap::new();
    let mut others = '\u{80}'..=char::MAX;
    let each = starts.iter().zip(marks).map(|(start, mark)| {
        *known.entry(*mark).or_insert_with(|| {
            let ascii = char::from_u32(*start).filter(char::is_ascii);
            ascii.or_else(|| others.next()).unwrap_or_default()
        })
    });
    each.collect()
}
