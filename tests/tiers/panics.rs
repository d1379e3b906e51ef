//! Tiers in which health is not believed.

use evenkeel::{Event, Key, PickError};

use crate::support::{id, received, sequence};
use crate::{FREE, balancer, close, eject, loads, realised, tiered};

#[test]
fn nobody_panics_while_the_others_carry_everything() {
    let balancer = balancer(FREE, tiered(&[10, 10]));
    let mut events = balancer.subscribe();
    eject(&balancer, 0..8);
    let status = balancer.status();
    assert!(!status.panic);
    assert!(status.tiers.iter().all(|tier| !tier.panic));
    close(&loads(&balancer), &[28.0, 72.0], 1e-6);
    assert!(sequence(&balancer, 1_000).iter().all(|it| *it >= id(8)), "the sick stay out");
    assert!(!received(&mut events).iter().any(|event| matches!(event, Event::Panic { .. })));
}

#[test]
fn each_tier_panics_for_itself() {
    let settings = format!("[tiers]\noverprovisioning_percent = 100\n{FREE}");
    let balancer = balancer(&settings, tiered(&[10, 10]));
    let mut events = balancer.subscribe();
    eject(&balancer, 0..8);
    received(&mut events);
    // 20 % and 40 % are not enough.
    eject(&balancer, 10..16);
    let panics: Vec<_> = received(&mut events)
        .into_iter()
        .filter(|event| matches!(event, Event::Panic { .. }))
        .map(|event| event.to_string())
        .collect();
    // The first was below half before, and is needed as soon as both cannot carry everything.
    assert_eq!(
        panics,
        [
            "panic: only 2 of 10 endpoints are well, all are used",
            "panic in tier 1: only 4 of 10 endpoints are well, all are used",
        ]
    );
    let status = balancer.status();
    assert!(status.panic && status.tiers.iter().all(|tier| tier.panic));
    close(&loads(&balancer), &[100.0 / 3.0, 200.0 / 3.0], 1e-6);
    close(&realised(&balancer, 2, 10_000), &loads(&balancer), 2.0);
    let got = sequence(&balancer, 2_000);
    assert!((0..20).all(|number| got.contains(&id(number))), "all of both are used");

    balancer.enable(&id(10)).unwrap();
    assert!(balancer.status().tiers[1].panic, "half are well, which is below `exit_percent`");
    balancer.enable(&id(11)).unwrap();
    let status = balancer.status();
    assert!(status.tiers[0].panic && !status.tiers[1].panic, "{:?}", status.tiers);
}

#[test]
fn a_tier_panics_beside_one_that_does_not() {
    let balancer = balancer(FREE, tiered(&[10, 10]));
    eject(&balancer, (0..8).chain(10..15));
    let status = balancer.status();
    assert!(status.tiers[0].panic && !status.tiers[1].panic, "{:?}", status.tiers);
    let got = sequence(&balancer, 2_000);
    assert!((0..10).all(|number| got.contains(&id(number))));
    assert!((10..15).all(|number| !got.contains(&id(number))));
    assert!((15..20).all(|number| got.contains(&id(number))));
}

#[test]
fn without_panic_only_those_who_are_well_are_used_and_at_last_nobody() {
    let settings = format!("panic = false\n{FREE}");
    let balancer = balancer(&settings, tiered(&[2, 2]));
    eject(&balancer, [0, 2, 3]);
    assert!(sequence(&balancer, 100).iter().all(|it| *it == id(1)));
    eject(&balancer, [1]);
    let refused = balancer.pick(&Key::none()).unwrap_err();
    assert!(matches!(refused, PickError::NoneAvailable { ejected: 4, .. }), "{refused}");
    assert_eq!(balancer.status().endpoints.iter().map(|it| it.expected_share).sum::<f64>(), 0.0);
}

#[test]
fn nobody_well_in_any_tier_is_all_or_none_as_the_settings_say() {
    for (then, served) in [("serve_all", true), ("fail", false)] {
        let settings = format!("[panic]\nwhen_none_healthy = '{then}'\n{FREE}");
        let balancer = balancer(&settings, tiered(&[1, 3]));
        eject(&balancer, 0..4);
        let status = balancer.status();
        assert!(status.panic);
        let sum: f64 = status.endpoints.iter().map(|it| it.expected_share).sum();
        assert!((sum - f64::from(u8::from(served))).abs() < 1e-9, "{then}: {sum}");
        if served {
            close(&realised(&balancer, 2, 4_000), &[25.0, 75.0], 3.0);
        } else {
            assert!(balancer.pick(&Key::none()).is_err());
        }
    }
}
