//! The patterns of schemas, which are regular expressions as Go has them.

mod alphabet;
mod cost;
mod escape;
mod named;
mod parse;
mod set;
mod sets;
#[cfg(test)]
mod tests;

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use regex_automata::{Input, meta};
use regex_syntax::hir::{Hir, Repetition};

use self::alphabet::Alphabet;
use self::parse::{Node, Parsed};

/// How deep a pattern may nest that is compiled on any stack.
const SHALLOW: u32 = 50;

/// What Go finds wrong with a pattern.
pub(crate) fn check(pattern: &str) -> Result<(), String> {
    match parse::parse(pattern) {
        Ok(_) => Ok(()),
        Err((what, part)) => Err(format!("error parsing regexp: {what}: `{part}`")),
    }
}

/// A pattern, compiled when the first text is held against it: a definition is read more often than it is used.
#[derive(Debug)]
pub(crate) struct Pattern {
    text: String,
    engine: OnceLock<Option<Engine>>,
}

impl Pattern {
    pub(crate) fn new(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            engine: OnceLock::new(),
        }
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Whether it is anywhere in the text. A pattern that is wrong demands nothing.
    pub(crate) fn is_match(&self, text: &str) -> bool {
        let fits = |engine: &Option<Engine>| engine.as_ref().is_none_or(|one| one.is_match(text));
        if let Some(engine) = self.engine.get() {
            return fits(engine);
        }
        let engine = Engine::of(&self.text);
        let matches = fits(&engine);
        if KEPT.load(Ordering::Relaxed) < MOST_KEPT {
            let size = engine.as_ref().map_or(0, |engine| engine.size);
            if self.engine.set(engine).is_ok() {
                KEPT.fetch_add(size, Ordering::Relaxed);
            }
        }
        matches
    }
}

impl Drop for Pattern {
    fn drop(&mut self) {
        if let Some(Some(engine)) = self.engine.get() {
            KEPT.fetch_sub(engine.size, Ordering::Relaxed);
        }
    }
}

/// What all compiled patterns that are kept take, in bytes. A few characters may make a program of a megabyte.
static KEPT: AtomicUsize = AtomicUsize::new(0);
const MOST_KEPT: usize = 256 << 20;

/// An engine that reads texts in an alphabet of the pattern's own.
#[derive(Debug)]
struct Engine {
    alphabet: Alphabet,
    regex: meta::Regex,
    /// In bytes, with what a search needs besides.
    size: usize,
}

impl Engine {
    fn of(pattern: &str) -> Option<Self> {
        let parsed = parse::parse(pattern).ok()?;
        if parsed.cost.height() <= SHALLOW {
            return Self::build(&parsed);
        }
        // Who compiles goes down as deep as the pattern nests, and the stack may be almost used up here.
        thread::scope(|scope| {
            let roomy = thread::Builder::new().stack_size(16 << 20);
            let builder = roomy.spawn_scoped(scope, || Self::build(&parsed));
            builder.ok()?.join().ok().flatten()
        })
    }

    fn build(Parsed { root, sets, .. }: &Parsed) -> Option<Self> {
        let (alphabet, letters) = Alphabet::of(sets);
        let classes: Vec<Hir> = letters.into_iter().map(Hir::class).collect();
        // How big it may get was seen to while it was parsed.
        let config = meta::Config::new().nfa_size_limit(None);
        let regex = meta::Builder::new()
            .configure(config)
            .build_from_hir(&hir(root, &classes));
        let regex = regex.ok()?;
        Some(Self {
            alphabet,
            size: 2 * regex.memory_usage() + 4096,
            regex,
        })
    }

    fn is_match(&self, text: &str) -> bool {
        let spelled = self.alphabet.spell(text);
        // The search for any match at all, which `is_match` is, would lose one over `\B` within a letter of two bytes.
        self.regex.search_half(&Input::new(&spelled)).is_some()
    }
}

fn hir(node: &Node, classes: &[Hir]) -> Hir {
    let each = |nodes: &[Node]| nodes.iter().map(|node| hir(node, classes)).collect();
    match node {
        Node::Set(at) => classes.get(*at).cloned().unwrap_or_else(Hir::fail),
        Node::Look(look) => Hir::look(*look),
        Node::Repeat { node, least, most } => Hir::repetition(Repetition {
            min: *least,
            max: *most,
            greedy: true,
            sub: Box::new(hir(node, classes)),
        }),
        Node::All(nodes) => Hir::concat(each(nodes)),
        Node::Any(nodes) => Hir::alternation(each(nodes)),
    }
}
