//! Warnings are told where they help, and never of defaults.

use std::time::Duration;

use crate::config::{
    AlarmsConfig, AuditConfig, Choices, Config, ConsecutiveFailuresConfig, FailurePercentageConfig,
    HashConfig, HealthConfig, LatencyConfig, LimitsConfig, OutlierConfig, PanicConfig,
    SlowStartConfig, StrategyConfig, StrategyKind, SuccessRateConfig, SuccessRateMethod,
    TiersConfig, UpdateConfig, WhenNoneHealthy,
};
use crate::endpoint::EndpointSpec;
use crate::error::{Problem, Severity};
use crate::units::Percent;

fn paths(config: &Config, endpoints: usize) -> Vec<String> {
    let warnings = config.warnings(endpoints);
    assert!(warnings.iter().all(|it| it.severity == Severity::Warning && it.position.is_none()));
    warnings.into_iter().map(|it| it.path).collect()
}

fn strategy(strategy: StrategyConfig) -> Config {
    Config::default().with_strategy(strategy)
}

fn update(update: UpdateConfig) -> Config {
    Config::default().with_update(Some(update))
}

#[test]
fn nothing_is_said_of_defaults() {
    for endpoints in [0, 1, 2, 3, 4, 100] {
        assert_eq!(paths(&Config::default(), endpoints), [""; 0]);
    }
}

#[test]
fn an_alarm_about_what_will_be_believed() {
    let mins = |mins: u64| Some(Duration::from_secs(60 * mins));
    let alarms = |lasts| {
        let alarms = AlarmsConfig::default().with_update_refused(lasts).unwrap();
        Config::default().with_alarms(Some(alarms))
    };
    let later = update(UpdateConfig::default().with_confirm_after(mins(2).unwrap()).unwrap());
    for (config, warned) in [
        (alarms(mins(1)), &["alarms.update_refused"][..]),
        (alarms(Some(Duration::from_secs(61))), &[]),
        (alarms(None), &[]),
        (alarms(mins(1)).with_update(None), &[]),
        // Named by what was set, which is where a reader of the file looks.
        (later, &["update.confirm_after"]),
    ] {
        assert_eq!(paths(&config, 9), warned);
    }
}

#[test]
fn an_audit_that_sees_little() {
    let audited = |audit: AuditConfig| Config::default().with_audit(Some(audit));
    let seconds = Duration::from_secs;
    let short = AuditConfig::default().with_interval(seconds(11)).unwrap();
    assert_eq!(paths(&audited(short), 3), ["audit.window"]);
    let tolerant = |percent| AuditConfig::default().with_tolerance_percent(percent).unwrap();
    assert_eq!(paths(&audited(tolerant(89)), 3), [""; 0]);
    assert_eq!(paths(&audited(tolerant(90)), 3), ["audit.tolerance_percent"]);
    let calm = AuditConfig::default().with_concentration_percent(None).unwrap();
    assert_eq!(paths(&audited(calm.clone()), 3), ["audit.concentration_percent"]);
    let by_turns = StrategyConfig::new(StrategyKind::RoundRobin);
    assert_eq!(paths(&audited(calm).with_strategy(by_turns), 3), [""; 0]);
    assert_eq!(paths(&Config::default().with_audit(None), 3), [""; 0]);
}

#[test]
fn an_empty_name() {
    assert_eq!(paths(&Config::default().with_name(""), 0), ["name"]);
}

#[test]
fn keys_the_strategy_does_not_read() {
    let with_all = |kind| {
        let config = StrategyConfig::new(kind).with_choices(Choices::ALL);
        let config = config.with_decay(Duration::from_secs(1)).unwrap();
        strategy(config.with_failure_penalty(Some(Duration::from_secs(1))).unwrap())
    };
    let all = ["strategy.choices", "strategy.decay", "strategy.failure_penalty"];
    assert_eq!(paths(&with_all(StrategyKind::RoundRobin), 3), all);
    assert_eq!(paths(&with_all(StrategyKind::Random), 3), all);
    assert_eq!(paths(&with_all(StrategyKind::LeastRequest), 3), ["strategy.decay"]);
    assert_eq!(paths(&with_all(StrategyKind::PeakEwma), 3), [""; 0]);
    assert_eq!(paths(&with_all(StrategyKind::Custom("mine".into())), 3), [""; 0]);
}

