//! Reads JSONPaths.

use serde_json::Number;

use super::{End, Node, Operator, Slice, number};

/// What ends a name.
const ENDS: &[char] = &[
    ' ', '\t', '\r', '\n', '.', ',', '[', ']', '$', '@', '{', '}',
];

/// Reads what is in the first braces of a text; nothing, if anything in it cannot be read.
pub(super) fn parse(text: &str) -> Option<Vec<Node>> {
    let mut parser = Parser { rest: text };
    let mut first = None;
    // Only what the first of them finds is shown, but all of them have to be read.
    while let Some(at) = parser.rest.find('{') {
        let is_first = at == 0 && first.is_none();
        parser.rest = &parser.rest[at + 1..];
        let nodes = parser.inside()?;
        if is_first {
            first = Some(nodes);
        }
    }
    first
}

struct Parser<'t> {
    rest: &'t str,
}

impl<'t> Parser<'t> {
    fn skip(&mut self, prefix: &str) -> bool {
        let rest = self.rest.strip_prefix(prefix);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn take(&mut self, end: usize) -> &'t str {
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }

    /// All up to the closing brace.
    fn inside(&mut self) -> Option<Vec<Node>> {
        let mut nodes = Vec::new();
        loop {
            if self.skip("}") {
                return Some(nodes);
            } else if self.skip("[?(") {
                nodes.push(self.filter()?);
            } else if self.skip("..") {
                if matches!(nodes.last(), Some(Node::Below)) {
                    return None;
                }
                nodes.push(Node::Below);
                if self
                    .rest
                    .starts_with(|c: char| c.is_alphanumeric() || c == '_')
                {
                    nodes.push(self.field());
                }
            } else if self.skip("[") {
                nodes.append(&mut self.brackets()?);
            } else if self.skip(".") {
                nodes.push(self.field());
            } else if self.rest.starts_with([' ', '@', '$']) {
                self.take(1);
            } else if self.rest.starts_with(['"', '\'']) {
                nodes.push(Node::Literal(self.quoted()?.into()));
            } else if self
                .rest
                .starts_with(|c: char| c == '+' || c == '-' || c.is_numeric())
            {
                nodes.push(self.number()?);
            } else if self
                .rest
                .starts_with(|c: char| c.is_alphabetic() || c == '_')
            {
                let end = self.rest.find(ENDS).unwrap_or(self.rest.len());
                nodes.push(match self.take(end) {
                    "true" => Node::Literal(true.into()),
                    "false" => Node::Literal(false.into()),
                    _ => Node::Unknown,
                });
            } else {
                return None;
            }
        }
    }

    /// What comes behind a dot.
    fn field(&mut self) -> Node {
        let mut chars = self.rest.char_indices();
        let mut end = self.rest.len();
        while let Some((at, letter)) = chars.next() {
            if letter == '\\' {
                chars.next();
            } else if ENDS.contains(&letter) {
                end = at;
                break;
            }
        }
        match self.take(end) {
            "*" => Node::All,
            name => Node::Field(name.replace('\\', "")),
        }
    }

    fn quoted(&mut self) -> Option<String> {
        let quote = self.rest.chars().next()?;
        let mut text = String::new();
        let mut chars = self.rest.char_indices().skip(1);
        loop {
            match chars.next()? {
                (_, '\n') => return None,
                (_, '\\') => match chars.next()?.1 {
                    'n' => text.push('\n'),
                    't' => text.push('\t'),
                    escaped if escaped == quote || escaped == '\\' => text.push(escaped),
                    _ => return None,
                },
                (at, letter) if letter == quote => {
                    self.take(at + 1);
                    return Some(text);
                }
                (_, letter) => text.push(letter),
            }
        }
    }

