//! Shutting down: all drains at once, whoever joins too, with a deadline.

#![cfg(feature = "config")]
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test that goes otherwise has failed")]

mod support;

use std::time::Duration;

use evenkeel::{
    Availability, Balancer, Endpoint, EndpointSpec, Event, Key, Outcome, PickError, StillInFlight,
};
use tokio::time::advance;
use tokio_test::task::spawn;
use tokio_test::{assert_pending, assert_ready};

use crate::support::{balancer, config, endpoint, endpoints, id, pick, pick_only, received};

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn it_is_over_exactly_when_the_last_request_is() {
    let balancer = balancer("", 3, 0);
    let leases: Vec<_> = (0..3).map(|number| pick_only(&balancer, &id(number))).collect();
    let mut drain = spawn(balancer.drain_all().unwrap());
    assert_eq!(drain.in_flight(), [(id(0), 1), (id(1), 1), (id(2), 1)]);
    for lease in leases {
        assert_pending!(drain.poll());
        lease.finish(Outcome::Success);
        assert!(drain.is_woken());
    }
    assert_ready!(drain.poll());
    assert!(drain.in_flight().is_empty());
}

#[test]
fn nothing_new_is_taken_and_the_refusal_says_why() {
    let balancer = balancer("", 3, 0);
    balancer.disable(&id(2)).unwrap();
    let mut drain = spawn(balancer.drain_all().unwrap());
    assert_ready!(drain.poll());
    let refused = balancer.pick(&Key::none()).unwrap_err();
    let expected = |error: &PickError| {
        matches!(error, PickError::NoneAvailable { draining: 2, disabled: 1, until: None, .. })
    };
    assert!(expected(&refused), "{refused}");
}

#[test]
fn whoever_joins_is_draining_too() {
    let make = |spec: &EndpointSpec| Ok(spec.address.len());
    let balancer =
        Balancer::builder().endpoints(endpoints(0..2)).make(make).seed(1).build().unwrap();
    balancer.remove(&id(1)).unwrap();
    drop(balancer.drain_all().unwrap());
    let spec = |number: usize| EndpointSpec::new(id(number).to_string(), "x");
    balancer.replace(endpoints(0..4)).unwrap();
    balancer.insert(endpoint(4)).unwrap();
    balancer.insert_spec(spec(5)).unwrap();
    let previewed = balancer.preview_specs((0..9).map(spec)).unwrap();
    assert!(previewed.shares.iter().all(|share| share.after == 0.0));
    let file = "[[endpoints]]\nid = 'new'\naddress = 'x'\n[update]\nmax_shrink_percent = 100";
    balancer.apply(config(file)).unwrap();
    let states: Vec<_> = balancer.status().endpoints.iter().map(|it| it.state).collect();
    assert_eq!(states, [Availability::Draining]);
    assert!(balancer.pick(&Key::none()).is_err());
}

#[tokio::test(start_paused = true)]
async fn what_was_removed_with_requests_in_flight_is_waited_for() {
    let balancer = balancer("", 2, 0);
    let lease = pick_only(&balancer, &id(1));
    balancer.remove(&id(1)).unwrap();
    let mut drain = spawn(balancer.drain_all().unwrap());
    assert_pending!(drain.poll());
    assert_eq!(drain.in_flight(), [(id(1), 1)]);
    drop(lease);
    assert_ready!(drain.poll());
}

#[tokio::test(start_paused = true)]
async fn the_deadline_says_what_is_left() {
    let balancer = balancer("", 3, 0);
    let leases: Vec<_> = [2, 0, 2].map(|number| pick_only(&balancer, &id(number))).into();
    let late = balancer.drain_all().unwrap().within(30 * SECOND).await.unwrap_err();
    let StillInFlight { endpoints, span, .. } = &late;
    assert_eq!((&endpoints[..], *span), (&[(id(0), 1), (id(2), 2)][..], 30 * SECOND));
    let words = "3 requests are still in flight after 30s: 1 to `e000`, 2 to `e002`";
    assert_eq!(late.to_string(), words);
    assert_eq!(balancer.status().endpoints[0].state, Availability::Draining, "it goes on");

    let waiting = tokio::spawn(balancer.drain_all().unwrap().within(30 * SECOND));
    advance(SECOND).await;
    drop(leases);
    assert_eq!(waiting.await.unwrap(), Ok(()));
    assert_eq!(balancer.drain_all().unwrap().within(Duration::ZERO).await, Ok(()));
}

