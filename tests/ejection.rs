//! Endpoints that fail are taken out, never all of them, and come back gently.

#![cfg(feature = "config")]

mod support;

use std::time::Duration;

use evenkeel::{Availability, Event, Outcome, Recovery};
use tokio::time::advance;

use crate::support::{Numbered, balancer, id, pick, pick_only, received, sequence, status};

const SECOND: Duration = Duration::from_secs(1);

/// Sends `n` requests to `number` that fail.
fn fail(balancer: &Numbered, number: usize, n: usize) {
    for _ in 0..n {
        pick_only(balancer, &id(number)).finish(Outcome::failure());
    }
}

#[tokio::test(start_paused = true)]
async fn five_failures_in_a_row_are_out_for_thirty_seconds_then_probed_then_warm_up() {
    let balancer = balancer("[strategy]\nkind = 'round_robin'", 4, 7);
    let mut events = balancer.subscribe();
    fail(&balancer, 1, 4);
    assert_eq!(status(&balancer, &id(1)).state, Availability::Available);
    fail(&balancer, 1, 1);
    let found = status(&balancer, &id(1));
    assert_eq!((found.state, found.ejections), (Availability::Ejected, 1));
    assert!(!sequence(&balancer, 1_000).contains(&id(1)));
    advance(29 * SECOND).await;
    assert!(!sequence(&balancer, 1_000).contains(&id(1)));
    advance(4 * SECOND).await;
    assert_eq!(status(&balancer, &id(1)).state, Availability::Probing);
    let probe = pick(&balancer);
    assert_eq!(*probe.endpoint(), id(1));
    assert!(!sequence(&balancer, 1_000).contains(&id(1)), "one probe at a time");
    probe.finish(Outcome::Success);
    assert_eq!(status(&balancer, &id(1)).state, Availability::Warming);
    let mut last = 0;
    for tenth in 0..10 {
        let got = sequence(&balancer, 400).iter().filter(|&it| *it == id(1)).count();
        assert!(got >= last && got <= 100, "{tenth}: {got} after {last}");
        last = got;
        advance(3 * SECOND).await;
    }
    assert_eq!(status(&balancer, &id(1)).state, Availability::Available);
    assert!(
        (99..=101).contains(&sequence(&balancer, 400).iter().filter(|&it| *it == id(1)).count())
    );
    let told: Vec<_> = received(&mut events).iter().map(Event::to_string).collect();
    assert_eq!(
        told,
        [
            "`e001` ejected: 5 failures in a row",
            "`e001` is probed",
            "`e001` has proved itself and takes a growing share",
            "`e001` takes its full share again",
        ]
    );
    let _ = Recovery::Probing;
}

#[tokio::test(start_paused = true)]
async fn a_ramp_that_ends_with_an_interval_is_told_to_have_ended() {
    let settings =
        "[outlier]\ninterval = '1s'\nbase_ejection_time = '3s'\n[slow_start]\nwindow = '2s'";
    let balancer = balancer(settings, 4, 7);
    let mut events = balancer.subscribe();
    fail(&balancer, 1, 5);
    advance(4 * SECOND).await;
    let probe = pick(&balancer);
    assert_eq!(*probe.endpoint(), id(1));
    probe.finish(Outcome::Success);
    pick_only(&balancer, &id(1)).finish(Outcome::Success);
    advance(5 * SECOND).await; // the ramp is over, a sweep is due, and nobody has settled either
    pick(&balancer).finish(Outcome::Success);
    let found = status(&balancer, &id(1));
    assert_eq!((found.state, found.ejections), (Availability::Available, 0));
    let told = received(&mut events);
    let last = told.last().map(Event::to_string);
    assert_eq!(last.as_deref(), Some("`e001` takes its full share again"), "{told:?}");
}

/// Requests of an interval: `good` and `bad` of each endpoint.
fn interval(balancer: &Numbered, answers: &[(usize, usize)]) {
    for (number, &(good, bad)) in answers.iter().enumerate() {
        for at in 0..good + bad {
            let lease = pick_only(balancer, &id(number));
            // Spread, so that no five fail in a row.
            let fails = bad * (at + 1) / (good + bad) > bad * at / (good + bad);
            lease.finish(if fails { Outcome::failure() } else { Outcome::Success });
        }
    }
}

#[tokio::test(start_paused = true)]
async fn who_succeeds_less_often_than_its_peers_is_out_after_the_sweep() {
    let settings = "[outlier.success_rate]\nrequest_volume = 50\n[outlier]\ninterval = '1s'\nmax_ejection_time = '10m'";
    let balancer = balancer(settings, 5, 7);
    let mut events = balancer.subscribe();
    interval(&balancer, &[(60, 0), (60, 0), (30, 30), (60, 0), (60, 0)]);
    assert_eq!(status(&balancer, &id(2)).state, Availability::Available);
    advance(SECOND).await;
    pick(&balancer).finish(Outcome::Success);
    assert_eq!(status(&balancer, &id(2)).state, Availability::Ejected);
    let told = received(&mut events);
    let [Event::Ejection(ejection)] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!((ejection.observed, ejection.enforced()), (50.0, true));
    assert!(ejection.to_string().contains("success rate 50 %"), "{ejection}");
}
