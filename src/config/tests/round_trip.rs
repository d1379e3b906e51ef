//! Settings that are written down and read again are the same settings.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::generated::config;
use super::text::full;
use crate::config::{Config, ConfigFile, Range, settings};

/// What an empty text means, written out.
const DEFAULT: &str = r#"health = false

[strategy]
kind = "least_request"
choices = 2
decay = "10s"
failure_penalty = "5s"

[update]
allow_empty = false
max_shrink_percent = 50
min_endpoints = 4
confirm_after = "1m"

[outlier]
interval = "10s"
base_ejection_time = "30s"
max_ejection_time = "5m"
ejection_jitter_percent = 10
max_ejected_percent = 50
min_available = 1
probe_successes = 1
dry_run = false
remember_removed = "5m"
retry_after_cap = "5m"
consecutive_gateway_failures = false
consecutive_local_failures = false
success_rate = false
failure_percentage = false
latency = false

[outlier.consecutive_failures]
threshold = 5
enforce_percent = 100

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

[hash]
table_size = 65537
min_ring_size = 1024
max_ring_size = 65536

[limits]

[guard]

[alarms]
panic = "5s"
cap_reached = "1m"
floor_reached = "1m"
ejection_suppressed = "30s"
update_refused = "2m"
share_raised = "10s"
skew = "0s"
source_failed = "1m"
clear_after = "1m"
page_timeout = "10s"

[alarms.everybody_slow]
factor = 3.0
minimum_gap = "5ms"
request_volume = 100
baseline = "1h"
after = "20s"

[decisions]
every = 1024
keep = 64

[audit]
interval = "1s"
window = "10s"
tolerance_percent = 20
windows_per_false_alarm = 1000000
concentration_percent = 70
"#;

#[test]
fn the_default_is_written_out() {
    assert_eq!(Config::default().to_toml(), DEFAULT);
    assert_eq!(ConfigFile::default().to_toml(), DEFAULT);
}

#[test]
fn off_is_false_and_absent_is_left_out() {
    let off = "update = false\noutlier = false\nendpoints = []\nstrategy.failure_penalty = false";
    let text = Config::from_toml(off).unwrap().to_toml();
    let mut lines = text.lines();
    let first = ["update = false", "outlier = false", "health = false", "endpoints = []"];
    assert!(lines.by_ref().take(4).eq(first), "{text}");
    assert!(lines.any(|line| line == "failure_penalty = false"), "{text}");
    assert!(!text.contains("attempt_timeout"), "{text}");
}

#[test]
fn every_value_survives() {
    let text = full().to_toml();
    assert_eq!(Config::from_toml(&text).unwrap(), full(), "{text}");
    assert_eq!(Config::from_toml(&text).unwrap().to_toml(), text);
}

/// The table of settings says the default in the words of the text in which all is on.
#[test]
fn the_table_and_the_written_default_agree() {
    let off = settings().iter().filter(|it| it.default == "off");
    let on: String = off.map(|row| format!("[{}]\n", row.path)).collect();
    let written = Config::from_toml(&on).unwrap().to_toml();
    let written: toml::Value = toml::from_str(&format!(
        "{written}\n[[endpoints]]\nid = 'a'\naddress = 'x'\nweight = 1\ntier = 0"
    ))
    .unwrap();
    for row in settings().iter().filter(|it| !matches!(it.range, Range::Table | Range::Tables)) {
        let found = match row.path.strip_prefix("endpoints.") {
            Some(key) => written["endpoints"][0].get(key),
            None => row.path.split('.').try_fold(&written, |table, key| table.get(key)),
        };
        match (row.default.as_str(), found) {
            ("none", None) | ("required", Some(_)) => {}
            (default, found) => {
                assert_eq!(
                    found.map(ToString::to_string).as_deref(),
                    Some(default),
                    "{}",
                    row.path
                );
            }
        }
    }
}

proptest! {
    #[test]
    fn through_toml(config in config()) {
        let text = config.to_toml();
        prop_assert_eq!(Config::from_toml(&text), Ok(config), "{}", text);
    }

    #[test]
    fn of_several(configs in prop::collection::btree_map("\\PC{1,8}", config(), 1..4)) {
        let named = |(name, config): (String, Config)| (name.clone(), config.with_name(name));
        let configs: BTreeMap<_, _> = configs.into_iter().map(named).collect();
        let text = toml::to_string(&BTreeMap::from([("balancer", &configs)])).unwrap();
        let file = ConfigFile::from_toml(&text).unwrap();
        prop_assert!(file.iter().eq(configs.iter().map(|(name, it)| (Some(name.as_str()), it))));
        prop_assert_eq!(ConfigFile::from_toml(&file.to_toml()), Ok(file.clone()), "{}", text);
        let text = serde_json::to_string(&file).unwrap();
        prop_assert_eq!(serde_json::from_str::<ConfigFile>(&text).unwrap(), file, "{}", text);
    }

    #[test]
    fn differences_are_told_where_there_are_any(one in config().boxed(), other in config().boxed()) {
        prop_assert!(one.differences(&one).is_empty());
        prop_assert_eq!(one.differences(&other).is_empty(), one == other);
    }

    #[test]
    fn through_another_format(config in config()) {
        let text = serde_json::to_string(&config).unwrap();
        let read = serde_json::from_str::<Config>(&text).map_err(|it| it.to_string());
        prop_assert_eq!(read, Ok(config), "{}", text);
    }
}
