//! Who looks after a Job.

use super::names;
use crate::failure::Cause;

const LONGEST: usize = 63;
/// What a path of HTTP is made of besides letters and digits.
const SIGNS_OF_PATHS: &str = "/-._~%!$&'()*+,;=:";
const NO_PATH: &str =
    r"Invalid path (regex used for validation is '[A-Za-z0-9/\-._~%!$&'()*+,;=:]+')";

/// What is wrong with the name of who does it in the place of the usual controller.
pub(super) fn check(name: &str, path: &str) -> Vec<Cause> {
    let invalid = |part: &str, why: &str| Cause::invalid(path, &part.into(), why);
    let too_long = (name.len() > LONGEST).then(|| Cause::too_long(path, LONGEST));
    let mut wrong: Vec<Cause> = match name.split_once('/') {
        _ if name.is_empty() => vec![Cause::required(path, "")],
        Some((domain, rest)) if !domain.is_empty() && !rest.is_empty() => {
            let unfit = names::subdomain(domain).map(|why| invalid(domain, why));
            let in_path = |c: char| c.is_ascii_alphanumeric() || SIGNS_OF_PATHS.contains(c);
            let other = (!rest.chars().all(in_path)).then(|| invalid(rest, NO_PATH));
            unfit.into_iter().chain(other).collect()
        }
        _ => vec![invalid(
            name,
            r#"must be a domain-prefixed path (such as "acme.io/foo")"#,
        )],
    };
    wrong.extend(too_long);
    wrong
}
