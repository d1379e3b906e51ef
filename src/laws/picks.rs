//! Laws of the picks of one set.

use crate::error::PickError;
use crate::laws::model::{Trial, endpoints};
use crate::laws::{Found, demand};
use crate::rng::Rng;
use crate::strategy::Strategy;
use crate::sync::Arc;
use crate::units::{EndpointId, Key};

/// Picks over which shares are compared.
const PICKS: usize = 20_000;

pub(super) fn ends(strategy: &Arc<dyn Strategy>) -> Result<(), Found> {
    let answer = |weights: &[u32], key: &dyn Fn(&Trial) -> Key| {
        let set = named(weights);
        let trial = Trial::new(strategy, 1, &set)?;
        Ok(trial.pick(&key(&trial)).map(|lease| lease.endpoint().clone()))
    };
    let plain = |_: &Trial| Key::none();
    let is = |found: &Result<EndpointId, PickError>, right: &PickError| {
        demand(found.as_ref().err() == Some(right), || format!("{found:?} instead of {right:?}"))
    };
    is(&answer(&[], &plain)?, &PickError::Empty)?;
    is(&answer(&[0], &plain)?, &PickError::AllWeightsZero)?;
    is(&answer(&[0, 0, 0], &plain)?, &PickError::AllWeightsZero)?;
    let one = answer(&[5], &plain)?;
    demand(one.is_ok(), || format!("the only endpoint was not chosen: {one:?}"))?;
    let one = answer(&[0, u32::MAX, 0], &plain)?;
    demand(one == Ok(EndpointId::from("e01")), || format!("{one:?} among zeros"))?;
    let excluding_all = |trial: &Trial| {
        let status = trial.balancer.status();
        status.endpoints.iter().fold(Key::none(), |key, endpoint| key.excluding(&endpoint.id))
    };
    is(&answer(&[1, 2], &excluding_all)?, &PickError::AllExcluded)?;
    // More exclusions than any strategy keeps at hand.
    is(&answer(&[3; 60], &excluding_all)?, &PickError::AllExcluded)?;
    let drained = |trial: &Trial| {
        for endpoint in trial.balancer.status().endpoints {
            let _ = trial.balancer.drain(&endpoint.id);
        }
        Key::none()
    };
    let none = PickError::NoneAvailable {
        draining: 2,
        disabled: 0,
        ejected: 0,
        unhealthy: 0,
        until: None,
    };
    is(&answer(&[1, 2], &drained)?, &none)
}

pub(super) fn shares(strategy: &Arc<dyn Strategy>, seed: u64, follows: bool) -> Result<(), Found> {
    let set = random_set(&mut Rng::seeded(seed));
    let trial = Trial::new(strategy, seed, &set)?;
    let shares: Vec<f64> =
        trial.balancer.status().endpoints.iter().map(|e| e.expected_share).collect();
    let sum: f64 = shares.iter().sum();
    let sound = shares.iter().all(|share| (0.0..=1.0 + 1e-9).contains(share));
    let right = if set.iter().any(|&(_, weight)| weight > 0) { 1.0 } else { 0.0 };
    demand(sound && (sum - right).abs() < 1e-9, || format!("shares of {set:?} are {shares:?}"))?;
    let idle = set.iter().zip(&shares).find(|((_, weight), share)| *weight == 0 && **share > 0.0);
    demand(idle.is_none(), || format!("weight zero has a share: {idle:?}"))?;
    if !follows || right == 0.0 {
        return Ok(());
    }
    let mut counts = vec![0_u32; set.len()];
    for id in trial.next(PICKS, &mut Rng::seeded(!seed))? {
        let at = set.iter().position(|(known, _)| *known == id);
        let count = at.and_then(|at| counts.get_mut(at));
        *count.ok_or_else(|| Found(format!("`{id}` is not in the set")))? += 1;
    }
    let (score, limit) = chi_square(&counts, &shares);
    demand(score <= limit, || {
        format!(
            "{counts:?} of {PICKS} picks for shares {shares:?}: chi-square {score:.1} > {limit:.1}"
        )
    })
}

