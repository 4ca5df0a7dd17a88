//! The query of a request.

use crate::odd;

const MOST_PARAMETERS: usize = 10_000;

/// The parameters, decoded, in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    pub(crate) fn parse(text: &str) -> Self {
        // Of so many none is read, as in Go.
        if text.bytes().filter(|byte| *byte == b'&').count() >= MOST_PARAMETERS {
            return Self::default();
        }
        // What cannot be decoded is passed over, as Go does, and so is what is parted by semicolons.
        let pairs = text
            .split('&')
            .filter(|pair| !pair.is_empty() && encodes(pair) && !pair.contains(';'));
        let pairs = pairs.map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name, true), decode(value, true))
        });
        Self(pairs.collect())
    }

    /// A parameter; an empty one counts as not given.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.raw(name).filter(|value| !value.is_empty())
    }

    /// A parameter as it stands there, even if it says nothing.
    pub(crate) fn raw(&self, name: &str) -> Option<&str> {
        let mut parameters = self.0.iter();
        parameters
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// Sets a parameter, in place of what was said.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.0.retain(|(known, _)| known != name);
        self.0.push((name.to_owned(), value.to_owned()));
    }

    /// All values of a parameter that may be given more than once.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        self.0
            .iter()
            .filter(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
            .collect()
    }

    /// A flag, as Kubernetes reads it: there and not false.
    pub(crate) fn flag(&self, name: &str) -> bool {
        self.tri(name) == Some(true)
    }

    /// A flag that may also be left open.
    pub(crate) fn tri(&self, name: &str) -> Option<bool> {
        let value = self.raw(name)?;
        Some(!matches!(
            value.to_ascii_lowercase().as_str(),
            "false" | "0"
        ))
    }
}

/// Undoes the percent encoding of a path; nothing if there is a percent sign that encodes nothing.
pub(super) fn decode_path(path: &str) -> Option<String> {
    encodes(path).then(|| decode(path, false))
}

/// Whether every percent sign encodes something.
fn encodes(text: &str) -> bool {
    let is_hex = |digit: Option<&u8>| digit.is_some_and(u8::is_ascii_hexdigit);
    let bytes = text.as_bytes();
    let mut signs = (0..bytes.len()).filter(|at| bytes.get(*at) == Some(&b'%'));
    signs.all(|at| is_hex(bytes.get(at + 1)) && is_hex(bytes.get(at + 2)))
}

/// Undoes percent encoding (and, in a query, pluses). Bytes that are no UTF-8 are told apart but in a query.
pub(crate) fn decode(text: &str, plus: bool) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut index = 0;
    while let Some(&byte) = bytes.get(index) {
        let hex = |at: usize| {
            bytes
                .get(at)
                .and_then(|&digit| char::from(digit).to_digit(16))
        };
        match (byte, hex(index + 1), hex(index + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                index += 3;
                continue;
            }
            (b'+', ..) if plus => out.push(b' '),
            _ => out.push(byte),
        }
        index += 1;
    }
    match plus {
        true => String::from_utf8_lossy(&out).into_owned(),
        false => odd::read(&out),
    }
}
