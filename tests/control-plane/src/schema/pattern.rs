//! The patterns of schemas, which are regular expressions as Go has them, for an engine that has them otherwise.
//!
//! Inside a class `[`, `&&` and `--` stand for themselves in Go, `\d`, `\w` and `\s` are of ASCII, a brace that counts
//! nothing is a brace, and what is wrong is told in Go's words.

use regex::Regex;

/// Compiles a pattern, or says what Go finds wrong with it.
pub(crate) fn compile(pattern: &str) -> Result<Regex, String> {
    let translated = Translation::of(pattern)
        .map_err(|(what, at)| format!("error parsing regexp: {what}: `{at}`"))?;
    Regex::new(&translated).map_err(|error| error.to_string())
}

/// What is wrong, and the part of the pattern where it is.
type Wrong<'a> = (&'static str, &'a str);
type Rest<'a> = Result<&'a str, Wrong<'a>>;

const BAD_ESCAPE: &str = "invalid escape sequence";
const BAD_RANGE: &str = "invalid character class range";
const BAD_COUNT: &str = "invalid repeat count";
const BAD_GROUP: &str = "invalid or unsupported Perl syntax";
const BAD_NAME: &str = "invalid named capture";

struct Translation<'a> {
    whole: &'a str,
    out: String,
    open: usize,
    /// There is something that can be repeated.
    can_repeat: bool,
    /// From the repetition on that came just before.
    repeated: Option<&'a str>,
}

impl<'a> Translation<'a> {
    fn of(pattern: &'a str) -> Result<String, Wrong<'a>> {
        let mut this = Self {
            whole: pattern,
            out: String::with_capacity(pattern.len()),
            open: 0,
            can_repeat: false,
            repeated: None,
        };
        let mut rest = pattern;
        while let Some(next) = rest.chars().next() {
            let before = this.repeated.take();
            rest = this.step(next, rest, before)?;
        }
        match this.open {
            0 => Ok(this.out),
            _ => Err(("missing closing )", pattern)),
        }
    }

    /// Translates what comes next, and says what is left.
    fn step(&mut self, next: char, rest: &'a str, before: Option<&'a str>) -> Rest<'a> {
        let after = &rest[next.len_utf8()..];
        match next {
            '(' if after.starts_with('?') => self.flags(rest),
            '(' => self.open("(", after),
            '|' => self.alternative(after),
            ')' if self.open == 0 => Err(("unexpected )", self.whole)),
            ')' => {
                self.open -= 1;
                self.put(")", after)
            }
            '^' | '$' | '.' => self.put(&rest[..1], after),
            '[' => self.class(rest),
            '*' | '+' | '?' => self.repeat(rest, after, before),
            '{' => match counted(rest) {
                None => self.literal('{', after),
                Some((least, most, after)) => {
                    let wrong =
                        least > 1000 || most.is_some_and(|most| most > 1000 || least > most);
                    match wrong {
                        true => Err((BAD_COUNT, up_to(rest, after))),
                        false => self.repeat(rest, after, before),
                    }
                }
            },
            '\\' => self.escaped(rest),
            other => self.literal(other, after),
        }
    }

