//! A document as Go's `http.ServeContent` sends it: whole, in parts, or not at all to whom has it already.

use bytes::{Bytes, BytesMut};
use http::header::{
    ACCEPT_RANGES, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderName, HeaderValue, IF_MATCH,
    IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE, LAST_MODIFIED, RANGE,
};
use http::{Method, Response, StatusCode};
use jiff::Timestamp;

use super::{Asked, openapi, response};
use crate::serve::{Body, full};

/// What is to be sent.
pub(super) struct Content {
    pub(super) content_type: &'static str,
    pub(super) body: Bytes,
    /// By which a client sees that it is another one, with its quotes.
    pub(super) tag: Option<String>,
    pub(super) modified: Timestamp,
}

/// What a client that says something of what it has is to be told.
enum Wanted {
    Whole,
    Unchanged,
    Refused,
}

impl Content {
    pub(super) fn answer(self, asked: &Asked) -> Response<Body> {
        match self.wanted(asked) {
            Wanted::Whole => {}
            Wanted::Unchanged => {
                let mut answer = response::nothing(StatusCode::NOT_MODIFIED);
                match &self.tag {
                    Some(_) => self.tell(&mut answer, &[ETAG]),
                    None => self.tell(&mut answer, &[LAST_MODIFIED]),
                }
                return answer;
            }
            Wanted::Refused => {
                let mut answer = response::nothing(StatusCode::PRECONDITION_FAILED);
                self.tell(&mut answer, &[ETAG, LAST_MODIFIED]);
                if self.tag.is_some() {
                    let kind = HeaderValue::from_static(self.content_type);
                    answer.headers_mut().insert(CONTENT_TYPE, kind);
                }
                return answer;
            }
        }
        let range = said(asked, RANGE).filter(|_| self.is_of_range(asked));
        let ranges = match range.map_or(Ok(Vec::new()), |range| ranges(range, self.body.len())) {
            Ok(ranges) => ranges,
            Err(why) => return self.no_range(&why),
        };
        let mut answer = match ranges.as_slice() {
            [] => response::bytes(StatusCode::OK, self.content_type, self.body.clone()),
            [one] => {
                let part = self.body.slice(one.start..one.end);
                let mut answer =
                    response::bytes(StatusCode::PARTIAL_CONTENT, self.content_type, part);
                if let Ok(range) = HeaderValue::try_from(self.said(one)) {
                    answer.headers_mut().insert(CONTENT_RANGE, range);
                }
                answer
            }
            many => self.in_parts(many),
        };
        self.tell(&mut answer, &[ETAG, LAST_MODIFIED]);
        let in_bytes = HeaderValue::from_static("bytes");
        answer.headers_mut().insert(ACCEPT_RANGES, in_bytes);
        answer
    }

    fn wanted(&self, asked: &Asked) -> Wanted {
        let reads = [Method::GET, Method::HEAD].contains(&asked.method);
        let modified = self.modified.as_second();
        let date = |name: HeaderName| said(asked, name).and_then(seconds);
        match said(asked, IF_MATCH) {
            Some(tags) if !self.is_among(tags, |tag| tag) => return Wanted::Refused,
            None if date(IF_UNMODIFIED_SINCE).is_some_and(|since| modified > since) => {
                return Wanted::Refused;
            }
            _ => {}
        }
        match said(asked, IF_NONE_MATCH) {
            Some(tags) if self.is_among(tags, weak) => match reads {
                true => Wanted::Unchanged,
                false => Wanted::Refused,
            },
            None if reads && date(IF_MODIFIED_SINCE).is_some_and(|since| modified <= since) => {
                Wanted::Unchanged
            }
            _ => Wanted::Whole,
        }
    }

    /// Whether the tag is among others; what is behind something that is none is not looked at.
    fn is_among(&self, tags: &str, read: impl Fn(&str) -> &str) -> bool {
        let mut rest = tags.trim_start();
        while !rest.is_empty() {
            if rest.starts_with('*') {
                return true;
            }
            rest = match (rest.strip_prefix(','), first_tag(rest)) {
                (Some(rest), _) => rest,
                (None, Some((tag, _))) if self.tag.as_deref() == Some(read(tag)) => return true,
                (None, Some((_, rest))) => rest,
                (None, None) => return false,
            }
            .trim_start();
        }
        false
    }

    /// Whether the parts that are asked for are those of this document.
    fn is_of_range(&self, asked: &Asked) -> bool {
        let reads = [Method::GET, Method::HEAD].contains(&asked.method);
        let Some(of) = said(asked, IF_RANGE).filter(|_| reads) else {
            return true;
        };
        match first_tag(of) {
            Some((tag, _)) => self.tag.as_deref() == Some(tag),
            None => seconds(of) == Some(self.modified.as_second()),
        }
    }

    fn tell(&self, answer: &mut Response<Body>, names: &[HeaderName]) {
        for name in names {
            let value = match *name {
                ETAG => self.tag.clone(),
                _ => Some(date(self.modified)),
            };
            let value = value.and_then(|value| HeaderValue::try_from(value).ok());
            if let Some(value) = value {
                answer.headers_mut().insert(name, value);
            }
        }
    }

    fn no_range(&self, why: &NoRange) -> Response<Body> {
        let text = "text/plain; charset=utf-8";
        let code = StatusCode::RANGE_NOT_SATISFIABLE;
        let answer = match why {
            NoRange::Unreadable => response::bytes(code, text, "invalid range\n"),
            NoRange::Beyond => {
                let mut answer = response::bytes(code, text, "invalid range: failed to overlap\n");
                let size = format!("bytes */{}", self.body.len());
                if let Ok(size) = HeaderValue::try_from(size) {
                    answer.headers_mut().insert(CONTENT_RANGE, size);
                }
                answer
            }
        };
        response::unsniffed(answer)
    }

