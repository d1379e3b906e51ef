//! Random lives of a balancer, step by step beside the model.

use std::time::Duration;

use crate::balancer::Lease;
use crate::classify::Outcome;
use crate::config::StrategyKind;
use crate::endpoint::Endpoint;
use crate::error::{PickError, UpdateError};
use crate::laws::model::{Expected, Model, Trial};
use crate::laws::{Found, demand};
use crate::rng::Rng;
use crate::strategy::Strategy;
use crate::sync::Arc;
use crate::units::{EndpointId, Key};

/// Steps of one life.
const STEPS: usize = 400;

/// Names in play: few, so that endpoints leave and come back.
const NAMES: u64 = 7;

pub(super) fn life(strategy: &Arc<dyn Strategy>, seed: u64) -> Result<(), Found> {
    Life::new(strategy, seed)?.run(true).map(drop)
}

/// Two lives from one seed are one life.
pub(super) fn repeats(fresh: &dyn Fn() -> Arc<dyn Strategy>, seed: u64) -> Result<(), Found> {
    let first = Life::new(&fresh(), seed)?.run(false)?;
    let second = Life::new(&fresh(), seed)?.run(false)?;
    let differs = first.iter().zip(&second).position(|(a, b)| a != b);
    demand(differs.is_none(), || format!("pick {} of the same life differs", differs.unwrap_or(0)))
}

struct Life {
    trial: Trial,
    model: Model,
    leases: Vec<Lease<u64>>,
    chosen: Vec<EndpointId>,
    rng: Rng,
}

impl Life {
    fn new(strategy: &Arc<dyn Strategy>, seed: u64) -> Result<Self, Found> {
        let trial = Trial::new(strategy, seed, &[])?;
        let (model, rng) = (Model::default(), Rng::seeded(seed));
        Ok(Self { trial, model, leases: Vec::new(), chosen: Vec::new(), rng })
    }

    fn run(mut self, compare: bool) -> Result<Vec<EndpointId>, Found> {
        for step in 0..STEPS {
            self.step().map_err(|found| Found(format!("step {step}: {}", found.0)))?;
            if compare {
                self.model
                    .compare(&self.trial)
                    .map_err(|found| Found(format!("after step {step}: {}", found.0)))?;
            }
        }
        while !self.leases.is_empty() {
            self.finish();
        }
        self.model.compare(&self.trial)?;
        Ok(self.chosen)
    }

    fn step(&mut self) -> Result<(), Found> {
        self.trial.pass(Duration::from_micros(self.rng.below(300_000)));
        match self.rng.below(24) {
            0 => self.insert(),
            1 => self.remove(),
            2 => self.replace(),
            3 => self.reweight(),
            4 => self.switch(),
            5 => self.swap(),
            6..16 => self.pick(),
            _ => {
                self.finish();
                Ok(())
            }
        }
    }

    fn name(&mut self) -> EndpointId {
        EndpointId::from(format!("e{}", self.rng.below(NAMES)))
    }

    /// Small, equal, zero and the largest weights all occur.
    fn weight(&mut self) -> u32 {
        match self.rng.below(8) {
            0 => 0,
            1 => u32::MAX,
            2..5 => 1,
            _ => self.rng.below(100) as u32,
        }
    }

    fn insert(&mut self) -> Result<(), Found> {
        let (id, given) = (self.name(), self.weight());
        self.trial.balancer.insert(Endpoint::new(&id, 0).weight(given)).map_err(refused)?;
        self.model.set.entry(id).or_default().given = given;
        Ok(())
    }

    fn remove(&mut self) -> Result<(), Found> {
        let id = self.name();
        let known = self.model.set.contains_key(&id);
        match self.trial.balancer.remove(&id) {
            Ok(_) => demand(known, || format!("`{id}` was removed without having been there"))?,
            Err(
                UpdateError::Empty { .. }
                | UpdateError::AllWeightsZero { .. }
                | UpdateError::Shrinks { .. },
            ) => return Ok(()),
            Err(UpdateError::Unknown { .. }) if !known => return Ok(()),
            Err(error) => return Err(refused(error)),
        }
        self.model.set.remove(&id);
        Ok(())
    }

