//! How checks take endpoints out and bring them back.

use evenkeel::{Availability, PickError};
use tokio::time::sleep;

use crate::support::{id, now, status};
use crate::ward::Nature;
use crate::{SECOND, SILENCE, story};

#[tokio::test(start_paused = true)]
async fn without_traffic_a_sick_endpoint_is_found_and_comes_back_with_a_ramp() {
    let mut story = story("", 4).await;
    sleep(20 * SECOND).await;
    assert_eq!(story.words(), SILENCE, "those who are well are no news");
    let version = story.balancer.version();
    story.is(1, Nature::Sick);
    let fell_ill = now();
    story.until(1, Availability::Unhealthy).await;
    // The first bad answer within an interval, two more at the shorter pause.
    let took = now().saturating_duration_since(fell_ill);
    assert!(2 * SECOND <= took && took <= 7 * SECOND + SECOND / 10, "{took:?}");
    assert_eq!(story.words(), ["`e001` unhealthy: 3 failed checks in a row: it says so"]);
    assert_eq!((story.got(1, 99), story.balancer.version()), (0, version));
    assert!(story.only(1).is_none(), "not even as a probe");
    sleep(60 * SECOND).await;
    assert_eq!(story.words(), SILENCE, "told once");
    story.is(1, Nature::Well);
    let rose = now();
    story.until(1, Availability::Warming).await;
    assert!(now().saturating_duration_since(rose) <= 2 * SECOND + SECOND / 10);
    assert_eq!(story.words(), ["`e001` passes its checks"]);
    let share = status(&story.balancer, &id(1)).expected_share;
    assert!(0.0 < share && share < 0.04, "{share}");
    sleep(31 * SECOND).await;
    assert_eq!(story.state(1), Availability::Available);
    assert_eq!(story.words(), ["`e001` takes its full share again"]);
}

#[tokio::test(start_paused = true)]
async fn only_answers_in_a_row_count() {
    let mut story = story("", 2).await;
    sleep(10 * SECOND).await;
    for _ in 0..5 {
        let asked = story.ward.asked(0).len();
        story.is(0, Nature::Sick);
        while story.ward.asked(0).len() < asked + 2 {
            sleep(SECOND / 100).await;
        }
        story.is(0, Nature::Well);
        while story.ward.asked(0).len() < asked + 3 {
            sleep(SECOND / 100).await;
        }
    }
    assert_eq!((story.words().len(), story.state(0)), (0, Availability::Available));
    story.falls(0).await;
    let asked = story.ward.asked(0).len();
    story.is(0, Nature::Well);
    while story.ward.asked(0).len() < asked + 1 {
        sleep(SECOND / 100).await;
    }
    story.is(0, Nature::Sick);
    sleep(30 * SECOND).await;
    assert_eq!((story.words().len(), story.state(0)), (0, Availability::Unhealthy));
}

#[tokio::test(start_paused = true)]
async fn a_relapse_on_the_way_back_drops_the_ramp() {
    let mut story = story("", 4).await;
    story.falls(2).await;
    story.is(2, Nature::Well);
    story.until(2, Availability::Warming).await;
    sleep(10 * SECOND).await;
    story.falls(2).await;
    assert_eq!(status(&story.balancer, &id(2)).effective_weight, 0.0);
    story.is(2, Nature::Well);
    story.until(2, Availability::Warming).await;
    let weight = status(&story.balancer, &id(2)).effective_weight;
    assert!(weight <= 0.11, "it begins anew: {weight}");
    assert_eq!(story.words(), ["`e002` passes its checks"]);
}

#[tokio::test(start_paused = true)]
async fn where_all_fail_all_are_served_and_belief_returns_with_them() {
    let mut story = story("", 4).await;
    sleep(5 * SECOND).await;
    (0..4).for_each(|number| story.is(number, Nature::Sick));
    sleep(10 * SECOND).await;
    let words = story.words();
    assert_eq!(words.len(), 5, "{words:?}");
    assert_eq!(words.iter().filter(|it| it.contains("unhealthy: 3 failed")).count(), 4);
    assert_eq!(words[3], "panic: only 1 of 4 endpoints are well, all are used");
    assert_eq!((story.count(Availability::Unhealthy), story.got(1, 400)), (4, 100));
    assert!(story.balancer.status().panic);
    (0..4).for_each(|number| story.is(number, Nature::Well));
    sleep(5 * SECOND).await;
    let words = story.words();
    assert_eq!(words.iter().filter(|it| it.contains("passes its checks")).count(), 4);
    assert_eq!(words[0], "alarm for 5s: panic, 0 of 4 endpoints are well");
    assert_eq!(words[4], "panic over: 3 of 4 endpoints are well");
    assert!(!story.balancer.status().panic);
    sleep(60 * SECOND).await;
    let over = story.words().into_iter().filter(|it| it.starts_with("alarm over"));
    assert_eq!(over.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn without_panic_a_pick_says_what_it_waits_for() {
    let mut story = story("[panic]\nwhen_none_healthy = 'fail'\n", 3).await;
    for number in 0..3 {
        story.falls(number).await;
    }
    let refused = story.balancer.pick(&evenkeel::Key::none()).unwrap_err();
    assert_eq!(
        refused,
        PickError::NoneAvailable {
            draining: 0,
            disabled: 0,
            ejected: 0,
            unhealthy: 3,
            until: None
        }
    );
    assert_eq!(
        refused.to_string(),
        "no endpoint: 0 draining, 0 disabled, 3 unhealthy, none returns until its checks succeed"
    );
    drop(story.balancer.drain_for(&id(0), 60 * SECOND).unwrap());
    let refused = story.balancer.pick(&evenkeel::Key::none()).unwrap_err();
    let PickError::NoneAvailable { draining, unhealthy, until, .. } = refused else { panic!() };
    // Its drain will be over, and it will still be sick.
    assert_eq!((draining, unhealthy, until), (1, 2, None));
    assert_eq!(story.state(0), Availability::Draining, "of two the later in the order");
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_is_switched_off_is_checked_all_the_same() {
    let mut story = story("", 3).await;
    story.balancer.disable(&id(0)).unwrap();
    story.is(0, Nature::Sick);
    sleep(10 * SECOND).await;
    story.balancer.enable(&id(0)).unwrap();
    assert_eq!(story.state(0), Availability::Unhealthy, "it does not come back to die");
    assert_eq!(story.words().len(), 3);
}
