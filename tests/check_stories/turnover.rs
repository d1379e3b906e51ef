//! Endpoints come, go and are exchanged while they are asked.

use std::sync::Arc;

use evenkeel::{Availability, Balancer, Endpoint};
use tokio::task::yield_now;
use tokio::time::sleep;

use crate::support::{config, endpoint, endpoints, id, received};
use crate::ward::{Nature, Ward, probe_by};
use crate::{EXACT, SECOND, SILENCE, Story, settled, story};

/// Waits until the only thing under way is a check that hangs.
async fn hanging(story: &Story, number: usize) {
    story.is(number, Nature::Hangs);
    while story.ward.under_way() == 0 {
        sleep(SECOND / 100).await;
    }
}

#[tokio::test(start_paused = true)]
async fn who_leaves_while_it_is_asked_is_asked_no_more_and_judged_by_nothing() {
    let mut story = story("fall = 1\n", 4).await;
    hanging(&story, 1).await;
    story.balancer.remove(&id(1)).unwrap();
    settled().await;
    assert_eq!(story.ward.under_way(), 0, "the check was dropped at once");
    let asked = story.ward.asked(1).len();
    sleep(30 * SECOND).await;
    assert_eq!((story.ward.asked(1).len(), story.words().len()), (asked, 1));
    story.is(1, Nature::Well);
    story.balancer.insert(endpoint(1)).unwrap();
    assert_eq!(story.state(1), Availability::Available);
    sleep(5 * SECOND).await;
    assert!(story.ward.asked(1).len() > asked, "it is asked again");
}

#[tokio::test(start_paused = true)]
async fn who_comes_back_in_time_is_as_sick_as_it_was() {
    let mut story = story("", 4).await;
    story.falls(1).await;
    story.balancer.remove(&id(1)).unwrap();
    sleep(60 * SECOND).await;
    story.balancer.insert(endpoint(1)).unwrap();
    assert_eq!(story.state(1), Availability::Unhealthy);
    story.words();
    story.is(1, Nature::Well);
    story.until(1, Availability::Warming).await;
    assert_eq!(story.words(), ["`e001` passes its checks"]);
    // Too late it is a stranger.
    story.falls(1).await;
    story.balancer.remove(&id(1)).unwrap();
    sleep(301 * SECOND).await;
    story.balancer.insert(endpoint(1)).unwrap();
    assert_eq!(story.state(1), Availability::Available);
}

#[tokio::test(start_paused = true)]
async fn the_same_set_again_disturbs_no_check() {
    let story = story("", 4).await;
    hanging(&story, 1).await;
    let asked = story.ward.all_asked();
    story.balancer.replace(endpoints(0..4)).unwrap();
    story.balancer.set_weight(&id(1), 3).unwrap();
    settled().await;
    assert_eq!((story.ward.under_way(), story.ward.all_asked()), (1, asked));
}

#[tokio::test(start_paused = true)]
async fn another_target_is_asked_at_once_and_the_old_one_let_go() {
    let ward = Ward::default();
    let (old, new) = (Arc::new(1), Arc::new(2));
    let health = "fall = 1\ntimeout = '30s'\n";
    let balancer = Balancer::builder()
        .config(config(&format!("{EXACT}{health}")))
        .endpoint(Endpoint::new("a", Arc::clone(&old)))
        .probe(probe_by(&ward, |target: &Arc<usize>| **target))
        .seed(7)
        .build()
        .unwrap();
    let _worker = balancer.start();
    ward.is(1, Nature::Hangs);
    while ward.under_way() == 0 {
        sleep(SECOND / 100).await;
    }
    assert_eq!(Arc::strong_count(&old), 2, "one reference in the balancer, none but that");
    balancer.insert(Endpoint::new("a", Arc::clone(&new))).unwrap();
    settled().await;
    assert_eq!((ward.under_way(), Arc::strong_count(&old)), (0, 1));
    assert_eq!(ward.asked(2).len(), 1, "no pause for a target that nobody has asked");
    let mut events = balancer.subscribe();
    ward.is(2, Nature::Sick);
    sleep(6 * SECOND).await;
    let told = received(&mut events);
    assert_eq!(told[0].to_string(), "`a` unhealthy: 1 failed check in a row: it says so");
    assert_eq!(told[1..].len(), 1, "and panic, for it is the only one");
    assert_eq!(ward.asked(1).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_answer_of_a_target_that_was_just_exchanged_is_no_answer() {
    let mut story = story("fall = 1\n", 4).await;
    story.is(1, Nature::Waits);
    while story.ward.under_way() == 0 {
        sleep(SECOND / 100).await;
    }
    // It has answered, and nobody has heard it yet.
    story.is(1, Nature::Well);
    story.ward.open_gate();
    story.balancer.insert(endpoint(1)).unwrap();
    settled().await;
    assert_eq!((story.ward.under_way(), story.state(1)), (0, Availability::Available));
    assert_eq!(story.words(), ["version 1.2: `e001` has a new target"]);
}

#[tokio::test(start_paused = true)]
async fn a_deploy_that_exchanges_all_is_checked_from_its_beginning() {
    let mut story = story("", 4).await;
    story.falls(1).await;
    story.balancer.replace(endpoints(10..20)).unwrap();
    assert_eq!(story.count(Availability::Available), 10);
    let before: Vec<_> = (0..4).map(|number| story.ward.asked(number).len()).collect();
    yield_now().await;
    sleep(6 * SECOND).await;
    assert!((10..20).all(|number| !story.ward.asked(number).is_empty()));
    let after: Vec<_> = (0..4).map(|number| story.ward.asked(number).len()).collect();
    assert_eq!((before, story.words()[1..].len()), (after, SILENCE.len()));
}
