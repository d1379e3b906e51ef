//! Documents that are right.

use std::num::NonZeroU16;
use std::time::Duration;

use crate::config::{
    AlarmsConfig, AuditConfig, Choices, Config, ConsecutiveFailuresConfig, DecisionsConfig,
    EverybodySlowConfig, FailurePercentageConfig, GuardConfig, HashConfig, HealthConfig,
    InitialHealth, LatencyConfig, LimitsConfig, OutlierConfig, PanicConfig, SlowStartConfig,
    StrategyConfig, StrategyKind, SuccessRateConfig, SuccessRateMethod, TiersConfig, UpdateConfig,
    WhenNoneHealthy, settings,
};
use crate::endpoint::EndpointSpec;
use crate::units::Percent;

/// Every key there is, none at its default.
pub(super) const FULL: &str = r#"
name = "checkout"

[strategy]
kind = "custom"
custom = "leader"
choices = "all"
decay = "250ms"
failure_penalty = "1m 30s"

[update]
allow_empty = true
max_shrink_percent = 20
min_endpoints = 0x10
confirm_after = "24h"

[outlier]
interval = "100ms"
base_ejection_time = "1m"
max_ejection_time = "1h"
ejection_jitter_percent = 0
max_ejected_percent = 100
min_available = 3
probe_successes = 100
dry_run = true
remember_removed = "1s"
abandoned_after = "1ms"
retry_after_cap = "1s 1ns"
consecutive_failures = { threshold = 1, enforce_percent = 99 }
consecutive_gateway_failures = { threshold = 2, enforce_percent = 98 }
consecutive_local_failures = { threshold = 65535, enforce_percent = 97 }

[outlier.success_rate]
method = "a50"
stdev_factor = 0
minimum_hosts = 2
minimum_gap_percent = 6
minimum_failures = 7
request_volume = 8
enforce_percent = 96

[outlier.failure_percentage]
threshold = 1
minimum_hosts = 1
request_volume = 9
enforce_percent = 95

[outlier.latency]
factor = 1_0.2_5
quantile = 999e-3
minimum_gap = "0s"
minimum_hosts = 4
request_volume = 10
enforce_percent = 0

[health]
interval = "1h"
unhealthy_interval = "10ms"
timeout = "1ms"
rise = 1
fall = 100
jitter_percent = 0
concurrency = 1024
initial = "unhealthy"

[panic]
threshold_percent = 61
exit_percent = 61
when_none_healthy = "fail"

[slow_start]
window = "1h"
aggression = 0.01
min_weight_percent = 1
new_endpoints = true

[tiers]
overprovisioning_percent = 1000
zone = "eu-1a"
zone_callers_percent = 1

[hash]
bounded_load_percent = 1000
table_size = 101
min_ring_size = 1
max_ring_size = 8388608

[limits]
attempt_timeout = "24h"

[guard]
max_share_percent = 1

[alarms]
panic = "0s"
cap_reached = "24h"
floor_reached = "1ns"
ejection_suppressed = "90s"
update_refused = "1m 30s"
set_unchanged = "168h"
share_raised = "250ms"
skew = "2s"
source_failed = "1h"
clear_after = "0s"
page_timeout = "10m"
everybody_slow = { factor = 1.5, minimum_gap = "0s", request_volume = 1, baseline = "1m", after = "24h" }

[decisions]
every = 1
keep = 65536

[audit]
interval = "100ms"
window = "1h"
tolerance_percent = 5
windows_per_false_alarm = 1000
concentration_percent = 30

[[endpoints]]
id = "a"
address = "http://10.0.0.1:8080"
weight = 4294967295
tier = 1
zone = "eu-1a"
labels = { rack = "r7", "odd key" = "" }

[[endpoints]]
id = "b"
address = ""
weight = 0
"#;