    fn replace(&mut self) -> Result<(), Found> {
        let mut offers: Vec<(EndpointId, u32)> = Vec::new();
        for _ in 0..self.rng.below(NAMES) {
            let (id, weight) = (self.name(), self.weight());
            if !offers.iter().any(|(known, _)| *known == id) {
                offers.push((id, weight));
            }
        }
        let endpoints = super::model::endpoints(&offers);
        self.trial.balancer.replace_unchecked(endpoints).map_err(refused)?;
        let before = std::mem::take(&mut self.model.set);
        for (id, given) in offers {
            let known = before.get(&id).cloned().unwrap_or_default();
            self.model.set.insert(id, Expected { given, ..known });
        }
        Ok(())
    }

    fn reweight(&mut self) -> Result<(), Found> {
        let (id, weight) = (self.name(), self.weight());
        if let Some(expected) = self.model.set.get_mut(&id) {
            self.trial.balancer.set_weight(&id, weight).map_err(refused)?;
            expected.said = Some(weight);
        }
        Ok(())
    }

    fn switch(&mut self) -> Result<(), Found> {
        let id = self.name();
        let Some(expected) = self.model.set.get_mut(&id) else { return Ok(()) };
        match self.rng.below(4) {
            0 => {
                drop(self.trial.balancer.drain(&id).map_err(refused)?);
                expected.off = true;
            }
            1 => {
                self.trial.balancer.disable(&id).map_err(refused)?;
                expected.off = true;
            }
            _ => {
                self.trial.balancer.enable(&id).map_err(refused)?;
                *expected = Expected { given: expected.given, ..Expected::default() };
            }
        }
        Ok(())
    }

    fn swap(&mut self) -> Result<(), Found> {
        let others = [StrategyKind::RoundRobin, StrategyKind::LeastRequest];
        let other = others.into_iter().nth(self.rng.below(2) as usize);
        self.trial.swap_there_and_back(other.unwrap_or(StrategyKind::Random))
    }

    fn pick(&mut self) -> Result<(), Found> {
        let mut key = Key::from_hash(self.rng.next_u64());
        for _ in 0..self.rng.below(3) {
            key = key.excluding(&self.name());
        }
        let may =
            |(id, expected): (&EndpointId, &Expected)| expected.takes_new() && !key.excludes(id);
        match self.trial.pick(&key) {
            Ok(lease) => {
                let id = lease.endpoint().clone();
                let allowed = self.model.set.get_key_value(&id).is_some_and(may);
                demand(allowed, || format!("`{id}` was chosen and may not be"))?;
                let tally = self.model.counted.entry(id.clone()).or_default();
                tally.picks += 1;
                tally.in_flight += 1;
                self.chosen.push(id);
                self.leases.push(lease);
                Ok(())
            }
            Err(error) => {
                let missed = self.model.set.iter().find(|&member| may(member));
                demand(missed.is_none(), || format!("{error}, and {missed:?} may be"))?;
                let right = self.right_answer();
                demand(answer(&error) == right, || format!("the answer was {error:?}"))
            }
        }
    }

    fn right_answer(&self) -> &'static str {
        let set = &self.model.set;
        if set.is_empty() {
            "empty"
        } else if set.values().any(Expected::takes_new) {
            "excluded"
        } else if set.values().all(|expected| expected.weight() == 0) {
            "zero"
        } else {
            "off"
        }
    }

    fn finish(&mut self) {
        if self.leases.is_empty() {
            return;
        }
        let lease = self.leases.swap_remove(self.rng.below(self.leases.len() as u64) as usize);
        let tally = self.model.counted.entry(lease.endpoint().clone()).or_default();
        tally.in_flight -= 1;
        match self.rng.below(6) {
            0 => drop(lease),
            1 => lease.finish_at(Outcome::Ignore, self.trial.now()),
            2 => lease.finish_at(Outcome::overloaded(None), self.trial.now()),
            3 => {
                tally.failures += 1;
                lease.finish_at(Outcome::failure(), self.trial.now());
            }
            _ => {
                tally.successes += 1;
                lease.finish_at(Outcome::Success, self.trial.now());
            }
        }
    }
}

fn answer(error: &PickError) -> &'static str {
    match error {
        PickError::Empty => "empty",
        PickError::AllWeightsZero => "zero",
        PickError::NoneAvailable { .. } => "off",
        PickError::AllExcluded => "excluded",
        PickError::Strategy { .. } => "misled",
    }
}

#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
fn refused(error: UpdateError) -> Found {
    Found(format!("a change was refused: {error}"))
}
