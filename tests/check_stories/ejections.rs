//! Checks and ejections: neither overrules the other.

use evenkeel::{Availability, Outcome, UpdateError};
use tokio::time::sleep;

use crate::support::{config, id, status};
use crate::ward::Nature;
use crate::{EXACT, SECOND, SILENCE, story};

#[tokio::test(start_paused = true)]
async fn a_good_check_does_not_end_an_ejection() {
    let mut story = story("", 4).await;
    story.fail(1, 5);
    assert_eq!(story.words(), ["`e001` ejected: 5 failures in a row"]);
    sleep(29 * SECOND).await;
    assert!(story.ward.asked(1).len() >= 5, "it is asked meanwhile, and answers well");
    assert_eq!((story.state(1), story.words().len()), (Availability::Ejected, 0));
    sleep(60 * SECOND).await;
    assert_eq!(story.state(1), Availability::Probing, "nor does it take the probe's place");
    story.only(1).unwrap().finish(Outcome::Success);
    let words = ["`e001` is probed", "`e001` has proved itself and takes a growing share"];
    assert_eq!(
        (story.state(1), story.words()),
        (Availability::Warming, words.map(Into::into).into())
    );
}

#[tokio::test(start_paused = true)]
async fn an_ejected_endpoint_that_falls_ill_is_probed_only_when_it_is_well() {
    let mut story = story("", 4).await;
    story.fail(1, 5);
    story.is(1, Nature::Sick);
    sleep(10 * SECOND).await;
    assert_eq!(
        story.words(),
        [
            "`e001` ejected: 5 failures in a row",
            "`e001` unhealthy: 3 failed checks in a row: it says so"
        ]
    );
    let found = status(&story.balancer, &id(1));
    assert_eq!((found.state, found.ejections), (Availability::Unhealthy, 1));
    assert!(found.ejected_for.is_some(), "both are told");
    sleep(30 * SECOND).await;
    assert_eq!(story.words(), ["`e001` is probed"], "its time is over");
    assert_eq!(story.state(1), Availability::Unhealthy);
    assert!(story.only(1).is_none() && story.got(1, 40) == 0, "and nobody is sent there");
    story.is(1, Nature::Well);
    story.until(1, Availability::Probing).await;
    assert_eq!(story.words(), ["`e001` passes its checks"]);
    story.only(1).unwrap().finish(Outcome::Success);
    assert_eq!(story.state(1), Availability::Warming);
}

