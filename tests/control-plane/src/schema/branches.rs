//! The schemas of which all, one, some or none have to be satisfied.

use serde_json::Value;

use super::cause::MOST_CAUSES;
use super::validate::NO_FIELD;
use super::{Cause, Reason, Schema};

/// What is wrong by one branch, and how much of it fits.
struct Attempt {
    causes: Vec<Cause>,
    fits: usize,
}

impl Schema {
    /// How much fits of the branches that count.
    pub(super) fn check_branches(
        &self,
        value: &Value,
        path: &str,
        causes: &mut Vec<Cause>,
    ) -> usize {
        let attempt = |schema: &Schema| {
            let mut causes = Vec::new();
            // What stays as it was is found for the whole.
            let fits = schema.check(value, None, path, &mut causes).fits;
            Attempt { causes, fits }
        };
        let of_whole = |why: &str| {
            let message = format!("Invalid value: \"\": {path:?} must {why}");
            Cause::new(Reason::Invalid, NO_FIELD, &message)
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
                causes.push(of_whole("validate at least one schema (anyOf)"));
            }
            fits += nearest.fits;
            tell(causes, nearest.causes);
        }
        let one: Vec<Attempt> = rules.one_of.iter().map(attempt).collect();
        let count = one.len();
        let (mut valid, wrong): (Vec<_>, Vec<_>) =
            one.into_iter().partition(|one| one.causes.is_empty());
        match valid.len() {
            1 => fits += valid.pop().map_or(0, |valid| valid.fits),
            0 if count > 0 => {
                let why = "validate one and only one schema (oneOf). Found none valid";
                causes.push(of_whole(why));
                if let Some(nearest) = nearest(wrong) {
                    fits += nearest.fits;
                    tell(causes, nearest.causes);
                }
            }
            0 => {}
            many => causes.push(of_whole(&format!(
                "validate one and only one schema (oneOf). Found {many} valid alternatives"
            ))),
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
            causes.push(of_whole(&format!("validate all the schemas (allOf){note}")));
        }
        let not = rules.not.as_deref().map(attempt);
        if not.is_some_and(|attempt| attempt.causes.is_empty()) {
            causes.push(of_whole("not validate the schema (not)"));
        }
        fits
    }
}

/// Tells what a branch says besides that the whole is wrong, while there is room.
fn tell(causes: &mut Vec<Cause>, of_branch: Vec<Cause>) {
    if causes.len() < MOST_CAUSES {
        causes.extend(of_branch);
    }
}

/// The first of those of which most fits.
fn nearest(attempts: Vec<Attempt>) -> Option<Attempt> {
    attempts.into_iter().reduce(|best, next| match next.fits {
        more if more > best.fits => next,
        _ => best,
    })
}
