//! What differs between two settings, in words.

use super::root::Config;
use super::spelling::{Spell, Spelling};

impl Config {
    /// What `newer` changes, a line for each key: `strategy.kind: least_request → random`.
    ///
    /// ```
    /// use evenkeel::config::{Config, StrategyConfig, StrategyKind};
    ///
    /// let newer = Config::default().with_strategy(StrategyConfig::new(StrategyKind::Random));
    /// assert_eq!(
    ///     Config::default().differences(&newer),
    ///     ["strategy.kind: least_request → random"]
    /// );
    /// ```
    #[must_use]
    pub fn differences(&self, newer: &Self) -> Vec<String> {
        let mut found = Vec::new();
        compare("", &self.spell(), &newer.spell(), &mut found);
        found
    }
}

/// Tables of one path have the same keys in the same order.
fn compare(path: &str, older: &Spelling, newer: &Spelling, found: &mut Vec<String>) {
    let below =
        |key: &str| if path.is_empty() { String::from(key) } else { format!("{path}.{key}") };
    match (older, newer) {
        _ if older == newer => {}
        (Spelling::Table(older), Spelling::Table(newer)) => {
            for ((key, older), (_, newer)) in older.iter().zip(newer) {
                compare(&below(key), older, newer, found);
            }
        }
        (_, Spelling::Table(entries)) => {
            found.push(format!("{path}: {older} → {newer}"));
            for (key, value) in entries {
                compare(&below(key), &Spelling::Off, value, found);
            }
        }
        (Spelling::List(older), Spelling::List(newer)) if older.len() == newer.len() => {
            let changed = older.iter().zip(newer).filter(|(older, newer)| older != newer).count();
            found.push(format!("{path}: {changed} of {} changed", newer.len()));
        }
        (Spelling::Off, Spelling::Absent) => {}
        _ => found.push(format!("{path}: {older} → {newer}")),
    }
}
