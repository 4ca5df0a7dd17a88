//! Third stage: whether the values can be right.

use std::collections::HashSet;

use crate::args::Given;
use crate::errors::{Errors, code};
use crate::model::{Finalizer, Model};
use crate::names;

/// Reports all that is wrong with the values.
pub(crate) fn check(model: &Model, errors: &mut Errors) {
    name(model, errors);
    if let Some(declared) = &model.finalizer {
        finalizer(declared, model, errors);
    }
    kinds(model, errors);
    lifetimes(model, errors);
}

fn name(model: &Model, errors: &mut Errors) {
    let name = &model.name;
    let Err(reason) = names::controller(&name.value) else {
        return;
    };
    match &name.given {
        Some(text) => errors.on(text, format!("this cannot be the name of a controller: {reason}")),
        None => errors.on(
            &model.target.ident,
            format!(
                "`{}`, the name that follows from the struct's, cannot be the name of a controller: {reason}; \
                 give one with `name = \"..\"`",
                name.value
            ),
        ),
    }
}

fn finalizer(declared: &Finalizer, model: &Model, errors: &mut Errors) {
    match &declared.value {
        Given::Value(text) => {
            if let Err(reason) = names::qualified(&text.value()) {
                errors.on(text, format!("this cannot be a finalizer: {reason}"));
            }
        }
        Given::Bare => errors.on(
            &declared.keyword,
            format!(
                "give the finalizer its name: write `finalizer = \"your.domain/{}\"`",
                model.name.value
            ),
        ),
        Given::Broken => {}
    }
}

fn kinds(model: &Model, errors: &mut Errors) {
    let mut seen = HashSet::new();
    for kind in &model.owns {
        if !seen.insert(code(kind)) {
            errors.on(kind, format!("`{}` is owned already", code(kind)));
        }
    }
    let mut seen = HashSet::new();
    for watch in &model.watches {
        if watch.mapper.is_some() && !seen.insert(watch.code()) {
            errors.on(&watch.kind, format!("`{}` is there already", watch.code()));
        }
    }
}

fn lifetimes(model: &Model, errors: &mut Errors) {
    for lifetime in model.target.generics.lifetimes() {
        errors.on(
            &lifetime.lifetime,
            format!(
                "`{}` lives as long as its manager and cannot borrow: own the data, or share it in an `Arc`",
                model.target.ident
            ),
        );
    }
}
