//! The figures of the documentation: how even parts are, and how many keys move.

use crate::support::{balancer, config, id};
use crate::{KINDS, by_key, mapping, moved};

const KEYS: usize = 100_000;

fn peak_to_mean(mapping: &[usize], n: usize) -> f64 {
    let mut counts = vec![0_u32; n];
    mapping.iter().for_each(|at| counts[*at] += 1);
    f64::from(*counts.iter().max().unwrap()) * n as f64 / mapping.len() as f64
}

/// `cargo test --all-features --test hashing figures -- --nocapture` prints what the guide says.
#[test]
fn parts_are_even_and_few_keys_move() {
    for (kind, sizes, even, out, removed) in [
        ("maglev", "", 1.10, 0.0, 0.04),
        ("ring_hash", "", 1.35, 0.0, 0.14),
        ("ring_hash", "[hash]\nmin_ring_size = 65536\n", 1.10, 0.0, 0.12),
    ] {
        let n = 10;
        let balancer = balancer(&(by_key(kind) + sizes), n, 1);
        let before = mapping(&balancer, KEYS);
        let peak = peak_to_mean(&before, n);
        let owned = before.iter().filter(|at| **at == 3).count();
        drop(balancer.drain(&id(3)).unwrap());
        let drained = mapping(&balancer, KEYS);
        let beyond_drained = moved(&before, &drained) - owned;
        balancer.remove(&id(3)).unwrap();
        let gone = mapping(&balancer, KEYS);
        let beyond_removed = moved(&before, &gone) - owned;
        let part = |keys: usize| keys as f64 / KEYS as f64;
        println!(
            "{kind:9} {sizes:?}: peak to mean {peak:.3}; of {n}, one owns {:.1} % of the keys; out, \
             {:.1} % of the others' move; removed, {:.1} %",
            100.0 * part(owned),
            100.0 * part(beyond_drained),
            100.0 * part(beyond_removed),
        );
        assert!(peak <= even, "{kind}: {peak}");
        assert!(part(beyond_drained) <= out, "{kind}");
        assert!(part(beyond_removed) <= removed, "{kind}: {}", part(beyond_removed));
    }
}

#[test]
fn shares_are_the_parts_of_the_keys() {
    for kind in KINDS {
        let balancer = balancer(&by_key(kind), 10, 1);
        for out in [None, Some(2), Some(7)] {
            if let Some(out) = out {
                drop(balancer.drain(&id(out)).unwrap());
            }
            let mapping = mapping(&balancer, KEYS);
            let status = balancer.status();
            for (at, endpoint) in status.endpoints.iter().enumerate() {
                let got = mapping.iter().filter(|it| **it == at).count() as f64 / KEYS as f64;
                let expected = endpoint.expected_share;
                assert!((got - expected).abs() < 0.005, "{kind}: {got} of {expected}");
            }
        }
        let all: f64 = balancer.status().endpoints.iter().map(|it| it.expected_share).sum();
        assert!((all - 1.0).abs() < 1e-9);
    }
}

#[test]
fn a_preview_foresees_the_parts() {
    for kind in KINDS {
        let balancer = balancer("", 10, 1);
        drop(balancer.drain(&id(4)).unwrap());
        let coming = config(&by_key(kind));
        let preview = balancer.preview(&coming).unwrap();
        balancer.apply(coming).unwrap();
        let status = balancer.status();
        for (share, endpoint) in preview.shares.iter().zip(&status.endpoints) {
            assert_eq!(share.id, endpoint.id);
            assert!((share.after_now - endpoint.expected_share).abs() < 1e-9, "{kind}");
        }
        // What a heavier endpoint would make of it, by the wheel that would be.
        let heavier = balancer.preview_weight(&id(0), 5).unwrap();
        let share = heavier.shares.iter().find(|it| it.id == id(0)).unwrap();
        assert!((share.after_now - 5.0 / 13.0).abs() < 0.08, "{kind}: {share:?}");
        assert!(share.after_now > share.before_now);
    }
}
