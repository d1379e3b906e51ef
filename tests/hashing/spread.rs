//! Requests without a key, and keys over tiers and zones.

use evenkeel::{Config, Event, Key};

use crate::support::{balancer, chi_square, config, endpoint, id, pick, received};
use crate::{FREE, KINDS, SECOND, by_key, mapping};

#[test]
fn requests_without_a_key_are_spread_by_weight() {
    for kind in KINDS {
        for bound in ["", "[hash]\nbounded_load_percent = 125\n"] {
            let balancer = balancer(&(by_key(kind) + bound), 0, 7);
            balancer.replace((0..5).map(|i| endpoint(i).weight(1 + i as u32))).unwrap();
            let mut counts = [0; 5];
            (0..20_000).for_each(|_| counts[*pick(&balancer).target()] += 1);
            let score = chi_square(&counts, &[1.0, 2.0, 3.0, 4.0, 5.0]);
            assert!(score < 33.0, "{kind} {bound}: {counts:?}: {score}");
        }
    }
}

fn keyless(events: Vec<Event>) -> Vec<String> {
    let told = |event| match event {
        Event::Keyless { strategy } => Some(strategy),
        _ => None,
    };
    events.into_iter().filter_map(told).collect()
}

#[tokio::test(start_paused = true)]
async fn the_first_request_without_a_key_is_told() {
    for kind in KINDS {
        let balancer = balancer(&by_key(kind), 3, 7);
        let mut events = balancer.subscribe();
        mapping(&balancer, 10);
        assert_eq!(keyless(received(&mut events)), [""; 0], "they have keys");
        (0..10).for_each(|_| drop(pick(&balancer)));
        assert_eq!(keyless(received(&mut events)), [kind]);
        // Neither another set nor health is news of it.
        balancer.insert(endpoint(9)).unwrap();
        balancer.eject(&id(1), SECOND).unwrap();
        (0..10).for_each(|_| drop(pick(&balancer)));
        assert_eq!(keyless(received(&mut events)), [""; 0]);
        balancer.apply(config(&(by_key(kind) + "[limits]\nattempt_timeout = '1s'"))).unwrap();
        (0..10).for_each(|_| drop(pick(&balancer)));
        assert_eq!(keyless(received(&mut events)), [kind]);
        balancer.apply(Config::default()).unwrap();
        (0..10).for_each(|_| drop(pick(&balancer)));
        assert_eq!(keyless(received(&mut events)), [""; 0], "where no key is needed");
    }
}

/// Half of tier 0 is out, so that tier 1 takes a part: always the same keys.
#[tokio::test(start_paused = true)]
async fn a_key_stays_in_its_tier_while_the_parts_do() {
    for kind in KINDS {
        let balancer = balancer(&(by_key(kind) + FREE), 0, 7);
        balancer.replace((0..12).map(|i| endpoint(i).tier(u32::from(i >= 6)))).unwrap();
        let well = mapping(&balancer, 2_000);
        assert!(well.iter().all(|at| *at < 6));
        for at in [0, 1, 2] {
            balancer.eject(&id(at), 600 * SECOND).unwrap();
        }
        let half = mapping(&balancer, 2_000);
        assert_eq!(mapping(&balancer, 2_000), half);
        let below = half.iter().filter(|at| **at >= 6).count() as f64 / 2_000.0;
        let load = balancer.status().tiers[1].load;
        assert!((below - load).abs() < 0.04 && load > 0.2, "{kind}: {below} of {load}");
        balancer.eject(&id(3), 600 * SECOND).unwrap();
        let third = mapping(&balancer, 2_000);
        for (before, after) in half.iter().zip(&third) {
            // More spills, and what was there before stays there, on the endpoint where it was.
            assert!(*before < 6 || after == before, "{kind}: {before} {after}");
            assert!(*before >= 6 || *before == 3 || after == before || *after >= 6);
        }
        // Which tier a key is in says nothing of its endpoint there.
        let counts = (6..12).map(|at| half.iter().filter(|it| **it == at).count() as u64);
        let counts: Vec<_> = counts.collect();
        let shares: Vec<_> =
            balancer.status().endpoints[6..].iter().map(|it| it.expected_share).collect();
        assert!(chi_square(&counts, &shares) < 35.0, "{kind}: {counts:?}");
    }
}

#[test]
fn other_strategies_draw_tiers_whatever_the_key_is() {
    let balancer = balancer(&(by_key("random") + FREE), 0, 7);
    balancer.replace((0..4).map(|i| endpoint(i).tier(u32::from(i >= 2)))).unwrap();
    balancer.eject(&id(0), 600 * SECOND).unwrap();
    let key = Key::from_hash(42);
    let tiers = (0..200).map(|_| *balancer.pick(&key).unwrap().target() >= 2);
    let below = tiers.filter(|below| *below).count();
    assert!((20..120).contains(&below), "{below}");
}
