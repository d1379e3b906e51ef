//! Laws of strategies that go by keys.

use crate::laws::model::Trial;
use crate::laws::picks::{random_set, some_weight};
use crate::laws::{Found, demand};
use crate::rng::Rng;
use crate::strategy::Strategy;
use crate::sync::Arc;
use crate::units::{EndpointId, Key};

/// Keys that are watched.
const KEYS: u64 = 500;

/// Endpoints that come and go.
const TURNS: usize = 12;

pub(super) fn keys(strategy: &Arc<dyn Strategy>, seed: u64) -> Result<(), Found> {
    let mut rng = Rng::seeded(seed);
    let set = some_weight(random_set(&mut rng));
    let trial = Trial::new(strategy, seed, &set)?;
    if !trial.balancer.goes_by_keys() {
        return Ok(());
    }
    let hashes: Vec<u64> = (0..KEYS).map(|_| rng.next_u64()).collect();
    let at_home = chosen(&trial, &hashes, None)?;
    let mut before = at_home.clone();
    let mut out: Vec<EndpointId> = Vec::new();
    for _ in 0..TURNS {
        let (id, _) = &set[rng.below(set.len() as u64) as usize];
        let excluding = chosen_or_nobody(&trial, &hashes, id);
        let was_out = out.iter().position(|known| known == id);
        let moved = match was_out {
            Some(at) => trial.balancer.enable(&out.swap_remove(at)).map(drop),
            None => trial.balancer.drain(id).map(drop),
        };
        moved.map_err(|error| Found(error.to_string()))?;
        if was_out.is_none() {
            out.push(id.clone());
        }
        if trial.pick(&Key::from_hash(0)).is_err() {
            trial.balancer.enable(id).map_err(|error| Found(error.to_string()))?;
            out.retain(|known| known != id);
        }
        let after = chosen(&trial, &hashes, None)?;
        for (at, (before, after)) in before.iter().zip(&after).enumerate() {
            let touched = before == id || after == id;
            demand(before == after || touched, || {
                format!("a key of `{before}` went to `{after}` when `{id}` came or went")
            })?;
            let home = &at_home[at];
            demand(out.contains(home) || after == home, || {
                format!("a key of `{home}` is with `{after}`, and `{home}` is there")
            })?;
        }
        if was_out.is_none() && out.contains(id) {
            demand(excluding.as_ref().is_none_or(|it| *it == after), || {
                format!("excluding `{id}` and draining it are not the same")
            })?;
        }
        before = after;
    }
    Ok(())
}

fn chosen(
    trial: &Trial,
    hashes: &[u64],
    without: Option<&EndpointId>,
) -> Result<Vec<EndpointId>, Found> {
    let key = |&hash: &u64| match without {
        Some(id) => Key::from_hash(hash).excluding(id),
        None => Key::from_hash(hash),
    };
    let pick = |hash: &u64| match trial.pick(&key(hash)) {
        Ok(lease) => Ok(lease.endpoint().clone()),
        Err(error) => Err(Found(error.to_string())),
    };
    hashes.iter().map(pick).collect()
}

/// `None` where `without` is the last one.
fn chosen_or_nobody(
    trial: &Trial,
    hashes: &[u64],
    without: &EndpointId,
) -> Option<Vec<EndpointId>> {
    chosen(trial, hashes, Some(without)).ok()
}
