//! Bounded loads: nobody above his bound while another has room, and no key away from home for long.

#![cfg(feature = "config")]
#![allow(clippy::panic, clippy::unwrap_used, reason = "a story that goes otherwise has failed")]

#[path = "support/mod.rs"]
mod support;

use std::sync::Barrier;

use evenkeel::config::HashConfig;
use evenkeel::strategy::{Candidates, Maglev, PickContext, Picker, Rng, Strategy};
use evenkeel::{Balancer, Endpoint, Key, Lease, Outcome};
use proptest::prelude::*;

use crate::support::{Numbered, balancer, endpoint, id};

const KINDS: [&str; 2] = ["ring_hash", "maglev"];

fn bounded(kind: &str, percent: u32, weights: &[u32]) -> Numbered {
    let settings = format!(
        "strategy.kind = '{kind}'\nhash.bounded_load_percent = {percent}\nhash.table_size = 1009\n"
    );
    let balancer = balancer(&settings, 0, 1);
    let set = weights.iter().enumerate().map(|(i, weight)| endpoint(i).weight(*weight));
    balancer.replace(set).unwrap();
    balancer
}

fn in_flight(balancer: &Numbered) -> Vec<u64> {
    balancer.status().endpoints.iter().map(|endpoint| endpoint.in_flight).collect()
}

/// The bound where there are `all` in flight, the new one counted.
fn bound(percent: u32, all: u64, weight: u32, weights: &[u32]) -> u64 {
    let sum: u128 = weights.iter().map(|weight| u128::from(*weight)).sum();
    let bound = (u128::from(percent) * u128::from(all) * u128::from(weight)).div_ceil(100 * sum);
    u64::try_from(bound).unwrap()
}

fn key(i: u64) -> Key {
    Key::bytes(&i.to_le_bytes())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn nobody_is_above_his_bound(
        kind in prop::sample::select(&KINDS[..]),
        percent in prop_oneof![Just(100_u32), 101..200_u32, 100..=1000_u32],
        weights in prop::collection::vec(prop_oneof![Just(1_u32), 1..50_u32, Just(u32::MAX)], 1..10),
        keys in 1..6_u64,
        seed in any::<u64>(),
    ) {
        let balancer = bounded(kind, percent, &weights);
        let mut rng = Rng::seeded(seed);
        let mut leases: Vec<Lease<usize>> = Vec::new();
        for _ in 0..150 {
            if rng.below(3) == 0 && !leases.is_empty() {
                leases.swap_remove(rng.below(leases.len() as u64) as usize).finish(Outcome::Success);
                continue;
            }
            let before = in_flight(&balancer);
            prop_assert_eq!(before.iter().sum::<u64>(), leases.len() as u64);
            let key = if rng.below(5) == 0 { Key::none() } else { key(rng.below(keys)) };
            let lease = balancer.pick(&key).unwrap();
            let at = *lease.target();
            leases.push(lease);
            let most = bound(percent, leases.len() as u64, weights[at], &weights);
            prop_assert!(before[at] < most, "{kind} {weights:?}: {before:?}, {at} above {most}");
        }
        drop(leases);
        prop_assert_eq!(in_flight(&balancer).iter().sum::<u64>(), 0);
    }

    /// A key is with its endpoint whenever that one has room.
    #[test]
    fn no_key_is_away_without_need(
        kind in prop::sample::select(&KINDS[..]),
        n in 2..10_usize,
        seed in any::<u64>(),
    ) {
        let weights = vec![1; n];
        let balancer = bounded(kind, 150, &weights);
        let free: Vec<_> = (0..40).map(|i| *balancer.pick(&key(i)).unwrap().target()).collect();
        let mut rng = Rng::seeded(seed);
        let mut leases: Vec<Lease<usize>> = Vec::new();
        for _ in 0..200 {
            if rng.below(3) == 0 && !leases.is_empty() {
                drop(leases.swap_remove(rng.below(leases.len() as u64) as usize));
                continue;
            }
            let before = in_flight(&balancer);
            let i = rng.below(40);
            let home = free[i as usize];
            leases.push(balancer.pick(&key(i)).unwrap());
            let has_room = before[home] < bound(150, leases.len() as u64, 1, &weights);
            let is_home = *leases.last().unwrap().target() == home;
            prop_assert_eq!(is_home, has_room, "{} {:?}", kind, before);
        }
    }
}

