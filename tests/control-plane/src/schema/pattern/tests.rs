use std::fmt::Write;

use regex::Regex;
use serde_json::Value;

use super::*;

/// What Go 1.26 says to patterns: what is wrong with each, or which of the texts it matches.
#[test]
fn patterns_are_read_as_go_reads_them() {
    let recorded: Value = serde_json::from_str(include_str!("recorded.json")).unwrap();
    let texts: Vec<&str> = recorded["texts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|text| text.as_str().unwrap())
        .collect();
    let mut wrong = Vec::new();
    for recording in recorded["patterns"].as_array().unwrap() {
        let pattern = recording[0].as_str().unwrap();
        let ours = match check(pattern) {
            Err(error) => error.into(),
            Ok(()) => {
                let pattern = Pattern::new(pattern);
                let matched = (0..texts.len()).filter(|at| pattern.is_match(texts[*at]));
                matched.collect::<Value>()
            }
        };
        if ours != recording[1] {
            wrong.push(format!("{pattern}: {ours}, not {}", recording[1]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What nests as deep as it may is compiled on a stack that is not.
#[test]
fn patterns_are_as_deep_and_as_big_as_in_go() {
    let nested = |depth: usize, open: &str, inner: &str, close: &str| {
        format!("{}{inner}{}", open.repeat(depth), close.repeat(depth))
    };
    let text = format!("{}b", "a".repeat(1000)).repeat(10) + &"b".repeat(1200);
    let deep = "expression nests too deeply";
    let large = "expression too large";
    for (pattern, wrong) in [
        (nested(999, "(", "a", ")"), None),
        (nested(999, "(", "ab", ")"), None),
        (nested(1000, "(", "a", ")"), Some(deep)),
        (nested(1500, "(?:", "a", ")"), None),
        (nested(300, "(", "a", "|bc)*"), None),
        (nested(499, "(?:", "a", "b)?"), None),
        (nested(600, "(?:", "a", "b)?"), Some(deep)),
        (nested(1200, "(?:", "a*", "b)"), None),
        ("(?:a{1000}b)".repeat(10), None),
        (
            nested(1, "(?:", &"a{1000}".repeat(4), "){1000}"),
            Some(large),
        ),
    ] {
        let told = wrong.map(|wrong| format!("error parsing regexp: {wrong}: `{pattern}`"));
        assert_eq!(check(&pattern).err(), told);
        if wrong.is_none() {
            assert!(Pattern::new(&pattern).is_match(&text));
        }
    }
}

#[test]
fn a_class_of_unicode_costs_hardly_more_than_one_of_ascii() {
    for (pattern, ascii) in [
        (r"^\pL{200}$", "^[a-z]{200}$"),
        (r"(\pL{10}){100}", "([a-z]{10}){100}"),
        (r"^[\p{L}\p{N}_.-]{1,253}$", "^[a-z0-9_.-]{1,253}$"),
        (r"(?i)[\p{L}\p{N}\p{Greek}]{1,1000}", "[a-z0-9]{1,1000}"),
    ] {
        let size = |pattern: &str| Engine::of(pattern).unwrap().regex.memory_usage();
        assert!(size(pattern) < 2 * size(ascii), "{pattern}");
    }
}

/// Every set is one of its own, and none is written with each of the others.
#[test]
fn many_letters_are_not_many_times_as_many() {
    let characters = ('\u{4E00}'..).take(2000);
    let mut pattern = String::new();
    for character in characters {
        write!(pattern, "[^{character}]?").unwrap();
    }
    let engine = Engine::of(&pattern).unwrap();
    assert!(engine.regex.memory_usage() < 10 << 20);
}

/// The same numbers every time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end
    }

    fn of<T: Copy>(&mut self, some: &[T]) -> T {
        some[self.below(some.len())]
    }
}

/// A pattern as Go has it, and as the engine has it that knows no alphabet.
fn pattern(chance: &mut Chance, depth: usize) -> (String, String) {
    const SINGLE: [(&str, &str); 26] = [
        ("a", "a"),
        ("k", "k"),
        ("é", "é"),
        ("一", "一"),
        ("-", "-"),
        ("\\n", "\\n"),
        (".", "."),
        ("^", "^"),
        ("$", "$"),
        ("\\b", "(?-u:\\b)"),
        ("\\d", "[0-9]"),
        ("\\W", "[^0-9A-Za-z_]"),
        ("\\pL", "\\pL"),
        ("\\PL", "\\PL"),
        ("\\p{Lu}", "\\p{Lu}"),
        ("\\p{^Greek}", "\\P{Greek}"),
        ("[a-k]", "[a-k]"),
        ("[^a-k]", "[^a-k]"),
        ("[à-ü0-9]", "[à-ü0-9]"),
        ("[^\\pL]", "[^\\pL]"),
        ("[\\p{Greek}_]", "[\\p{Greek}_]"),
        ("[^é一]", "[^é一]"),
        ("[[:alpha:]]", "[[:alpha:]]"),
        ("[^[:upper:]s]", "[^[:upper:]s]"),
        ("[^\\x{0}-\\x{10FFFF}]", "[a&&b]"),
        ("\\Q.\\E", "\\."),
    ];
    let (mut ours, mut theirs) = (String::new(), String::new());
    let mut put = |(one, other): (&str, &str)| {
        ours.push_str(one);
        theirs.push_str(other);
    };
    for at in 0..=chance.below(3) {
        if at > 0 && chance.below(4) == 0 {
            put(("|", "|"));
        }
        if depth == 0 || chance.below(3) == 0 {
            put(chance.of(&SINGLE));
            continue;
        }
        let open = chance.of(&["(", "(?:", "(?i:", "(?m:", "(?s:", "(?i-s:", "(?im:"]);
        let (one, other) = pattern(chance, depth - 1);
        put((open, open));
        put((&one, &other));
        let close = chance.of(&[")", ")*", ")+", ")?", "){2}", "){0,2}", "){1,}"]);
        put((close, close));
    }
    (ours, theirs)
}

#[test]
fn an_alphabet_changes_nothing() {
    let mut chance = Chance(1);
    let characters: Vec<char> = "aAkK\u{212A}sſé É_-.0\n一αΩ😀".chars().collect();
    let mut matched = 0;
    for _ in 0..250 {
        let (ours, theirs) = pattern(&mut chance, 3);
        let plain = Regex::new(&theirs).unwrap();
        let pattern = Pattern::new(&ours);
        for _ in 0..50 {
            let length = chance.below(8);
            let text: String = (0..length).map(|_| chance.of(&characters)).collect();
            let expected = plain.is_match(&text);
            assert_eq!(pattern.is_match(&text), expected, "{ours} on {text:?}");
            matched += usize::from(expected);
        }
    }
    assert!((2_000..10_500).contains(&matched), "{matched}");
}
