//! `[tiers]`: which endpoints are preferred, and what spills over to the others.

use std::ops::RangeInclusive;

use super::range::{percent_within, whole_within};
use super::spelling::{Spell, Spelling};
use crate::error::Problem;
use crate::units::Percent;

/// `[tiers]`: how requests are spread over tiers, and within a tier over zones.
///
/// The most preferred tier takes what its healthy part can carry, and only the rest goes to the
/// next. Where the own [zone](Self::zone) is named, its endpoints are preferred to others of their
/// tier in the same way. On by default, since endpoints that name no tier are all of one;
/// `tiers = false` switches it off, and the tiers and zones of endpoints are then only names.
///
/// ```
/// use evenkeel::config::TiersConfig;
///
/// let tiers = TiersConfig::default().with_zone(Some("eu-1a"))?;
/// assert_eq!(tiers.zone(), Some("eu-1a"));
/// assert_eq!(tiers.overprovisioning_percent(), 140);
/// # Ok::<(), evenkeel::Problem>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TiersConfig {
    overprovisioning_percent: u32,
    zone: Option<String>,
    zone_callers_percent: Option<Percent>,
}

impl Default for TiersConfig {
    /// A tier carries everything while 72 percent of it are healthy; no zone is preferred.
    fn default() -> Self {
        Self { overprovisioning_percent: 140, zone: None, zone_callers_percent: None }
    }
}

impl TiersConfig {
    /// Below 100 a tier of which all are healthy would not carry everything.
    const OVERPROVISIONING_PERCENT: RangeInclusive<u32> = 100..=1000;
    /// Whoever reads this is a caller.
    const ZONE_CALLERS_PERCENT: RangeInclusive<u8> = 1..=100;

    /// How much a tier can carry, in percent of what it is asked to; 100 to 1000, default 140.
    ///
    /// A tier carries everything while its healthy part times this is at least 100 percent, and
    /// below that so many percent; the rest goes to the next tier. This is the overprovisioning
    /// factor of Envoy. Larger keeps requests in the preferred tier for longer, and asks more of
    /// the few that are left there.
    #[must_use]
    pub const fn overprovisioning_percent(&self) -> u32 {
        self.overprovisioning_percent
    }

    /// Where this process runs; absent by default, and then no zone is preferred.
    ///
    /// Endpoints of this zone are preferred, and what they cannot carry spills to other zones.
    #[must_use]
    pub fn zone(&self) -> Option<&str> {
        self.zone.as_deref()
    }

    /// The part of all callers of these endpoints that run in this [zone](Self::zone), 1 to 100;
    /// absent by default: callers are spread evenly over the zones.
    ///
    /// Smaller lets more of the requests stay in the zone, and overloads it if there are more
    /// callers in truth. 100 says that nobody calls from elsewhere, so that requests are spread
    /// over all zones by what they can carry.
    #[must_use]
    pub const fn zone_callers_percent(&self) -> Option<Percent> {
        self.zone_callers_percent
    }

    /// Sets [how much a tier can carry](Self::overprovisioning_percent).
    ///
    /// # Errors
    ///
    /// Outside 100 to 1000.
    pub fn with_overprovisioning_percent(mut self, percent: u32) -> Result<Self, Problem> {
        self.overprovisioning_percent = whole_within(
            "tiers.overprovisioning_percent",
            percent,
            &Self::OVERPROVISIONING_PERCENT,
        )?;
        Ok(self)
    }

    /// Sets [where this process runs](Self::zone); `None` to prefer no zone.
    ///
    /// # Errors
    ///
    /// If it is empty.
    pub fn with_zone(mut self, zone: Option<&str>) -> Result<Self, Problem> {
        if zone == Some("") {
            return Err(Problem::error("tiers.zone", "the zone must not be empty"));
        }
        self.zone = zone.map(String::from);
        Ok(self)
    }

    /// Sets [how many of the callers run in this zone](Self::zone_callers_percent); `None` for as
    /// many as in each other zone.
    ///
    /// # Errors
    ///
    /// At 0.
    pub fn with_zone_callers_percent(mut self, percent: Option<Percent>) -> Result<Self, Problem> {
        let path = "tiers.zone_callers_percent";
        let within = |percent| percent_within(path, percent, &Self::ZONE_CALLERS_PERCENT);
        self.zone_callers_percent = percent.map(within).transpose()?;
        Ok(self)
    }
}

impl Spell for TiersConfig {
    fn spell(&self) -> Spelling {
        Spelling::table([
            ("overprovisioning_percent", self.overprovisioning_percent.into()),
            ("zone", Spelling::or_absent(self.zone())),
            ("zone_callers_percent", Spelling::or_absent(self.zone_callers_percent)),
        ])
    }
}

#[cfg(feature = "config")]
mod reading {
    use super::TiersConfig;
    use crate::config::document::{Key, Keyed, percent, text, whole};
    use crate::config::setting::Range;

    impl Keyed for TiersConfig {
        const KEYS: &'static [Key<Self>] = &[
            Key::new(
                "overprovisioning_percent",
                Range::whole(&Self::OVERPROVISIONING_PERCENT),
                "How much a tier can carry, in percent of what it is asked to: it carries \
                 everything while its healthy part times this is at least 100 percent, and the \
                 rest goes to the next tier. Larger keeps requests in the preferred tier for \
                 longer, and asks more of the few that are left there.",
                |it, found| {
                    let percent = whole(found, &Self::OVERPROVISIONING_PERCENT)?;
                    Ok(it.with_overprovisioning_percent(percent)?)
                },
            ),
            Key::new(
                "zone",
                Range::NonEmptyText,
                "Where this process runs, as in `eu-1a`: endpoints of this zone are preferred, \
                 and what they cannot carry spills to other zones. Without it no zone is \
                 preferred.",
                |it, found| Ok(it.with_zone(Some(&text(found)?))?),
            ),
            Key::new(
                "zone_callers_percent",
                Range::Percent(Self::ZONE_CALLERS_PERCENT),
                "The part of all callers of these endpoints that run in this `zone`; without it \
                 they are spread evenly over the zones. Smaller lets more of the requests stay in \
                 the zone, and overloads it if there are more callers in truth; 100 says that \
                 nobody calls from elsewhere, so that requests are spread over all zones by what \
                 they can carry.",
                |it, found| {
                    let percent = percent(found, &Self::ZONE_CALLERS_PERCENT)?;
                    Ok(it.with_zone_callers_percent(Some(percent))?)
                },
            ),
        ];

        fn blank() -> Self {
            Self::default()
        }
    }
}
