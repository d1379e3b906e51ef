//! An endpoint in words, before there is a target.

use std::collections::BTreeMap;

use crate::units::EndpointId;

/// What a file or a discovery source says of an endpoint; [`Builder::make`](crate::Builder::make)
/// turns it into a target.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "config", derive(serde::Serialize))]
#[non_exhaustive]
pub struct EndpointSpec {
    /// The identity.
    pub id: EndpointId,
    /// Where it is, in whatever form the factory understands. A change of it rebuilds the target.
    pub address: String,
    /// Its part of the traffic relative to the others; default 1, any `u32`, 0 takes nothing new.
    pub weight: u32,
    /// 0, the default, is the most preferred.
    pub tier: u32,
    /// Where it runs; default none.
    pub zone: Option<String>,
    /// Whatever else is known of it.
    pub labels: BTreeMap<String, String>,
}

impl EndpointSpec {
    /// An endpoint of weight 1 in tier 0, with neither zone nor labels.
    pub fn new(id: impl Into<EndpointId>, address: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            address: address.into(),
            weight: 1,
            tier: 0,
            zone: None,
            labels: BTreeMap::new(),
        }
    }

    /// Sets the weight.
    #[must_use]
    pub fn weight(mut self, weight: u32) -> Self {
        self.weight = weight;
        self
    }

    /// Sets the tier.
    #[must_use]
    pub fn tier(mut self, tier: u32) -> Self {
        self.tier = tier;
        self
    }

    /// Sets the zone.
    #[must_use]
    pub fn zone(mut self, zone: impl Into<String>) -> Self {
        self.zone = Some(zone.into());
        self
    }

    /// Adds a label, or replaces the one of that name.
    #[must_use]
    pub fn label(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.labels.insert(name.into(), value.into());
        self
    }
}
