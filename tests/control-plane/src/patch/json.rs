//! JSON patch, with the leniency of the API server's implementation: to replace or copy what is not there is allowed
//! where its parent is, a missing `value` is `null`, and indices may count from the end.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{PatchError, go};
use crate::object;
use crate::schema::Unknown;
use crate::syntax;

/// More are not taken.
const MOST_OPERATIONS: usize = 10_000;
/// How many bytes of JSON the operations of one patch copy at most: each copy of a whole into itself doubles it.
const MOST_COPIED: usize = 3 * 1024 * 1024;

#[derive(Default, Deserialize)]
struct Operation {
    #[serde(default)]
    op: String,
    path: Option<String>,
    #[serde(default)]
    from: String,
    #[serde(default)]
    value: Value,
}

/// The document after the operations of the body.
pub(crate) fn json_patch(doc: &Value, body: &[u8]) -> Result<Value, PatchError> {
    let operations: Value = serde_json::from_slice(body).map_err(|error| {
        undecodable(&syntax::mistake(body).unwrap_or_else(|| error.to_string()))
    })?;
    if operations.is_null() {
        return Ok(doc.clone());
    }
    let Value::Array(operations) = operations else {
        let kind = go::json_kind(&operations);
        return Err(undecodable(&format!(
            "json: cannot unmarshal {kind} into Go value of type []handlers.jsonPatchOp"
        )));
    };
    if operations.len() > MOST_OPERATIONS {
        return Err(PatchError::TooLarge(format!(
            "Request entity too large: The allowed maximum operations in a JSON patch is {MOST_OPERATIONS}, got {}",
            operations.len()
        )));
    }
    let operations: Vec<Operation> = operations
        .into_iter()
        .map(operation)
        .collect::<Result<_, _>>()?;
    let mut run = Run {
        depth: object::depth(doc),
        doc: doc.clone(),
        copied: 0,
    };
    for operation in operations {
        run.operate(operation).ok_or(PatchError::Invalid)?;
    }
    Ok(run.doc)
}

fn undecodable(why: &str) -> PatchError {
    PatchError::BadRequest(format!("error decoding patch: {why}"))
}

fn operation(mut value: Value) -> Result<Operation, PatchError> {
    if value.is_null() {
        return Ok(Operation::default());
    }
    // What is null in Go's struct is not said.
    if let Some(fields) = value.as_object_mut() {
        fields.retain(|name, said| name == "value" || !said.is_null());
    }
    let kind = go::json_kind(&value);
    let Some(fields) = value.as_object() else {
        return Err(undecodable(&format!(
            "json: cannot unmarshal {kind} into Go value of type handlers.jsonPatchOp"
        )));
    };
    for name in ["op", "path", "from"] {
        if let Some(field) = fields.get(name)
            && !field.is_string()
        {
            let kind = go::json_kind(field);
            return Err(undecodable(&format!(
                "json: cannot unmarshal {kind} into Go struct field jsonPatchOp.{name} of type string"
            )));
        }
    }
    serde_json::from_value(value).map_err(|error| undecodable(&error.to_string()))
}

/// What the operations say that is no part of them.
pub(crate) fn unknown_fields(body: &[u8]) -> Unknown {
    let operations: Vec<Value> = serde_json::from_slice(body).unwrap_or_default();
    let mut unknown = Unknown::default();
    for (at, operation) in operations.iter().enumerate() {
        let mut of_one = Unknown::default();
        for name in operation.as_object().into_iter().flat_map(Map::keys) {
            if !["op", "path", "from", "value"].contains(&name.as_str()) {
                of_one.put(name, Unknown::whole(()));
            }
        }
        unknown.put_at(at, of_one);
    }
    unknown
}

/// How deep an operation may nest a value. A few copies of a value into itself would else make it so deep that
/// nothing could look at it any more.
const DEEPEST: usize = 250;

/// A document that is patched.
struct Run {
    doc: Value,
    /// It is no deeper than this.
    depth: usize,
    /// How much was copied, in bytes.
    copied: usize,
}

impl Run {
    fn operate(&mut self, operation: Operation) -> Option<()> {
        let doc = &mut self.doc;
        let path = operation.path.as_deref()?;
        match operation.op.as_str() {
            "add" => self.add(path, operation.value, None),
            "remove" => remove(doc, path).map(|_| ()),
            "replace" => self.replace(path, operation.value),
            "move" => {
                let value = remove(doc, &operation.from)?;
                self.add(path, value, Some(self.depth))
            }
            "copy" => {
                let value = get(doc, &operation.from)?.clone();
                self.copied += serde_json::to_vec(&value).map_or(0, |json| json.len());
                if self.copied > MOST_COPIED {
                    return None;
                }
                self.add(path, value, None)
            }
            "test" if path.is_empty() => (*doc == operation.value).then_some(()),
            "test" => (*get(doc, path)? == operation.value).then_some(()),
            _ => None,
        }
    }

    /// Adds a value that is no deeper than what is known of it.
    fn add(&mut self, pointer: &str, value: Value, depth: Option<usize>) -> Option<()> {
        self.nest(pointer, &value, depth)?;
        match parent(&mut self.doc, pointer)? {
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

    fn replace(&mut self, pointer: &str, value: Value) -> Option<()> {
        self.nest(pointer, &value, None)?;
        if pointer.is_empty() {
            // Only an object or a list takes the place of all.
            let is_whole = value.is_object() || value.is_array();
            self.doc = Some(value).filter(|_| is_whole)?;
            return Some(());
        }
        match parent(&mut self.doc, pointer)? {
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

    /// Notes how deep the document becomes with a value; nothing, if it is too deep. What is moved again and again is looked
    /// at now and then alone.
    fn nest(&mut self, pointer: &str, value: &Value, depth: Option<usize>) -> Option<()> {
        let above = pointer.split('/').count();
        let mut below = depth.unwrap_or_else(|| object::depth(value));
        if above + below > DEEPEST && depth.is_some() {
            below = object::depth(value);
            self.depth = object::depth(&self.doc);
        }
        self.depth = self.depth.max(above + below);
        (above < DEEPEST && above + below <= DEEPEST).then_some(())
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

fn get<'d>(doc: &'d mut Value, pointer: &str) -> Option<&'d Value> {
    match parent(doc, pointer)? {
        (Value::Object(fields), name) => Some(fields.get(&name).unwrap_or(&Value::Null)),
        (Value::Array(elements), at) => elements.get(index(&at, elements.len())?),
        _ => None,
    }
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
