//! What a picker may ask about the request at hand.

use std::fmt;

use tokio::time::Instant;

use crate::decision::{PickReason, Trace};
use crate::endpoint::{Line, Look, Terms};
use crate::rng::Rng;
use crate::strategy::Candidate;
use crate::strategy::hashing::Reserved;
use crate::units::{EndpointId, Key, Nanos, Origin};

/// One request's view of the candidates: the instant, the key, the exclusions and a source of
/// randomness. All that a decision may depend on is in here.
pub struct PickContext<'a> {
    pub(crate) candidates: &'a [Candidate],
    /// Where the same ones are counted.
    pub(crate) lines: &'a [Line],
    pub(crate) key: &'a Key,
    pub(crate) now: Nanos,
    pub(crate) origin: Origin,
    pub(crate) terms: &'a Terms,
    pub(crate) typical: f32,
    pub(crate) rng: Rng,
    /// A place that the picker has already taken for the candidate it chooses.
    pub(crate) reserved: Option<Reserved<'a>>,
    /// What this pick has come by so far, if it is to be recorded.
    pub(crate) trace: Option<Trace>,
}

impl PickContext<'_> {
    /// The candidates, in the order the picker was prepared for.
    #[must_use]
    pub fn candidates(&self) -> &[Candidate] {
        self.candidates
    }

    /// When the request is being sent.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.origin.instant_or_start(self.now)
    }

    /// The hash of the request's key, if it has one.
    #[must_use]
    pub fn hash(&self) -> Option<u64> {
        self.key.hash()
    }

    /// Whether the request must not go to this candidate. An index that does not exist counts as
    /// excluded.
    #[must_use]
    #[inline]
    pub fn is_excluded(&self, index: usize) -> bool {
        self.candidates.get(index).is_none_or(|candidate| {
            !self.key.excluded().is_empty() && self.key.excludes(candidate.id())
        })
    }

    /// Requests in flight to a candidate plus its failures that still weigh; `u64::MAX` for an
    /// index that does not exist.
    #[must_use]
    #[inline]
    pub fn load(&self, index: usize) -> u64 {
        self.lines.get(index).map_or(u64::MAX, |line| line.load(|| self.failures(index)))
    }

    #[cold]
    fn failures(&self, index: usize) -> u64 {
        let candidate = self.candidates.get(index);
        candidate.map_or(0, |candidate| candidate.cell.failures(self.now, self.terms))
    }

    /// The latency to expect of a candidate, in nanoseconds, without those ahead in the queue:
    /// its moving average, or the time for which a failure still weighs or the endpoint has left
    /// all its requests unanswered, if that is longer. Infinite for an index that does
    /// not exist.
    #[must_use]
    #[inline]
    pub fn expected_latency(&self, index: usize) -> f64 {
        self.lines
            .get(index)
            .map_or(f64::INFINITY, |&line| self.expected(index, line, line.look()).into())
    }

    /// The latency to expect of a candidate whose line looks so.
    #[inline(always)]
    pub(crate) fn expected(&self, index: usize, line: Line, look: Look) -> f32 {
        line.expected_latency(look, self.now, self.terms, self.typical, || self.failing(index))
    }

    #[cold]
    fn failing(&self, index: usize) -> u64 {
        self.candidates.get(index).map_or(0, |candidate| candidate.cell.failing(self.now))
    }

    /// Notes that a candidate was compared at this cost, for a
    /// [record](crate::DecisionRecord::considered) of this pick; does nothing where there is to be
    /// none, which is nearly always. Strategies of this crate do so by themselves.
    #[inline]
    pub fn compared(&mut self, index: usize, cost: f64) {
        if let Some(trace) = &mut self.trace {
            trace.compare(index, cost);
        }
    }

    /// Says why the candidate was chosen that is about to be named.
    #[inline]
    pub(crate) fn because(&mut self, reason: PickReason) {
        if let Some(trace) = &mut self.trace {
            trace.reason = reason;
        }
    }

    /// The pick is one of the rare ones that are recorded, whatever chance says.
    #[cold]
    pub(crate) fn is_rare(&mut self) {
        self.trace.get_or_insert(Trace::new(false));
    }

    /// The source of randomness; seeded where the balancer is.
    pub fn rng(&mut self) -> &mut Rng {
        &mut self.rng
    }

    pub(crate) fn excluded(&self) -> &[EndpointId] {
        self.key.excluded()
    }
}

impl fmt::Debug for PickContext<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PickContext")
            .field("candidates", &self.candidates)
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}
