//! Reads a pattern as Go does: what it means, or what Go finds wrong with it.

use std::mem;

use regex_syntax::hir::Look;

use super::cost::Cost;
use super::escape::{BAD_ESCAPE, counted, escape, up_to};
use super::set::Set;
use super::sets::Sets;

/// What is wrong, and the part of the pattern where it is.
pub(super) type Wrong<'a> = (&'static str, &'a str);
type Rest<'a> = Result<&'a str, Wrong<'a>>;

const BAD_COUNT: &str = "invalid repeat count";
const BAD_GROUP: &str = "invalid or unsupported Perl syntax";
const BAD_NAME: &str = "invalid named capture";

/// What a pattern means. Only whether it matches is ever asked, so groups keep nothing and nothing is greedy.
pub(super) enum Node {
    /// A character of a set, which is found by its index.
    Set(usize),
    Look(Look),
    Repeat {
        node: Box<Node>,
        least: u32,
        most: Option<u32>,
    },
    All(Vec<Node>),
    Any(Vec<Node>),
}

impl Node {
    fn into_all(self) -> Result<Vec<Node>, Node> {
        match self {
            Self::All(nodes) => Ok(nodes),
            other => Err(other),
        }
    }

    fn into_any(self) -> Result<Vec<Node>, Node> {
        match self {
            Self::Any(nodes) => Ok(nodes),
            other => Err(other),
        }
    }
}

pub(super) struct Parsed {
    pub(super) root: Node,
    pub(super) sets: Vec<Set>,
    pub(super) cost: Cost,
}

pub(super) fn parse(pattern: &str) -> Result<Parsed, Wrong<'_>> {
    let mut parser = Parser {
        whole: pattern,
        flags: Flags::default(),
        group: Group::default(),
        outer: Vec::new(),
        repeated: None,
        sets: Sets::default(),
    };
    let mut rest = pattern;
    while let Some(next) = rest.chars().next() {
        let before = parser.repeated.take();
        rest = parser.step(next, rest, before)?;
    }
    let (root, cost) = parser.close()?;
    match parser.outer.is_empty() {
        true => Ok(Parsed {
            root,
            sets: parser.sets.all(),
            cost,
        }),
        false => Err(("missing closing )", pattern)),
    }
}

struct Parser<'a> {
    whole: &'a str,
    flags: Flags,
    group: Group,
    /// The groups around that one.
    outer: Vec<Group>,
    /// From the repetition on that came just before.
    repeated: Option<&'a str>,
    sets: Sets<'a>,
}

#[derive(Clone, Copy, Default)]
struct Flags {
    ignore_case: bool,
    of_lines: bool,
    dot_is_all: bool,
}

/// A group that is not closed.
#[derive(Default)]
struct Group {
    /// Those around it.
    flags: Flags,
    captures: bool,
    branches: Vec<Part>,
    parts: Vec<Part>,
}

type Part = (Node, Cost);

