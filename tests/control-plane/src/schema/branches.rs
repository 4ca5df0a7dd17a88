//! The schemas of which all, one, some or none have to be satisfied.

use std::fmt;

use serde_json::Value;

use super::cause::{Causes, MOST_CAUSES};
use super::validate::NO_FIELD;
use super::{Reason, Schema};
use crate::path::Path;

/// What is wrong by one branch, and how much of it fits.
struct Attempt<'w> {
    causes: Causes<'w>,
    fits: usize,
}

impl Schema {
    /// How much fits of the branches that count.
    pub(super) fn check_branches(
        &self,
        value: &Value,
        path: Path<'_>,
        causes: &mut Causes<'_>,
    ) -> usize {
        let none = causes.none();
        let attempt = |schema: &Schema| {
            let mut causes = none.none();
            // What stays as it was is found for the whole.
            let fits = schema.check(value, None, path, &mut causes).fits;
            Attempt { causes, fits }
        };
        let of_whole = |causes: &mut Causes<'_>, why: &str| {
            let message = format_args!("Invalid value: \"\": {} must {why}", Quoted(path));
            causes.add(Reason::Invalid, NO_FIELD, message);
        };
        let rules = &self.rules;
        let mut fits = 0;
        let mut any = Vec::new();
        for branch in &rules.any_of {
            let attempt = attempt(branch);
            if attempt.causes.is_empty() {
                any = vec![attempt];
                break;
            }
            any.push(attempt);
        }
        if let Some(nearest) = nearest(any) {
            if !nearest.causes.is_empty() {
                of_whole(causes, "validate at least one schema (anyOf)");
            }
            fits += nearest.fits;
            tell(causes, nearest.causes);
        }
        let one: Vec<Attempt<'_>> = rules.one_of.iter().map(attempt).collect();
        let count = one.len();
        let (mut valid, wrong): (Vec<_>, Vec<_>) =
            one.into_iter().partition(|one| one.causes.is_empty());
        match valid.len() {
            1 => fits += valid.pop().map_or(0, |valid| valid.fits),
            0 if count > 0 => {
                let why = "validate one and only one schema (oneOf). Found none valid";
                of_whole(causes, why);
                if let Some(nearest) = nearest(wrong) {
                    fits += nearest.fits;
                    tell(causes, nearest.causes);
                }
            }
            0 => {}
            many => {
                let why = "validate one and only one schema (oneOf)";
                of_whole(causes, &format!("{why}. Found {many} valid alternatives"));
            }
        }
        let mut valid = 0;
        for branch in &rules.all_of {
            let attempt = attempt(branch);
            valid += usize::from(attempt.causes.is_empty());
            fits += attempt.fits;
            tell(causes, attempt.causes);
        }
        if valid < rules.all_of.len() {
            let note = if valid == 0 { ". None validated" } else { "" };
            of_whole(causes, &format!("validate all the schemas (allOf){note}"));
        }
        let not = rules.not.as_deref().map(attempt);
        if not.is_some_and(|attempt| attempt.causes.is_empty()) {
            of_whole(causes, "not validate the schema (not)");
        }
        fits
    }
}

struct Quoted<'p>(Path<'p>);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}", self.0.to_string())
    }
}

/// Tells what a branch says besides that the whole is wrong, while there is room.
fn tell<'w>(causes: &mut Causes<'w>, of_branch: Causes<'w>) {
    if causes.len() < MOST_CAUSES {
        causes.append(of_branch);
    }
}

/// The first of those of which most fits.
fn nearest<'w>(attempts: Vec<Attempt<'w>>) -> Option<Attempt<'w>> {
    attempts.into_iter().reduce(|best, next| match next.fits {
        more if more > best.fits => next,
        _ => best,
    })
}
