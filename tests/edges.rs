//! The edges: nothing to choose from, exclusions, strategies that do wrong, weights that are huge.

#![cfg(feature = "config")]

mod support;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use evenkeel::strategy::{Candidates, LeastRequest, PickContext, Picker, Strategy};
use evenkeel::{Availability, Balancer, Key, PickError, UpdateError};

use crate::support::{
    Numbered, STRATEGIES, balancer, builder, chi_square, config, endpoint, endpoints,
    every_strategy, id, now, pick, received, sequence, status, strategy,
};

const SEEDS: std::ops::Range<u64> = 0..5;

fn refusal(balancer: &Numbered) -> PickError {
    balancer.pick(&Key::none()).expect_err("there is nothing to choose from")
}

// --- Nothing to choose from ----------------------------------------------------------------------

#[tokio::test(start_paused = true)]
async fn an_empty_set_is_called_empty() {
    for kind in every_strategy() {
        let balancer = balancer(&strategy(kind), 0, 0);
        assert_eq!(refusal(&balancer), PickError::Empty, "{kind}");
        assert!(balancer.status().endpoints.is_empty());
        balancer.insert(endpoint(0)).unwrap();
        assert_eq!(*pick(&balancer).endpoint(), id(0), "{kind}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_single_endpoint_gets_everything() {
    for kind in every_strategy() {
        let balancer = balancer(&strategy(kind), 1, 0);
        assert_eq!(sequence(&balancer, 20), vec![id(0); 20], "{kind}");
        assert_eq!(status(&balancer, &id(0)).expected_share, 1.0, "{kind}");
    }
}

#[tokio::test(start_paused = true)]
async fn weights_of_zero_only_are_named() {
    for kind in every_strategy() {
        let zero = endpoints(0..3).into_iter().map(|it| it.weight(0));
        let balancer = builder(&strategy(kind), 0, 0).endpoints(zero).build().unwrap();
        assert_eq!(refusal(&balancer), PickError::AllWeightsZero, "{kind}");
        drop(balancer.drain(&id(1)).unwrap());
        assert_eq!(refusal(&balancer), PickError::AllWeightsZero, "{kind}, one draining");
        balancer.set_weight(&id(0), 1).unwrap();
        assert_eq!(*pick(&balancer).endpoint(), id(0), "{kind}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_of_weight_zero_is_never_chosen() {
    for kind in every_strategy() {
        for seed in SEEDS {
            let zero = endpoint(5).weight(0);
            let balancer = builder(&strategy(kind), 3, seed).endpoint(zero).build().unwrap();
            assert!(!sequence(&balancer, 200).contains(&id(5)), "{kind}, seed {seed}");
            let found = status(&balancer, &id(5));
            assert_eq!((found.effective_weight, found.expected_share), (0.0, 0.0), "{kind}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_operators_took_away_is_counted() {
    for kind in every_strategy() {
        let balancer = balancer(&strategy(kind), 4, 0);
        drop(balancer.drain(&id(0)).unwrap());
        drop(balancer.drain_for(&id(1), Duration::from_secs(9)).unwrap());
        balancer.disable(&id(2)).unwrap();
        balancer.set_weight(&id(3), 0).unwrap();
        let until = Some(now() + Duration::from_secs(9));
        let expected =
            PickError::NoneAvailable { draining: 2, disabled: 1, ejected: 0, unhealthy: 0, until };
        assert_eq!(refusal(&balancer), expected, "{kind}");
        balancer.disable(&id(1)).unwrap();
        let expected = PickError::NoneAvailable {
            draining: 1,
            disabled: 2,
            ejected: 0,
            unhealthy: 0,
            until: None,
        };
        assert_eq!(refusal(&balancer), expected, "{kind}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_pick_is_counted_nowhere() {
    let balancer = balancer("", 2, 0);
    let all = Key::none().excluding(&id(0)).excluding(&id(1));
    assert_eq!(balancer.pick(&all).map(drop), Err(PickError::AllExcluded));
    for endpoint in balancer.status().endpoints {
        assert_eq!((endpoint.picks, endpoint.in_flight), (0, 0));
        assert_eq!(endpoint.state, Availability::Available);
    }
}

// --- Exclusions ----------------------------------------------------------------------------------

#[tokio::test(start_paused = true)]
async fn excluding_all_or_all_that_are_left_is_a_refusal() {
    for kind in every_strategy() {
        for n in [1, 2, 3, 40] {
            let balancer = balancer(&strategy(kind), n, 0);
            let all = (0..n).fold(Key::none(), |key, it| key.excluding(&id(it)));
            let refused = balancer.pick(&all).map(drop);
            assert_eq!(refused, Err(PickError::AllExcluded), "{kind}, {n} endpoints");
            if n > 1 {
                balancer.disable(&id(0)).unwrap();
                let left = (1..n).fold(Key::none(), |key, it| key.excluding(&id(it)));
                let refused = balancer.pick(&left).map(drop);
                assert_eq!(refused, Err(PickError::AllExcluded), "{kind}, {n}, one disabled");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn excluding_whom_nobody_knows_excludes_nobody() {
    for kind in every_strategy() {
        for seed in SEEDS {
            let balancer = balancer(&strategy(kind), 3, seed);
            let key = (50..80).fold(Key::none(), |key, it| key.excluding(&id(it)));
            let got: Vec<_> = (0..60)
                .map(|_| balancer.pick(&key).expect("three are left").endpoint().clone())
                .collect();
            assert!((0..3).all(|it| got.contains(&id(it))), "{kind}, seed {seed}: {got:?}");
        }
    }
}

/// Twenty endpoints of weights 1 to 5, of which the first `excluded` are left out. The threshold
/// is eight deviations above what chance gives.
#[tokio::test(start_paused = true)]
async fn the_others_keep_their_proportions() {
    let weight = |number: usize| 1 + number as u32 % 5;
    for kind in every_strategy() {
        for excluded in [0, 1, 3, 10, 16, 17, 18] {
            for seed in SEEDS {
                let set = endpoints(0..20).into_iter().map(|it| {
                    let number = *it.target();
                    it.weight(weight(number))
                });
                let balancer = builder(&strategy(kind), 0, seed).endpoints(set).build().unwrap();
                let key = (0..excluded).fold(Key::none(), |key, it| key.excluding(&id(it)));
                let mut counts = vec![0; 20];
                for _ in 0..4_000 {
                    counts[*balancer.pick(&key).expect("some are left").target()] += 1;
                }
                let case = format!("{kind}, {excluded} excluded, seed {seed}: {counts:?}");
                assert_eq!(counts[..excluded].iter().sum::<u64>(), 0, "{case}");
                let parts: Vec<_> = (excluded..20).map(|it| f64::from(weight(it))).collect();
                let freedom = (20 - excluded - 1) as f64;
                let threshold = 8.0_f64.mul_add((2.0 * freedom).sqrt(), freedom);
                assert!(chi_square(&counts[excluded..], &parts) < threshold, "{case}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn exclusions_stand_outside_the_round() {
    for seed in SEEDS {
        let round = strategy("kind = 'round_robin'");
        let (quiet, excluding) = (balancer(&round, 5, seed), balancer(&round, 5, seed));
        for _ in 0..20 {
            drop(excluding.pick(&Key::none().excluding(&id(2))).unwrap());
            assert_eq!(pick(&quiet).endpoint(), pick(&excluding).endpoint(), "seed {seed}");
        }
    }
}

// --- Strategies that do wrong --------------------------------------------------------------------

/// Always answers the same, whether or not it may.
#[derive(Debug, Clone, Copy)]
struct Stubborn(Option<usize>);

impl Strategy for Stubborn {
    fn build(&self, _: &Candidates<'_>) -> Box<dyn Picker> {
        Box::new(*self)
    }
}

impl Picker for Stubborn {
    fn pick(&self, _: &mut PickContext<'_>) -> Option<usize> {
        self.0
    }

    fn shares(&self) -> Vec<f64> {
        Vec::new()
    }
}

type Change = fn(&Numbered) -> Result<(), UpdateError>;

const MINE: &str = "kind = 'custom'\ncustom = 'mine'";

fn with_mine(mine: impl Strategy) -> Numbered {
    builder(&strategy(MINE), 3, 0).strategy("mine", mine).build().expect("the settings are valid")
}

#[tokio::test(start_paused = true)]
async fn an_index_that_does_not_exist_is_the_strategys_fault() {
    for index in [3, usize::MAX] {
        let balancer = with_mine(Stubborn(Some(index)));
        let expected = PickError::Strategy { name: "mine".into(), endpoint: None };
        assert_eq!(refusal(&balancer), expected);
        assert_eq!(balancer.status().endpoints.len(), 3, "shares that are missing do no harm");
    }
}

#[tokio::test(start_paused = true)]
async fn choosing_what_is_excluded_is_the_strategys_fault() {
    let balancer = with_mine(Stubborn(Some(1)));
    assert_eq!(*pick(&balancer).endpoint(), id(1));
    let refused = balancer.pick(&Key::none().excluding(&id(1))).map(drop);
    let endpoint = Some(id(1));
    assert_eq!(refused, Err(PickError::Strategy { name: "mine".into(), endpoint }));
    assert_eq!(status(&balancer, &id(1)).in_flight, 0);
}

#[tokio::test(start_paused = true)]
async fn choosing_nobody_means_that_all_are_excluded() {
    assert_eq!(refusal(&with_mine(Stubborn(None))), PickError::AllExcluded);
}

/// Panics when it is to choose.
#[derive(Debug)]
struct Choking;

impl Strategy for Choking {
    fn build(&self, _: &Candidates<'_>) -> Box<dyn Picker> {
        Box::new(Self)
    }
}

impl Picker for Choking {
    fn pick(&self, _: &mut PickContext<'_>) -> Option<usize> {
        unreachable!("told to panic")
    }

    fn shares(&self) -> Vec<f64> {
        Vec::new()
    }
}

#[tokio::test(start_paused = true)]
async fn a_pick_that_panics_does_no_other_harm() {
    let balancer = with_mine(Choking);
    let pick_it = AssertUnwindSafe(|| drop(balancer.pick(&Key::none())));
    assert!(catch_unwind(pick_it).is_err());
    balancer.apply(config("")).unwrap();
    assert_eq!(sequence(&balancer, 9).len(), 9);
    assert!(balancer.status().endpoints.iter().all(|it| it.in_flight == 0));
}

/// Panics while it prepares, if the switch is on.
#[derive(Debug)]
struct Panicking(Arc<AtomicBool>);

impl Strategy for Panicking {
    fn build(&self, candidates: &Candidates<'_>) -> Box<dyn Picker> {
        assert!(!self.0.load(Ordering::Relaxed), "told to panic");
        LeastRequest::default().build(candidates)
    }
}

#[tokio::test(start_paused = true)]
async fn a_strategy_that_panics_is_not_built_with() {
    let mine = Panicking(Arc::new(true.into()));
    let built = builder(&strategy(MINE), 3, 0).strategy("mine", mine).build();
    assert_eq!(built.unwrap_err().problems()[0].path, "strategy");
}

#[tokio::test(start_paused = true)]
async fn settings_whose_strategy_panics_are_refused_and_the_old_ones_serve() {
    let mine = Panicking(Arc::new(true.into()));
    let builder = builder(&strategy("kind = 'round_robin'"), 3, 0);
    let balancer = builder.strategy("mine", mine).build().unwrap();
    let (version, mut events) = (balancer.version(), balancer.subscribe());
    let error = balancer.apply(config(&strategy(MINE))).unwrap_err();
    assert_eq!(error.problems()[0].path, "strategy");
    assert_eq!((balancer.version(), balancer.status().strategy.as_str()), (version, "round_robin"));
    assert_eq!(received(&mut events).len(), 1);
    assert_eq!(sequence(&balancer, 9).iter().filter(|it| **it == id(0)).count(), 3);
}

#[tokio::test(start_paused = true)]
async fn sets_that_make_the_strategy_panic_are_refused_and_the_old_one_serves() {
    let switch = Arc::new(AtomicBool::new(false));
    let balancer = with_mine(Panicking(Arc::clone(&switch)));
    switch.store(true, Ordering::Relaxed);
    let changes: [Change; 6] = [
        |it| it.replace(endpoints(0..5)).map(drop),
        |it| it.replace_unchecked(endpoints(0..1)).map(drop),
        |it| it.insert(endpoint(7)).map(drop),
        |it| it.remove(&id(1)).map(drop),
        |it| it.set_weight(&id(0), 9).map(drop),
        |it| it.drain(&id(0)).map(drop),
    ];
    for change in changes {
        let (version, mut events) = (balancer.version(), balancer.subscribe());
        let error = change(&balancer).unwrap_err();
        assert!(matches!(&error, UpdateError::Strategy { name } if name == "mine"), "{error}");
        assert_eq!((balancer.version(), received(&mut events).len()), (version, 1));
        let got = sequence(&balancer, 60);
        assert!((0..3).all(|it| got.contains(&id(it))), "the old set serves: {got:?}");
    }
    switch.store(false, Ordering::Relaxed);
    balancer.replace(endpoints(0..5)).unwrap();
    assert!(sequence(&balancer, 100).contains(&id(4)));
}

/// Panics when it is to say its shares, if the switch is on.
#[derive(Debug, Clone)]
struct Mute(Arc<AtomicBool>);

impl Strategy for Mute {
    fn build(&self, _: &Candidates<'_>) -> Box<dyn Picker> {
        Box::new(self.clone())
    }
}

impl Picker for Mute {
    fn pick(&self, _: &mut PickContext<'_>) -> Option<usize> {
        Some(0)
    }

    fn shares(&self) -> Vec<f64> {
        assert!(!self.0.load(Ordering::Relaxed), "told to panic");
        vec![1.0]
    }
}

/// Shares are asked for by the guard, the history and the status: none may be left half done.
#[tokio::test(start_paused = true)]
async fn a_strategy_that_panics_over_its_shares_is_refused_as_one_that_panics_while_it_prepares() {
    let switch = Arc::new(AtomicBool::new(false));
    let balancer = with_mine(Mute(Arc::clone(&switch)));
    switch.store(true, Ordering::Relaxed);
    let seen = || (balancer.version(), format!("{:?}", balancer.status()));
    let changes: [Change; 3] = [
        |it| it.set_weight(&id(0), 9).map(drop),
        |it| it.drain(&id(0)).map(drop),
        |it| it.replace_unchecked(endpoints(0..1)).map(drop),
    ];
    for change in changes {
        let (before, mut events) = (seen(), balancer.subscribe());
        let error = change(&balancer).unwrap_err();
        assert!(matches!(&error, UpdateError::Strategy { name } if name == "mine"), "{error}");
        assert_eq!((seen(), received(&mut events).len()), (before, 1));
    }
    assert!(balancer.preview_weight(&id(0), 9).is_err());
    assert_eq!(balancer.history().len(), 1);
    assert_eq!(*pick(&balancer).endpoint(), id(0));
    switch.store(false, Ordering::Relaxed);
    balancer.apply(config("")).unwrap();
    switch.store(true, Ordering::Relaxed);
    assert_eq!(balancer.apply(config(&strategy(MINE))).unwrap_err().problems()[0].path, "strategy");
    assert!(balancer.rollback().is_err());
    assert_eq!(balancer.status().strategy, "least_request");
}

#[tokio::test(start_paused = true)]
async fn a_drain_that_could_not_end_for_a_panic_ends_later() {
    let switch = Arc::new(AtomicBool::new(false));
    let balancer = with_mine(Panicking(Arc::clone(&switch)));
    drop(balancer.drain_for(&id(0), Duration::from_secs(1)).unwrap());
    switch.store(true, Ordering::Relaxed);
    tokio::time::advance(Duration::from_secs(1)).await;
    assert!(!sequence(&balancer, 50).contains(&id(0)), "the old set serves");
    switch.store(false, Ordering::Relaxed);
    assert!(!sequence(&balancer, 50).contains(&id(0)), "not every pick tries again");
    tokio::time::advance(Duration::from_secs(1)).await;
    assert!(sequence(&balancer, 50).contains(&id(0)));
}

#[tokio::test(start_paused = true)]
async fn a_strategy_that_nobody_registered_is_refused() {
    let built = builder(&strategy(MINE), 3, 0).build();
    assert_eq!(built.unwrap_err().problems()[0].path, "strategy.custom");
    let balancer = balancer("", 3, 0);
    let error = balancer.apply(config(&strategy(MINE))).unwrap_err();
    assert_eq!(error.problems()[0].path, "strategy.custom");
}

// --- Numbers at their limits ---------------------------------------------------------------------

#[tokio::test(start_paused = true)]
async fn the_largest_weight_many_times_is_an_equal_weight() {
    let n = 1_000;
    for kind in STRATEGIES {
        let set = endpoints(0..n).into_iter().map(|it| it.weight(u32::MAX));
        let balancer = builder(&strategy(kind), 0, 3).endpoints(set).build().unwrap();
        let shares: Vec<_> =
            balancer.status().endpoints.iter().map(|it| it.expected_share).collect();
        assert!(shares.iter().all(|share| (share - 0.001).abs() < 1e-12), "{kind}");
        let mut counts = vec![0; n];
        for _ in 0..10 * n {
            counts[*pick(&balancer).target()] += 1;
        }
        let freedom = (n - 1) as f64;
        let found = chi_square(&counts, &vec![1.0; n]);
        assert!(found < freedom + 8.0 * (2.0 * freedom).sqrt(), "{kind}: {found}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_largest_and_the_smallest_weight_get_on() {
    for kind in STRATEGIES {
        for seed in SEEDS {
            let set = (0..50).map(|it| endpoint(it).weight(if it == 7 { 1 } else { u32::MAX }));
            let balancer = builder(&strategy(kind), 0, seed).endpoints(set).build().unwrap();
            let got = sequence(&balancer, 5_000);
            let light = got.iter().filter(|it| **it == id(7)).count();
            assert!(light <= 1, "{kind}, seed {seed}: the light one got {light}");
            let share = status(&balancer, &id(7)).expected_share;
            assert!(share > 0.0 && share < 1e-9, "{kind}: {share}");
        }
    }
}

#[test]
fn two_endpoints_of_one_id_are_not_built_with() {
    let built = Balancer::builder().endpoints([endpoint(1), endpoint(2), endpoint(1)]).build();
    assert_eq!(built.unwrap_err().problems()[0].path, "endpoints");
}
