//! Consistent hashing with bounded loads.
//!
//! An endpoint takes a request only while it has fewer in flight than `factor` times its part of all
//! that are, the new one counted (Mirrokni, Thorup and Zadimoghaddam, arXiv 1608.01350). As the
//! factor is at least one, somebody always has room. Who has none hands the key on: not to a
//! neighbour, who would have to carry all of it and fall next, but to wherever another hash of the
//! same key leads (Chen, Coleman and Shrivastava, arXiv 1908.08762). So each key has an order of
//! endpoints of its own, its overflow comes to the same few, and every key is back home as soon as
//! there is room.
//!
//! All are counted in one place, the [`Crowd`], and each request is counted there before it looks
//! for an endpoint. It is then counted in by the endpoint in one step with the comparison, so that
//! two threads cannot take the same last place.

use crate::decision::PickReason;
use crate::endpoint::{Admission, Counted, Crowd, EndpointCell, Line};
use crate::hash;
use crate::strategy::cost::Cost;
use crate::strategy::draw::Draw;
use crate::strategy::hashing::walk::Walk;
use crate::strategy::hashing::wheel::Wheel;
use crate::strategy::loaded::scan;
use crate::strategy::random::draw_one;
use crate::strategy::{Candidate, Candidates, PickContext};
use crate::sync::Arc;

/// How much an endpoint may have in flight.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    percent: u32,
}

impl Bounds {
    pub(super) fn of_percent(percent: u32) -> Self {
        Self { percent }
    }
}

/// Other hashes of a key that are tried before everybody is asked. With a factor of 1.25 four fifths
/// of the endpoints may be full, and one of 36 keys is still without a place after as many.
const JUMPS: u64 = 16;

/// How often everybody is asked: room may move from who is asked next to who was asked already.
const ROUNDS: usize = 3;

/// Holds the picks of a picker to bounds.
#[derive(Debug)]
pub(super) struct Bounded {
    percent: u64,
    /// The sum of the weights.
    weights: u64,
    pub(super) crowd: Arc<Crowd>,
}

impl Bounded {
    pub(super) fn new(bounds: Bounds, candidates: &Candidates<'_>) -> Self {
        Self {
            percent: u64::from(bounds.percent),
            weights: candidates.weights().map(u64::from).sum(),
            crowd: candidates.cursor().crowd().in_use(),
        }
    }

    pub(super) fn pick<W: Wheel>(
        &self,
        walk: &Walk<W>,
        draw: &Draw,
        cx: &mut PickContext<'_>,
    ) -> Option<usize> {
        let (hash, first) = match cx.hash() {
            Some(hash) => (hash, walk.find(hash, cx)?),
            None => (cx.rng.next_u64(), draw_one(draw, cx)?),
        };
        let (counted, together) = Counted::join(&self.crowd);
        let mut place = Place { bounded: self, together, cx };
        let Chosen { index, taken } = match place.search(walk, hash, first) {
            Some(chosen) => chosen,
            None => place.search_again(walk, hash, first, &counted),
        };
        if index != first {
            cx.is_rare();
            let is_keyed = cx.hash().is_some();
            cx.because(if is_keyed { PickReason::OwnerFull } else { PickReason::Drawn });
        }
        let cell = cx.candidates.get(index).map(|candidate| &*candidate.cell);
        if let (Some(number), Some(cell)) = (taken, cell) {
            cx.reserved = Some(Reserved { cell, counted: Some(counted), number, index });
        }
        Some(index)
    }

    /// Whether somebody of this weight who has so many in flight may have one more, where there are
    /// `together` with that one.
    #[inline]
    pub(super) fn is_room(&self, in_flight: u64, weight: u32, together: u64) -> bool {
        // in_flight < factor · together · weight / weights, without rounding: so that in flight it is
        // then at most the right side, rounded up.
        let all = u128::from(self.percent) * u128::from(together) * u128::from(weight);
        u128::from(in_flight) * 100 * u128::from(self.weights) < all
    }
}

/// One request's search.
struct Place<'p, 'c, 'a> {
    bounded: &'p Bounded,
    together: u64,
    cx: &'c mut PickContext<'a>,
}

/// Where it ended.
struct Chosen {
    index: usize,
    /// The number under which the endpoint has counted it in. Else it is closed, which the caller
    /// finds.
    taken: Option<u64>,
}

