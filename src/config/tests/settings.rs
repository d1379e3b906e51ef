//! The table of settings says what the reader does.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::config::range::Spelt;
use crate::config::{Config, Range, Setting, nearest_setting, setting, settings};

/// A text in which `setting` has `value`, with whatever it needs beside it.
fn text(setting: &Setting, value: &str) -> String {
    let path = &setting.path;
    if let Some(key) = path.strip_prefix("endpoints.") {
        let mut keys = BTreeMap::from([("id", "'a'"), ("address", "'x'")]);
        keys.insert(key, value);
        let keys: Vec<_> = keys.iter().map(|(key, value)| format!("{key} = {value}")).collect();
        return format!("endpoints = [{{ {} }}]", keys.join(", "));
    }
    let beside = match (path.as_str(), value) {
        ("strategy.custom", _) => "strategy.kind = 'custom'",
        ("strategy.kind", "'custom'") => "strategy.custom = 'x'",
        // Each is right or wrong by another.
        _ if value == setting.default => "",
        ("outlier.base_ejection_time", _) => "outlier.max_ejection_time = '24h'",
        ("outlier.max_ejection_time", _) => "outlier.base_ejection_time = '10ms'",
        ("panic.threshold_percent", _) => "panic.exit_percent = 100",
        ("hash.min_ring_size", _) => "hash.max_ring_size = 8388608",
        ("hash.max_ring_size", _) => "hash.min_ring_size = 1",
        ("panic.exit_percent", _) => "panic.threshold_percent = 1",
        _ => "",
    };
    format!("{beside}\n{path} = {value}")
}

/// Values that are just allowed, and values that just are not.
fn ends(range: &Range) -> (Vec<String>, Vec<String>) {
    let whole = |least: u128, most: u128| {
        let below = i128::try_from(least).unwrap() - 1;
        (
            [least, most].map(|it| it.to_string()).to_vec(),
            vec![below.to_string(), (most + 1).to_string()],
        )
    };
    let texts = |texts: &[&str]| texts.iter().map(|it| String::from(*it)).collect::<Vec<_>>();
    match range {
        Range::Flag => (texts(&["true", "false"]), texts(&["0", "'true'"])),
        Range::Duration(range) => {
            let quoted = |time: Duration| format!("'{}'", Spelt(time));
            let nano = Duration::from_nanos(1);
            let (least, most) = (*range.start(), *range.end());
            let below = least.checked_sub(nano).map_or_else(|| "'-1s'".into(), quoted);
            let outside = [below, quoted(most + nano), "7".into(), "true".into()];
            (vec![quoted(least), quoted(most)], outside.into())
        }
        Range::Whole(range) => whole((*range.start()).into(), (*range.end()).into()),
        Range::Count => whole(0, usize::MAX as u128),
        Range::Number(range) => {
            let (least, most) = (*range.start(), *range.end());
            let between = f64::midpoint(least, most);
            let inside = [least, most, between].map(|it| format!("{it:?}")).to_vec();
            let outside = [least.next_down(), most.next_up(), f64::NAN, f64::INFINITY];
            let outside = outside.map(|it| format!("{it:?}").to_lowercase());
            let outside = outside.into_iter().chain(texts(&["true", "'1.5'"])).collect();
            (inside, outside)
        }
        Range::Prime(range) => {
            let (inside, mut outside) = whole((*range.start()).into(), (*range.end()).into());
            outside.push((*range.start() * *range.start()).to_string());
            (inside, outside)
        }
        Range::Percent(range) => whole((*range.start()).into(), (*range.end()).into()),
        Range::Choices(range) => {
            let (mut inside, outside) = whole((*range.start()).into(), (*range.end()).into());
            inside.push("'all'".into());
            (inside, outside)
        }
        Range::OneOf(words) => {
            (words.iter().map(|it| format!("'{it}'")).collect(), texts(&["'nonsense'", "7"]))
        }
        Range::Text => (texts(&["''", "'x'"]), texts(&["7"])),
        Range::NonEmptyText => (texts(&["'x'"]), texts(&["''", "7"])),
        Range::Texts => (texts(&["{}", "{ a = '' }"]), texts(&["7", "{ a = 7 }"])),
        Range::Table => (texts(&["{}"]), texts(&["7", "true", "[]"])),
        Range::Tables => (texts(&["[]"]), texts(&["7", "{}", "[7]"])),
    }
}

#[test]
fn every_key_has_one_row_that_explains_it() {
    let paths: BTreeSet<_> = settings().iter().map(|it| it.path.as_str()).collect();
    assert_eq!(paths.len(), settings().len());
    for setting in settings() {
        assert!(setting.meaning.ends_with('.'), "{}", setting.path);
        assert!(!setting.meaning.contains('\n') && !setting.meaning.contains("  "));
    }
}

#[test]
fn both_ends_of_each_range_are_taken_and_one_step_beyond_is_refused() {
    for row in settings() {
        let (inside, outside) = ends(&row.range);
        for value in inside {
            let text = text(row, &value);
            assert!(Config::from_toml(&text).is_ok(), "{text}: {:?}", Config::from_toml(&text));
        }
        for value in outside {
            let text = text(row, &value);
            let error = Config::from_toml(&text).expect_err(&text);
            let [problem] = error.problems() else {
                panic!("{text}: {error}");
            };
            let path = row.path.replace("endpoints.", "endpoints[0].");
            let below = problem.path.strip_prefix(&path).expect(&problem.path);
            assert!(below.is_empty() || below == "[0]" || below == ".a", "{problem}");
            assert!(problem.position.is_some());
        }
    }
}

