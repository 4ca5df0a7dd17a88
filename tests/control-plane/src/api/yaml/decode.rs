//! From the nodes of a document to its value.

use std::collections::HashSet;

use serde_json::{Map, Number, Value};

use super::nodes::{At, Content, Document};
use super::scalar::{self, Scalar};
use super::{key::Key, limits::Limits};

/// What a document says.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Said {
    pub(crate) value: Value,
    /// The keys that are there again, as Go tells them.
    pub(crate) twice: Vec<String>,
}

/// Decodes a document; of a key that is there again the last value counts.
pub(super) fn decode(document: &Document<'_>) -> Result<Said, String> {
    let mut decoder = Decoder {
        document,
        limits: Limits::default(),
        following: HashSet::new(),
        twice: Vec::new(),
        no_json: None,
    };
    decoder.limits.decode()?;
    let value = decoder.value(0).map_err(|why| format!("yaml: {why}"))?;
    match decoder.no_json {
        Some(why) => Err(why),
        None => Ok(Said {
            value,
            twice: decoder.twice,
        }),
    }
}

struct Decoder<'document> {
    document: &'document Document<'document>,
    limits: Limits,
    /// The aliases that are being followed.
    following: HashSet<At>,
    twice: Vec<String>,
    /// Why it can be read as YAML and cannot be said in JSON, which matters once all is read.
    no_json: Option<String>,
}

