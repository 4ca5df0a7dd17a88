//! A document as its nodes, before anything is followed or decoded.

use std::borrow::Cow;
use std::collections::HashMap;

use granit_parser::{Event, Parser, ScalarStyle, Span, StrInput, Tag, YamlVersion};

use super::mistake::{self, Mistake};

/// Where a node is in its document.
pub(super) type At = usize;

/// All nodes of one document, of which the first is the whole.
pub(super) struct Document<'text> {
    nodes: Vec<Node<'text>>,
}

pub(super) struct Node<'text> {
    /// Where it begins.
    pub(super) line: usize,
    pub(super) content: Content<'text>,
}

pub(super) enum Content<'text> {
    Scalar {
        text: Cow<'text, str>,
        /// What it says that it is, in short: `!!int`.
        tag: Option<String>,
        /// Whether its text alone says what it is.
        is_plain: bool,
    },
    Alias {
        name: &'text str,
        of: At,
    },
    Sequence(Vec<At>),
    /// Keys and values in turn.
    Mapping(Vec<At>),
}

impl<'text> Document<'text> {
    pub(super) fn node(&self, at: At) -> Option<&Node<'text>> {
        self.nodes.get(at)
    }
}

/// The documents of a text, one after the other.
pub(super) struct Documents<'text> {
    text: &'text str,
    parser: Parser<'text, StrInput<'text>>,
}

impl<'text> Documents<'text> {
    pub(super) fn of(text: &'text str) -> Self {
        // As libyaml reads.
        let options = granit_parser::options! {
            bom_inside_document_as_content: true,
            block_scalar_eof_without_line_feed: true,
            emit_unresolved_aliases: true,
        };
        let parser = Parser::new_from_str_with_options(text, options);
        Self { text, parser }
    }

    fn read(&mut self) -> Result<Option<Document<'text>>, Mistake> {
        let mut reading = Reading::default();
        while let Some(event) = self.parser.next_event() {
            let (event, span) = event.map_err(|error| Mistake::of(&error, self.text))?;
            if matches!(event, Event::DocumentEnd) {
                let nodes = reading.nodes;
                return Ok(Some(Document { nodes }));
            }
            let taken = reading.take(event, &span, self.text);
            taken.map_err(Mistake::told)?;
        }
        Ok(None)
    }
}

impl<'text> Iterator for Documents<'text> {
    type Item = Result<Document<'text>, Mistake>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read().transpose()
    }
}

/// A document of which a part has been read.
#[derive(Default)]
struct Reading<'text> {
    nodes: Vec<Node<'text>>,
    /// What has not ended.
    open: Vec<At>,
    anchors: HashMap<usize, At>,
}

impl<'text> Reading<'text> {
    fn take(&mut self, event: Event<'text>, span: &Span, text: &'text str) -> Result<(), String> {
        let line = span.start.line();
        match event {
            Event::DocumentStart(_, Some(version)) if version != YamlVersion::new(1, 1) => {
                return Err("found incompatible YAML document".to_owned());
            }
            Event::Scalar(read, style, anchor, tag) => {
                let is_escaped = style == ScalarStyle::DoubleQuoted;
                let quoted = span.slice(text).filter(|_| is_escaped);
                if let Some((below, problem)) = quoted.and_then(mistake::escape) {
                    return Err(mistake::on_line(line + below, problem));
                }
                let is_block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
                // A block of text begins with its sign, behind its key.
                let before = is_block.then(|| self.line_of_key()).flatten();
                let tag = tag.as_deref().map(in_short);
                let content = Content::Scalar {
                    text: read,
                    is_plain: tag.is_none() && style == ScalarStyle::Plain,
                    tag,
                };
                self.add(before.unwrap_or(line), anchor, content);
            }
            Event::Alias(anchor) => {
                let name = span.slice(text).unwrap_or_default();
                let name = name.trim_start_matches('*');
                let of = self.anchors.get(&anchor).copied();
                let of = of.ok_or_else(|| unknown(name))?;
                self.add(line, NONE, Content::Alias { name, of });
            }
            Event::UnresolvedAlias(name) => return Err(unknown(&name)),
            Event::SequenceStart(_, anchor, _) => {
                let at = self.add(line, anchor, Content::Sequence(Vec::new()));
                self.open.push(at);
            }
            Event::MappingStart(_, anchor, _) => {
                let at = self.add(line, anchor, Content::Mapping(Vec::new()));
                self.open.push(at);
            }
            Event::SequenceEnd | Event::MappingEnd => {
                self.open.pop();
            }
            _ => {}
        }
        Ok(())
    }

    fn add(&mut self, line: usize, anchor: usize, content: Content<'text>) -> At {
        let at = self.nodes.len();
        if let Some(Content::Sequence(nodes) | Content::Mapping(nodes)) = self.around() {
            nodes.push(at);
        }
        if anchor != NONE {
            self.anchors.insert(anchor, at);
        }
        self.nodes.push(Node { line, content });
        at
    }

    fn around(&mut self) -> Option<&mut Content<'text>> {
        let node = self.nodes.get_mut(*self.open.last()?)?;
        Some(&mut node.content)
    }

    /// Of the key whose value comes next.
    fn line_of_key(&mut self) -> Option<usize> {
        let Content::Mapping(nodes) = self.around()? else {
            return None;
        };
        let key = *nodes.last()?;
        Some(self.nodes.get(key)?.line)
    }
}

/// How the parser numbers the anchor of what has none.
const NONE: usize = 0;

fn unknown(name: &str) -> String {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let name = name.split(|c| !is_part(c)).next().unwrap_or_default();
    format!("unknown anchor '{name}' referenced")
}

/// `!!int` and not `tag:yaml.org,2002:int`.
fn in_short(tag: &Tag) -> String {
    let whole = format!("{}{}", tag.handle(), tag.suffix());
    match whole.strip_prefix("tag:yaml.org,2002:") {
        Some(name) => format!("!!{name}"),
        None => whole,
    }
}