#[test]
fn saying_the_default_changes_nothing() {
    for setting in settings() {
        let value = match (setting.default.as_str(), &setting.range) {
            ("none" | "off" | "required", _) => continue,
            ("on" | "{}", Range::Table) => "{}",
            (value, _) => value,
        };
        let said = Config::from_toml(&text(setting, value)).unwrap();
        let unsaid = match setting.path.rsplit_once('.') {
            Some(("endpoints", _)) => "endpoints = [{ id = 'a', address = 'x' }]".into(),
            Some((section, _)) => format!("[{section}]"),
            None => String::new(),
        };
        assert_eq!(said, Config::from_toml(&unsaid).unwrap(), "{}", setting.path);
    }
}

#[test]
fn what_is_none_or_required_is_so() {
    let with = |default: &str| -> Vec<_> {
        settings().iter().filter(|it| it.default == default).map(|it| it.path.as_str()).collect()
    };
    let config = Config::default();
    assert_eq!(config.name(), None);
    assert_eq!(config.hash().bounded_load_percent(), None);
    assert_eq!(config.limits().attempt_timeout(), None);
    assert_eq!(config.guard().max_share_percent(), None);
    assert_eq!(config.alarms().unwrap().set_unchanged(), None);
    assert_eq!(config.endpoints(), None);
    let tiers = config.tiers().unwrap();
    assert_eq!((tiers.zone(), tiers.zone_callers_percent()), (None, None));
    assert_eq!(config.outlier().unwrap().abandoned_after(), None);
    assert_eq!(
        with("none"),
        [
            "name",
            "strategy.custom",
            "outlier.abandoned_after",
            "tiers.zone",
            "tiers.zone_callers_percent",
            "hash.bounded_load_percent",
            "limits.attempt_timeout",
            "guard.max_share_percent",
            "alarms.set_unchanged",
            "endpoints",
            "endpoints.zone",
            "endpoints.labels",
        ]
    );
    assert_eq!(with("required"), ["endpoints.id", "endpoints.address"]);
}

#[test]
fn false_switches_off_what_the_table_says() {
    for setting in settings().iter().filter(|it| it.range != Range::Flag) {
        let text = text(setting, "false");
        assert_eq!(Config::from_toml(&text).is_ok(), setting.can_be_off, "{text}");
        if setting.can_be_off {
            let is_off = Config::from_toml(&text).unwrap() != Config::default();
            assert_eq!(is_off, setting.default != "off", "{text}");
        }
    }
}

#[test]
fn what_is_off_is_switched_on_by_its_table_even_an_empty_one() {
    let off: Vec<_> = settings().iter().filter(|it| it.default == "off").collect();
    for setting in &off {
        assert!(setting.range == Range::Table && setting.can_be_off);
        let on = Config::from_toml(&format!("[{}]", setting.path)).unwrap();
        let changes = Config::default().differences(&on);
        assert_eq!(changes[0], format!("{}: off → on", setting.path));
    }
    let off: Vec<_> = off.iter().map(|it| it.path.as_str()).collect();
    assert_eq!(
        off,
        [
            "outlier.consecutive_gateway_failures",
            "outlier.consecutive_local_failures",
            "outlier.success_rate",
            "outlier.failure_percentage",
            "outlier.latency",
            "health",
        ]
    );
}

/// The reader lists the keys it knows where one is unlike all of them.
#[test]
fn the_reader_knows_no_key_that_the_table_lacks() {
    let tables = settings().iter().filter(|it| matches!(it.range, Range::Table | Range::Tables));
    let tables = tables.map(|it| it.path.as_str()).chain([""]);
    for table in tables {
        let text = match table {
            "" => "zzz = 1".into(),
            "endpoints" => "endpoints = [{ id = 'a', address = 'x', zzz = 1 }]".into(),
            table => format!("{table}.zzz = 1"),
        };
        let error = Config::from_toml(&text).unwrap_err();
        let (_, known) = error.problems()[0].message.split_once("known here are ").unwrap();
        let known: BTreeSet<_> = known.split(", ").map(|it| it.trim_matches('`')).collect();
        let below = |it: &'static Setting| match it.path.rsplit_once('.') {
            Some((parent, key)) => (parent == table).then_some(key),
            None => table.is_empty().then_some(it.path.as_str()),
        };
        let listed: BTreeSet<_> = settings().iter().filter_map(below).collect();
        assert_eq!(known, listed, "{table:?}");
    }
}

#[test]
fn a_setting_is_found_by_the_path_of_a_problem() {
    for path in [
        "endpoints.weight",
        "endpoints[17].weight",
        "balancer.checkout.endpoints[2].weight",
        "balancer.\"a.b c\".endpoints[2].weight",
    ] {
        assert_eq!(setting(path).unwrap().path, "endpoints.weight", "{path}");
    }
    for path in ["", "weight", "balancer", "balancer.a", "balancer.weight", "a.name"] {
        assert_eq!(setting(path), None, "{path}");
    }
}

#[test]
fn the_nearest_setting_is_the_one_that_was_meant() {
    for (written, meant) in [
        ("strategy.choices", "strategy.choices"),
        ("choices", "strategy.choices"),
        ("choises", "strategy.choices"),
        ("outlier.choices", "strategy.choices"),
        ("strategy.decai", "strategy.decay"),
        ("Update.Confirm-After", "update.confirm_after"),
        ("endpoints[3].wieght", "endpoints.weight"),
        ("max_share", "guard.max_share_percent"),
        ("helth", "health"),
        ("overprovisioning", "tiers.overprovisioning_percent"),
    ] {
        let nearest = nearest_setting(written).map(|it| it.path.as_str());
        assert_eq!(nearest, Some(meant), "{written}");
    }
    for written in ["", "weather", "x.y.z", &"[".repeat(100_000), &"a".repeat(100_000)] {
        assert_eq!(nearest_setting(written), None);
    }
}
