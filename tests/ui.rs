//! What the macros say to whom makes a mistake, and that they say nothing to whom makes none.

#[test]
fn ui() {
    let tests = trybuild::TestCases::new();
    tests.pass("ui/pass/*.rs");
    tests.compile_fail("ui/fail/*/*.rs");
}
