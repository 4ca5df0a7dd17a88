//! What a schema says of numbers, which depends on whether a number is written with a fraction.

use serde_json::Number;

use super::validate::Found;
use super::{Kind, Reason, Schema};
use crate::patch::go;

/// Beyond this, not every whole number is one of floating point.
const LARGEST: f64 = 9_007_199_254_740_991.0;

impl Schema {
    pub(super) fn check_number(&self, number: &Number, found: &mut Found<'_, '_>) {
        self.fits(number, "Checked", found);
        let rules = &self.rules;
        if let Some(of) = &rules.multiple_of {
            let is_native = self.fits(of, "MultipleOf", found);
            check_multiple(number, of, is_native, found);
        }
        let above = ("greater", "Minimum boundary", &rules.minimum);
        let below = ("less", "Maximum boundary", &rules.maximum);
        for (must, what, limit) in [above, below] {
            let Some((limit, is_open)) = limit else {
                continue;
            };
            let is_native = self.fits(limit, what, found);
            let order = match integer(number).filter(|_| is_native) {
                Some(number) => Some(number.cmp(&truncated(limit))),
                None => float(number).partial_cmp(&float(limit)),
            };
            let wrong = match must {
                "greater" => order.is_some_and(std::cmp::Ordering::is_lt),
                _ => order.is_some_and(std::cmp::Ordering::is_gt),
            };
            if wrong || *is_open && order.is_some_and(std::cmp::Ordering::is_eq) {
                let shown = shown(limit, number, is_native);
                let than = if *is_open { "than" } else { "than or equal to" };
                found.wrong_number(number, &format!("should be {must} {than} {shown}"));
            }
        }
    }

    /// Whether a number, or a limit, is one of the type and the format; it is told where it is not.
    fn fits(&self, number: &Number, what: &str, found: &mut Found<'_, '_>) -> bool {
        let format = self.rules.format.as_deref();
        let fits = match (self.kind.filter(|_| !self.int_or_string), format) {
            (Some(Kind::Integer), Some("int32")) => {
                whole(number).is_some_and(|whole| i32::try_from(whole).is_ok())
            }
            (Some(Kind::Integer), _) => whole(number).is_some(),
            (Some(Kind::Number), Some("float")) => float(number).abs() <= f64::from(f32::MAX),
            _ => true,
        };
        if !fits {
            let kind = self.kind.map_or("", Kind::name);
            let of = match format {
                Some(format) => format!("with format {format}"),
                None => "(default format)".to_owned(),
            };
            found.not_of(&format!("{what} value must be of type {kind} {of}"));
        }
        fits
    }
}

fn check_multiple(number: &Number, of: &Number, is_native: bool, found: &mut Found<'_, '_>) {
    let (positive, is_multiple) = match integer(number).filter(|_| is_native) {
        Some(number) => {
            let of = truncated(of);
            (of > 0, of > 0 && number % of == 0)
        }
        None => {
            let (number, of) = (float(number), float(of));
            let times = if of < 1.0 {
                1.0 / of * number
            } else {
                number / of
            };
            (of > 0.0, is_whole(times))
        }
    };
    let shown = shown(of, number, is_native);
    if !positive {
        let path = found.path;
        found.add(
            Reason::Invalid,
            format_args!(
                "Invalid value: {shown}: factor MultipleOf declared for {path} must be positive: {shown}"
            ),
        );
    } else if !is_multiple {
        found.wrong_number(number, &format!("should be a multiple of {shown}"));
    }
}

/// A limit as it counts: where a whole number is compared to it, without its fraction.
fn shown(limit: &Number, number: &Number, is_native: bool) -> String {
    match integer(number).filter(|_| is_native) {
        Some(_) => truncated(limit).to_string(),
        None => go::float(float(limit)),
    }
}

fn integer(number: &Number) -> Option<i64> {
    number.as_i64()
}

fn float(number: &Number) -> f64 {
    number.as_f64().unwrap_or(f64::NAN)
}

fn truncated(limit: &Number) -> i64 {
    // Limits are kept in floating point.
    float(limit) as i64
}

/// A number without a fraction, however it is written.
pub(super) fn whole(number: &Number) -> Option<i64> {
    number.as_i64().or_else(|| {
        let float = number
            .as_f64()
            .filter(|float| float.fract() == 0.0 && float.abs() < 9.2e18)?;
        format!("{float:.0}").parse().ok()
    })
}

/// Whether a number of floating point is as good as whole.
pub(super) fn is_whole(number: f64) -> bool {
    let nearest = number.trunc();
    let apart = (number - nearest).abs();
    number.abs() <= LARGEST
        && (apart == 0.0 || nearest != 0.0 && apart / (number.abs() + nearest.abs()) < 1e-9)
}
