//! Documents that are right.

use std::time::Duration;

use crate::config::{
    Choices, Config, GuardConfig, LimitsConfig, OutlierConfig, StrategyConfig, StrategyKind,
    UpdateConfig, settings,
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
dry_run = true
remember_removed = "1s"
abandoned_after = "1ms"
retry_after_cap = "1s 1ns"

[limits]
attempt_timeout = "24h"

[guard]
max_share_percent = 1

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
        .with_dry_run(true)
        .with_remember_removed(Duration::from_secs(1))
        .and_then(|it| it.with_abandoned_after(Some(Duration::from_millis(1))))
        .and_then(|it| it.with_retry_after_cap(Duration::new(1, 1)))
        .unwrap();
    let limits =
        LimitsConfig::default().with_attempt_timeout(Some(Duration::from_secs(86_400))).unwrap();
    let guard = GuardConfig::default().with_max_share_percent(Percent::new(1)).unwrap();
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
        .with_outlier(Some(outlier))
        .with_limits(limits)
        .with_guard(guard)
        .with_endpoints(Some(vec![a, EndpointSpec::new("b", "").weight(0)]))
        .unwrap()
}

#[test]
fn an_empty_text_is_the_default() {
    for text in ["", "\n", "# nothing\n", "\u{feff}", "[strategy]\n[update]\n[outlier]\n"] {
        assert_eq!(Config::from_toml(text).unwrap(), Config::default(), "{text:?}");
    }
}

#[test]
fn the_values_of_the_design_are_the_defaults() {
    let text = r#"
        strategy = { kind = "least_request", choices = 2, decay = "10s", failure_penalty = "5s" }
        outlier.remember_removed = "5m"
        outlier.dry_run = false
        [update]
        allow_empty = false
        max_shrink_percent = 50
        min_endpoints = 4
        confirm_after = "1m"
    "#;
    assert_eq!(Config::from_toml(text).unwrap(), Config::default());
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
    let off =
        Config::from_toml("update = false\noutlier = false\nstrategy.failure_penalty = false")
            .unwrap();
    assert_eq!(off.update(), None);
    assert_eq!(off.outlier(), None);
    assert_eq!(off.strategy().failure_penalty(), None);
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
