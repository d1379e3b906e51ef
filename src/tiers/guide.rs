//! The tables of the guide to failover, against the code.

use crate::tiers::{Callers, Capacity, by_zone, spill};

const GUIDE: &str = include_str!("../../docs/failover.md");

/// The rows of the table whose head begins with `head`, cell by cell.
fn table(head: &str) -> Vec<Vec<&'static str>> {
    let rows = GUIDE.lines().skip_while(|line| !line.starts_with(head)).skip(2);
    let rows = rows.take_while(|line| line.starts_with('|'));
    let cells = |line: &'static str| line.trim_matches('|').split('|').map(str::trim).collect();
    rows.map(cells).collect()
}

/// The number that a cell begins with; `any` is some number.
fn number(cell: &str) -> f64 {
    let digits = cell.split(' ').next().filter(|&word| word != "any").unwrap_or("42");
    digits.parse().unwrap_or_else(|_| panic!("`{cell}` is no number"))
}

#[test]
fn tiers_take_what_the_guide_says() {
    let rows = table("| well in tier 0");
    assert_eq!(rows.len(), 6);
    for row in rows {
        let numbers: Vec<_> = row.iter().map(|cell| number(cell)).collect();
        let [first, second, expected @ ..] = &numbers[..] else { panic!("{row:?}") };
        let tier = |&fit: &f64| Capacity { whole: 100.0, fit };
        let loads = spill(&[tier(first), tier(second)], 1.4).loads;
        for (load, expected) in loads.iter().zip(expected) {
            assert!((100.0 * load - expected).abs() <= 1.0, "{row:?}: {loads:?}");
        }
    }
}

#[test]
fn zones_keep_what_the_guide_says() {
    let rows = table("| endpoints well here");
    assert_eq!(rows.len(), 5);
    for row in rows {
        let numbers: Vec<_> = row.iter().map(|cell| number(cell)).collect();
        let [here, there, expected @ ..] = &numbers[..] else { panic!("{row:?}") };
        let parts = by_zone(&[(*here, true), (*there, true)], Some(0), Callers::Even);
        for (part, expected) in parts.iter().zip(expected) {
            assert!((100.0 * part - expected).abs() < 1e-9, "{row:?}: {parts:?}");
        }
    }
}
