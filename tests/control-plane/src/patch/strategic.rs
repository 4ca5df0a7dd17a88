//! Strategic merge patch, for the built-in kinds: lists with a merge key are merged element by element.

use std::collections::{BTreeSet, HashMap, HashSet};

use serde_json::{Map, Value};

use super::{PatchError, go};
use crate::schema::{Kind, Merge, Schema};

const DIRECTIVE: &str = "$patch";
const RETAIN_KEYS: &str = "$retainKeys";
const ORDER: &str = "$setElementOrder";
const DELETE_VALUES: &str = "$deleteFromPrimitiveList";

type Fields = Map<String, Value>;

/// The document with the patch merged in.
pub(crate) fn strategic_merge_patch(
    doc: &Value,
    patch: &Value,
    schema: &Schema,
) -> Result<Value, PatchError> {
    let (Some(doc), Some(patch)) = (doc.as_object(), patch.as_object()) else {
        return match patch {
            Value::Null => Ok(doc.clone()),
            other => Err(PatchError::BadRequest(format!(
                "json: cannot unmarshal {} into Go value of type map[string]interface {{}}",
                go::json_kind(other)
            ))),
        };
    };
    Ok(Value::Object(merge_map(
        doc.clone(),
        patch.clone(),
        schema,
    )?))
}

fn merge_map(
    mut original: Fields,
    mut patch: Fields,
    schema: &Schema,
) -> Result<Fields, PatchError> {
    match patch.get(DIRECTIVE).map(Value::as_str) {
        None => {}
        Some(Some("replace")) => {
            patch.remove(DIRECTIVE);
            return Ok(patch);
        }
        Some(Some("delete")) => return Ok(Fields::new()),
        Some(_) => return Err(unknown_directive(&patch)),
    }
    if let Some(keep) = patch.remove(RETAIN_KEYS) {
        let keep = keep.as_array().ok_or_else(|| bad_format("retainKeys"))?;
        let keep: BTreeSet<&str> = keep.iter().filter_map(Value::as_str).collect();
        let is_about_a_list =
            |name: &str| name.starts_with(DELETE_VALUES) || name.starts_with(ORDER);
        if patch.iter().any(|(name, value)| {
            !value.is_null() && !is_about_a_list(name) && !keep.contains(name.as_str())
        }) {
            return Err(bad_format("retainKeys"));
        }
        original.retain(|name, _| keep.contains(name.as_str()));
    }
    order_lists(&mut original, &mut patch, schema)?;
    for (name, value) in patch {
        if let Some(name) = name.strip_prefix(DELETE_VALUES) {
            let name = list_of(name).ok_or_else(|| bad_format("primitive list"))?;
            if let (Some(gone), Some(Value::Array(values))) =
                (value.as_array(), original.get_mut(name))
            {
                check_types(values, gone)?;
                let gone: HashSet<&Value> = gone.iter().collect();
                values.retain(|value| !gone.contains(value));
            }
            continue;
        }
        if value.is_null() {
            original.remove(&name);
            continue;
        }
        let field = schema.field(&name);
        let merged = match (original.remove(&name), value, field) {
            (Some(Value::Object(_)), Value::Object(patch), Some(field))
                if field.merge == Merge::Not =>
            {
                patch.into()
            }
            (Some(Value::Object(original)), Value::Object(patch), Some(field)) => {
                Value::Object(merge_map(original, patch, field)?)
            }
            (Some(Value::Array(original)), Value::Array(patch), Some(field)) => {
                Value::Array(merge_list(original, patch, field)?)
            }
            (_, value, _) => plain(value),
        };
        if !merged.is_null() {
            original.insert(name, merged);
        }
    }
    Ok(original)
}

fn unknown_directive(patch: &Fields) -> PatchError {
    let directive = match patch.get(DIRECTIVE) {
        Some(Value::String(directive)) => directive.clone(),
        // As Go prints what should be a text.
        Some(other) => format!("%!s({}={})", go::type_name(other), go::plain(other)),
        None => String::new(),
    };
    PatchError::Internal(format!(
        "unknown patch type: {directive} in map: {}",
        go::map(patch)
    ))
}

fn no_key(entry: &Value, key: &str) -> PatchError {
    PatchError::Internal(format!(
        "map: {} does not contain declared merge key: {key}",
        go::plain(entry)
    ))
}

fn no_list(value: &Value) -> PatchError {
    unexpected("[]interface {}", value)
}

fn unexpected(expected: &str, value: &Value) -> PatchError {
    let got = go::type_name(value);
    PatchError::Internal(format!("expected a {expected}, but received a {got}"))
}

fn bad_format(of: &str) -> PatchError {
    PatchError::BadRequest(format!("invalid patch format of {of}"))
}