impl Place<'_, '_, '_> {
    /// Home, or where other hashes of the key lead; `None` if all of these are full.
    #[inline]
    fn search<W: Wheel>(&self, walk: &Walk<W>, hash: u64, first: usize) -> Option<Chosen> {
        near(walk, hash, first, self.cx, |index| self.attempt(index))
    }

    /// Somebody has room, if only the request may go there.
    ///
    /// Since this request was counted others may have come and been given places, so that everybody
    /// looks full to it; and endpoints may have requests that were never counted together: probes, and
    /// what began before there was a bound. So it counts again, and looks at home first.
    #[cold]
    fn search_again<W: Wheel>(
        &mut self,
        walk: &Walk<W>,
        hash: u64,
        first: usize,
        counted: &Counted,
    ) -> Chosen {
        for _ in 0..ROUNDS {
            self.together = counted.together().max(one_by_one(self.cx));
            if let Some(chosen) = self.search(walk, hash, first) {
                return chosen;
            }
            if let Some(chosen) = everybody(hash, self.cx, |index| self.attempt(index)) {
                return chosen;
            }
        }
        self.overfill(first)
    }

    /// All that it may go to are full: to whoever is fullest least, then, and not one more than it was
    /// chosen with.
    fn overfill(&mut self, first: usize) -> Chosen {
        let mut index = first;
        for _ in 0..ROUNDS {
            if let Some(trace) = &mut self.cx.trace {
                trace.begin_again();
            }
            let mut rng = self.cx.rng.clone();
            let watch = |cx: &mut PickContext<'_>, index, cost: Cost| {
                cx.compared(index, cost.value());
            };
            index = scan(self.cx, &mut rng, fullness, watch).unwrap_or(first);
            self.cx.rng = rng;
            let Some(candidate) = self.cx.candidates.get(index) else { break };
            let most = candidate.in_flight();
            match candidate.cell.begin_if(self.cx.now, |in_flight| in_flight <= most) {
                Admission::Taken(number) => return Chosen { index, taken: Some(number) },
                Admission::Closed => return Chosen { index, taken: None },
                // Somebody else was given the place, and came forward by that.
                Admission::Full => {}
            }
        }
        let cell = self.cx.candidates.get(index).map(|candidate| &candidate.cell);
        let taken = match cell.map(|cell| cell.begin_if(self.cx.now, |_| true)) {
            Some(Admission::Taken(number)) => Some(number),
            _ => None,
        };
        Chosen { index, taken }
    }

    /// `None` if it is full.
    #[inline]
    fn attempt(&self, index: usize) -> Option<Chosen> {
        let candidate = self.cx.candidates.get(index)?;
        let (weight, together) = (candidate.weight(), self.together);
        let is_room = |in_flight| self.bounded.is_room(in_flight, weight, together);
        match candidate.cell.begin_if(self.cx.now, is_room) {
            Admission::Taken(number) => Some(Chosen { index, taken: Some(number) }),
            Admission::Closed => Some(Chosen { index, taken: None }),
            Admission::Full => None,
        }
    }
}

/// Who takes a request, asked at home first, and then where other hashes of the key lead; `None` if
/// nobody of these does.
#[inline]
pub(super) fn near<W: Wheel, R>(
    walk: &Walk<W>,
    hash: u64,
    first: usize,
    cx: &PickContext<'_>,
    ask: impl Fn(usize) -> Option<R>,
) -> Option<R> {
    ask(first).or_else(|| {
        let jump = |jump| walk.find(hash::mix(hash, jump), cx);
        (1..=JUMPS).find_map(|it| jump(it).and_then(&ask))
    })
}

/// Who takes a request, asked one after the other.
pub(super) fn everybody<R>(
    hash: u64,
    cx: &PickContext<'_>,
    ask: impl Fn(usize) -> Option<R>,
) -> Option<R> {
    let n = cx.candidates.len();
    // Below `n`, so it fits.
    let start = (hash::mix(hash, 0) % n.max(1) as u64) as usize;
    let mut may = (start..n).chain(0..start).filter(|&index| !cx.is_excluded(index));
    may.find_map(ask)
}

/// All that are in flight and one more, however they came there.
pub(super) fn one_by_one(cx: &PickContext<'_>) -> u64 {
    cx.candidates.iter().map(Candidate::in_flight).fold(1, u64::saturating_add)
}

pub(super) fn fullness(cx: &PickContext<'_>, index: usize) -> Cost {
    let part = |candidate: &Candidate| candidate.in_flight() as f64 / f64::from(candidate.weight());
    Cost::new(cx.candidates().get(index).map_or(f64::INFINITY, part))
}

/// A place that was taken while the choice was made. Gives it back unless the request comes.
#[derive(Debug)]
pub(crate) struct Reserved<'a> {
    cell: &'a EndpointCell,
    counted: Option<Counted>,
    number: u64,
    index: usize,
}

impl Reserved<'_> {
    /// The place, if it is this endpoint's, the one at `index`, and the number under which it was
    /// taken.
    pub(crate) fn take(mut self, index: usize, line: Line) -> Option<(u64, Counted)> {
        let is_its = self.index == index && self.cell.line.is_of(line);
        let counted = self.counted.take_if(|_| is_its)?;
        Some((self.number, counted))
    }
}

impl Drop for Reserved<'_> {
    fn drop(&mut self) {
        if self.counted.take().is_some() {
            self.cell.withdraw();
        }
    }
}
