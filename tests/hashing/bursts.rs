//! Many changes at once: keys follow a moment later, all of them, and nobody gets what is not his.

use std::collections::BTreeMap;

use evenkeel::strategy::Rng;
use evenkeel::{Config, Endpoint};
use proptest::prelude::*;
use tokio::time::advance;

use crate::support::{Numbered, balancer, config, endpoint, id};
use crate::{KINDS, by_key, key, mapping, moved};

const KEYS: usize = 400;

const PAUSE: std::time::Duration = std::time::Duration::from_millis(100);

/// Small wheels: tests make many of them, and are not optimised.
const SIZES: &str = "hash.table_size = 1009\nhash.max_ring_size = 4096\n";

/// Changes that come before those that are watched, so that wheels wait for these.
fn hurry(balancer: &Numbered) {
    for _ in 0..8 {
        balancer.insert(endpoint(900)).unwrap();
        balancer.remove(&id(900)).unwrap();
        balancer.insert(endpoint(901)).unwrap();
        balancer.remove(&id(901)).unwrap();
    }
    for number in 902..910 {
        balancer.insert(endpoint(number)).unwrap();
    }
}

/// What a balancer maps that was built of the same endpoints.
fn fresh(settings: &str, balancer: &Numbered) -> Vec<usize> {
    let fresh = self::balancer(settings, 0, 1);
    let status = balancer.status();
    let endpoints = status.endpoints.iter().map(|it| {
        let number = it.id.as_str()[1..].parse().unwrap();
        Endpoint::new(&it.id, number).weight(it.weight).tier(it.tier)
    });
    fresh.replace_unchecked(endpoints).unwrap();
    for it in status.endpoints.iter().filter(|it| it.weight > 0 && it.effective_weight == 0.0) {
        drop(fresh.drain(&it.id).unwrap());
    }
    mapping_or_none(&fresh)
}

fn mapping_or_none(balancer: &Numbered) -> Vec<usize> {
    let chosen = |i| balancer.pick(&key(i)).map_or(usize::MAX, |lease| *lease.target());
    (0..KEYS).map(chosen).collect()
}

