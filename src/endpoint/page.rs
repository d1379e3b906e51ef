//! Where the lines of endpoints stand, and what is in them.
//!
//! Where there are many endpoints nothing of them is near the processor, and what a request costs is how
//! much has to be fetched. So what it takes to compare an endpoint, to begin with it and to end well stands
//! together in half a cache line, next to that of others: of ten thousand endpoints that is 320 kB. What
//! only a timed or a failed request looks at stands in the endpoint's cell.
//!
//! Pages are taken from the system, their lines are used again, and they are never given back: so a request
//! that is on its way can refer to one without holding it by a count of its own, which would be two more
//! locked additions and one more cache line. What a process keeps by that is one line, 44 bytes, for each
//! endpoint of all its balancers at the time when they had the most.

use crate::endpoint::{EndpointCell, Line, Tally};
use crate::stats::{Latency, Paced};
use crate::sync::{AtomicU32, AtomicU64, Slot};
#[cfg(not(evenkeel_loom))]
use crate::sync::{Mutex, Ordering};

/// Lines of a page. The model checker's words belong to one run of the model, so there it is one.
pub(super) const LINES: usize = if cfg!(evenkeel_loom) { 1 } else { 64 };

#[repr(C, align(64))]
pub(super) struct Page {
    near: [Near; LINES],
    /// The endpoints' other words, from their being served on.
    cells: [Slot<EndpointCell>; LINES],
    tallies: [Tally; LINES],
}

/// What nearly every request reads or writes of its endpoint.
#[repr(C, align(32))]
pub(super) struct Near {
    /// Requests ever begun, and [flags](super::line).
    pub(super) begun: AtomicU64,
    /// The lowest bits of how many have ended, and flags.
    pub(super) ended: AtomicU32,
    /// The tick in which the endpoint last gave a sign of life, or got work while it had none.
    pub(super) stirred: AtomicU32,
    pub(super) latency: Latency,
    pub(super) paced: Paced,
    /// Requests in flight whose answers have begun: of them nothing more is waited for.
    pub(super) answering: AtomicU32,
}

impl Page {
    fn new() -> Self {
        Self {
            near: std::array::from_fn(|_| Near {
                begun: AtomicU64::new(0),
                ended: AtomicU32::new(0),
                stirred: AtomicU32::new(0),
                latency: Latency::new(),
                paced: Paced::new(),
                answering: AtomicU32::new(0),
            }),
            cells: std::array::from_fn(|_| Slot::empty()),
            tallies: std::array::from_fn(|_| Tally::new()),
        }
    }

    #[inline(always)]
    pub(super) fn near(&self, spot: u64) -> &Near {
        &self.near[spot as usize % LINES]
    }

    #[inline(always)]
    pub(super) fn cell(&self, spot: u64) -> &Slot<EndpointCell> {
        &self.cells[spot as usize % LINES]
    }

    #[inline]
    pub(super) fn tally(&self, spot: u64) -> &Tally {
        &self.tallies[spot as usize % LINES]
    }
}

/// Those that no endpoint has.
#[cfg(not(evenkeel_loom))]
static FREE: Mutex<Vec<Line>> = Mutex::new(Vec::new());

/// One for an endpoint of its own.
#[cfg(not(evenkeel_loom))]
pub(super) fn take() -> Line {
    let mut free = FREE.lock();
    if free.is_empty() {
        let page: &'static Page = Box::leak(Box::new(Page::new()));
        // Two of them share a cache line. Where there are few endpoints each has one of its own.
        let apart = (0..LINES).step_by(2).chain((1..LINES).step_by(2));
        free.extend(apart.rev().map(|at| Line::new(page, at)));
    }
    // There is one: there were as many as a page has.
    free.pop().unwrap_or_else(alone)
}

/// Its endpoint is gone, and so is every request to it.
#[cfg(not(evenkeel_loom))]
pub(super) fn give_back(line: Line) {
    let near = line.near();
    near.begun.store(0, Ordering::Relaxed);
    near.ended.store(0, Ordering::Relaxed);
    near.stirred.store(0, Ordering::Relaxed);
    near.answering.store(0, Ordering::Relaxed);
    near.latency.clear();
    near.paced.clear();
    line.cell().take();
    line.tally().take();
    FREE.lock().push(line);
}

fn alone() -> Line {
    Line::new(Box::leak(Box::new(Page::new())), 0)
}

#[cfg(evenkeel_loom)]
pub(super) fn take() -> Line {
    alone()
}

#[cfg(evenkeel_loom)]
pub(super) fn give_back(_: Line) {}

#[cfg(all(test, not(evenkeel_loom)))]
#[test]
fn what_nearly_every_request_needs_is_half_a_cache_line() {
    assert_eq!((size_of::<Near>(), align_of::<Near>()), (32, 32));
    assert_eq!((size_of::<Page>(), size_of::<Line>()), (44 * LINES, 16));
}
