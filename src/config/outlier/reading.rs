//! How `[outlier]` is read.

use std::ops::RangeInclusive;

use super::{
    ConsecutiveFailuresConfig, FailurePercentageConfig, LatencyConfig, OutlierConfig,
    SuccessRateConfig,
};
use crate::config::document::{
    Key, Keyed, Section, count, duration, duration_within, flag, percent, whole,
};
use crate::config::setting::Range;

pub(super) const ANY_PERCENT: RangeInclusive<u8> = 0..=100;

pub(super) const ENFORCE_PERCENT: &str =
    "How many of a hundred findings are acted upon, by chance; the others are only told.";
pub(super) const MINIMUM_HOSTS: &str = "How many endpoints must have had enough requests before \
     anybody is judged. Smaller judges small sets too, where less is known of what is normal.";

const EJECTION_TIMES: [&str; 2] = ["max_ejection_time", "base_ejection_time"];

/// Reads both, since each is right or wrong by the other.
fn ejection_times(it: &mut OutlierConfig, section: &mut Section<'_, '_>) {
    let mut read =
        |key| section.read(key, |found| duration_within(found, &OutlierConfig::EJECTION_TIME));
    let [max, base] = EJECTION_TIMES.map(&mut read);
    let (Ok(max), Ok(base)) = (max, base) else { return };
    let (base, max) = (base.unwrap_or(it.base_ejection_time), max.unwrap_or(it.max_ejection_time));
    match it.clone().with_ejection_times(base, max) {
        Ok(right) => *it = right,
        Err(problem) => section.refuse_pair(EJECTION_TIMES, &problem.message),
    }
}

impl Keyed for OutlierConfig {
    const KEYS: &'static [Key<Self>] = &[
        Key::new(
            "interval",
            Range::Duration(Self::INTERVAL),
            "The time between two sweeps, which judge what endpoints did since the last one. \
             Shorter notices sooner, and judges by fewer requests. Failures in a row wait for no \
             sweep.",
            |it, found| Ok(it.with_interval(duration(found)?)?),
        ),
        Key::joint(
            "base_ejection_time",
            Range::Duration(Self::EJECTION_TIME),
            "How long the first ejection of an endpoint lasts; the second in a row lasts twice as \
             long, and so on. Longer spares callers more failed probes, and keeps an endpoint \
             away that has long recovered.",
            |it, section, _| ejection_times(it, section),
        ),
        Key::joint(
            "max_ejection_time",
            Range::Duration(Self::EJECTION_TIME),
            "How long an ejection lasts at most, before jitter; no less than \
             `base_ejection_time`.",
            |_, _, _| {}, // `base_ejection_time` reads it too
        ),
        Key::new(
            "ejection_jitter_percent",
            Range::Percent(ANY_PERCENT),
            "How much longer an ejection may last by chance, in percent of itself. Larger keeps \
             endpoints that went together further from coming back together.",
            |it, found| Ok(it.with_ejection_jitter_percent(percent(found, &ANY_PERCENT)?)),
        ),
        Key::new(
            "max_ejected_percent",
            Range::Percent(ANY_PERCENT),
            "The part of the endpoints that may be out at once, rounded down to whole ones. \
             Larger ejects more of the sick, and leaves fewer to carry the load.",
            |it, found| Ok(it.with_max_ejected_percent(percent(found, &ANY_PERCENT)?)),
        ),
        Key::new(
            "min_available",
            Range::Count,
            "How many endpoints no ejection may go below.",
            |it, found| Ok(it.with_min_available(count(found)?)),
        ),
        Key::new(
            "probe_successes",
            Range::whole(&Self::PROBE_SUCCESSES),
            "How many good answers an endpoint owes after an ejection before its share grows \
             again. Larger makes surer, and takes longer.",
            |it, found| Ok(it.with_probe_successes(whole(found, &Self::PROBE_SUCCESSES)?)?),
        ),
        Key::new(
            "dry_run",
            Range::Flag,
            "Whether judgements are only told and nothing is ejected.",
            |it, found| Ok(it.with_dry_run(flag(found)?)),
        ),
        Key::new(
            "remember_removed",
            Range::Duration(Self::REMEMBER_REMOVED),
            "How long an endpoint that left the set is remembered; one that comes back within \
             this time is still what it was. Longer remembers across longer gaps, and holds \
             the counters of more endpoints in memory.",
            |it, found| Ok(it.with_remember_removed(duration(found)?)?),
        ),
        Key::new(
            "abandoned_after",
            Range::Duration(Self::ABANDONED_AFTER),
            "How old a request is when a caller who gives it up speaks against the endpoint; \
             without it, never. Set it a little below the time that callers wait: shorter \
             blames endpoints for callers who cancel for reasons of their own.",
            |it, found| Ok(it.with_abandoned_after(Some(duration(found)?))?),
        ),
        Key::new(
            "retry_after_cap",
            Range::Duration(Self::RETRY_AFTER_CAP),
            "The longest time for which an endpoint may ask to be left alone, by \
             `Retry-After`. Longer trusts servers with longer pauses, and a wrong one with a \
             longer outage.",
            |it, found| Ok(it.with_retry_after_cap(duration(found)?)?),
        ),
        Key::<Self>::table::<ConsecutiveFailuresConfig>(
            "consecutive_failures",
            "Ejects after too many failures in a row, of whatever kind.",
            |it, section, key| section.mechanism(key, &mut it.consecutive_failures),
        )
        .or_off(),
        Key::<Self>::table::<ConsecutiveFailuresConfig>(
            "consecutive_gateway_failures",
            "Ejects after too many failures in a row as a gateway to something else, as HTTP has \
             502, 503 and 504.",
            |it, section, key| section.mechanism(key, &mut it.consecutive_gateway_failures),
        )
        .or_off(),
        Key::<Self>::table::<ConsecutiveFailuresConfig>(
            "consecutive_local_failures",
            "Ejects after too many failures in a row before any answer, for want of a connection \
             or of time.",
            |it, section, key| section.mechanism(key, &mut it.consecutive_local_failures),
        )
        .or_off(),
        Key::<Self>::table::<SuccessRateConfig>(
            "success_rate",
            "Ejects who succeeds less often than the others.",
            |it, section, key| section.mechanism(key, &mut it.success_rate),
        )
        .or_off(),
        Key::<Self>::table::<FailurePercentageConfig>(
            "failure_percentage",
            "Ejects who fails too large a part of its requests, whatever the others do.",
            |it, section, key| section.mechanism(key, &mut it.failure_percentage),
        )
        .or_off(),
        Key::<Self>::table::<LatencyConfig>(
            "latency",
            "Ejects who answers well, and several times slower than the others.",
            |it, section, key| section.mechanism(key, &mut it.latency),
        )
        .or_off(),
    ];

    fn blank() -> Self {
        Self::default()
    }
}