#[test]
fn sizes_and_bounds_the_strategy_does_not_read() {
    let hash = HashConfig::default().with_table_size(1_009).unwrap();
    let hash = hash.with_min_ring_size(2_048).and_then(|it| it.with_max_ring_size(4_096)).unwrap();
    let hash = hash.with_bounded_load_percent(Some(125)).unwrap();
    let of = |kind| strategy(StrategyConfig::new(kind)).with_hash(hash.clone());
    let (bound, table) = ("hash.bounded_load_percent", "hash.table_size");
    let ring = ["hash.min_ring_size", "hash.max_ring_size"];
    assert_eq!(paths(&of(StrategyKind::Random), 3), [bound, table, ring[0], ring[1]]);
    assert_eq!(paths(&of(StrategyKind::RingHash), 3), [table]);
    assert_eq!(paths(&of(StrategyKind::Maglev), 3), ring);
    assert_eq!(paths(&of(StrategyKind::Custom("mine".into())), 3), [""; 0]);
}

#[test]
fn wheels_of_uneven_parts_and_a_bound_that_moves_every_key() {
    let of = |kind, hash| strategy(StrategyConfig::new(kind)).with_hash(hash);
    let default = HashConfig::default;
    let ring = of(StrategyKind::RingHash, default());
    assert_eq!(paths(&ring, 51), [""; 0]);
    assert_eq!(paths(&ring, 52), ["hash.min_ring_size"]);
    let table = of(StrategyKind::Maglev, default());
    assert_eq!(paths(&table, 655), [""; 0]);
    assert_eq!(paths(&table, 656), ["hash.table_size"]);
    let even = default().with_bounded_load_percent(Some(100)).unwrap();
    assert_eq!(paths(&of(StrategyKind::Maglev, even), 0), ["hash.bounded_load_percent"]);
}

#[test]
fn choices_that_are_a_full_scan() {
    let eight = StrategyConfig::default().with_choices(Choices::of(8).unwrap());
    let config = strategy(eight);
    assert_eq!(paths(&config, 0), [""; 0]);
    assert_eq!(paths(&config, 8), ["strategy.choices"]);
    assert_eq!(paths(&config, 9), [""; 0]);
}

#[test]
fn no_failure_penalty_under_a_strategy_that_needs_it() {
    let off = |kind| strategy(StrategyConfig::new(kind).with_failure_penalty(None).unwrap());
    let path = ["strategy.failure_penalty"];
    assert_eq!(paths(&off(StrategyKind::LeastRequest), 0), path);
    assert_eq!(paths(&off(StrategyKind::PeakEwma), 0), path);
}

#[test]
fn a_shrink_guard_that_never_or_always_acts() {
    let shrink = |percent| {
        update(UpdateConfig::default().with_max_shrink_percent(Percent::new(percent).unwrap()))
    };
    let path = ["update.max_shrink_percent"];
    assert_eq!(paths(&shrink(100), 0), path);
    assert_eq!(paths(&shrink(0), 0), path);
    assert_eq!(paths(&shrink(10), 9), path);
    assert_eq!(paths(&shrink(10), 10), [""; 0]);
    assert_eq!(paths(&shrink(10), 3), [""; 0]);

    let least = update(UpdateConfig::default().with_min_endpoints(10));
    assert_eq!(paths(&least, 0), [""; 0]);
    assert_eq!(paths(&least, 9), ["update.min_endpoints"]);
    assert_eq!(paths(&least, 10), [""; 0]);
}

fn outlier(change: impl FnOnce(OutlierConfig) -> OutlierConfig) -> Config {
    Config::default().with_outlier(Some(change(OutlierConfig::default())))
}

fn percent(percent: u8) -> Percent {
    Percent::new(percent).unwrap()
}

