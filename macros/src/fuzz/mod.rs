//! What must hold for whatever a user writes: the macros do not panic, the user's item stays, and every
//! mistake is told on a token of the user.
//!
//! Every case follows from its own seed, which a failure prints. `KOMMODORE_FUZZ_SEED` is the seed of the
//! first case, and those after it count up from there; `KOMMODORE_FUZZ_CASES` is how many there are.

mod mutate;
mod promises;
mod random;
mod seeds;
mod shrink;
mod tokens;

use proc_macro2::TokenStream;

use self::promises::{Ground, Macro};
use self::random::Random;
use self::seeds::Seeds;

/// One input of a macro. The attribute of a derive is empty.
#[derive(Clone)]
struct Input {
    attribute: TokenStream,
    item: TokenStream,
}

#[test]
fn the_attribute_keeps_its_promises() {
    run(Macro::Attribute, 15_000);
}

#[test]
fn the_derive_keeps_its_promises() {
    run(Macro::Derive, 15_000);
}

/// As they are, all that the fixtures and we ourselves wrote.
#[test]
fn what_is_not_mutated_keeps_the_promises() {
    let seeds = Seeds::collect();
    let ground = Ground::new();
    for input in &seeds.pairs {
        for of in [Macro::Attribute, Macro::Derive] {
            if let Err(broken) = ground.check(of, input) {
                panic!("{}", shrink::report(&ground, of, input, &broken));
            }
        }
    }
}

/// On a stack of its own: without optimization syn needs some 50 kB of it for each type inside a type, and
/// a thread of a test has 2 MB.
fn run(of: Macro, cases: u64) {
    let thread = std::thread::Builder::new()
        .stack_size(64 << 20)
        .spawn(move || run_all(of, cases))
        .expect("a thread");
    if let Err(failure) = thread.join() {
        std::panic::resume_unwind(failure);
    }
}

fn run_all(of: Macro, cases: u64) {
    let seeds = Seeds::collect();
    let ground = Ground::new();
    let first = from_environment("KOMMODORE_FUZZ_SEED").unwrap_or(1);
    let cases = from_environment("KOMMODORE_FUZZ_CASES").unwrap_or(cases);
    for seed in (first..).take(usize::try_from(cases).unwrap_or(usize::MAX)) {
        let input = make(&mut Random::new(seed), &seeds);
        if let Err(broken) = ground.check(of, &input) {
            let report = shrink::report(&ground, of, &input, &broken);
            panic!("KOMMODORE_FUZZ_SEED={seed} KOMMODORE_FUZZ_CASES=1\n{report}");
        }
    }
}

fn from_environment(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}={text}")))
}

/// Most cases leave one of both as somebody wrote it, since a mistake in the item hides what becomes of
/// the attribute.
fn make(random: &mut Random, seeds: &Seeds) -> Input {
    let mut input = seeds.pick(random).clone();
    if random.one_in(3) {
        input.attribute = seeds.pick(random).attribute.clone();
    }
    let which = random.below(8);
    if which != 0 {
        input.attribute = mutate::some(random, seeds, input.attribute);
    }
    if which < 4 {
        input.item = mutate::some(random, seeds, input.item);
    }
    if random.one_in(8) {
        input.attribute = tokens::stream(random, 3);
    }
    if random.one_in(16) {
        input.item = tokens::stream(random, 3);
    }
    input
}
