//! The clock: read once by a pick, once by an outcome that is timed, once by a control operation.
//!
//! Everybody else is told the time. Control operations and tasks that wait read tokio's clock, which
//! tests can pause. Requests read the same one, unless the feature `tsc` gives them the processor's
//! counter; `testing` takes it away again, so that tests that ask for it have one clock only.

#[cfg(all(feature = "tsc", not(feature = "testing")))]
mod counter;

use tokio::time::Instant;

#[cfg(all(feature = "tsc", not(feature = "testing")))]
pub(super) use self::counter::{origin, request};

#[cfg(not(all(feature = "tsc", not(feature = "testing"))))]
pub(super) use self::plain::{origin, request};

#[inline]
pub(crate) fn now() -> Instant {
    #[cfg(feature = "testing")]
    if let Some(at) = held::get() {
        return at;
    }
    #[expect(clippy::disallowed_methods, reason = "the edge; all below is told the time")]
    Instant::now()
}

#[cfg(not(all(feature = "tsc", not(feature = "testing"))))]
mod plain {
    use crate::balancer::now;
    use crate::units::{Nanos, Origin};

    /// Where the time of a balancer that is built now begins.
    pub(in crate::balancer) fn origin() -> Origin {
        Origin::new(now())
    }

    /// The time of a request.
    #[inline]
    pub(in crate::balancer) fn request(origin: Origin) -> Nanos {
        origin.nanos(now())
    }
}

/// A clock that a trial of the laws holds for its thread, so that a busy machine changes nothing.
#[cfg(feature = "testing")]
pub(crate) mod held {
    use std::cell::Cell;

    use tokio::time::Instant;

    thread_local! {
        static AT: Cell<Option<Instant>> = const { Cell::new(None) };
    }

    pub(super) fn get() -> Option<Instant> {
        AT.get()
    }

    pub(crate) fn set(at: Option<Instant>) {
        AT.set(at);
    }
}
