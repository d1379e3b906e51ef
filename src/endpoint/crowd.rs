//! Requests in flight, counted together.

use crate::sync::{Arc, AtomicU64, CachePadded, Ordering};

/// How many requests are in flight, or look for an endpoint, among endpoints that are picked among
/// together. Counted only while something depends on it: every request writes to this word.
#[derive(Debug)]
pub(crate) struct Crowd(CachePadded<AtomicU64>);

impl Crowd {
    pub(crate) fn new() -> Self {
        Self(CachePadded::new(AtomicU64::new(0)))
    }
}

/// One request in a crowd, for as long as this lives.
#[derive(Debug)]
pub(crate) struct Counted(Arc<Crowd>);

impl Counted {
    /// Joins, and says how many there are with this one.
    #[inline]
    pub(crate) fn join(crowd: &Arc<Crowd>) -> (Self, u64) {
        // No order is needed beyond that of this word: whoever joins has a number of his own.
        let before = crowd.0.fetch_add(1, Ordering::Relaxed);
        (Self(Arc::clone(crowd)), before.saturating_add(1))
    }
}

impl Drop for Counted {
    #[inline]
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}
