//! The pager: what it hears, in which order, and what its own trouble does.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use evenkeel::{Alarm, BoxError, Event, pager_fn};
use parking_lot::Mutex;
use tokio::sync::Semaphore;
use tokio::task::yield_now;
use tokio::time::sleep;

use crate::support::{Numbered, builder, endpoints, received};
use crate::{AT_ONCE, EXACT, SECOND, Story, UNCAPPED, told};

/// What a pager has heard.
type Heard = Arc<Mutex<Vec<(&'static str, bool)>>>;

fn heard(heard: &Heard) -> Vec<(&'static str, bool)> {
    std::mem::take(&mut *heard.lock())
}

/// A balancer of four that tells panic at once, and whose pager answers with `answer`.
fn paged<A>(answer: impl Fn(Alarm) -> A + Send + Sync + 'static) -> Story
where
    A: Future<Output = Result<(), BoxError>> + Send + 'static,
{
    let text = format!("{EXACT}{UNCAPPED}{AT_ONCE}update_refused = '0s'\n");
    let balancer: Numbered =
        builder(&text, 4, 7).pager(pager_fn(answer)).build().expect("the settings are valid");
    told(balancer)
}

fn listening() -> (Story, Heard) {
    let book = Heard::default();
    let to = Arc::clone(&book);
    let story = paged(move |alarm| {
        to.lock().push((alarm.kind.name(), alarm.raised));
        async { Ok(()) }
    });
    (story, book)
}

async fn soon() {
    sleep(Duration::from_millis(1)).await;
}

#[tokio::test(start_paused = true)]
async fn each_alarm_is_told_once_in_order() {
    let (story, book) = listening();
    let worker = story.balancer.start();
    for _ in 0..3 {
        story.fail(0..3);
        soon().await;
        story.balancer.replace([]).unwrap_err();
        soon().await;
        story.pardon(0..3);
        story.balancer.replace(endpoints(0..4)).unwrap();
        soon().await;
        let turns = [
            ("panic", true),
            ("update_refused", true),
            ("panic", false),
            ("update_refused", false),
        ];
        assert_eq!(heard(&book), turns);
    }
    worker.stop().await;
}

#[tokio::test(start_paused = true)]
async fn without_a_worker_nobody_is_paged_and_with_one_who_still_has_to_be() {
    let (mut story, book) = listening();
    story.fail(0..3);
    story.balancer.replace([]).unwrap_err();
    story.pardon(0..3);
    soon().await;
    assert_eq!(heard(&book), []);
    assert_eq!(story.turns(), [("panic", true), ("update_refused", true), ("panic", false)]);
    let worker = story.balancer.start();
    soon().await;
    assert_eq!(heard(&book), [("update_refused", true)], "panic was over before");
    drop(worker);
    soon().await;
    story.balancer.replace(endpoints(0..4)).unwrap();
    soon().await;
    assert_eq!(heard(&book), []);
    let _worker = story.balancer.start();
    soon().await;
    assert_eq!(heard(&book), [("update_refused", false)]);
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_from_the_beginning_is_told() {
    let book = Heard::default();
    let to = Arc::clone(&book);
    let pager = pager_fn(move |alarm: Alarm| {
        to.lock().push((alarm.kind.name(), alarm.raised));
        async { Ok::<_, BoxError>(()) }
    });
    let well = evenkeel::probe_fn(|_| pending::<Result<(), BoxError>>());
    let text = format!("{EXACT}{AT_ONCE}[health]\ninitial = 'unhealthy'");
    let balancer = builder(&text, 2, 7).probe(well).pager(pager).build().unwrap();
    assert_eq!(balancer.status().alarms.len(), 1);
    let _worker = balancer.start();
    soon().await;
    assert_eq!(heard(&book), [("panic", true)]);
}

fn failures(story: &mut Story) -> Vec<String> {
    let told = received(&mut story.events);
    let failure = |it: &Event| matches!(it, Event::PagerFailed { .. }).then(|| it.to_string());
    told.iter().filter_map(failure).collect()
}

#[tokio::test(start_paused = true)]
async fn a_pager_that_is_stuck_has_its_time_and_others_are_told_all_the_same() {
    let book = Heard::default();
    let to = Arc::clone(&book);
    let mut story = paged(move |alarm| {
        to.lock().push((alarm.kind.name(), alarm.raised));
        let sticks = alarm.kind.name() == "panic";
        async move { if sticks { pending().await } else { Ok(()) } }
    });
    let _worker = story.balancer.start();
    story.fail(0..3);
    story.balancer.replace([]).unwrap_err();
    sleep(60 * SECOND).await;
    let panic = ("panic", true);
    assert_eq!(heard(&book), [panic, ("update_refused", true), panic, panic]);
    assert_eq!(
        failures(&mut story),
        [
            "the pager did not take `panic`, attempt 1: no answer within 10s",
            "the pager did not take `panic`, attempt 2: no answer within 10s",
            "the pager did not take `panic`, attempt 3: no answer within 10s; it is told no more of it",
        ]
    );
    assert_eq!(story.raised().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_pager_that_panics_is_called_again() {
    for at_once in [true, false] {
        let calls = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&calls);
        let mut story = paged(move |_| {
            let first = counted.fetch_add(1, Ordering::Relaxed) == 0;
            assert!(!(first && at_once), "before there is a future");
            async move {
                assert!(!first, "in it");
                Ok(())
            }
        });
        let worker = story.balancer.start();
        story.fail(0..3);
        sleep(5 * SECOND).await;
        assert_eq!(calls.load(Ordering::Relaxed), 2);
        let told = failures(&mut story);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].contains("the pager panicked: "), "{told:?}");
        assert!(!worker.is_finished());
    }
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_is_no_news_any_more_is_left() {
    let book = Heard::default();
    let to = Arc::clone(&book);
    let story = paged(move |alarm| {
        to.lock().push((alarm.kind.name(), alarm.raised));
        async {
            sleep(SECOND).await;
            Err("not now".into())
        }
    });
    let _worker = story.balancer.start();
    story.fail(0..3);
    soon().await;
    story.pardon(0..3);
    sleep(60 * SECOND).await;
    assert_eq!(heard(&book), [("panic", true)]);
}

#[tokio::test(start_paused = true)]
async fn one_call_at_a_time_and_the_next_worker_takes_over() {
    let gate = Arc::new(Semaphore::new(0));
    let (book, under_way) = (Heard::default(), Arc::new(AtomicUsize::new(0)));
    let (to, doors, busy) = (Arc::clone(&book), Arc::clone(&gate), Arc::clone(&under_way));
    let story = paged(move |alarm| {
        to.lock().push((alarm.kind.name(), alarm.raised));
        let (doors, busy) = (Arc::clone(&doors), Arc::clone(&busy));
        async move {
            assert_eq!(busy.fetch_add(1, Ordering::SeqCst), 0, "one at a time");
            let _busy = Busy(busy);
            doors.acquire().await?.forget();
            Ok(())
        }
    });
    let first = story.balancer.start();
    let _second = story.balancer.start();
    story.fail(0..3);
    story.balancer.replace([]).unwrap_err();
    soon().await;
    assert_eq!(heard(&book), [("panic", true)]);
    first.stop().await;
    soon().await;
    // Nobody knows whether it was heard.
    assert_eq!(heard(&book), [("panic", true)]);
    gate.add_permits(2);
    soon().await;
    assert_eq!(heard(&book), [("update_refused", true)]);
    assert_eq!(under_way.load(Ordering::SeqCst), 0);
}

struct Busy(Arc<AtomicUsize>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_under_way_keeps_no_balancer_alive() {
    let Story { balancer, mut events } = paged(|_| pending());
    let worker = balancer.start();
    let story = Story { events: balancer.subscribe(), balancer };
    story.fail(0..3);
    soon().await;
    drop(story);
    for _ in 0..10 {
        yield_now().await;
    }
    assert!(worker.is_finished());
    while events.recv().await.is_some() {}
}

/// However long nobody answers and however much happens, at most one of each kind is left to tell.
#[tokio::test(start_paused = true)]
async fn a_stuck_pager_holds_up_nothing_and_piles_up_nothing() {
    let gate = Arc::new(Semaphore::new(0));
    let (book, doors) = (Heard::default(), Arc::clone(&gate));
    let to = Arc::clone(&book);
    let story = paged(move |alarm| {
        to.lock().push((alarm.kind.name(), alarm.raised));
        let doors = Arc::clone(&doors);
        async move {
            doors.acquire().await?.forget();
            Ok(())
        }
    });
    let _worker = story.balancer.start();
    let status = story.balancer.status();
    let before: u64 = status.endpoints.iter().map(|it| it.picks).sum();
    for _ in 0..500 {
        story.fail(0..3);
        story.balancer.replace([]).unwrap_err();
        yield_now().await;
        story.pardon(0..3);
        story.balancer.replace(endpoints(0..4)).unwrap();
        yield_now().await;
    }
    let status = story.balancer.status();
    let after: u64 = status.endpoints.iter().map(|it| it.picks).sum();
    assert_eq!(after - before, 500 * 15, "each pick was made");
    assert_eq!(heard(&book), [("panic", true)], "it still hears the first");
    gate.add_permits(100);
    soon().await;
    assert_eq!(heard(&book), [("panic", false)], "of a thousand incidents this is left");
}
