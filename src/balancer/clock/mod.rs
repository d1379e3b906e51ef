//! The clock: read by a pick, by an outcome that is timed, by a control operation.
//!
//! Everybody else is told the time. Control operations and tasks that wait read tokio's clock, which
//! tests can pause. Requests read the same one where it matters to the nanosecond, or with the feature
//! `tsc` the processor's counter, and otherwise what is cheaper: the system's coarse clock. `testing`
//! and `sim` take that away again, so that whoever asks for them has one clock only.

#[cfg(all(target_os = "linux", not(any(feature = "testing", feature = "sim"))))]
mod coarse;
#[cfg(all(feature = "tsc", not(any(feature = "testing", feature = "sim"))))]
mod counter;
#[cfg(all(target_os = "linux", not(any(feature = "tsc", feature = "testing", feature = "sim"))))]
mod system;

use tokio::time::Instant;

#[cfg(all(feature = "tsc", not(any(feature = "testing", feature = "sim"))))]
pub(super) use self::counter::{about, origin, request};
#[cfg(any(
    feature = "testing",
    feature = "sim",
    not(any(feature = "tsc", target_os = "linux"))
))]
pub(super) use self::plain::{about, origin, request};
#[cfg(all(
    target_os = "linux",
    not(any(feature = "tsc", feature = "testing", feature = "sim"))
))]
pub(super) use self::system::{about, origin, request};
use crate::units::{Nanos, Origin};

/// What a pick goes by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reading {
    pub(crate) at: Nanos,
    /// Whether a latency may begin here.
    pub(crate) is_exact: bool,
}

impl Reading {
    /// Of a clock that does not tick.
    pub(crate) fn exact(at: Nanos) -> Self {
        Self { at, is_exact: true }
    }

    /// When a request begins exactly that was chosen now.
    #[inline]
    pub(crate) fn exactly(self, origin: Origin) -> Nanos {
        if self.is_exact { self.at } else { request(origin) }
    }
}

#[inline]
pub(crate) fn now() -> Instant {
    #[cfg(any(feature = "testing", feature = "sim"))]
    if let Some(at) = held::get() {
        return at;
    }
    #[expect(clippy::disallowed_methods, reason = "the edge; all below is told the time")]
    Instant::now()
}

#[cfg(any(feature = "testing", feature = "sim", not(any(feature = "tsc", target_os = "linux"))))]
mod plain {
    use super::{Reading, now};
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

    /// The time a pick goes by.
    #[inline]
    pub(in crate::balancer) fn about(origin: Origin) -> Reading {
        Reading { at: request(origin), is_exact: true }
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
        #[cfg(feature = "sim")]
        NotBefore(Instant),
    }

    thread_local! {
        static HOLD: Cell<Option<Hold>> = const { Cell::new(None) };
    }

    #[inline]
    pub(super) fn get() -> Option<Instant> {
        match HOLD.get()? {
            Hold::At(at) => Some(at),
            #[cfg(feature = "sim")]
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
