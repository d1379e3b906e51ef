//! Settings out of any text: see `tests/support/parser.rs`.
//!
//! The fuzzer in `fuzz/` asks the same of the texts that it finds.

#![allow(clippy::unwrap_used)]
#![cfg(feature = "config")]

#[path = "support/parser.rs"]
mod parser;

use std::fs;
use std::path::PathBuf;

use evenkeel::Config;
use evenkeel::strategy::Rng;

/// The texts in the tree, and the one named by `EVENKEEL_INPUT`: a find of the fuzzer.
fn kept() -> Vec<(PathBuf, String)> {
    let kept = fs::read_dir("fuzz/seeds/parser").into_iter().flatten();
    let kept = kept.map(|entry| entry.unwrap().path());
    let named = std::env::var_os("EVENKEEL_INPUT").map(PathBuf::from);
    let texts = kept.chain(named).map(|path| (path.clone(), fs::read(path).unwrap()));
    let texts = texts.filter_map(|(path, bytes)| Some((path, String::from_utf8(bytes).ok()?)));
    texts.collect()
}

/// The words of the dictionary that the fuzzer uses.
fn words() -> Vec<String> {
    let dictionary = fs::read_to_string("fuzz/parser.dict").unwrap_or_default();
    let words = dictionary.lines().filter_map(|line| line.strip_prefix('"')?.strip_suffix('"'));
    let plain =
        |word: &str| word.replace("\\\"", "\"").replace("\\x0a", "\n").replace("\\\\", "\\");
    words.map(plain).collect()
}

#[test]
fn every_key_is_in_the_dictionary() {
    let words = words();
    for setting in evenkeel::config::settings() {
        let key = setting.path.rsplit('.').next().unwrap_or_default();
        let known = words.iter().any(|it| it.trim_matches(['[', ']']) == key);
        assert!(words.is_empty() || known, "fuzz/parser.dict lacks `{key}`");
    }
}

#[test]
fn kept_texts() {
    for (path, text) in kept() {
        println!("{}", path.display());
        parser::check(&text);
    }
}

/// Some of the kept texts are right, so that what is made of them is nearly right.
#[test]
fn kept_texts_with_something_changed() {
    let (kept, words) = (kept(), words());
    let valid = kept.iter().filter(|(_, text)| Config::from_toml(text).is_ok()).count();
    assert!(kept.is_empty() || (valid > 3 && words.len() > 50), "{valid}, {}", words.len());
    let seeds = std::env::var("EVENKEEL_SEEDS").ok().and_then(|seeds| seeds.parse().ok());
    for seed in 0..seeds.unwrap_or(200) {
        for (path, text) in &kept {
            let mut rng = Rng::seeded(seed);
            let mut text = text.clone();
            for _ in 0..=rng.below(3) {
                let places: Vec<_> =
                    text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
                let from = rng.below(places.len() as u64) as usize;
                let to = (from + rng.below(12) as usize).min(places.len() - 1);
                let word = &words[rng.below(words.len() as u64) as usize];
                text.replace_range(places[from]..places[to], word);
            }
            println!("{}, seed {seed}:\n{text}", path.display());
            parser::check(&text);
        }
    }
}
