//! The value of one option.

use syn::parse::ParseStream;
use syn::{Ident, TypePath};

use super::forms::{Misplaced, Stopped, single};
use super::indexes::indexes;
use super::kinds::{Named, kind};
use super::rbac::rbac;
use super::scalars::{backoff, duration, engage, number, one, root, text};
use super::watches::{owns, watches};
use super::{Given, Value, form, skip};
use crate::errors::Errors;
use crate::options::{Opt, Place};

/// Reads the value of `opt`, in whatever form it is given.
pub(super) fn value(
    opt: Opt,
    keyword: &Ident,
    input: ParseStream<'_>,
    errors: &mut Errors,
) -> Value {
    let misplaced = &mut Misplaced::new();
    let takes = takes(opt);
    let value = match opt {
        Opt::For => {
            let read =
                |input: ParseStream<'_>, errors: &mut Errors| kind(Place::For, input, errors);
            let kind = single(input, misplaced, errors, read).unwrap_or(Err(Stopped::at(keyword)));
            Value::For(kind.map_err(|stopped| stopped.takes(takes)))
        }
        Opt::Conditions => Value::Conditions(match single(input, misplaced, errors, conditions) {
            Some(conditions) => Given::Value(conditions.map_err(|stopped| stopped.takes(takes))),
            None => Given::Bare,
        }),
        Opt::Finalizer => Value::Finalizer(match single(input, misplaced, errors, text) {
            Some(text) => {
                let text = text.map_err(|stopped| stopped.takes(takes));
                errors.ok(text).map_or(Given::Broken, Given::Value)
            }
            None => Given::Bare,
        }),
        Opt::Name => Value::Name(one(input, keyword, misplaced, errors, takes, text)),
        Opt::Ready => Value::Ready(one(input, keyword, misplaced, errors, takes, text)),
        Opt::Timeout => Value::Timeout(one(input, keyword, misplaced, errors, takes, duration)),
        Opt::Resync => Value::Resync(one(input, keyword, misplaced, errors, takes, duration)),
        Opt::Concurrency => {
            Value::Concurrency(one(input, keyword, misplaced, errors, takes, number))
        }
        Opt::ClusterConcurrency => {
            Value::ClusterConcurrency(one(input, keyword, misplaced, errors, takes, number))
        }
        Opt::Backoff => Value::Backoff(backoff(keyword, input, misplaced, errors, takes)),
        Opt::Prune => {
            alone(input, errors, takes);
            Value::Prune
        }
        Opt::Engage => Value::Engage(engage(keyword, input, misplaced, errors, takes)),
        Opt::Rbac => Value::Rbac(rbac(keyword, input, misplaced, errors, takes)),
        Opt::Crate => Value::Crate(one(input, keyword, misplaced, errors, takes, root)),
        Opt::Owns => Value::Owns(owns(keyword, input, misplaced, errors, takes)),
        Opt::Watches => Value::Watches(watches(keyword, input, misplaced, errors, takes)),
        Opt::Index => Value::Index(indexes(keyword, input, misplaced, errors, takes)),
    };
    for span in misplaced.drain(..) {
        errors.at(span, format!("write `{}`", form(opt, &value)));
    }
    value
}

/// What an option takes, for whom gave it something else.
fn takes(opt: Opt) -> &'static str {
    match opt {
        Opt::For => "`for` takes the Rust type of one kind: write `for = YourKind`",
        Opt::Owns => "`owns` takes the Rust types of kinds: write `owns(YourKind)`",
        Opt::Watches => {
            "`watches` takes the Rust types of kinds, each with a method: write `watches(YourKind => Self::your_method)`"
        }
        Opt::Index => {
            "`index` takes names, each with a function: write `index(by_host => Self::your_function)`"
        }
        Opt::Finalizer => {
            "`finalizer` takes one string literal: write `finalizer = \"your.domain/name\"`"
        }
        Opt::Conditions => {
            "`conditions` takes one enum that derives `ConditionType`: write `conditions = YourConditions`"
        }
        Opt::Name => "`name` takes one string literal: write `name = \"your-controller\"`",
        Opt::Ready => "`ready` takes one string literal: write `ready = \"Available\"`",
        Opt::Concurrency => {
            "`concurrency` takes how many run at once in all clusters: write `concurrency = 16`"
        }
        Opt::ClusterConcurrency => {
            "`cluster_concurrency` takes how many run at once in one cluster: write `cluster_concurrency = 4`"
        }
        Opt::Timeout => "`timeout` takes a duration as a string literal: write `timeout = \"30s\"`",
        Opt::Resync => "`resync` takes a duration as a string literal: write `resync = \"10m\"`",
        Opt::Backoff => {
            "`backoff` takes the first and the longest delay as string literals: write `backoff(\"1s\", \"5m\")`"
        }
        Opt::Prune => "`prune` takes nothing: write `prune`",
        Opt::Engage => {
            "`engage` takes `local`, the cluster of the manager itself, or `provider`, those of its providers, or both: write `engage(local, provider)`"
        }
        Opt::Rbac => {
            "`rbac` takes kinds with verbs: write `rbac(YourKind(verbs = \"get, delete\"))`"
        }
        Opt::Crate => "`crate` takes the path of kommodore: write `crate = your::path`",
    }
}

/// Reports whatever stands behind an option that takes nothing.
fn alone(input: ParseStream<'_>, errors: &mut Errors, takes: &str) {
    let start = input.span();
    let anything = |input: ParseStream<'_>, _: &mut Errors| {
        skip(input);
        Ok(())
    };
    if single(
        input,
        &mut Misplaced::new(),
        &mut Errors::default(),
        anything,
    )
    .is_some()
    {
        errors.at(start, takes);
    }
}

/// The enum of `conditions = path`.
fn conditions(input: ParseStream<'_>, errors: &mut Errors) -> Result<TypePath, Stopped> {
    // Read as a kind is, for the sake of who puts options behind it.
    match kind(Place::Conditions, input, errors)?.named {
        Named::Typed(path) => Ok(path),
        Named::Dynamic(word) => Err(Stopped::at(word)),
    }
}
