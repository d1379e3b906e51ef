//! A pick and its outcome allocate nothing.

#![allow(clippy::unwrap_used)]

use std::num::NonZeroU16;

use allocation_counter::measure;
use evenkeel::config::{
    ConsecutiveFailuresConfig, DecisionsConfig, HashConfig, OutlierConfig, StrategyConfig,
    StrategyKind,
};
use evenkeel::{Balancer, Config, Endpoint, Key, Outcome};

/// All defaults on, but for a threshold that no row of failures in here reaches: an ejection is
/// settled, and settling allocates.
fn config(kind: StrategyKind) -> Config {
    let row = ConsecutiveFailuresConfig::default().with_threshold(NonZeroU16::MAX);
    Config::default()
        .with_strategy(StrategyConfig::new(kind))
        .with_outlier(Some(OutlierConfig::default().with_consecutive_failures(Some(row))))
}

fn balancer(kind: StrategyKind, weighted: bool, bound: Option<u32>) -> Balancer<&'static str> {
    let hash = HashConfig::default().with_bounded_load_percent(bound).unwrap();
    Balancer::builder()
        .config(config(kind).with_hash(hash))
        .endpoints((0..20).map(|i| {
            Endpoint::new(format!("e{i}"), "target").weight(if weighted { 1 + i * 977 } else { 1 })
        }))
        .build()
        .unwrap()
}

/// What the first pick of a thread, and the first request of an endpoint that is not answered well, set
/// up for all that follow. Few of the lighter endpoints would come to one by themselves.
fn set_up(balancer: &Balancer<&'static str>, outcome: Outcome) {
    for i in 0..20 {
        let key = Key::none().preferring(&format!("e{i}").into());
        balancer.pick(&key).unwrap().finish(outcome);
    }
}

#[test]
fn a_pick_and_its_outcome_allocate_nothing() {
    let kinds = [
        StrategyKind::RoundRobin,
        StrategyKind::Random,
        StrategyKind::LeastRequest,
        StrategyKind::PeakEwma,
        StrategyKind::RingHash,
        StrategyKind::Maglev,
    ];
    let outcomes =
        [Outcome::Success, Outcome::failure(), Outcome::overloaded(None), Outcome::Ignore];
    for kind in kinds {
        for (weighted, bound) in [(false, None), (true, None), (true, Some(125))] {
            let balancer = balancer(kind.clone(), weighted, bound);
            let request = |i: usize| {
                let lease = balancer.pick(&Key::from_hash(i as u64)).unwrap();
                match outcomes.get(i % 5) {
                    Some(outcome) => lease.finish(*outcome),
                    None => drop(lease),
                }
            };
            set_up(&balancer, Outcome::failure());
            (0..1_000).for_each(request);
            let allocated = measure(|| (0..10_000).for_each(request));
            assert_eq!(allocated.count_total, 0, "{kind}, weighted: {weighted}: {allocated:?}");
        }
    }
}

/// However often they are, and though each new record takes the place of an old one.
#[test]
fn neither_do_records_of_picks() {
    let every = DecisionsConfig::default().with_every(1).unwrap();
    for keep in [1, 64] {
        for kind in [StrategyKind::LeastRequest, StrategyKind::RoundRobin, StrategyKind::Maglev] {
            let decisions = every.clone().with_keep(keep).unwrap();
            let balancer = Balancer::builder()
                .config(config(kind.clone()).with_decisions(Some(decisions)))
                .endpoints((0..20).map(|i| Endpoint::new(format!("e{i}"), "target")))
                .build()
                .unwrap();
            let excluding = Key::from_hash(7).excluding(&"e3".into()).preferring(&"e3".into());
            let request = |i: usize| {
                let key = Key::from_hash(i as u64);
                let key = if i.is_multiple_of(3) { &excluding } else { &key };
                balancer.pick(key).unwrap().finish(Outcome::Ignore);
            };
            set_up(&balancer, Outcome::Ignore);
            let allocated = measure(|| (0..10_000).for_each(request));
            assert_eq!(allocated.count_total, 0, "{kind}, {keep}: {allocated:?}");
            let last = balancer.decisions().pop().unwrap();
            assert_eq!(last.number, 10_019, "all were recorded");
        }
    }
}

#[test]
fn the_counter_counts() {
    assert_eq!(measure(|| drop(std::hint::black_box(Box::new(1)))).count_total, 1);
}

/// Endpoints are full, requests exclude others, and what is left is searched for.
#[test]
fn neither_does_a_pick_that_has_to_go_elsewhere() {
    for kind in [StrategyKind::RingHash, StrategyKind::Maglev] {
        let balancer = balancer(kind.clone(), false, Some(100));
        let key = |i: usize| Key::from_hash((i as u64 % 3).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let mut held: Vec<_> = (0..95).map(|i| balancer.pick(&key(i)).unwrap()).collect();
        let excluding: Vec<_> = (0..20)
            .map(|i| key(i).excluding(&format!("e{i}").into()).excluding(&"e0".into()))
            .collect();
        let request = |i: usize| {
            let key = excluding.get(i % excluding.len()).unwrap();
            balancer.pick(key).unwrap().finish(Outcome::Success);
        };
        (0..1_000).for_each(request);
        let allocated = measure(|| (0..10_000).for_each(request));
        assert_eq!(allocated.count_total, 0, "{kind}: {allocated:?}");
        let full = balancer.status().endpoints.iter().filter(|it| it.in_flight >= 4).count();
        assert!(full > 15, "{kind}: {full} of 20 are full");
        held.clear();
    }
}
