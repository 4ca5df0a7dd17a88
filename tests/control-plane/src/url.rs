//! URLs as Go's `net/url` reads them.

use crate::patch::go;

/// What a URL says, as far as anybody asks.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Url {
    /// In lower case; empty where none is said.
    pub(crate) scheme: String,
    pub(crate) user: Option<String>,
    pub(crate) host: String,
    pub(crate) query: String,
    pub(crate) fragment: String,
}

/// What bytes mean depends on where they are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    User,
    Host,
    Other,
}

impl Url {
    /// The error is why it is none, in Go's words.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let failed = |of: &str, why: String| format!("parse {}: {why}", go::quoted(of));
        let (before, fragment) = text.split_once('#').unwrap_or((text, ""));
        let mut url = Self::without_fragment(before).map_err(|why| failed(before, why))?;
        url.fragment = unescape(fragment, Part::Other).map_err(|why| failed(text, why))?;
        Ok(url)
    }

    fn without_fragment(text: &str) -> Result<Self, String> {
        if text.contains(|letter: char| letter.is_ascii_control()) {
            return Err("net/url: invalid control character in URL".to_owned());
        }
        let (scheme, rest) = split_scheme(text)?;
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let mut url = Self {
            scheme: scheme.to_ascii_lowercase(),
            query: query.to_owned(),
            ..Self::default()
        };
        if !rest.starts_with('/') {
            let segment = rest.split('/').next().unwrap_or_default();
            return match scheme.is_empty() && segment.contains(':') {
                true => Err("first path segment in URL cannot contain colon".to_owned()),
                // Of a scheme that is followed by no slash it is not asked what is behind.
                false if !scheme.is_empty() => Ok(url),
                false => unescape(rest, Part::Other).map(|_| url),
            };
        }
        let is_path = scheme.is_empty() && rest.starts_with("///");
        let mut path = rest;
        if let Some(rest) = rest.strip_prefix("//").filter(|_| !is_path) {
            let (authority, below) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            (url.user, url.host) = split_authority(authority)?;
            path = below;
        }
        unescape(path, Part::Other)?;
        Ok(url)
    }
}

fn split_scheme(text: &str) -> Result<(&str, &str), String> {
    let in_scheme = |letter: char| letter.is_ascii_alphanumeric() || "+-.".contains(letter);
    match text.find(|letter: char| !in_scheme(letter)) {
        Some(0) if text.starts_with(':') => Err("missing protocol scheme".to_owned()),
        Some(end)
            if text[end..].starts_with(':')
                && text.starts_with(|first: char| first.is_ascii_alphabetic()) =>
        {
            Ok((&text[..end], &text[end + 1..]))
        }
        _ => Ok(("", text)),
    }
}

fn split_authority(authority: &str) -> Result<(Option<String>, String), String> {
    let Some((user, host)) = authority.rsplit_once('@') else {
        return Ok((None, read_host(authority)?));
    };
    let host = read_host(host)?;
    let in_user =
        |letter: char| letter.is_ascii_alphanumeric() || "-._:~!$&'()*+,;=%@".contains(letter);
    if !user.chars().all(in_user) {
        return Err("net/url: invalid userinfo".to_owned());
    }
    let parts = user.splitn(2, ':').map(|part| unescape(part, Part::User));
    let parts = parts.collect::<Result<Vec<_>, _>>()?;
    let parts: Vec<String> = parts.iter().map(|part| escape_user(part)).collect();
    Ok((Some(parts.join(":")), host))
}

fn read_host(host: &str) -> Result<String, String> {
    let port = match host.strip_prefix('[') {
        Some(_) => {
            let end = host.rfind(']').ok_or("missing ']' in host")?;
            &host[end + 1..]
        }
        None => host.rfind(':').map_or("", |colon| &host[colon..]),
    };
    let digits = port.strip_prefix(':');
    let is_port = digits.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
    if !port.is_empty() && !is_port {
        return Err(format!("invalid port {} after host", go::quoted(port)));
    }
    unescape(host, Part::Host)
}

fn unescape(text: &str, part: Part) -> Result<String, String> {
    let bytes = text.as_bytes();
    let (mut read, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while let Some(&byte) = bytes.get(at) {
        if byte == b'%' {
            let escape = &bytes[at..bytes.len().min(at + 3)];
            let shown = || format!("invalid URL escape {}", go::quoted(&lossy(escape)));
            let code = escape
                .get(1..3)
                .and_then(|code| std::str::from_utf8(code).ok());
            let code = code.filter(|code| code.bytes().all(|byte| byte.is_ascii_hexdigit()));
            let code = code.and_then(|code| u8::from_str_radix(code, 16).ok());
            let code = code.ok_or_else(shown)?;
            // Nothing that could be said as it is.
            if part == Part::Host && code < 0x80 && code != b'%' {
                return Err(shown());
            }
            read.push(code);
            at += 3;
            continue;
        }
        let of_host = byte.is_ascii_alphanumeric() || b"!$&'()*+,;=:[]<>\"-_.~".contains(&byte);
        if part == Part::Host && byte.is_ascii() && !of_host {
            let shown = go::quoted(&char::from(byte).to_string());
            return Err(format!("invalid character {shown} in host name"));
        }
        read.push(byte);
        at += 1;
    }
    Ok(lossy(&read))
}

fn escape_user(user: &str) -> String {
    let mut escaped = String::new();
    for byte in user.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => escaped.push(char::from(byte)),
            _ if b"-_.~$&+,;=".contains(&byte) => escaped.push(char::from(byte)),
            _ => escaped.push_str(&format!("%{byte:02X}")),
        }
    }
    escaped
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::Url;

    #[test]
    fn what_is_no_url_is_told_in_the_words_of_go() {
        for (text, why) in [
            ("https://a b", r#"invalid character " " in host name"#),
            ("https://[::1", "missing ']' in host"),
            ("https://h:x", r#"invalid port ":x" after host"#),
            ("https://%41", r#"invalid URL escape "%41""#),
            ("https://a/%zz", r#"invalid URL escape "%zz""#),
            ("https://a%z", r#"invalid URL escape "%z""#),
            ("https://é@h", "net/url: invalid userinfo"),
            (
                "1https://a",
                "first path segment in URL cannot contain colon",
            ),
            (":x", "missing protocol scheme"),
        ] {
            let told = Url::read(text).unwrap_err();
            assert_eq!(told, format!("parse {text:?}: {why}"));
        }
        assert!(Url::read("https://h\u{7f}").is_err());
    }

    #[test]
    fn the_parts_of_a_url_are_found() {
        let read = |text: &str| Url::read(text).unwrap();
        let url = read("HTTPS://a@b:c@h:1/d?e#f%20g");
        let parts = [&*url.scheme, &*url.host, &*url.query, &*url.fragment];
        assert_eq!(parts, ["https", "h:1", "e", "f g"]);
        assert_eq!(url.user.as_deref(), Some("a%40b:c"));
        assert_eq!(read("https://@h").user.as_deref(), Some(""));
        assert_eq!(read("https://h").user, None);
        for hostless in ["https:x", "mailto:a@b", "///x", "https:///x", "x", ""] {
            assert_eq!(read(hostless).host, "");
        }
    }
}