    fn put(&mut self, text: &str, after: &'a str) -> Rest<'a> {
        self.out.push_str(text);
        self.can_repeat = true;
        Ok(after)
    }

    fn literal(&mut self, literal: char, after: &'a str) -> Rest<'a> {
        self.put(&format!("\\x{{{:x}}}", u32::from(literal)), after)
    }

    fn open(&mut self, text: &str, after: &'a str) -> Rest<'a> {
        self.out.push_str(text);
        self.open += 1;
        self.can_repeat = false;
        Ok(after)
    }

    fn alternative(&mut self, after: &'a str) -> Rest<'a> {
        self.out.push('|');
        self.can_repeat = false;
        Ok(after)
    }

    fn repeat(&mut self, rest: &'a str, after: &'a str, before: Option<&'a str>) -> Rest<'a> {
        let after = after.strip_prefix('?').unwrap_or(after);
        if let Some(before) = before {
            return Err(("invalid nested repetition operator", up_to(before, after)));
        }
        if !self.can_repeat {
            return Err((
                "missing argument to repetition operator",
                up_to(rest, after),
            ));
        }
        self.repeated = Some(rest);
        self.put(up_to(rest, after), after)
    }

    /// A group with a name, or flags, or a group that is not kept.
    fn flags(&mut self, rest: &'a str) -> Rest<'a> {
        let named = ["(?P<", "(?<"]
            .into_iter()
            .find_map(|start| rest.strip_prefix(start));
        if let Some(named) = named {
            let (name, after) = named.split_once('>').ok_or((BAD_NAME, rest))?;
            let is_word = |name: char| name == '_' || name.is_ascii_alphanumeric();
            if name.is_empty() || !name.chars().all(is_word) {
                return Err((BAD_NAME, up_to(rest, after)));
            }
            // Go does not mind a name that begins with a digit, and nobody asks for the group.
            return self.open("(", after);
        }
        let (mut negated, mut saw_flag) = (false, false);
        for (at, flag) in rest.char_indices().skip(2) {
            let after = &rest[at + flag.len_utf8()..];
            match flag {
                'i' | 'm' | 's' | 'U' => saw_flag = true,
                '-' if !negated => (negated, saw_flag) = (true, false),
                ':' | ')' if negated && !saw_flag => return Err((BAD_GROUP, up_to(rest, after))),
                ':' => return self.open(up_to(rest, after), after),
                // Without flags it says nothing.
                ')' if at == 2 => return Ok(after),
                ')' => {
                    self.out.push_str(up_to(rest, after));
                    return Ok(after);
                }
                _ => return Err((BAD_GROUP, up_to(rest, after))),
            }
        }
        Err((BAD_GROUP, rest))
    }

    fn escaped(&mut self, rest: &'a str) -> Rest<'a> {
        let after = rest.get(2..).unwrap_or_default();
        match rest.as_bytes().get(1) {
            Some(b'A') => return self.put("\\A", after),
            Some(b'z') => return self.put("\\z", after),
            Some(b'b') => return self.put("(?-u:\\b)", after),
            Some(b'B') => return self.put("\\B", after),
            Some(b'C') => return Err((BAD_ESCAPE, up_to(rest, after))),
            Some(b'Q') => {
                let (quoted, after) = after.split_once("\\E").unwrap_or((after, ""));
                for literal in quoted.chars() {
                    self.literal(literal, after)?;
                }
                return Ok(after);
            }
            _ => {}
        }
        if let Some((group, after)) = group(rest)? {
            return self.put(&format!("[{group}]"), after);
        }
        let (literal, after) = escape(rest)?;
        self.literal(literal, after)
    }

    fn class(&mut self, class: &'a str) -> Rest<'a> {
        let mut rest = &class[1..];
        self.out.push('[');
        if let Some(after) = rest.strip_prefix('^') {
            self.out.push('^');
            rest = after;
        }
        let mut first = true;
        while first || !rest.starts_with(']') {
            first = false;
            if let Some(named) = rest.strip_prefix("[:")
                && let Some((name, after)) = named.split_once(":]")
            {
                if !NAMED.contains(&name.trim_start_matches('^')) {
                    return Err((BAD_RANGE, up_to(rest, after)));
                }
                self.out.push_str(up_to(rest, after));
                rest = after;
                continue;
            }
            if let Some((group, after)) = group(rest)? {
                self.out.push_str(&group);
                rest = after;
                continue;
            }
            let (low, mut after) = member(rest, class)?;
            let mut high = low;
            if let Some(end) = after.strip_prefix('-')
                && !end.is_empty()
                && !end.starts_with(']')
            {
                (high, after) = member(end, class)?;
                if high < low {
                    return Err((BAD_RANGE, up_to(rest, after)));
                }
            }
            let range = format!("\\x{{{:x}}}-\\x{{{:x}}}", u32::from(low), u32::from(high));
            self.out.push_str(&range);
            rest = after;
        }
        self.put("]", &rest[1..])
    }
}

/// The classes that have a name.
const NAMED: [&str; 14] = [
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct",
    "space", "upper", "word", "xdigit",
];

/// What stands before `after`, which is the end of it.
fn up_to<'a>(text: &'a str, after: &str) -> &'a str {
    &text[..text.len() - after.len()]
}

/// `{2}`, `{2,}` or `{2,3}`: the least, the most and what comes behind.
fn counted(text: &str) -> Option<(u32, Option<u32>, &str)> {
    let (inner, after) = text.strip_prefix('{')?.split_once('}')?;
    let number = |digits: &str| {
        let is_number = !digits.is_empty()
            && digits.bytes().all(|digit| digit.is_ascii_digit())
            && (digits == "0" || !digits.starts_with('0'));
        // A number that is too big is too big as any.
        is_number.then(|| digits.parse().unwrap_or(u32::MAX))
    };
    match inner.split_once(',') {
        None => number(inner).map(|exactly| (exactly, Some(exactly), after)),
        Some((least, "")) => Some((number(least)?, None, after)),
        Some((least, most)) => Some((number(least)?, Some(number(most)?), after)),
    }
}

/// What stands inside a class for `\d` and its like, or for `\p{..}`.
fn group(rest: &str) -> Result<Option<(String, &str)>, Wrong<'_>> {
    let Some(letter) = rest.strip_prefix('\\').and_then(|rest| rest.chars().next()) else {
        return Ok(None);
    };
    let after = &rest[1 + letter.len_utf8()..];
    let of_ascii = match letter.to_ascii_lowercase() {
        'd' => "0-9",
        'w' => "0-9A-Za-z_",
        's' => "\\t\\n\\x0C\\r ",
        'p' => return named_group(rest, after),
        _ => return Ok(None),
    };
    let group = match letter.is_ascii_uppercase() {
        true => format!("[^{of_ascii}]"),
        false => of_ascii.to_owned(),
    };
    Ok(Some((group, after)))
}

/// `\p{..}` and `\P{..}`, where `^` turns the name around.
fn named_group<'a>(rest: &'a str, name: &'a str) -> Result<Option<(String, &'a str)>, Wrong<'a>> {
    let (name, after) = match name.strip_prefix('{') {
        Some(braced) => braced.split_once('}').ok_or((BAD_RANGE, rest))?,
        None => name.split_at(name.chars().next().map_or(0, char::len_utf8)),
    };
    let positive = rest.starts_with("\\p") != name.starts_with('^');
    let letter = if positive { 'p' } else { 'P' };
    let group = format!("\\{letter}{{{}}}", name.trim_start_matches('^'));
    match Regex::new(&group) {
        Ok(_) => Ok(Some((group, after))),
        Err(_) => Err((BAD_RANGE, up_to(rest, after))),
    }
}

/// A character of a class.
fn member<'a>(rest: &'a str, class: &'a str) -> Result<(char, &'a str), Wrong<'a>> {
    match rest.chars().next() {
        None => Err(("missing closing ]", class)),
        Some('\\') => escape(rest),
        Some(other) => Ok((other, &rest[other.len_utf8()..])),
    }
}

/// The character that an escape stands for.
fn escape(rest: &str) -> Result<(char, &str), Wrong<'_>> {
    let Some(letter) = rest.chars().nth(1) else {
        return Err(("trailing backslash at end of expression", ""));
    };
    let after = &rest[1 + letter.len_utf8()..];
    let known = match letter {
        'a' => Some('\x07'),
        'f' => Some('\x0C'),
        'n' => Some('\n'),
        'r' => Some('\r'),
        't' => Some('\t'),
        'v' => Some('\x0B'),
        _ if letter.is_ascii() && !letter.is_ascii_alphanumeric() => Some(letter),
        _ => None,
    };
    if let Some(known) = known {
        return Ok((known, after));
    }
    let octal = |text: &str| {
        text.bytes()
            .take_while(|byte| (b'0'..b'8').contains(byte))
            .count()
    };
    let digits = &rest[1..];
    match letter {
        'x' => hexadecimal(rest, after),
        '0'..='7' if letter == '0' || octal(after) > 0 => {
            let (digits, after) = digits.split_at(octal(digits).min(3));
            let code = u32::from_str_radix(digits, 8).ok().and_then(char::from_u32);
            code.map(|code| (code, after)).ok_or((BAD_ESCAPE, rest))
        }
        _ => Err((BAD_ESCAPE, up_to(rest, after))),
    }
}

