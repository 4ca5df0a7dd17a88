//! Validates a value against a schema, in the API server's words.

use std::cell::Cell;
use std::collections::HashSet;
use std::fmt;

use serde_json::{Map, Number, Value};

use super::cause::Causes;
use super::formats;
use super::numbers::is_whole;
use super::whole;
use super::{Additional, Cause, Fractions, Reason, Schema};
use crate::patch::go;
use crate::path::Path;

/// How a field is called where it is the whole.
pub(super) const NO_FIELD: &str = "<nil>";

/// What is wrong with an object.
pub(crate) struct Wrong {
    pub(crate) values: Vec<Cause>,
    /// With how whole objects in it are called.
    pub(crate) wholes: Vec<Cause>,
    /// With what list types demand.
    pub(crate) lists: Vec<Cause>,
}

impl Schema {
    /// What is wrong with an object, field by field, but for what it took over from the one in whose place it comes. The
    /// root's metadata is validated elsewhere, apart from what the schema itself says about it. CEL rules are not
    /// evaluated.
    pub(crate) fn validate(&self, object: &Value, old: Option<&Value>) -> Wrong {
        let worded = Cell::default();
        let mut values = Causes::new(&worded);
        self.check(object, old, Path::Root, &mut values);
        Wrong {
            values: values.into_told(),
            wholes: self.validate_wholes(object),
            lists: self.validate_lists(object, old),
        }
    }

    /// The same of an object of which only the status is written: it alone is looked at, but for lists. Fields are named
    /// from there.
    pub(crate) fn validate_status(&self, object: &Value, old: Option<&Value>) -> Wrong {
        const STATUS: &str = "status";
        let worded = Cell::default();
        let mut values = Causes::new(&worded);
        if let (Some(schema), Some(status)) = (self.properties.get(STATUS), object.get(STATUS)) {
            // A `null` is what there was where there was none.
            let was = old.map(|old| old.get(STATUS).unwrap_or(&Value::Null));
            schema.check(status, was, Path::Root, &mut values);
        }
        let mut values = values.into_told();
        for cause in &mut values {
            cause.field = match cause.field.as_str() {
                "" | NO_FIELD => STATUS.to_owned(),
                field => format!("{STATUS}.{}", field.trim_start_matches('.')),
            };
        }
        Wrong {
            values,
            wholes: Vec::new(),
            lists: self.validate_lists(object, old),
        }
    }

    fn validate_lists(&self, object: &Value, old: Option<&Value>) -> Vec<Cause> {
        let lists = |object: &Value| {
            let worded = Cell::default();
            let mut causes = Causes::new(&worded);
            self.check_lists(object, Path::Root, &mut causes);
            causes.into_told()
        };
        let mut of_lists = lists(object);
        // Nothing is refused where anything was wrong with one before.
        if !of_lists.is_empty() && old.is_some_and(|old| !lists(old).is_empty()) {
            of_lists.clear();
        }
        of_lists
    }

    /// What is wrong with how whole objects in an object are called.
    pub(super) fn validate_wholes(&self, object: &Value) -> Vec<Cause> {
        let worded = Cell::default();
        let mut causes = Causes::new(&worded);
        self.each_whole(object, &mut |path, fields| {
            whole::check(path, fields, &mut causes);
        });
        causes.into_told()
    }

    /// The same but for whole objects in it and for what list types demand.
    pub(super) fn validate_values(&self, object: &Value) -> Vec<Cause> {
        let worded = Cell::default();
        let mut causes = Causes::new(&worded);
        self.check(object, None, Path::Root, &mut causes);
        causes.into_told()
    }

    /// Says what is wrong with a value, unless it is the one that was in its place before.
    pub(super) fn check(
        &self,
        value: &Value,
        was: Option<&Value>,
        path: Path<'_>,
        causes: &mut Causes<'_>,
    ) -> Checked {
        let before = causes.len();
        let mut checked = self.check_anew(value, was, path, causes);
        if causes.len() > before && !checked.has_changed {
            match was {
                Some(was) if self.is_as_it_was(value, was) => causes.truncate(before),
                _ => checked.has_changed = true,
            }
        }
        checked
    }

