//! The same key, the same endpoint: whatever the order, the process and the health of the others.

#![cfg(feature = "config")]
#![allow(clippy::panic, clippy::unwrap_used, reason = "a story that goes otherwise has failed")]

#[path = "../support/mod.rs"]
mod support;

mod bursts;
mod figures;
mod golden;
mod moves;
mod returns;
mod spread;

use std::time::Duration;

use evenkeel::{Key, PickError};

use crate::support::Numbered;

pub(crate) const KINDS: [&str; 2] = ["ring_hash", "maglev"];

pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// As many may be out as a test wants, and nobody is served who is.
pub(crate) const FREE: &str =
    "panic = false\noutlier.max_ejected_percent = 100\noutlier.min_available = 0\n";

pub(crate) fn by_key(kind: &str) -> String {
    format!("strategy.kind = '{kind}'\n")
}

/// The key number `i`; its hash is as good as random.
pub(crate) fn key(i: usize) -> Key {
    Key::bytes(format!("session-{i}").as_bytes())
}

pub(crate) fn owner(balancer: &Numbered, key: &Key) -> Result<usize, PickError> {
    balancer.pick(key).map(|lease| *lease.target())
}

/// Who gets the keys `0..keys`.
pub(crate) fn mapping(balancer: &Numbered, keys: usize) -> Vec<usize> {
    (0..keys).map(|i| owner(balancer, &key(i)).unwrap()).collect()
}

/// How many keys differ.
pub(crate) fn moved(before: &[usize], after: &[usize]) -> usize {
    before.iter().zip(after).filter(|(before, after)| before != after).count()
}
