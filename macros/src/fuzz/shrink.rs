//! From an input that breaks a promise to a small one that does.

use std::cell::Cell;
use std::panic;
use std::sync::Once;

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

use super::Input;
use super::promises::{Ground, Macro};

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Runs `f` without a message for every panic in it. Other tests keep theirs.
pub(super) fn quietly<T>(f: impl FnOnce() -> T) -> T {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !QUIET.get() {
                before(info);
            }
        }));
    });
    QUIET.set(true);
    let result = f();
    QUIET.set(false);
    result
}

/// What to say about an input that breaks a promise.
pub(super) fn report(ground: &Ground, of: Macro, input: &Input, broken: &str) -> String {
    let small = smallest(ground, of, input.clone());
    let still = ground.check(of, &small).err().unwrap_or_default();
    format!(
        "{broken}\n\nmade smaller: {still}\nattribute: {}\nitem: {}\n",
        show(small.attribute),
        show(small.item),
    )
}

/// Takes tokens away, and groups from around tokens, as long as some promise is still broken.
fn smallest(ground: &Ground, of: Macro, input: Input) -> Input {
    let mut small = input;
    loop {
        let tries = (0..).map_while(|n| {
            let attribute = without(small.attribute.clone(), n);
            Some(Input {
                attribute: attribute?,
                ..small.clone()
            })
        });
        let items = (0..).map_while(|n| {
            let item = without(small.item.clone(), n);
            Some(Input {
                item: item?,
                ..small.clone()
            })
        });
        let smaller = tries
            .chain(items)
            .find(|input| ground.check(of, input).is_err());
        match smaller {
            Some(smaller) => small = smaller,
            None => return small,
        }
    }
}

/// The tokens but for one, counted through all groups; a group goes with its content, and then without.
fn without(tokens: TokenStream, n: usize) -> Option<TokenStream> {
    let mut n = n;
    let mut found = false;
    let rest = walk(tokens, &mut n, &mut found);
    found.then_some(rest)
}

fn walk(tokens: TokenStream, n: &mut usize, found: &mut bool) -> TokenStream {
    let mut out = TokenStream::new();
    for token in tokens {
        let mut here = || {
            let here = !*found && *n == 0;
            *found |= here;
            *n = n.wrapping_sub(1);
            here
        };
        if here() {
            continue;
        }
        let TokenTree::Group(group) = token else {
            out.extend([token]);
            continue;
        };
        if here() {
            out.extend(group.stream());
            continue;
        }
        let inside = walk(group.stream(), n, found);
        out.extend([TokenTree::from(Group::new(group.delimiter(), inside))]);
    }
    out
}

/// As source code, with `«»` around what a `macro_rules!` puts together.
fn show(tokens: TokenStream) -> String {
    let mut out = String::new();
    for token in tokens {
        let text = match token {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::None => ("«", "»"),
                };
                format!("{open}{}{close} ", show(group.stream()).trim_end())
            }
            TokenTree::Punct(punct) if punct.spacing() == proc_macro2::Spacing::Joint => {
                punct.to_string()
            }
            other => format!("{other} "),
        };
        out.push_str(&text);
    }
    out
}
