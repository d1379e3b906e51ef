//! Where a round stands.

use crate::sync::{AtomicU64, CachePadded, Ordering};

/// Counts the picks of a round. One for a balancer: it outlives pickers, so that neither an
/// update nor a change of strategy starts the round again at its first endpoint.
#[derive(Debug)]
pub(crate) struct Cursor(CachePadded<AtomicU64>);

impl Cursor {
    pub(crate) fn at(position: u64) -> Self {
        Self(CachePadded::new(AtomicU64::new(position)))
    }

    /// This pick's position; no two picks have the same one.
    #[inline]
    pub(crate) fn next(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }

    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn position(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
