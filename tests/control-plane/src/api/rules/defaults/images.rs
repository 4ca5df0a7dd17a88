//! What an image is named by.

use std::sync::LazyLock;

use regex::Regex;

/// A host and its port, a path, a tag, and a digest.
const NAME: &str = concat!(
    r"^(?:(?:(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*",
    r"|\[[a-fA-F0-9:]+\])(?::[0-9]+)?/)?",
    r"[a-z0-9]+(?:(?:[._]|__|[-]+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|[-]+)[a-z0-9]+)*)*",
    r"(?::(?<tag>[0-9A-Za-z_][0-9A-Za-z_.-]{0,127}))?",
    r"(?<digest>@[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,})?$",
);
const LONGEST_NAME: usize = 255;

/// Whether an image is named without a version, or by that which moves. What is no name is neither.
pub(super) fn is_latest(image: &str) -> bool {
    static SYNTAX: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(NAME).ok());
    let Some(parts) = SYNTAX.as_ref().and_then(|syntax| syntax.captures(image)) else {
        return false;
    };
    let is_id = image.len() == 64 && image.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'));
    let tag = parts.name("tag").map(|tag| tag.as_str());
    let digest = parts.name("digest").map(|digest| digest.as_str());
    let name = image.len() - digest.map_or(0, str::len) - tag.map_or(0, |tag| tag.len() + 1);
    let is_name = !is_id && name <= LONGEST_NAME;
    is_name && tag.map_or(digest.is_none(), |tag| tag == "latest")
}
