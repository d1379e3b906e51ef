//! What cannot hold together.

use super::Config;
use super::hash::HashConfig;
use super::kind::StrategyKind;
use super::strategy::StrategyConfig;
use crate::error::Problem;

impl Config {
    /// What cannot hold together in these settings, though each of them is within its range.
    ///
    /// `Config::from_toml` refuses settings of which this says anything. What could hold and is
    /// hardly meant is among the [warnings](Self::warnings).
    ///
    /// ```
    /// use evenkeel::config::{Config, StrategyConfig, StrategyKind};
    ///
    /// let nameless = StrategyConfig::new(StrategyKind::Custom(String::new()));
    /// let problems = Config::default().with_strategy(nameless).contradictions();
    /// assert_eq!(problems[0].path, "strategy.custom");
    /// ```
    #[must_use]
    pub fn contradictions(&self) -> Vec<Problem> {
        let mut found = Vec::new();
        of_strategy(self.strategy(), &mut found);
        of_hash(self.hash(), &mut found);
        found
    }
}

fn of_strategy(strategy: &StrategyConfig, found: &mut Vec<Problem>) {
    if matches!(strategy.kind(), StrategyKind::Custom(name) if name.is_empty()) {
        found.push(Problem::error("strategy.custom", "the name must not be empty"));
    }
}

fn of_hash(hash: &HashConfig, found: &mut Vec<Problem>) {
    let (min, max) = (hash.min_ring_size(), hash.max_ring_size());
    if min > max {
        let message = format!("{min} is more than hash.max_ring_size, {max}");
        found.push(Problem::error("hash.min_ring_size", message));
    }
}
