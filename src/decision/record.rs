//! A decision as it is told.

use std::fmt;
use std::time::Duration;

use tokio::time::Instant;

use crate::decision::{Entry, PickReason};
use crate::units::{EndpointId, Nanos, Origin, Plain, Version};

/// One pick that was recorded: what was really compared by it and what it came to.
///
/// [`Balancer::decisions`](crate::Balancer::decisions) gives the last of them. Serialisable with the
/// feature `config`.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "config", derive(serde::Serialize))]
#[non_exhaustive]
pub struct DecisionRecord {
    /// Counts the records of a balancer from 0. A number that is missing was overwritten, or lost
    /// since two picks were to be recorded at once.
    pub number: u64,
    /// When.
    #[cfg_attr(feature = "config", serde(skip))]
    pub at: Instant,
    /// How long ago, when the records were asked for.
    pub age: Duration,
    /// The version it was chosen under.
    pub version: Version,
    /// The strategy that chose.
    pub strategy: String,
    /// Whether chance chose it to be recorded: such records stand for all picks. The others are
    /// recorded since they are rare.
    pub sampled: bool,
    /// The hash of the request's key, if it had one.
    pub key: Option<u64>,
    /// The tier it was picked from; `None` where no tier was asked: for refusals, probes and
    /// requests that got what they prefer.
    pub tier: Option<u32>,
    /// The zone it was picked from, where zones are looked at.
    pub zone: Option<String>,
    /// The chosen endpoint; `None` if the request was refused.
    pub chosen: Option<EndpointId>,
    /// Why that one, or none.
    pub reason: PickReason,
    /// The endpoint that the request would rather have gone to, if it named one.
    pub preferred: Option<EndpointId>,
    /// The endpoint that the request's key belongs to, where keys decide.
    pub owner: Option<EndpointId>,
    /// How many candidates were compared; 0 where none are, as in a round.
    pub compared: usize,
    /// Those that were compared, in the order in which they were drawn, with what they cost at that
    /// moment; the four least costly if there were more.
    pub considered: Vec<Considered>,
    /// How many endpoints the request excluded.
    pub exclusions: usize,
    /// The first two of them.
    pub excluded: Vec<EndpointId>,
}

/// A candidate that was compared.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "config", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Considered {
    /// Which.
    pub endpoint: EndpointId,
    /// What it cost, in the unit of the strategy: requests by weight for `least_request`,
    /// nanoseconds for `peak_ewma`; to seven digits.
    pub cost: f64,
}

impl DecisionRecord {
    pub(crate) fn of(entry: Entry, origin: Origin, now: Nanos) -> Self {
        let considered = entry.considered.into_iter().zip(entry.costs);
        let considered = considered.filter_map(|(endpoint, cost)| {
            Some(Considered { endpoint: endpoint?, cost: cost.into() })
        });
        Self {
            number: entry.number,
            at: origin.instant_or_start(entry.at),
            age: Duration::from_nanos(now.0.saturating_sub(entry.at.0)),
            version: entry.version,
            strategy: entry.strategy.to_string(),
            sampled: entry.is_sampled,
            key: entry.key,
            tier: entry.tier,
            zone: entry.zone.map(|zone| zone.to_string()),
            chosen: entry.chosen,
            reason: entry.reason,
            preferred: entry.preferred,
            owner: entry.owner,
            compared: entry.compared as usize,
            considered: considered.collect(),
            exclusions: entry.exclusions as usize,
            excluded: entry.excluded.into_iter().flatten().collect(),
        }
    }
}

/// One line, in which foreign names are escaped.
impl fmt::Display for DecisionRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { number, version, reason, .. } = self;
        write!(f, "#{number} {version} {}", Plain(&self.strategy))?;
        if let Some(key) = self.key {
            write!(f, " key {key:016x}")?;
        }
        match &self.chosen {
            Some(chosen) => write!(f, " -> {}: {reason}", Plain(chosen.as_str()))?,
            None => write!(f, " -> nowhere: {reason}")?,
        }
        let owner = self.owner.as_ref().filter(|owner| self.chosen.as_ref() != Some(owner));
        if let Some(owner) = owner {
            write!(f, "; owner {}", Plain(owner.as_str()))?;
        }
        let preferred = self.preferred.as_ref().filter(|it| self.chosen.as_ref() != Some(it));
        if let Some(preferred) = preferred {
            write!(f, "; preferred {}", Plain(preferred.as_str()))?;
        }
        for (at, Considered { endpoint, cost }) in self.considered.iter().enumerate() {
            let before = if at == 0 { "; compared " } else { ", " };
            write!(f, "{before}{} at {cost}", Plain(endpoint.as_str()))?;
        }
        if self.compared > self.considered.len() {
            write!(f, " of {}", self.compared)?;
        }
        for (at, id) in self.excluded.iter().enumerate() {
            let before = if at == 0 { "; without " } else { ", " };
            write!(f, "{before}{}", Plain(id.as_str()))?;
        }
        match self.exclusions.saturating_sub(self.excluded.len()) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}
