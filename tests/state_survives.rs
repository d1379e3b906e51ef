//! An endpoint is its id: what is known of it outlives updates, changes of the settings, and short
//! absences; and so does what operators say about it.

#![cfg(feature = "config")]

mod support;

use std::time::Duration;

use evenkeel::strategy::{Candidates, LeastRequest, Picker, Rng, Strategy};
use evenkeel::{Availability, EndpointStatus, Key, Lease, Outcome, PickError};
use tokio::time::advance;

use crate::support::{
    Numbered, STRATEGIES, balancer, builder, config, endpoint, endpoints, id, now, pick, pick_only,
    received, sequence, status, strategy,
};

const SEEDS: std::ops::Range<u64> = 0..3;
const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

/// Gives `number` a past: successes that took 30 ms, failures at the end, and one request that is
/// still out.
async fn with_a_past(balancer: &Numbered, number: usize) -> Lease<usize> {
    for _ in 0..3 {
        let lease = pick_only(balancer, &id(number));
        advance(Duration::from_millis(30)).await;
        lease.finish(Outcome::Success);
    }
    for _ in 0..2 {
        pick_only(balancer, &id(number)).finish(Outcome::failure());
    }
    pick_only(balancer, &id(number))
}

fn assert_has_its_past(found: &EndpointStatus, case: &str) {
    assert_eq!((found.picks, found.successes, found.failures), (6, 3, 2), "{case}");
    assert_eq!(found.in_flight, 1, "{case}");
    let latency = found.latency.expect("a latency was measured");
    assert!(latency.abs_diff(Duration::from_millis(30)) < Duration::from_millis(1), "{case}");
}

// --- Sets that are sent again --------------------------------------------------------------------

