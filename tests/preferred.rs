//! Requests that would rather go to one endpoint, whatever becomes of it.

#![cfg(feature = "config")]
#![allow(clippy::unwrap_used)]

mod support;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use evenkeel::{Endpoint, EndpointId, Key, Outcome, PickError};
use tokio_test::task::spawn;
use tokio_test::{assert_pending, assert_ready};

use crate::support::{
    Numbered, STRATEGIES, balancer, builder, endpoint, id, pick, sequence, status, strategy,
};

const MINUTE: Duration = Duration::from_secs(60);

fn preferring(number: usize) -> Key {
    Key::none().preferring(&id(number))
}

fn session(balancer: &Numbered, number: usize) -> EndpointId {
    balancer.pick(&preferring(number)).unwrap().endpoint().clone()
}

fn stays(balancer: &Numbered, number: usize) -> bool {
    session(balancer, number) == id(number)
}

#[tokio::test(start_paused = true)]
async fn it_goes_there_with_every_strategy_whatever_weight_and_tier_it_has() {
    for kind in STRATEGIES {
        let balancer = builder(&strategy(kind), 3, 7)
            .endpoint(Endpoint::new(id(3), 3).weight(0))
            .endpoint(Endpoint::new(id(4), 4).tier(1))
            .endpoint(Endpoint::new(id(5), 5).zone("far"))
            .build()
            .unwrap();
        for number in 0..6 {
            assert!((0..20).all(|_| stays(&balancer, number)), "{kind}: {number}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_exclusion_goes_before() {
    let balancer = balancer("", 2, 0);
    let key = preferring(1).excluding(&id(1));
    assert!((0..20).all(|_| *balancer.pick(&key).unwrap().endpoint() == id(0)));
    let none = key.excluding(&id(0));
    assert!(matches!(balancer.pick(&none), Err(PickError::AllExcluded)));
}

#[tokio::test(start_paused = true)]
async fn it_takes_no_turn_of_a_round() {
    let round = || balancer(&strategy("kind = 'round_robin'"), 5, 3);
    let (plain, mixed) = (round(), round());
    for _ in 0..50 {
        assert!(stays(&mixed, 4) && stays(&mixed, 0));
        assert_eq!(sequence(&plain, 1), sequence(&mixed, 1));
    }
}

/// Without them in the count every endpoint would seem full, and keys would go anywhere.
#[tokio::test(start_paused = true)]
async fn bounds_on_the_load_count_sessions_too() {
    for kind in ["ring_hash", "maglev"] {
        let settings = format!("[strategy]\nkind = '{kind}'\n[hash]\nbounded_load_percent = 125");
        let balancer = balancer(&settings, 3, 0);
        let owner = |key: u64| balancer.pick(&Key::from_hash(key)).unwrap().endpoint().clone();
        let keys = || (0..50_u64).map(|key| key.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let before: Vec<_> = keys().map(owner).collect();
        let sessions: Vec<_> =
            (0..30).map(|at| balancer.pick(&preferring(at % 3)).unwrap()).collect();
        assert_eq!(keys().map(owner).collect::<Vec<_>>(), before, "{kind}");
        drop(sessions);
        assert_eq!(keys().map(owner).collect::<Vec<_>>(), before, "{kind}: and none is left");
    }
}

#[tokio::test(start_paused = true)]
async fn a_draining_endpoint_keeps_its_sessions_and_takes_nothing_else() {
    let balancer = balancer("", 3, 0);
    let drain = balancer.drain(&id(1)).unwrap();
    for _ in 0..50 {
        assert!(stays(&balancer, 1));
        assert_ne!(*pick(&balancer).endpoint(), id(1));
    }
    assert_eq!(status(&balancer, &id(1)).picks, 50);
    drop(drain);
    assert!(stays(&balancer, 1), "nobody waits for the end");
    balancer.enable(&id(1)).unwrap();
    assert!(stays(&balancer, 1));
}

#[tokio::test(start_paused = true)]
async fn a_drain_that_is_ready_has_ended_the_sessions() {
    let balancer = balancer("", 2, 0);
    let held = balancer.pick(&preferring(1)).unwrap();
    let mut drain = spawn(balancer.drain(&id(1)).unwrap());
    assert_pending!(drain.poll());
    let second = balancer.pick(&preferring(1)).unwrap();
    assert_eq!(*second.endpoint(), id(1), "while one is in flight, sessions go on");
    held.finish(Outcome::Success);
    assert!(!drain.is_woken());
    second.finish(Outcome::Success);
    assert!(drain.is_woken());
    assert_ready!(drain.poll());
    assert!((0..20).all(|_| !stays(&balancer, 1)));
    assert_eq!(status(&balancer, &id(1)).in_flight, 0);
    // The same word again changes nothing; a new drain after an end does.
    let _again = balancer.drain(&id(1)).unwrap();
    assert!(!stays(&balancer, 1));
    balancer.enable(&id(1)).unwrap();
    assert!(stays(&balancer, 1));
    let _later = balancer.drain(&id(1)).unwrap();
    assert!(stays(&balancer, 1), "a drain that nobody has waited for");
}

#[tokio::test(start_paused = true)]
async fn sessions_are_given_a_time_of_their_own() {
    let balancer = balancer("", 2, 0);
    let mut drain = spawn(balancer.drain(&id(1)).unwrap().after_sessions(MINUTE));
    assert_pending!(drain.poll());
    assert!(stays(&balancer, 1), "a quiet moment ends nothing");
    tokio::time::advance(MINUTE / 2).await;
    assert_pending!(drain.poll());
    let held = balancer.pick(&preferring(1)).unwrap();
    assert_eq!(*held.endpoint(), id(1));
    tokio::time::advance(MINUTE / 2).await;
    assert_pending!(drain.poll());
    assert!(!stays(&balancer, 1), "the time is over, though one is in flight");
    held.finish(Outcome::Success);
    assert_ready!(drain.poll());

    balancer.enable(&id(1)).unwrap();
    let mut none = spawn(balancer.drain(&id(1)).unwrap().after_sessions(Duration::ZERO));
    assert_ready!(none.poll());
    assert!(!stays(&balancer, 1));
}

#[tokio::test(start_paused = true)]
async fn a_drain_for_a_while_keeps_sessions_and_ends_by_itself() {
    let balancer = balancer("", 2, 0);
    balancer.drain_for(&id(1), MINUTE).unwrap().await;
    assert!(!stays(&balancer, 1));
    tokio::time::advance(MINUTE).await;
    assert!(stays(&balancer, 1));
}

#[tokio::test(start_paused = true)]
async fn an_enabled_endpoint_ends_no_sessions() {
    let balancer = balancer("", 2, 0);
    let drain = balancer.drain(&id(1)).unwrap();
    balancer.enable(&id(1)).unwrap();
    drain.await;
    assert!(stays(&balancer, 1));
    let _drain = balancer.drain(&id(1)).unwrap();
    assert!(stays(&balancer, 1), "the earlier future has not ended those of this drain");
}

#[tokio::test(start_paused = true)]
async fn who_is_disabled_or_gone_or_never_was_is_passed_over() {
    let balancer = balancer("", 3, 0);
    balancer.disable(&id(1)).unwrap();
    assert!(!stays(&balancer, 1));
    let _drain = balancer.drain(&id(1)).unwrap();
    assert!(!stays(&balancer, 1), "disabled is more than draining");
    balancer.enable(&id(1)).unwrap();
    assert!(stays(&balancer, 1));
    balancer.remove(&id(1)).unwrap();
    assert!(!stays(&balancer, 1));
    assert!(!stays(&balancer, 9));
    balancer.insert(endpoint(1)).unwrap();
    assert!(stays(&balancer, 1), "it is back");
}

#[tokio::test(start_paused = true)]
async fn draining_everything_ends_every_session() {
    let balancer = balancer("", 2, 0);
    let _drain = balancer.drain_all().unwrap();
    let refused = balancer.pick(&preferring(1));
    assert!(matches!(refused, Err(PickError::NoneAvailable { draining: 2, .. })));
    balancer.enable_all().unwrap();
    assert!(stays(&balancer, 1));
    // One after the other is another thing: each keeps what it has.
    let _drains = [0, 1].map(|number| balancer.drain(&id(number)).unwrap());
    assert!(stays(&balancer, 0) && stays(&balancer, 1));
    assert!(balancer.pick(&Key::none()).is_err());
}

#[tokio::test(start_paused = true)]
async fn who_is_ejected_is_passed_over_until_it_is_back() {
    let balancer = balancer("panic = false", 4, 0);
    balancer.eject(&id(1), MINUTE).unwrap();
    assert!((0..20).all(|_| !stays(&balancer, 1)));
    let _drain = balancer.drain(&id(1)).unwrap();
    assert!(!stays(&balancer, 1), "one that is out does not serve while it drains either");
    balancer.enable(&id(1)).unwrap();
    assert!(stays(&balancer, 1));
}

#[tokio::test(start_paused = true)]
async fn in_panic_who_is_out_keeps_its_sessions() {
    let settings = "[outlier]\nmax_ejected_percent = 100\n[panic]\nthreshold_percent = 60";
    let balancer = balancer(settings, 4, 0);
    for number in [0, 1] {
        balancer.eject(&id(number), MINUTE).unwrap();
    }
    assert!(stays(&balancer, 0) && stays(&balancer, 1));
}

/// However sessions and a drain meet: once it is ready, nothing is sent there.
#[test]
fn no_session_slips_past_the_end_of_a_drain() {
    for round in 0..200 {
        let balancer = balancer("", 2, round);
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    loop {
                        let is_over = over.load(Ordering::Acquire);
                        let lease = balancer.pick(&preferring(1)).unwrap();
                        assert!(!is_over || *lease.endpoint() == id(0), "round {round}");
                        lease.finish(Outcome::Success);
                        if is_over {
                            break;
                        }
                    }
                });
            }
            let mut drain = spawn(balancer.drain(&id(1)).unwrap());
            while drain.poll().is_pending() {
                std::thread::yield_now();
            }
            over.store(true, Ordering::Release);
            assert!(!stays(&balancer, 1), "round {round}");
        });
    }
}
