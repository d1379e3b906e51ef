//! What became of an endpoint's requests other than a good answer.

use once_cell::race::OnceBox;

use crate::endpoint::targets::Broken;
use crate::stats::RecentFailures;
use crate::sync::{AtomicU64, Ordering};

/// Made by the first of them: most endpoints have none for long.
#[derive(Debug)]
pub(super) struct Amiss(OnceBox<Counts>);

#[derive(Debug)]
pub(super) struct Counts {
    pub(super) failed: AtomicU64,
    pub(super) overloaded: AtomicU64,
    pub(super) ignored: AtomicU64,
    /// Begun and given back without having been sent.
    pub(super) void: AtomicU64,
    pub(super) broken: Broken,
    /// Those failures that may still weigh.
    pub(super) recent: RecentFailures,
}

/// What they are at one moment.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Read {
    pub(super) failed: u64,
    pub(super) overloaded: u64,
    pub(super) ignored: u64,
    pub(super) void: u64,
}

impl Amiss {
    pub(super) fn new() -> Self {
        Self(OnceBox::new())
    }

    /// To count something in there.
    pub(super) fn counts(&self) -> &Counts {
        let new = || Counts {
            failed: AtomicU64::new(0),
            overloaded: AtomicU64::new(0),
            ignored: AtomicU64::new(0),
            void: AtomicU64::new(0),
            broken: Broken::new(),
            recent: RecentFailures::new(),
        };
        self.0.get_or_init(|| Box::new(new()))
    }

    /// If there are any.
    pub(super) fn known(&self) -> Option<&Counts> {
        self.0.get()
    }

    /// Whoever has read how many requests had ended finds all in here that are among those.
    pub(super) fn read(&self) -> Read {
        self.known().map_or_else(Read::default, |counts| Read {
            failed: counts.failed.load(Ordering::Acquire),
            overloaded: counts.overloaded.load(Ordering::Acquire),
            ignored: counts.ignored.load(Ordering::Acquire),
            void: counts.void.load(Ordering::Acquire),
        })
    }
}