/// All threads take and none gives back, so that what was in flight together only grows: at the end
/// nobody may be above what the end allows.
#[test]
fn nobody_is_above_his_bound_from_however_many_threads() {
    let threads = 8;
    for kind in KINDS {
        for (percent, weights) in
            [(100, vec![1; 7]), (125, vec![1; 10]), (110, vec![1, 5, 2, 9]), (150, vec![3; 2])]
        {
            for round in 0..20 {
                let balancer = bounded(kind, percent, &weights);
                let start = Barrier::new(threads);
                let leases: Vec<Vec<Lease<usize>>> = std::thread::scope(|scope| {
                    let take = || {
                        start.wait();
                        (0..25).map(|_| balancer.pick(&key(round)).unwrap()).collect()
                    };
                    let all: Vec<_> = (0..threads).map(|_| scope.spawn(take)).collect();
                    all.into_iter().map(|thread| thread.join().unwrap()).collect()
                });
                let all = leases.iter().map(Vec::len).sum::<usize>() as u64;
                for (at, count) in in_flight(&balancer).into_iter().enumerate() {
                    let most = bound(percent, all, weights[at], &weights);
                    assert!(
                        count <= most,
                        "{kind} {percent} {weights:?}: {at} has {count} > {most}"
                    );
                }
                drop(leases);
                assert_eq!(in_flight(&balancer).iter().sum::<u64>(), 0);
            }
        }
    }
}

/// Threads that take and give back: whoever has just been chosen is looked at while nobody else can
/// have been added to it without having been allowed to.
#[test]
fn nothing_is_lost_where_threads_take_and_give_back() {
    for kind in KINDS {
        let balancer = bounded(kind, 100, &[1; 5]);
        std::thread::scope(|scope| {
            for thread in 0..4_u64 {
                let balancer = &balancer;
                scope.spawn(move || {
                    let mut rng = Rng::seeded(thread);
                    let mut held = Vec::new();
                    for _ in 0..5_000 {
                        match rng.below(4) {
                            0 | 1 => held.push(balancer.pick(&key(rng.below(2))).unwrap()),
                            2 => drop(held.pop()),
                            _ => held.pop().into_iter().for_each(|it| it.finish(Outcome::Success)),
                        }
                    }
                });
            }
        });
        assert_eq!(in_flight(&balancer).iter().sum::<u64>(), 0);
        // Together they are none again: else the bound would be wider from now on.
        let leases: Vec<_> = (0..10).map(|_| balancer.pick(&key(1)).unwrap()).collect();
        assert_eq!(in_flight(&balancer), [2; 5], "{kind}: {} in flight", leases.len());
    }
}

/// Half of the load has one key: ten endpoints, 200 requests in flight at a time.
#[test]
fn a_hot_key_is_shared_and_the_others_stay_at_home() {
    for kind in KINDS {
        let mut printed = Vec::new();
        for percent in [None, Some(125), Some(200)] {
            let settings = format!(
                "strategy.kind = '{kind}'\n{}",
                percent.map_or(String::new(), |it| format!("hash.bounded_load_percent = {it}\n"))
            );
            let balancer = balancer(&settings, 10, 1);
            let mut rng = Rng::seeded(5);
            let homes: Vec<_> =
                (0..1_000).map(|i| *balancer.pick(&key(i)).unwrap().target()).collect();
            let hot = homes[0];
            let mut held = std::collections::VecDeque::new();
            let (mut most, mut away, mut cold, mut of_hot) = (0.0_f64, 0, 0, [0_u32; 10]);
            for step in 0..20_000 {
                if held.len() == 200 {
                    held.swap_remove_back(rng.below(200) as usize);
                }
                let i = if rng.below(2) == 0 { 0 } else { rng.below(1_000) };
                let lease = balancer.pick(&key(i)).unwrap();
                if step > 1_000 {
                    let at = *lease.target();
                    if i == 0 {
                        of_hot[at] += 1;
                    } else if homes[i as usize] != hot {
                        cold += 1;
                        away += u32::from(at != homes[i as usize]);
                    }
                    if step % 100 == 0 {
                        most = most.max(*in_flight(&balancer).iter().max().unwrap() as f64 / 20.0);
                    }
                }
                held.push_back(lease);
            }
            let away = f64::from(away) / f64::from(cold);
            let users = of_hot.iter().filter(|count| **count > 0).count();
            printed.push((percent, most, away, users));
        }
        for (percent, most, away, users) in &printed {
            println!(
                "{kind:9} {percent:?}: the fullest has {most:.2} times the mean; the hot key uses \
                 {users} endpoints; {:.1} % of the other keys' requests are away from home",
                100.0 * away
            );
        }
        let [
            (_, most_free, away_free, users_free),
            (_, most_tight, ..),
            (_, most_wide, away_wide, _),
        ] = printed[..]
        else {
            panic!("{printed:?}");
        };
        assert!(most_free > 5.0 && away_free == 0.0 && users_free == 1);
        assert!(most_tight <= 1.25 && most_wide <= 2.0);
        assert!(away_wide < 0.15, "{kind}: {away_wide}");
    }
}

