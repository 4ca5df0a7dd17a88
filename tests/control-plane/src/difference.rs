//! How two texts differ, line by line, as messages show it: a unified diff without a head, found in the way of Ratcliff
//! and Obershelp, the longest piece that both have first.

use std::collections::HashMap;
use std::ops::Range;

/// How many lines that are in both are shown around those that are not.
const AROUND: usize = 3;
/// In a text as long as this, lines that are there very often lead nowhere.
const LONG: usize = 200;

/// Longer texts are compared from both ends alone, or one request could keep a thread for minutes.
const LONGEST: usize = 5_000;

/// What is shown of two texts that differ; nothing if they do not.
pub(crate) fn unified(old: &str, new: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let changes = changes(&old, &new);
    let hunks = changes.chunk_by(|one, next| next.old.start - one.old.end <= 2 * AROUND);
    hunks.map(|hunk| shown(hunk, &old, &new)).collect()
}

/// Lines of the old text, and those of the new one that are there instead.
#[derive(Clone)]
struct Change {
    old: Range<usize>,
    new: Range<usize>,
}

/// A piece that both texts have.
#[derive(Clone, Copy)]
struct Piece {
    old: usize,
    new: usize,
    size: usize,
}

fn changes(old: &[&str], new: &[&str]) -> Vec<Change> {
    let end = Piece {
        old: old.len(),
        new: new.len(),
        size: 0,
    };
    let (mut from_old, mut from_new) = (0, 0);
    let mut changes = Vec::new();
    for piece in pieces(old, new).into_iter().chain([end]) {
        if from_old < piece.old || from_new < piece.new {
            changes.push(Change {
                old: from_old..piece.old,
                new: from_new..piece.new,
            });
        }
        (from_old, from_new) = (piece.old + piece.size, piece.new + piece.size);
    }
    changes
}

/// The pieces that both have, from first to last.
fn pieces(old: &[&str], new: &[&str]) -> Vec<Piece> {
    if old.len().max(new.len()) > LONGEST {
        return ends(old, new);
    }
    let places = places(new);
    let mut found = Vec::new();
    let mut waiting = vec![(0..old.len(), 0..new.len())];
    while let Some((within_old, within_new)) = waiting.pop() {
        let piece = longest(old, new, &places, &within_old, &within_new);
        if piece.size == 0 {
            continue;
        }
        let before = (within_old.start..piece.old, within_new.start..piece.new);
        let after = (
            piece.old + piece.size..within_old.end,
            piece.new + piece.size..within_new.end,
        );
        let both = [before, after].into_iter();
        waiting.extend(both.filter(|(old, new)| !old.is_empty() && !new.is_empty()));
        found.push(piece);
    }
    found.sort_by_key(|piece| piece.old);
    found
}

/// What both begin and end with.
fn ends(old: &[&str], new: &[&str]) -> Vec<Piece> {
    let alike = |pairs: &mut dyn Iterator<Item = (&&str, &&str)>| {
        pairs.take_while(|(one, other)| one == other).count()
    };
    let first = alike(&mut old.iter().zip(new));
    let last = alike(&mut old[first..].iter().rev().zip(new[first..].iter().rev()));
    let begin = Piece {
        old: 0,
        new: 0,
        size: first,
    };
    let end = Piece {
        old: old.len() - last,
        new: new.len() - last,
        size: last,
    };
    vec![begin, end]
}

/// Where each line of a text is.
fn places<'t>(text: &[&'t str]) -> HashMap<&'t str, Vec<usize>> {
    let mut places: HashMap<&str, Vec<usize>> = HashMap::new();
    for (at, line) in text.iter().enumerate() {
        places.entry(line).or_default().push(at);
    }
    if text.len() >= LONG {
        places.retain(|_, at| at.len() <= text.len() / 100 + 1);
    }
    places
}