/// The order of input does not matter.
pub(super) fn order(fresh: &dyn Fn() -> Arc<dyn Strategy>, seed: u64) -> Result<(), Found> {
    let mut rng = Rng::seeded(seed);
    let set = some_weight(random_set(&mut rng));
    let mut shuffled = set.clone();
    for at in (1..shuffled.len()).rev() {
        shuffled.swap(at, rng.below(at as u64 + 1) as usize);
    }
    let first = Trial::new(&fresh(), seed, &set)?.next(200, &mut rng.clone())?;
    let second = Trial::new(&fresh(), seed, &shuffled)?.next(200, &mut rng)?;
    demand(first == second, || format!("the order of {set:?} matters"))
}

/// The same set again moves nothing.
pub(super) fn unmoved(fresh: &dyn Fn() -> Arc<dyn Strategy>, seed: u64) -> Result<(), Found> {
    let set = some_weight(random_set(&mut Rng::seeded(seed)));
    let (still, stirred) = (Trial::new(&fresh(), seed, &set)?, Trial::new(&fresh(), seed, &set)?);
    let mut rng = Rng::seeded(!seed);
    for at in 0..200 {
        let again = set.iter().rev().cloned().collect::<Vec<_>>();
        let version = stirred.balancer.version();
        let sent = stirred.balancer.replace(endpoints(&again));
        demand(sent.is_ok_and(|sent| sent == version), || "the version moved".to_owned())?;
        let (a, b) = (still.next(1, &mut rng.clone())?, stirred.next(1, &mut rng)?);
        demand(a == b, || format!("pick {at} is {b:?} after the same set, {a:?} without"))?;
    }
    Ok(())
}

fn named(weights: &[u32]) -> Vec<(EndpointId, u32)> {
    let name = |at: usize| EndpointId::from(format!("e{at:02}"));
    weights.iter().enumerate().map(|(at, &weight)| (name(at), weight)).collect()
}

pub(super) fn random_set(rng: &mut Rng) -> Vec<(EndpointId, u32)> {
    let n = 1 + rng.below(16) as usize;
    let heaviest = [1, 4, 100, u64::from(u32::MAX)][rng.below(4) as usize];
    named(&(0..n).map(|_| rng.below(heaviest + 1) as u32).collect::<Vec<_>>())
}

/// The set, with one endpoint of weight one if it has no weight at all.
pub(super) fn some_weight(mut set: Vec<(EndpointId, u32)>) -> Vec<(EndpointId, u32)> {
    if set.iter().all(|&(_, weight)| weight == 0) {
        set.push((EndpointId::from("e99"), 1));
    }
    set
}

/// How far counts are from shares, and how far chance alone takes them once in a million times
/// (by the approximation of Wilson and Hilferty, 1931). Shares of less than five picks are taken
/// together.
fn chi_square(counts: &[u32], shares: &[f64]) -> (f64, f64) {
    let picks: f64 = counts.iter().copied().map(f64::from).sum();
    let mut bins = Vec::new();
    let mut rest = (0.0, 0.0);
    for (&count, &share) in counts.iter().zip(shares) {
        let (seen, expected) = (f64::from(count), share * picks);
        if expected >= 5.0 {
            bins.push((seen, expected));
        } else {
            rest = (rest.0 + seen, rest.1 + expected);
        }
    }
    if rest.1 >= 5.0 || rest.0 > 40.0 {
        bins.push((rest.0, rest.1.max(1e-9)));
    }
    let score = bins.iter().map(|(seen, expected)| (seen - expected).powi(2) / expected).sum();
    let freedom = bins.len().saturating_sub(1).max(1) as f64;
    let third = 2.0 / (9.0 * freedom);
    let limit = freedom * (1.0 - third + 4.753 * third.sqrt()).powi(3);
    (score, limit)
}
