//! Every fixture that has to compile (`tests/ui/pass`) is also a snapshot of what it expands to.

use std::fs;
use std::path::Path;

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{Item, Meta};

#[test]
fn pass_fixtures_expand_as_recorded() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/ui/pass");
    let mut fixtures: Vec<_> = fs::read_dir(&folder)
        .expect("the fixtures")
        .map(|entry| entry.expect("a fixture").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect();
    fixtures.sort();
    assert!(!fixtures.is_empty(), "no fixtures in {}", folder.display());
    for fixture in fixtures {
        let source = fs::read_to_string(&fixture).expect("a readable fixture");
        let file = syn::parse_file(&source).expect("a fixture that parses");
        let mut items = Vec::new();
        file.items
            .into_iter()
            .for_each(|item| expand(item, &mut items));
        assert!(
            !items.is_empty(),
            "{} has neither a controller nor conditions",
            fixture.display()
        );
        let expanded = syn::File {
            items,
            ..syn::parse_quote!()
        };
        let name = fixture.file_stem().expect("a file name").to_string_lossy();
        insta::with_settings!({
            snapshot_path => folder.join("snapshots"),
            prepend_module_to_snapshot => false,
            omit_expression => true,
        }, {
            insta::assert_snapshot!(name.as_ref(), prettyplease::unparse(&expanded));
        });
    }
}

/// Somebody has to read it, once in a while.
#[test]
fn the_expansion_of_the_golden_example_is_short() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/ui/pass/snapshots");
    let snapshot = fs::read_to_string(folder.join("website.snap")).expect("its snapshot");
    let lines = snapshot.lines().count();
    assert!(lines <= 120, "{lines} lines");
}

/// Adds what our macros make of the item, and of those inside it.
fn expand(item: Item, out: &mut Vec<Item>) {
    let mut item = item;
    if let Item::Mod(module) = &mut item {
        let items = module
            .content
            .take()
            .map(|(_, items)| items)
            .unwrap_or_default();
        items.into_iter().for_each(|item| expand(item, out));
        return;
    }
    let attributes = match &mut item {
        Item::Struct(item) => &mut item.attrs,
        Item::Enum(item) => &mut item.attrs,
        _ => return,
    };
    let is_controller = |attribute: &syn::Attribute| {
        attribute
            .path()
            .segments
            .last()
            .is_some_and(|segment| segment.ident == "controller")
    };
    let expanded = if let Some(index) = attributes.iter().position(is_controller) {
        let arguments = match attributes.remove(index).meta {
            Meta::List(list) => list.tokens,
            _ => TokenStream::new(),
        };
        crate::expand_controller(arguments, item.into_token_stream())
    } else if attributes.iter().any(|attribute| {
        attribute
            .to_token_stream()
            .to_string()
            .contains("ConditionType")
    }) {
        // As rustc does: a derive does not see the attributes that derive.
        attributes.retain(|attribute| !attribute.path().is_ident("derive"));
        crate::condition_type::expand(item.into_token_stream())
    } else {
        return;
    };
    let file: syn::File = syn::parse2(expanded).expect("an expansion that parses");
    out.extend(file.items);
}
