//! Many endpoints that accept and never answer.

use std::time::Duration;

use evenkeel::{Availability, Event};
use tokio::time::sleep;

use crate::support::{builder, now, received};
use crate::ward::{Nature, Ward};
use crate::{SECOND, settled};

/// 200 endpoints with the default settings, of which `hanging` hang: when the last is found, and
/// the longest time that one of the others waited for its next check.
async fn crowd(hanging: usize) -> (Duration, Duration) {
    let ward = Ward::default();
    let hangs = |number: usize| number * hanging / 200 != (number + 1) * hanging / 200;
    (0..200).filter(|&it| hangs(it)).for_each(|it| ward.is(it, Nature::Hangs));
    let balancer = builder("[health]", 200, 7).probe(ward.probe()).build().unwrap();
    let mut events = balancer.subscribe();
    let began = now();
    let _worker = balancer.start();
    let mut found = 0;
    while found < hanging {
        sleep(SECOND / 20).await;
        let told = received(&mut events);
        found += told.iter().filter(|it| matches!(it, Event::Unhealthy { .. })).count();
        assert!(now().saturating_duration_since(began) < 60 * SECOND, "{found} found");
    }
    let last = now().saturating_duration_since(began);
    sleep(30 * SECOND).await;
    let status = balancer.status();
    for (number, endpoint) in status.endpoints.iter().enumerate() {
        assert_eq!(endpoint.state == Availability::Unhealthy, hangs(number), "{number}");
    }
    assert!(ward.most() <= 32 && !ward.overlapped());
    let well = (0..200).filter(|&it| !hangs(it));
    let waits = well.flat_map(|number| {
        let asked: Vec<_> = std::iter::once(began).chain(ward.asked(number)).collect();
        let pairs = asked.windows(2).map(|pair| pair[1].saturating_duration_since(pair[0]));
        pairs.collect::<Vec<_>>()
    });
    let longest = waits.max().unwrap();
    drop((balancer, _worker));
    settled().await;
    assert_eq!((crate::tasks(), ward.under_way()), (0, 0));
    (last, longest)
}

#[tokio::test(start_paused = true)]
async fn twenty_of_two_hundred_that_hang_are_found_in_time_and_delay_nobody() {
    let (found, longest) = crowd(20).await;
    assert!(found <= 15 * SECOND, "three intervals: {found:?}");
    // An interval and half of the jitter, to the millisecond of the timer.
    assert!(longest <= SECOND * 5_502 / 1_000, "{longest:?}");
}

#[tokio::test(start_paused = true)]
async fn nor_do_a_hundred() {
    let (found, longest) = crowd(100).await;
    assert!(found <= 15 * SECOND, "three intervals: {found:?}");
    // While they are being found, each holds a place for a second at a time.
    assert!(longest <= SECOND * 5_650 / 1_000, "{longest:?}");
}
