//! Random tokens: every sort that rustc hands to a macro.

use proc_macro2::{Delimiter, Group, Ident, Literal, Punct, Spacing, Span, TokenStream, TokenTree};

use super::random::Random;

/// The words of the macros, those of Rust, and some that are neither.
const WORDS: &[&str] = &[
    "for",
    "owns",
    "watches",
    "finalizer",
    "conditions",
    "name",
    "crate",
    "index",
    "ready",
    "prune",
    "concurrency",
    "cluster_concurrency",
    "timeout",
    "resync",
    "backoff",
    "engage",
    "rbac",
    "labels",
    "fields",
    "namespace",
    "on",
    "on_leave",
    "full",
    "in",
    "kind",
    "owned",
    "watch",
    "finalizr",
    "kommodore",
    "controller",
    "condition",
    "negative",
    "positive",
    "negatve",
    "derive",
    "cfg",
    "deprecated",
    "doc",
    "Dynamic",
    "Ready",
    "Stalled",
    "Deployment",
    "ConfigMap",
    "Secret",
    "Self",
    "self",
    "super",
    "struct",
    "enum",
    "union",
    "impl",
    "fn",
    "trait",
    "mod",
    "type",
    "const",
    "static",
    "let",
    "use",
    "where",
    "pub",
    "unsafe",
    "async",
    "dyn",
    "mut",
    "ref",
    "as",
    "if",
    "match",
    "move",
    "extern",
    "macro_rules",
    "auto",
    "default",
    "true",
    "false",
    "_",
    "__kommodore",
    "__Any",
    "x",
    "T",
    "A0",
    "größe",
    "Ärger",
    "变量",
    "Ⅷ",
    "ⅷa",
    "ſ",
];

/// Words that `r#` may stand before.
const RAW: &[&str] = &[
    "for",
    "owns",
    "struct",
    "type",
    "condition",
    "controller",
    "negative",
    "Shipped",
    "Ärger",
];

const PUNCTUATION: &[char] = &[
    '=', '<', '>', '!', '~', '+', '-', '*', '/', '%', '^', '&', '|', '@', '.', ',', ';', ':', '#',
    '$', '?',
];

/// Signs of more than one character, which stand together in what people write.
const SIGNS: &[&str] = &[
    "::", "=>", "->", "==", "..", "...", "..=", "&&", "||", ">>", "<=", ">=",
];

const STRINGS: &[&str] = &[
    "",
    " ",
    "/",
    "a/b",
    "demo.kommodore.dev/rollout",
    "rollout",
    "Deployment",
    "Self::using",
    "Vec<",
    "a::",
    "::",
    "for",
    "A + B",
    "<A as B>::C",
    "(A, B)",
    "größe",
    "\u{0}\n\"\\",
    "'",
    "/*",
    "//",
    "r#type",
    "crate",
    "10m",
    "{",
    "1",
    "A B",
    "dyn A",
    "fn()",
    "[u8; 3]",
    "Vec<\u{1f680}>",
    "🚀",
];

const DELIMITERS: [Delimiter; 4] = [
    Delimiter::Parenthesis,
    Delimiter::Brace,
    Delimiter::Bracket,
    // What a `macro_rules!` puts around its fragments.
    Delimiter::None,
];

/// Up to a dozen things, with groups inside groups down to `depth`.
pub(super) fn stream(random: &mut Random, depth: usize) -> TokenStream {
    (0..random.below(12))
        .flat_map(|_| some(random, depth))
        .collect()
}

/// One thing, which is a token or a few that belong together.
pub(super) fn some(random: &mut Random, depth: usize) -> TokenStream {
    match random.below(16) {
        0..6 => TokenTree::from(word(random)).into(),
        6..9 => {
            let spacing = [Spacing::Alone, Spacing::Joint][random.below(2)];
            TokenTree::from(Punct::new(random.pick(PUNCTUATION), spacing)).into()
        }
        9..11 => sign(random.pick(SIGNS)),
        11..14 => TokenTree::from(literal(random)).into(),
        14 => {
            let name = Ident::new(
                ["a", "static", "_", "ä"][random.below(4)],
                Span::call_site(),
            );
            let quote = Punct::new('\'', Spacing::Joint);
            [TokenTree::from(quote), name.into()].into_iter().collect()
        }
        _ => {
            let inside = match depth {
                0 => TokenStream::new(),
                depth => stream(random, depth - 1),
            };
            TokenTree::from(Group::new(delimiter(random), inside)).into()
        }
    }
}

pub(super) fn delimiter(random: &mut Random) -> Delimiter {
    random.pick(&DELIMITERS)
}

pub(super) fn word(random: &mut Random) -> Ident {
    if random.one_in(12) {
        return Ident::new_raw(random.pick(RAW), Span::call_site());
    }
    if random.one_in(40) {
        return Ident::new(&"Long".repeat(100), Span::call_site());
    }
    Ident::new(random.pick(WORDS), Span::call_site())
}

fn sign(text: &str) -> TokenStream {
    let last = text.len() - 1;
    let spacing = |i| match i == last {
        true => Spacing::Alone,
        false => Spacing::Joint,
    };
    text.chars()
        .enumerate()
        .map(|(i, c)| TokenTree::from(Punct::new(c, spacing(i))))
        .collect()
}

fn literal(random: &mut Random) -> Literal {
    match random.below(16) {
        0 => Literal::string(&"long".repeat(100)),
        1 => Literal::u8_suffixed(7),
        2 => Literal::usize_unsuffixed(4),
        3 => Literal::f64_unsuffixed(0.5),
        4 => Literal::character(random.pick(&['a', '\'', '🚀'])),
        5 => Literal::byte_character(b'\\'),
        6 => Literal::byte_string(b"a/b\xff"),
        7 => Literal::c_string(c"a/b"),
        8 => written(r####"r##"a/b"#"##"####),
        9 => written(r#""suffixed"_at_the_end"#),
        10 => written("340282366920938463463374607431768211456"),
        11 => written("0b1e_3"),
        _ => Literal::string(random.pick(STRINGS)),
    }
}

/// What has no constructor.
fn written(text: &str) -> Literal {
    text.parse()
        .unwrap_or_else(|_| panic!("no literal: {text}"))
}
