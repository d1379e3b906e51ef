//! Whether a change gives one endpoint too much.

use std::fmt;

use crate::balancer::core::Core;
use crate::balancer::verdict::{Judged, Unpublished};
use crate::config::{Config, GuardConfig};
use crate::snapshot::{Member, Outlook, Rise, Snapshot, Supply};
use crate::units::Percent;

/// The key that judges shares.
pub(crate) const GUARD: &str = "guard.max_share_percent";

/// The share above which a change is refused or told, from 0 to 1.
pub(crate) fn limit(guard: &GuardConfig) -> f64 {
    part(guard.max_share_percent().unwrap_or(GuardConfig::TOLD))
}

/// What a change may give to one endpoint: both by the settings that are served and by those that
/// come with it. Else whoever drops the guard would not be held to it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    served: Option<Percent>,
    coming: Option<Percent>,
}

/// An endpoint that would get more than before, and more than it should.
#[derive(Clone, Debug)]
pub(crate) struct Excess {
    pub(crate) rise: Rise,
    /// The limit that forbids it; `None` if it is only told.
    pub(crate) forbidden: Option<Forbidden>,
}

/// The limit that an [`Excess`] is over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Forbidden {
    pub(crate) most: Percent,
    /// Whether the settings that come with the change would allow it.
    pub(crate) allowed_next: bool,
}

impl Limits {
    pub(crate) fn between(served: &Config, coming: &Config) -> Self {
        let most = |config: &Config| config.guard().max_share_percent();
        Self { served: most(served), coming: most(coming) }
    }

    /// Up to here nothing is even told.
    pub(super) fn lowest(self) -> f64 {
        let told = self.coming.unwrap_or(GuardConfig::TOLD);
        part(self.served.map_or(told, |served| served.min(told)))
    }

    pub(crate) fn excesses<'a>(
        self,
        before: &'a Outlook<'_>,
        after: &'a Outlook<'_>,
    ) -> impl Iterator<Item = Excess> + 'a {
        let Self { served, coming } = self;
        after.rises(before, self.lowest()).map(move |rise| {
            let forbids = |most: &Percent| rise.exceeds(part(*most));
            let forbidden = |most, allowed_next| Forbidden { most, allowed_next };
            let by_coming = coming.filter(forbids).map(|most| forbidden(most, false));
            let by_served = || served.filter(forbids).map(|most| forbidden(most, true));
            Excess { forbidden: by_coming.or_else(by_served), rise }
        })
    }
}

impl<T: Send + Sync + 'static> Core<T> {
    /// Judges what `coming` gives to each where `base` is served. Gives what is to be told of it.
    pub(super) fn rises(
        &self,
        base: &Snapshot<T>,
        coming: &Snapshot<T>,
        judged: Judged,
    ) -> Result<Vec<Rise>, Unpublished> {
        let returning = match judged {
            Judged::Not => return Ok(Vec::new()),
            Judged::ByShares => None,
            Judged::Returning { at } => Some(at),
        };
        let limits = Limits::between(&base.config, &coming.config);
        // Where keys lag behind the set, it was seen that nobody can get so much.
        if coming.lags() || coming.is_within(limits.lowest()) {
            return Ok(Vec::new());
        }
        let after = Outlook::intended(coming).map_err(|_| Unpublished::Panicked)?;
        if after.is_within(limits.lowest()) {
            return Ok(Vec::new());
        }
        // The strategy that serves `base` has prepared for it before.
        let before = Outlook::intended(base).unwrap_or_default();
        let excused = match returning {
            Some(at) => self.with_returned(base, at)?,
            None => Outlook::default(),
        };
        let mut rises = Vec::new();
        for excess in limits.excesses(&before, &after) {
            let Excess { rise, forbidden } = excess;
            match forbidden.filter(|_| rise.is_more_than(excused.share(&rise.id))) {
                Some(forbidden) => return Err(Unpublished::TooMuch { rise, forbidden }),
                None => rises.push(rise),
            }
        }
        Ok(rises)
    }

    /// What is intended where the member at `at`, or all, are neither drained nor switched off, and
    /// all else is as it is.
    fn with_returned<'a>(
        &self,
        base: &'a Snapshot<T>,
        returning: Option<usize>,
    ) -> Result<Outlook<'a>, Unpublished> {
        let place = |(at, member): (usize, &'a Member<T>)| {
            let mut place = member.place();
            place.stand.enabled |= returning.is_none_or(|returning| returning == at);
            place
        };
        let places = base.members.iter().enumerate().map(place);
        let Snapshot { chosen, cursors, rules, .. } = base;
        let outlook = Outlook::of_places(chosen, cursors, places, rules, Supply::of(base));
        outlook.map_err(|_| Unpublished::Panicked)
    }
}

impl fmt::Display for Forbidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at most {} is allowed", self.most)?;
        if self.allowed_next {
            f.write_str(
                " by the settings that are served: change the guard first, in a change of its own",
            )?;
        }
        Ok(())
    }
}

pub(crate) fn would_receive(rise: &Rise) -> String {
    let percent = |share: f64| (100.0 * share).round();
    let Rise { id, before, after, fair } = rise;
    format!(
        "`{id}` would receive {} % (before: {} %, fair: {} %)",
        percent(*after),
        percent(*before),
        percent(*fair)
    )
}

fn part(percent: Percent) -> f64 {
    f64::from(percent.get()) / 100.0
}
