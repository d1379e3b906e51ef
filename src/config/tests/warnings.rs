//! Warnings are told where they help, and never of defaults.

use std::time::Duration;

use crate::config::{Choices, Config, StrategyConfig, StrategyKind, UpdateConfig};
use crate::endpoint::EndpointSpec;
use crate::error::Severity;
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