#[tokio::test(start_paused = true)]
async fn in_a_burst_nobodys_keys_move_but_those_of_leavers() {
    for kind in KINDS {
        for seed in 0..8 {
            let mut rng = Rng::seeded(seed);
            let settings = by_key(kind) + SIZES;
            let balancer = balancer(&settings, 100, 1);
            hurry(&balancer);
            let (mut gone, mut drained) = (Vec::new(), Vec::new());
            let mut before = mapping(&balancer, KEYS);
            for step in 0..16 {
                // Who comes back has the weight again that he came with: those are others.
                let at = rng.below(50) as usize;
                if gone.contains(&at) || drained.contains(&at) {
                    continue;
                }
                let leaver = match rng.below(4) {
                    0 => {
                        balancer.remove(&id(at)).unwrap();
                        gone.push(at);
                        Some(at)
                    }
                    1 => {
                        drop(balancer.drain(&id(at)).unwrap());
                        drained.push(at);
                        Some(at)
                    }
                    2 => {
                        balancer.insert(endpoint(200 + step)).unwrap();
                        None
                    }
                    _ => {
                        balancer.set_weight(&id(50 + at), 2).unwrap();
                        None
                    }
                };
                let after = mapping(&balancer, KEYS);
                for (before, after) in before.iter().zip(&after) {
                    let strayed = before != after && Some(*before) != leaver;
                    assert!(!strayed, "{kind}, seed {seed}: from {before} to {after}");
                    assert!(!gone.contains(after) && !drained.contains(after), "seed {seed}");
                }
                before = after;
            }
            // Requests without a key go by the set of this moment.
            let drawn = || *balancer.pick(&evenkeel::Key::none()).unwrap().target();
            let drawn: Vec<_> = (0..4_000).map(|_| drawn()).collect();
            assert!(drawn.iter().all(|it| !gone.contains(it) && !drained.contains(it)));
            let set = balancer.status().endpoints;
            let newcomers = set.iter().filter(|it| it.id >= id(200) && it.id < id(300));
            for newcomer in newcomers {
                assert!(drawn.iter().any(|it| id(*it) == newcomer.id), "seed {seed}");
            }
            advance(PAUSE).await;
            assert!(mapping(&balancer, KEYS) == fresh(&settings, &balancer), "{kind}, seed {seed}");
            for at in drained {
                balancer.enable(&id(at)).unwrap();
            }
            assert!(mapping(&balancer, KEYS) == fresh(&settings, &balancer), "{kind}, seed {seed}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_shares_of_the_moment_are_those_of_the_status() {
    for kind in KINDS {
        let balancer = balancer(&(by_key(kind) + SIZES), 20, 1);
        hurry(&balancer);
        balancer.set_weight(&id(3), 2).unwrap();
        balancer.insert(endpoint(20)).unwrap();
        balancer.remove(&id(4)).unwrap();
        let n = 50_000;
        let mapping = mapping(&balancer, n);
        let status = balancer.status();
        let all: f64 = status.endpoints.iter().map(|it| it.expected_share).sum();
        assert!((all - 1.0).abs() < 1e-9);
        assert_eq!(status.endpoint(&id(20)).unwrap().expected_share, 0.0, "{kind}");
        for endpoint in &status.endpoints {
            let got = mapping.iter().filter(|it| id(**it) == endpoint.id).count();
            let (got, expected) = (got as f64 / n as f64, endpoint.expected_share);
            assert!((got - expected).abs() < 0.005, "{kind}: {} {got} {expected}", endpoint.id);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_last_change_is_served_without_another_call() {
    for kind in KINDS {
        let settings = by_key(kind) + SIZES;
        let balancer = balancer(&settings, 30, 1);
        let worker = balancer.start();
        tokio::task::yield_now().await;
        for round in 0..3 {
            hurry(&balancer);
            let before = mapping(&balancer, KEYS);
            balancer.set_weight(&id(round), 2).unwrap();
            assert_eq!(moved(&before, &mapping(&balancer, KEYS)), 0, "{kind}");
            // The worker, which is told of it, and no pick.
            tokio::time::sleep(PAUSE).await;
            tokio::task::yield_now().await;
            assert!(mapping(&balancer, KEYS) == fresh(&settings, &balancer), "{kind}");
        }
        // It ends with the balancer, whatever was still to come.
        hurry(&balancer);
        balancer.set_weight(&id(9), 2).unwrap();
        let lease = balancer.pick(&key(1)).unwrap();
        drop(balancer);
        drop(lease);
        tokio::time::sleep(2 * PAUSE).await;
        assert!(worker.is_finished());
    }
}

#[tokio::test(start_paused = true)]
async fn a_bound_holds_while_keys_lag() {
    for kind in KINDS {
        let balancer =
            balancer(&(by_key(kind) + SIZES + "hash.bounded_load_percent = 150\n"), 10, 1);
        hurry(&balancer);
        balancer.set_weight(&id(1), 2).unwrap();
        balancer.insert(endpoint(10)).unwrap();
        let leases: Vec<_> = (0..100).map(|_| balancer.pick(&key(1)).unwrap()).collect();
        let mut counts = BTreeMap::new();
        leases.iter().for_each(|lease| *counts.entry(*lease.target()).or_insert(0_u32) += 1);
        // 1.5 times 100 of as many parts as there are weights, rounded up.
        let parts: u32 = balancer.status().endpoints.iter().map(|it| it.weight).sum();
        for (at, count) in counts {
            let weight = if at == 1 { 2_u32 } else { 1 };
            assert!(count <= (150 * weight).div_ceil(parts), "{kind}: {at} has {count}");
        }
    }
}

/// One step of a history.
#[derive(Clone, Debug)]
enum Step {
    Insert { at: usize, weight: u32, tier: u32 },
    Remove(usize),
    Weigh { at: usize, weight: u32 },
    Drain(usize),
    Enable(usize),
    Pick,
    Wait { millis: u64 },
    Rows(u32),
    Replace { upto: usize },
}

fn step() -> impl Strategy<Value = Step> {
    let at = || 0..24_usize;
    let weight = || prop_oneof![4 => Just(1_u32), 3 => 1..4_u32, 1 => Just(0_u32)];
    prop_oneof![
        4 => (at(), weight(), 0..2_u32).prop_map(|(at, weight, tier)| Step::Insert { at, weight, tier }),
        3 => at().prop_map(Step::Remove),
        4 => (at(), weight()).prop_map(|(at, weight)| Step::Weigh { at, weight }),
        1 => at().prop_map(Step::Drain),
        1 => at().prop_map(Step::Enable),
        2 => Just(Step::Pick),
        2 => (1..150_u64).prop_map(|millis| Step::Wait { millis }),
        1 => prop::sample::select(vec![1_009_u32, 1_013, 1_019]).prop_map(Step::Rows),
        1 => (1..24_usize).prop_map(|upto| Step::Replace { upto }),
    ]
}

fn sizes(kind: &str, tiers: bool, rows: u32) -> String {
    let tiers = if tiers { "" } else { "tiers = false\n" };
    // So many points of a ring at least: another size for another number of rows.
    let hash = format!("hash.table_size = {rows}\nhash.min_ring_size = {rows}\n");
    format!("{tiers}update = false\n{}{hash}hash.max_ring_size = 4096\n", by_key(kind))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever was done, and when: a moment later keys are where a balancer has them that was built
    /// of the same set.
    #[test]
    fn every_history_ends_in_the_mapping_of_its_set(
        kind in prop::sample::select(&KINDS[..]),
        tiers in any::<bool>(),
        worker in any::<bool>(),
        steps in prop::collection::vec(step(), 1..60),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let mut settings = sizes(kind, tiers, 1_009);
            let balancer = balancer(&settings, 16, 1);
            let worker = worker.then(|| balancer.start());
            for step in steps {
                // Some are of endpoints that are not there.
                let _ = match step {
                    Step::Insert { at, weight, tier } => {
                        balancer.insert(endpoint(at).weight(weight).tier(tier)).is_ok()
                    }
                    Step::Remove(at) => balancer.remove(&id(at)).is_ok(),
                    Step::Weigh { at, weight } => balancer.set_weight(&id(at), weight).is_ok(),
                    Step::Drain(at) => balancer.drain(&id(at)).is_ok(),
                    Step::Enable(at) => balancer.enable(&id(at)).is_ok(),
                    Step::Pick => balancer.pick(&key(1)).is_ok(),
                    Step::Wait { millis } => {
                        tokio::time::sleep(std::time::Duration::from_millis(millis)).await;
                        true
                    }
                    Step::Rows(rows) => {
                        settings = sizes(kind, tiers, rows);
                        let config: Config = config(&settings);
                        balancer.apply(config).is_ok()
                    }
                    Step::Replace { upto } => balancer.replace_unchecked(crate::support::endpoints(0..upto)).is_ok(),
                };
                let status = balancer.status();
                let served = |at: usize| status.endpoint(&id(at)).is_some_and(|it| it.effective_weight > 0.0);
                for i in 0..16 {
                    if let Ok(lease) = balancer.pick(&key(i)) {
                        prop_assert!(served(*lease.target()), "{} is out", *lease.target());
                    }
                }
            }
            tokio::time::sleep(PAUSE).await;
            tokio::task::yield_now().await;
            prop_assert_eq!(mapping_or_none(&balancer), fresh(&settings, &balancer));
            drop(worker);
            Ok(())
        })?;
    }
}
