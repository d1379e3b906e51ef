//! What the audit keeps of an endpoint, and what the writer has noted of it.

use crate::sync::{AtomicU32, AtomicU64, Ordering};

/// The audit's words on an endpoint. They are the writer's own.
///
/// They stand on the cell, so that they outlive snapshots and nobody has to look them up by id.
#[derive(Debug)]
pub(crate) struct Audited {
    /// What speaks for a skew, as the audit packs it.
    evidence: AtomicU64,
    /// The lowest bits of how many requests it had been sent at the last look.
    mark: AtomicU32,
    /// The requests it was sent lately, fading: the bits of a float.
    recent: AtomicU32,
}

/// Counted by picks since the audit's last look: those that stood outside of the schedule or, where
/// the audit goes by samples, how many of these concern the endpoint.
///
/// It stands on a page with those of others: where there are many, one sample fetches less from far.
#[derive(Debug)]
pub(crate) struct Tally(AtomicU32);

impl Audited {
    pub(super) fn new() -> Self {
        Self { evidence: AtomicU64::new(0), mark: AtomicU32::new(0), recent: AtomicU32::new(0) }
    }

    /// How many of its `picks` came since the last look, which ends here.
    pub(crate) fn take_picks(&self, picks: u64) -> u32 {
        let since = since(&self.mark, picks);
        self.mark.store(picks as u32, Ordering::Relaxed);
        since
    }

    pub(crate) fn evidence(&self) -> u64 {
        self.evidence.load(Ordering::Relaxed)
    }

    pub(crate) fn set_evidence(&self, evidence: u64) {
        // Most stay as they are, and their line stays with whoever reads it.
        if self.evidence() != evidence {
            self.evidence.store(evidence, Ordering::Relaxed);
        }
    }

    /// The requests it was sent lately.
    pub(crate) fn recent(&self) -> f32 {
        f32::from_bits(self.recent.load(Ordering::Relaxed))
    }

    pub(crate) fn set_recent(&self, recent: f32) {
        self.recent.store(recent.to_bits(), Ordering::Relaxed);
    }
}

impl Tally {
    pub(super) fn new() -> Self {
        Self(AtomicU32::new(0))
    }

    /// Adds to it.
    pub(crate) fn count(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// Takes one off, unless that was taken meanwhile.
    pub(super) fn count_back(&self) {
        let less = |tally: u32| tally.checked_sub(1);
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    }

    /// Takes it.
    pub(crate) fn take(&self) -> u32 {
        // Mostly there is none, and reading takes nothing from whoever picks.
        if self.0.load(Ordering::Relaxed) == 0 {
            return 0;
        }
        self.0.swap(0, Ordering::Relaxed)
    }
}

/// How much further a count is than its lowest bits were. A request that was given back makes it go
/// back a little, which is no difference.
pub(super) fn since(mark: &AtomicU32, count: u64) -> u32 {
    let since = (count as u32).wrapping_sub(mark.load(Ordering::Relaxed));
    if since > u32::MAX / 2 { 0 } else { since }
}

#[cfg(all(test, not(evenkeel_loom)))]
mod tests {
    use super::*;

    #[test]
    fn counts_are_told_from_their_lowest_bits() {
        let audited = Audited::new();
        assert_eq!(audited.take_picks(7), 7);
        assert_eq!(audited.take_picks(5), 0, "two were given back");
        let far = u64::from(u32::MAX) - 1;
        audited.take_picks(far);
        assert_eq!(audited.take_picks(far + 9), 9);
    }

    #[test]
    fn a_tally_is_taken_once() {
        let tally = Tally::new();
        (0..3).for_each(|_| tally.count());
        assert_eq!((tally.take(), tally.take()), (3, 0));
        tally.count_back();
        assert_eq!(tally.take(), 0, "that one was taken before");
        tally.count();
        tally.count_back();
        assert_eq!(tally.take(), 0);
    }
}