#[test]
fn a_cap_that_can_never_eject() {
    let cap = |share, least| {
        outlier(|it| it.with_max_ejected_percent(percent(share)).with_min_available(least))
    };
    let (share, least) = (["outlier.max_ejected_percent"], ["outlier.min_available"]);
    for endpoints in [0, 1, 100] {
        assert_eq!(paths(&cap(0, 1), endpoints), share);
    }
    assert_eq!(paths(&cap(10, 1), 0), [""; 0]);
    assert_eq!(paths(&cap(10, 1), 9), share);
    assert_eq!(paths(&cap(10, 1), 10), [""; 0]);
    assert_eq!(paths(&cap(100, 1), 1), least);
    assert_eq!(paths(&cap(50, 3), 3), least);
    assert_eq!(paths(&cap(50, 3), 4), [""; 0]);
    assert_eq!(paths(&cap(50, usize::MAX), 0), [""; 0]);

    let nobody_judges =
        outlier(|it| it.with_max_ejected_percent(percent(0)).with_consecutive_failures(None));
    assert_eq!(paths(&nobody_judges, 3), [""; 0]);
}

#[test]
fn a_cap_that_may_eject_all_while_nobody_who_is_out_is_served() {
    let all = outlier(|it| it.with_max_ejected_percent(percent(100)).with_min_available(0));
    let fail = PanicConfig::default().with_when_none_healthy(WhenNoneHealthy::Fail);
    assert_eq!(paths(&all, 3), [""; 0]);
    assert_eq!(paths(&all.clone().with_panic(None), 0), ["outlier.min_available"]);
    assert_eq!(paths(&all.with_panic(Some(fail)), 3), ["outlier.min_available"]);
    let one_stays = outlier(|it| it.with_max_ejected_percent(percent(100)));
    assert_eq!(paths(&one_stays.with_panic(None), 3), [""; 0]);
}

#[test]
fn ejections_that_end_before_the_next_sweep() {
    let secs = Duration::from_secs;
    let base = |base| outlier(|it| it.with_ejection_times(base, secs(60)).unwrap());
    assert_eq!(paths(&base(secs(9)), 0), ["outlier.base_ejection_time"]);
    assert_eq!(paths(&base(secs(10)), 0), [""; 0]);
}

#[test]
fn what_is_only_told() {
    assert_eq!(paths(&outlier(|it| it.with_dry_run(true)), 0), ["outlier.dry_run"]);
    let never = percent(0);
    let config = outlier(|it| {
        let row = ConsecutiveFailuresConfig::default().with_enforce_percent(never);
        let rate = SuccessRateConfig::default().with_enforce_percent(never);
        let share = FailurePercentageConfig::default().with_enforce_percent(never);
        let latency = LatencyConfig::default().with_enforce_percent(never);
        it.with_consecutive_failures(Some(row.clone()))
            .with_consecutive_gateway_failures(Some(row.clone()))
            .with_consecutive_local_failures(Some(row))
            .with_success_rate(Some(rate))
            .with_failure_percentage(Some(share))
            .with_latency(Some(latency))
    });
    assert_eq!(
        paths(&config, 0),
        [
            "outlier.consecutive_failures.enforce_percent",
            "outlier.consecutive_gateway_failures.enforce_percent",
            "outlier.consecutive_local_failures.enforce_percent",
            "outlier.success_rate.enforce_percent",
            "outlier.failure_percentage.enforce_percent",
            "outlier.latency.enforce_percent",
        ]
    );
}

#[test]
fn detectors_that_never_judge_so_few() {
    let config = outlier(|it| {
        it.with_success_rate(Some(SuccessRateConfig::default()))
            .with_failure_percentage(Some(FailurePercentageConfig::default()))
            .with_latency(Some(LatencyConfig::default()))
    });
    let rates = ["outlier.success_rate.minimum_hosts", "outlier.failure_percentage.minimum_hosts"];
    assert_eq!(paths(&config, 0), [""; 0]);
    assert_eq!(paths(&config, 5), [""; 0]);
    assert_eq!(paths(&config, 4), rates);
    assert_eq!(paths(&config, 2), [rates[0], rates[1], "outlier.latency.minimum_hosts"]);
}

