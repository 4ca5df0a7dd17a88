//! What is no YAML, in the words of Go's reader.

use granit_parser::{ErrorKind, ScanError};

/// Who finds a mistake, which counts lines in its own way.
#[derive(Clone, Copy, PartialEq)]
enum Finder {
    /// Who splits a text into tokens.
    Scanner,
    /// Who makes nodes of tokens, and is a line behind.
    Parser,
}

/// What is wrong with a text.
#[derive(Debug)]
pub(super) struct Mistake {
    pub(super) told: String,
    /// Where a comment begins right behind something, which Go's reader takes for one all the same.
    pub(super) comment: Option<usize>,
}

impl Mistake {
    pub(super) fn told(told: String) -> Self {
        let comment = None;
        Self { told, comment }
    }

    pub(super) fn of(error: &ScanError, text: &str) -> Self {
        let at = error.marker().byte_offset();
        let is_comment = matches!(error.kind(), ErrorKind::CommentNotSeparated);
        let begins = |at: &usize| text.get(*at..).is_some_and(|rest| rest.starts_with('#'));
        Self {
            told: told(error, text),
            comment: at.filter(|_| is_comment).filter(begins),
        }
    }
}

fn told(error: &ScanError, text: &str) -> String {
    let (finder, problem) = problem(error.kind());
    if let Some(told) = unclosed(error, text) {
        return told;
    }
    let line = match error.kind() {
        // It is found at the end.
        ErrorKind::UnclosedQuotedScalar => text.lines().count() + usize::from(text.ends_with('\n')),
        // It is found on the next line.
        ErrorKind::SimpleKeyExpected
        | ErrorKind::TabAtBlockScalarStart
        | ErrorKind::TabInPlainScalar => error.marker().line() + 1,
        _ => error.marker().line(),
    };
    match finder {
        Finder::Parser if line > 1 => format!("line {}: {problem}", line - 1),
        _ => on_line(line, problem),
    }
}

/// A list or a map of flow style that does not end as it should: where something has to follow, that is what is missing.
fn unclosed(error: &ScanError, text: &str) -> Option<String> {
    let is_it = matches!(
        error.kind(),
        ErrorKind::UnclosedFlowCollection { .. }
            | ErrorKind::MismatchedFlowCollectionEnd { .. }
            | ErrorKind::MisplacedFlowCollectionEnd
    );
    let (open, before) = innermost(text).filter(|_| is_it)?;
    let problem = match (open, before.trim_end().chars().next_back()) {
        (_, Some('[' | '{' | ',' | ':')) => "did not find expected node content",
        ('[', _) => "did not find expected ',' or ']'",
        _ => "did not find expected ',' or '}'",
    };
    // Behind the last line there is always another one.
    let is_cut = before.len() == text.len() && !text.ends_with('\n');
    let line = before.matches('\n').count() + usize::from(is_cut);
    Some(match line {
        0 => problem.to_owned(),
        line => format!("line {line}: {problem}"),
    })
}

/// What was opened last where the text ends, or something else is closed, and the text before that.
fn innermost(text: &str) -> Option<(char, &str)> {
    let mut open = Vec::new();
    for (at, sign) in text.char_indices() {
        match sign {
            '[' | '{' => open.push(sign),
            ']' | '}' => {
                let last = open.pop()?;
                if (last == '[') != (sign == ']') {
                    return Some((last, text.get(..at)?));
                }
            }
            _ => {}
        }
    }
    Some((open.pop()?, text))
}

/// On the first line none is told.
pub(super) fn on_line(line: usize, problem: &str) -> String {
    match line {
        0 | 1 => problem.to_owned(),
        _ => format!("line {line}: {problem}"),
    }
}

/// What is wrong with an escape in a text in double quotes, and how many lines after its beginning.
pub(super) fn escape(quoted: &str) -> Option<(usize, &'static str)> {
    let mut escapes = quoted.char_indices();
    while escapes.any(|(_, sign)| sign == '\\') {
        let (at, escape) = escapes.next()?;
        // YAML 1.1 has less of them than JSON.
        let problem = match escape {
            '/' => "found unknown escape character",
            'u' if is_surrogate(quoted.get(at + 1..)?) => INVALID_CODE,
            _ => continue,
        };
        return Some((quoted.get(..at)?.matches('\n').count(), problem));
    }
    None
}

/// Half of a character.
fn is_surrogate(digits: &str) -> bool {
    let code = digits
        .get(..4)
        .and_then(|code| u16::from_str_radix(code, 16).ok());
    code.is_some_and(|code| (0xd800..0xe000).contains(&code))
}

const INVALID_CODE: &str = "found invalid Unicode character escape code";

