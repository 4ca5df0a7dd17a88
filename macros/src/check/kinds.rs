//! Kinds, and what stands behind them.

use std::collections::HashSet;

use syn::LitStr;

use crate::args::{Index, Kind, KindArg, KindValue};
use crate::errors::Errors;
use crate::model::Model;
use crate::names;
use crate::options::{KindOpt, VERBS, nearest};
use crate::selectors;

pub(super) fn check(model: &Model, errors: &mut Errors) {
    if let Ok(kind) = &model.object {
        options(kind, errors);
        leave(kind, model, errors);
    }
    let mut seen = HashSet::new();
    for kind in &model.owns {
        options(kind, errors);
        if !seen.insert(kind.code()) && !kind.is_unfinished() {
            errors.on(kind, format!("`{}` is owned already", kind.code()));
        }
        elsewhere(kind, model, errors);
    }
    let mut seen = HashSet::new();
    for watch in &model.watches {
        options(&watch.kind, errors);
        if matches!(watch.mapper, Some(Ok(_))) && !seen.insert(watch.code()) {
            errors.on(&watch.kind, format!("`{}` is there already", watch.code()));
        }
    }
    let mut seen = HashSet::new();
    for Index { name, .. } in &model.indexes {
        if !seen.insert(name) {
            errors.on(name, format!("there is an index `{name}` already"));
        }
    }
    for kind in &model.rbac {
        options(kind, errors);
        if !(kind.broken || kind.is_unfinished() || kind.has(KindOpt::Verbs)) {
            errors.on(
                kind,
                format!(
                    "what is to be allowed? write `{}`",
                    with(kind, KindOpt::Verbs.example())
                ),
            );
        }
    }
}

/// `on_leave` is about objects that leave a selection, and about the finalizer that they have.
fn leave(kind: &Kind, model: &Model, errors: &mut Errors) {
    let mut given = kind.options.iter();
    let Some(arg) = given.find(|arg| arg.opt == KindOpt::OnLeave && !arg.guessed) else {
        return;
    };
    let selects = kind.has(KindOpt::Labels) || kind.has(KindOpt::Fields);
    if model.finalizer.is_none() {
        errors.on(
            &arg.keyword,
            "`on_leave` says what becomes of the finalizer: write `finalizer = \"your.domain/name\"` as well",
        );
    } else if !selects && !kind.broken {
        errors.on(
            &arg.keyword,
            "no object leaves where all are selected: write `labels` or `fields` as well",
        );
    }
}

/// What is owned in another cluster is marked, and what is marked is deleted by who has a finalizer.
fn elsewhere(kind: &Kind, model: &Model, errors: &mut Errors) {
    let mut given = kind.options.iter();
    if let Some(arg) = given.find(|arg| arg.opt == KindOpt::In && !arg.guessed)
        && model.finalizer.is_none()
    {
        errors.on(
            &arg.keyword,
            "children in other clusters are deleted behind a finalizer: write `finalizer = \"your.domain/name\"` as well",
        );
    }
}

/// As it would be written with one option more.
fn with(kind: &Kind, option: &str) -> String {
    let code = kind.code();
    match code.strip_suffix(')') {
        Some(open) => format!("{open}, {option})"),
        None => format!("{code}({option})"),
    }
}

fn options(kind: &Kind, errors: &mut Errors) {
    if kind.is_dynamic() && !kind.broken {
        let missing: Vec<&str> = [KindOpt::Group, KindOpt::Version, KindOpt::Kind]
            .into_iter()
            .filter(|opt| !kind.has(*opt))
            .map(KindOpt::example)
            .collect();
        if !missing.is_empty() {
            errors.on(
                kind,
                format!(
                    "which kind is this? add `{}`{}",
                    missing.join(", "),
                    match missing.contains(&KindOpt::Group.example()) {
                        true => " (the core group is `group = \"\"`)",
                        false => "",
                    }
                ),
            );
        }
    }
    for KindArg { opt, value, .. } in &kind.options {
        match value {
            KindValue::Text(text) => value_of(*opt, text, errors),
            KindValue::Parts(parts) => {
                let mut seen = HashSet::new();
                for part in parts {
                    let word = part.to_string();
                    if parts.len() > 1 && word == "any_change" {
                        errors.on(
                            part,
                            "`any_change` has all other parts in it: write it alone",
                        );
                    } else if !seen.insert(word) {
                        errors.on(part, format!("`{part}` is there already"));
                    }
                }
            }
            KindValue::Word(_) | KindValue::Leave(_) | KindValue::Bare | KindValue::Broken => {}
        }
    }
}

fn value_of(opt: KindOpt, text: &LitStr, errors: &mut Errors) {
    let value = text.value();
    let (what, checked) = match opt {
        KindOpt::Labels => ("a label selector", selectors::labels(&value)),
        KindOpt::Fields => ("a field selector", selectors::fields(&value)),
        KindOpt::Namespace => ("the name of a namespace", names::namespace(&value)),
        KindOpt::Group => ("an API group", names::group(&value)),
        KindOpt::Version => ("the version of a kind", names::dns_1035(&value)),
        KindOpt::Kind => ("the name of a kind", names::dns_1035(&value.to_lowercase())),
        KindOpt::Plural => ("the plural name of a kind", names::dns_1035(&value)),
        KindOpt::Subresource => ("the name of a subresource", names::namespace(&value)),
        KindOpt::Verbs => ("a list of verbs", verbs(&value)),
        KindOpt::On | KindOpt::Full | KindOpt::In | KindOpt::OnLeave => return,
    };
    if let Err(reason) = checked {
        errors.on(text, format!("this cannot be {what}: {reason}"));
    }
}

fn verbs(value: &str) -> Result<(), String> {
    for verb in value.split(',').map(str::trim) {
        if verb.is_empty() {
            return Err("there is nothing between two commas, or nothing at all".into());
        }
        if !VERBS.contains(&verb) {
            return Err(match nearest(&verb.to_lowercase(), VERBS.into_iter()) {
                Some(meant) => format!("there is no verb `{verb}`; did you mean `{meant}`?"),
                None => format!("there is no verb `{verb}`; there are {}", VERBS.join(", ")),
            });
        }
    }
    Ok(())
}
