//! Control operations, requests and time in any order, against a model.

#![no_main]

#[path = "../../tests/support/control/mod.rs"]
mod control;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| control::run(bytes));
