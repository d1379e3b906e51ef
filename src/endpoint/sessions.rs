//! Who may still begin with an endpoint: everybody, only sessions, or nobody.

use crate::endpoint::EndpointCell;
use crate::endpoint::line::{BEGUN, CLOSED, OVER};
use crate::sync::Ordering;
use crate::units::Nanos;

impl EndpointCell {
    /// Counts in a request of a session, which an endpoint that is closed takes until that is over.
    /// `None` if it is: nothing was counted.
    pub(crate) fn begin_session(&self, now: Nanos) -> Option<u64> {
        if self.in_flight() == 0 {
            self.line.stir(now);
        }
        let before = self.line.near().begun.fetch_add(BEGUN, Ordering::AcqRel);
        if before & OVER == 0 {
            return Some(before / BEGUN);
        }
        self.turn_away()
    }

    /// Turns away whoever begins from now on, but for sessions. Set it after a snapshot without the
    /// endpoint was published.
    pub(crate) fn close(&self) {
        self.line.near().begun.fetch_or(CLOSED, Ordering::AcqRel);
    }

    /// Turns away sessions too.
    pub(crate) fn shut(&self) {
        self.line.near().begun.fetch_or(CLOSED | OVER, Ordering::AcqRel);
    }

    /// Turns away sessions too, if the endpoint is closed. `false` if one has begun before that was
    /// seen by all.
    pub(crate) fn end_sessions(&self) -> bool {
        let over = |begun| (begun & CLOSED != 0).then_some(begun | OVER);
        let ended = self.line.near().begun.fetch_update(Ordering::AcqRel, Ordering::Acquire, over);
        ended.is_err() || self.in_flight() == 0
    }

    /// Lets requests begin again. Call it before a snapshot with the endpoint is published.
    pub(crate) fn open(&self) {
        self.line.near().begun.fetch_and(!(CLOSED | OVER), Ordering::AcqRel);
    }
}
