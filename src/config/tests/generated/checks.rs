//! Active checks and tiers.

use proptest::option::of;
use proptest::prelude::*;

use super::{duration, percent, whole, word};
use crate::config::{HealthConfig, InitialHealth, TiersConfig};

pub(super) fn health() -> impl Strategy<Value = HealthConfig> {
    let time = |key: &str| duration(&format!("health.{key}"));
    let times = (time("interval"), time("unhealthy_interval"), time("timeout"));
    let counts = (whole("health.rise"), whole("health.fall"), whole("health.concurrency"));
    let initial = prop_oneof![Just(InitialHealth::Healthy), Just(InitialHealth::Unhealthy)];
    (times, counts, percent("health.jitter_percent"), initial).prop_map(
        |((interval, unhealthy, timeout), (rise, fall, checks), jitter, initial)| {
            HealthConfig::default()
                .with_jitter_percent(jitter)
                .with_initial(initial)
                .with_interval(interval)
                .and_then(|it| it.with_unhealthy_interval(unhealthy))
                .and_then(|it| it.with_timeout(timeout))
                .and_then(|it| it.with_rise(rise))
                .and_then(|it| it.with_fall(fall))
                .and_then(|it| it.with_concurrency(checks as usize))
                .unwrap()
        },
    )
}

pub(super) fn tiers() -> impl Strategy<Value = TiersConfig> {
    let zone = of(word().prop_map(|name| name + "!"));
    let callers = of(percent("tiers.zone_callers_percent"));
    (whole("tiers.overprovisioning_percent"), zone, callers).prop_map(|(factor, zone, callers)| {
        TiersConfig::default()
            .with_overprovisioning_percent(factor)
            .and_then(|it| it.with_zone(zone.as_deref()))
            .and_then(|it| it.with_zone_callers_percent(callers))
            .unwrap()
    })
}
