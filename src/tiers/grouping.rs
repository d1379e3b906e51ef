//! Which endpoints are picked among together.

use std::sync::Arc;

use crate::config::TiersConfig;
use crate::endpoint::Attributes;
use crate::tiers::Callers;

/// The settings of tiers and zones.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tiering {
    /// How many times its part an endpoint can carry that is well.
    pub(crate) factor: f64,
    /// The zone of this process, if zones are looked at.
    pub(crate) zone: Option<Arc<str>>,
    pub(crate) callers: Callers,
}

/// A tier, or a zone of it where zones are looked at. Ordered by preference.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct GroupKey {
    pub(crate) tier: u32,
    /// Whether it is another zone than the own one.
    pub(crate) is_abroad: bool,
    /// `None` where zones are not looked at, and for endpoints that are in none.
    pub(crate) zone: Option<Arc<str>>,
}

impl Tiering {
    pub(crate) fn of(tiers: &TiersConfig) -> Self {
        Self {
            factor: f64::from(tiers.overprovisioning_percent()) / 100.0,
            zone: tiers.zone().map(Arc::from),
            callers: tiers
                .zone_callers_percent()
                .map_or(Callers::Even, |percent| Callers::Own(f64::from(percent.get()) / 100.0)),
        }
    }
}

impl GroupKey {
    /// Where an endpoint belongs; without tiers all belong together.
    pub(crate) fn of(attributes: &Attributes, tiering: Option<&Tiering>) -> Self {
        let Some(tiering) = tiering else { return Self::default() };
        let (tier, own) = (attributes.tier(), tiering.zone.as_ref());
        let zone = attributes.zone().cloned().filter(|_| own.is_some());
        let is_abroad = own.is_some() && zone.as_ref() != own;
        Self { tier, is_abroad, zone }
    }
}
