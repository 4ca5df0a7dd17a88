//! The API's rules for names.

/// Checks a qualified name with its domain, `domain/name`; says what is wrong with it.
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
    if domain.len() > 253 {
        return Err(format!(
            "a domain has at most 253 characters, and this one has {}",
            domain.len()
        ));
    }
    if name.len() > 63 {
        return Err(format!(
            "after the `/` there are at most 63 characters, and these are {}",
            name.len()
        ));
    }
    let lower = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
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