/// The longest piece that both have here, and the first of those that are as long.
fn longest(
    old: &[&str],
    new: &[&str],
    places: &HashMap<&str, Vec<usize>>,
    within_old: &Range<usize>,
    within_new: &Range<usize>,
) -> Piece {
    let mut best = Piece {
        old: within_old.start,
        new: within_new.start,
        size: 0,
    };
    // How long the piece is that ends at a line of the new text, and at the one before this of the old.
    let mut lengths: HashMap<usize, usize> = HashMap::new();
    for at in within_old.clone() {
        let mut longer = HashMap::new();
        let same = places.get(old[at]).into_iter().flatten();
        for place in same.copied().filter(|place| within_new.contains(place)) {
            let before = place.checked_sub(1).and_then(|before| lengths.get(&before));
            let size = before.unwrap_or(&0) + 1;
            longer.insert(place, size);
            if size > best.size {
                best = Piece {
                    old: at + 1 - size,
                    new: place + 1 - size,
                    size,
                };
            }
        }
        lengths = longer;
    }
    // Lines that lead nowhere may still be part of it.
    while best.old > within_old.start
        && best.new > within_new.start
        && old[best.old - 1] == new[best.new - 1]
    {
        best.old -= 1;
        best.new -= 1;
        best.size += 1;
    }
    while best.old + best.size < within_old.end
        && best.new + best.size < within_new.end
        && old[best.old + best.size] == new[best.new + best.size]
    {
        best.size += 1;
    }
    best
}

/// Changes that are near each other, with what is around them.
fn shown(hunk: &[Change], old: &[&str], new: &[&str]) -> String {
    let (Some(first), Some(last)) = (hunk.first(), hunk.last()) else {
        return String::new();
    };
    let around = |changed: Range<usize>, length: usize| {
        changed.start.saturating_sub(AROUND)..(changed.end + AROUND).min(length)
    };
    let of_old = around(first.old.start..last.old.end, old.len());
    let of_new = around(first.new.start..last.new.end, new.len());
    let mut text = format!("@@ -{} +{} @@\n", range(&of_old), range(&of_new));
    let mut add = |mark: char, lines: &[&str]| {
        for line in lines {
            text.extend([mark]);
            text.push_str(line);
            text.push('\n');
        }
    };
    let mut at = of_old.start;
    for change in hunk {
        add(' ', &old[at..change.old.start]);
        add('-', &old[change.old.clone()]);
        add('+', &new[change.new.clone()]);
        at = change.old.end;
    }
    add(' ', &old[at..of_old.end]);
    text
}

/// Lines are counted from one; no lines are after the one before them.
fn range(lines: &Range<usize>) -> String {
    match lines.len() {
        1 => (lines.start + 1).to_string(),
        0 => format!("{},0", lines.start),
        length => format!("{},{length}", lines.start + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_the_same_is_shown_only_around_what_is_not() {
        let old: Vec<String> = (0..20).map(|at| at.to_string()).collect();
        let mut new = old.clone();
        new[2] = "two".to_owned();
        new.remove(10);
        new.insert(16, "more".to_owned());
        assert_eq!(
            unified(&old.join("\n"), &new.join("\n")),
            "@@ -1,6 +1,6 @@\n 0\n 1\n-2\n+two\n 3\n 4\n 5\n@@ -8,13 +8,13 @@\n 7\n 8\n 9\n-10\n 11\n 12\n 13\n 14\n 15\n 16\n\
             +more\n 17\n 18\n 19\n"
        );
        assert_eq!(unified("a\nb", "a\nb"), "");
        let long = "a\n".repeat(LONGEST);
        assert_eq!(
            unified(&format!("{long}b\nc\nd"), &format!("{long}x\nc\ny\nd")),
            "@@ -4998,6 +4998,7 @@\n a\n a\n a\n-b\n-c\n+x\n+c\n+y\n d\n"
        );
        assert_eq!(unified("a", "b"), "@@ -1 +1 @@\n-a\n+b\n");
    }
}
