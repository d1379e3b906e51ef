//! What differs between two settings, in words.

use std::fmt::Display;

use super::range::Spelt;
use super::root::Config;

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
        let pairs = self.spelt().into_iter().zip(newer.spelt());
        let mut found: Vec<_> = pairs
            .filter(|(old, new)| old != new)
            .map(|((key, old), (_, new))| format!("{key}: {old} → {new}"))
            .collect();
        if self.endpoints() != newer.endpoints() {
            let count = |config: &Self| match config.endpoints() {
                Some(specs) => format!("{} described", specs.len()),
                None => "none described".to_owned(),
            };
            found.push(format!("endpoints: {} → {}", count(self), count(newer)));
        }
        found
    }

    /// Every key with its value, the same keys in the same order for any settings.
    fn spelt(&self) -> Vec<(&'static str, String)> {
        let strategy = self.strategy();
        let (update, outlier) = (self.update(), self.outlier());
        let custom = match strategy.kind() {
            super::StrategyKind::Custom(name) => Some(name),
            _ => None,
        };
        vec![
            ("name", or(self.name(), "none")),
            ("strategy.kind", strategy.kind().to_string()),
            ("strategy.custom", or(custom, "none")),
            ("strategy.choices", strategy.choices().to_string()),
            ("strategy.decay", Spelt(strategy.decay()).to_string()),
            ("strategy.failure_penalty", or(strategy.failure_penalty().map(Spelt), "off")),
            ("update.allow_empty", or(update.map(super::update::UpdateConfig::allow_empty), "off")),
            (
                "update.max_shrink_percent",
                or(update.map(super::update::UpdateConfig::max_shrink_percent), "off"),
            ),
            (
                "update.min_endpoints",
                or(update.map(super::update::UpdateConfig::min_endpoints), "off"),
            ),
            ("update.confirm_after", or(update.map(|it| Spelt(it.confirm_after())), "off")),
            ("outlier.dry_run", or(outlier.map(super::outlier::OutlierConfig::dry_run), "off")),
            ("outlier.remember_removed", or(outlier.map(|it| Spelt(it.remember_removed())), "off")),
            (
                "outlier.abandoned_after",
                or(
                    outlier.and_then(super::outlier::OutlierConfig::abandoned_after).map(Spelt),
                    "never",
                ),
            ),
            ("outlier.retry_after_cap", or(outlier.map(|it| Spelt(it.retry_after_cap())), "off")),
            ("limits.attempt_timeout", or(self.limits().attempt_timeout().map(Spelt), "none")),
            ("guard.max_share_percent", or(self.guard().max_share_percent(), "none")),
        ]
    }
}

fn or(value: Option<impl Display>, without: &str) -> String {
    value.map_or_else(|| without.to_owned(), |value| value.to_string())
}