#[test]
fn a50_that_cannot_find_one_dead_endpoint() {
    let a50 = |factor, hosts| {
        let rate = SuccessRateConfig::default().with_method(SuccessRateMethod::A50);
        let rate = rate.with_stdev_factor(factor).and_then(|it| it.with_minimum_hosts(hosts));
        outlier(|it| it.with_success_rate(Some(rate.unwrap())))
    };
    let path = ["outlier.success_rate.stdev_factor"];
    assert_eq!(paths(&a50(1.9, 3), 4), path);
    assert_eq!(paths(&a50(1.9, 3), 5), [""; 0]);
    assert_eq!(paths(&a50(2.0, 3), 5), path);
    assert_eq!(paths(&a50(2.0, 3), 6), [""; 0]);
    assert_eq!(paths(&a50(100.0, 3), 10_001), path);
    assert_eq!(paths(&a50(0.0, 3), 3), [""; 0]);
    assert_eq!(paths(&a50(1.9, 3), 0), [""; 0]);
    assert_eq!(paths(&a50(1.9, 5), 4), ["outlier.success_rate.minimum_hosts"]);
    let told = &a50(1.9, 3).warnings(4)[0].message;
    assert!(told.contains("one dead endpoint of 4: it takes 5 or"), "{told}");

    let robust = SuccessRateConfig::default().with_minimum_hosts(3).unwrap();
    assert_eq!(paths(&outlier(|it| it.with_success_rate(Some(robust))), 4), [""; 0]);
}

/// The claim of the warning, by the formula itself: one dead, the others perfect.
#[test]
fn a50_finds_one_dead_endpoint_exactly_where_nothing_is_said() {
    for endpoints in 2..40_u32 {
        for tenths in 1..60 {
            let factor = f64::from(tenths) / 10.0;
            let n = f64::from(endpoints);
            let mean = (n - 1.0) / n;
            let deviation = (mean * (1.0 - mean)).sqrt();
            let threshold = mean - factor * deviation;
            // Where both are equal, rounding decides.
            if threshold.abs() < 1e-9 {
                continue;
            }
            let rate = SuccessRateConfig::default()
                .with_method(SuccessRateMethod::A50)
                .with_stdev_factor(factor)
                .and_then(|it| it.with_minimum_hosts(2))
                .unwrap();
            let config = outlier(|it| it.with_success_rate(Some(rate)));
            let is_found = 0.0 < threshold;
            let is_told = !paths(&config, endpoints as usize).is_empty();
            assert_eq!(is_told, !is_found, "{endpoints} endpoints, factor {factor}");
        }
    }
}

#[test]
fn keys_that_a50_does_not_read() {
    let with = |method| {
        let rate = SuccessRateConfig::default().with_method(method);
        let rate = rate.with_minimum_gap_percent(percent(6)).with_minimum_failures(6).unwrap();
        outlier(|it| it.with_success_rate(Some(rate)))
    };
    let unread =
        ["outlier.success_rate.minimum_gap_percent", "outlier.success_rate.minimum_failures"];
    assert_eq!(paths(&with(SuccessRateMethod::A50), 0), unread);
    assert_eq!(paths(&with(SuccessRateMethod::Robust), 0), [""; 0]);
}

#[test]
fn a_latency_factor_within_what_is_blurred() {
    let factor = |factor| {
        let latency = LatencyConfig::default().with_factor(factor).unwrap();
        outlier(|it| it.with_latency(Some(latency)))
    };
    assert_eq!(paths(&factor(1.49), 0), ["outlier.latency.factor"]);
    assert_eq!(paths(&factor(1.5), 0), [""; 0]);
}

fn health(change: impl FnOnce(HealthConfig) -> Result<HealthConfig, Problem>) -> Config {
    Config::default().with_health(Some(change(HealthConfig::default()).unwrap()))
}

#[test]
fn checks_that_come_later_than_asked() {
    let (ms, path) = (Duration::from_millis, ["health.timeout"]);
    assert_eq!(paths(&health(Ok), 3), [""; 0]);
    assert_eq!(paths(&health(|it| it.with_timeout(ms(5001))), 0), path);
    assert_eq!(paths(&health(|it| it.with_timeout(ms(5000))), 0), [""; 0]);
    assert_eq!(paths(&health(|it| it.with_interval(ms(999))), 3), path);
    assert_eq!(paths(&health(|it| it.with_unhealthy_interval(ms(10))), 3), [""; 0]);
    let told = &health(|it| it.with_timeout(ms(90_000))).warnings(0)[0].message;
    assert!(told.starts_with("90s is longer than health.interval (5s), so"), "{told}");
}

