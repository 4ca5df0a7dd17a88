//! How long the macros take for each controller and each set of conditions in the fixtures and in the example.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use proc_macro2::TokenStream;
use quote::ToTokens as _;
use syn::{Attribute, Item, Meta};

use crate::{args, check, condition_type, errors, expand, model};

const EXPANSIONS: usize = 500;

pub(crate) fn measure() {
    let mut rows = Vec::new();
    for file in files() {
        let source = std::fs::read_to_string(&file).unwrap();
        let mut found = Vec::new();
        for item in syn::parse_file(&source).unwrap().items {
            find(item, &mut found);
        }
        let place = file.strip_prefix(root()).unwrap();
        rows.extend(found.into_iter().map(|(name, call)| {
            let mut times: Vec<Duration> = (0..EXPANSIONS).map(|_| expand(call.clone())).collect();
            times.sort();
            let title = format!("`{name}` of `{}`", place.display());
            (times[EXPANSIONS / 2], times[EXPANSIONS - 1], title)
        }));
    }
    rows.sort_by(|one, other| other.cmp(one));
    println!("| Expansion | median, µs | longest, µs |\n|---|--:|--:|");
    for (median, longest, title) in rows {
        println!(
            "| {title} | {} | {} |",
            median.as_micros(),
            longest.as_micros()
        );
    }
    println!();
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// The fixtures that compile, and the example.
fn files() -> Vec<PathBuf> {
    let fixtures = std::fs::read_dir(root().join("tests/ui/pass")).unwrap();
    fixtures
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .chain([root().join("examples/website.rs")])
        .collect()
}

/// What rustc gives to one of the macros.
#[derive(Clone)]
enum Call {
    Controller(TokenStream, TokenStream),
    ConditionType(TokenStream),
}

/// Adds the calls of our macros at the item, and inside it.
fn find(mut item: Item, found: &mut Vec<(String, Call)>) {
    let (name, attributes) = match &mut item {
        Item::Struct(item) => (item.ident.to_string(), &mut item.attrs),
        Item::Enum(item) => (item.ident.to_string(), &mut item.attrs),
        Item::Mod(module) => {
            let items = module.content.take().map(|(_, items)| items);
            items
                .into_iter()
                .flatten()
                .for_each(|item| find(item, found));
            return;
        }
        _ => return,
    };
    let is = |attribute: &Attribute, word| attribute.path().is_ident(word);
    let tokens = |attribute: &Attribute| match &attribute.meta {
        Meta::List(list) => list.tokens.clone(),
        _ => TokenStream::new(),
    };
    if let Some(place) = attributes.iter().position(|other| is(other, "controller")) {
        let arguments = tokens(&attributes.remove(place));
        found.push((name, Call::Controller(arguments, item.into_token_stream())));
    } else if attributes
        .extract_if(.., |other| is(other, "derive"))
        .any(|derive| tokens(&derive).to_string().contains("ConditionType"))
    {
        found.push((name, Call::ConditionType(item.into_token_stream())));
    }
}

/// Expands it as `macros/src/lib.rs` does, and returns how long that took.
fn expand(call: Call) -> Duration {
    let begin = Instant::now();
    let expanded = match call {
        Call::Controller(arguments, item) => {
            let mut errors = errors::Errors::default();
            let args = args::parse(arguments, &mut errors);
            let (item, model) = model::build(args, item, &mut errors);
            if let Some(model) = &model {
                check::check(model, &mut errors);
            }
            expand::expand(&item, model.as_ref(), &errors)
        }
        Call::ConditionType(item) => condition_type::expand(item),
    };
    let time = begin.elapsed();
    assert!(!expanded.is_empty());
    time
}