    fn said(&self, Part { start, end }: &Part) -> String {
        format!("bytes {start}-{}/{}", end - 1, self.body.len())
    }

    /// Several parts, between lines that stand nowhere in what is sent.
    fn in_parts(&self, parts: &[Part]) -> Response<Body> {
        let mut boundary = openapi::hash(&self.body);
        boundary.truncate(60);
        let mut body = BytesMut::new();
        for (at, part) in parts.iter().enumerate() {
            let line = if at == 0 { "" } else { "\r\n" };
            let head = format!(
                "{line}--{boundary}\r\nContent-Range: {}\r\nContent-Type: {}\r\n\r\n",
                self.said(part),
                self.content_type
            );
            body.extend_from_slice(head.as_bytes());
            body.extend_from_slice(&self.body.slice(part.start..part.end));
        }
        body.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
        let mut answer = response::nothing(StatusCode::PARTIAL_CONTENT);
        *answer.body_mut() = full(body.freeze());
        let kind = format!("multipart/byteranges; boundary={boundary}");
        if let Ok(kind) = HeaderValue::try_from(kind) {
            answer.headers_mut().insert(CONTENT_TYPE, kind);
        }
        answer
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Part {
    start: usize,
    end: usize,
}

#[derive(Debug, PartialEq, Eq)]
enum NoRange {
    Unreadable,
    /// It begins behind the end.
    Beyond,
}

/// The parts that are asked for; none stands for the whole.
fn ranges(said: &str, size: usize) -> Result<Vec<Part>, NoRange> {
    let said = said.strip_prefix("bytes=").ok_or(NoRange::Unreadable)?;
    let number = |text: &str| {
        let number = text.parse::<i64>().map_err(|_| NoRange::Unreadable)?;
        usize::try_from(number).map_err(|_| NoRange::Unreadable)
    };
    let (mut parts, mut is_beyond) = (Vec::new(), false);
    for one in said.split(',').map(str::trim).filter(|one| !one.is_empty()) {
        let (start, end) = one.split_once('-').ok_or(NoRange::Unreadable)?;
        let (start, end) = (start.trim(), end.trim());
        if start.is_empty() {
            let length = number(end)?.min(size);
            parts.push(Part {
                start: size - length,
                end: size,
            });
            continue;
        }
        let start = number(start)?;
        if start >= size {
            is_beyond = true;
            continue;
        }
        let end = match end {
            "" => size,
            end => number(end)?.min(size - 1) + 1,
        };
        if start >= end {
            return Err(NoRange::Unreadable);
        }
        parts.push(Part { start, end });
    }
    let length: usize = parts.iter().map(|part| part.end - part.start).sum();
    match parts.is_empty() && is_beyond {
        true => Err(NoRange::Beyond),
        // Whoever asks for more than there is gets what there is.
        false if length > size => Ok(Vec::new()),
        false => Ok(parts),
    }
}

/// A header that says something.
fn said(asked: &Asked, name: HeaderName) -> Option<&str> {
    asked.header(name).filter(|said| !said.is_empty())
}

/// The tag at the beginning of a text, with its quotes, and what follows.
fn first_tag(text: &str) -> Option<(&str, &str)> {
    let mark = if text.starts_with("W/") { 2 } else { 0 };
    let within = text[mark..].strip_prefix('"')?;
    let length = within.find('"')?;
    let is_fit = |c: char| c == '!' || c >= '#' && c != '\u{7f}';
    let (tag, rest) = text.split_at(mark + length + 2);
    within[..length].chars().all(is_fit).then_some((tag, rest))
}

/// A tag without what says that it is a weak one.
fn weak(tag: &str) -> &str {
    tag.strip_prefix("W/").unwrap_or(tag)
}

/// As HTTP writes it.
fn date(at: Timestamp) -> String {
    httpdate::fmt_http_date(at.into())
}

fn seconds(date: &str) -> Option<i64> {
    let read = Timestamp::try_from(httpdate::parse_http_date(date).ok()?).ok()?;
    Some(read.as_second())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_go_reads_them() {
        let part = |start, end| Part { start, end };
        assert_eq!(ranges("bytes=0-9", 100), Ok(vec![part(0, 10)]));
        assert_eq!(ranges("bytes=90-", 100), Ok(vec![part(90, 100)]));
        assert_eq!(ranges("bytes=-5", 100), Ok(vec![part(95, 100)]));
        assert_eq!(ranges("bytes=-500", 100), Ok(vec![part(0, 100)]));
        assert_eq!(ranges("bytes=1-500", 100), Ok(vec![part(1, 100)]));
        let two = ranges("bytes=0-0, 5-6,", 100);
        assert_eq!(two, Ok(vec![part(0, 1), part(5, 7)]));
        assert_eq!(ranges("bytes=0-,0-", 100), Ok(vec![]));
        assert_eq!(ranges("bytes=", 100), Ok(vec![]));
        assert_eq!(ranges("bytes=100-", 100), Err(NoRange::Beyond));
        assert_eq!(ranges("bytes=100-,1-1", 100), Ok(vec![part(1, 2)]));
        for odd in [
            "lines=1-2",
            "bytes=5-4",
            "bytes=a-b",
            "bytes=5",
            "bytes=-",
            "bytes=--5",
        ] {
            assert_eq!(ranges(odd, 100), Err(NoRange::Unreadable), "{odd}");
        }
    }

    #[test]
    fn dates_are_those_of_http() {
        let at = Timestamp::from_second(784_111_777).unwrap();
        assert_eq!(date(at), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(seconds(&date(at)), Some(784_111_777));
        assert_eq!(seconds("x"), None);
    }
}
