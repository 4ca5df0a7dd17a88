//! The API's rules for names.

/// Checks a qualified name with its domain, `domain/name`; says what is wrong with it.
///
/// <https://github.com/kubernetes/apimachinery/blob/master/pkg/util/validation/validation.go> (`IsQualifiedName`)
pub(crate) fn qualified(value: &str) -> Result<(), String> {
    let Some((domain, name)) = value.split_once('/') else {
        return Err("it has no domain: write `your.domain/name`".into());
    };
    if name.contains('/') {
        return Err("it has more than one `/`".into());
    }
    if domain.is_empty() {
        return Err("there is nothing before the `/`: write `your.domain/name`".into());
    }
    if name.is_empty() {
        return Err("there is nothing after the `/`: write `your.domain/name`".into());
    }
    subdomain(domain)?;
    if name.len() > 63 {
        return Err(format!(
            "after the `/` there are at most 63 characters, and these are {}",
            name.len()
        ));
    }
    word(name)
}

/// A DNS subdomain (RFC 1123).
fn subdomain(domain: &str) -> Result<(), String> {
    if domain.len() > 253 {
        return Err(format!(
            "a domain has at most 253 characters, and this one has {}",
            domain.len()
        ));
    }
    if let Some(bad) = domain
        .chars()
        .find(|c| !matches!(c, 'a'..='z' | '0'..='9' | '-' | '.'))
    {
        return Err(format!(
            "a domain is made of a-z, 0-9, `-` and `.`, and {bad:?} is none of these"
        ));
    }
    if domain.split('.').any(|label| !ends(label, lower)) {
        return Err("each part of a domain begins and ends with a-z or 0-9".into());
    }
    Ok(())
}

fn lower(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit()
}

