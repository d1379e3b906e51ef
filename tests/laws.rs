//! The suite over every strategy of the crate, and over some that break a law each.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use evenkeel::EndpointId;
use evenkeel::config::HashConfig;
use evenkeel::laws::Laws;
use evenkeel::strategy::{
    Candidates, LeastRequest, Maglev, PeakEwma, PickContext, Picker, Random, RingHash, RoundRobin,
    Strategy,
};

/// Seeds that once failed; they stay.
const REGRESSIONS: &str = include_str!("regressions/laws.txt");

const SEEDS: u64 = if cfg!(debug_assertions) { 24 } else { 64 };

fn hold<S: Strategy>(make: impl Fn() -> S + Copy + 'static) {
    let seeds = REGRESSIONS.lines().filter_map(|line| line.split('#').next()?.trim().parse().ok());
    for seed in seeds {
        Laws::of(make).seed(seed).check().unwrap();
    }
    let more = std::env::var("EVENKEEL_SEEDS").ok().and_then(|seeds| seeds.parse().ok());
    Laws::of(make).seeds(0..more.unwrap_or(SEEDS)).check().unwrap();
}

#[test]
fn round_robin() {
    hold(|| RoundRobin);
}

#[test]
fn random() {
    hold(|| Random);
}

#[test]
fn least_request() {
    hold(LeastRequest::default);
}

#[test]
fn least_request_of_five() {
    hold(|| LeastRequest::of(5));
}

#[test]
fn least_request_of_all() {
    hold(LeastRequest::of_all);
}

#[test]
fn peak_ewma() {
    hold(PeakEwma::default);
}

#[test]
fn peak_ewma_of_all() {
    hold(PeakEwma::of_all);
}

/// Small enough that a life of many sets is soon over.
fn small() -> HashConfig {
    HashConfig::default()
        .with_table_size(1_009)
        .and_then(|it| it.with_min_ring_size(200))
        .and_then(|it| it.with_max_ring_size(2_000))
        .unwrap()
}

#[test]
fn ring_hash() {
    hold(|| RingHash::new(&small()));
    Laws::of(RingHash::default).seeds(0..2).check().unwrap();
}

#[test]
fn maglev() {
    hold(|| Maglev::new(&small()));
    Laws::of(Maglev::default).seeds(0..2).check().unwrap();
}

/// Where nothing else is in flight, a bound moves nothing.
#[test]
fn by_key_with_bounded_loads() {
    let bounded = || small().with_bounded_load_percent(Some(125)).unwrap();
    Laws::of(move || RingHash::new(&bounded())).seeds(0..16).check().unwrap();
    Laws::of(move || Maglev::new(&bounded())).seeds(0..16).check().unwrap();
}

/// Hardly any row or point for an endpoint, and for some none.
#[test]
fn wheels_that_are_too_small() {
    let hash = small().with_min_ring_size(1).and_then(|it| it.with_max_ring_size(4)).unwrap();
    Laws::of(move || RingHash::new(&hash)).seeds(0..16).check().unwrap();
    let hash = small().with_table_size(101).unwrap();
    Laws::of(move || Maglev::new(&hash)).seeds(0..16).check().unwrap();
}

/// Breaks a law, in the way its name says.
#[derive(Clone, Copy, Debug)]
enum Bad {
    First,
    Excluded,
    Nobody,
    Boastful,
    ByOrderOfBirth,
    /// Goes by keys, and by how many there are.
    ByRemainder,
}

#[derive(Debug)]
struct BadPicker {
    how: Bad,
    n: usize,
    ids: Vec<EndpointId>,
    fair: Box<dyn Picker>,
    births: usize,
}

impl Strategy for Bad {
    fn build(&self, candidates: &Candidates<'_>) -> Box<dyn Picker> {
        static BIRTHS: AtomicUsize = AtomicUsize::new(0);
        let fair = Random.build(candidates);
        let ids = candidates.iter().map(|candidate| candidate.id().clone()).collect();
        let births = BIRTHS.fetch_add(1, Ordering::Relaxed);
        Box::new(BadPicker { how: *self, n: candidates.len(), ids, fair, births })
    }
}

impl Picker for BadPicker {
    fn pick(&self, cx: &mut PickContext<'_>) -> Option<usize> {
        match self.how {
            Bad::First => (0..self.n).find(|&index| !cx.is_excluded(index)),
            Bad::Excluded => Some(0),
            Bad::ByRemainder => {
                let first = cx.hash().unwrap_or(0) as usize % self.n;
                (first..self.n).chain(0..first).find(|&index| !cx.is_excluded(index))
            }
            Bad::Nobody if self.n > 1 => None,
            Bad::ByOrderOfBirth => {
                (0..self.n).map(|i| (i + self.births) % self.n).find(|&i| !cx.is_excluded(i))
            }
            Bad::Nobody | Bad::Boastful => self.fair.pick(cx),
        }
    }

    fn shares(&self) -> Vec<f64> {
        match self.how {
            Bad::Boastful => vec![1.0; self.n],
            Bad::ByRemainder => vec![1.0 / self.n as f64; self.n],
            _ => self.fair.shares(),
        }
    }

    fn owner(&self, hash: u64) -> Option<&EndpointId> {
        let by_key = matches!(self.how, Bad::ByRemainder);
        by_key.then(|| self.ids.get(hash as usize % self.n)).flatten()
    }
}

#[test]
fn the_suite_finds_what_is_wrong() {
    for (how, law) in [
        (Bad::First, "shares"),
        (Bad::Excluded, "ends"),
        (Bad::Nobody, "shares"),
        (Bad::Boastful, "shares"),
    ] {
        let violation = Laws::of(move || how).check().unwrap_err();
        assert_eq!(violation.law(), law, "{how:?}: {violation}");
    }
    let modulo = Laws::of(|| Bad::ByRemainder).with_shares_of_its_own().check().unwrap_err();
    assert_eq!(modulo.law(), "keys", "{modulo}");
    let biased = Laws::of(|| Bad::ByOrderOfBirth).with_shares_of_its_own().check();
    assert!(["repeats", "order", "unmoved"].contains(&biased.unwrap_err().law()));
}

#[test]
fn a_strategy_may_be_shared() {
    let shared: Arc<dyn Strategy> = Arc::new(Random);
    Laws::of(move || Arc::clone(&shared)).seeds(0..4).check().unwrap();
}
