//! Wheels beside slow and obvious ones.

use proptest::prelude::*;

use crate::hash;
use crate::strategy::hashing::maglev::Table;
use crate::strategy::hashing::ring::{Ring, Sizes};
use crate::strategy::hashing::wheel::Wheel;
use crate::units::EndpointId;

fn owners(weights: &[u32]) -> Vec<(EndpointId, u32)> {
    let owner = |(at, &weight): (usize, &u32)| (EndpointId::from(format!("e{at:03}")), weight);
    weights.iter().enumerate().map(owner).collect()
}

/// The ring as A42 has it: all points in a list, searched from its beginning.
fn ring_of_a42(owners: &[(EndpointId, u32)], sizes: Sizes) -> Vec<(u64, u32)> {
    let total: f64 = owners.iter().map(|(_, weight)| f64::from(*weight)).sum();
    let normalised: Vec<_> = owners.iter().map(|(_, weight)| f64::from(*weight) / total).collect();
    let lightest = normalised.iter().copied().fold(f64::INFINITY, f64::min);
    let scale = ((lightest * f64::from(sizes.min)).ceil() / lightest).min(f64::from(sizes.max));
    let (mut ring, mut target) = (Vec::new(), 0.0);
    for (at, (id, _)) in owners.iter().enumerate() {
        target += scale * normalised[at];
        for index in 0.. {
            if ring.len() as f64 >= target {
                break;
            }
            ring.push((hash::bytes(format!("{id}_{index}").as_bytes()), at as u32));
        }
    }
    ring.sort_unstable();
    ring
}

/// The table as the paper has it: whole permutations, and in each round everybody by turns.
fn table_of_the_paper(owners: &[(EndpointId, u32)], rows: u32) -> Vec<u32> {
    let n = u64::from(rows);
    let permutation = |(id, _): &(EndpointId, u32)| {
        let offset = hash::seeded(id.as_str().as_bytes(), 0) % n;
        let skip = hash::seeded(id.as_str().as_bytes(), 1) % (n - 1) + 1;
        (0..n).map(|j| ((offset + j * skip) % n) as usize).collect::<Vec<_>>()
    };
    let permutations: Vec<_> = owners.iter().map(permutation).collect();
    let heaviest = owners.iter().map(|it| u64::from(it.1)).max().unwrap();
    let mut next = vec![0; owners.len()];
    let mut targets = vec![0; owners.len()];
    let mut table = vec![None; rows as usize];
    for round in 1_u64.. {
        for (at, (_, weight)) in owners.iter().enumerate() {
            if round * u64::from(*weight) < targets[at] {
                continue;
            }
            targets[at] += heaviest;
            while table[permutations[at][next[at]]].is_some() {
                next[at] += 1;
            }
            table[permutations[at][next[at]]] = Some(at as u32);
            if table.iter().all(Option::is_some) {
                return table.into_iter().flatten().collect();
            }
        }
    }
    unreachable!("some round is the last")
}

fn weights() -> impl Strategy<Value = Vec<u32>> {
    let weight = prop_oneof![Just(1_u32), 1..10_u32, 1..1_000_u32, Just(u32::MAX)];
    prop_oneof![prop::collection::vec(Just(1_u32), 1..20), prop::collection::vec(weight, 1..20)]
}

