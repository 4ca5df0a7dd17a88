//! Classes that have names.

use regex_syntax::Parser;
use regex_syntax::hir::{Class, HirKind};

use super::set::Set;

/// `[:alpha:]` and its like.
pub(super) fn posix(name: &str) -> Option<Set> {
    let ranges: &[(char, char)] = match name {
        "alnum" => &[('0', '9'), ('A', 'Z'), ('a', 'z')],
        "alpha" => &[('A', 'Z'), ('a', 'z')],
        "ascii" => &[('\0', '\x7F')],
        "blank" => &[('\t', '\t'), (' ', ' ')],
        "cntrl" => &[('\0', '\x1F'), ('\x7F', '\x7F')],
        "digit" => &[('0', '9')],
        "graph" => &[('!', '~')],
        "lower" => &[('a', 'z')],
        "print" => &[(' ', '~')],
        "punct" => &[('!', '/'), (':', '@'), ('[', '`'), ('{', '~')],
        "space" => &[('\t', '\r'), (' ', ' ')],
        "upper" => &[('A', 'Z')],
        "word" => &[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')],
        "xdigit" => &[('0', '9'), ('A', 'F'), ('a', 'f')],
        _ => return None,
    };
    let ranges = ranges.iter();
    Some(Set::of(
        ranges
            .map(|(low, high)| (u32::from(*low), u32::from(*high)))
            .collect(),
    ))
}

/// `\d`, `\s` and `\w`, which are of ASCII.
pub(super) fn perl(letter: char) -> Option<Set> {
    match letter {
        'd' => posix("digit"),
        's' => Some(Set::of(
            [9, 10, 12, 13, 32].map(|space| (space, space)).to_vec(),
        )),
        'w' => posix("word"),
        _ => None,
    }
}

/// `\p{..}`: only categories and scripts, and of the scripts only those whose name is one word, because Go looks for the
/// others without the `_` that its table has.
pub(super) fn unicode(name: &str) -> Option<Set> {
    let mut plain = name.to_ascii_lowercase();
    plain.retain(|letter| !matches!(letter, '_' | '-' | ' '));
    let is_one_of = |names: &str| names.split_whitespace().any(|known| known == plain);
    match plain.as_str() {
        "any" => Some(Set::default().negated()),
        "ascii" => posix("ascii"),
        "assigned" => Some(table("gc", "cn").negated()),
        _ if is_one_of(CATEGORIES) => Some(table("gc", &plain)),
        _ if is_one_of(SCRIPTS) => Some(table("sc", &plain)),
        _ => None,
    }
}

/// What is not in the tables of the engine has no characters: those are the surrogates.
fn table(property: &str, value: &str) -> Set {
    let class = Parser::new().parse(&format!("\\p{{{property}={value}}}"));
    match class.as_ref().map(|class| class.kind()) {
        Ok(HirKind::Class(Class::Unicode(class))) => class.into(),
        _ => Set::default(),
    }
}

const CATEGORIES: &str = "\
    c casedletter cc cf closepunctuation cn cntrl co combiningmark connectorpunctuation control cs \
    currencysymbol dashpunctuation decimalnumber digit enclosingmark finalpunctuation format initialpunctuation \
    l lc letter letternumber lineseparator ll lm lo lowercaseletter lt lu m mark mathsymbol mc me mn \
    modifierletter modifiersymbol n nd nl no nonspacingmark number openpunctuation other otherletter othernumber \
    otherpunctuation othersymbol p paragraphseparator pc pd pe pf pi po privateuse ps punct punctuation s sc \
    separator sk sm so spaceseparator spacingmark surrogate symbol titlecaseletter unassigned uppercaseletter z \
    zl zp zs";

const SCRIPTS: &str = "\
    adlam ahom arabic armenian avestan balinese bamum batak bengali bhaiksuki bopomofo brahmi braille buginese \
    buhid carian chakma cham cherokee chorasmian common coptic cuneiform cypriot cyrillic deseret devanagari \
    dogra duployan elbasan elymaic ethiopic georgian glagolitic gothic grantha greek gujarati gurmukhi han \
    hangul hanunoo hatran hebrew hiragana inherited javanese kaithi kannada katakana kawi kharoshthi khmer \
    khojki khudawadi lao latin lepcha limbu lisu lycian lydian mahajani makasar malayalam mandaic manichaean \
    marchen medefaidrin miao modi mongolian mro multani myanmar nabataean nandinagari newa nko nushu ogham oriya \
    osage osmanya palmyrene phoenician rejang runic samaritan saurashtra sharada shavian siddham sinhala sogdian \
    soyombo sundanese syriac tagalog tagbanwa takri tamil tangsa tangut telugu thaana thai tibetan tifinagh \
    tirhuta toto ugaritic vai vithkuqi wancho yezidi yi";
