//! Label selectors as they are written: `a=b,c in (d,e),!f`.

use super::{Requirement, Test};
use crate::api::rules::{check_label_value, check_qualified};
use crate::patch::go;

/// What stands at a place of a selector.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Token {
    Word,
    Not,
    Equal,
    NotEqual,
    Above,
    Below,
    Open,
    Close,
    Comma,
    End,
    Odd,
}

/// What Go's lexer passes over.
const SPACES: [char; 4] = [' ', '\t', '\r', '\n'];
const SYMBOLS: &str = "=!<>(),";

/// Reads a selector; the errors are those of a real server.
pub(super) fn parse(text: &str) -> Result<Vec<Requirement>, String> {
    let mut parser = Parser { rest: text };
    let mut requirements = Vec::new();
    loop {
        match parser.peek() {
            (Token::Word | Token::Not, _) => {}
            (Token::End, _) => return Ok(requirements),
            (_, found) => {
                return Err(format!(
                    "found '{found}', expected: !, identifier, or 'end of string'"
                ));
            }
        }
        let requirement = parser.requirement();
        requirements
            .push(requirement.map_err(|why| format!("unable to parse requirement: {why}"))?);
        match parser.next() {
            (Token::End, _) => return Ok(requirements),
            (Token::Comma, _) => match parser.peek() {
                (Token::Word | Token::Not, _) => {}
                (_, found) => {
                    return Err(format!("found '{found}', expected: identifier after ','"));
                }
            },
            (_, found) => return Err(format!("found '{found}', expected: ',' or 'end of string'")),
        }
    }
}

struct Parser<'a> {
    rest: &'a str,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> (Token, &'a str) {
        Parser { rest: self.rest }.next()
    }

    fn next(&mut self) -> (Token, &'a str) {
        self.rest = self.rest.trim_start_matches(SPACES);
        let (token, length) = match self.rest.as_bytes() {
            [] => (Token::End, 0),
            [b'(', ..] => (Token::Open, 1),
            [b')', ..] => (Token::Close, 1),
            [b',', ..] => (Token::Comma, 1),
            [b'=', b'=', ..] => (Token::Equal, 2),
            [b'=', ..] => (Token::Equal, 1),
            [b'!', b'=', ..] => (Token::NotEqual, 2),
            [b'!', ..] => (Token::Not, 1),
            [b'>', ..] => (Token::Above, 1),
            [b'<', ..] => (Token::Below, 1),
            _ => {
                let ends = |c: char| SPACES.contains(&c) || SYMBOLS.contains(c);
                let length = self.rest.find(ends).unwrap_or(self.rest.len());
                (if length == 0 { Token::Odd } else { Token::Word }, length)
            }
        };
        let (found, rest) = self.rest.split_at(length);
        self.rest = rest;
        (token, found)
    }

    fn requirement(&mut self) -> Result<Requirement, String> {
        let (mut token, mut key) = self.next();
        let absent = token == Token::Not;
        if absent {
            (token, key) = self.next();
        }
        if token != Token::Word {
            return Err(format!("found '{key}', expected: identifier"));
        }
        let wrong = check_qualified(key);
        if !wrong.is_empty() {
            return Err(format!(
                "<nil>: Invalid value: {}: {}",
                go::quoted(key),
                wrong.join("; ")
            ));
        }
        let key = key.to_owned();
        if absent {
            return Ok(Requirement {
                key,
                test: Test::Absent,
            });
        }
        if matches!(self.peek().0, Token::End | Token::Comma) {
            return Ok(Requirement {
                key,
                test: Test::Exists,
            });
        }
        let (operator, said) = self.next();
        let test = match (operator, said) {
            (Token::Word, "in") => Test::In(self.set(&key)?),
            (Token::Word, "notin") => Test::NotIn(self.set(&key)?),
            (Token::Equal, _) => Test::In(vec![self.value(&key)?]),
            (Token::NotEqual, _) => Test::NotIn(vec![self.value(&key)?]),
            (Token::Above, _) => Test::Above(self.number(&key)?),
            (Token::Below, _) => Test::Below(self.number(&key)?),
            _ => {
                return Err(format!(
                    "found '{said}', expected: in, notin, =, ==, !=, gt, lt"
                ));
            }
        };
        Ok(Requirement { key, test })
    }

    fn exact(&mut self) -> Result<&'a str, String> {
        if matches!(self.peek().0, Token::End | Token::Comma) {
            return Ok("");
        }
        match self.next() {
            (Token::Word, word) => Ok(word),
            (_, found) => Err(format!("found '{found}', expected: identifier")),
        }
    }

    fn value(&mut self, key: &str) -> Result<String, String> {
        let value = self.exact()?;
        check(key, 0, value)?;
        Ok(value.to_owned())
    }

    fn number(&mut self, key: &str) -> Result<i64, String> {
        let value = self.exact()?;
        let number = value.parse().map_err(|_| {
            let value = go::quoted(value);
            format!("values[0]: Invalid value: {value}: for 'Gt', 'Lt' operators, the value must be an integer")
        });
        match (number, check(key, 0, value)) {
            (Ok(number), Ok(())) => Ok(number),
            (Err(one), Err(other)) => Err(format!("[{one}, {other}]")),
            (Err(why), Ok(())) | (Ok(_), Err(why)) => Err(why),
        }
    }

    fn set(&mut self, key: &str) -> Result<Vec<String>, String> {
        let (token, found) = self.next();
        if token != Token::Open {
            return Err(format!("found '{found}' expected: '('"));
        }
        let mut values = Vec::new();
        match self.peek() {
            (Token::Word | Token::Comma, _) => self.elements(&mut values)?,
            (Token::Close, _) => values.push(String::new()),
            (_, found) => return Err(format!("found '{found}', expected: ',', ')' or identifier")),
        }
        let (token, found) = self.next();
        if token != Token::Close {
            return Err(format!("found '{found}', expected: ')'"));
        }
        values.sort();
        values.dedup();
        for (index, value) in values.iter().enumerate() {
            check(key, index, value)?;
        }
        Ok(values)
    }

    /// What is between commas; nothing is an empty value.
    fn elements(&mut self, values: &mut Vec<String>) -> Result<(), String> {
        loop {
            match self.next() {
                (Token::Word, word) => {
                    values.push(word.to_owned());
                    match self.peek() {
                        (Token::Comma, _) => {}
                        (Token::Close, _) => return Ok(()),
                        (_, found) => return Err(format!("found '{found}', expected: ',' or ')'")),
                    }
                }
                (Token::Comma, _) => {
                    if values.is_empty() {
                        values.push(String::new());
                    }
                    match self.peek().0 {
                        Token::Close => {
                            values.push(String::new());
                            return Ok(());
                        }
                        Token::Comma => {
                            self.next();
                            values.push(String::new());
                        }
                        _ => {}
                    }
                }
                (_, found) => return Err(format!("found '{found}', expected: ',', or identifier")),
            }
        }
    }
}

fn check(key: &str, index: usize, value: &str) -> Result<(), String> {
    match check_label_value(value) {
        Some(why) => Err(format!(
            "values[{index}][{key}]: Invalid value: {}: {why}",
            go::quoted(value)
        )),
        None => Ok(()),
    }
}