pub(super) fn full() -> Config {
    let strategy = StrategyConfig::new(StrategyKind::Custom("leader".into()))
        .with_choices(Choices::ALL)
        .with_decay(Duration::from_millis(250))
        .and_then(|it| it.with_failure_penalty(Some(Duration::from_secs(90))))
        .unwrap();
    let update = UpdateConfig::default()
        .with_allow_empty(true)
        .with_max_shrink_percent(Percent::new(20).unwrap())
        .with_min_endpoints(16)
        .with_confirm_after(Duration::from_secs(86_400))
        .unwrap();
    let outlier = OutlierConfig::default()
        .with_interval(Duration::from_millis(100))
        .and_then(|it| it.with_ejection_times(Duration::from_secs(60), Duration::from_secs(3600)))
        .and_then(|it| it.with_probe_successes(100))
        .and_then(|it| it.with_remember_removed(Duration::from_secs(1)))
        .and_then(|it| it.with_abandoned_after(Some(Duration::from_millis(1))))
        .and_then(|it| it.with_retry_after_cap(Duration::new(1, 1)))
        .unwrap()
        .with_ejection_jitter_percent(percent(0))
        .with_max_ejected_percent(percent(100))
        .with_min_available(3)
        .with_dry_run(true);
    let health = HealthConfig::default()
        .with_interval(Duration::from_secs(3600))
        .and_then(|it| it.with_unhealthy_interval(Duration::from_millis(10)))
        .and_then(|it| it.with_timeout(Duration::from_millis(1)))
        .and_then(|it| it.with_rise(1))
        .and_then(|it| it.with_fall(100))
        .and_then(|it| it.with_concurrency(1024))
        .unwrap()
        .with_jitter_percent(percent(0))
        .with_initial(InitialHealth::Unhealthy);
    let panic = PanicConfig::default()
        .with_thresholds(percent(61), percent(61))
        .unwrap()
        .with_when_none_healthy(WhenNoneHealthy::Fail);
    let slow_start = SlowStartConfig::default()
        .with_window(Duration::from_secs(3600))
        .and_then(|it| it.with_aggression(0.01))
        .and_then(|it| it.with_min_weight_percent(percent(1)))
        .unwrap()
        .with_new_endpoints(true);
    let tiers = TiersConfig::default()
        .with_overprovisioning_percent(1000)
        .and_then(|it| it.with_zone(Some("eu-1a")))
        .and_then(|it| it.with_zone_callers_percent(Percent::new(1)))
        .unwrap();
    let limits =
        LimitsConfig::default().with_attempt_timeout(Some(Duration::from_secs(86_400))).unwrap();
    let hash = HashConfig::default()
        .with_bounded_load_percent(Some(1000))
        .and_then(|it| it.with_table_size(101))
        .and_then(|it| it.with_min_ring_size(1))
        .and_then(|it| it.with_max_ring_size(8_388_608))
        .unwrap();
    let guard = GuardConfig::default().with_max_share_percent(Percent::new(1)).unwrap();
    let decisions =
        DecisionsConfig::default().with_every(1).and_then(|it| it.with_keep(65_536)).unwrap();
    let audit = AuditConfig::default()
        .with_interval(Duration::from_millis(100))
        .and_then(|it| it.with_window(Duration::from_secs(3600)))
        .and_then(|it| it.with_tolerance_percent(5))
        .and_then(|it| it.with_windows_per_false_alarm(1000))
        .and_then(|it| it.with_concentration_percent(Percent::new(30)))
        .unwrap();
    let a = EndpointSpec::new("a", "http://10.0.0.1:8080")
        .weight(u32::MAX)
        .tier(1)
        .zone("eu-1a")
        .label("rack", "r7")
        .label("odd key", "");
    Config::default()
        .with_name("checkout")
        .with_strategy(strategy)
        .with_update(Some(update))
        .with_outlier(Some(with_detectors(outlier)))
        .with_health(Some(health))
        .with_panic(Some(panic))
        .with_slow_start(slow_start)
        .with_tiers(Some(tiers))
        .with_limits(limits)
        .with_hash(hash)
        .with_guard(guard)
        .with_alarms(Some(alarms()))
        .with_decisions(Some(decisions))
        .with_audit(Some(audit))
        .with_endpoints(Some(vec![a, EndpointSpec::new("b", "").weight(0)]))
        .unwrap()
}

