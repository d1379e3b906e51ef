//! Probes that misbehave.

use evenkeel::Availability;
use tokio::time::sleep;

use crate::ward::Nature;
use crate::{SECOND, SILENCE, story};

#[tokio::test(start_paused = true)]
async fn a_probe_that_panics_is_a_bad_answer_and_hurts_nobody_else() {
    for (nature, said) in
        [(Nature::Panics, "1 has no pulse"), (Nature::PanicsAtOnce, "1 has no door")]
    {
        let mut story = story("", 3).await;
        story.is(1, nature);
        story.until(1, Availability::Unhealthy).await;
        let panicked = format!("the check of `e001` panicked: {said}");
        let unhealthy = "`e001` unhealthy: 3 failed checks in a row: the probe panicked";
        assert_eq!(story.words(), [&panicked, &panicked, &panicked, unhealthy]);
        story.is(1, Nature::Well);
        story.until(1, Availability::Warming).await;
        assert!(story.ward.asked(0).len() >= 2 && story.ward.asked(2).len() >= 2);
        assert_eq!(story.count(Availability::Available), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_hangs_is_asked_until_the_deadline() {
    let mut story = story("timeout = '700ms'\n", 3).await;
    story.is(1, Nature::Hangs);
    story.until(1, Availability::Unhealthy).await;
    assert_eq!(
        story.words(),
        ["`e001` unhealthy: 3 failed checks in a row: no answer within 700ms"]
    );
    sleep(10 * SECOND).await;
    assert_eq!((story.words().len(), story.ward.under_way() <= 1), (0, true));
    // Back at once when it answers in time, however barely.
    story.is(1, Nature::Slow(SECOND * 69 / 100));
    story.until(1, Availability::Warming).await;
}

#[tokio::test(start_paused = true)]
async fn one_that_is_slow_is_well_and_its_pauses_are_no_longer_for_it() {
    let mut story = story("", 2).await;
    story.is(1, Nature::Slow(SECOND * 9 / 10));
    sleep(61 * SECOND).await;
    assert_eq!(
        (story.words(), story.state(1)),
        (SILENCE.map(Into::into).into(), Availability::Available)
    );
    let asked = story.ward.asked(1);
    assert!(asked.len() >= 12, "{}", asked.len());
}
