//! Probes, and answers that come too late to say anything.

use evenkeel::{Availability, Outcome, Recovery};
use tokio::time::advance;

use crate::support::id;
use crate::{SECOND, Story, steps, story};

/// `e001` of four has been out and is to be probed.
async fn on_probation(more: &str) -> Story {
    let mut story = story(more, 4);
    story.fail(1, 5);
    advance(30 * SECOND).await;
    story.words();
    story
}

#[tokio::test(start_paused = true)]
async fn a_probe_is_the_first_request_and_the_only_one() {
    let story = on_probation("").await;
    let leases: Vec<_> = (0..100).map(|_| crate::support::pick(&story.balancer)).collect();
    let to = |it: &&evenkeel::Lease<usize>| *it.endpoint() == id(1);
    assert_eq!(leases.iter().filter(to).count(), 1);
    assert_eq!(*leases[0].endpoint(), id(1));
    // Who may not go there is no probe.
    assert_eq!(story.state(1), Availability::Probing);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_excludes_it_does_not_probe_it() {
    let story = on_probation("").await;
    let key = evenkeel::Key::none().excluding(&id(1));
    assert!((0..20).all(|_| *story.balancer.pick(&key).unwrap().endpoint() != id(1)));
    assert!(story.only(1).is_some());
}

#[tokio::test(start_paused = true)]
async fn a_probe_whose_caller_goes_away_decides_nothing() {
    let mut story = on_probation("").await;
    for end in [None, Some(Outcome::Ignore)] {
        for _ in 0..3 {
            let probe = crate::support::pick(&story.balancer);
            assert_eq!(*probe.endpoint(), id(1), "the next request probes it again");
            assert_ne!(*crate::support::pick(&story.balancer).endpoint(), id(1));
            match end {
                Some(outcome) => probe.finish(outcome),
                None => drop(probe),
            }
        }
    }
    assert_eq!(story.words(), ["`e001` is probed"]);
    assert_eq!((story.state(1), story.times(1)), (Availability::Probing, 1));
    story.answer(1, 1, Outcome::overloaded(None));
    assert_eq!(story.words(), ["`e001` ejected: its probe failed, 2 times in a row"]);
}

#[tokio::test(start_paused = true)]
async fn it_owes_as_many_good_answers_as_are_asked_for() {
    let mut story = on_probation("probe_successes = 3\n").await;
    story.succeed(1, 2);
    assert_eq!(story.state(1), Availability::Probing);
    story.fail(1, 1);
    story.probe(1, Outcome::Success).await;
    story.succeed(1, 1);
    assert_eq!(story.state(1), Availability::Probing, "a failure begins the count again");
    story.succeed(1, 1);
    assert_eq!(story.state(1), Availability::Warming);
    assert_eq!(
        story.words(),
        [
            "`e001` is probed",
            "`e001` ejected: its probe failed, 2 times in a row",
            "`e001` is probed",
            "`e001` has proved itself and takes a growing share",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn stragglers_from_before_the_ejection_say_nothing() {
    let mut story = story("", 4);
    let late: Vec<_> = (0..30).map(|_| story.only(1).unwrap()).collect();
    let mut late = late.into_iter();
    let mut end = |n: usize, outcome| {
        late.by_ref().take(n).for_each(|lease| lease.finish(outcome));
    };
    advance(SECOND).await;
    story.fail(1, 5);
    advance(SECOND).await;
    end(6, Outcome::failure());
    assert_eq!(story.times(1), 1, "out already");
    advance(29 * SECOND).await;
    let probe = story.only(1).unwrap();
    end(1, Outcome::Success);
    end(1, Outcome::failure());
    assert_eq!(story.state(1), Availability::Probing, "neither decides the probe");
    probe.finish(Outcome::Success);
    assert_eq!(story.state(1), Availability::Warming);
    advance(SECOND).await;
    end(10, Outcome::failure());
    assert_eq!(story.state(1), Availability::Warming, "failures from before");
    story.fail(1, 4);
    end(5, Outcome::failure());
    assert_eq!(story.state(1), Availability::Warming);
    assert_eq!(steps(&story.told()[1..]), [(id(1), Recovery::Probing), (id(1), Recovery::Warming)]);
    story.fail(1, 1);
    assert_eq!(story.state(1), Availability::Ejected, "its own fifth");
}

#[tokio::test(start_paused = true)]
async fn a_late_good_answer_makes_up_for_nothing() {
    let story = story("", 4);
    let late = story.only(1).unwrap();
    advance(SECOND).await;
    story.fail(1, 5);
    story.probe(1, Outcome::Success).await;
    advance(SECOND).await;
    late.finish(Outcome::Success);
    for _ in 0..3 {
        advance(10 * SECOND).await;
        story.settle();
    }
    assert_eq!(story.times(1), 1, "it has not answered since it is back");
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_ramp_is_no_new_chapter() {
    let story = on_probation("").await;
    story.succeed(1, 1);
    advance(29 * SECOND).await;
    let waiting = story.only(1).unwrap();
    story.fail(1, 3);
    advance(SECOND).await;
    assert_eq!(story.state(1), Availability::Available);
    story.settle();
    story.fail(1, 1);
    waiting.finish(Outcome::failure());
    assert_eq!(story.state(1), Availability::Ejected, "five in a row, whatever its share was");
    assert_eq!(story.times(1), 2);
}

#[tokio::test(start_paused = true)]
async fn a_probe_of_an_earlier_ejection_decides_nothing() {
    let mut story = on_probation("").await;
    let early = story.only(1).unwrap();
    story.balancer.eject(&id(1), SECOND).unwrap();
    advance(SECOND).await;
    story.settle();
    let probe = story.only(1);
    early.finish(Outcome::failure());
    assert_eq!((story.state(1), story.times(1)), (Availability::Probing, 1));
    probe.unwrap().finish(Outcome::Success);
    assert_eq!(story.state(1), Availability::Warming);
    assert_eq!(
        story.words(),
        [
            "`e001` is probed",
            "`e001` ejected by an operator",
            "`e001` is probed",
            "`e001` has proved itself and takes a growing share",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_is_probed_may_be_drained_and_pardoned() {
    let mut story = on_probation("").await;
    let probe = story.only(1).unwrap();
    advance(SECOND).await;
    story.balancer.enable(&id(1)).unwrap();
    assert_eq!((story.state(1), story.times(1)), (Availability::Available, 0));
    probe.finish(Outcome::failure());
    assert_eq!(story.state(1), Availability::Available, "it was pardoned meanwhile");
    assert_eq!(story.words(), ["`e001` is probed", "`e001` was pardoned"]);
    story.fail(1, 5);
    advance(30 * SECOND).await;
    let probe = story.only(1).unwrap();
    drop(story.balancer.drain(&id(1)).unwrap());
    assert!(story.only(1).is_none(), "a drained endpoint is not probed");
    probe.finish(Outcome::Success);
    assert_eq!(story.state(1), Availability::Draining);
}

/// Who never answers must not have every request of a caller who waits for a second each time.
#[tokio::test(start_paused = true)]
async fn a_probe_that_nobody_had_the_patience_for_is_followed_by_a_rest() {
    let story = on_probation("").await;
    let mut probes = 0;
    for _ in 0..100 {
        let lease = crate::support::pick(&story.balancer);
        if *lease.endpoint() == id(1) {
            probes += 1;
            advance(std::time::Duration::from_secs(1)).await;
            drop(lease);
        } else {
            advance(std::time::Duration::from_millis(100)).await;
            lease.finish(Outcome::Success);
        }
    }
    assert_eq!(probes, 3, "one in five seconds, and the others are answered in a tenth");
    assert_eq!(story.state(1), Availability::Probing);
}

/// Nothing limits how long he waits: no `attempt_timeout`, no `abandoned_after`.
#[tokio::test(start_paused = true)]
async fn a_probe_that_never_ends_does_not_keep_others_from_proving_it_well() {
    let mut story = on_probation("").await;
    let stuck = story.only(1).unwrap();
    advance(29 * SECOND).await;
    assert_eq!(story.got(1, 20), 0, "one at a time");
    advance(2 * SECOND).await;
    let second = crate::support::pick(&story.balancer);
    assert_eq!(*second.endpoint(), id(1), "it has been waited for long enough");
    assert_eq!(story.got(1, 20), 0, "again one at a time");
    second.finish(Outcome::Success);
    assert_eq!(story.state(1), Availability::Warming);
    stuck.finish(Outcome::failure());
    assert_eq!((story.state(1), story.times(1)), (Availability::Warming, 1), "it comes too late");
    assert_eq!(
        story.words(),
        ["`e001` is probed", "`e001` has proved itself and takes a growing share"]
    );
}

/// Where answers take longer than probes are waited for, nobody else could ever be in time.
#[tokio::test(start_paused = true)]
async fn a_probe_that_is_answered_late_decides_if_it_is_the_first() {
    for (end, then) in
        [(Outcome::Success, Availability::Warming), (Outcome::failure(), Availability::Ejected)]
    {
        let story = on_probation("probe_successes = 1\n").await;
        let (mut probes, mut second) = (vec![story.only(1).unwrap()], 0);
        while second < 80 {
            advance(SECOND).await;
            second += 1;
            let lease = crate::support::pick(&story.balancer);
            if *lease.endpoint() == id(1) {
                probes.push(lease);
            }
        }
        assert_eq!(probes.len(), 3, "one in half a minute");
        probes.remove(0).finish(end);
        assert_eq!(story.state(1), then);
        probes.into_iter().for_each(|probe| probe.finish(Outcome::failure()));
        assert_eq!(story.state(1), then, "decided already");
        assert!(story.times(1) <= 2);
    }
}

/// Somebody who gives up must not free what is another's by now.
#[tokio::test(start_paused = true)]
async fn a_late_caller_who_goes_away_gives_back_only_his_own_probe() {
    let story = on_probation("").await;
    let stuck = story.only(1).unwrap();
    advance(31 * SECOND).await;
    let second = story.only(1).expect("it has been waited for long enough");
    drop(stuck);
    assert_eq!(story.got(1, 20), 0, "the second is on its way");
    drop(second);
    advance(60 * SECOND).await;
    assert!(story.only(1).is_some());
}