proptest! {
    #[test]
    fn a_ring_is_that_of_a42(
        weights in weights(),
        (min, max) in (1..3_000_u32, 0..3_000_u32).prop_map(|(min, more)| (min, min + more)),
        hashes in prop::collection::vec(any::<u64>(), 20),
    ) {
        let (owners, sizes) = (owners(&weights), Sizes { min, max });
        let (ring, slow) = (Ring::build(sizes, &owners), ring_of_a42(&owners, sizes));
        prop_assert_eq!(ring.len(), slow.len());
        let all = slow.iter().flat_map(|&(at, _)| [at.wrapping_sub(1), at, at.wrapping_add(1)]);
        for hash in hashes.into_iter().chain(all).chain([0, u64::MAX]) {
            let at = slow.partition_point(|&(point, _)| point < hash);
            let expected = slow.get(at).unwrap_or(&slow[0]);
            prop_assert_eq!(ring.owner(ring.find(hash)), Some(expected.1));
        }
        let parts: f64 = (0..ring.len()).map(|at| ring.part(at)).sum();
        prop_assert!((parts - 1.0).abs() < 1e-9);
    }

    #[test]
    fn a_table_is_that_of_the_paper(
        weights in weights(),
        rows in prop::sample::select(vec![2_u32, 3, 7, 101, 211, 1_009]),
    ) {
        // Where one weighs far less than another, the slow table takes for ever.
        let least = weights.iter().max().unwrap().div_ceil(1_000);
        let weights: Vec<_> = weights.into_iter().map(|weight| weight.max(least)).collect();
        let owners = owners(&weights);
        let (table, slow) = (Table::build(rows, &owners), table_of_the_paper(&owners, rows));
        prop_assert_eq!(table.len(), slow.len());
        for (at, owner) in slow.iter().enumerate() {
            prop_assert_eq!(table.owner(at), Some(*owner));
            prop_assert_eq!(table.find(at as u64 + 5 * u64::from(rows)), at);
        }
    }

    #[test]
    fn a_table_gives_everybody_his_part_to_a_few_rows(weights in prop::collection::vec(1..200_u32, 1..30)) {
        let rows = 10_007;
        let owners = owners(&weights);
        let table = Table::build(rows, &owners);
        let all: f64 = weights.iter().copied().map(f64::from).sum();
        let mut counts = vec![0_u32; weights.len()];
        (0..table.len()).for_each(|at| counts[table.owner(at).unwrap() as usize] += 1);
        for (count, weight) in counts.iter().zip(&weights) {
            let part = f64::from(*weight) / all;
            let more = f64::from(*count) - f64::from(rows) * part;
            // Everybody has a row from the first round, which those who weigh little owe for long: so
            // of one row for each, everybody lacks as much as his part, and one more in a last round.
            let less = 1.0 + weights.len() as f64 * part;
            prop_assert!(-less <= more && more <= 2.0, "{count}, {more} more: {counts:?}");
        }
    }
}

/// Whether nobody and no group of owners has more than it can have at the most.
fn most_holds<W: Wheel>(shape: W::Shape, weights: &[u32], together: &[bool]) -> bool {
    let owners = owners(weights);
    let wheel = W::build(shape, &owners);
    let sum: f64 = weights.iter().copied().map(f64::from).sum();
    let mut parts = vec![0.0; weights.len()];
    (0..wheel.len()).for_each(|at| parts[wheel.owner(at).unwrap() as usize] += wheel.part(at));
    let holds = |of: &[usize]| {
        let got: f64 = of.iter().map(|&at| parts[at]).sum();
        let part = of.iter().map(|&at| f64::from(weights[at])).sum::<f64>() / sum;
        got <= W::most(shape, part, of.len()) + 1e-9
    };
    let together: Vec<_> = (0..weights.len()).filter(|&at| together[at % together.len()]).collect();
    (0..weights.len()).all(|at| holds(&[at])) && holds(&together)
}

proptest! {
    #[test]
    fn nobody_owns_more_than_at_the_most(
        weights in weights(),
        together in prop::collection::vec(any::<bool>(), 1..20),
        rows in prop::sample::select(vec![2_u32, 7, 101, 1_009, 10_007]),
        (min, max) in (1..3_000_u32, 0..3_000_u32).prop_map(|(min, more)| (min, min + more)),
    ) {
        prop_assert!(most_holds::<Table>(rows, &weights, &together));
        let sizes = Sizes { min, max };
        prop_assert!(most_holds::<Ring>(sizes, &weights, &together));
    }
}

#[test]
fn what_is_owned_at_the_most_is_worth_knowing() {
    // A thousand equal ones, and one of ten who are.
    let most = [Table::most(65_537, 0.001, 1), Table::most(65_537, 0.1, 1)];
    assert!(most[0] < 0.0011 && most[1] < 0.1001, "{most:?}");
    let sizes = Sizes { min: 1_024, max: 65_536 };
    let most = [Ring::most(sizes, 0.001, 1), Ring::most(sizes, 0.1, 1)];
    assert!(most[0] < 0.1 && most[1] < 0.25, "{most:?}");
}

#[test]
fn the_ends() {
    for weights in [&[1][..], &[u32::MAX], &[1, u32::MAX], &[u32::MAX; 40]] {
        let owners = owners(weights);
        let ring = Ring::build(Sizes { min: 1, max: 1 }, &owners);
        assert!(ring.len() >= 1);
        let table = Table::build(101, &owners);
        for hash in [0, 1, u64::MAX / 2, u64::MAX] {
            assert!(ring.owner(ring.find(hash)).is_some());
            assert!(table.owner(table.find(hash)).is_some());
        }
    }
}
