//! Who checks, and what becomes of it when nobody does any more.

use std::sync::Arc;

use evenkeel::{Availability, Balancer, Endpoint};
use tokio::time::sleep;

use crate::support::{config, endpoint, received};
use crate::ward::{Nature, Ward, probe_by};
use crate::{EXACT, SECOND, SILENCE, settled, story, tasks, unattended};

#[tokio::test(start_paused = true)]
async fn a_worker_dropped_while_one_is_asked_leaves_no_task_and_no_target() {
    let before = tasks();
    let ward = Ward::default();
    ward.is(1, Nature::Hangs);
    let target = Arc::new(1);
    let health = format!("{EXACT}timeout = '30s'\n");
    let balancer = Balancer::builder()
        .config(config(&health))
        .endpoint(Endpoint::new("a", Arc::clone(&target)))
        .probe(probe_by(&ward, |target: &Arc<usize>| **target))
        .build()
        .unwrap();
    let asked = async || {
        while ward.under_way() == 0 {
            sleep(SECOND / 100).await;
        }
        assert_eq!(tasks(), before + 2, "the worker and the check");
    };
    let worker = balancer.start();
    asked().await;
    drop(worker);
    settled().await;
    assert_eq!((tasks(), ward.under_way(), Arc::strong_count(&target)), (before, 0, 2));
    let worker = balancer.start();
    asked().await;
    worker.stop().await;
    settled().await;
    assert_eq!((tasks(), ward.under_way()), (before, 0));
    // As a future of somebody's own, and with the last handle.
    {
        let mut run = Box::pin(balancer.run());
        let wait = async {
            while ward.under_way() == 0 {
                sleep(SECOND / 100).await;
            }
        };
        tokio::select! { () = &mut run => unreachable!(), () = wait => {} }
    }
    settled().await;
    assert_eq!((tasks(), ward.under_way()), (before, 0));
    let worker = balancer.start();
    asked().await;
    drop(balancer);
    settled().await;
    assert!(worker.is_finished());
    assert_eq!((tasks(), ward.under_way(), Arc::strong_count(&target)), (before, 0, 1));
}

#[tokio::test(start_paused = true)]
async fn the_last_worker_gone_everybody_counts_as_healthy() {
    let mut story = story("", 4).await;
    story.fail(3, 5);
    story.falls(1).await;
    story.falls(3).await;
    drop(story.worker.take());
    settled().await;
    assert_eq!(
        story.words(),
        [
            "`e001` counts as healthy, for nothing is checked any more",
            "`e003` counts as healthy, for nothing is checked any more",
        ]
    );
    assert_eq!((story.state(1), story.state(3)), (Availability::Warming, Availability::Ejected));
    sleep(60 * SECOND).await;
    story.got(1, 1);
    // Somebody comes again, and finds the same.
    story.worker = Some(story.balancer.start());
    story.until(1, Availability::Unhealthy).await;
}

#[tokio::test(start_paused = true)]
async fn newcomers_wait_for_nobody_who_has_left() {
    let mut story = unattended("initial = 'unhealthy'\n", 4);
    sleep(60 * SECOND).await;
    // Somebody may still come.
    assert_eq!((story.count(Availability::Unhealthy), story.words().len()), (4, 0));
    let worker = story.balancer.start();
    drop(worker);
    settled().await;
    assert_eq!(story.count(Availability::Available), 4, "without a ramp");
    assert_eq!(story.words().len(), 5, "and the end of panic");
    story.balancer.insert(endpoint(4)).unwrap();
    assert_eq!(story.state(4), Availability::Available);
    assert_eq!(story.words().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn two_workers_ask_no_more_than_one_and_the_second_takes_over() {
    let mut story = story("", 4).await;
    let second = story.balancer.start();
    sleep(50 * SECOND).await;
    let asked = story.ward.asked(0).len();
    assert!((10..=11).contains(&asked), "{asked}");
    story.falls(1).await;
    drop(story.worker.take());
    settled().await;
    assert_eq!(story.words(), SILENCE, "there is somebody who goes on");
    let asked = story.ward.asked(0).len();
    sleep(6 * SECOND).await;
    assert!(story.ward.asked(0).len() > asked);
    story.is(1, Nature::Well);
    story.until(1, Availability::Warming).await;
    drop(second);
    settled().await;
    assert_eq!(story.words(), ["`e001` passes its checks"]);
}

#[tokio::test(start_paused = true)]
async fn those_who_wait_for_their_turn_end_with_the_balancer() {
    let before = tasks();
    let mut story = story("", 4).await;
    let others: Vec<_> = (0..3).map(|_| story.balancer.start()).collect();
    story.is(0, Nature::Hangs);
    story.until(0, Availability::Unhealthy).await;
    let told = received(&mut story.events).len();
    let (worker, ward) = (story.worker.take().unwrap(), story.ward.clone());
    drop(story);
    settled().await;
    assert!(worker.is_finished() && others.iter().all(evenkeel::Worker::is_finished));
    assert_eq!((tasks(), ward.under_way(), told), (before, 0, 1));
}

#[test]
fn on_many_threads_nothing_is_left_whatever_was_being_done_just_then() {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(4).enable_time().build().unwrap();
    let tasks = || runtime.metrics().num_alive_tasks();
    let ward = Ward::default();
    ward.is(1, Nature::Hangs);
    ward.is(2, Nature::Sick);
    let target = Arc::new(());
    let health = "[health]\ninterval = '10ms'\nunhealthy_interval = '10ms'\ntimeout = '15ms'\n";
    for round in 0..120 {
        let endpoint = |number: usize| Endpoint::new(number.to_string(), (number, target.clone()));
        let balancer = Balancer::builder()
            .config(config(health))
            .endpoints((0..8).map(endpoint))
            .probe(probe_by(&ward, |target: &(usize, Arc<()>)| target.0))
            .build()
            .unwrap();
        let inside = runtime.enter();
        let workers = [balancer.start(), balancer.start()];
        drop(inside);
        // Until a few checks were made, now in this state and now in that.
        let asked = ward.all_asked();
        while ward.all_asked() < asked + round % 24 {
            std::thread::yield_now();
        }
        match round % 3 {
            0 => {
                let [first, second] = workers;
                drop(first);
                let asked = ward.all_asked();
                while ward.all_asked() < asked + 4 {
                    std::thread::yield_now();
                }
                drop((second, balancer));
            }
            1 => {
                balancer.insert(endpoint(1)).unwrap();
                balancer.remove(&"2".into()).unwrap();
                drop((balancer, workers));
            }
            _ => {
                workers.into_iter().for_each(evenkeel::Worker::detach);
                balancer.apply(config("")).unwrap();
                balancer.apply(config(health)).unwrap();
                drop(balancer);
            }
        }
        while tasks() > 0 || Arc::strong_count(&target) > 1 {
            std::thread::yield_now();
        }
        assert_eq!((ward.under_way(), ward.overlapped()), (0, false));
    }
}
