//! `[update]`: which new sets of endpoints are believed.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::range::within;
use super::spelling::{Spell, Spelling};
use crate::error::Problem;
use crate::units::Percent;

/// `[update]`: what a change of the endpoints must look like to be believed at once.
///
/// A discovery source that fails often says so by an empty or a much shorter list. This guard
/// keeps the last good set until such a list is confirmed. It is on by default;
/// `update = false` switches it off.
///
/// ```
/// use evenkeel::config::UpdateConfig;
///
/// let update = UpdateConfig::default().with_min_endpoints(10);
/// assert_eq!(update.min_endpoints(), 10);
/// assert_eq!(update.max_shrink_percent().get(), 50);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpdateConfig {
    allow_empty: bool,
    max_shrink_percent: Percent,
    min_endpoints: usize,
    confirm_after: Duration,
}

impl Default for UpdateConfig {
    /// No empty set, at most half of four or more at once, believed after a minute.
    fn default() -> Self {
        Self {
            allow_empty: false,
            max_shrink_percent: Self::HALF,
            min_endpoints: 4,
            confirm_after: Duration::from_mins(1),
        }
    }
}

impl UpdateConfig {
    const HALF: Percent = Percent::new(50).expect("50 is at most 100");
    const CONFIRM_AFTER: RangeInclusive<Duration> =
        Duration::from_secs(1)..=Duration::from_hours(24);

    /// Whether an empty list empties the set; default `false`: it keeps the last good set.
    ///
    /// A list that leaves nobody a weight above zero is one that takes all requests away, and is
    /// held to be empty, unless nobody had a weight before. Where it is allowed it is believed at once, whatever `max_shrink_percent` says.
    #[must_use]
    pub const fn allow_empty(&self) -> bool {
        self.allow_empty
    }

    /// The part of the endpoints that may go at once, by their number; 0 to 100, default 50.
    ///
    /// Replacing all by as many others is no shrinking. Larger trusts the source more; at 100
    /// only an empty list is held back, at 0 each removal has to be confirmed.
    #[must_use]
    pub const fn max_shrink_percent(&self) -> Percent {
        self.max_shrink_percent
    }

    /// The number of endpoints below which a set may shrink freely, though not to nothing;
    /// default 4, any number.
    ///
    /// Larger leaves more sets unguarded; 0 and 1 guard every set.
    #[must_use]
    pub const fn min_endpoints(&self) -> usize {
        self.min_endpoints
    }

    /// How long a smaller set has to be sent before it is believed after all; 1s to 24h, default
    /// 1m.
    ///
    /// What counts is who is missing: an endpoint that has been missing from all that was sent for
    /// this long is believed to be gone, and one that is sent in between was not. Of the rest
    /// [`max_shrink_percent`](Self::max_shrink_percent) may go at once. So lists of equal size that
    /// name others each time confirm nothing, and neither does the removal of one endpoint that of
    /// another; who comes meanwhile does not matter.
    ///
    /// Longer outlasts longer failures of the source, and keeps endpoints that are really gone
    /// for as long.
    #[must_use]
    pub const fn confirm_after(&self) -> Duration {
        self.confirm_after
    }

    /// Sets whether an [empty list](Self::allow_empty) empties the set.
    #[must_use]
    pub fn with_allow_empty(mut self, allow: bool) -> Self {
        self.allow_empty = allow;
        self
    }

    /// Sets [the part that may go at once](Self::max_shrink_percent).
    #[must_use]
    pub fn with_max_shrink_percent(mut self, percent: Percent) -> Self {
        self.max_shrink_percent = percent;
        self
    }

    /// Sets [the number below which sets shrink freely](Self::min_endpoints).
    #[must_use]
    pub fn with_min_endpoints(mut self, endpoints: usize) -> Self {
        self.min_endpoints = endpoints;
        self
    }

    /// Sets [the time until a smaller set is believed](Self::confirm_after).
    ///
    /// # Errors
    ///
    /// Outside 1s to 24h.
    pub fn with_confirm_after(mut self, after: Duration) -> Result<Self, Problem> {
        self.confirm_after = within("update.confirm_after", after, &Self::CONFIRM_AFTER)?;
        Ok(self)
    }
}

impl Spell for UpdateConfig {
    fn spell(&self) -> Spelling {
        Spelling::table([
            ("allow_empty", self.allow_empty.into()),
            ("max_shrink_percent", self.max_shrink_percent.into()),
            ("min_endpoints", self.min_endpoints.into()),
            ("confirm_after", self.confirm_after.into()),
        ])
    }
}

#[cfg(feature = "config")]
mod reading {
    use std::ops::RangeInclusive;

    use super::UpdateConfig;
    use crate::config::document::{Key, Keyed, count, duration, flag, percent};
    use crate::config::setting::Range;

    const ANY_PERCENT: RangeInclusive<u8> = 0..=100;

    impl Keyed for UpdateConfig {
        const KEYS: &'static [Key<Self>] = &[
            Key::new(
                "allow_empty",
                Range::Flag,
                "Whether an empty list, or one of zero weights only, empties the set. By default \
                 it keeps the last good set, since a source that fails often says so by an empty \
                 list.",
                |it, found| Ok(it.with_allow_empty(flag(found)?)),
            ),
            Key::new(
                "max_shrink_percent",
                Range::Percent(ANY_PERCENT),
                "The part of the endpoints that may go at once, by their number. Larger trusts \
                 the source more: at 100 only an empty list is held back, at 0 each removal has \
                 to be confirmed.",
                |it, found| Ok(it.with_max_shrink_percent(percent(found, &ANY_PERCENT)?)),
            ),
            Key::new(
                "min_endpoints",
                Range::Count,
                "The number of endpoints below which a set may shrink freely, though not to \
                 nothing. Larger leaves more sets unguarded; 0 and 1 guard every set.",
                |it, found| Ok(it.with_min_endpoints(count(found)?)),
            ),
            Key::new(
                "confirm_after",
                Range::Duration(Self::CONFIRM_AFTER),
                "How long endpoints have to be missing from all that is sent before a smaller set \
                 is believed after all. Longer outlasts longer failures of the source, and keeps \
                 endpoints that are really gone for as long.",
                |it, found| Ok(it.with_confirm_after(duration(found)?)?),
            ),
        ];

        fn blank() -> Self {
            Self::default()
        }
    }
}
