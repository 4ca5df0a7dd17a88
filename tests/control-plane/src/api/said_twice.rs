//! Keys that a text of YAML says more than once, as Go's decoder tells them.

use std::collections::BTreeSet;

use granit_parser::{Event, Parser, ScalarStyle};

/// Every value that is under a key that has one already: after what is told of its inside, and with the line on which it
/// begins. Of the first document, which is the one that is read.
pub(super) fn in_yaml(text: &str) -> Vec<String> {
    let (mut told, mut open) = (Vec::new(), Vec::<Open>::new());
    for event in Parser::new_from_str(text) {
        let Ok((event, span)) = event else {
            break;
        };
        let line = span.start.line();
        let key = match event {
            Event::MappingStart(..) => {
                open.push(Open::mapping(line));
                continue;
            }
            Event::SequenceStart(..) => {
                open.push(Open {
                    is_mapping: false,
                    ..Open::mapping(line)
                });
                continue;
            }
            Event::MappingEnd | Event::SequenceEnd => {
                let begun = open.pop().map_or(line, |ended| ended.line);
                (String::new(), begun)
            }
            Event::Scalar(text, style, ..) => {
                let is_block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
                // A block of text begins with its sign, behind its key.
                let before = open.last().filter(|_| is_block).and_then(Open::line_of_key);
                (as_go(&text, style), before.unwrap_or(line))
            }
            Event::Alias(_) => (String::new(), line),
            Event::DocumentEnd => break,
            _ => continue,
        };
        if let Some(around) = open.last_mut() {
            told.extend(around.node(key.0, key.1));
        }
    }
    told
}

/// A mapping or a sequence that has not ended.
struct Open {
    is_mapping: bool,
    /// Where it began.
    line: usize,
    keys: BTreeSet<String>,
    /// The key whose value comes next, with its line.
    key: Option<(String, usize)>,
}

impl Open {
    fn mapping(line: usize) -> Self {
        Self {
            is_mapping: true,
            line,
            keys: BTreeSet::new(),
            key: None,
        }
    }

    fn line_of_key(&self) -> Option<usize> {
        self.key.as_ref().map(|(_, line)| *line)
    }

    /// Takes the next node in it, which is a key or a value.
    fn node(&mut self, text: String, line: usize) -> Option<String> {
        if !self.is_mapping {
            return None;
        }
        let Some((key, _)) = self.key.take() else {
            self.key = Some((text, line));
            return None;
        };
        // What is no scalar is refused as a key elsewhere, and another mapping may be merged in more than once.
        let is_again = !key.is_empty() && key != "\"<<\"" && !self.keys.insert(key.clone());
        is_again.then(|| format!("line {line}: key {key} already set in map"))
    }
}

/// A key as Go shows it: only a string has quotes.
fn as_go(text: &str, style: ScalarStyle) -> String {
    let is_plain = matches!(style, ScalarStyle::Plain);
    let is_number = text.parse::<i64>().is_ok() || text.parse::<f64>().is_ok_and(f64::is_finite);
    match text {
        _ if is_plain && is_number => text.to_owned(),
        "true" | "false" if is_plain => text.to_owned(),
        "" | "~" | "null" if is_plain => "interface {}(nil)".to_owned(),
        text => crate::patch::go::quoted(text),
    }
}
