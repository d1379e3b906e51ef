//! Differences in words, a line for each key.

use crate::config::{
    Config, HealthConfig, StrategyConfig, StrategyKind, TiersConfig, UpdateConfig,
};
use crate::endpoint::EndpointSpec;

fn between(older: &Config, newer: &Config) -> Vec<String> {
    older.differences(newer)
}

#[test]
fn each_key_that_changes_is_a_line() {
    let strategy = StrategyConfig::new(StrategyKind::Custom("leader".into()));
    let strategy = strategy.with_failure_penalty(None).unwrap();
    let update = UpdateConfig::default().with_min_endpoints(9).with_allow_empty(true);
    let newer =
        Config::default().with_name("checkout").with_strategy(strategy).with_update(Some(update));
    assert_eq!(
        between(&Config::default(), &newer),
        [
            "name: none → checkout",
            "strategy.kind: least_request → custom",
            "strategy.custom: none → leader",
            "strategy.failure_penalty: 5s → off",
            "update.allow_empty: false → true",
            "update.min_endpoints: 4 → 9",
        ]
    );
    assert_eq!(between(&newer, &newer), [""; 0]);
}

#[test]
fn a_mechanism_goes_off_in_one_line_and_comes_with_its_keys() {
    let off = Config::default().with_update(None);
    assert_eq!(between(&Config::default(), &off), ["update: on → off"]);
    assert_eq!(
        between(&off, &Config::default()),
        [
            "update: off → on",
            "update.allow_empty: off → false",
            "update.max_shrink_percent: off → 50",
            "update.min_endpoints: off → 4",
            "update.confirm_after: off → 1m",
        ]
    );
}

#[test]
fn checks_come_with_their_keys_and_a_zone_is_a_line() {
    let checked = Config::default().with_health(Some(HealthConfig::default()));
    assert_eq!(
        between(&Config::default(), &checked),
        [
            "health: off → on",
            "health.interval: off → 5s",
            "health.unhealthy_interval: off → 1s",
            "health.timeout: off → 1s",
            "health.rise: off → 2",
            "health.fall: off → 3",
            "health.jitter_percent: off → 20",
            "health.concurrency: off → 32",
            "health.initial: off → healthy",
        ]
    );
    let tiers = TiersConfig::default().with_zone(Some("eu-1a")).unwrap();
    let zoned = Config::default().with_tiers(Some(tiers));
    assert_eq!(between(&Config::default(), &zoned), ["tiers.zone: none → eu-1a"]);
    assert_eq!(between(&zoned, &zoned.clone().with_tiers(None)), ["tiers: on → off"]);
}

#[test]
fn endpoints_are_counted() {
    let with = |ids: &[&str]| {
        let spec = |id: &&str| EndpointSpec::new(*id, "x");
        Config::default().with_endpoints(Some(ids.iter().map(spec).collect())).unwrap()
    };
    let none = Config::default();
    assert_eq!(between(&none, &with(&["a"])), ["endpoints: none → 1 described"]);
    assert_eq!(between(&with(&["a", "b"]), &with(&[])), ["endpoints: 2 described → 0 described"]);
    assert_eq!(between(&with(&["a", "b"]), &with(&["a", "c"])), ["endpoints: 1 of 2 changed"]);
    assert_eq!(between(&with(&["a"]), &none), ["endpoints: 1 described → none"]);
}
