//! What is noted of an endpoint for the next verdict about it.

use crate::sync::{AtomicBool, AtomicU64, Ordering};
use crate::units::Nanos;

/// Evidence, and the one probe that may be on its way.
#[derive(Debug)]
pub(crate) struct Trial {
    /// Requests that began before do not count for failures in a row.
    since: AtomicU64,
    /// Whether it has answered well since the last look.
    behaved: AtomicBool,
    /// The number of the ejection whose probe is on its way; 0 for none.
    probe: AtomicU64,
    /// Whether the next pick is to go to it, however small its share is.
    nudge: AtomicBool,
}

impl Trial {
    pub(super) fn new() -> Self {
        Self {
            since: AtomicU64::new(0),
            behaved: AtomicBool::new(false),
            probe: AtomicU64::new(0),
            nudge: AtomicBool::new(false),
        }
    }

    pub(super) fn turn_page(&self, now: Nanos) {
        self.since.store(now.0, Ordering::Relaxed);
        self.behaved.store(false, Ordering::Relaxed);
    }

    /// Whether the failure of a request that began at `began` counts.
    #[inline]
    pub(super) fn counts(&self, began: Nanos) -> bool {
        began.0 >= self.since.load(Ordering::Relaxed)
    }

    /// A good answer. Written once, so that the line stays shared.
    #[inline]
    pub(super) fn behaves(&self) {
        if !self.behaved.load(Ordering::Relaxed) {
            self.behaved.store(true, Ordering::Relaxed);
        }
    }

    /// Whether it has answered well since the last time this was asked.
    pub(crate) fn take_behaved(&self) -> bool {
        self.behaved.swap(false, Ordering::Relaxed)
    }

    /// Takes the right to probe ejection `epoch`: one at a time.
    pub(crate) fn claim_probe(&self, epoch: u32) -> bool {
        let epoch = u64::from(epoch);
        let taken = self.probe.load(Ordering::Relaxed);
        taken != epoch
            && self
                .probe
                .compare_exchange(taken, epoch, Ordering::AcqRel, Ordering::Relaxed)
                .is_ok()
    }

    /// Gives it back. A later ejection's is left alone.
    pub(crate) fn free_probe(&self, epoch: u32) {
        let _ =
            self.probe.compare_exchange(u64::from(epoch), 0, Ordering::AcqRel, Ordering::Relaxed);
    }

    /// Asks for the next pick.
    pub(crate) fn nudge(&self) {
        self.nudge.store(true, Ordering::Release);
    }

    /// Takes the pick that was asked for, if one was.
    pub(crate) fn claim_nudge(&self) -> bool {
        self.nudge.load(Ordering::Relaxed) && self.nudge.swap(false, Ordering::AcqRel)
    }
}