#[test]
fn saying_it_twice_changes_nothing_and_dropping_the_future_neither() {
    let balancer = balancer("", 2, 0);
    let mut events = balancer.subscribe();
    drop(balancer.drain_all().unwrap());
    let version = balancer.version();
    drop(balancer.drain_all().unwrap());
    assert_eq!(balancer.version(), version);
    let words: Vec<_> = received(&mut events).iter().map(Event::to_string).collect();
    assert_eq!(words, ["version 2.1: all is draining, 2 endpoints and whoever joins"]);
    assert!(balancer.pick(&Key::none()).is_err());
}

#[test]
fn enabling_takes_it_back_for_one_or_for_all() {
    let balancer = balancer("", 2, 0);
    balancer.set_weight(&id(0), 7).unwrap();
    drop(balancer.drain_all().unwrap());
    balancer.enable(&id(1)).unwrap();
    assert_eq!(pick(&balancer).endpoint(), &id(1));
    balancer.insert(endpoint(2)).unwrap();
    assert_eq!(balancer.status().endpoints[2].state, Availability::Draining, "all else still is");
    balancer.enable_all().unwrap();
    let weights: Vec<_> =
        balancer.status().endpoints.iter().map(|it| it.effective_weight).collect();
    assert_eq!(weights, [1.0, 1.0, 1.0]);
    let version = balancer.version();
    balancer.insert(endpoint(3)).unwrap();
    assert_eq!(balancer.status().endpoints[3].state, Availability::Available);
    assert_eq!(balancer.enable_all().unwrap().config, version.config, "nothing to take back");
}

#[test]
fn enabling_all_pardons_too_and_that_is_no_revision() {
    let balancer = balancer("", 3, 0);
    balancer.eject(&id(0), SECOND).unwrap();
    let version = balancer.version();
    assert_eq!(balancer.enable_all().unwrap(), version);
    assert_eq!(balancer.status().endpoints[0].state, Availability::Available);
}

#[test]
fn a_rollback_brings_back_what_was_before_it_and_one_of_later_words_leaves_it() {
    let balancer = balancer("", 2, 0);
    drop(balancer.drain_all().unwrap());
    balancer.set_weight(&id(0), 3).unwrap();
    balancer.rollback().unwrap();
    balancer.insert(endpoint(2)).unwrap();
    let all_draining = |balancer: &Balancer<usize>| {
        balancer.status().endpoints.iter().all(|it| it.state == Availability::Draining)
    };
    assert!(all_draining(&balancer));
    balancer.rollback().unwrap();
    balancer.insert(endpoint(3)).unwrap();
    let states: Vec<_> = balancer.status().endpoints.iter().map(|it| it.state).collect();
    assert_eq!(states, [Availability::Available; 4]);
}

#[test]
fn an_empty_set_can_be_drained_and_enabled() {
    let balancer = Balancer::<usize>::builder().build().unwrap();
    assert_ready!(spawn(balancer.drain_all().unwrap()).poll());
    balancer.insert(Endpoint::new("a", 1)).unwrap();
    assert!(balancer.pick(&Key::none()).is_err());
    balancer.enable_all().unwrap();
    assert!(balancer.pick(&Key::none()).is_ok());
}

#[test]
fn the_share_guard_keeps_nobody_drained_and_brings_back_no_weight_beyond_it() {
    let balancer = balancer("[guard]\nmax_share_percent = 60", 3, 0);
    balancer.set_weight(&id(0), 2).unwrap();
    drop(balancer.drain_all().unwrap());
    balancer.enable_all().unwrap();
    assert_eq!(pick(&balancer).endpoint().as_str().len(), 4);

    let mut endpoints = endpoints(0..3);
    endpoints[1] = endpoints[1].clone().weight(50);
    balancer.set_weight(&id(1), 1).unwrap();
    balancer.replace(endpoints).unwrap();
    let refused = balancer.enable_all().unwrap_err().to_string();
    assert!(refused.contains("e001"), "{refused}");
}
