//! What operators do about it.

use std::time::Duration;

use evenkeel::{Availability, Decision, Event, Outcome, Rule, UpdateError};
use tokio::time::advance;

use crate::support::{balancer, id, now, refused};
use crate::{EXACT, SECOND, story, told, until};

#[tokio::test(start_paused = true)]
async fn an_operator_ejects_for_as_long_as_he_says() {
    let mut story = story("", 4);
    let ends = story.balancer.eject(&id(1), 100 * SECOND).unwrap();
    assert_eq!(until(ends), 100 * SECOND);
    let told = story.told();
    let [Event::Ejection(ejection)] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!((&ejection.rule, ejection.enforced()), (&Rule::Operator, true));
    assert_eq!(ejection.decision, Decision::Ejected { until: ends, times: 0 });
    // Twice: the second word holds, be it longer or shorter, and is no second ejection.
    for seconds in [300, 20] {
        let ends = story.balancer.eject(&id(1), seconds * SECOND).unwrap();
        assert_eq!((until(ends), story.left(1)), (seconds * SECOND, seconds * SECOND));
        assert_eq!(story.times(1), 0);
    }
    assert_eq!(story.got(1, 100), 0);
    story.probe(1, Outcome::Success).await;
    advance(30 * SECOND).await;
    story.settle();
    let back = ["is probed", "has proved itself and takes a growing share"];
    let back = back.into_iter().chain(["takes its full share again"]);
    let back: Vec<_> = back.map(|step| format!("`e001` {step}")).collect();
    assert_eq!(story.words()[2..], back);
    assert_eq!(story.times(1), 0, "nobody had anything against it");
}

#[tokio::test(start_paused = true)]
async fn the_cap_holds_for_operators_too() {
    let story = story("", 4);
    story.fail(0, 5);
    story.balancer.eject(&id(1), SECOND).unwrap();
    let error = refused(&story.balancer, |it| {
        it.eject(&id(2), SECOND).map(|_| unreachable!("the cap is full"))
    });
    assert!(
        matches!(&error, UpdateError::Protected { id: it, out: 2, of: 4 } if *it == id(2)),
        "{error}"
    );
    assert!(matches!(story.balancer.eject(&id(9), SECOND), Err(UpdateError::Unknown { .. })));
    // One that is out already may be told to stay.
    assert!(story.balancer.eject(&id(0), 500 * SECOND).is_ok());
    // A drained one counts for nothing, until it is back.
    drop(story.balancer.drain_for(&id(3), 10 * SECOND).unwrap());
    assert_eq!((story.state(0), story.state(1)), (Availability::Ejected, Availability::Warming));
}

#[tokio::test(start_paused = true)]
async fn a_drained_endpoint_may_be_ejected_and_makes_room_when_it_returns() {
    let mut story = story("", 4);
    drop(story.balancer.drain_for(&id(3), 10 * SECOND).unwrap());
    story.balancer.eject(&id(3), 100 * SECOND).unwrap();
    assert_eq!(story.state(3), Availability::Draining, "the last that applies");
    story.balancer.eject(&id(0), 50 * SECOND).unwrap();
    assert!(story.balancer.eject(&id(1), SECOND).is_err(), "one of three");
    advance(10 * SECOND).await;
    // Four again, of which two may be out.
    assert_eq!((story.state(3), story.state(0)), (Availability::Ejected, Availability::Ejected));
    assert!(story.balancer.eject(&id(1), SECOND).is_err());
    drop(story.balancer.drain(&id(2)).unwrap());
    assert_eq!((story.state(3), story.state(0)), (Availability::Ejected, Availability::Warming));
    let room = "`e000` is back ahead of time, for fewer may be out";
    assert_eq!(story.words().iter().filter(|it| *it == room).count(), 1);
}