fn problem(kind: &ErrorKind) -> (Finder, &'static str) {
    use Finder::{Parser, Scanner};
    match kind {
        ErrorKind::UnclosedFlowCollection { open: '[' }
        | ErrorKind::MismatchedFlowCollectionEnd { open: '[', .. }
        | ErrorKind::UnexpectedEofFlowSequence
        | ErrorKind::ExpectedFlowSequenceSeparator => (Parser, "did not find expected ',' or ']'"),
        ErrorKind::UnclosedFlowCollection { .. }
        | ErrorKind::MismatchedFlowCollectionEnd { .. }
        | ErrorKind::UnexpectedEofFlowMapping
        | ErrorKind::UnexpectedEofImplicitFlowMapping
        | ErrorKind::ExpectedFlowMappingSeparator => (Parser, "did not find expected ',' or '}'"),
        ErrorKind::MisplacedFlowCollectionEnd | ErrorKind::ExpectedNodeContent => {
            (Parser, "did not find expected node content")
        }
        ErrorKind::ExpectedBlockMappingKey
        | ErrorKind::InvalidTrailingDoubleQuotedScalar
        | ErrorKind::InvalidTrailingSingleQuotedScalar
        | ErrorKind::InvalidIndentation
        | ErrorKind::UnexpectedEofBlockMapping => (Parser, "did not find expected key"),
        ErrorKind::ExpectedBlockSequenceEntry | ErrorKind::UnexpectedEofBlockSequence => {
            (Parser, "did not find expected '-' indicator")
        }
        ErrorKind::ExpectedDocumentStart
        | ErrorKind::MissingDocumentEndBeforeDirective
        | ErrorKind::InvalidDocumentEnd => (Parser, "did not find expected <document start>"),
        ErrorKind::DuplicateVersionDirective => (Parser, "found duplicate %YAML directive"),
        ErrorKind::UnsupportedYamlMajorVersion => (Parser, "found incompatible YAML document"),
        ErrorKind::DuplicateTagDirective => (Parser, "found duplicate %TAG directive"),
        ErrorKind::UndeclaredTagHandle => (Parser, "found undefined tag handle"),
        ErrorKind::SimpleKeyExpected | ErrorKind::InvalidSimpleKey => {
            (Scanner, "could not find expected ':'")
        }
        ErrorKind::BlockSequenceEntryNotAllowed | ErrorKind::BlockEntryInFlowCollection => (
            Scanner,
            "block sequence entries are not allowed in this context",
        ),
        ErrorKind::MappingKeyNotAllowed => {
            (Scanner, "mapping keys are not allowed in this context")
        }
        ErrorKind::MappingValueNotAllowed | ErrorKind::InvalidColonPlacement => {
            (Scanner, "mapping values are not allowed in this context")
        }
        ErrorKind::RecursionLimitExceeded => (Scanner, "exceeded max depth"),
        ErrorKind::InvalidDirectiveTerminator
        | ErrorKind::InvalidBlockScalarHeader
        | ErrorKind::CommentNotSeparated => {
            (Scanner, "did not find expected comment or line break")
        }
        ErrorKind::MissingDirectiveName => (Scanner, "could not find expected directive name"),
        ErrorKind::InvalidDirectiveName => (Scanner, "found unexpected non-alphabetical character"),
        ErrorKind::MissingYamlVersion => (Scanner, "did not find expected version number"),
        ErrorKind::MissingYamlVersionSeparator => {
            (Scanner, "did not find expected digit or '.' character")
        }
        ErrorKind::YamlVersionTooLong => (Scanner, "found extremely long version number"),
        ErrorKind::MissingAnchorOrAliasName => (
            Scanner,
            "did not find expected alphabetic or numeric character",
        ),
        ErrorKind::InvalidTagTerminator | ErrorKind::InvalidTagDirectiveTerminator => {
            (Scanner, "did not find expected whitespace or line break")
        }
        ErrorKind::ExpectedTagBang | ErrorKind::ExpectedTagDirectiveBang => {
            (Scanner, "did not find expected '!'")
        }
        ErrorKind::MissingTagUri => (Scanner, "did not find expected tag URI"),
        ErrorKind::UnclosedVerbatimTag => (Scanner, "did not find the expected '>'"),
        ErrorKind::InvalidTagEscape => (Scanner, "did not find URI escaped octet"),
        ErrorKind::ZeroBlockScalarIndent => (Scanner, "found an indentation indicator equal to 0"),
        ErrorKind::TabAtBlockScalarStart | ErrorKind::TabInIndentation => (
            Scanner,
            "found a tab character where an indentation space is expected",
        ),
        ErrorKind::TabInPlainScalar => (Scanner, "found a tab character that violates indentation"),
        ErrorKind::DocumentIndicatorInQuotedScalar => {
            (Scanner, "found unexpected document indicator")
        }
        ErrorKind::UnclosedQuotedScalar => (Scanner, "found unexpected end of stream"),
        ErrorKind::UnknownQuotedScalarEscape => (Scanner, "found unknown escape character"),
        ErrorKind::InvalidQuotedScalarHexEscape | ErrorKind::InvalidLowSurrogateHexEscape => {
            (Scanner, "did not find expected hexdecimal number")
        }
        ErrorKind::InvalidUnicodeEscape
        | ErrorKind::InvalidLowSurrogate
        | ErrorKind::MissingLowSurrogate
        | ErrorKind::UnpairedLowSurrogate => (Scanner, INVALID_CODE),
        _ => (Scanner, "found character that cannot start any token"),
    }
}
