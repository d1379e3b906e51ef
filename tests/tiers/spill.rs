//! From tier to tier.

use evenkeel::{Key, PickError};

use crate::support::{STRATEGIES, id, sequence, strategy};
use crate::{FREE, balancer, chosen, close, eject, excluding, loads, realised, tiered};

#[test]
fn a_tier_that_is_well_carries_everything() {
    for kind in STRATEGIES {
        let balancer = balancer(&strategy(kind), tiered(&[2, 8]));
        close(&realised(&balancer, 2, 2_000), &[100.0, 0.0], 0.0);
        let status = balancer.status();
        let shares: Vec<_> = status.endpoints.iter().map(|it| it.expected_share).collect();
        close(&shares, &[0.5, 0.5, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0], 1e-9);
        let [first, second] = &status.tiers[..] else { panic!("{:?}", status.tiers) };
        assert_eq!((first.endpoints, first.admitted, first.load), (2, 2, 1.0));
        assert_eq!((second.tier, second.admitted, second.load), (1, 8, 0.0));
    }
}

#[test]
fn envoys_table_comes_true_for_every_strategy() {
    // Healthy percentages and the loads of Envoy's documentation ("Priority levels").
    let table: [(&[usize], &[f64]); 8] = [
        (&[72, 72], &[100.0, 0.0]),
        (&[71, 71], &[99.0, 1.0]),
        (&[50, 50], &[70.0, 30.0]),
        (&[25, 100], &[35.0, 65.0]),
        (&[25, 25], &[50.0, 50.0]),
        (&[0, 100], &[0.0, 100.0]),
        (&[5, 65], &[7.0, 93.0]),
        (&[25, 25, 20], &[36.0, 36.0, 28.0]),
    ];
    for kind in STRATEGIES {
        for (healthy, expected) in table {
            let settings = format!("panic = false\n{}\n{FREE}", strategy(kind));
            let balancer = balancer(&settings, tiered(&vec![100; healthy.len()]));
            for (tier, healthy) in healthy.iter().enumerate() {
                eject(&balancer, 100 * tier..100 * (tier + 1) - healthy);
            }
            close(&loads(&balancer), expected, 1.0);
            // Four times the deviation of 10,000 draws.
            close(&realised(&balancer, healthy.len(), 10_000), &loads(&balancer), 2.0);
        }
    }
}

#[test]
fn a_heavier_endpoint_counts_for_more() {
    let mut endpoints = tiered(&[2, 1]);
    endpoints[0] = endpoints[0].clone().weight(3);
    let balancer = balancer("[tiers]\noverprovisioning_percent = 100", endpoints);
    eject(&balancer, [1]);
    close(&loads(&balancer), &[75.0, 25.0], 1e-9);
}

#[test]
fn whom_operators_take_out_does_not_count() {
    let balancer = balancer("", tiered(&[4, 4]));
    drop(balancer.drain(&id(0)).unwrap());
    balancer.disable(&id(1)).unwrap();
    balancer.set_weight(&id(2), 0).unwrap();
    close(&loads(&balancer), &[100.0, 0.0], 0.0);
    drop(balancer.drain(&id(3)).unwrap());
    assert_eq!(balancer.status().tiers.len(), 1);
    assert!(sequence(&balancer, 100).iter().all(|it| *it >= id(4)));
}

#[test]
fn a_request_that_excludes_a_tier_goes_on_to_the_next() {
    for kind in STRATEGIES {
        let balancer = balancer(&strategy(kind), tiered(&[1, 2, 1]));
        assert_eq!(chosen(&balancer, &excluding([0, 1])), id(2));
        assert_eq!(chosen(&balancer, &excluding([0, 1, 2])), id(3));
        let refused = balancer.pick(&excluding([0, 1, 2, 3]));
        assert_eq!(refused.unwrap_err(), PickError::AllExcluded);
    }
}

#[test]
fn numbers_of_tiers_have_gaps_and_ends() {
    let endpoints = vec![
        crate::support::endpoint(0).tier(u32::MAX),
        crate::support::endpoint(1).tier(7),
        crate::support::endpoint(2).tier(u32::MAX),
    ];
    let balancer = balancer("", endpoints);
    assert!(sequence(&balancer, 50).iter().all(|it| *it == id(1)));
    balancer.disable(&id(1)).unwrap();
    let got = sequence(&balancer, 50);
    assert!(got.contains(&id(0)) && got.contains(&id(2)) && !got.contains(&id(1)));
}

#[test]
fn tiers_can_be_switched_off_and_on() {
    let balancer = balancer("tiers = false\n[strategy]\nkind = 'round_robin'", tiered(&[1, 3]));
    close(&realised(&balancer, 2, 400), &[25.0, 75.0], 0.25);
    assert_eq!(balancer.status().tiers.len(), 1);
    balancer.apply(crate::config("[strategy]\nkind = 'round_robin'")).unwrap();
    close(&realised(&balancer, 2, 400), &[100.0, 0.0], 0.0);
}

#[test]
fn each_tier_keeps_its_place_in_the_round() {
    let balancer = balancer(&strategy(STRATEGIES[0]), tiered(&[3, 3]));
    let mut second = Vec::new();
    for round in 0..6 {
        // One request at a time goes to the second tier, whatever goes on in the first.
        second.push(chosen(&balancer, &Key::none()));
        for number in 0..3 {
            balancer.disable(&id(number)).unwrap();
        }
        second.pop();
        second.push(chosen(&balancer, &Key::none()));
        for number in 0..3 {
            balancer.enable(&id(number)).unwrap();
        }
        sequence(&balancer, round);
    }
    let mut turns: Vec<_> = second[..3].to_vec();
    turns.sort();
    assert_eq!(turns, [id(3), id(4), id(5)], "each in its turn: {second:?}");
    assert_eq!(second[..3], second[3..]);
}

#[test]
fn ten_thousand_tiers_are_as_good_as_one() {
    let endpoints = (0..10_000).map(|n| crate::support::endpoint(n).tier(n as u32)).collect();
    let balancer = balancer("", endpoints);
    assert_eq!(chosen(&balancer, &Key::none()), id(0));
    assert_eq!(chosen(&balancer, &excluding(0..50)), id(50));
}
