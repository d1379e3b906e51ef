//! Tiers that come and go.

use std::time::Duration;

use evenkeel::{Availability, Key, Outcome};
use tokio::time::advance;

use crate::support::{id, pick_only, sequence, status};
use crate::{balancer, close, loads, tiered};

const SECOND: Duration = Duration::from_secs(1);
const EXACT: &str =
    "[outlier]\nejection_jitter_percent = 0\nmax_ejected_percent = 100\nmin_available = 0\n";

#[tokio::test(start_paused = true)]
async fn a_tier_that_comes_back_takes_over_by_degrees() {
    let balancer = balancer(EXACT, tiered(&[1, 2]));
    (0..5).for_each(|_| pick_only(&balancer, &id(0)).finish(Outcome::failure()));
    close(&loads(&balancer), &[0.0, 100.0], 0.0);
    advance(30 * SECOND).await;
    pick_only(&balancer, &id(0)).finish(Outcome::Success);
    assert_eq!(status(&balancer, &id(0)).state, Availability::Warming);
    let mut last = 0.0;
    for second in 0..30 {
        sequence(&balancer, 20);
        let load = loads(&balancer)[0];
        // In steps of a tenth, of which each is at most a tenth late.
        let due = 140.0 * (f64::from(second) / 30.0).max(0.1);
        assert!(load <= due + 0.1 && load >= (due - 14.1).min(100.0), "{second}: {load}");
        assert!(load - last <= 14.1 && load >= last, "{last} {load} at {second}");
        last = load;
        advance(SECOND).await;
    }
    close(&loads(&balancer), &[100.0, 0.0], 0.0);
}

#[tokio::test(start_paused = true)]
async fn a_tier_that_flaps_does_not_swing_the_traffic() {
    let settings = "[outlier]\nejection_jitter_percent = 0\nmax_ejected_percent = 100\n\
                    base_ejection_time = '1s'\n";
    let balancer = balancer(settings, tiered(&[2, 2]));
    // It fails half a minute long as soon as it is let: first it falls, then it gets tastes only.
    let mut to_first = Vec::new();
    for _ in 0..120 {
        let mut got = 0;
        for _ in 0..100 {
            let lease = balancer.pick(&Key::none()).unwrap();
            let is_first = *lease.endpoint() < id(2);
            got += u32::from(is_first);
            lease.finish(if is_first { Outcome::failure() } else { Outcome::Success });
        }
        to_first.push(got);
        advance(SECOND / 2).await;
    }
    assert!(to_first[0] <= 10, "found within its first requests: {to_first:?}");
    assert!(to_first[1..].iter().all(|&got| got <= 10), "{to_first:?}");
}

#[tokio::test(start_paused = true)]
async fn an_idle_tier_is_probed_and_not_nudged() {
    let balancer = balancer(EXACT, tiered(&[2, 2]));
    (0..5).for_each(|_| pick_only(&balancer, &id(2)).finish(Outcome::failure()));
    advance(30 * SECOND).await;
    let mut picks = 0;
    // The probe is one request; after it, nothing in the whole ramp.
    for _ in 0..60 {
        for _ in 0..50 {
            let lease = balancer.pick(&Key::none()).unwrap();
            picks += u32::from(*lease.endpoint() >= id(2));
            lease.finish(Outcome::Success);
        }
        advance(SECOND).await;
    }
    assert_eq!(picks, 1);
    assert_eq!(status(&balancer, &id(2)).state, Availability::Available);
}
