//! Most or all are out, and health is not believed.

use evenkeel::{Availability, Event, Outcome, PickError};
use tokio::time::advance;

use crate::support::{balancer, id, sequence};
use crate::{SECOND, Story, TICK, count, story, told};

const ALL_MAY_GO: &str = "max_ejected_percent = 100\nmin_available = 0\n";

/// Four endpoints that all fail.
fn all_dead(more: &str) -> Story {
    let story = story(&format!("{ALL_MAY_GO}{more}"), 4);
    for number in 0..4 {
        let leases: Vec<_> = (0..5).map(|_| story.only(number).unwrap()).collect();
        leases.into_iter().for_each(|lease| lease.finish(Outcome::failure()));
    }
    story
}

#[tokio::test(start_paused = true)]
async fn where_all_die_at_once_the_cap_keeps_half() {
    let mut story = story("", 5);
    for number in 0..5 {
        story.fail(number, 5);
    }
    assert_eq!(count(&story.balancer, &[Availability::Ejected]), 2);
    assert_eq!(
        story.words(),
        [
            "`e000` ejected: 5 failures in a row",
            "`e001` ejected: 5 failures in a row",
            "`e002` not ejected: 5 failures in a row: at most 2 may be out",
            "`e003` not ejected: 5 failures in a row: at most 2 may be out",
            "`e004` not ejected: 5 failures in a row: at most 2 may be out",
        ]
    );
    // A full cap exchanges nobody, and repeats itself once per ejection time.
    for _ in 0..20 {
        (2..5).for_each(|number| story.fail(number, 5));
    }
    assert_eq!(story.words(), [""; 0]);
    assert!(!story.balancer.status().panic);
    // As soon as one is well, another may go.
    story.probe(0, Outcome::Success).await;
    story.words();
    story.fail(4, 5);
    assert_eq!(story.words(), ["`e004` ejected: 5 failures in a row"]);
}

