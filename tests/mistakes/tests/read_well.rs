//! The likeliest mistakes do not compile, and the compiler says what is wrong.

/// What is no mistake, but for one thing.
#[path = "../twins/key_and_classifier.rs"]
mod key_and_classifier;
#[path = "../twins/target_is_sync.rs"]
mod target_is_sync;

#[test]
fn twins_are_no_mistakes() {
    key_and_classifier::main();
    target_is_sync::main();
}

#[test]
fn mistakes_read_well() {
    trybuild::TestCases::new().compile_fail("mistakes/*.rs");
}
