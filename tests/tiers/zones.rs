//! From zone to zone.

use evenkeel::Endpoint;

use crate::support::{Numbered, endpoint, id, sequence};
use crate::{FREE, balancer, chosen, close, eject, excluding};

/// Endpoints by zone, numbered through; an empty name is none.
fn zoned(zones: &[(&str, usize)]) -> Vec<Endpoint<usize>> {
    let zones = zones.iter().flat_map(|&(zone, size)| vec![zone; size]);
    let endpoint = |(number, zone): (usize, &str)| match zone {
        "" => endpoint(number),
        zone => endpoint(number).zone(zone),
    };
    zones.enumerate().map(endpoint).collect()
}

/// The percentages that the zones get, as status has them and as requests do.
fn shares(balancer: &Numbered, zones: &[&str]) -> Vec<f64> {
    let status = balancer.status();
    let zone_of = |zone: &Option<String>| zone.clone().unwrap_or_default();
    let mut counts = vec![0_u32; zones.len()];
    for id in sequence(balancer, 20_000) {
        let zone = zone_of(&status.endpoint(&id).unwrap().zone);
        counts[zones.iter().position(|it| *it == zone).unwrap()] += 1;
    }
    let expected = |zone: &&str| {
        let of_zone = status.endpoints.iter().filter(|it| zone_of(&it.zone) == **zone);
        100.0 * of_zone.map(|it| it.expected_share).sum::<f64>()
    };
    let expected: Vec<_> = zones.iter().map(expected).collect();
    let counts: Vec<_> = counts.iter().map(|&count| f64::from(count) / 200.0).collect();
    close(&counts, &expected, 1.5);
    expected
}

const HERE: &str = "[tiers]\nzone = 'here'\n";

#[test]
fn the_own_zone_is_preferred_as_far_as_it_goes() {
    let zones = ["here", "there"];
    for (sizes, expected) in [
        ([5, 5], [100.0, 0.0]),
        ([7, 3], [100.0, 0.0]),
        ([4, 6], [80.0, 20.0]),
        ([1, 9], [20.0, 80.0]),
    ] {
        let balancer = balancer(HERE, zoned(&[(zones[0], sizes[0]), (zones[1], sizes[1])]));
        close(&shares(&balancer, &zones), &expected, 1e-9);
    }
}

#[test]
fn without_a_zone_of_its_own_zones_are_not_looked_at() {
    let balancer = balancer("", zoned(&[("here", 1), ("there", 3)]));
    close(&shares(&balancer, &["here", "there"]), &[25.0, 75.0], 1e-9);
}

#[test]
fn a_zone_that_fails_sends_away_what_it_cannot_carry() {
    let endpoints = zoned(&[("here", 10), ("there", 10), ("away", 10)]);
    let balancer = balancer(&format!("panic = false\n{HERE}{FREE}"), endpoints);
    eject(&balancer, 0..5);
    // 5 of 25 are here, where a third of the callers are.
    let zones = ["here", "there", "away"];
    close(&shares(&balancer, &zones), &[60.0, 20.0, 20.0], 1e-6);
    eject(&balancer, 5..10);
    close(&shares(&balancer, &zones), &[0.0, 50.0, 50.0], 1e-6);
    eject(&balancer, 10..20);
    close(&shares(&balancer, &zones), &[0.0, 0.0, 100.0], 1e-6);
}

#[test]
fn endpoints_in_no_zone_take_what_is_left() {
    let balancer = balancer(HERE, zoned(&[("here", 2), ("", 2)]));
    // Nobody calls from no zone, so all callers are here, and each endpoint gets the same.
    close(&shares(&balancer, &["here", ""]), &[50.0, 50.0], 1e-9);
}

#[test]
fn a_zone_without_endpoints_uses_the_others() {
    let balancer = balancer(HERE, zoned(&[("there", 1), ("away", 1)]));
    close(&shares(&balancer, &["there", "away"]), &[50.0, 50.0], 1e-9);
}

#[test]
fn callers_can_be_said_to_be_elsewhere() {
    let settings = format!("{HERE}zone_callers_percent = 100");
    let balancer = balancer(&settings, zoned(&[("here", 2), ("there", 6)]));
    close(&shares(&balancer, &["here", "there"]), &[25.0, 75.0], 1e-9);
}

#[test]
fn zones_are_looked_at_within_each_tier() {
    let mut endpoints = zoned(&[("here", 2), ("there", 2), ("here", 1), ("there", 3)]);
    for endpoint in &mut endpoints[4..] {
        *endpoint = endpoint.clone().tier(1);
    }
    let balancer = balancer(HERE, endpoints);
    close(&shares(&balancer, &["here", "there"]), &[100.0, 0.0], 1e-9);
    for number in 0..4 {
        balancer.disable(&id(number)).unwrap();
    }
    close(&shares(&balancer, &["here", "there"]), &[50.0, 50.0], 1e-9);
}

#[test]
fn who_excludes_the_own_zone_crosses() {
    let balancer = balancer(HERE, zoned(&[("here", 2), ("there", 2)]));
    assert!(chosen(&balancer, &excluding([0, 1])) >= id(2));
}

#[test]
fn an_operator_moves_the_balancer_to_another_zone() {
    let balancer = balancer(HERE, zoned(&[("here", 2), ("there", 2)]));
    close(&shares(&balancer, &["here", "there"]), &[100.0, 0.0], 1e-9);
    balancer.apply(crate::config("[tiers]\nzone = 'there'")).unwrap();
    close(&shares(&balancer, &["here", "there"]), &[0.0, 100.0], 1e-9);
}
