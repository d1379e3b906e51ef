//! Ejections, panic and ramps.

use std::num::NonZeroU16;

use proptest::option::of;
use proptest::prelude::*;

use super::{duration, number, percent, whole};
use crate::config::{
    ConsecutiveFailuresConfig, FailurePercentageConfig, LatencyConfig, OutlierConfig, PanicConfig,
    SlowStartConfig, SuccessRateConfig, SuccessRateMethod, WhenNoneHealthy,
};

pub(super) fn outlier() -> impl Strategy<Value = OutlierConfig> {
    let times = (duration("outlier.base_ejection_time"), duration("outlier.max_ejection_time"));
    let memory = (
        any::<bool>(),
        duration("outlier.remember_removed"),
        of(duration("outlier.abandoned_after")),
        duration("outlier.retry_after_cap"),
    );
    let cap = (
        percent("outlier.ejection_jitter_percent"),
        percent("outlier.max_ejected_percent"),
        prop_oneof![any::<usize>(), 0_usize..10],
    );
    let pace = (duration("outlier.interval"), times, whole("outlier.probe_successes"));
    (pace, cap, memory, detectors()).prop_map(|(pace, cap, memory, detect)| {
        let (interval, (one, other), probes) = pace;
        let (jitter, share, least) = cap;
        let (dry_run, remember, abandoned, retry_after) = memory;
        let outlier = OutlierConfig::default()
            .with_dry_run(dry_run)
            .with_ejection_jitter_percent(jitter)
            .with_max_ejected_percent(share)
            .with_min_available(least)
            .with_interval(interval)
            .and_then(|it| it.with_ejection_times(one.min(other), one.max(other)))
            .and_then(|it| it.with_probe_successes(probes))
            .and_then(|it| it.with_remember_removed(remember))
            .and_then(|it| it.with_abandoned_after(abandoned))
            .and_then(|it| it.with_retry_after_cap(retry_after))
            .unwrap();
        let [any, gateway, local] = detect.rows;
        outlier
            .with_consecutive_failures(any)
            .with_consecutive_gateway_failures(gateway)
            .with_consecutive_local_failures(local)
            .with_success_rate(detect.success_rate)
            .with_failure_percentage(detect.failure_percentage)
            .with_latency(detect.latency)
    })
}

#[derive(Debug)]
struct Detectors {
    rows: [Option<ConsecutiveFailuresConfig>; 3],
    success_rate: Option<SuccessRateConfig>,
    failure_percentage: Option<FailurePercentageConfig>,
    latency: Option<LatencyConfig>,
}

fn detectors() -> impl Strategy<Value = Detectors> {
    let rows = prop::array::uniform3(of(row()));
    let rates = (of(success_rate()), of(failure_percentage()), of(latency()));
    (rows, rates).prop_map(|(rows, (success_rate, failure_percentage, latency))| Detectors {
        rows,
        success_rate,
        failure_percentage,
        latency,
    })
}

fn row() -> impl Strategy<Value = ConsecutiveFailuresConfig> {
    let enforced = percent("outlier.consecutive_failures.enforce_percent");
    (any::<NonZeroU16>(), enforced).prop_map(|(threshold, enforced)| {
        let row = ConsecutiveFailuresConfig::default().with_threshold(threshold);
        row.with_enforce_percent(enforced)
    })
}

fn success_rate() -> impl Strategy<Value = SuccessRateConfig> {
    let path = |key: &str| format!("outlier.success_rate.{key}");
    let method = prop_oneof![Just(SuccessRateMethod::Robust), Just(SuccessRateMethod::A50)];
    let percents = (percent(&path("minimum_gap_percent")), percent(&path("enforce_percent")));
    let counts = (
        whole(&path("minimum_hosts")),
        whole(&path("minimum_failures")),
        whole(&path("request_volume")),
    );
    (method, number(&path("stdev_factor")), percents, counts).prop_map(
        |(method, factor, (gap, enforced), (hosts, failures, requests))| {
            SuccessRateConfig::default()
                .with_method(method)
                .with_minimum_gap_percent(gap)
                .with_enforce_percent(enforced)
                .with_stdev_factor(factor)
                .and_then(|it| it.with_minimum_hosts(hosts))
                .and_then(|it| it.with_minimum_failures(failures))
                .and_then(|it| it.with_request_volume(requests))
                .unwrap()
        },
    )
}

fn failure_percentage() -> impl Strategy<Value = FailurePercentageConfig> {
    let path = |key: &str| format!("outlier.failure_percentage.{key}");
    let percents = (percent(&path("threshold")), percent(&path("enforce_percent")));
    let counts = (whole(&path("minimum_hosts")), whole(&path("request_volume")));
    (percents, counts).prop_map(|((threshold, enforced), (hosts, requests))| {
        FailurePercentageConfig::default()
            .with_enforce_percent(enforced)
            .with_threshold(threshold)
            .and_then(|it| it.with_minimum_hosts(hosts))
            .and_then(|it| it.with_request_volume(requests))
            .unwrap()
    })
}

fn latency() -> impl Strategy<Value = LatencyConfig> {
    let path = |key: &str| format!("outlier.latency.{key}");
    let shape =
        (number(&path("factor")), number(&path("quantile")), duration(&path("minimum_gap")));
    let counts = (whole(&path("minimum_hosts")), whole(&path("request_volume")));
    (shape, counts, percent(&path("enforce_percent"))).prop_map(
        |((factor, quantile, gap), (hosts, requests), enforced)| {
            LatencyConfig::default()
                .with_enforce_percent(enforced)
                .with_factor(factor)
                .and_then(|it| it.with_quantile(quantile))
                .and_then(|it| it.with_minimum_gap(gap))
                .and_then(|it| it.with_minimum_hosts(hosts))
                .and_then(|it| it.with_request_volume(requests))
                .unwrap()
        },
    )
}

pub(super) fn panic() -> impl Strategy<Value = PanicConfig> {
    let then = prop_oneof![Just(WhenNoneHealthy::ServeAll), Just(WhenNoneHealthy::Fail)];
    (percent("panic.threshold_percent"), percent("panic.exit_percent"), then).prop_map(
        |(one, other, then)| {
            let panic = PanicConfig::default().with_when_none_healthy(then);
            panic.with_thresholds(one.min(other), one.max(other)).unwrap()
        },
    )
}

pub(super) fn slow_start() -> impl Strategy<Value = SlowStartConfig> {
    let shape = (number("slow_start.aggression"), percent("slow_start.min_weight_percent"));
    (duration("slow_start.window"), shape, any::<bool>()).prop_map(
        |(window, (aggression, least), new_endpoints)| {
            SlowStartConfig::default()
                .with_new_endpoints(new_endpoints)
                .with_window(window)
                .and_then(|it| it.with_aggression(aggression))
                .and_then(|it| it.with_min_weight_percent(least))
                .unwrap()
        },
    )
}
