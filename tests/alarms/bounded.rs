//! Somebody who does not listen costs nothing, neither picks nor memory.

use allocation_counter::measure;
use evenkeel::{Event, Key, Outcome};

use crate::support::{received, status};
use crate::{AT_ONCE, UNCAPPED, alarms, story};

/// Events that are kept for a subscriber.
const KEPT: u64 = 1_024;

#[tokio::test(start_paused = true)]
async fn a_stuck_subscriber_gets_the_last_events_and_the_number_of_the_others() {
    let mut story = story(&format!("{UNCAPPED}{AT_ONCE}"), 4);
    let mut stuck = story.balancer.subscribe();
    let (mut all, mut turns) = (0, 0);
    for _ in 0..500 {
        story.fail(0..3);
        story.pardon(0..3);
        let told = received(&mut story.events);
        all += told.len() as u64;
        turns += alarms(told).len();
    }
    assert_eq!(turns, 1_000, "raised and cleared, once an incident");
    let left = received(&mut stuck);
    let Some(Event::Missed(missed)) = left.first() else { panic!("{:?}", left.first()) };
    assert_eq!((*missed, left.len() as u64), (all - KEPT, KEPT + 1));
}

#[tokio::test(start_paused = true)]
async fn picks_allocate_nothing_while_alarms_are_raised_and_nobody_listens() {
    let story = story(&format!("{UNCAPPED}{AT_ONCE}"), 4);
    let _stuck = story.balancer.subscribe();
    story.fail(0..3);
    assert_eq!(story.raised(), ["panic"]);
    let request = || story.balancer.pick(&Key::none()).unwrap().finish(Outcome::Ignore);
    (0..100).for_each(|_| request());
    let picks = |number| status(&story.balancer, &crate::id(number)).picks;
    let before: u64 = (0..4).map(picks).sum();
    let allocated = measure(|| (0..1_000).for_each(|_| request()));
    assert_eq!(allocated.count_total, 0);
    assert_eq!((0..4).map(picks).sum::<u64>(), before + 1_000);
}