/// A value that has nothing to be merged with: without nulls, and without what `$patch` is said of, since what that was
/// meant for is not there. Other directives stay, as fields that nobody knows.
fn plain(value: Value) -> Value {
    match value {
        Value::Object(fields) if fields.contains_key(DIRECTIVE) => Value::Null,
        Value::Object(fields) => {
            let fields = fields
                .into_iter()
                .map(|(name, value)| (name, plain(value)))
                .filter(|(_, value)| !value.is_null());
            Value::Object(fields.collect())
        }
        Value::Array(elements) => {
            let kept = elements
                .into_iter()
                .filter(|element| element.get(DIRECTIVE).is_none());
            Value::Array(kept.map(plain).collect())
        }
        scalar => scalar,
    }
}

/// The list that a directive is about, by what follows its name.
fn list_of(rest: &str) -> Option<&str> {
    rest.split_once('/').map(|(_, list)| list)
}

/// Elements that are compared are of one type.
fn check_types(original: &[Value], patch: &[Value]) -> Result<(), PatchError> {
    let mut types = original.iter().chain(patch).map(go::type_name);
    let first = types.next();
    if types.all(|other| Some(other) == first) {
        return Ok(());
    }
    Err(PatchError::Internal(format!(
        "list element types are not identical: [{} {}]",
        go::plain(&original.into()),
        go::plain(&patch.into()),
    )))
}

/// Merges the lists whose order the patch states.
fn order_lists(
    original: &mut Fields,
    patch: &mut Fields,
    schema: &Schema,
) -> Result<(), PatchError> {
    let directives: Vec<String> = patch
        .keys()
        .filter(|name| name.starts_with(ORDER))
        .cloned()
        .collect();
    for directive in directives {
        let name = directive.strip_prefix(ORDER).and_then(list_of);
        let name = name.ok_or_else(|| bad_format("setElementOrder list"))?;
        let order = match patch.remove(&directive) {
            Some(Value::Array(order)) => order,
            other => return Err(no_list(&other.unwrap_or_default())),
        };
        let live = match original.get(name) {
            None => None,
            Some(Value::Array(live)) => Some(live.clone()),
            Some(other) => return Err(no_list(other)),
        };
        let patched = match patch.get(name) {
            Some(Value::Array(_)) => patch.remove(name),
            Some(other) => return Err(no_list(other)),
            None => None,
        };
        let unknown = || {
            let holder = schema.type_name().unwrap_or("Object");
            PatchError::Internal(format!(
                "unable to find api field in struct {holder} for the json field {name:?}"
            ))
        };
        let field = schema.field(name).ok_or_else(unknown)?;
        if field.target().kind != Some(Kind::Array) {
            let why = "expected slice or array type, but got: struct";
            return Err(PatchError::Internal(why.to_owned()));
        }
        let key = merge_key(field);
        if let Some(patched) = patched.as_ref().and_then(Value::as_array) {
            check_order(patched, &order, key)?;
            if patched.is_empty() && live.as_ref().is_none_or(Vec::is_empty) {
                return Err(PatchError::Internal(
                    "no elements in any of the given slices".into(),
                ));
            }
        }
        let merged = match (live.clone(), patched) {
            (Some(live), Some(Value::Array(patched))) => merge_list(live, patched, field)?,
            (Some(live), _) => live,
            (None, Some(patched)) => plain(patched).as_array().cloned().unwrap_or_default(),
            (None, None) => continue,
        };
        let merged = arrange(merged, &order, &live.unwrap_or_default(), key);
        original.insert(name.to_owned(), merged.into());
    }
    Ok(())
}

/// What the patch adds and changes must be in the order that it states.
fn check_order(patched: &[Value], order: &[Value], key: Option<&str>) -> Result<(), PatchError> {
    if order.is_empty() {
        return Ok(());
    }
    let named = |value: &Value, key: &str| match value {
        Value::Object(fields) => fields.get(key).cloned().ok_or_else(|| no_key(value, key)),
        other => Err(unexpected("map[string]interface {}", other)),
    };
    let same = |entry: &Value, other: &Value| match key {
        Some(key) => Ok(named(entry, key)? == named(other, key)?),
        None => Ok(entry == other),
    };
    let mut stated = order.iter();
    for entry in patched
        .iter()
        .filter(|entry| entry.get(DIRECTIVE).is_none())
    {
        let mut is_stated = false;
        for other in stated.by_ref() {
            is_stated = same(entry, other)?;
            if is_stated {
                break;
            }
        }
        if !is_stated {
            let print = |list: &[Value]| go::plain(&Value::from(list.to_vec()));
            let (patched, order) = (print(patched), print(order));
            return Err(PatchError::Internal(format!(
                "The order in patch list:\n{patched}\n doesn't match $setElementOrder list:\n{order}\n"
            )));
        }
    }
    Ok(())
}

fn merge_key(list: &Schema) -> Option<&str> {
    match &list.merge {
        Merge::Key(key) => Some(key),
        _ => None,
    }
}

