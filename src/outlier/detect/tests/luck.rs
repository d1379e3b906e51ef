//! How often chance alone makes a suspect, by trying; and how surely more than chance does.
//!
//! Every row of a table has a seed of its own, which its message names.

use super::*;
use crate::outlier::detect::{Latency, SuccessRate, SuccessRateMethod};
use crate::rng::Rng;

/// Sweeps of each row; `EVENKEEL_SEEDS` asks for that many tens of them.
fn sweeps() -> u64 {
    let more = std::env::var("EVENKEEL_SEEDS").ok().and_then(|seeds| seeds.parse::<u64>().ok());
    more.map_or(1_000, |seeds| 10 * seeds)
}

/// Requests of which each succeeds with this chance.
fn tried(rng: &mut Rng, chance: f64, requests: u64) -> Counts {
    let good = (0..requests).filter(|_| rng.fraction() < chance).count();
    Counts::of(good as u64, requests)
}

/// Answers that take a millisecond times what is drawn.
fn answered(rng: &mut Rng, count: u64, draw: impl Fn(&mut Rng) -> f64) -> Counts {
    Counts::taking((0..count).map(|_| Duration::from_secs_f64(draw(rng) / 1e3)).collect())
}

/// In how many of the sweeps a rule finds somebody.
fn finds(rule: &dyn Detector, sweeps: &[Vec<Counts>]) -> u64 {
    sweeps.iter().filter(|sweep| !found(rule, sweep).is_empty()).count() as u64
}

/// The robust rule, also for two endpoints.
fn robust() -> SuccessRate {
    SuccessRate { minimum_hosts: 2, ..SuccessRate::default() }
}

#[test]
fn endpoints_alike_are_found_in_fewer_than_one_of_ten_thousand_sweeps() {
    let (mut tries, mut wrong) = (0, Vec::new());
    for n in [2, 3, 5, 10, 20] {
        for (row, chance) in [0.5, 0.8, 0.95, 0.99, 0.999].into_iter().enumerate() {
            let seed = n * 10 + row as u64;
            let mut rng = Rng::seeded(seed);
            // As few requests as are judged, or up to three times as many.
            let more = if seed.is_multiple_of(2) { 0 } else { 200 };
            let mut one = || {
                let requests = 100 + rng.below(more);
                tried(&mut rng, chance, requests)
            };
            let sweeps: Vec<Vec<_>> =
                (0..sweeps()).map(|_| (0..n).map(|_| one()).collect()).collect();
            tries += sweeps.len() as u64;
            let found = finds(&robust(), &sweeps);
            if found > 0 {
                wrong.push((seed, n, chance, found));
            }
            // What the guide says of the classic formula: one sweep of three, of ten endpoints.
            if (n, row) == (10, 2) {
                let a50 = SuccessRate { method: SuccessRateMethod::A50, ..robust() };
                let part = finds(&a50, &sweeps) as f64 / sweeps.len() as f64;
                assert!((0.28..0.40).contains(&part), "seed {seed}: {part}");
            }
        }
    }
    let found: u64 = wrong.iter().map(|row| row.3).sum();
    assert!(found <= tries / 10_000, "of {tries}, (seed, n, chance, found): {wrong:?}");
}

#[test]
fn an_endpoint_beyond_its_table_is_found_in_nearly_every_sweep() {
    // Nine endpoints at 95 %, and what the table finds minus three standard deviations: 78.1 − 13.5
    // of 100 requests, 86.8 − 6.5 of 300.
    for (seed, requests, chance) in [(1, 100, 0.646), (2, 300, 0.803)] {
        let mut rng = Rng::seeded(seed);
        let mut sweep = || -> Vec<_> {
            let peers: Vec<_> = (0..9).map(|_| tried(&mut rng, 0.95, requests)).collect();
            [peers, vec![tried(&mut rng, chance, requests)]].concat()
        };
        let sweeps: Vec<_> = (0..300).map(|_| sweep()).collect();
        let sure = sweeps.iter().filter(|sweep| found(&robust(), sweep) == [9]).count();
        assert!(sure >= 295, "seed {seed}: {sure} of 300");
    }
}

/// Ways in which answers take their time, in milliseconds.
type Draw = fn(&mut Rng) -> f64;

/// Spread as waiting times are, 20 on average.
const EXPONENTIAL: Draw = |rng| -20.0 * (1.0 - rng.fraction()).ln();

/// One of ten is a hundred times as slow: a cache that misses.
const BIMODAL: Draw = |rng| if rng.fraction() < 0.1 { 1_000.0 } else { 10.0 };

/// Over several orders of magnitude.
const HEAVY: Draw = |rng| 10.0 / (1.0 - rng.fraction());

#[test]
fn endpoints_alike_in_their_latencies_are_found_as_seldom() {
    let (mut tries, mut wrong) = (0, Vec::new());
    for n in [2, 3, 10] {
        for (row, draw) in [EXPONENTIAL, BIMODAL, HEAVY].into_iter().enumerate() {
            let seed = n * 10 + row as u64;
            let mut rng = Rng::seeded(seed);
            let rule = Latency { minimum_hosts: 2, ..Latency::default() };
            let sweeps: Vec<Vec<_>> = (0..sweeps() / 2)
                .map(|_| (0..n).map(|_| answered(&mut rng, 100, draw)).collect())
                .collect();
            tries += sweeps.len() as u64;
            let found = finds(&rule, &sweeps);
            if found > 0 {
                wrong.push((seed, n, row, found));
            }
        }
    }
    let found: u64 = wrong.iter().map(|row| row.3).sum();
    assert!(found <= tries / 10_000, "of {tries}, (seed, n, row, found): {wrong:?}");
}

#[test]
fn how_slow_an_endpoint_has_to_be() {
    // Exponential times, ten endpoints. The 0.9-quantile of the peers is 2.303 of their mean, three
    // times that is 6.908. Of 100 answers 28.7 % have to be above: 71.3 % are within 1.247 of their
    // mean, so it takes a mean of 6.908 / 1.247 = 5.5 times the peers'. Likewise of 1,000, 15.0 % and
    // 6.908 / 1.900 = 3.6.
    for (seed, answers, factor, finds) in [
        (1, 100, 5.54 * 1.5, 38..=40),
        (2, 100, 5.54 / 1.5, 0..=2),
        (3, 1_000, 3.64 * 1.2, 38..=40),
        (4, 1_000, 3.64 / 1.2, 0..=2),
    ] {
        let mut rng = Rng::seeded(seed);
        let mut sweep = || -> Vec<_> {
            let peers = (0..9).map(|_| answered(&mut rng, answers, EXPONENTIAL)).collect();
            let slow = answered(&mut rng, answers, |rng| factor * EXPONENTIAL(rng));
            [peers, vec![slow]].concat()
        };
        let sweeps: Vec<_> = (0..40).map(|_| sweep()).collect();
        let sure = sweeps.iter().filter(|it| found(&Latency::default(), it) == [9]).count();
        assert!(finds.contains(&sure), "seed {seed}: {sure} of 40");
    }
}
