//! The likeliest mistakes do not compile, and the compiler says what is wrong.

#[test]
fn mistakes_read_well() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/mistakes/twin_*.rs");
    cases.compile_fail("tests/mistakes/bad_*.rs");
}