fn alarms() -> AlarmsConfig {
    let slow = EverybodySlowConfig::default()
        .with_factor(1.5)
        .and_then(|it| it.with_minimum_gap(Duration::ZERO))
        .and_then(|it| it.with_request_volume(1))
        .and_then(|it| it.with_baseline(Duration::from_secs(60)))
        .and_then(|it| it.with_after(Duration::from_secs(86_400)));
    AlarmsConfig::default()
        .with_panic(Some(Duration::ZERO))
        .and_then(|it| it.with_cap_reached(Some(Duration::from_secs(86_400))))
        .and_then(|it| it.with_floor_reached(Some(Duration::from_nanos(1))))
        .and_then(|it| it.with_ejection_suppressed(Some(Duration::from_secs(90))))
        .and_then(|it| it.with_update_refused(Some(Duration::from_secs(90))))
        .and_then(|it| it.with_set_unchanged(Some(Duration::from_secs(604_800))))
        .and_then(|it| it.with_share_raised(Some(Duration::from_millis(250))))
        .and_then(|it| it.with_skew(Some(Duration::from_secs(2))))
        .and_then(|it| it.with_source_failed(Some(Duration::from_secs(3600))))
        .and_then(|it| it.with_clear_after(Duration::ZERO))
        .and_then(|it| it.with_page_timeout(Duration::from_secs(600)))
        .unwrap()
        .with_everybody_slow(Some(slow.unwrap()))
}

fn with_detectors(outlier: OutlierConfig) -> OutlierConfig {
    let row = |threshold, enforced| {
        let threshold = NonZeroU16::new(threshold).unwrap();
        let row = ConsecutiveFailuresConfig::default().with_threshold(threshold);
        Some(row.with_enforce_percent(percent(enforced)))
    };
    let rate = SuccessRateConfig::default()
        .with_method(SuccessRateMethod::A50)
        .with_minimum_gap_percent(percent(6))
        .with_enforce_percent(percent(96))
        .with_stdev_factor(0.0)
        .and_then(|it| it.with_minimum_hosts(2))
        .and_then(|it| it.with_minimum_failures(7))
        .and_then(|it| it.with_request_volume(8));
    let share = FailurePercentageConfig::default()
        .with_enforce_percent(percent(95))
        .with_threshold(percent(1))
        .and_then(|it| it.with_minimum_hosts(1))
        .and_then(|it| it.with_request_volume(9));
    let latency = LatencyConfig::default()
        .with_enforce_percent(percent(0))
        .with_factor(10.25)
        .and_then(|it| it.with_quantile(0.999))
        .and_then(|it| it.with_minimum_gap(Duration::ZERO))
        .and_then(|it| it.with_minimum_hosts(4))
        .and_then(|it| it.with_request_volume(10));
    outlier
        .with_consecutive_failures(row(1, 99))
        .with_consecutive_gateway_failures(row(2, 98))
        .with_consecutive_local_failures(row(u16::MAX, 97))
        .with_success_rate(Some(rate.unwrap()))
        .with_failure_percentage(Some(share.unwrap()))
        .with_latency(Some(latency.unwrap()))
}

fn percent(percent: u8) -> Percent {
    Percent::new(percent).unwrap()
}

#[test]
fn an_empty_text_is_the_default() {
    let sections = "[strategy]\n[update]\n[outlier]\n[outlier.consecutive_failures]\n[panic]\n\
                    [slow_start]\n[tiers]\n[limits]\n[guard]\n[alarms]\n[decisions]\n[audit]\n";
    for text in ["", "\n", "# nothing\n", "\u{feff}", sections] {
        assert_eq!(Config::from_toml(text).unwrap(), Config::default(), "{text:?}");
    }
}

#[test]
fn the_values_of_the_design_are_the_defaults() {
    let text = r#"
        strategy = { kind = "least_request", choices = 2, decay = "10s", failure_penalty = "5s" }
        [outlier]
        interval = "10s"
        base_ejection_time = "30s"
        max_ejection_time = "5m"
        ejection_jitter_percent = 10
        max_ejected_percent = 50
        min_available = 1
        probe_successes = 1
        retry_after_cap = "5m"
        remember_removed = "5m"
        dry_run = false
        consecutive_failures.threshold = 5
        [panic]
        threshold_percent = 50
        exit_percent = 60
        when_none_healthy = "serve_all"
        [slow_start]
        window = "30s"
        aggression = 1.0
        min_weight_percent = 10
        new_endpoints = false
        [tiers]
        overprovisioning_percent = 140
        [update]
        allow_empty = false
        max_shrink_percent = 50
        min_endpoints = 4
        confirm_after = "1m"
    "#;
    assert_eq!(Config::from_toml(text).unwrap(), Config::default());
}

