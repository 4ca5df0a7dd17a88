//! JSON patch, with the leniency of the API server's implementation: to replace or copy what is not there is allowed
//! where its parent is, a missing `value` is `null`, and indices may count from the end.

use serde::Deserialize;
use serde_json::Value;

use super::{PatchError, go};

#[derive(Deserialize)]
struct Operation {
    #[serde(default)]
    op: String,
    #[serde(default)]
    path: String,
    #[serde(default)]
    from: String,
    #[serde(default)]
    value: Value,
}

/// The document after the operations of the body.
pub(crate) fn json_patch(doc: &Value, body: &[u8]) -> Result<Value, PatchError> {
    let operations: Value = serde_json::from_slice(body).map_err(undecodable)?;
    if operations.is_null() {
        return Ok(doc.clone());
    }
    if !operations.is_array() {
        let kind = go::json_kind(&operations);
        return Err(PatchError::BadRequest(format!(
            "error decoding patch: json: cannot unmarshal {kind} into Go value of type []handlers.jsonPatchOp"
        )));
    }
    let operations: Vec<Operation> = serde_json::from_value(operations).map_err(undecodable)?;
    let mut patched = doc.clone();
    for operation in operations {
        run(&mut patched, operation).ok_or(PatchError::Invalid)?;
    }
    Ok(patched)
}

fn undecodable(error: serde_json::Error) -> PatchError {
    PatchError::BadRequest(format!("error decoding patch: {error}"))
}

fn run(doc: &mut Value, operation: Operation) -> Option<()> {
    match operation.op.as_str() {
        "add" => add(doc, &operation.path, operation.value),
        "remove" => remove(doc, &operation.path).map(|_| ()),
        "replace" => replace(doc, &operation.path, operation.value),
        "move" => {
            let value = remove(doc, &operation.from)?;
            add(doc, &operation.path, value)
        }
        "copy" => {
            let value = get(doc, &operation.from)?;
            add(doc, &operation.path, value)
        }
        "test" => (get(doc, &operation.path)? == operation.value).then_some(()),
        _ => None,
    }
}

/// The parent of what a pointer names, and the last token.
fn parent<'d>(doc: &'d mut Value, pointer: &str) -> Option<(&'d mut Value, String)> {
    let mut tokens: Vec<String> = pointer
        .split('/')
        .map(|token| token.replace("~1", "/").replace("~0", "~"))
        .collect();
    if tokens.len() < 2 {
        return None;
    }
    let last = tokens.pop()?;
    let mut node = doc;
    for token in tokens.iter().skip(1) {
        node = match node {
            Value::Object(fields) => fields.get_mut(token)?,
            Value::Array(elements) => {
                let at = index(token, elements.len())?;
                elements.get_mut(at)?
            }
            _ => return None,
        };
    }
    Some((node, last))
}

fn index(token: &str, length: usize) -> Option<usize> {
    let at: i64 = token.parse().ok()?;
    if at < 0 {
        length.checked_sub(usize::try_from(-at).ok()?)
    } else {
        usize::try_from(at).ok()
    }
}

fn get(doc: &mut Value, pointer: &str) -> Option<Value> {
    match parent(doc, pointer)? {
        (Value::Object(fields), name) => Some(fields.get(&name).cloned().unwrap_or_default()),
        (Value::Array(elements), at) => elements.get(index(&at, elements.len())?).cloned(),
        _ => None,
    }
}

fn add(doc: &mut Value, pointer: &str, value: Value) -> Option<()> {
    match parent(doc, pointer)? {
        (Value::Object(fields), name) => {
            fields.insert(name, value);
        }
        (Value::Array(elements), at) => {
            let at = if at == "-" {
                elements.len()
            } else {
                index(&at, elements.len() + 1)?
            };
            if at > elements.len() {
                return None;
            }
            elements.insert(at, value);
        }
        _ => return None,
    }
    Some(())
}

fn remove(doc: &mut Value, pointer: &str) -> Option<Value> {
    match parent(doc, pointer)? {
        (Value::Object(fields), name) => fields.remove(&name),
        (Value::Array(elements), at) => {
            let at = index(&at, elements.len())?;
            (at < elements.len()).then(|| elements.remove(at))
        }
        _ => None,
    }
}

fn replace(doc: &mut Value, pointer: &str, value: Value) -> Option<()> {
    match parent(doc, pointer)? {
        (Value::Object(fields), name) => {
            fields.insert(name, value);
        }
        (Value::Array(elements), at) => {
            let at = index(&at, elements.len())?;
            *elements.get_mut(at)? = value;
        }
        _ => return None,
    }
    Some(())
}
