//! Whole numbers as Go converts them where it does not read them: what a patch brings into a type is cut to its size.

use serde_json::{Number, Value};

use super::{Additional, Kind, Schema};

impl Schema {
    /// Brings whole numbers that are written with a fraction, or are too large, into the size that they have to have.
    pub(crate) fn convert_integers(&self, value: &mut Value) {
        let node = self.target();
        match value {
            Value::Object(fields) => {
                for (name, value) in fields.iter_mut() {
                    let field = node.properties.get(name);
                    if let (None, Additional::Values(values)) = (field, &node.additional) {
                        values.convert_integers(value);
                    } else if let Some(field) = field {
                        field.convert_integers(value);
                    }
                }
            }
            Value::Array(elements) if node.kind == Some(Kind::Array) => {
                let element = node.element();
                for value in elements {
                    element.convert_integers(value);
                }
            }
            Value::Number(number) if node.kind == Some(Kind::Integer) && !node.int_or_string => {
                let is_long = node.rules.format.as_deref() == Some("int64");
                if let Some(number) = converted(number, is_long) {
                    *value = number.into();
                }
            }
            _ => {}
        }
    }
}

/// The lowest digits of a whole number; one that is too large even for 64 bits has none.
fn converted(number: &Number, is_long: bool) -> Option<i64> {
    let whole = match number.as_i64() {
        Some(whole) => whole,
        None => {
            let float = number.as_f64().filter(|float| float.fract() == 0.0)?;
            let fits = float.abs() < 2f64.powi(63);
            // Exact, as it fits and has no fraction.
            #[allow(clippy::cast_possible_truncation)]
            let whole = float as i64;
            if fits { whole } else { i64::MIN }
        }
    };
    // The lower half is what is kept.
    #[allow(clippy::cast_possible_truncation)]
    let short = whole as i32;
    Some(if is_long { whole } else { short.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_cut_to_the_size_of_its_type() {
        let number = |text: &str| serde_json::from_str::<Number>(text).unwrap();
        assert_eq!(converted(&number("2.0"), false), Some(2));
        assert_eq!(converted(&number("2.5"), false), None);
        assert_eq!(
            converted(&number("20000000000"), false),
            Some(-1_474_836_480)
        );
        assert_eq!(
            converted(&number("20000000000"), true),
            Some(20_000_000_000)
        );
        assert_eq!(converted(&number("1e30"), false), Some(0));
    }
}