#[tokio::test(start_paused = true)]
async fn enabling_is_a_pardon() {
    let mut story = story("", 4);
    for _ in 0..3 {
        story.fail(1, 5);
        story.probe(1, Outcome::Success).await;
    }
    story.fail(1, 5);
    assert_eq!((story.times(1), story.left(1)), (4, 120 * SECOND));
    story.words();
    let version = story.balancer.version();
    assert_eq!(story.balancer.enable(&id(1)).unwrap(), version, "health is no version");
    assert_eq!(story.words(), ["`e001` was pardoned"]);
    assert_eq!((story.state(1), story.times(1)), (Availability::Available, 0));
    assert_eq!(story.got(1, 400), 100, "its full share, at once");
    advance(SECOND).await;
    story.fail(1, 5);
    assert_eq!(story.left(1), 30 * SECOND, "the past is forgotten");
    // Also of one who warms up, and of one who only has a past.
    story.probe(1, Outcome::Success).await;
    story.balancer.enable(&id(1)).unwrap();
    assert_eq!((story.state(1), story.times(1)), (Availability::Available, 0));
    story.words();
    story.balancer.enable(&id(1)).unwrap();
    assert_eq!(story.words(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn what_was_before_a_pardon_is_not_held_against_it_by_the_next_sweep() {
    let settings =
        "[outlier.failure_percentage]\nthreshold = 50\nrequest_volume = 10\nminimum_hosts = 1\n";
    let mut story = story(settings, 4);
    (0..4).for_each(|number| story.succeed(number, 1));
    story.fail(1, 4);
    story.succeed(1, 1);
    story.fail(1, 5);
    // Out by its row, and by no sweep.
    assert_eq!(story.state(1), Availability::Ejected);
    advance(SECOND).await;
    story.balancer.enable(&id(1)).unwrap();
    story.words();
    story.succeed(1, 2);
    advance(10 * SECOND).await;
    story.settle();
    assert_eq!(story.words(), [""; 0]);
    assert_eq!(story.state(1), Availability::Available);
}

#[tokio::test(start_paused = true)]
async fn a_rollback_leaves_ejections_alone_and_health_is_no_version() {
    let mut story = story("", 4);
    let built = story.balancer.version();
    story.fail(1, 5);
    story.balancer.eject(&id(2), 100 * SECOND).unwrap();
    advance(30 * SECOND).await;
    story.settle();
    story.succeed(1, 1);
    assert_eq!(story.balancer.version(), built);
    assert_eq!(story.balancer.history().len(), 1);
    story.balancer.set_weight(&id(0), 3).unwrap();
    let before = (story.state(1), story.times(1), story.state(2), story.left(2));
    story.words();
    story.balancer.rollback().unwrap();
    assert_eq!((story.state(1), story.times(1), story.state(2), story.left(2)), before);
    assert_eq!(story.words().len(), 1, "nothing but the rollback");
    assert!(story.balancer.rollback().is_err());
}

#[tokio::test(start_paused = true)]
async fn the_ends_of_a_span() {
    let mut story = story("", 4);
    // For ever.
    let ends = story.balancer.eject(&id(1), Duration::MAX).unwrap();
    assert!(ends > now() + 1_000 * 24 * 3_600 * SECOND, "not in the past: {:?}", until(ends));
    advance(1_000 * SECOND).await;
    assert_eq!(story.state(1), Availability::Ejected);
    story.balancer.enable(&id(1)).unwrap();
    story.words();
    // For no time at all: it is to prove itself at once.
    let ends = story.balancer.eject(&id(1), Duration::ZERO).unwrap();
    assert_eq!((until(ends), story.state(1)), (Duration::ZERO, Availability::Probing));
    assert_eq!(story.words(), ["`e001` ejected by an operator", "`e001` is probed"]);
    story.succeed(1, 1);
    assert_eq!(story.state(1), Availability::Warming);
}

#[tokio::test(start_paused = true)]
async fn removed_while_ejected_it_is_out_of_every_count() {
    let mut story = told(balancer(&format!("{EXACT}[update]\nmin_endpoints = 100\n"), 4, 7));
    story.fail(0, 5);
    story.fail(1, 5);
    assert!(story.balancer.eject(&id(2), SECOND).is_err());
    story.balancer.remove(&id(0)).unwrap();
    assert_eq!(story.state(1), Availability::Ejected, "one of three");
    assert!(story.balancer.eject(&id(2), SECOND).is_err());
    story.balancer.remove(&id(2)).unwrap();
    assert_eq!(story.state(1), Availability::Ejected, "one of two");
    story.balancer.remove(&id(3)).unwrap();
    assert_eq!(story.state(1), Availability::Warming, "none of one");
    assert_eq!(story.got(1, 10), 10);
    let words = story.words();
    assert_eq!(words.last().unwrap(), "`e001` is back ahead of time, for fewer may be out");
}
