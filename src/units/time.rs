//! Instants as numbers that fit an atomic.

use std::time::Duration;

use tokio::time::Instant;

/// Nanoseconds since a balancer was built. 584 years fit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Nanos(pub(crate) u64);

impl Nanos {
    /// Later than everything: nothing is due.
    pub(crate) const NEVER: Self = Self(u64::MAX);

    #[must_use]
    pub(crate) fn plus(self, span: Duration) -> Self {
        Self(self.0.saturating_add(nanos(span)))
    }
}

/// Nanoseconds by which the time that a pick goes by may be behind, and more than two of the requests
/// that are timed are apart where not all are.
pub(crate) const COARSE: u64 = 20_000_000;

/// A duration in nanoseconds, at most `u64::MAX`.
#[inline]
pub(crate) fn nanos(span: Duration) -> u64 {
    let seconds = span.as_secs().saturating_mul(1_000_000_000);
    seconds.saturating_add(u64::from(span.subsec_nanos()))
}

/// The instant a balancer's [`Nanos`] count from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin {
    at: Instant,
    /// What a counter of nanoseconds said then, where requests read one.
    #[cfg(all(
        any(feature = "tsc", target_os = "linux"),
        not(any(feature = "testing", feature = "sim"))
    ))]
    counted: u64,
}

impl Origin {
    pub(crate) fn new(at: Instant) -> Self {
        Self {
            at,
            #[cfg(all(
                any(feature = "tsc", target_os = "linux"),
                not(any(feature = "testing", feature = "sim"))
            ))]
            counted: 0,
        }
    }

    /// The instant at which a counter of nanoseconds says `counted`.
    #[cfg(all(
        any(feature = "tsc", target_os = "linux"),
        not(any(feature = "testing", feature = "sim"))
    ))]
    pub(crate) fn counted(at: Instant, counted: u64) -> Self {
        Self { at, counted }
    }

    /// What the counter says as a number; zero if it lies before the origin.
    #[cfg(all(
        any(feature = "tsc", target_os = "linux"),
        not(any(feature = "testing", feature = "sim"))
    ))]
    #[inline]
    pub(crate) fn since(self, counted: u64) -> Nanos {
        Nanos(counted.saturating_sub(self.counted))
    }

    /// The number as an instant; the origin itself where the platform's clock cannot say it.
    pub(crate) fn instant_or_start(self, at: Nanos) -> Instant {
        self.instant(at).unwrap_or(self.at)
    }

    /// `at` as a number; zero if it lies before the origin.
    #[inline]
    pub(crate) fn nanos(self, at: Instant) -> Nanos {
        Nanos(nanos(at.saturating_duration_since(self.at)))
    }

    /// The number as an instant, or `None` if the platform's clock cannot say it.
    pub(crate) fn instant(self, at: Nanos) -> Option<Instant> {
        self.at.checked_add(Duration::from_nanos(at.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn time_before_the_origin_is_zero_and_the_end_saturates() {
        #![allow(clippy::disallowed_methods)]
        let now = Instant::now();
        let origin = Origin::new(now + Duration::from_secs(5));
        assert_eq!(origin.nanos(now), Nanos(0));
        assert_eq!(Nanos(3).plus(Duration::MAX), Nanos::NEVER);
        assert_eq!(origin.instant(Nanos(7)).map(|at| origin.nanos(at)), Some(Nanos(7)));
    }
}