/// Overflow goes to many and not to one neighbour, and always to the same.
#[test]
fn overflow_is_spread() {
    for kind in KINDS {
        let balancer = bounded(kind, 1_000, &[1; 50]);
        // Fill one endpoint: five keys of its own have all that is in flight.
        let home = *balancer.pick(&key(0)).unwrap().target();
        let keys: Vec<_> =
            (0..2_000).filter(|i| *balancer.pick(&key(*i)).unwrap().target() == home).collect();
        let mut held: Vec<_> = (0..4).map(|_| balancer.pick(&key(keys[0])).unwrap()).collect();
        held.retain(|lease| *lease.target() == home);
        assert_eq!(held.len(), 1, "the bound is one while so few are in flight");
        let second = |i: u64| *balancer.pick(&key(i)).unwrap().target();
        let seconds: Vec<_> = keys.iter().map(|i| second(*i)).collect();
        assert_eq!(seconds, keys.iter().map(|i| second(*i)).collect::<Vec<_>>());
        let distinct: std::collections::BTreeSet<_> = seconds.iter().collect();
        assert!(!distinct.contains(&home));
        assert!(distinct.len() * 3 > keys.len().min(49), "{kind}: {distinct:?} for {}", keys.len());
    }
}

#[test]
fn a_request_that_may_go_nowhere_else_goes_above_the_bound() {
    for kind in KINDS {
        let balancer = bounded(kind, 100, &[1, 1, 1]);
        let only = key(1).excluding(&id(0)).excluding(&id(1));
        let leases: Vec<_> = (0..9).map(|_| balancer.pick(&only).unwrap()).collect();
        assert!(leases.iter().all(|lease| *lease.target() == 2));
        // And is counted, so that others go elsewhere.
        let next: Vec<_> = (0..12).map(|i| balancer.pick(&key(i)).unwrap()).collect();
        assert!(next.iter().all(|lease| *lease.target() != 2));
    }
}

#[test]
fn a_bound_may_come_and_go_with_requests_in_flight() {
    for kind in KINDS {
        let free = format!("strategy.kind = '{kind}'\n");
        let tight = free.clone() + "hash.bounded_load_percent = 125\n";
        let balancer = balancer(&free, 4, 1);
        let before: Vec<_> = (0..10).map(|_| balancer.pick(&key(1)).unwrap()).collect();
        balancer.apply(support::config(&tight)).unwrap();
        let during: Vec<_> = (0..10).map(|_| balancer.pick(&key(1)).unwrap()).collect();
        let home = *before[0].target();
        // What began before counts where everybody looks full: twenty at four, 7 at most each.
        assert!(during.iter().all(|lease| *lease.target() != home), "it is full from before");
        let most = in_flight(&balancer).into_iter().filter(|&it| it != 10).max().unwrap();
        assert!(most <= bound(125, 20, 1, &[1; 4]), "{kind}: {most}");
        balancer.apply(support::config(&free)).unwrap();
        drop((before, during));
        balancer.apply(support::config(&tight)).unwrap();
        let leases: Vec<_> = (0..8).map(|_| balancer.pick(&key(1)).unwrap()).collect();
        let most = in_flight(&balancer).into_iter().max().unwrap();
        assert!(most <= bound(125, leases.len() as u64, 1, &[1; 4]), "{kind}: {most}");
    }
}

/// Asks a bounded table and does not follow it, in the tier that has the label `shunned`.
#[derive(Debug)]
struct Contrary(Maglev);

#[derive(Debug)]
struct ContraryPicker {
    inner: Box<dyn Picker>,
    is_shunned: bool,
}

impl Strategy for Contrary {
    fn build(&self, candidates: &Candidates<'_>) -> Box<dyn Picker> {
        let is_shunned = candidates.iter().any(|candidate| candidate.label("shunned").is_some());
        Box::new(ContraryPicker { inner: self.0.build(candidates), is_shunned })
    }
}

impl Picker for ContraryPicker {
    fn pick(&self, cx: &mut PickContext<'_>) -> Option<usize> {
        // Elsewhere it chooses without asking.
        if self.is_shunned { self.inner.pick(cx).and(None) } else { Some(0) }
    }

    fn shares(&self) -> Vec<f64> {
        self.inner.shares()
    }
}

/// The place that was taken for such a request is given back, and is no other endpoint's.
#[test]
fn a_place_that_is_not_followed_is_given_back() {
    let bounds = HashConfig::default().with_bounded_load_percent(Some(125)).unwrap();
    let settings = "[strategy]\nkind = 'custom'\ncustom = 'contrary'";
    let balancer = Balancer::builder()
        .strategy("contrary", Contrary(Maglev::new(&bounds)))
        .config(support::config(settings))
        .endpoint(Endpoint::new("first", ()).label("shunned", "yes"))
        .endpoint(Endpoint::new("second", ()).tier(1))
        .build()
        .unwrap();
    let in_flight = |id: &str| balancer.status().endpoint(&id.into()).unwrap().in_flight;
    for i in 0..100 {
        let lease = balancer.pick(&key(i)).unwrap();
        assert_eq!((in_flight("first"), in_flight("second")), (0, 1));
        lease.finish(Outcome::Success);
        assert_eq!((in_flight("first"), in_flight("second")), (0, 0));
    }
}
