//! Small changes to what somebody wrote.

use proc_macro2::{Delimiter, Group, Ident, Punct, Spacing, TokenStream, TokenTree};

use super::random::Random;
use super::seeds::Seeds;
use super::tokens;

/// How deep one mutation nests at most. What people write stays far below.
const DEPTH: usize = 24;

/// Past this a mutation only takes away.
const LENGTH: usize = 2_000;

/// A few changes, one after the other.
pub(super) fn some(random: &mut Random, seeds: &Seeds, tokens: TokenStream) -> TokenStream {
    let mut tokens = tokens;
    for _ in 0..=random.below(4) {
        tokens = one(random, seeds, tokens);
    }
    tokens
}

/// One change, at the top or somewhere inside.
fn one(random: &mut Random, seeds: &Seeds, tokens: TokenStream) -> TokenStream {
    let mut tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let groups: Vec<usize> = (0..tokens.len())
        .filter(|&i| matches!(tokens[i], TokenTree::Group(_)))
        .collect();
    if !groups.is_empty() && random.one_in(2) {
        let at = random.pick(&groups);
        if let TokenTree::Group(group) = &tokens[at] {
            let inside = one(random, seeds, group.stream());
            tokens[at] = Group::new(group.delimiter(), inside).into();
        }
    } else {
        here(random, seeds, &mut tokens);
    }
    tokens.into_iter().collect()
}

/// One change that does not descend.
fn here(random: &mut Random, seeds: &Seeds, tokens: &mut Vec<TokenTree>) {
    let end = tokens.len();
    let (from, to) = {
        let (one, other) = (random.below(end + 1), random.below(end + 1));
        (one.min(other), one.max(other).min(one.min(other) + 6))
    };
    let change = match random.below(14) {
        8.. if end > LENGTH => 0,
        change => change,
    };
    match change {
        0 => drop(tokens.drain(from..to)),
        1 | 2 if end > 0 => drop(tokens.remove(random.below(end))),
        3 if end > 0 => tokens.swap(random.below(end), random.below(end)),
        4 if end > 0 => {
            let at = random.below(end);
            tokens.splice(at..=at, tokens::some(random, 2));
        }
        5 if end > 0 => {
            let at = random.below(end);
            inside_out(random, tokens, at);
        }
        6 => tokens.truncate(from),
        7 | 8 => {
            // The place of one run becomes that of another, from somewhere else.
            let run = run(random, seeds);
            let to = if random.one_in(2) { from } else { to };
            tokens.splice(from..to, run);
        }
        9 => {
            let twice = tokens[from..to].to_vec();
            tokens.splice(to..to, twice);
        }
        10 => {
            let inside = tokens.drain(from..to).collect();
            tokens.insert(from, Group::new(tokens::delimiter(random), inside).into());
        }
        11 => {
            let inside: TokenStream = tokens.drain(from..to).collect();
            tokens.splice(from..from, nested(random, inside));
        }
        _ => drop(tokens.splice(from..from, tokens::some(random, 3))),
    }
}

/// Another token of the same sort.
fn inside_out(random: &mut Random, tokens: &mut Vec<TokenTree>, at: usize) {
    let new = match &tokens[at] {
        TokenTree::Group(group) => match random.below(3) {
            0 => Group::new(group.delimiter(), TokenStream::new()).into(),
            1 => Group::new(tokens::delimiter(random), group.stream()).into(),
            _ => {
                let inside = group.stream();
                tokens.splice(at..=at, inside);
                return;
            }
        },
        TokenTree::Ident(ident) => match random.below(3) {
            0 => Ident::new(&format!("{ident}s").replace("r#", ""), ident.span()).into(),
            _ => tokens::word(random).into(),
        },
        TokenTree::Punct(punct) => {
            let spacing = match punct.spacing() {
                Spacing::Alone => Spacing::Joint,
                Spacing::Joint => Spacing::Alone,
            };
            Punct::new(punct.as_char(), spacing).into()
        }
        TokenTree::Literal(_) => tokens::word(random).into(),
    };
    tokens[at] = new;
}

/// Some tokens of another attribute or item.
fn run(random: &mut Random, seeds: &Seeds) -> Vec<TokenTree> {
    let other = seeds.pick(random);
    let mut stream = match random.one_in(2) {
        true => other.attribute.clone(),
        false => other.item.clone(),
    };
    while !random.one_in(3) {
        let groups: Vec<Group> = stream
            .clone()
            .into_iter()
            .filter_map(|token| match token {
                TokenTree::Group(group) => Some(group),
                _ => None,
            })
            .collect();
        if groups.is_empty() {
            break;
        }
        stream = groups[random.below(groups.len())].stream();
    }
    let tokens: Vec<TokenTree> = stream.into_iter().collect();
    let from = random.below(tokens.len() + 1);
    tokens
        .into_iter()
        .skip(from)
        .take(1 + random.below(8))
        .collect()
}

/// The tokens inside many groups, or many types.
fn nested(random: &mut Random, inside: TokenStream) -> TokenStream {
    let depth = random.below(DEPTH);
    let mut inside = inside;
    if random.one_in(3) {
        let open: TokenStream = "Vec <".parse().expect("tokens");
        let close = TokenTree::from(Punct::new('>', Spacing::Alone));
        let mut types: TokenStream = (0..depth).flat_map(|_| open.clone()).collect();
        types.extend(inside);
        types.extend((0..depth).map(|_| close.clone()));
        return types;
    }
    let delimiter = match random.one_in(4) {
        true => Delimiter::None,
        false => tokens::delimiter(random),
    };
    for _ in 0..depth {
        inside = TokenTree::from(Group::new(delimiter, inside)).into();
    }
    inside
}