fn merge_list(
    original: Vec<Value>,
    patch: Vec<Value>,
    list: &Schema,
) -> Result<Vec<Value>, PatchError> {
    match &list.merge {
        // As it is: what looks like a directive in it is a field that nobody knows.
        Merge::Replace | Merge::Not => Ok(patch),
        Merge::Values => {
            let mut seen = HashSet::new();
            let all = original.iter().chain(&patch);
            let all = all.filter(|value| seen.insert(*value)).cloned().collect();
            Ok(arrange(all, &patch, &original, None))
        }
        Merge::Key(key) => merge_by_key(original, patch, list.element(), key),
    }
}

fn merge_by_key(
    mut original: Vec<Value>,
    patch: Vec<Value>,
    element: &Schema,
    key: &str,
) -> Result<Vec<Value>, PatchError> {
    let server_order = original.clone();
    let mut replace = false;
    let mut rest = Vec::new();
    let mut gone = HashSet::new();
    for entry in patch {
        match entry.get(DIRECTIVE).map(Value::as_str) {
            None => rest.push(entry),
            Some(Some("delete")) => {
                let name = entry.get(key).ok_or_else(|| no_key(&entry, key))?;
                gone.insert(name.clone());
            }
            Some(Some("replace")) => replace = true,
            Some(Some("merge")) => {
                let why = "merging lists cannot yet be specified in the patch";
                return Err(PatchError::Internal(why.to_owned()));
            }
            Some(_) => {
                return Err(unknown_directive(
                    entry.as_object().unwrap_or(&Fields::new()),
                ));
            }
        }
    }
    if replace {
        let nameless = rest.iter().find(|entry| entry.get(key).is_none());
        return nameless
            .map_or(Ok(()), |entry| Err(no_key(entry, key)))
            .map(|()| rest);
    }
    original.retain(|element| element.get(key).is_none_or(|name| !gone.contains(name)));
    if rest.iter().any(|entry| !entry.is_object()) && !original.is_empty() {
        return Err(PatchError::Internal(format!(
            "list element types are not identical: [{} {}]",
            go::plain(&original.into()),
            go::plain(&rest.into()),
        )));
    }
    // What a merge leaves of an element keeps its name, and so its place.
    let mut places: HashMap<Value, usize> = HashMap::new();
    for (place, element) in original.iter().enumerate() {
        if let Some(name) = element.get(key) {
            places.entry(name.clone()).or_insert(place);
        }
    }
    for entry in &rest {
        let (Value::Object(fields), Some(name)) = (entry, entry.get(key)) else {
            return Err(no_key(entry, key));
        };
        match places.get(name).and_then(|place| original.get_mut(*place)) {
            Some(old) => {
                let before = match old.take() {
                    Value::Object(before) => before,
                    _ => Fields::new(),
                };
                *old = Value::Object(merge_map(before, fields.clone(), element)?);
            }
            None => {
                places.insert(name.clone(), original.len());
                // As it is, with its nulls and what would be directives in another place.
                original.push(entry.clone());
            }
        }
    }
    // What has no name has no place among those that have one.
    match original.iter().find(|element| element.get(key).is_none()) {
        Some(nameless) => Err(no_key(nameless, key)),
        None => Ok(arrange(original, &rest, &server_order, Some(key))),
    }
}

/// Puts what the patch names in the patch's order, and the rest, in the server's order, before the first of them that
/// follows it there.
fn arrange(merged: Vec<Value>, order: &[Value], server: &[Value], key: Option<&str>) -> Vec<Value> {
    let order = Places::of(order, key);
    let server = Places::of(server, key);
    let (mut named, mut others): (Vec<Value>, Vec<Value>) = merged
        .into_iter()
        .partition(|value| order.of_value(value).is_some());
    named.sort_by_key(|value| order.of_value(value));
    others.sort_by_key(|value| server.of_value(value));
    let (mut named, mut others) = (named.into_iter().peekable(), others.into_iter().peekable());
    let mut all = Vec::new();
    loop {
        let first = match (others.peek(), named.peek()) {
            (Some(other), Some(name)) => match (server.of_value(other), server.of_value(name)) {
                (Some(other), Some(name)) => other < name,
                _ => false,
            },
            (Some(_), None) => true,
            (None, Some(_)) => false,
            (None, None) => return all,
        };
        all.extend(if first { others.next() } else { named.next() });
    }
}

/// Where the elements of a list are first found, by the field that names them, or by all of their value.
struct Places<'v> {
    key: Option<&'v str>,
    first: HashMap<Option<&'v Value>, usize>,
}

impl<'v> Places<'v> {
    fn of(list: &'v [Value], key: Option<&'v str>) -> Self {
        let mut first = HashMap::new();
        for (place, value) in list.iter().enumerate() {
            first.entry(name(value, key)).or_insert(place);
        }
        Self { key, first }
    }

    fn of_value(&self, value: &Value) -> Option<usize> {
        self.first.get(&name(value, self.key)).copied()
    }
}

fn name<'v>(value: &'v Value, key: Option<&str>) -> Option<&'v Value> {
    match key {
        Some(key) => value.get(key),
        None => Some(value),
    }
}
