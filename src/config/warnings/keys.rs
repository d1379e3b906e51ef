//! What of `[hash]` is valid and still hardly meant.

use crate::config::hash::HashConfig;
use crate::config::kind::StrategyKind;
use crate::error::Problem;

/// Rows for each endpoint that keep parts within one percent.
const EVEN_ROWS: usize = 100;

/// Points for each endpoint below which the largest part is half as much again as a fair one.
const EVEN_POINTS: usize = 20;

pub(super) fn of_hash(
    hash: &HashConfig,
    kind: &StrategyKind,
    endpoints: usize,
    found: &mut Vec<Problem>,
) {
    let default = HashConfig::default();
    let unread = [
        ("bounded_load_percent", !kind.reads_bounds() && hash.bounded_load_percent().is_some()),
        ("table_size", !kind.reads_table() && hash.table_size() != default.table_size()),
        ("min_ring_size", !kind.reads_ring() && hash.min_ring_size() != default.min_ring_size()),
        ("max_ring_size", !kind.reads_ring() && hash.max_ring_size() != default.max_ring_size()),
    ];
    for (key, _) in unread.into_iter().filter(|(_, unread)| *unread) {
        let message = format!("kind = \"{kind}\" does not read it, so it has no effect");
        found.push(Problem::warning(format!("hash.{key}"), message));
    }
    if kind.reads_bounds() && hash.bounded_load_percent() == Some(100) {
        found.push(Problem::warning(
            "hash.bounded_load_percent",
            "at 100 nobody may have more than an even part, so hardly any key stays where it \
             belongs; 125 to 200 are usual",
        ));
    }
    let rows = hash.table_size() as usize;
    if *kind == StrategyKind::Maglev && rows / EVEN_ROWS < endpoints {
        let message = format!(
            "{rows} rows for {endpoints} endpoints are less than {EVEN_ROWS} each, so their parts \
             are uneven"
        );
        found.push(Problem::warning("hash.table_size", message));
    }
    let points = hash.min_ring_size() as usize;
    if *kind == StrategyKind::RingHash && points / EVEN_POINTS < endpoints {
        let message = format!(
            "{points} points for {endpoints} endpoints are less than {EVEN_POINTS} each: some will \
             have half as much again as a fair part, or more"
        );
        found.push(Problem::warning("hash.min_ring_size", message));
    }
}
