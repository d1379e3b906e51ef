//! Nobody asks, and time goes on.

use evenkeel::{Availability, Outcome, Recovery};
use tokio::task::yield_now;
use tokio::time::advance;

use crate::support::{id, received};
use crate::{SECOND, TICK, steps, story};

#[tokio::test(start_paused = true)]
async fn without_traffic_the_status_tells_how_things_stand() {
    let mut story = story("", 4);
    story.fail(1, 5);
    story.words();
    advance(30 * SECOND - TICK).await;
    assert_eq!((story.state(1), story.left(1)), (Availability::Ejected, TICK));
    advance(TICK).await;
    assert_eq!(story.state(1), Availability::Probing);
    advance(10_000 * SECOND).await;
    assert_eq!(story.state(1), Availability::Probing, "time alone proves nothing");
    assert_eq!(story.words(), [""; 0], "looking publishes nothing");
    story.succeed(1, 1);
    advance(15 * SECOND).await;
    let found = crate::support::status(&story.balancer, &id(1));
    assert!((found.effective_weight - 0.5).abs() < 0.051, "{found:?}");
    advance(15 * SECOND).await;
    assert_eq!(story.state(1), Availability::Available);
    assert_eq!(steps(&story.told()).len(), 2, "the end of the ramp was settled by nobody yet");
}

#[tokio::test(start_paused = true)]
async fn a_worker_tells_in_time_and_ends_with_its_handle() {
    let mut story = story("", 4);
    let worker = story.balancer.start();
    yield_now().await;
    story.fail(1, 5);
    story.words();
    tokio::time::sleep(30 * SECOND - TICK).await;
    assert_eq!(story.words(), [""; 0]);
    tokio::time::sleep(SECOND / 10).await;
    assert_eq!(steps(&story.told()), [(id(1), Recovery::Probing)]);
    story.succeed(1, 1);
    tokio::time::sleep(31 * SECOND).await;
    assert_eq!(steps(&story.told()), [(id(1), Recovery::Warming), (id(1), Recovery::Recovered)]);
    worker.stop().await;
    story.fail(2, 5);
    story.words();
    tokio::time::sleep(60 * SECOND).await;
    assert_eq!(story.words(), [""; 0], "nobody settles any more");
    story.settle();
    assert_eq!(story.words(), ["`e002` is probed"], "but the next request");
}

#[tokio::test(start_paused = true)]
async fn a_worker_leaves_nothing_behind() {
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let before = tasks();
    let mut story = story("", 4);
    let worker = story.balancer.start();
    yield_now().await;
    assert_eq!(tasks(), before + 1, "one task");
    drop(worker);
    yield_now().await;
    assert_eq!(tasks(), before);
    // With the last handle it ends by itself, though somebody is out.
    let worker = story.balancer.start();
    story.balancer.start().detach();
    story.fail(1, 5);
    yield_now().await;
    assert_eq!(tasks(), before + 2);
    let lease = story.only(0).unwrap();
    let told = received(&mut story.events);
    drop(story);
    for _ in 0..10 {
        yield_now().await;
    }
    assert!(worker.is_finished());
    assert_eq!((tasks(), told.len()), (before, 1));
    lease.finish(Outcome::failure());
}

#[tokio::test(start_paused = true)]
async fn sweeps_come_without_traffic_where_somebody_tends() {
    let settings = "[outlier.failure_percentage]\nrequest_volume = 4\nminimum_hosts = 1\n";
    let mut story = story(settings, 4);
    let worker = story.balancer.start();
    yield_now().await;
    tokio::time::sleep(11 * SECOND).await;
    story.fail(1, 4);
    assert_eq!(story.words(), [""; 0]);
    tokio::time::sleep(10 * SECOND).await;
    let words = story.words();
    assert_eq!(words, ["`e001` ejected: failure percentage 100 %, the limit is 85 %"]);
    drop(worker);
}
