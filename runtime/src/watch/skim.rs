//! Finds parts of JSON without reading the rest: most of what a watch brings is read by nobody, and stepping over it is
//! much cheaper than reading it.

use std::ops::Range;

/// A place in a text that should be JSON. A step is `None` where it is something else, where a name or a string is
/// written with escapes, and where a name is empty: then the text has to be read.
pub(super) struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// Into an object.
    pub(super) fn enter_object(&mut self) -> Option<()> {
        self.step(b'{')
    }

    /// The name of the next field, whose value is what comes; an empty one at the end of the object.
    pub(super) fn name(&mut self) -> Option<&'a str> {
        if !self.has_more(b'}')? {
            return Some("");
        }
        let name = self.string()?;
        self.step(b':')?;
        (!name.is_empty()).then_some(name)
    }

    /// Steps over a string, and says what it is.
    pub(super) fn string(&mut self) -> Option<&'a str> {
        self.step(b'"')?;
        let start = self.at;
        loop {
            match self.byte()? {
                b'"' => break,
                b'\\' => return None,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        self.text.get(start..self.at - 1)
    }

    /// Steps over a value, and says where it is.
    pub(super) fn value(&mut self) -> Option<Range<usize>> {
        let first = self.next()?;
        let start = self.at;
        match first {
            b'"' => self.pass_string()?,
            b'{' | b'[' => self.pass_brackets()?,
            _ => {
                let ends = |byte: u8| b",]} \n\r\t".contains(&byte);
                while self.byte().is_some_and(|byte| !ends(byte)) {
                    self.at += 1;
                }
            }
        }
        (self.at > start).then_some(start..self.at)
    }

    /// Whether there is more before the end of an object or a list.
    fn has_more(&mut self, end: u8) -> Option<bool> {
        if self.next()? == b',' {
            self.at += 1;
        }
        let is_end = self.next()? == end;
        self.at += usize::from(is_end);
        Some(!is_end)
    }

    fn step(&mut self, over: u8) -> Option<()> {
        let is_next = self.next()? == over;
        self.at += usize::from(is_next);
        is_next.then_some(())
    }

    /// To the end of a string that begins here.
    fn pass_string(&mut self) -> Option<()> {
        self.at = end_of_string(self.text.as_bytes(), self.at + 1)?;
        Some(())
    }

    /// To the end of an object or a list that begins here.
    fn pass_brackets(&mut self) -> Option<()> {
        let bytes = self.text.as_bytes();
        let (mut at, mut depth) = (self.at, 0_usize);
        loop {
            let byte = bytes.get(at)?;
            at += 1;
            match byte {
                b'"' => at = end_of_string(bytes, at)?,
                b'{' | b'[' => depth += 1,
                b'}' | b']' if depth == 1 => break,
                b'}' | b']' => depth -= 1,
                _ => {}
            }
        }
        self.at = at;
        Some(())
    }

    /// What is next, behind the white space.
    fn next(&mut self) -> Option<u8> {
        while matches!(self.byte()?, b' ' | b'\n' | b'\r' | b'\t') {
            self.at += 1;
        }
        self.byte()
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }
}

/// The place behind a string whose inside begins at `at`.
fn end_of_string(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let byte = bytes.get(at)?;
        at += 1;
        match byte {
            b'"' => return Some(at),
            b'\\' => at += 1,
            _ => {}
        }
    }
}

/// Where the values at a path are. An empty name is each element of a list.
pub(super) fn find(text: &str, path: &[&str]) -> Option<Vec<Range<usize>>> {
    let mut found = Vec::new();
    find_in(&mut Cursor::new(text), path, false, &mut found)?;
    Some(found)
}

/// `to_end` is for who has to go on behind the value.
fn find_in(
    cursor: &mut Cursor<'_>,
    path: &[&str],
    to_end: bool,
    found: &mut Vec<Range<usize>>,
) -> Option<()> {
    let Some((first, rest)) = path.split_first() else {
        found.push(cursor.value()?);
        return Some(());
    };
    if first.is_empty() {
        cursor.step(b'[')?;
        while cursor.has_more(b']')? {
            find_in(cursor, rest, true, found)?;
        }
        return Some(());
    }
    cursor.enter_object()?;
    loop {
        match cursor.name()? {
            "" => return Some(()),
            name if name == *first => {
                find_in(cursor, rest, to_end, found)?;
                if !to_end {
                    return Some(());
                }
            }
            _ => {
                cursor.value()?;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_by_their_path_alone() {
        let text = r#" {"a": [ {"b": "x]}\"", "c":1} ,{"c" :{"b":[2]},"b": [ 3, {}]}, {}], "b":0,"d":"\\"}"#;
        let found = |path: &[&str]| -> Option<Vec<&str>> {
            let found = find(text, path)?;
            Some(found.into_iter().map(|range| &text[range]).collect())
        };
        assert_eq!(found(&["a", "", "b"]), Some(vec![r#""x]}\"""#, "[ 3, {}]"]));
        assert_eq!(found(&["b"]), Some(vec!["0"]));
        assert_eq!(found(&["d"]), Some(vec![r#""\\""#]));
        assert_eq!(found(&["e"]), Some(vec![]));
        assert_eq!(found(&["b", "e"]), None, "what is no object has no fields");
    }

    #[test]
    fn what_is_no_json_or_has_names_with_escapes_is_not_skimmed_and_harms_nobody() {
        let good = r#"{"a":[{"b":"x\"y"},{"b":null}],"c":{"d":"é"}}"#;
        let enough = good.find(r#"],"c"#).unwrap() + 1;
        for end in 0..enough {
            let Some(part) = good.get(..end) else {
                continue;
            };
            assert_eq!(find(part, &["a", "", "b"]), None, "{part}");
        }
        for odd in [
            "",
            "[]",
            "7",
            "{]}",
            r#"{"a""#,
            r#"{"\u0061":1}"#,
            "{a:1}",
            r#"{"a":}"#,
        ] {
            assert_eq!(find(odd, &["a"]), None, "{odd}");
        }
    }
}