impl<'a> Parser<'a> {
    /// Reads what comes next, and says what is left.
    fn step(&mut self, next: char, rest: &'a str, before: Option<&'a str>) -> Rest<'a> {
        let after = &rest[next.len_utf8()..];
        match next {
            '(' if after.starts_with('?') => self.flags(rest),
            '(' => self.open(true, after),
            '|' => {
                self.end_branch()?;
                Ok(after)
            }
            ')' => {
                let (node, cost) = self.close()?;
                let outer = self.outer.pop().ok_or(("unexpected )", self.whole))?;
                let inner = mem::replace(&mut self.group, outer);
                self.flags = inner.flags;
                let cost = match inner.captures {
                    true => cost.captured(),
                    false => cost,
                };
                self.push((node, cost), after)
            }
            '^' if self.flags.of_lines => self.look(Look::StartLF, after),
            '^' => self.look(Look::Start, after),
            '$' if self.flags.of_lines => self.look(Look::EndLF, after),
            '$' => self.look(Look::End, after),
            '.' => {
                let at = self.sets.dot(self.flags.dot_is_all);
                self.push((Node::Set(at), Cost::SINGLE), after)
            }
            '[' => {
                let (at, after) = self.sets.class(rest, self.flags.ignore_case)?;
                self.push((Node::Set(at), Cost::SINGLE), after)
            }
            '*' => self.repeat(rest, after, before, (0, None), |cost| cost.under('*')),
            '+' => self.repeat(rest, after, before, (1, None), |cost| cost.under('+')),
            '?' => self.repeat(rest, after, before, (0, Some(1)), |cost| cost.under('?')),
            '{' => match counted(rest) {
                None => self.literal(next.into(), up_to(rest, after), after),
                Some((least, most, after)) => self.times(rest, after, before, (least, most)),
            },
            '\\' => self.escaped(rest),
            other => self.literal(other.into(), up_to(rest, after), after),
        }
    }

    fn fits(&self, (_, cost): &Part) -> Result<(), Wrong<'a>> {
        cost.check().map_err(|wrong| (wrong, self.whole))
    }

    fn push(&mut self, part: Part, after: &'a str) -> Rest<'a> {
        self.fits(&part)?;
        self.group.parts.push(part);
        Ok(after)
    }

    fn literal(&mut self, literal: u32, written: &'a str, after: &'a str) -> Rest<'a> {
        let at = self.sets.literal(literal, written, self.flags.ignore_case);
        self.push((Node::Set(at), Cost::CHARACTER), after)
    }

    fn look(&mut self, look: Look, after: &'a str) -> Rest<'a> {
        self.sets.look(look);
        self.push((Node::Look(look), Cost::SINGLE), after)
    }

    fn open(&mut self, captures: bool, after: &'a str) -> Rest<'a> {
        let inner = Group {
            flags: self.flags,
            captures,
            ..Group::default()
        };
        self.outer.push(mem::replace(&mut self.group, inner));
        Ok(after)
    }

    fn end_branch(&mut self) -> Result<(), Wrong<'a>> {
        let parts = mem::take(&mut self.group.parts);
        let branch = joined(parts, Cost::all, Node::into_all, Node::All);
        self.fits(&branch)?;
        self.group.branches.push(branch);
        Ok(())
    }

    /// All that is in the group.
    fn close(&mut self) -> Result<Part, Wrong<'a>> {
        self.end_branch()?;
        let branches = mem::take(&mut self.group.branches);
        let part = joined(branches, Cost::any, Node::into_any, Node::Any);
        self.fits(&part)?;
        Ok(part)
    }

    fn times(
        &mut self,
        rest: &'a str,
        after: &'a str,
        before: Option<&'a str>,
        (least, most): (u32, Option<u32>),
    ) -> Rest<'a> {
        if least > 1000 || most.is_some_and(|most| most > 1000 || least > most) {
            return Err((BAD_COUNT, up_to(rest, after)));
        }
        let after = self.repeat(rest, after, before, (least, most), |cost| {
            cost.counted(least, most)
        })?;
        let is_more_than_one = most.unwrap_or(least) > 1;
        let copied = self.group.parts.last();
        match copied.is_some_and(|(_, cost)| cost.has_too_many_copies()) && is_more_than_one {
            true => Err((BAD_COUNT, up_to(rest, after))),
            false => Ok(after),
        }
    }

    fn repeat(
        &mut self,
        rest: &'a str,
        after: &'a str,
        before: Option<&'a str>,
        (least, most): (u32, Option<u32>),
        cost: impl FnOnce(Cost) -> Cost,
    ) -> Rest<'a> {
        let after = after.strip_prefix('?').unwrap_or(after);
        if let Some(before) = before {
            return Err(("invalid nested repetition operator", up_to(before, after)));
        }
        let Some((node, of_one)) = self.group.parts.pop() else {
            let wrong = "missing argument to repetition operator";
            return Err((wrong, up_to(rest, after)));
        };
        self.repeated = Some(rest);
        let node = Node::Repeat {
            node: Box::new(node),
            least,
            most,
        };
        self.push((node, cost(of_one)), after)
    }

    /// A group with a name, or flags, or a group that is not kept.
    fn flags(&mut self, rest: &'a str) -> Rest<'a> {
        let named = ["(?P<", "(?<"]
            .into_iter()
            .find_map(|start| rest.strip_prefix(start))
            .filter(|named| !named.is_empty());
        if let Some(named) = named {
            let (name, after) = named.split_once('>').ok_or((BAD_NAME, rest))?;
            let is_word = |name: char| name == '_' || name.is_ascii_alphanumeric();
            if name.is_empty() || !name.chars().all(is_word) {
                return Err((BAD_NAME, up_to(rest, after)));
            }
            return self.open(true, after);
        }
        let mut flags = self.flags;
        let (mut negated, mut saw_flag) = (false, false);
        for (at, flag) in rest.char_indices().skip(2) {
            let after = &rest[at + flag.len_utf8()..];
            match flag {
                'i' => flags.ignore_case = !negated,
                'm' => flags.of_lines = !negated,
                's' => flags.dot_is_all = !negated,
                'U' => {}
                '-' if !negated => {
                    (negated, saw_flag) = (true, false);
                    continue;
                }
                ':' | ')' if !negated || saw_flag => {
                    if flag == ':' {
                        self.open(false, after)?;
                    }
                    self.flags = flags;
                    return Ok(after);
                }
                _ => return Err((BAD_GROUP, up_to(rest, after))),
            }
            saw_flag = true;
        }
        Err((BAD_GROUP, rest))
    }

    fn escaped(&mut self, rest: &'a str) -> Rest<'a> {
        let after = rest.get(2..).unwrap_or_default();
        match rest.as_bytes().get(1) {
            Some(b'A') => return self.look(Look::Start, after),
            Some(b'z') => return self.look(Look::End, after),
            Some(b'b') => return self.look(Look::WordAscii, after),
            Some(b'B') => return self.look(Look::WordAsciiNegate, after),
            Some(b'C') => return Err((BAD_ESCAPE, up_to(rest, after))),
            Some(b'Q') => {
                let (mut quoted, after) = after.split_once("\\E").unwrap_or((after, ""));
                while let Some(literal) = quoted.chars().next() {
                    let (written, left) = quoted.split_at(literal.len_utf8());
                    quoted = self.literal(literal.into(), written, left)?;
                }
                return Ok(after);
            }
            _ => {}
        }
        if let Some((at, after)) = self.sets.escaped(rest, self.flags.ignore_case)? {
            return self.push((Node::Set(at), Cost::SINGLE), after);
        }
        let (literal, after) = escape(rest)?;
        self.literal(literal, up_to(rest, after), after)
    }
}

/// Makes one part of several, into which those go that are of its kind themselves.
fn joined(
    mut parts: Vec<Part>,
    cost: impl FnOnce(&[Cost]) -> Cost,
    inside: impl Fn(Node) -> Result<Vec<Node>, Node>,
    join: impl FnOnce(Vec<Node>) -> Node,
) -> Part {
    if parts.len() == 1
        && let Some(part) = parts.pop()
    {
        return part;
    }
    let (nodes, costs): (Vec<Node>, Vec<Cost>) = parts.into_iter().unzip();
    let mut all = Vec::with_capacity(nodes.len());
    for node in nodes {
        match inside(node) {
            Ok(nodes) => all.extend(nodes),
            Err(other) => all.push(other),
        }
    }
    (join(all), cost(&costs))
}
