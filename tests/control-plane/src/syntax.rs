//! What Go's JSON decoder says of a text that is no JSON.

use crate::patch::go;

/// Why the text is no JSON, in the words of the API server; `None` if it is.
pub(crate) fn mistake(text: &[u8]) -> Option<String> {
    let mut scanner = Scanner {
        text,
        at: 0,
        depth: 0,
    };
    scanner.document().err()
}

/// A real server reads 10,000 levels. What reads the values here stops at as many as this, and so does what looks for
/// the mistake, which would run out of stack somewhere.
const DEEPEST: usize = 127;

struct Scanner<'t> {
    text: &'t [u8],
    at: usize,
    depth: usize,
}

type Scanned = Result<(), String>;

impl Scanner<'_> {
    fn document(&mut self) -> Scanned {
        self.value()?;
        match self.skip_space() {
            None => Ok(()),
            Some(byte) => wrong(byte, "after top-level value"),
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn next(&mut self) -> Result<u8, String> {
        let byte = self.peek().ok_or_else(end)?;
        self.at += 1;
        Ok(byte)
    }

    /// The byte after white space, which stays where it is.
    fn skip_space(&mut self) -> Option<u8> {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
        self.peek()
    }

    fn value(&mut self) -> Scanned {
        self.skip_space();
        match self.next()? {
            byte @ b'{' => self.within(byte, Self::object),
            byte @ b'[' => self.within(byte, Self::array),
            b'"' => self.string(),
            b't' => self.literal("true"),
            b'f' => self.literal("false"),
            b'n' => self.literal("null"),
            b'-' => match self.next()? {
                byte @ b'0'..=b'9' => self.number(byte),
                byte => wrong(byte, "in numeric literal"),
            },
            byte @ b'0'..=b'9' => self.number(byte),
            byte => wrong(byte, "looking for beginning of value"),
        }
    }

    fn within(&mut self, begun: u8, scan: fn(&mut Self) -> Scanned) -> Scanned {
        if self.depth == DEEPEST {
            return wrong(begun, "exceeded max depth");
        }
        self.depth += 1;
        scan(self)?;
        self.depth -= 1;
        Ok(())
    }

    fn object(&mut self) -> Scanned {
        if self.skip_space() == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.skip_space();
            match self.next()? {
                b'"' => self.string()?,
                byte => return wrong(byte, "looking for beginning of object key string"),
            }
            self.skip_space();
            match self.next()? {
                b':' => self.value()?,
                byte => return wrong(byte, "after object key"),
            }
            self.skip_space();
            match self.next()? {
                b',' => {}
                b'}' => return Ok(()),
                byte => return wrong(byte, "after object key:value pair"),
            }
        }
    }

    fn array(&mut self) -> Scanned {
        if self.skip_space() == Some(b']') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.value()?;
            self.skip_space();
            match self.next()? {
                b',' => {}
                b']' => return Ok(()),
                byte => return wrong(byte, "after array element"),
            }
        }
    }

    fn string(&mut self) -> Scanned {
        loop {
            match self.next()? {
                b'"' => return Ok(()),
                b'\\' => self.escape()?,
                byte if byte < b' ' => return wrong(byte, "in string literal"),
                _ => {}
            }
        }
    }

    fn escape(&mut self) -> Scanned {
        match self.next()? {
            b'b' | b'f' | b'n' | b'r' | b't' | b'\\' | b'/' | b'"' => Ok(()),
            b'u' => {
                for _ in 0..4 {
                    let byte = self.next()?;
                    if !byte.is_ascii_hexdigit() {
                        return wrong(byte, "in \\u hexadecimal character escape");
                    }
                }
                Ok(())
            }
            byte => wrong(byte, "in string escape code"),
        }
    }

    fn literal(&mut self, word: &str) -> Scanned {
        for expected in word.chars().skip(1) {
            let byte = self.next()?;
            if char::from(byte) != expected {
                return wrong(byte, &format!("in literal {word} (expecting '{expected}')"));
            }
        }
        Ok(())
    }

    fn digits(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
    }

    /// After the first digit.
    fn number(&mut self, first: u8) -> Scanned {
        if first != b'0' {
            self.digits();
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digit("after decimal point in numeric literal")?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digit("in exponent of numeric literal")?;
        }
        Ok(())
    }

    fn digit(&mut self, place: &str) -> Scanned {
        match self.next()? {
            b'0'..=b'9' => {
                self.digits();
                Ok(())
            }
            byte => wrong(byte, place),
        }
    }
}

fn end() -> String {
    "unexpected end of JSON input".to_owned()
}

fn wrong(byte: u8, place: &str) -> Scanned {
    let shown = match char::from(byte) {
        '\'' => "\\'".to_owned(),
        '"' => "\"".to_owned(),
        other => go::unquoted(&other.to_string()),
    };
    Err(format!("invalid character '{shown}' {place}"))
}
