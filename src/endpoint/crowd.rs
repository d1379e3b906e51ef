//! Requests in flight, counted together.

use crate::sync::{Arc, AtomicBool, AtomicU64, CachePadded, Ordering};

/// How many requests are in flight, or look for an endpoint, among endpoints that are picked among
/// together. Counted only while something depends on it: every request writes to this word.
#[derive(Debug)]
pub(crate) struct Crowd {
    count: CachePadded<AtomicU64>,
    is_in_use: AtomicBool,
}

impl Crowd {
    pub(crate) fn new() -> Self {
        Self { count: CachePadded::new(AtomicU64::new(0)), is_in_use: AtomicBool::new(false) }
    }

    /// The same one, for somebody who depends on it from now on.
    pub(crate) fn in_use(self: &Arc<Self>) -> Arc<Self> {
        self.is_in_use.store(true, Ordering::Relaxed);
        Arc::clone(self)
    }

    /// How many there are.
    pub(crate) fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    /// Whether anybody has ever depended on it.
    pub(crate) fn is_in_use(&self) -> bool {
        self.is_in_use.load(Ordering::Relaxed)
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
        let before = crowd.count.fetch_add(1, Ordering::Relaxed);
        (Self(Arc::clone(crowd)), before.saturating_add(1))
    }

    /// How many there are by now, with this one.
    pub(crate) fn together(&self) -> u64 {
        self.0.count()
    }
}

impl Drop for Counted {
    #[inline]
    fn drop(&mut self) {
        self.0.count.fetch_sub(1, Ordering::Relaxed);
    }
}
