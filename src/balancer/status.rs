//! What a balancer is doing, as data.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use crate::balancer::AlarmStatus;
use crate::balancer::core::Core;
use crate::balancer::reason::{Override, Reason, Whys, between, overrides};
use crate::balancer::recent::Happening;
use crate::config::Config;
use crate::endpoint::{Availability, Totals};
use crate::event::Skew;
use crate::outlier::Rotation;
use crate::snapshot::{Draft, Member, Snapshot, Supply, Tier};
use crate::sync::Arc;
use crate::units::{EndpointId, Nanos, Version};

/// A balancer at one moment.
///
/// Serialisable with the feature `config`: names as here, spans in seconds, times as RFC 3339, states
/// and kinds in small letters. Fields may be added; what is here stays.
///
/// Everything is as of one snapshot, but for the counters, which requests go on changing while they
/// are read. Reading waits for nobody and holds nobody up.
///
/// `Debug` shows the state alone: neither how old things are nor what happened last. What changes
/// nothing, such as a change that is refused, leaves it as it was.
#[derive(Clone)]
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
    /// What is wrong with the balancer itself, as `[alarms]` says.
    pub alarms: Vec<AlarmStatus>,
    /// Every endpoint, in the order of the ids.
    pub endpoints: Vec<EndpointStatus>,
    /// What the audit has told and is not over, the oldest first.
    pub skews: Vec<SkewStatus>,
    /// When this was read, by the wall clock. Serialised as RFC 3339 in UTC.
    #[cfg_attr(feature = "config", serde(serialize_with = "crate::units::seconds::wall"))]
    pub at: SystemTime,
    /// How long the balancer has been there.
    #[cfg_attr(feature = "config", serde(serialize_with = "crate::units::seconds::span"))]
    pub age: Duration,
    /// How long ago somebody sent a set that was taken, if only the same again, or changed it: the
    /// age of what is believed of the endpoints. Where discovery sends its set again and again, one
    /// that grows says that it has died.
    #[cfg_attr(feature = "config", serde(serialize_with = "crate::units::seconds::span"))]
    pub set_age: Duration,
    /// Whether all is being drained, whoever joins as well.
    pub draining_all: bool,
    /// Requests in flight to any endpoint of the set.
    pub in_flight: u64,
    /// The time that `recent_answers`, `recent_failures` and `failure_rate` of the endpoints are
    /// about: it ends now, and lasts ten to twenty seconds where there is traffic.
    #[cfg_attr(feature = "config", serde(serialize_with = "crate::units::seconds::span"))]
    pub recent: Duration,
    /// What the settings say other than the defaults, a line for each key.
    pub settings: Vec<String>,
    /// The last changes of settings, endpoints and what operators say, with those that were refused
    /// or judged; the latest first, at most 32.
    pub changes: Vec<Happening>,
    /// What else happened last, mostly to endpoints: ejections, failed checks, recoveries, panic; the
    /// latest first, at most 32.
    pub happenings: Vec<Happening>,
}

/// How latencies of good answers spread.
///
/// Read from buckets, two an octave: each is less than a factor of 1.5 off, between 16 µs and 69 s.
/// Where not every request is timed, they are those of the ones that are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "config", derive(serde::Serialize))]
#[non_exhaustive]
pub struct LatencyStatus {
    /// Half of the answers came within this time.
    #[cfg_attr(feature = "config", serde(serialize_with = "crate::units::seconds::span"))]
    pub p50: Duration,
    /// Nine of ten answers came within this time.
    #[cfg_attr(feature = "config", serde(serialize_with = "crate::units::seconds::span"))]
    pub p90: Duration,
    /// All but one of a hundred answers came within this time.
    #[cfg_attr(feature = "config", serde(serialize_with = "crate::units::seconds::span"))]
    pub p99: Duration,
    /// Answers that were timed.
    pub timed: u64,
}

/// A skew that was told and is not over.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "config", derive(serde::Serialize))]
#[non_exhaustive]
pub struct SkewStatus {
    /// Who gets what, and why, as it was when it was found.
    #[cfg_attr(feature = "config", serde(flatten))]
    pub skew: Skew,
    /// How long ago it was told. Serialised in seconds.
    #[cfg_attr(feature = "config", serde(serialize_with = "crate::units::seconds::span"))]
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

/// An endpoint at one moment. `Debug` leaves out how old its state is.
#[derive(Clone)]
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
    /// where nothing can be chosen. Strategies that look at load rightly give the faster more. While
    /// keys lag behind a burst of changes, it is what they get at the moment.
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
    #[cfg_attr(feature = "config", serde(serialize_with = "crate::units::seconds::span_if_any"))]
    pub latency: Option<Duration>,
    /// Ejections that no good interval has made up for; the next one lasts longer for each.
    pub ejections: u32,
    /// How long its ejection still lasts, if it is ejected.
    #[cfg_attr(feature = "config", serde(serialize_with = "crate::units::seconds::span_if_any"))]
    pub ejected_for: Option<Duration>,
    /// Its tier.
    pub tier: u32,
    /// Where it runs.
    pub zone: Option<String>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// The weight it came with, whatever operators say.
    pub given_weight: u32,
    /// Why it is in its state; `None` for one that takes its part.
    pub reason: Option<Reason>,
    /// How long it has been in its state, where that is known: since when one has taken its part is
    /// not kept.
    #[cfg_attr(feature = "config", serde(serialize_with = "crate::units::seconds::span_if_any"))]
    pub state_for: Option<Duration>,
    /// How long its state still lasts, if time alone ends it: an ejection, a drain for a while, a
    /// growing share.
    #[cfg_attr(feature = "config", serde(serialize_with = "crate::units::seconds::span_if_any"))]
    pub state_left: Option<Duration>,
    /// What operators say about it, for as long as it holds.
    pub overrides: Vec<Override>,
    /// How the latencies of its good answers spread since it joined; `None` before the first. What
    /// it needs at present, [`latency`](Self::latency) says.
    pub latencies: Option<LatencyStatus>,
    /// Answers that say something about it, within the time that [`Status::recent`] says.
    pub recent_answers: u64,
    /// Those of them that were no good: failures, and refusals for having too much to do.
    pub recent_failures: u64,
    /// The part of them that was no good, from 0 to 1; `None` if there were none.
    pub failure_rate: Option<f64>,
}