    fn number(&mut self) -> Option<Node> {
        let sign = usize::from(self.rest.starts_with(['+', '-']));
        let digits = self.rest.get(sign..)?;
        let length = digits
            .find(|c: char| c != '.' && !c.is_numeric())
            .unwrap_or(digits.len());
        let text = self.take(sign + length);
        match text.parse::<i64>() {
            Ok(whole) => Some(number(whole)),
            Err(_) => Number::from_f64(text.parse().ok()?).map(number),
        }
    }

    fn brackets(&mut self) -> Option<Vec<Node>> {
        let end = self.rest.find([']', '\n'])?;
        let inside = self.take(end);
        if !self.skip("]") {
            return None;
        }
        let parts: Vec<&str> = inside.split(',').collect();
        if parts.len() > 1 {
            let paths = parts
                .iter()
                .map(|part| parse(&format!("{{[{}]}}", part.trim_matches(' '))));
            return Some(vec![Node::Union(paths.collect::<Option<_>>()?)]);
        }
        let key = inside.strip_prefix('\'');
        if let Some(key) = key.and_then(|key| key.strip_suffix('\''))
            && !key.contains('\'')
        {
            return parse(&format!("{{.{key}}}"));
        }
        slice(if inside == "*" { ":" } else { inside }).map(|slice| vec![Node::Slice(slice)])
    }

    fn filter(&mut self) -> Option<Node> {
        let (mut opened, mut end, mut before) = (None, None, ' ');
        for (at, letter) in self.rest.char_indices() {
            match letter {
                '\n' => return None,
                '"' | '\'' => match opened {
                    None => opened = Some((letter, false)),
                    Some((quote, _)) if quote == letter && before != '\\' => {
                        opened = Some((quote, true));
                    }
                    Some(_) => {}
                },
                ')' if opened.is_none_or(|(_, is_closed)| is_closed) => {
                    end = Some(at);
                    break;
                }
                _ => {}
            }
            before = letter;
        }
        let condition = self.take(end?);
        if !self.skip(")]") {
            return None;
        }
        let side = |text: &str| parse(&format!("{{{text}}}"));
        let signs: &[char] = &['!', '<', '>', '='];
        let begin = condition.find(signs).filter(|begin| *begin > 0);
        let compared = begin.and_then(|begin| {
            let (left, rest) = condition.split_at(begin);
            // Of signs alone the last one is compared with.
            let length = rest.find(|c: char| !signs.contains(&c));
            let length = length.unwrap_or(rest.len() - 1);
            (length > 0).then(|| (left, rest.split_at(length)))
        });
        Some(match compared {
            None => Node::Where {
                left: side(condition)?,
                compared: None,
            },
            Some((left, (operator, right))) => Node::Where {
                left: side(left)?,
                compared: Some((Operator::read(operator), side(right)?)),
            },
        })
    }
}

fn slice(text: &str) -> Option<Slice> {
    let parts: Vec<&str> = text.split(':').collect();
    let number = |at: usize| -> Option<Option<i64>> {
        match parts.get(at).copied().unwrap_or_default() {
            "" => Some(None),
            digits if digits.starts_with('+') => None,
            digits => digits.parse().ok().map(Some),
        }
    };
    if parts.len() > 3 {
        return None;
    }
    let end = match (parts.len(), number(1)?) {
        (1, _) => End::Next,
        (_, Some(end)) => End::At(end),
        (_, None) => End::Open,
    };
    Some(Slice {
        start: number(0)?,
        end,
        step: number(2)?,
    })
}

impl Operator {
    fn read(text: &str) -> Self {
        match text {
            "<" => Self::Less,
            ">" => Self::Greater,
            "==" => Self::Equal,
            "!=" => Self::NotEqual,
            "<=" => Self::AtMost,
            ">=" => Self::AtLeast,
            _ => Self::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn texts_may_say_what_else_ends_a_filter() {
        let path = parse("{.a[?(@.b==\"c)]\")].d}").unwrap();
        assert!(
            matches!(&path[1], Node::Where { compared: Some((_, right)), .. }
            if matches!(&right[..], [Node::Literal(Value::String(text))] if text == "c)]"))
        );
    }
}