/// One request between two updates, so that whatever an update starts anew would show.
#[tokio::test(start_paused = true)]
async fn the_same_set_a_thousand_times_leaves_the_picks_as_they_are() {
    for kind in STRATEGIES {
        for seed in SEEDS {
            let (quiet, updated) =
                (balancer(&strategy(kind), 7, seed), balancer(&strategy(kind), 7, seed));
            let mut shuffles = Rng::seeded(seed);
            let mut held = [Vec::new(), Vec::new()];
            for i in 0..1_000 {
                updated.replace(shuffled(endpoints(0..7), &mut shuffles)).unwrap();
                let leases = [pick(&quiet), pick(&updated)];
                let case = format!("{kind}, seed {seed}, request {i}");
                assert_eq!(leases[0].endpoint(), leases[1].endpoint(), "{case}");
                for (held, lease) in held.iter_mut().zip(leases) {
                    held.push(lease);
                    if held.len() > 5 {
                        held.swap_remove(i % 5).finish(Outcome::Success);
                    }
                }
                advance(Duration::from_millis(2)).await;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_same_set_again_changes_neither_version_nor_state_and_is_no_event() {
    let balancer = balancer("", 5, 0);
    let _out = with_a_past(&balancer, 2).await;
    let (version, mut events) = (balancer.version(), balancer.subscribe());
    for _ in 0..1_000 {
        assert_eq!(balancer.replace(endpoints(0..5)).unwrap(), version);
    }
    assert_eq!(balancer.version(), version);
    assert_has_its_past(&status(&balancer, &id(2)), "after a thousand updates");
    assert!(received(&mut events).is_empty());
}

fn shuffled<T>(mut list: Vec<T>, rng: &mut Rng) -> Vec<T> {
    for i in (1..list.len()).rev() {
        list.swap(i, rng.below(i as u64 + 1) as usize);
    }
    list
}

// --- Changes of attributes and settings ----------------------------------------------------------

#[tokio::test(start_paused = true)]
async fn other_attributes_keep_what_is_known() {
    let balancer = balancer("", 5, 0);
    let _out = with_a_past(&balancer, 2).await;
    let changed = || endpoint(2).weight(9).tier(1).zone("eu-1a").label("rack", "r7");
    let others = || endpoints(0..5).into_iter().filter(|it| *it.id() != id(2));
    balancer.replace(others().chain([changed()])).unwrap();
    let found = status(&balancer, &id(2));
    assert_has_its_past(&found, "replaced");
    assert_eq!((found.weight, found.tier, found.zone.as_deref()), (9, 1, Some("eu-1a")));
    balancer.insert(endpoint(2).weight(4)).unwrap();
    assert_has_its_past(&status(&balancer, &id(2)), "inserted with a new target");
    balancer.set_weight(&id(2), 0).unwrap();
    assert_has_its_past(&status(&balancer, &id(2)), "reweighted");
}

#[tokio::test(start_paused = true)]
async fn another_strategy_and_back_keeps_what_is_known() {
    for from in STRATEGIES {
        let balancer = balancer(&strategy(from), 5, 0);
        let _out = with_a_past(&balancer, 2).await;
        for to in STRATEGIES.into_iter().chain([from]) {
            balancer.apply(config(&strategy(to))).unwrap();
            assert_has_its_past(&status(&balancer, &id(2)), &format!("from {from} to {to}"));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_round_goes_on_after_another_strategy() {
    for seed in SEEDS {
        let round = strategy("kind = 'round_robin'");
        let (quiet, swapped) = (balancer(&round, 5, seed), balancer(&round, 5, seed));
        assert_eq!(sequence(&quiet, 3), sequence(&swapped, 3), "seed {seed}");
        swapped.apply(config("")).unwrap();
        swapped.apply(config(&round)).unwrap();
        assert_eq!(sequence(&quiet, 20), sequence(&swapped, 20), "seed {seed}");
    }
}

// --- Absences ------------------------------------------------------------------------------------

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_comes_back_in_time_is_what_it_was() {
    let balancer = balancer("", 5, 0);
    let _out = with_a_past(&balancer, 2).await;
    balancer.remove(&id(2)).unwrap();
    assert!(balancer.status().endpoint(&id(2)).is_none());
    advance(5 * MINUTE - SECOND).await;
    balancer.insert(endpoint(2)).unwrap();
    assert_has_its_past(&status(&balancer, &id(2)), "removed and inserted");
    balancer.replace(endpoints(0..5).into_iter().filter(|it| *it.id() != id(2))).unwrap();
    balancer.replace(endpoints(0..5)).unwrap();
    assert_has_its_past(&status(&balancer, &id(2)), "left out and sent again");
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_comes_back_later_is_new() {
    let balancer = balancer("", 5, 0);
    let out = with_a_past(&balancer, 2).await;
    balancer.remove(&id(2)).unwrap();
    advance(5 * MINUTE).await;
    balancer.insert(endpoint(2)).unwrap();
    let found = status(&balancer, &id(2));
    assert_eq!((found.picks, found.in_flight, found.latency), (0, 0, None));
    out.finish(Outcome::Success);
    assert_eq!(status(&balancer, &id(2)).successes, 0, "the old request is not the new one's");
}

#[tokio::test(start_paused = true)]
async fn how_long_absent_endpoints_are_remembered_can_be_set() {
    let balancer = balancer("[outlier]\nremember_removed = '10s'", 5, 0);
    let _out = with_a_past(&balancer, 2).await;
    balancer.remove(&id(2)).unwrap();
    advance(9 * SECOND).await;
    balancer.insert(endpoint(2)).unwrap();
    assert_eq!(status(&balancer, &id(2)).picks, 6);
    balancer.remove(&id(2)).unwrap();
    advance(10 * SECOND).await;
    balancer.insert(endpoint(2)).unwrap();
    assert_eq!(status(&balancer, &id(2)).picks, 0);
}

/// Two endpoints, both idle: only the failure tells them apart.
#[tokio::test(start_paused = true)]
async fn the_penalty_of_a_failure_survives_an_absence_and_a_change_of_the_weight() {
    for kind in ["kind = 'least_request'", "kind = 'peak_ewma'"] {
        for seed in SEEDS {
            let balancer = balancer(&strategy(kind), 2, seed);
            pick_only(&balancer, &id(0)).finish(Outcome::failure());
            balancer.remove(&id(0)).unwrap();
            advance(SECOND).await;
            balancer.insert(endpoint(0)).unwrap();
            balancer.set_weight(&id(0), 100).unwrap();
            assert_eq!(sequence(&balancer, 50), vec![id(1); 50], "{kind}, seed {seed}");
            advance(5 * SECOND).await;
            assert!(sequence(&balancer, 50).contains(&id(0)), "{kind}, seed {seed}");
        }
    }
}

/// A change that is refused because the strategy cannot take it is no reason to forget.
#[tokio::test(start_paused = true)]
async fn a_refused_return_does_not_use_up_the_memory() {
    let settings = "[strategy]\nkind = 'custom'\ncustom = 'moody'";
    let balancer =
        builder(settings, 4, 0).endpoint(endpoint(9)).strategy("moody", Moody).build().unwrap();
    let _out = with_a_past(&balancer, 9).await;
    balancer.remove(&id(9)).unwrap();
    balancer.insert(endpoint(9).label("mood", "bad")).unwrap_err();
    balancer.insert(endpoint(9)).unwrap();
    assert_has_its_past(&status(&balancer, &id(9)), "refused once, then inserted");
}

/// Panics over a candidate in a bad mood.
#[derive(Debug)]
struct Moody;

impl Strategy for Moody {
    fn build(&self, candidates: &Candidates<'_>) -> Box<dyn Picker> {
        assert!(candidates.iter().all(|it| it.label("mood") != Some("bad")), "a bad mood");
        LeastRequest::default().build(candidates)
    }
}

// --- What operators say --------------------------------------------------------------------------

fn chosen(balancer: &Numbered, number: usize) -> bool {
    sequence(balancer, 50).contains(&id(number))
}

#[tokio::test(start_paused = true)]
async fn words_of_operators_survive_updates_and_end_with_enable() {
    let balancer = balancer("", 5, 0);
    balancer.set_weight(&id(0), 7).unwrap();
    drop(balancer.drain(&id(1)).unwrap());
    balancer.disable(&id(2)).unwrap();
    for weight in 1..4 {
        balancer.replace(endpoints(0..5).into_iter().map(|it| it.weight(weight))).unwrap();
        assert_eq!(status(&balancer, &id(0)).weight, 7);
        assert_eq!(status(&balancer, &id(1)).state, Availability::Draining);
        assert_eq!(status(&balancer, &id(2)).state, Availability::Disabled);
        assert!(!chosen(&balancer, 1) && !chosen(&balancer, 2));
    }
    for number in 0..3 {
        balancer.enable(&id(number)).unwrap();
        let found = status(&balancer, &id(number));
        assert_eq!((found.state, found.weight), (Availability::Available, 3), "{number}");
        assert!(chosen(&balancer, number));
    }
}

#[tokio::test(start_paused = true)]
async fn words_of_operators_survive_a_new_target() {
    let balancer = balancer("", 5, 0);
    balancer.disable(&id(2)).unwrap();
    balancer.insert(endpoint(2)).unwrap();
    assert_eq!(status(&balancer, &id(2)).state, Availability::Disabled);
    assert!(!chosen(&balancer, 2));
}

#[tokio::test(start_paused = true)]
async fn words_of_operators_end_with_the_endpoint() {
    let balancer = balancer("", 5, 0);
    balancer.set_weight(&id(0), 0).unwrap();
    drop(balancer.drain(&id(1)).unwrap());
    balancer.disable(&id(2)).unwrap();
    for number in 0..3 {
        balancer.remove(&id(number)).unwrap();
        balancer.insert(endpoint(number)).unwrap();
        let found = status(&balancer, &id(number));
        assert_eq!((found.state, found.weight), (Availability::Available, 1), "{number}");
        assert!(chosen(&balancer, number), "{number}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_drain_for_a_while_ends_with_the_next_pick() {
    for seed in SEEDS {
        let balancer = balancer(&strategy("kind = 'round_robin'"), 2, seed);
        drop(balancer.drain_for(&id(0), MINUTE).unwrap());
        advance(MINUTE - Duration::from_millis(1)).await;
        assert!(!chosen(&balancer, 0), "seed {seed}");
        advance(Duration::from_millis(1)).await;
        // The only one that is not excluded: the first pick after the end must know of it.
        let lease = balancer.pick(&Key::none().excluding(&id(1)));
        assert_eq!(lease.map(|it| it.endpoint().clone()), Ok(id(0)), "seed {seed}");
    }
}

#[tokio::test(start_paused = true)]
async fn status_shows_the_end_of_a_drain_before_any_pick() {
    let balancer = balancer("", 2, 0);
    drop(balancer.drain_for(&id(0), MINUTE).unwrap());
    let (draining, version) = (status(&balancer, &id(0)), balancer.version());
    assert_eq!((draining.state, draining.effective_weight), (Availability::Draining, 0.0));
    assert_eq!(draining.expected_share, 0.0);
    advance(MINUTE).await;
    let mut events = balancer.subscribe();
    let back = status(&balancer, &id(0));
    assert_eq!((back.state, back.effective_weight), (Availability::Available, 1.0));
    assert_eq!(back.expected_share, 0.5);
    assert_eq!(balancer.version(), version, "looking publishes nothing");
    assert!(received(&mut events).is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_refusal_says_when_the_first_drain_is_over() {
    let balancer = balancer("", 2, 0);
    drop(balancer.drain_for(&id(0), 2 * MINUTE).unwrap());
    drop(balancer.drain_for(&id(1), MINUTE).unwrap());
    let refusal = balancer.pick(&Key::none()).unwrap_err();
    let until = Some(now() + MINUTE);
    assert_eq!(
        refusal,
        PickError::NoneAvailable { draining: 2, disabled: 0, ejected: 0, unhealthy: 0, until },
        "{refusal}"
    );
    advance(MINUTE).await;
    assert_eq!(*pick(&balancer).endpoint(), id(1));
}