impl fmt::Debug for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Status")
            .field("name", &self.name)
            .field("version", &self.version)
            .field("strategy", &self.strategy)
            .field("panic", &self.panic)
            .field("tiers", &self.tiers)
            .field("endpoints", &self.endpoints)
            .field("draining_all", &self.draining_all)
            .field("settings", &self.settings)
            .field("alarms", &self.alarms.iter().map(|alarm| &alarm.kind).collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for EndpointStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EndpointStatus")
            .field("id", &self.id)
            .field("state", &self.state)
            .field("weight", &self.weight)
            .field("effective_weight", &self.effective_weight)
            .field("expected_share", &self.expected_share)
            .field("in_flight", &self.in_flight)
            .field("picks", &self.picks)
            .field("successes", &self.successes)
            .field("failures", &self.failures)
            .field("overloaded", &self.overloaded)
            .field("latency", &self.latency)
            .field("ejections", &self.ejections)
            .field("ejected_for", &self.ejected_for)
            .field("tier", &self.tier)
            .field("zone", &self.zone)
            .field("labels", &self.labels)
            .field("given_weight", &self.given_weight)
            .field("reason", &self.reason)
            .field("state_left", &self.state_left)
            .field("overrides", &self.overrides)
            .field("latencies", &self.latencies)
            .field("recent_answers", &self.recent_answers)
            .field("recent_failures", &self.recent_failures)
            .field("failure_rate", &self.failure_rate)
            .finish_non_exhaustive()
    }
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
    pub(crate) fn status(&self, at: Instant) -> Status {
        let now = self.ground.origin.nanos(at);
        let snapshot = self.projected(now);
        let shares = snapshot.shares();
        let endpoints: Vec<_> = snapshot
            .members
            .iter()
            .zip(shares)
            .enumerate()
            .map(|(at, (member, share))| EndpointStatus {
                realised_share: self.realised(&snapshot, member),
                ..endpoint_status(&snapshot, at, member, share, now)
            })
            .collect();
        let (changes, happenings) = self.hub.recent(at);
        let age = |since: Nanos| Duration::from_nanos(now.0.saturating_sub(since.0));
        let alarms = self.findings.alarms().into_iter();
        let skews = alarms.map(|it| SkewStatus { skew: it.skew, age: age(it.since) }).collect();
        Status {
            name: self.shared.name.to_string(),
            version: snapshot.version,
            strategy: snapshot.chosen.name.to_string(),
            panic: snapshot.panics.is_on(),
            tiers: snapshot.seats.tiers().iter().map(|tier| tier_status(&snapshot, tier)).collect(),
            alarms: self.board.read(self.ground.origin, now),
            at: SystemTime::now(),
            age: Duration::from_nanos(now.0),
            set_age: between(self.dates.confirmed(), now),
            draining_all: snapshot.is_closed,
            in_flight: endpoints.iter().map(|endpoint| endpoint.in_flight).sum(),
            recent: between(self.dates.lately(), now),
            settings: Config::default().differences(&snapshot.config),
            changes,
            happenings,
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
        // Whoever settles this builds what lags behind the set only when that is due.
        let may_build = served.lags_until.is_none_or(|due| due <= now);
        let supply = Supply::after(&served, &served.config, may_build);
        let Ok(mut projected) = draft.build(&self.ground, supply) else { return served };
        if let Some(due) = served.lags_until.filter(|_| projected.lags()) {
            projected.catch_up_by(due);
        }
        Arc::new(projected)
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
    let in_flight = cell.in_flight();
    let totals = cell.totals();
    let latency = cell.measured_latency(now, snapshot.terms());
    let (recent_answers, recent_failures) = cell.lately(&totals);
    let Whys { reason, since, until } = Whys::of(member, &snapshot.rules);
    EndpointStatus {
        id: member.id().clone(),
        state: member.availability(),
        weight: member.weight(),
        effective_weight: f64::from(member.weight()) * snapshot.seats.part(at),
        expected_share,
        realised_share: None,
        in_flight,
        picks: totals.picks,
        successes: totals.successes,
        failures: totals.failures,
        overloaded: totals.overloaded,
        latency: latency.map(|nanos| Duration::from_nanos(nanos as u64)),
        ejections: member.standing().times,
        ejected_for: member.standing().ends().map(|until| between(now, until)),
        tier: member.attributes.tier(),
        zone: member.attributes.zone().map(ToString::to_string),
        labels: member.attributes.labels(),
        given_weight: member.given_weight,
        reason,
        state_for: since.map(|since| between(since, now)),
        state_left: until.map(|until| between(now, until)),
        overrides: overrides(member, now),
        latencies: latencies(&totals),
        recent_answers,
        recent_failures,
        failure_rate: (recent_answers > 0).then(|| recent_failures as f64 / recent_answers as f64),
    }
}

fn latencies(totals: &Totals) -> Option<LatencyStatus> {
    let timed = totals.latencies.count();
    let within = |q| totals.latencies.quantile(q).map(Duration::from_nanos);
    Some(LatencyStatus { p50: within(0.5)?, p90: within(0.9)?, p99: within(0.99)?, timed })
}
