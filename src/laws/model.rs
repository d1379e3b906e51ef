//! The slow, obvious model that a balancer is compared with, and the balancer under trial.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::balancer::{Balancer, Change, Lease, held};
use crate::config::{Config, StrategyConfig, StrategyKind};
use crate::endpoint::Endpoint;
use crate::laws::Found;
use crate::rng::Rng;
use crate::strategy::Strategy;
use crate::sync::Arc;
use crate::units::{EndpointId, Key};

/// What the trial strategy is called.
const TRIAL: &str = "on trial";

/// A balancer with the strategy on trial, and a clock of its own.
pub(super) struct Trial {
    pub(super) balancer: Balancer<u64>,
    now: Instant,
}

impl Trial {
    pub(super) fn new(
        strategy: &Arc<dyn Strategy>,
        seed: u64,
        weights: &[(EndpointId, u32)],
    ) -> Result<Self, Found> {
        #[expect(clippy::disallowed_methods, reason = "the trial's own clock starts here")]
        let now = Instant::now();
        held::set(Some(now));
        let balancer = Balancer::builder()
            .seed(seed)
            .config(on_trial())
            .strategy(TRIAL, Arc::clone(strategy))
            .endpoints(endpoints(weights))
            .build()
            .map_err(|error| Found(error.to_string()))?;
        Ok(Self { balancer, now })
    }

    pub(super) fn pass(&mut self, time: Duration) {
        self.now += time;
        held::set(Some(self.now));
    }

    pub(super) fn pick(&self, key: &Key) -> Result<Lease<u64>, crate::error::PickError> {
        self.balancer.pick_at(key, self.now)
    }

    pub(super) fn now(&self) -> Instant {
        self.now
    }

    /// The next `picks` endpoints, each given back at once and unjudged: for keys that are drawn
    /// from `rng`.
    pub(super) fn next(&self, picks: usize, rng: &mut Rng) -> Result<Vec<EndpointId>, Found> {
        (0..picks)
            .map(|_| match self.pick(&Key::from_hash(rng.next_u64())) {
                Ok(lease) => Ok(lease.endpoint().clone()),
                Err(error) => Err(Found(error.to_string())),
            })
            .collect()
    }

    /// Exchanges the strategy on trial for another one and back.
    pub(super) fn swap_there_and_back(&self, other: StrategyKind) -> Result<(), Found> {
        for config in [settings(other), on_trial()] {
            self.balancer.apply(Change::from(config)).map_err(|e| Found(e.to_string()))?;
        }
        Ok(())
    }
}

fn on_trial() -> Config {
    settings(StrategyKind::Custom(TRIAL.to_owned()))
}

/// The laws are about the strategy, so nothing is ejected.
fn settings(kind: StrategyKind) -> Config {
    Config::default().with_strategy(StrategyConfig::new(kind)).with_outlier(None)
}

pub(super) fn endpoints(weights: &[(EndpointId, u32)]) -> impl Iterator<Item = Endpoint<u64>> + '_ {
    weights.iter().map(|(id, weight)| Endpoint::new(id, 0).weight(*weight))
}

impl Drop for Trial {
    fn drop(&mut self) {
        held::set(None);
    }
}

/// What should be true of an endpoint.
#[derive(Clone, Debug, Default)]
pub(super) struct Expected {
    pub(super) given: u32,
    pub(super) said: Option<u32>,
    pub(super) off: bool,
}

impl Expected {
    pub(super) fn weight(&self) -> u32 {
        self.said.unwrap_or(self.given)
    }

    pub(super) fn takes_new(&self) -> bool {
        !self.off && self.weight() > 0
    }
}

/// What should have been counted of an endpoint, whether it is in the set or not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) picks: u64,
    pub(super) in_flight: u64,
    pub(super) successes: u64,
    pub(super) failures: u64,
}

/// A balancer as plain maps.
#[derive(Debug, Default)]
pub(super) struct Model {
    pub(super) set: BTreeMap<EndpointId, Expected>,
    pub(super) counted: BTreeMap<EndpointId, Tally>,
}

impl Model {
    /// Compares everything that can be seen of the balancer.
    pub(super) fn compare(&self, trial: &Trial) -> Result<(), Found> {
        let status = trial.balancer.status();
        let seen: Vec<_> = status.endpoints.iter().map(|endpoint| &endpoint.id).collect();
        if !seen.iter().copied().eq(self.set.keys()) {
            return Err(Found(format!("the set is {seen:?} instead of {:?}", self.set.keys())));
        }
        for endpoint in &status.endpoints {
            let tally = Tally {
                picks: endpoint.picks,
                in_flight: endpoint.in_flight,
                successes: endpoint.successes,
                failures: endpoint.failures,
            };
            let expected = self.counted.get(&endpoint.id).cloned().unwrap_or_default();
            if tally != expected {
                let id = &endpoint.id;
                return Err(Found(format!("`{id}` counts {tally:?} instead of {expected:?}")));
            }
            let weight = self.set.get(&endpoint.id).map(Expected::weight);
            if weight != Some(endpoint.weight) {
                return Err(Found(format!("`{}` weighs {}", endpoint.id, endpoint.weight)));
            }
        }
        Ok(())
    }
}
