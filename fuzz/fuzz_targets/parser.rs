//! Settings out of any text.

#![no_main]

#[path = "../../tests/support/parser.rs"]
mod parser;

libfuzzer_sys::fuzz_target!(|text: &str| parser::check(text));
