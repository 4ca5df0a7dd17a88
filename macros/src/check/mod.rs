//! Third stage: whether the values can be right.

mod kinds;
mod limits;

use crate::args::Given;
use crate::errors::Errors;
use crate::model::{Finalizer, Keyed, Model};
use crate::names;

/// Reports all that is wrong with the values.
pub(crate) fn check(model: &Model, errors: &mut Errors) {
    name(model, errors);
    if let Some(declared) = &model.finalizer {
        finalizer(declared, model, errors);
    }
    ready(model, errors);
    prune(model, errors);
    kinds::check(model, errors);
    limits::check(model, errors);
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
        // Behind the group of the kind, which is known later and always a domain.
        Given::Bare => {
            let name = &model.name.value;
            if names::controller(name).is_ok()
                && let Err(reason) = names::qualified(&format!("group/{name}"))
            {
                errors.on(
                    &declared.keyword,
                    format!(
                        "no finalizer follows from the name `{name}`: {reason}; write `finalizer = \"your.domain/name\"`"
                    ),
                );
            }
        }
        Given::Broken => {}
    }
}

fn ready(model: &Model, errors: &mut Errors) {
    let Some(Keyed { keyword, value }) = &model.ready else {
        return;
    };
    if model.conditions.is_none() {
        errors.on(
            keyword,
            "`ready` is the name of the summary of all conditions: write `conditions` as well",
        );
    }
    let Some(text) = value else { return };
    let name = text.value();
    if name == "Stalled" {
        errors.on(
            text,
            "`Stalled` means that it cannot get better by itself, and is no summary",
        );
    } else if let Err(reason) = names::condition(&name) {
        errors.on(
            text,
            format!("this cannot be the type of a condition: {reason}"),
        );
    }
}

fn prune(model: &Model, errors: &mut Errors) {
    if let Some(Keyed { keyword, .. }) = &model.prune
        && model.owns.is_empty()
    {
        errors.on(
            keyword,
            "`prune` deletes children that are not applied any more: write `owns(YourKind)` as well, to say of which kinds",
        );
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
