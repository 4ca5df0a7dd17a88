//! The macros of kommodore. Their documentation is at their re-export in `kommodore`.
//!
//! `#[controller]` goes through four stages: `args` reads the attribute, `model` puts it beside
//! the item, `check` looks at the values, and `expand`, which cannot fail, writes the code. Every
//! stage reports into one `Errors` and goes on with what is left, so that all mistakes show
//! at once and none of them causes a second error elsewhere.

use proc_macro::TokenStream;

mod args;
mod check;
mod condition_type;
mod durations;
mod errors;
mod expand;
#[cfg(test)]
mod fuzz;
mod model;
mod names;
mod options;
mod read;
mod selectors;
#[cfg(test)]
mod snapshots;
mod target;

#[allow(missing_docs, reason = "documented where kommodore exports it")]
#[proc_macro_attribute]
pub fn controller(attribute: TokenStream, item: TokenStream) -> TokenStream {
    expand_controller(attribute.into(), item.into()).into()
}

#[allow(missing_docs, reason = "documented where kommodore exports it")]
#[proc_macro_derive(ConditionType, attributes(condition))]
pub fn condition_type(item: TokenStream) -> TokenStream {
    condition_type::expand(item.into()).into()
}

fn expand_controller(
    attribute: proc_macro2::TokenStream,
    item: proc_macro2::TokenStream,
) -> proc_macro2::TokenStream {
    let mut errors = errors::Errors::default();
    let args = args::parse(attribute, &mut errors);
    let (item, model) = model::build(args, item, &mut errors);
    if let Some(model) = &model {
        check::check(model, &mut errors);
    }
    expand::expand(&item, model.as_ref(), &errors)
}
