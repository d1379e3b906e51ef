//! Who is used when, where endpoints stand in tiers and zones.

#![cfg(feature = "config")]
#![allow(clippy::panic, clippy::unwrap_used, reason = "a story that goes otherwise has failed")]

#[path = "../support/mod.rs"]
mod support;

mod any_set;
mod panics;
mod previews;
mod ramps;
mod spill;
mod zones;

use std::time::Duration;

use evenkeel::{Balancer, Endpoint, EndpointId, Key};

use crate::support::{Numbered, config, endpoint, id};

/// Long enough that nothing comes back while a test looks.
pub(crate) const LONG: Duration = Duration::from_secs(600);

/// As many may be out as a test wants, and nobody is served who is.
pub(crate) const FREE: &str = "[outlier]\nmax_ejected_percent = 100\nmin_available = 0\n";

/// `sizes` endpoints in tier 0, 1 and so on, numbered through.
pub(crate) fn tiered(sizes: &[usize]) -> Vec<Endpoint<usize>> {
    let tiers = sizes.iter().enumerate().flat_map(|(tier, &size)| vec![tier as u32; size]);
    tiers.enumerate().map(|(number, tier)| endpoint(number).tier(tier)).collect()
}

pub(crate) fn balancer(toml: &str, endpoints: Vec<Endpoint<usize>>) -> Numbered {
    Balancer::builder().config(config(toml)).endpoints(endpoints).seed(11).build().unwrap()
}

pub(crate) fn eject(balancer: &Numbered, numbers: impl IntoIterator<Item = usize>) {
    for number in numbers {
        balancer.eject(&id(number), LONG).unwrap();
    }
}

/// The percentages that the tiers take, as status has them.
pub(crate) fn loads(balancer: &Numbered) -> Vec<f64> {
    balancer.status().tiers.iter().map(|tier| 100.0 * tier.load).collect()
}

/// The percentages of `n` picks that tiers `0..tiers` got.
pub(crate) fn realised(balancer: &Numbered, tiers: usize, n: usize) -> Vec<f64> {
    let status = balancer.status();
    let mut counts = vec![0_u32; tiers];
    for _ in 0..n {
        let lease = balancer.pick(&Key::none()).unwrap();
        counts[status.endpoint(lease.endpoint()).unwrap().tier as usize] += 1;
    }
    counts.into_iter().map(|count| 100.0 * f64::from(count) / n as f64).collect()
}

pub(crate) fn excluding(numbers: impl IntoIterator<Item = usize>) -> Key {
    numbers.into_iter().fold(Key::none(), |key, number| key.excluding(&id(number)))
}

pub(crate) fn chosen(balancer: &Numbered, key: &Key) -> EndpointId {
    balancer.pick(key).unwrap().endpoint().clone()
}

pub(crate) fn close(found: &[f64], expected: &[f64], within: f64) {
    let near = found.len() == expected.len()
        && found.iter().zip(expected).all(|(found, expected)| (found - expected).abs() <= within);
    assert!(near, "{found:?} instead of {expected:?}");
}
