//! The same settings and the same problems through any serde format.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::{Error, MapDeserializer};

use super::text::{FULL, full};
use crate::config::Config;

fn through_values(text: &str) -> Result<Config, String> {
    let value: toml::Value = toml::from_str(text).unwrap();
    Config::deserialize(value).map_err(|error| error.to_string())
}

#[test]
fn settings_are_the_same() {
    assert_eq!(through_values(FULL).unwrap(), full());
    assert_eq!(through_values("").unwrap(), Config::default());
    assert_eq!(through_values("update = false").unwrap().update(), None);
    assert_eq!(toml::from_str::<Config>(FULL).unwrap(), full());
}

#[test]
fn problems_are_the_same_without_places() {
    let text = "
        helth = 1
        update = true
        strategy = { kind = 'x', choices = 1, failure_penalty = '0s', decay = 1.5 }
        endpoints = [{ id = 'a' }, { id = 'b', address = '', labels = { a = [] } }]
        [outlier]
        intervl = '1s'
    ";
    let strip = |line: &str| line.trim().to_owned();
    let from_values: BTreeSet<_> =
        through_values(text).unwrap_err().trim().lines().skip(1).map(strip).collect();
    let from_text = Config::from_toml(text).unwrap_err();
    let from_text: BTreeSet<_> = from_text
        .problems()
        .iter()
        .map(|problem| format!("{}: {}", problem.path, problem.message))
        .collect();
    assert_eq!(from_text.len(), 9);
    assert_eq!(from_values, from_text);
}

fn refusal<'de>(key: &'static str, value: impl IntoDeserializer<'de, Error>) -> String {
    let map = MapDeserializer::<_, Error>::new([(key, value)].into_iter());
    Config::deserialize(map).unwrap_err().to_string()
}

#[test]
fn what_toml_cannot_say_is_refused_as_well() {
    let nothing = refusal("name", ());
    assert!(nothing.contains("name: found nothing (null); a text is needed"), "{nothing}");
    let number = refusal("update", u64::MAX);
    assert!(number.contains("found the number 18446744073709551615"), "{number}");

    let twice = MapDeserializer::<_, Error>::new([("name", "a"), ("name", "b")].into_iter());
    let error = Config::deserialize(twice).unwrap_err();
    assert_eq!(error.to_string(), "the key \"name\" is given twice");

    let list = serde::de::value::SeqDeserializer::<_, Error>::new([1].into_iter());
    let error = Config::deserialize(list).unwrap_err();
    assert!(error.to_string().contains("found a list; a table is needed"));
}