impl Decoder<'_> {
    fn value(&mut self, at: At) -> Result<Value, String> {
        self.limits.decode()?;
        let Some(node) = self.document.node(at) else {
            return Ok(Value::Null);
        };
        match &node.content {
            Content::Scalar { .. } => {
                let scalar = self.scalar(&node.content)?;
                Ok(self.in_json(scalar))
            }
            Content::Alias { name, of } => self.follow(at, name, |me| me.value(*of)),
            Content::Sequence(nodes) => self.nested(|me| {
                let values: Result<_, _> = nodes.iter().map(|at| me.value(*at)).collect();
                values.map(Value::Array)
            }),
            Content::Mapping(nodes) => {
                let mut mapping = Mapping::default();
                self.fill(&mut mapping, nodes)?;
                Ok(Value::Object(mapping.fields))
            }
        }
    }

    fn fill(&mut self, mapping: &mut Mapping, nodes: &[At]) -> Result<(), String> {
        self.nested(|me| {
            for pair in nodes.chunks_exact(2) {
                let &[key, value] = pair else { continue };
                if me.is_merge(key) {
                    me.merge(mapping, value)?;
                    continue;
                }
                let key = me.key(key)?;
                let read = me.value(value)?;
                me.set(mapping, &key, value, read);
            }
            Ok(())
        })
    }

    fn set(&mut self, mapping: &mut Mapping, key: &Key, at: At, value: Value) {
        if let Some(why) = key.why_not_in_json(&value) {
            self.no_json.get_or_insert(why);
        }
        if key.identity().is_some_and(|key| !mapping.keys.insert(key)) {
            let line = self.document.node(at).map_or(0, |node| node.line);
            let told = format!("line {line}: key {} already set in map", key.shown());
            self.twice.push(told);
        }
        mapping.fields.insert(key.text(), value);
    }

    fn key(&mut self, at: At) -> Result<Key, String> {
        let Some(node) = self.document.node(at) else {
            return Ok(Key::of(Scalar::Null));
        };
        match &node.content {
            Content::Scalar { .. } => {
                self.limits.decode()?;
                self.scalar(&node.content).map(Key::of)
            }
            Content::Alias { name, of } => {
                self.limits.decode()?;
                self.follow(at, name, |me| me.key(*of))
            }
            Content::Sequence(_) | Content::Mapping(_) => {
                let key = self.value(at)?;
                Err(format!("invalid map key: {}", super::key::shown(&key)))
            }
        }
    }

    fn is_merge(&self, at: At) -> bool {
        let content = self.document.node(at).map(|node| &node.content);
        matches!(content, Some(Content::Scalar { text, tag, is_plain })
            if text == "<<" && (*is_plain || tag.as_deref() == Some("!!merge")))
    }

    /// Takes the fields of other mappings, of which the first counts most.
    fn merge(&mut self, mapping: &mut Mapping, at: At) -> Result<(), String> {
        let content = self.document.node(at).map(|node| &node.content);
        match content {
            Some(Content::Sequence(nodes)) => {
                let mut nodes = nodes.iter().rev();
                nodes.try_for_each(|at| self.merge_one(mapping, *at))
            }
            _ => self.merge_one(mapping, at),
        }
    }

    fn merge_one(&mut self, mapping: &mut Mapping, at: At) -> Result<(), String> {
        let content = |at| self.document.node(at).map(|node| &node.content);
        match content(at) {
            Some(Content::Mapping(nodes)) => {
                self.limits.decode()?;
                self.fill(mapping, nodes)
            }
            Some(Content::Alias { name, of }) => match content(*of) {
                Some(Content::Mapping(nodes)) => {
                    self.limits.decode()?;
                    self.follow(at, name, |me| {
                        me.limits.decode()?;
                        me.fill(mapping, nodes)
                    })
                }
                _ => Err(NO_MAP.to_owned()),
            },
            _ => Err(NO_MAP.to_owned()),
        }
    }

    fn follow<T>(
        &mut self,
        at: At,
        name: &str,
        read: impl FnOnce(&mut Self) -> Result<T, String>,
    ) -> Result<T, String> {
        if !self.following.insert(at) {
            return Err(format!("anchor '{name}' value contains itself"));
        }
        self.limits.enter_alias();
        let read = read(self);
        self.limits.leave_alias();
        self.following.remove(&at);
        read
    }

    fn nested<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, String>,
    ) -> Result<T, String> {
        self.limits.enter()?;
        let read = read(self);
        self.limits.leave();
        read
    }

    fn scalar(&mut self, content: &Content<'_>) -> Result<Scalar, String> {
        let Content::Scalar {
            text,
            tag,
            is_plain,
        } = content
        else {
            return Ok(Scalar::Null);
        };
        self.limits.copy(text.len())?;
        match tag {
            Some(tag) => scalar::tagged(tag, text),
            None if *is_plain => Ok(scalar::plain(text)),
            None => Ok(Scalar::Text(text.clone().into_owned())),
        }
    }

    fn in_json(&mut self, scalar: Scalar) -> Value {
        match scalar {
            Scalar::Null => Value::Null,
            Scalar::Bool(is_so) => is_so.into(),
            Scalar::Int(number) => number.into(),
            #[allow(clippy::cast_precision_loss, reason = "as Go reads it from JSON")]
            Scalar::Unsigned(number) => (number as f64).into(),
            Scalar::Float(number) => match in_json(number) {
                Some(number) => Value::Number(number),
                None => {
                    let shown = match number {
                        _ if number.is_nan() => "NaN",
                        _ if number > 0.0 => "+Inf",
                        _ => "-Inf",
                    };
                    let why = || format!("json: unsupported value: {shown}");
                    self.no_json.get_or_insert_with(why);
                    Value::Null
                }
            },
            Scalar::Text(text) => text.into(),
        }
    }
}

/// A number as it comes back from JSON, which shows one without a fraction as an integer, as short as can be.
pub(super) fn in_json(number: f64) -> Option<Number> {
    match number.to_string().parse::<i64>() {
        Ok(number) => Some(number.into()),
        Err(_) => Number::from_f64(number),
    }
}

const NO_MAP: &str = "map merge requires map or sequence of maps as the value";

/// A mapping of which a part has been read.
#[derive(Default)]
struct Mapping {
    fields: Map<String, Value>,
    keys: HashSet<String>,
}