#[tokio::test(start_paused = true)]
async fn the_floor_keeps_whom_the_percentage_would_let_go() {
    let mut story = story("max_ejected_percent = 100\nmin_available = 3\n", 4);
    story.fail(0, 5);
    story.fail(1, 5);
    assert_eq!(
        story.words(),
        [
            "`e000` ejected: 5 failures in a row",
            "`e001` not ejected: 5 failures in a row: 3 have to stay",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn panic_comes_once_serves_all_and_goes_once() {
    let mut story = all_dead("");
    assert_eq!(count(&story.balancer, &[Availability::Ejected]), 4);
    assert_eq!(
        story.words(),
        [
            "`e000` ejected: 5 failures in a row",
            "`e001` ejected: 5 failures in a row",
            "`e002` ejected: 5 failures in a row",
            "panic: only 1 of 4 endpoints are well, all are used",
            "`e003` ejected: 5 failures in a row",
        ]
    );
    assert!(story.balancer.status().panic);
    for number in 0..4 {
        assert_eq!(story.got(number, 400), 100, "{number} is served in panic");
    }
    // Failures in panic add nothing to an ejection, and good answers do not end it.
    story.fail(0, 50);
    story.succeed(1, 50);
    assert_eq!(
        (story.times(0), story.state(1), story.words().len()),
        (1, Availability::Ejected, 0)
    );
    // Its end: one back is too few, two are enough in time, three at once.
    advance(30 * SECOND).await;
    story.settle();
    let words = story.words();
    assert_eq!(words.len(), 5, "all are probed: {words:?}");
    assert_eq!(words[4], "alarm for 30s: panic, 0 of 4 endpoints are well");
    let proved = |number| format!("`e00{number}` has proved itself and takes a growing share");
    story.only(0).unwrap().finish(Outcome::Success);
    assert_eq!(story.words(), [proved(0)]);
    story.only(1).unwrap().finish(Outcome::Success);
    assert_eq!(story.words(), [proved(1)]);
    assert!(story.balancer.status().panic, "half are back, which is below 60 %");
    story.only(2).unwrap().finish(Outcome::Success);
    assert_eq!(story.words(), [proved(2), "panic over: 3 of 4 endpoints are well".to_owned()]);
    assert!(!story.balancer.status().panic);
    let probe = story.only(3);
    assert_eq!((probe.is_some(), story.got(3, 400)), (true, 0), "only its probe");
    advance(60 * SECOND).await;
    story.settle();
    let words = story.words();
    assert_eq!(words[words.len() - 1], "alarm over after 90s: panic, 2 of 4 endpoints are well");
}

#[tokio::test(start_paused = true)]
async fn between_the_thresholds_panic_lasts_one_interval() {
    let mut story = all_dead("");
    advance(30 * SECOND).await;
    let probe = |number| story.only(number).unwrap().finish(Outcome::Success);
    (0..2).for_each(probe);
    advance(5 * SECOND).await;
    // A relapse begins the wait again.
    let relapse = story.only(0).unwrap();
    (0..5).for_each(|_| story.only(0).unwrap().finish(Outcome::failure()));
    drop(relapse);
    assert_eq!(story.state(0), Availability::Ejected);
    story.only(2).unwrap().finish(Outcome::Success);
    advance(10 * SECOND - TICK).await;
    assert!(story.balancer.status().panic);
    advance(TICK).await;
    assert!(!story.balancer.status().panic, "also where nobody asks");
    story.words();
    story.settle();
    assert_eq!(story.words(), ["panic over: 2 of 4 endpoints are well"]);
}

#[tokio::test(start_paused = true)]
async fn whoever_would_rather_fail_fails() {
    let mut story = all_dead("[panic]\nwhen_none_healthy = 'fail'\n");
    let refused = story.balancer.pick(&evenkeel::Key::none()).unwrap_err();
    let PickError::NoneAvailable { ejected, until, .. } = refused else { panic!("{refused}") };
    assert_eq!((ejected, until.map(crate::until)), (4, Some(30 * SECOND)));
    assert!(refused.to_string().contains("4 ejected"), "{refused}");
    let panics = |events: Vec<Event>| {
        events.iter().filter(|event| matches!(event, Event::Panic { .. })).count()
    };
    assert_eq!(panics(story.told()), 1);
    // Probes get through, one at a time each; the others still fail.
    advance(30 * SECOND).await;
    let probes: Vec<_> = (0..4).map(|_| story.balancer.pick(&evenkeel::Key::none())).collect();
    assert!(probes.iter().all(Result::is_ok));
    assert!(story.balancer.pick(&evenkeel::Key::none()).is_err());
    // One is well: in panic all are served again, the one as much as the others.
    let mut probes = probes.into_iter().flatten();
    probes.next().unwrap().finish(Outcome::Success);
    assert!(story.balancer.status().panic);
    assert_eq!(count(&story.balancer, &[Availability::Warming]), 1);
    assert!((0..4).all(|number| story.got(number, 400) == 100));
    drop(probes);
}

#[tokio::test(start_paused = true)]
async fn without_panic_the_last_one_carries_all() {
    let settings = format!("panic = false\n{}{ALL_MAY_GO}", crate::EXACT);
    let mut story = told(balancer(&settings, 4, 7));
    (0..3).for_each(|number| story.fail(number, 5));
    assert_eq!((story.words().len(), story.got(3, 100)), (3, 100));
    story.fail(3, 5);
    assert!(story.balancer.pick(&evenkeel::Key::none()).is_err());
    // Nobody asks, and yet time goes on.
    advance(30 * SECOND).await;
    assert_eq!(count(&story.balancer, &[Availability::Probing]), 4);
}

#[tokio::test(start_paused = true)]
async fn drained_disabled_and_weightless_are_not_served_in_panic() {
    let mut story = story(ALL_MAY_GO, 7);
    let drain = story.balancer.drain(&id(4)).unwrap();
    drain.await;
    story.balancer.disable(&id(5)).unwrap();
    story.balancer.set_weight(&id(6), 0).unwrap();
    // Two of them were ill as well.
    for number in 0..4 {
        (0..5).for_each(|_| story.only(number).unwrap().finish(Outcome::failure()));
    }
    assert!(story.balancer.status().panic);
    let got = sequence(&story.balancer, 400);
    assert!((4..7).all(|number| !got.contains(&id(number))), "never");
    assert!((0..4).all(|number| got.contains(&id(number))));
    let last = story.told().into_iter().rfind(|event| matches!(event, Event::Panic { .. }));
    assert_eq!(last.unwrap().to_string(), "panic: only 1 of 4 endpoints are well, all are used");
}

#[tokio::test(start_paused = true)]
async fn what_causes_panic_is_told_before_it() {
    let story = || all_dead("");
    let mut told = story();
    let events = told.told();
    let panic = events.iter().position(|event| matches!(event, Event::Panic { .. })).unwrap();
    let before = events[..panic].iter();
    let ejected = before.filter(|it| matches!(it, Event::Ejection(it) if it.enforced())).count();
    assert_eq!(ejected, 3, "the third brings it about");
    // By an operator's hand as well.
    let mut story = crate::story(ALL_MAY_GO, 2);
    story.balancer.eject(&id(0), SECOND).unwrap();
    story.balancer.eject(&id(1), SECOND).unwrap();
    assert_eq!(
        story.words(),
        [
            "`e000` ejected by an operator",
            "`e001` ejected by an operator",
            "panic: only 0 of 2 endpoints are well, all are used",
        ]
    );
    story.balancer.enable(&id(0)).unwrap();
    story.balancer.enable(&id(1)).unwrap();
    assert_eq!(
        story.words(),
        ["`e000` was pardoned", "`e001` was pardoned", "panic over: 2 of 2 endpoints are well",]
    );
}