#[tokio::test(start_paused = true)]
async fn ill_and_well_again_while_it_is_ejected() {
    let mut story = story("", 4).await;
    story.fail(1, 5);
    story.falls(1).await;
    story.is(1, Nature::Well);
    story.until(1, Availability::Ejected).await;
    assert_eq!(story.words(), ["`e001` passes its checks"]);
    assert!(story.only(1).is_none());
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_was_on_its_way_ends_the_ejection_and_not_the_illness() {
    let mut story = story("", 4).await;
    story.fail(1, 5);
    sleep(31 * SECOND).await;
    let probe = story.only(1).expect("it is probed");
    story.falls(1).await;
    probe.finish(Outcome::Success);
    assert_eq!(story.words(), ["`e001` is ejected no more, but kept out by its checks"]);
    assert_eq!(story.state(1), Availability::Unhealthy);
    story.is(1, Nature::Well);
    story.until(1, Availability::Warming).await;
    assert_eq!(story.words(), ["`e001` passes its checks"]);
}

#[tokio::test(start_paused = true)]
async fn a_pardon_ends_an_ejection_and_not_an_illness() {
    let mut story = story("", 4).await;
    story.fail(1, 5);
    story.falls(1).await;
    let version = story.balancer.enable(&id(1)).unwrap();
    assert_eq!(story.words(), ["`e001` was pardoned"]);
    let found = status(&story.balancer, &id(1));
    assert_eq!((found.state, found.ejections), (Availability::Unhealthy, 0));
    assert_eq!(story.balancer.enable(&id(1)).unwrap(), version);
    assert_eq!(story.words(), SILENCE, "there is nothing left to pardon");
}

#[tokio::test(start_paused = true)]
async fn detection_switched_off_leaves_the_sick_where_they_are() {
    let mut story = story("", 4).await;
    story.fail(1, 5);
    story.fail(3, 5);
    story.falls(1).await;
    let off = EXACT.replace("[outlier]\nejection_jitter_percent = 0\n", "");
    story.balancer.apply(config(&format!("outlier = false\n{off}"))).unwrap();
    assert_eq!(
        story.words()[1..],
        [
            "`e001` is ejected no more, but kept out by its checks",
            "`e003` is back, for nothing is detected any more"
        ]
    );
    assert_eq!(story.states()[1], Availability::Unhealthy);
    assert_eq!(story.states()[3], Availability::Available);
}

#[tokio::test(start_paused = true)]
async fn checks_are_not_capped_and_end_no_ejection() {
    let mut story = story("[panic]\nthreshold_percent = 10\nexit_percent = 20\n", 6).await;
    sleep(5 * SECOND).await;
    story.fail(0, 5);
    for number in [1, 2, 3] {
        story.is(number, Nature::Sick);
    }
    sleep(10 * SECOND).await;
    // Half may be out, and two thirds are.
    let words = story.words();
    assert_eq!(words.len(), 4, "{words:?}");
    assert_eq!((story.count(Availability::Unhealthy), story.state(0)), (3, Availability::Ejected));
    // One more is none of the detectors' business.
    story.fail(4, 5);
    assert_eq!(story.words(), ["`e004` not ejected: 5 failures in a row: at most 3 may be out"]);
    for number in [1, 4] {
        let refused = story.balancer.eject(&id(number), SECOND).unwrap_err();
        assert!(matches!(refused, UpdateError::Protected { out: 4, of: 6, .. }), "{refused}");
    }
    story.words();
    // The set shrinks: ejections alone are measured by the cap, and a single one fits.
    story.balancer.remove(&id(5)).unwrap();
    story.balancer.remove(&id(4)).unwrap();
    assert_eq!(story.state(0), Availability::Ejected);
    assert!(!story.words().iter().any(|it| it.contains("ahead of time")));
    // Of two none fits.
    story.balancer.replace_unchecked(crate::support::endpoints(0..1)).unwrap();
    let words = story.words();
    assert_eq!(words[1], "`e000` is back ahead of time, for fewer may be out");
    assert_eq!(words[2..], ["panic over: 1 of 1 endpoints are well"]);
}

#[tokio::test(start_paused = true)]
async fn who_is_sick_may_be_ejected_where_that_changes_nothing_for_the_cap() {
    let mut story = story("", 4).await;
    story.falls(1).await;
    story.balancer.eject(&id(2), 60 * SECOND).unwrap();
    // As many are out as may be, and one of them is it already.
    story.balancer.eject(&id(1), 60 * SECOND).unwrap();
    assert_eq!(story.words(), ["`e002` ejected by an operator", "`e001` ejected by an operator"]);
    story.balancer.eject(&id(3), SECOND).unwrap_err();
    story.words();
    // Recalled before its time it is still sick.
    let half = EXACT.replace("[outlier]\n", "[outlier]\nmax_ejected_percent = 25\n");
    story.balancer.eject(&id(1), SECOND / 2).unwrap();
    story.words();
    story.balancer.apply(config(&half)).unwrap();
    let words = story.words();
    assert_eq!(words[1..], ["`e001` is ejected no more, but kept out by its checks"]);
    assert_eq!(story.states()[1..3], [Availability::Unhealthy, Availability::Ejected]);
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_of_detectors_stops_no_check() {
    let dry = EXACT.replace("[outlier]\n", "[outlier]\ndry_run = true\n");
    let mut story = story("", 4).await;
    story.balancer.apply(config(&dry)).unwrap();
    story.words();
    story.fail(0, 5);
    assert_eq!(story.words(), ["`e000` not ejected: 5 failures in a row: dry run"]);
    story.is(1, Nature::Sick);
    story.until(1, Availability::Unhealthy).await;
    assert_eq!(story.words(), ["`e001` unhealthy: 3 failed checks in a row: it says so"]);
}