#[test]
fn the_examples_of_the_design_are_the_defaults_of_what_is_asked_for() {
    let text = r#"
        [outlier.success_rate]
        method = "robust"
        stdev_factor = 1.9
        minimum_hosts = 5
        minimum_gap_percent = 5
        minimum_failures = 5
        request_volume = 100
        enforce_percent = 100
        [outlier.failure_percentage]
        threshold = 85
        minimum_hosts = 5
        request_volume = 50
        enforce_percent = 100
        [outlier.latency]
        factor = 3.0
        quantile = 0.9
        minimum_hosts = 3
        request_volume = 100
        [outlier.consecutive_gateway_failures]
        threshold = 5
        enforce_percent = 100
        [outlier.consecutive_local_failures]
        threshold = 5
        enforce_percent = 100
        [health]
        interval = "5s"
        unhealthy_interval = "1s"
        timeout = "1s"
        rise = 2
        fall = 3
        jitter_percent = 20
        concurrency = 32
        initial = "healthy"
    "#;
    let outlier = OutlierConfig::default()
        .with_success_rate(Some(SuccessRateConfig::default()))
        .with_failure_percentage(Some(FailurePercentageConfig::default()))
        .with_latency(Some(LatencyConfig::default()))
        .with_consecutive_gateway_failures(Some(ConsecutiveFailuresConfig::default()))
        .with_consecutive_local_failures(Some(ConsecutiveFailuresConfig::default()));
    let config = Config::default().with_outlier(Some(outlier));
    let config = config.with_health(Some(HealthConfig::default()));
    assert_eq!(Config::from_toml(text).unwrap(), config);
}

#[test]
fn every_key_is_read() {
    assert_eq!(Config::from_toml(FULL).unwrap(), full());
    let text: toml::Value = toml::from_str(FULL).unwrap();
    let value_at = |path: &str| {
        path.split('.').try_fold(&text, |table, key| match table.get(key)? {
            toml::Value::Array(tables) => tables.first(),
            value => Some(value),
        })
    };
    for row in settings() {
        assert!(value_at(&row.path).is_some(), "{} is not in the text", row.path);
    }
}

#[test]
fn false_switches_off_what_is_on_by_default() {
    let off = Config::from_toml(
        "update = false\noutlier = false\nhealth = false\npanic = false\ntiers = false\n\
         strategy.failure_penalty = false",
    )
    .unwrap();
    assert_eq!(off.update(), None);
    assert_eq!(off.outlier(), None);
    assert_eq!((off.health(), off.panic(), off.tiers()), (None, None, None));
    assert_eq!(off.strategy().failure_penalty(), None);
    let off = Config::from_toml("outlier.consecutive_failures = false").unwrap();
    assert_eq!(off.outlier().unwrap().consecutive_failures(), None);
}

#[test]
fn every_kind_is_spelt_as_it_is_displayed() {
    for kind in [
        StrategyKind::RoundRobin,
        StrategyKind::Random,
        StrategyKind::LeastRequest,
        StrategyKind::PeakEwma,
    ] {
        let config = Config::from_toml(&format!("strategy.kind = \"{kind}\"")).unwrap();
        assert_eq!(config.strategy().kind(), &kind);
    }
    let config = Config::from_toml("[strategy]\nkind = \"custom\"\ncustom = \"leader\"").unwrap();
    assert_eq!(config.strategy().kind(), &StrategyKind::Custom("leader".into()));
    assert_eq!(config.strategy().kind().to_string(), "custom");
}

#[test]
fn an_empty_list_of_endpoints_is_not_an_absent_one() {
    let config = Config::from_toml("endpoints = []").unwrap();
    assert_eq!(config.endpoints(), Some(&[][..]));
}