/// The part of a qualified name without its domain.
fn word(name: &str) -> Result<(), String> {
    if let Some(bad) = name
        .chars()
        .find(|c| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')))
    {
        return Err(format!(
            "a name is made of A-Z, a-z, 0-9, `-`, `_` and `.`, and {bad:?} is none of these"
        ));
    }
    if !ends(name, |byte| byte.is_ascii_alphanumeric()) {
        return Err("a name begins and ends with a letter or a digit".into());
    }
    Ok(())
}

/// Checks the key of a label: a name of at most 63 characters, with or without a domain before a `/`.
pub(crate) fn label_key(key: &str) -> Result<(), String> {
    let why = match key.split_once('/') {
        Some(_) => qualified(key),
        None if key.is_empty() => Err("it has no name".into()),
        None if key.len() > 63 => Err(format!(
            "it has at most 63 characters, and this one has {}",
            key.len()
        )),
        None => word(key),
    };
    why.map_err(|why| format!("{key:?} is no key of a label: {why}"))
}

/// Checks the value of a label: nothing, or at most 63 characters.
pub(crate) fn label_value(value: &str) -> Result<(), String> {
    if value.is_empty() {
        return Ok(());
    }
    let why = match value.len() {
        64.. => Err(format!(
            "it has at most 63 characters, and this one has {}",
            value.len()
        )),
        _ => word(value),
    };
    why.map_err(|why| format!("{value:?} is no value of a label: {why}"))
}

/// Checks the name of a namespace: a DNS label (RFC 1123).
pub(crate) fn namespace(value: &str) -> Result<(), String> {
    if value.is_empty() {
        return Err("it is empty".into());
    }
    if value.len() > 63 {
        return Err(format!(
            "it has at most 63 characters, and this one has {}",
            value.len()
        ));
    }
    if value.contains('.') || subdomain(value).is_err() {
        return Err(
            "it is made of a-z, 0-9 and `-`, and begins and ends with a letter or a digit".into(),
        );
    }
    Ok(())
}

/// Checks the group of a kind: empty for the core group, else a DNS subdomain.
pub(crate) fn group(value: &str) -> Result<(), String> {
    match value.is_empty() {
        true => Ok(()),
        false => subdomain(value),
    }
}

/// Checks the version or the plural name of a kind, or the kind in lower case: a DNS label by the older rule,
/// which begins with a letter (RFC 1035).
pub(crate) fn dns_1035(value: &str) -> Result<(), String> {
    namespace(value)?;
    match value.starts_with(|first: char| first.is_ascii_digit()) {
        true => Err("it begins with a letter".into()),
        false => Ok(()),
    }
}

/// Checks the type of a condition: a name, with or without a domain before a `/`, at most 316 characters.
///
/// <https://github.com/kubernetes/apimachinery/blob/master/pkg/apis/meta/v1/types.go> (`type Condition`)
pub(crate) fn condition(value: &str) -> Result<(), String> {
    if value.len() > 316 {
        return Err(format!(
            "it has at most 316 characters, and this one has {}",
            value.len()
        ));
    }
    match value.split_once('/') {
        Some((_, name)) if name.contains('/') => Err("it has more than one `/`".into()),
        Some((domain, name)) => subdomain(domain).and_then(|()| word(name)),
        None if value.is_empty() => Err("it is empty".into()),
        None => word(value),
    }
}

/// Checks the name of a controller. It is the field manager of what the controller applies, where the
/// API takes 128 bytes of printable characters; spaces and the like are refused because the name also
/// stands in logs and selectors of tools.
pub(crate) fn controller(value: &str) -> Result<(), String> {
    if value.is_empty() {
        return Err("it is empty".into());
    }
    if value.len() > 128 {
        return Err(format!(
            "it has {} bytes, and the API takes 128 for a field manager",
            value.len()
        ));
    }
    if let Some(bad) = value
        .chars()
        .find(|c| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/')))
    {
        return Err(format!(
            "it is made of A-Z, a-z, 0-9, `-`, `_`, `.` and `/`, and {bad:?} is none of these"
        ));
    }
    if !ends(value, |byte| byte.is_ascii_alphanumeric()) {
        return Err("it begins and ends with a letter or a digit".into());
    }
    Ok(())
}

fn ends(text: &str, good: impl Fn(u8) -> bool) -> bool {
    matches!(text.as_bytes(), [first, .., last] if good(*first) && good(*last))
        || matches!(text.as_bytes(), [only] if good(*only))
}

/// `WebsiteController` as `website-controller`, `HTTPRoute` as `http-route`.
pub(crate) fn kebab(camel: &str) -> String {
    let chars: Vec<char> = camel.chars().collect();
    let mut kebab = String::new();
    for (i, &c) in chars.iter().enumerate() {
        let after_lower = i > 0 && (chars[i - 1].is_lowercase() || chars[i - 1].is_ascii_digit());
        let ends_acronym = i > 0
            && chars[i - 1].is_uppercase()
            && chars.get(i + 1).is_some_and(|next| next.is_lowercase());
        if c == '_' {
            if !kebab.is_empty() && !kebab.ends_with('-') {
                kebab.push('-');
            }
            continue;
        }
        if c.is_uppercase() && (after_lower || ends_acronym) && !kebab.ends_with('-') {
            kebab.push('-');
        }
        kebab.extend(c.to_lowercase());
    }
    kebab.truncate(kebab.trim_end_matches('-').len());
    kebab
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kebab_splits_words_and_acronyms() {
        for (camel, expected) in [
            ("WebsiteController", "website-controller"),
            ("HTTPRoute", "http-route"),
            ("Ipv4Pool", "ipv4-pool"),
            ("V2Controller", "v2-controller"),
            ("DNS", "dns"),
            ("snake_case", "snake-case"),
            ("_Private", "private"),
        ] {
            assert_eq!(kebab(camel), expected);
        }
    }

    #[test]
    fn qualified_names_follow_the_api() {
        for good in [
            "demo.kommodore.dev/website",
            "localhost/A",
            "a.b/c_d.e-f",
            &format!("a/{}", "n".repeat(63)),
        ] {
            assert_eq!(qualified(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            "website",
            "/website",
            "a/",
            "a/b/c",
            "A.b/c",
            "-a/b",
            "a-/b",
            "a..b/c",
            ".a/b",
            "a/-b",
            "a/b-",
            "a/b c",
            "ä.de/b",
            "a/ü",
            &format!("a/{}", "n".repeat(64)),
            &format!("{}/n", "d".repeat(254)),
        ] {
            assert!(qualified(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn controller_names_are_sane() {
        for good in [
            "website-controller",
            "a",
            "demo.kommodore.dev/website",
            &"n".repeat(128),
        ] {
            assert_eq!(controller(good), Ok(()), "{good}");
        }
        for bad in ["", " ", "a b", "a\n", "-a", "a-", "ü", &"n".repeat(129)] {
            assert!(controller(bad).is_err(), "{bad}");
        }
    }
}
