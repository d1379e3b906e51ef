//! What a balancer is doing, as data.

use std::time::Duration;

use tokio::time::Instant;

use crate::balancer::core::Core;
use crate::endpoint::Availability;
use crate::event::Skew;
use crate::outlier::{Phase, Rotation};
use crate::snapshot::{Draft, Member, Snapshot, Tier};
use crate::sync::Arc;
use crate::units::{EndpointId, Nanos, Version};

/// A balancer at one moment.
///
/// Serialisable with the feature `config`.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "config", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Status {
    /// What the balancer is called.
    pub name: String,
    /// What it serves.
    pub version: Version,
    /// The strategy that chooses.
    pub strategy: String,
    /// Whether health is not believed in some tier, because too few would be left.
    pub panic: bool,
    /// Every tier that has an endpoint to choose, the most preferred first.
    pub tiers: Vec<TierStatus>,
    /// Every endpoint, in the order of the ids.
    pub endpoints: Vec<EndpointStatus>,
    /// What the audit has told and is not over, the oldest first.
    pub skews: Vec<SkewStatus>,
}

/// A skew that was told and is not over.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "config", derive(serde::Serialize))]
#[non_exhaustive]
pub struct SkewStatus {
    /// Who gets what, and why, as it was when it was found.
    #[cfg_attr(feature = "config", serde(flatten))]
    pub skew: Skew,
    /// How long ago it was told.
    pub age: Duration,
}

/// A tier at one moment.
///
/// With `tiers = false` all endpoints are in tier 0.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "config", derive(serde::Serialize))]
#[non_exhaustive]
pub struct TierStatus {
    /// Which.
    pub tier: u32,
    /// Endpoints that could be chosen were they well: those with a weight that no operator has
    /// taken out.
    pub endpoints: usize,
    /// Those of them that are not out.
    pub admitted: usize,
    /// The part of all requests that goes to it, from 0 to 1.
    pub load: f64,
    /// Whether health is not believed in it.
    pub panic: bool,
}

/// An endpoint at one moment.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "config", derive(serde::Serialize))]
#[non_exhaustive]
pub struct EndpointStatus {
    /// Its identity.
    pub id: EndpointId,
    /// What it is doing; the last that applies.
    pub state: Availability,
    /// The weight it came with, or the one an operator gave it.
    pub weight: u32,
    /// The weight it is chosen by: 0 while it takes nothing new, a part while it warms up.
    pub effective_weight: f64,
    /// The part of requests it gets while all are equally loaded; all parts sum to 1, or to 0
    /// where nothing can be chosen. Strategies that look at load rightly give the faster more.
    pub expected_share: f64,
    /// The part of the latest requests that it was sent, over about `audit.window`, as of the audit's
    /// last look; `None` before the first, and with `audit = false`.
    pub realised_share: Option<f64>,
    /// Requests in flight.
    pub in_flight: u64,
    /// Requests ever sent to it.
    pub picks: u64,
    /// Those that ended well. Derived from the others, so it may read a few too low for an instant
    /// while requests end.
    pub successes: u64,
    /// Those that failed.
    pub failures: u64,
    /// Those refused for having too much to do.
    pub overloaded: u64,
    /// The moving average of its latency, once something was measured.
    pub latency: Option<Duration>,
    /// Ejections that no good interval has made up for; the next one lasts longer for each.
    pub ejections: u32,
    /// How long its ejection still lasts, if it is ejected.
    pub ejected_for: Option<Duration>,
    /// Its tier.
    pub tier: u32,
    /// Where it runs.
    pub zone: Option<String>,
}

impl Status {
    /// The endpoint of this id.
    #[must_use]
    pub fn endpoint(&self, id: &EndpointId) -> Option<&EndpointStatus> {
        let at = self.endpoints.binary_search_by(|endpoint| endpoint.id.cmp(id)).ok()?;
        self.endpoints.get(at)
    }
}

impl<T: Send + Sync + 'static> Core<T> {
    pub(crate) fn status(&self, now: Instant) -> Status {
        let now = self.ground.origin.nanos(now);
        let snapshot = self.projected(now);
        let shares = snapshot.shares();
        let endpoints = snapshot
            .members
            .iter()
            .zip(shares)
            .enumerate()
            .map(|(at, (member, share))| EndpointStatus {
                realised_share: self.realised(&snapshot, member),
                ..endpoint_status(&snapshot, at, member, share, now)
            })
            .collect();
        let age = |since: Nanos| Duration::from_nanos(now.0.saturating_sub(since.0));
        let alarms = self.findings.alarms().into_iter();
        let skews = alarms.map(|it| SkewStatus { skew: it.skew, age: age(it.since) }).collect();
        Status {
            name: self.shared.name.to_string(),
            version: snapshot.version,
            strategy: snapshot.chosen.name.to_string(),
            panic: snapshot.panics.is_on(),
            tiers: snapshot.seats.tiers().iter().map(|tier| tier_status(&snapshot, tier)).collect(),
            endpoints,
            skews,
        }
    }

    fn realised(&self, snapshot: &Snapshot<T>, member: &Member<T>) -> Option<f64> {
        snapshot.config.audit()?;
        self.findings.realised(&member.bound.cell)
    }
}

impl<T: Send + Sync + 'static> Core<T> {
    /// What is served, or what would be if somebody had settled what is due at `now`.
    pub(crate) fn projected(&self, now: Nanos) -> Arc<Snapshot<T>> {
        let served = self.published.current();
        if now < served.members_due {
            return served;
        }
        let mut draft = Draft::of(&served);
        for member in draft.members.iter_mut().filter(|member| member.due(&served.rules) <= now) {
            *member = member.projected(now, &served.rules);
        }
        let (draft, _) = draft.keep_bounds(now);
        draft.build(&self.ground).map_or(served, Arc::new)
    }
}

fn tier_status<T>(snapshot: &Snapshot<T>, tier: &Tier) -> TierStatus {
    let Rotation { of, out, .. } = tier.rotation;
    TierStatus {
        tier: tier.tier,
        endpoints: of,
        admitted: of - out,
        load: tier.load,
        panic: snapshot.panics.of(tier.tier).is_on(),
    }
}

fn endpoint_status<T>(
    snapshot: &Snapshot<T>,
    at: usize,
    member: &Member<T>,
    expected_share: f64,
    now: Nanos,
) -> EndpointStatus {
    let cell = &member.bound.cell;
    let counts = cell.counts();
    let latency = cell.measured_latency(now, snapshot.terms());
    EndpointStatus {
        id: member.id().clone(),
        state: member.availability(),
        weight: member.weight(),
        effective_weight: f64::from(member.weight()) * snapshot.seats.part(at),
        expected_share,
        realised_share: None,
        in_flight: counts.in_flight,
        picks: counts.picks,
        successes: counts.successes,
        failures: counts.failures,
        overloaded: counts.overloaded,
        latency: latency.map(|nanos| Duration::from_nanos(nanos as u64)),
        ejections: member.standing().times,
        ejected_for: match member.standing().phase {
            Phase::Ejected { until } => Some(Duration::from_nanos(until.0.saturating_sub(now.0))),
            Phase::Available | Phase::Warming { .. } | Phase::Probing { .. } => None,
        },
        tier: member.attributes.tier(),
        zone: member.attributes.zone().map(ToString::to_string),
    }
}
