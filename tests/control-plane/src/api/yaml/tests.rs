use super::*;

fn value_of(text: &str) -> Result<Value, String> {
    Ok(read(format!("v: {text}\n").as_bytes())?["v"].clone())
}

/// Lists of nine aliases each of the list before.
fn nested(levels: usize) -> String {
    let mut text = "a0: &a0 [x]\n".to_owned();
    for level in 1..levels {
        let aliases = vec![format!("*a{}", level - 1); 9].join(",");
        text.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
    }
    text
}

#[test]
fn aliases_of_aliases_are_refused() {
    assert!(read(nested(3).as_bytes()).is_ok());
    for levels in [5, 9, 40, 400] {
        let refused = read(nested(levels).as_bytes());
        let why = "yaml: document contains excessive aliasing".to_owned();
        assert_eq!(refused, Err(why));
    }
}

#[test]
fn many_aliases_of_little_are_read() {
    let aliases = "- *x\n".repeat(100_000);
    let read = read(format!("a: &x one\nb:\n{aliases}").as_bytes()).unwrap();
    assert_eq!(read["b"].as_array().unwrap().len(), 100_000);
    assert_eq!(read["b"][99_999], "one");
}

#[test]
fn a_long_text_is_not_copied_without_end() {
    let aliases = vec!["*x"; 10_000].join(",");
    let text = format!("a: &x {}\nb: [{aliases}]\n", "long".repeat(100_000));
    let why = "yaml: document contains excessive aliasing".to_owned();
    assert_eq!(read(text.as_bytes()), Err(why));
}

#[test]
fn what_contains_itself_is_refused() {
    for text in ["a: &x [*x]\n", "a: &x {b: *x}\n", "a: &x {<<: *x}\n"] {
        let why = "yaml: anchor 'x' value contains itself".to_owned();
        assert_eq!(read(text.as_bytes()), Err(why));
    }
}

#[test]
fn what_nests_too_deep_is_refused_however_it_does() {
    let flow = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let block: String = (0..1_000)
        .map(|level| format!("{}a:\n", " ".repeat(level)))
        .collect();
    let mut aliases = "a0: &a0 [x]\n".to_owned();
    for level in 1..300 {
        aliases.push_str(&format!("a{level}: &a{level} [*a{}]\n", level - 1));
    }
    for text in [flow, block, "- ".repeat(1_000), "? ".repeat(1_000), aliases] {
        let refused = read(text.as_bytes()).unwrap_err();
        assert!(refused.contains("exceeded max depth"), "{refused}");
    }
    let as_deep_as_json = format!("{}{}", "[".repeat(127), "]".repeat(127));
    assert!(read(format!("{as_deep_as_json} # YAML").as_bytes()).is_ok());
    assert!(read(as_deep_as_json.as_bytes()).is_ok());
}

#[test]
fn times_are_texts_that_may_be_checked() {
    for time in [
        "2001-01-01",
        "2001-1-1",
        "2001-1-1T1:2:3Z",
        "2001-1-1t1:2:3.5+01:00",
        "2001-1-1 1:2:3",
    ] {
        assert_eq!(value_of(time), Ok(time.into()));
        assert_eq!(value_of(&format!("!!timestamp {time}")), Ok(time.into()));
    }
    for odd in [
        "a",
        "2001",
        "201-1-1",
        "2001-13-1",
        "2001-1-1T1:2:3",
        "2001-1-1 1:2:3Z",
        "2001-1-1T25:2:3Z",
    ] {
        assert!(value_of(&format!("!!timestamp {odd}")).is_err(), "{odd}");
    }
}

#[test]
fn whatever_is_said_is_read_or_refused() {
    const SIGNS: [&str; 16] = [
        "a", "1", "0x", ":", " ", "\n", "-", "&a ", "*a", "<<: ", "{", "}", "[", "!!int ", "\"",
        "|",
    ];
    let (mut texts, mut read_some) = (vec![String::new()], 0);
    for _ in 0..4 {
        let longer = |text: &String| SIGNS.map(|sign| format!("{text}{sign}"));
        texts = texts.iter().flat_map(longer).collect();
        for text in &texts {
            read_some += usize::from(read(text.as_bytes()).is_ok());
            assert_eq!(
                read(text.as_bytes()).is_err(),
                first(text.as_bytes()).is_err(),
                "{text}"
            );
        }
    }
    assert!(read_some > 1_000, "{read_some}");
}
