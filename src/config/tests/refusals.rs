//! Bad documents, and what is said of each: where, and in which words.

use super::wrong::{EJECTIONS, ENDPOINTS, HEALTH_AND_TIERS, WRONG};
use crate::config::Config;
use crate::error::{Problem, Severity};

fn problems(text: &str) -> Vec<Problem> {
    Config::from_toml(text).unwrap_err().problems().to_vec()
}

/// Text, path, line and column, phrases of the message. One problem each.
pub(super) type Case = (&'static str, &'static str, (usize, usize), &'static [&'static str]);

const UNKNOWN: &[Case] = &[
    ("nmae = 'a'", "nmae", (1, 1), &["unknown key", "did you mean `name`?"]),
    ("[strategy]\nchoises = 3", "strategy.choises", (2, 1), &["did you mean `choices`?"]),
    ("Name = 'a'", "Name", (1, 1), &["did you mean `name`?"]),
    ("update.allow-empty = true", "update.allow-empty", (1, 8), &["did you mean `allow_empty`?"]),
    (
        "[update]\nzzz = 1",
        "update.zzz",
        (2, 1),
        &["known here are `allow_empty`, `max_shrink_percent`, `min_endpoints`, `confirm_after`"],
    ),
    (
        "[outlier.sucess_rate]",
        "outlier.sucess_rate",
        (1, 10),
        &["unknown key; did you mean `success_rate`?"],
    ),
    (
        "outlier.success_rate.method = 'A 50'",
        "outlier.success_rate.method",
        (1, 31),
        &["unknown word \"A 50\"", "did you mean `a50`?"],
    ),
    (
        "panic.when_none_healthy = 'serve-all'",
        "panic.when_none_healthy",
        (1, 27),
        &["did you mean `serve_all`?"],
    ),
    ("helth = {}", "helth", (1, 1), &["unknown key; did you mean `health`?"]),
    ("hsh = {}", "hsh", (1, 1), &["unknown key; did you mean `hash`?"]),
    ("[teirs]", "teirs", (1, 2), &["unknown key; did you mean `tiers`?"]),
    (
        "health.initial = 'helthy'",
        "health.initial",
        (1, 18),
        &["unknown word \"helthy\"", "did you mean `healthy`?"],
    ),
    ("\"a b\\u0007\" = 1", "\"a b\\u{7}\"", (1, 1), &["unknown key; known here are `name`"]),
    (
        "[[endpoints]]\nid = 'a'\naddress = 'x'\nwieght = 2",
        "endpoints[0].wieght",
        (4, 1),
        &["did you mean `weight`?"],
    ),
    (
        "strategy.kind = 'least_reqests'",
        "strategy.kind",
        (1, 17),
        &["unknown word \"least_reqests\"", "did you mean `least_request`?", "`peak_ewma`"],
    ),
    (
        "strategy.kind = 'LeastRequest'",
        "strategy.kind",
        (1, 17),
        &["did you mean `least_request`?"],
    ),
    ("strategy.kind = 'magic'", "strategy.kind", (1, 17), &["known are `round_robin`, `random`"]),
];

const NOT_YET: &[Case] = &[
    ("limits.max_in_flight = 3", "limits.max_in_flight", (1, 8), &["not available yet"]),
    ("[hash]\ntable_size = 2", "hash.table_size", (2, 14), &["101 to 5000011"]),
    ("[hash]\ntable_size = 65536", "hash.table_size", (2, 14), &["the next one is 65537"]),
    (
        "[hash]\nmin_ring_size = 2048\nmax_ring_size = 1024",
        "hash.min_ring_size",
        (2, 17),
        &["2048 is more than hash.max_ring_size, 1024"],
    ),
    ("[alarms]\npanic = true", "alarms.panic", (2, 9), &["on by default", "`false`"]),
    ("[alarms]\npanic = '25h'", "alarms.panic", (2, 9), &["0s to 24h"]),
    ("[alarms]\nset_unchanged = false", "alarms.set_unchanged", (2, 17), &["a duration as text"]),
    ("[alarms]\ncap = '1s'", "alarms.cap", (2, 1), &["unknown key"]),
    (
        "[alarms.everybody_slow]\nfactor = 0.5",
        "alarms.everybody_slow.factor",
        (2, 10),
        &["1 to 100"],
    ),
    ("[guard]\nmax_share_percent = 0", "guard.max_share_percent", (2, 21), &["1 to 100"]),
    ("[decisions]\nevery = 0", "decisions.every", (2, 9), &["1 to 1000000"]),
    ("decisions.keep = 65537", "decisions.keep", (1, 18), &["1 to 65536"]),
    ("decisions = true", "decisions", (1, 13), &["on by default"]),
    ("[audit]\ninterval = '0s'", "audit.interval", (2, 12), &["100ms to 1m"]),
    ("[audit]\ntolerance_percent = 0", "audit.tolerance_percent", (2, 21), &["5 to 200"]),
    ("[audit]\nconcentration_percent = 100", "audit.concentration_percent", (2, 25), &["30 to 99"]),
    ("strategy.kind = 'maglv'", "strategy.kind", (1, 17), &["did you mean `maglev`?"]),
];

const SYNTAX: &[Case] = &[
    ("a = ", "", (1, 5), &["is not valid TOML"]),
    ("name = 'a'\nname = 'b'", "", (2, 1), &["duplicate key"]),
    ("[strategy]\n[strategy]", "", (2, 2), &["duplicate key"]),
    ("a = [[[[[[[[[", "", (1, 13), &["nested more than 8 deep"]),
];

#[test]
fn each_fault_is_told_where_it_is_and_what_would_be_right() {
    for (text, path, position, phrases) in
        [UNKNOWN, NOT_YET, WRONG, EJECTIONS, HEALTH_AND_TIERS, ENDPOINTS, SYNTAX].concat()
    {
        let problems = problems(text);
        let [problem] = problems.as_slice() else {
            panic!("{text:?} is one problem, not {problems:#?}");
        };
        assert_eq!(problem.severity, Severity::Error);
        assert_eq!(problem.path, path, "{text:?}");
        assert_eq!(problem.position, Some(position), "{text:?}");
        for phrase in phrases {
            assert!(problem.message.contains(phrase), "{text:?}: {}", problem.message);
        }
    }
}

#[test]
fn all_faults_are_told_at_once_in_the_order_of_the_text() {
    let text = "
[[endpoints]]
weight = -1

[update]
confirm_after = '0s'
allow_empti = true

[strategy]
kind = 'x'
custom = 'not complained of: the kind is unknown'
choices = 1

[hash]
table_size = 4
";
    let found = problems(text);
    let found: Vec<_> = found.iter().map(|it| (it.position.unwrap(), it.path.as_str())).collect();
    assert_eq!(
        found,
        [
            ((2, 1), "endpoints[0].id"),
            ((2, 1), "endpoints[0].address"),
            ((3, 10), "endpoints[0].weight"),
            ((6, 17), "update.confirm_after"),
            ((7, 1), "update.allow_empti"),
            ((10, 8), "strategy.kind"),
            ((12, 11), "strategy.choices"),
            ((15, 14), "hash.table_size"),
        ]
    );
}