    fn check_anew(
        &self,
        value: &Value,
        was: Option<&Value>,
        path: Path<'_>,
        causes: &mut Causes<'_>,
    ) -> Checked {
        let before = causes.len();
        self.check_type(value, &mut Found { path, causes });
        // A rule that was looked at counts for one, and one more where it holds as a whole.
        let mut fits = usize::from(causes.len() == before);
        let mut has_changed = false;
        if value.is_null() {
            self.check_enum(value, &mut Found { path, causes });
            return Checked { fits, has_changed };
        }
        let has_type = self.kind.is_some() || self.int_or_string || self.rules.format.is_some();
        fits = if has_type { fits + 1 } else { 0 };
        fits += self.check_branches(value, path, causes) + 2;
        let mut found = Found { path, causes };
        match value {
            Value::String(text) => {
                self.check_string(text, &mut found);
                fits += 1 + usize::from(self.rules.format.is_some());
            }
            Value::Number(number) => {
                self.check_number(number, &mut found);
                fits += 2;
            }
            Value::Array(elements) => {
                let checked = self.check_array(elements, was, &mut found);
                fits += checked.fits + 2;
                has_changed = checked.has_changed;
            }
            _ => {}
        }
        self.check_enum(value, &mut found);
        if let Value::Object(fields) = value {
            let checked = self.check_object(fields, was, path, causes);
            fits += checked.fits + 1;
            has_changed = checked.has_changed;
        }
        fits += 2;
        Checked { fits, has_changed }
    }

    fn check_enum(&self, value: &Value, found: &mut Found<'_, '_>) {
        let Some(allowed) = &self.rules.one_of_values else {
            return;
        };
        if !allowed.has(value) {
            let shown = match value {
                Value::Number(number) => go::number(number),
                Value::Object(_) | Value::Array(_) => {
                    let mut value = value.clone();
                    Fractions::take(&mut value);
                    value.to_string()
                }
                other => other.to_string(),
            };
            found.add(
                Reason::NotSupported,
                format_args!("Unsupported value: {shown}: supported values: {allowed}"),
            );
        }
    }

    fn check_type(&self, value: &Value, found: &mut Found<'_, '_>) {
        let types: &[&str] = match self.kind {
            _ if self.int_or_string => &["integer", "string"],
            Some(kind) => &[kind.name()],
            None => &[],
        };
        let format = self.rules.format.as_deref();
        let (got, own_format) = type_of(value);
        if value.is_null() {
            if !types.is_empty() && !self.nullable {
                found.type_invalid(&types.join(","), got);
            }
            return;
        }
        let of_number = types.iter().any(|one| matches!(*one, "integer" | "number"));
        let is_whole = || value.as_f64().is_some_and(is_whole);
        let is_it = types.contains(&got)
            || got == "number" && types.contains(&"integer") && is_whole()
            || got == "integer" && types.contains(&"number");
        match format {
            _ if is_it => {}
            None if types.is_empty() => {}
            Some(_) if matches!(got, "string" | "array") && !of_number => {}
            Some(format) if !matches!(got, "string" | "array") && format != own_format => {
                found.type_invalid(format, own_format);
            }
            _ => found.type_invalid(&types.join(","), got),
        }
    }

    fn check_string(&self, text: &str, found: &mut Found<'_, '_>) {
        let (path, length) = (
            found.path,
            i64::try_from(text.chars().count()).unwrap_or(i64::MAX),
        );
        if let Some(max) = self.rules.length.max.filter(|max| length > *max) {
            found.add(Reason::TooLong, too_long(max));
        } else if let Some(min) = self.rules.length.min.filter(|min| length < *min) {
            found.add(
                Reason::Invalid,
                format_args!(
                    "Invalid value: {}: {path} in body should be at least {min} chars long",
                    go::quoted(text)
                ),
            );
        } else if let Some(pattern) = &self.rules.pattern
            && !pattern.is_match(text)
        {
            found.add(
                Reason::Invalid,
                format_args!(
                    "Invalid value: {}: {path} in body should match '{}'",
                    go::quoted(text),
                    pattern.text()
                ),
            );
        }
        if let Some(format) = &self.rules.format
            && formats::is_of(format, text) == Some(false)
        {
            found.type_invalid(format, text);
        }
    }

    fn check_array(
        &self,
        elements: &[Value],
        was: Option<&Value>,
        found: &mut Found<'_, '_>,
    ) -> Checked {
        let path = found.path;
        let mut all = Checked::default();
        if let Some(items) = &self.items {
            let before = was.and_then(|was| self.by_keys(was.as_array()?));
            for (at, element) in elements.iter().enumerate() {
                let was = before.as_ref().and_then(|before| before.get(element));
                let checked = items.check(element, was, path.at(at), found.causes);
                all.fits += checked.fits;
                // What has no keys is compared with all others only.
                all.has_changed |= checked.has_changed && before.is_some();
            }
        }
        let count = i64::try_from(elements.len()).unwrap_or(i64::MAX);
        if let Some(min) = self.rules.item_count.min.filter(|min| count < *min) {
            found.add(
                Reason::Invalid,
                format_args!(
                    "Invalid value: {count}: {path} in body should have at least {min} items"
                ),
            );
        }
        if let Some(max) = self.rules.item_count.max.filter(|max| count > *max) {
            found.add(Reason::TooMany, too_many(count, max));
        }
        let mut seen = HashSet::new();
        if self.rules.unique_items && !elements.iter().all(|element| seen.insert(element)) {
            found.add(
                Reason::Duplicate,
                format_args!("{path} in body shouldn't contain duplicates"),
            );
        }
        all
    }

