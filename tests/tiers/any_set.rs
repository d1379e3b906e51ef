//! Promises for any tiers, zones, weights and states.

use std::collections::BTreeMap;

use evenkeel::{Availability, Status};
use proptest::prelude::*;

use crate::support::{Numbered, chi_square, endpoint, id, sequence};
use crate::{FREE, LONG, balancer};

#[derive(Clone, Debug)]
struct One {
    tier: u32,
    zone: usize,
    weight: u32,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    Well,
    Ejected,
    Drained,
    Disabled,
}

const ZONES: [&str; 3] = ["a", "b", "c"];

fn one() -> impl Strategy<Value = One> {
    let state = prop_oneof![
        4 => Just(State::Well),
        3 => Just(State::Ejected),
        1 => Just(State::Drained),
        1 => Just(State::Disabled),
    ];
    (0..4_u32, 0..4_usize, prop_oneof![6 => 1..10_u32, 1 => Just(0)], state)
        .prop_map(|(tier, zone, weight, state)| One { tier, zone, weight, state })
}

#[derive(Clone, Debug)]
struct Set {
    all: Vec<One>,
    zone: Option<usize>,
    factor: u32,
    panics: bool,
}

fn set() -> impl Strategy<Value = Set> {
    let all = prop::collection::vec(one(), 1..24);
    (all, prop::option::of(0..3_usize), 100..300_u32, any::<bool>())
        .prop_map(|(all, zone, factor, panics)| Set { all, zone, factor, panics })
}

impl Set {
    fn balancer(&self) -> Numbered {
        let Self { zone, factor, panics, .. } = self;
        let zone = zone.map(|zone| format!("zone = '{}'\n", ZONES[zone])).unwrap_or_default();
        let panic = if *panics { "" } else { "panic = false\n" };
        let settings = format!(
            "{panic}[strategy]\nkind = 'random'\n[tiers]\noverprovisioning_percent = {factor}\n\
             {zone}{FREE}"
        );
        let endpoints = self.all.iter().enumerate().map(|(number, one)| {
            let endpoint = endpoint(number).tier(one.tier).weight(one.weight);
            match ZONES.get(one.zone) {
                Some(zone) => endpoint.zone(zone),
                None => endpoint,
            }
        });
        let balancer = balancer(&settings, endpoints.collect());
        self.put(&balancer, 0..self.all.len());
        balancer
    }

    fn put(&self, balancer: &Numbered, numbers: impl IntoIterator<Item = usize>) {
        for number in numbers {
            match self.all[number].state {
                State::Well => drop(balancer.enable(&id(number)).unwrap()),
                State::Ejected => drop(balancer.eject(&id(number), LONG).unwrap()),
                State::Drained => drop(balancer.drain(&id(number)).unwrap()),
                State::Disabled => drop(balancer.disable(&id(number)).unwrap()),
            }
        }
    }

    fn is_served(&self) -> bool {
        let in_rotation =
            |one: &&One| one.weight > 0 && matches!(one.state, State::Well | State::Ejected);
        let rotation = || self.all.iter().filter(in_rotation);
        rotation().any(|one| one.state == State::Well)
            || (self.panics && rotation().next().is_some())
    }
}

/// The loads of tiers by the formula, from what status says of its endpoints.
fn healths(status: &Status, factor: u32) -> BTreeMap<u32, f64> {
    let mut tiers: BTreeMap<u32, (f64, f64)> = BTreeMap::new();
    for it in &status.endpoints {
        let (whole, fit) = match it.state {
            Availability::Available | Availability::Warming => (it.weight, it.weight),
            Availability::Ejected | Availability::Probing | Availability::Unhealthy => {
                (it.weight, 0)
            }
            _ => (0, 0),
        };
        let tier = tiers.entry(it.tier).or_default();
        tier.0 += f64::from(whole);
        tier.1 += f64::from(fit);
    }
    tiers.retain(|_, (whole, _)| *whole > 0.0);
    let health = |(whole, fit): (f64, f64)| (f64::from(factor) / 100.0 * fit / whole).min(1.0);
    tiers.into_iter().map(|(tier, capacity)| (tier, health(capacity))).collect()
}

fn shares(status: &Status) -> Vec<f64> {
    status.endpoints.iter().map(|it| it.expected_share).collect()
}

fn of_tier(status: &Status, tier: u32) -> f64 {
    let of_tier = status.endpoints.iter().filter(|it| it.tier == tier);
    of_tier.map(|it| it.expected_share).sum()
}

const CASES: u32 = if cfg!(debug_assertions) { 40 } else { 400 };