#[test]
fn one_bad_answer_that_decides() {
    assert_eq!(paths(&health(|it| it.with_fall(1)), 0), ["health.fall"]);
    assert_eq!(paths(&health(|it| it.with_fall(2)), 0), [""; 0]);
    assert_eq!(paths(&health(|it| it.with_rise(1)), 0), [""; 0]);
    assert_eq!(paths(&health(|it| it.with_fall(1)).with_health(None), 0), [""; 0]);
}

#[test]
fn callers_of_no_zone() {
    let tiers = |zone, callers| {
        let tiers = TiersConfig::default().with_zone(zone).unwrap();
        let tiers = tiers.with_zone_callers_percent(callers).unwrap();
        Config::default().with_tiers(Some(tiers))
    };
    let all = Some(percent(100));
    assert_eq!(paths(&tiers(None, all), 0), ["tiers.zone_callers_percent"]);
    assert_eq!(paths(&tiers(Some("eu-1a"), all), 0), [""; 0]);
    assert_eq!(paths(&tiers(Some("eu-1a"), None), 0), [""; 0]);
    assert_eq!(paths(&tiers(None, all).with_tiers(None), 0), [""; 0]);
}

#[test]
fn panic_that_begins_with_the_first_or_flaps() {
    let panic = |threshold, exit| {
        let panic = PanicConfig::default().with_thresholds(percent(threshold), percent(exit));
        Config::default().with_panic(Some(panic.unwrap()))
    };
    let begins = ["panic.threshold_percent"];
    assert_eq!(paths(&panic(67, 70), 3), begins);
    assert_eq!(paths(&panic(66, 70), 3), [""; 0]);
    assert_eq!(paths(&panic(67, 70), 0), [""; 0]);
    assert_eq!(paths(&panic(99, 100), usize::MAX), [""; 0]);
    assert_eq!(paths(&panic(51, 60), 2), begins);
    assert_eq!(paths(&panic(100, 100), 0), [begins[0], "panic.exit_percent"]);
    assert_eq!(paths(&panic(50, 50), 0), ["panic.exit_percent"]);
}

#[test]
fn a_ramp_that_does_not_grow() {
    let ramp = |least| {
        let slow_start = SlowStartConfig::default().with_min_weight_percent(percent(least));
        Config::default().with_slow_start(slow_start.unwrap())
    };
    assert_eq!(paths(&ramp(100), 0), ["slow_start.min_weight_percent"]);
    assert_eq!(paths(&ramp(99), 0), [""; 0]);
}

#[test]
fn an_age_that_no_request_of_a_service_reaches() {
    let config = |age, timeout| {
        let outlier = OutlierConfig::default().with_abandoned_after(age).unwrap();
        let limits = LimitsConfig::default().with_attempt_timeout(timeout).unwrap();
        Config::default().with_outlier(Some(outlier)).with_limits(limits)
    };
    let time = |millis| Some(Duration::from_millis(millis));
    assert_eq!(paths(&config(time(10), time(10)), 0), ["outlier.abandoned_after"]);
    assert_eq!(paths(&config(time(9), time(10)), 0), [""; 0]);
    assert_eq!(paths(&config(time(10), None), 0), [""; 0]);
    assert_eq!(paths(&config(None, time(10)), 0), [""; 0]);
    assert_eq!(paths(&config(time(10), time(10)).with_outlier(None), 0), [""; 0]);
}

#[test]
fn endpoints_that_take_nothing() {
    let set = |weights: &[u32]| {
        let spec =
            |(i, weight): (usize, &u32)| EndpointSpec::new(i.to_string(), "x").weight(*weight);
        let specs = weights.iter().enumerate().map(spec).collect();
        Config::default().with_endpoints(Some(specs)).unwrap()
    };
    assert_eq!(paths(&set(&[0, 0]), 2), ["endpoints"]);
    assert_eq!(paths(&set(&[0, 1]), 2), [""; 0]);
    assert_eq!(paths(&set(&[]), 0), ["endpoints"]);
    assert_eq!(paths(&set(&[]).with_update(None), 0), [""; 0]);
}
