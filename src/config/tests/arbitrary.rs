//! No text ends in a panic.

use proptest::prelude::*;
use proptest::sample::Index;

use super::text::FULL;
use crate::config::{Config, ConfigFile, locate, nearest_setting, setting};
use crate::error::Problem;

/// Pieces that mean something to TOML, to the settings, or to nobody.
const PIECES: &[&str] = &[
    "[",
    "]",
    "{",
    "}",
    "[[",
    "]]",
    "=",
    ".",
    ",",
    "\n",
    "\r\n",
    "\"",
    "'",
    "\"\"\"",
    "'''",
    "\\",
    "#",
    "\\u0000",
    "\u{0}",
    "\u{7f}",
    "é",
    "\u{10ffff}",
    "\u{feff}",
    "false",
    "true",
    "inf",
    "nan",
    "0",
    "-1",
    "1e9",
    "0x",
    "9223372036854775808",
    "1979-05-27",
    "'0s'",
    "'18446744073709551615s1000ms'",
    "'99999999999y'",
    "balancer",
    "name",
    "strategy",
    "kind",
    "custom",
    "choices",
    "decay",
    "failure_penalty",
    "update",
    "outlier",
    "endpoints",
    "id",
    "address",
    "labels",
    "limits",
    "interval",
    "base_ejection_time",
    "success_rate",
    "latency",
    "factor",
    "panic",
    "exit_percent",
    "slow_start",
    "health",
    "timeout",
    "initial",
    "tiers",
    "zone",
    "hash",
    "table_size",
    "alarms",
    "everybody_slow",
    "decisions",
    "every",
    "keep",
    " ",
];

/// Whatever the answer is, it has to be one that can be used.
fn read(text: &str) {
    let config = Config::from_toml(text);
    let file = ConfigFile::from_toml(text);
    match (&config, &file) {
        (Ok(config), Ok(file)) => {
            assert_eq!(file.single(), Some(config));
            assert_eq!(Config::from_toml(&config.to_toml()).as_ref(), Ok(config));
            let mut warnings = config.warnings(3);
            locate(text, &mut warnings);
            assert!(warnings.iter().all(|it| it.position.is_some()), "{text:?}: {warnings:#?}");
        }
        (Ok(_), Err(error)) => panic!("read alone, and not as a file: {error}"),
        (Err(_), _) => {}
    }
    for error in [config.err(), file.err()].into_iter().flatten() {
        let problems = error.problems();
        assert!(!problems.is_empty());
        assert!(problems.iter().all(|it| it.position.is_some() && !it.message.is_empty()));
        assert!(problems.is_sorted_by_key(|it| it.position));
        assert!(!error.to_string().contains(|it: char| it.is_control() && it != '\n'));
    }
}

proptest! {
    #[test]
    fn arbitrary_text(text in any::<String>()) {
        read(&text);
    }

    #[test]
    fn arbitrary_pieces(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..40)) {
        read(&pieces.concat());
    }

    #[test]
    fn arbitrary_paths(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..9), text in any::<String>()) {
        for path in [pieces.concat(), pieces.join("."), text] {
            locate(FULL, &mut [Problem::warning(path.as_str(), "")]);
            if let Some(setting) = setting(&path) {
                prop_assert!(path.ends_with(setting.path.rsplit('.').next().unwrap()) || path.contains('['));
            }
            prop_assert!(setting(&path).is_none() || nearest_setting(&path) == setting(&path));
        }
    }

    #[test]
    fn arbitrary_values(
        key in prop::sample::select(&["name", "strategy.kind", "strategy.choices", "strategy.decay",
            "update.min_endpoints", "update.confirm_after", "outlier", "endpoints", "panic",
            "outlier.base_ejection_time", "outlier.latency", "outlier.success_rate.method",
            "outlier.latency.factor", "outlier.consecutive_failures.threshold",
            "panic.exit_percent", "slow_start", "slow_start.aggression", "health",
            "health.timeout", "health.fall", "health.concurrency", "tiers", "tiers.zone",
            "tiers.overprovisioning_percent", "hash.table_size", "hash.min_ring_size",
            "hash.bounded_load_percent", "alarms", "alarms.panic", "alarms.set_unchanged",
            "alarms.everybody_slow.factor", "decisions", "decisions.every",
            "decisions.keep"][..]),
        value in prop_oneof![
            any::<i64>().prop_map(|it| it.to_string()),
            any::<f64>().prop_map(|it| format!("{it:?}")),
            "[0-9]{0,22}(\\.[0-9]{0,12})?(ns|us|ms|s|m|h|d|w|M|y)([0-9]{0,22}(\\.[0-9]{1,9})?(ms|s|y))?".prop_map(|it| format!("'{it}'")),
            "\\PC*".prop_map(|it| format!("{it:?}")),
        ],
    ) {
        read(&format!("{key} = {value}"));
    }

    #[test]
    fn mutations_of_a_valid_document(
        cuts in prop::collection::vec((any::<Index>(), any::<Index>(), prop::sample::select(PIECES)), 1..4),
    ) {
        let mut text = String::from(FULL);
        for (from, length, piece) in cuts {
            let bounds: Vec<_> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
            let start = from.index(bounds.len());
            let end = (start + length.index(12)).min(bounds.len() - 1);
            text.replace_range(bounds[start]..bounds[end], piece);
        }
        read(&text);
    }
}