proptest! {
    #![proptest_config(ProptestConfig::with_cases(CASES))]

    #[test]
    fn shares_sum_to_one_and_no_tier_is_passed_over(set in set()) {
        let balancer = set.balancer();
        let status = balancer.status();
        let sum: f64 = shares(&status).iter().sum();
        let expected = if set.is_served() { 1.0 } else { 0.0 };
        prop_assert!((sum - expected).abs() < 1e-9, "{} {:?}", sum, status);
        prop_assert_eq!(balancer.pick(&evenkeel::Key::none()).is_ok(), set.is_served());

        let healths = healths(&status, set.factor);
        let together: f64 = healths.values().sum();
        for (at, (&tier, &health)) in healths.iter().enumerate() {
            let below: f64 = healths.keys().skip(at + 1).map(|&tier| of_tier(&status, tier)).sum();
            if below > 1e-9 && together > 0.0 {
                prop_assert!(of_tier(&status, tier) >= health - 1e-9, "{:?}", status);
            }
        }
        for it in &status.endpoints {
            let panics = status.tiers.iter().any(|tier| tier.tier == it.tier && tier.panic);
            let may = match it.state {
                Availability::Available => it.weight > 0,
                Availability::Ejected => panics && it.weight > 0,
                _ => false,
            };
            prop_assert!(may || it.expected_share == 0.0, "{:?}", it);
        }
        for tier in &status.tiers {
            prop_assert!((tier.load - of_tier(&status, tier.tier)).abs() < 1e-9 || sum == 0.0);
            if tier.panic {
                prop_assert!(set.panics && 2 * tier.admitted < tier.endpoints);
                prop_assert!(healths.len() == 1 || together < 1.0);
            }
        }
    }

    #[test]
    fn requests_go_where_the_shares_say(set in set()) {
        prop_assume!(set.is_served());
        let balancer = set.balancer();
        let parts = shares(&balancer.status());
        let mut counts = vec![0_u64; parts.len()];
        for got in sequence(&balancer, 4_000) {
            counts[balancer.status().endpoints.binary_search_by(|it| it.id.cmp(&got)).unwrap()] += 1;
        }
        let used: Vec<_> = (0..parts.len()).filter(|&at| parts[at] > 0.0).collect();
        prop_assert_eq!(used.iter().map(|&at| counts[at]).sum::<u64>(), 4_000, "only who has a share");
        // Those who are to get less than five are looked at together.
        let (few, many): (Vec<_>, Vec<_>) = used.into_iter().partition(|&at| parts[at] < 5.0 / 4_000.0);
        let mut binned: Vec<_> = many.iter().map(|&at| (counts[at], parts[at])).collect();
        if !few.is_empty() {
            let sum = few.iter().fold((0, 0.0), |(n, p), &at| (n + counts[at], p + parts[at]));
            if sum.1 * 4_000.0 >= 5.0 { binned.push(sum) }
        }
        let (counts, parts): (Vec<_>, Vec<_>) = binned.into_iter().unzip();
        let freedom = counts.len().saturating_sub(1) as f64;
        // Ten deviations: of thousands of cases none is to fail by chance.
        prop_assert!(chi_square(&counts, &parts) <= freedom + 10.0 * (2.0 * freedom).sqrt() + 10.0);
    }

    #[test]
    fn one_endpoint_moves_no_more_than_its_part(
        mut set in set(),
        which in any::<prop::sample::Index>(),
    ) {
        let number = which.index(set.all.len());
        set.all[number].state = State::Well;
        set.all[number].weight = set.all[number].weight.max(1);
        let balancer = set.balancer();
        let before = balancer.status();
        let mut after = set.clone();
        after.all[number].state = State::Ejected;
        after.put(&balancer, [number]);
        let now = balancer.status();
        let (tier, weight) = (set.all[number].tier, f64::from(set.all[number].weight));
        let same = |it: &&evenkeel::EndpointStatus| {
            it.tier == tier && matches!(it.state, Availability::Available | Availability::Ejected)
        };
        let whole: f64 = before.endpoints.iter().filter(same).map(|it| f64::from(it.weight)).sum();
        let moved = f64::from(set.factor) / 100.0 * weight / whole;
        let left: f64 = healths(&now, set.factor).values().sum();
        prop_assume!(left > 0.0);
        for tier in 0..4 {
            let jump = (of_tier(&before, tier) - of_tier(&now, tier)).abs();
            prop_assert!(jump <= 2.0 * moved / left.min(1.0) + 1e-9, "{} {} {}", jump, moved, left);
        }
    }
}
