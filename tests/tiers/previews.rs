//! What is foretold of tiers and zones.

use crate::support::{config, endpoint, id};
use crate::{FREE, balancer, eject, tiered};

/// The columns of a preview come true when the settings are applied.
fn comes_true(before: &str, after: &str) {
    let endpoints = tiered(&[4, 4])
        .into_iter()
        .enumerate()
        .map(|(number, endpoint)| endpoint.zone(if number % 4 == 0 { "here" } else { "there" }));
    let balancer = balancer(&format!("{before}\n{FREE}"), endpoints.collect());
    eject(&balancer, [0, 1, 4]);
    let after = config(&format!("{after}\n{FREE}"));
    let preview = balancer.preview(&after).unwrap();
    let sum: f64 = preview.shares.iter().map(|share| share.after_now).sum();
    assert!((sum - 1.0).abs() < 1e-9, "{preview:?}");
    balancer.apply(after).unwrap();
    for (share, endpoint) in preview.shares.iter().zip(balancer.status().endpoints) {
        assert!((share.after_now - endpoint.expected_share).abs() < 1e-9, "{share:?} {endpoint:?}");
    }
}

#[test]
fn settings_of_tiers_are_previewed_as_they_come() {
    let all = [
        "",
        "tiers = false",
        "[tiers]\noverprovisioning_percent = 100",
        "[tiers]\nzone = 'here'",
        "[tiers]\nzone = 'there'\nzone_callers_percent = 90",
        "panic = false\n[tiers]\nzone = 'nowhere'",
        "[strategy]\nkind = 'round_robin'",
    ];
    for before in all {
        for after in all {
            comes_true(before, after);
        }
    }
}

#[test]
fn what_is_intended_knows_nothing_of_health() {
    let balancer = balancer(FREE, tiered(&[2, 2]));
    eject(&balancer, [0, 1]);
    let preview = balancer.preview_weight(&id(1), 3).unwrap();
    let intended: Vec<_> = preview.shares.iter().map(|share| share.after).collect();
    assert_eq!(intended, [0.25, 0.75, 0.0, 0.0]);
    let now: Vec<_> = preview.shares.iter().map(|share| share.after_now).collect();
    assert_eq!(now, [0.0, 0.0, 0.5, 0.5]);
}

#[test]
fn a_tier_of_one_is_told_by_the_share_guard() {
    let guarded = "[guard]\nmax_share_percent = 60";
    let balancer = balancer(guarded, tiered(&[2, 8]));
    let refused = balancer.remove(&id(0)).unwrap_err().to_string();
    assert!(refused.contains("100 %"), "{refused}");
    balancer.insert(endpoint(20)).unwrap();
    balancer.remove(&id(0)).unwrap();
}
