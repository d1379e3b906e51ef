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
    #[cfg(any(feature = "testing", feature = "sim"))]
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

/// A clock that one thread holds: a trial of the laws, so that a busy machine changes nothing, or a
/// simulation, whose time is finer than that of tokio's timers.
#[cfg(any(feature = "testing", feature = "sim"))]
pub(crate) mod held {
    use std::cell::Cell;

    use tokio::time::Instant;

    #[derive(Clone, Copy)]
    enum Hold {
        At(Instant),
        NotBefore(Instant),
    }

    thread_local! {
        static HOLD: Cell<Option<Hold>> = const { Cell::new(None) };
    }

    #[inline]
    pub(super) fn get() -> Option<Instant> {
        match HOLD.get()? {
            Hold::At(at) => Some(at),
            #[expect(clippy::disallowed_methods, reason = "the edge; all below is told the time")]
            Hold::NotBefore(at) => Some(at.max(Instant::now())),
        }
    }

    /// Stops the thread's clock at an instant, or lets it go.
    pub(crate) fn set(at: Option<Instant>) {
        HOLD.set(at.map(Hold::At));
    }

    /// Lets the thread's clock be tokio's, which may be behind: then it stands at this instant.
    #[cfg(feature = "sim")]
    pub(crate) fn not_before(at: Instant) {
        HOLD.set(Some(Hold::NotBefore(at)));
    }
}