    fn check_object(
        &self,
        fields: &Map<String, Value>,
        was: Option<&Value>,
        path: Path<'_>,
        causes: &mut Causes<'_>,
    ) -> Checked {
        let count = i64::try_from(fields.len()).unwrap_or(i64::MAX);
        if let Some(min) = self.rules.property_count.min.filter(|min| count < *min) {
            causes.add(
                Reason::Invalid,
                path,
                format_args!(
                    "Invalid value: {count}: {path} in body should have at least {min} properties"
                ),
            );
        }
        if let Some(max) = self.rules.property_count.max.filter(|max| count > *max) {
            causes.add(Reason::TooMany, path, too_many(count, max));
        }
        let mut all = Checked::default();
        for (name, value) in fields {
            // A reference (metadata) is checked elsewhere, but for what this schema adds to it.
            let (field, at) = match (self.properties.get(name), &self.additional) {
                (Some(field), _) => (field, path.name(name)),
                (None, Additional::Values(values)) => (&**values, path.value(name)),
                (None, Additional::Forbidden) => {
                    let quoted = go::quoted(name);
                    causes.add(
                        Reason::Invalid,
                        path,
                        format_args!(
                            "Invalid value: {quoted}: {path}.{name} in body is a forbidden property"
                        ),
                    );
                    continue;
                }
                _ => continue,
            };
            // Of what it is an object says so anew each time.
            let is_type = path.is_root() && matches!(name.as_str(), "apiVersion" | "kind");
            let was = was.filter(|_| !is_type).and_then(|was| was.get(name));
            let checked = field.check(value, was, at, causes);
            all.fits += checked.fits;
            all.has_changed |= checked.has_changed;
        }
        for name in &self.rules.required {
            if !fields.contains_key(name) {
                causes.add(Reason::Required, path.name(name), "Required value");
            }
        }
        all
    }
}

/// What came of a check.
#[derive(Default)]
pub(super) struct Checked {
    /// How much of the value fits: of branches the nearest is told.
    pub(super) fits: usize,
    /// Whether it is known already that it is not what it was, so that it need not be compared.
    has_changed: bool,
}

/// Where causes go, for one field.
pub(super) struct Found<'a, 'w> {
    pub(super) path: Path<'a>,
    pub(super) causes: &'a mut Causes<'w>,
}

impl Found<'_, '_> {
    pub(super) fn add(&mut self, reason: Reason, message: impl fmt::Display) {
        self.causes.add(reason, self.path, message);
    }

    fn type_invalid(&mut self, expected: &str, got: &str) {
        let path = self.path;
        self.add(
            Reason::TypeInvalid,
            format_args!(
                "Invalid value: {got:?}: {path} in body must be of type {expected}: {got:?}"
            ),
        );
    }

    /// What a number should be.
    pub(super) fn wrong_number(&mut self, number: &Number, should: &str) {
        let (path, shown) = (self.path, go::number(number));
        self.add(
            Reason::Invalid,
            format_args!("Invalid value: {shown}: {path} in body {should}"),
        );
    }

    /// A number that is none of its type, which is told of the whole.
    pub(super) fn not_of(&mut self, why: &str) {
        let message = format_args!("Invalid value: \"\": {why} in {}", self.path);
        self.causes.add(Reason::Invalid, NO_FIELD, message);
    }
}

fn too_long(max: i64) -> String {
    match max {
        ..=-1 => "Too long: value is too long".to_owned(),
        1 => "Too long: may not be more than 1 byte".to_owned(),
        max => format!("Too long: may not be more than {max} bytes"),
    }
}

fn too_many(count: i64, max: i64) -> String {
    let why = match max {
        ..=-1 => "has too many items".to_owned(),
        1 => "must have at most 1 item".to_owned(),
        max => format!("must have at most {max} items"),
    };
    format!("Too many: {count}: {why}")
}

/// The type of a value, and what its own format is.
pub(super) fn type_of(value: &Value) -> (&'static str, &'static str) {
    match value {
        Value::Null => ("null", ""),
        Value::Bool(_) => ("boolean", ""),
        Value::Number(number) if number.as_i64().is_some() => ("integer", "int64"),
        Value::Number(_) => ("number", "float64"),
        Value::String(_) => ("string", ""),
        Value::Array(_) => ("array", ""),
        Value::Object(_) => ("object", ""),
    }
}
