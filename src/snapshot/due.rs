//! When the next thing is due that depends on time alone.

use crate::sync::{AtomicU64, Ordering};
use crate::units::Nanos;

/// An instant that every pick compares with its own, and that the writer moves.
///
/// It stands in the snapshot, and is the one word of it that changes: so settling what needs no
/// other snapshot builds none. Only the writer moves it, under its lock and only in the snapshot
/// that is served, after it has done all that was due. It carries nothing but itself, so no order
/// is needed: whoever finds it past takes the lock, and whoever still reads an old value either
/// tries the lock for nothing or finds it past with its next pick.
#[derive(Debug)]
pub(crate) struct Due(AtomicU64);

impl Due {
    pub(crate) fn new(at: Nanos) -> Self {
        Self(AtomicU64::new(at.0))
    }

    #[inline]
    pub(crate) fn at(&self) -> Nanos {
        Nanos(self.0.load(Ordering::Relaxed))
    }

    /// For the writer only.
    pub(crate) fn move_to(&self, at: Nanos) {
        self.0.store(at.0, Ordering::Relaxed);
    }
}
