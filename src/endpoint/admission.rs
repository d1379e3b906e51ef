//! Counting a request in on a condition.

use crate::endpoint::EndpointCell;
use crate::endpoint::line::{BEGUN, CLOSED};
use crate::sync::Ordering;
use crate::units::Nanos;

/// What became of a request that would be counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    /// It is counted in, under this number.
    Taken(u64),
    /// There was no room, and nothing was counted.
    Full,
    /// The endpoint takes nothing new, and nothing was counted.
    Closed,
}

#[cfg(all(test, evenkeel_loom))]
impl Admission {
    pub(crate) fn is_taken(self) -> bool {
        matches!(self, Self::Taken(_))
    }
}

impl EndpointCell {
    /// Counts a request in, as [`begin`](Self::begin) does, if `is_room` beside as many as are in
    /// flight.
    ///
    /// However many threads do so at once, each is asked about a number that is in flight when it is
    /// counted in, or was and is higher: never a lower one. Whoever has to ask again has been
    /// overtaken, so all together come forward with every attempt.
    #[inline]
    pub(crate) fn begin_if(&self, now: Nanos, is_room: impl Fn(u64) -> bool) -> Admission {
        let mut begun = self.line.near().begun.load(Ordering::Acquire);
        loop {
            if begun & CLOSED != 0 {
                return Admission::Closed;
            }
            // What ends between this and the exchange is missing here, which errs towards full.
            // What begins in between makes the exchange fail. Read after `begun`, an end may belong
            // to a beginning that is not in it; the exchange fails then, too.
            let in_flight = self.line.in_flight_of(begun);
            if !is_room(in_flight) {
                return Admission::Full;
            }
            if in_flight == 0 {
                self.line.stir(now);
            }
            let next = begun.wrapping_add(BEGUN);
            // Acquire: whoever sees the flag also sees the snapshot published before it was set.
            let exchange = (Ordering::AcqRel, Ordering::Acquire);
            match self.line.near().begun.compare_exchange_weak(begun, next, exchange.0, exchange.1)
            {
                Ok(_) => return Admission::Taken(begun / BEGUN),
                Err(now_begun) => begun = now_begun,
            }
        }
    }
}
