//! From what the settings call a strategy to the strategy.

use std::collections::BTreeMap;

use crate::config::{Config, StrategyKind};
use crate::error::Problem;
use crate::snapshot::Chosen;
use crate::strategy::{
    LeastRequest, Maglev, PeakEwma, Random, RingHash, RoundRobin, Strategy, Wheels,
};
use crate::sync::Arc;

/// Strategies of the user's own, by name.
#[derive(Debug, Default)]
pub(crate) struct Named {
    own: BTreeMap<String, Arc<dyn Strategy>>,
    pub(super) wheels: Wheels,
}

impl Named {
    pub(crate) fn insert(&mut self, name: String, strategy: Arc<dyn Strategy>) {
        self.own.insert(name, strategy);
    }

    /// The strategy that the settings ask for.
    pub(crate) fn choose(&self, config: &Config) -> Result<Chosen, Problem> {
        let (hash, config) = (config.hash(), config.strategy());
        let choices = config.choices().count();
        let strategy: Arc<dyn Strategy> = match config.kind() {
            StrategyKind::RoundRobin => Arc::new(RoundRobin),
            StrategyKind::Random => Arc::new(Random),
            StrategyKind::LeastRequest => {
                Arc::new(choices.map_or_else(LeastRequest::of_all, LeastRequest::of))
            }
            StrategyKind::PeakEwma => Arc::new(choices.map_or_else(PeakEwma::of_all, PeakEwma::of)),
            StrategyKind::RingHash => Arc::new(RingHash::with_wheels(hash, &self.wheels)),
            StrategyKind::Maglev => Arc::new(Maglev::with_wheels(hash, &self.wheels)),
            StrategyKind::Custom(name) => {
                let known = self.own.get(name).ok_or_else(|| self.unknown(name))?;
                return Ok(Chosen::new(name.as_str().into(), Arc::clone(known)));
            }
        };
        Ok(Chosen::new(config.kind().to_string().into(), strategy))
    }

    fn unknown(&self, name: &str) -> Problem {
        let known: Vec<_> = self.own.keys().map(|name| format!("`{name}`")).collect();
        let known = if known.is_empty() {
            "none was given to Builder::strategy".to_owned()
        } else {
            format!("Builder::strategy was given {}", known.join(", "))
        };
        Problem::error("strategy.custom", format!("no strategy is called `{name}`; {known}"))
    }
}
