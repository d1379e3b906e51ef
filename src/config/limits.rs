//! `[limits]`: how long a request may take.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::range::within;
use super::spelling::{Spell, Spelling};
use crate::error::Problem;

/// `[limits]`: bounds on each request. None by default.
///
/// ```
/// use std::time::Duration;
/// use evenkeel::config::LimitsConfig;
///
/// let limits = LimitsConfig::default().with_attempt_timeout(Some(Duration::from_secs(2)))?;
/// assert_eq!(limits.attempt_timeout(), Some(Duration::from_secs(2)));
/// # Ok::<(), evenkeel::Problem>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LimitsConfig {
    attempt_timeout: Option<Duration>,
}

impl LimitsConfig {
    const ATTEMPT_TIMEOUT: RangeInclusive<Duration> =
        Duration::from_millis(1)..=Duration::from_hours(24);

    /// How long an endpoint may take to become ready and answer; 1ms to 24h, absent by default:
    /// no limit.
    ///
    /// Running out of it is a failure of the endpoint, unlike a caller who gives up. Shorter finds
    /// endpoints that hang sooner, and fails requests that are only slow. It covers the time until
    /// the response's head, not its body. Services keep it; a lease taken by
    /// [`Balancer::pick`](crate::Balancer::pick) is not timed.
    #[must_use]
    pub const fn attempt_timeout(&self) -> Option<Duration> {
        self.attempt_timeout
    }

    /// Sets [how long an endpoint may take](Self::attempt_timeout); `None` for no limit.
    ///
    /// # Errors
    ///
    /// Outside 1ms to 24h.
    pub fn with_attempt_timeout(mut self, timeout: Option<Duration>) -> Result<Self, Problem> {
        self.attempt_timeout = match timeout {
            Some(time) => Some(within("limits.attempt_timeout", time, &Self::ATTEMPT_TIMEOUT)?),
            None => None,
        };
        Ok(self)
    }
}

impl Spell for LimitsConfig {
    fn spell(&self) -> Spelling {
        Spelling::table([("attempt_timeout", Spelling::or_absent(self.attempt_timeout))])
    }
}

#[cfg(feature = "config")]
mod reading {
    use super::LimitsConfig;
    use crate::config::document::{Key, Keyed, duration};
    use crate::config::setting::Range;

    impl Keyed for LimitsConfig {
        const KEYS: &'static [Key<Self>] = &[Key::new(
            "attempt_timeout",
            Range::Duration(Self::ATTEMPT_TIMEOUT),
            "How long an endpoint may take to become ready and to answer; running out of it is a \
             failure of the endpoint. Shorter finds endpoints that hang sooner, and fails \
             requests that are only slow.",
            |it, found| Ok(it.with_attempt_timeout(Some(duration(found)?))?),
        )];

        const NOT_YET: &'static [&'static str] = &["max_in_flight", "when_saturated"];

        fn blank() -> Self {
            Self::default()
        }
    }
}