/// `\x7F` or `\x{10FFFF}`. What is wrong is told up to the first character that cannot be.
fn hexadecimal<'a>(rest: &'a str, after: &'a str) -> Result<(char, &'a str), Wrong<'a>> {
    let wrong = |behind| (BAD_ESCAPE, up_to(rest, behind));
    let Some(braced) = after.strip_prefix('{') else {
        let two = after
            .char_indices()
            .nth(2)
            .map_or(after.len(), |(at, _)| at);
        let (digits, behind) = after.split_at(two);
        let mut codes = digits.chars().map(|digit| digit.to_digit(16));
        let (high, low) = (codes.next().flatten(), codes.next().flatten());
        let code = high
            .zip(low)
            .and_then(|(high, low)| char::from_u32(high * 16 + low));
        return code.map(|code| (code, behind)).ok_or(wrong(behind));
    };
    let mut code = None;
    for (at, digit) in braced.char_indices() {
        let behind = &braced[at + digit.len_utf8()..];
        match (digit.to_digit(16), code) {
            (None, Some(code)) if digit == '}' => {
                return char::from_u32(code)
                    .map(|code| (code, behind))
                    .ok_or(wrong(behind));
            }
            (Some(digit), _) => {
                let next = code.unwrap_or(0) * 16 + digit;
                code = Some(next).filter(|next| *next <= u32::from(char::MAX));
                code.ok_or(wrong(behind))?;
            }
            (None, _) => return Err(wrong(behind)),
        }
    }
    Err(wrong(""))
}
