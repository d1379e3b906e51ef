//! Control operations in any order, against a model: see `tests/support/control`.
//!
//! The fuzzer in `fuzz/` runs the same steps; what it finds is replayed here.

#![allow(clippy::unwrap_used)]
#![cfg(feature = "config")]

#[path = "support/control/mod.rs"]
mod control;

use std::panic::{catch_unwind, set_hook, take_hook};

use evenkeel::strategy::Rng;

/// Bytes for some steps; now and then for more than the history keeps.
fn bytes(seed: u64) -> Vec<u8> {
    let mut rng = Rng::seeded(seed);
    let length = rng.below(if seed.is_multiple_of(32) { 6_000 } else { 600 });
    (0..length).map(|_| rng.below(256) as u8).collect()
}

fn holds(bytes: &[u8]) -> bool {
    catch_unwind(|| control::run(bytes)).is_ok()
}

/// Leaves out of `bytes` what does not matter to their failing.
fn shortened(mut bytes: Vec<u8>) -> Vec<u8> {
    let hook = take_hook();
    set_hook(Box::new(|_| {}));
    let mut length = bytes.len() / 2;
    while length > 0 {
        let mut at = 0;
        while at + length <= bytes.len() {
            let shorter = [&bytes[..at], &bytes[at + length..]].concat();
            if holds(&shorter) {
                at += length;
            } else {
                bytes = shorter;
            }
        }
        length /= 2;
    }
    set_hook(hook);
    bytes
}

/// Those in the tree, and the one named by `EVENKEEL_INPUT`: a find of the fuzzer.
#[test]
fn kept_steps() {
    let kept = std::fs::read_dir("fuzz/seeds/control").into_iter().flatten();
    let kept = kept.map(|entry| entry.unwrap().path());
    for path in kept.chain(std::env::var_os("EVENKEEL_INPUT").map(Into::into)) {
        let bytes = std::fs::read(&path).unwrap();
        println!("{}:\n{}", path.display(), control::steps(&bytes));
        control::run(&bytes);
    }
}

const SEEDS: u64 = if cfg!(debug_assertions) { 600 } else { 4_000 };

/// Every `EACH`th seed from `first` on.
fn random_steps(first: u64) {
    const EACH: usize = 2;
    let seeds = std::env::var("EVENKEEL_SEEDS").ok().and_then(|seeds| seeds.parse().ok());
    for seed in (first..seeds.unwrap_or(SEEDS)).step_by(EACH) {
        let bytes = bytes(seed);
        if !holds(&bytes) {
            let shorter = shortened(bytes);
            println!("seed {seed}, shortened:\n{}", control::steps(&shorter));
            control::run(&shorter);
        }
    }
}

#[test]
fn random_steps_of_even_seeds() {
    random_steps(0);
}

#[test]
fn random_steps_of_odd_seeds() {
    random_steps(1);
}
