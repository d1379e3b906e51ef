//! `[guard]`: how much one endpoint may come to receive.

use std::ops::RangeInclusive;

use super::range::percent_within;
use super::spelling::{Spell, Spelling};
use crate::error::Problem;
use crate::units::Percent;

/// `[guard]`: the share that a change may give to a single endpoint.
///
/// Every outage that this crate exists for began with a change that sent most requests to one
/// server. A change of the settings, of a weight or of the set that would raise an endpoint above
/// [`max_share_percent`](Self::max_share_percent) is refused; without the setting it is served and
/// told by an event.
///
/// ```
/// use evenkeel::Percent;
/// use evenkeel::config::GuardConfig;
///
/// let guard = GuardConfig::default().with_max_share_percent(Percent::new(60))?;
/// assert_eq!(guard.max_share_percent(), Percent::new(60));
/// # Ok::<(), evenkeel::Problem>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GuardConfig {
    max_share_percent: Option<Percent>,
}

impl GuardConfig {
    const MAX_SHARE_PERCENT: RangeInclusive<u8> = 1..=100;

    /// The share above which a change is told, where none is set.
    pub(crate) const TOLD: Percent = Percent::new(60).expect("60 is at most 100");

    /// The largest share that a change may give to an endpoint, 1 to 100; absent by default: such
    /// a change is served, and told by an event from 60 on.
    ///
    /// A fair share, 100 divided by the number of endpoints, is always allowed, and so is whatever
    /// gives an endpoint no more than it had. Shares are those while all endpoints are healthy and
    /// equally loaded. A change that drops or loosens the guard is held to it all the same: that, and
    /// what it would forbid, are two changes. Smaller refuses more changes.
    #[must_use]
    pub const fn max_share_percent(&self) -> Option<Percent> {
        self.max_share_percent
    }

    /// Sets [the largest share](Self::max_share_percent); `None` to be told only.
    ///
    /// # Errors
    ///
    /// At 0.
    pub fn with_max_share_percent(mut self, percent: Option<Percent>) -> Result<Self, Problem> {
        let within =
            |percent| percent_within("guard.max_share_percent", percent, &Self::MAX_SHARE_PERCENT);
        self.max_share_percent = percent.map(within).transpose()?;
        Ok(self)
    }
}

impl Spell for GuardConfig {
    fn spell(&self) -> Spelling {
        Spelling::table([("max_share_percent", Spelling::or_absent(self.max_share_percent))])
    }
}

#[cfg(feature = "config")]
mod reading {
    use super::GuardConfig;
    use crate::config::document::{Key, Keyed, percent};
    use crate::config::setting::Range;

    impl Keyed for GuardConfig {
        const KEYS: &'static [Key<Self>] = &[Key::new(
            "max_share_percent",
            Range::Percent(Self::MAX_SHARE_PERCENT),
            "The largest share of the requests that a change may give to one endpoint; a change \
             that gives more is refused. Smaller refuses more changes; without it such a change \
             is only told, by an event, from 60 on. A fair share is always allowed.",
            |it, found| {
                let share = percent(found, &Self::MAX_SHARE_PERCENT)?;
                Ok(it.with_max_share_percent(Some(share))?)
            },
        )];

        fn blank() -> Self {
            Self::default()
        }
    }
}
