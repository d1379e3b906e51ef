//! When things happened last, for whoever asks how old they are.

use crate::sync::{AtomicU64, Ordering};
use crate::units::Nanos;

/// Written by the writer, read by anybody.
#[derive(Debug)]
pub(crate) struct Dates {
    /// When somebody last sent a set that was taken, if only the same again.
    confirmed: AtomicU64,
    /// When the writer looked at what traffic came to, the last time and the time before.
    looks: [AtomicU64; 2],
}

impl Dates {
    pub(crate) fn new() -> Self {
        let zero = || AtomicU64::new(0);
        Self { confirmed: zero(), looks: [zero(), zero()] }
    }

    /// The set has been sent, or changed.
    pub(crate) fn confirm(&self, now: Nanos) {
        // Whoever read the clock first may come last.
        self.confirmed.fetch_max(now.0, Ordering::Relaxed);
    }

    pub(crate) fn confirmed(&self) -> Nanos {
        Nanos(self.confirmed.load(Ordering::Relaxed))
    }

    /// The writer has looked at what endpoints came to.
    pub(crate) fn look(&self, now: Nanos) {
        let [older, newer] = &self.looks;
        older.store(newer.load(Ordering::Relaxed), Ordering::Relaxed);
        newer.store(now.0, Ordering::Relaxed);
    }

    /// Since when what endpoints did lately is counted: the look before the last.
    pub(crate) fn lately(&self) -> Nanos {
        let [older, _] = &self.looks;
        Nanos(older.load(Ordering::Relaxed))
    }
}
