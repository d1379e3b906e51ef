//! A deploy exchanges the endpoints while some are out.

use evenkeel::{Availability, Outcome};
use tokio::time::advance;

use crate::support::{balancer, endpoints};
use crate::{EXACT, SECOND, Story, count, sentence, told};

const OUT: [Availability; 2] = [Availability::Ejected, Availability::Probing];

/// Six endpoints, of which the first three are out, the first for the second time.
async fn three_out(remember: &str) -> Story {
    let settings = format!("{EXACT}remember_removed = '{remember}'\n");
    let mut story = told(balancer(&settings, 6, 7));
    story.fail(0, 5);
    story.probe(0, Outcome::failure()).await;
    (1..3).for_each(|number| story.fail(number, 5));
    assert_eq!(count(&story.balancer, &OUT), 3);
    story.words();
    story
}

#[tokio::test(start_paused = true)]
async fn a_deploy_that_replaces_all_begins_with_everybody_well() {
    let mut story = three_out("5m").await;
    story.balancer.replace(endpoints(10..16)).unwrap();
    assert_eq!(story.words().len(), 1, "what left is no news");
    assert_eq!(count(&story.balancer, &[Availability::Available]), 6);
    // The whole cap is theirs.
    for number in 10..16 {
        story.fail(number, 5);
    }
    assert_eq!(count(&story.balancer, &OUT), 3);
    assert!(!story.balancer.status().panic);
}

#[tokio::test(start_paused = true)]
async fn who_comes_back_in_time_is_what_it_was() {
    let mut story = three_out("5m").await;
    story.balancer.replace(endpoints(10..16)).unwrap();
    advance(20 * SECOND).await;
    story.words();
    story.balancer.replace(endpoints(0..6)).unwrap();
    assert_eq!(story.words().len(), 1);
    assert_eq!((story.left(0), story.times(0)), (40 * SECOND, 2));
    assert_eq!((story.left(1), story.times(1)), (10 * SECOND, 1));
    assert_eq!(count(&story.balancer, &OUT), 3);
    story.fail(3, 5);
    assert_eq!(story.state(3), Availability::Available, "the cap counts them");
    story.words();
    // Escalation goes on where it was.
    story.probe(0, Outcome::failure()).await;
    assert_eq!((story.times(0), story.left(0)), (3, 90 * SECOND));
}

#[tokio::test(start_paused = true)]
async fn time_goes_on_for_who_is_away() {
    let mut story = three_out("5m").await;
    let probed = {
        advance(50 * SECOND).await;
        story.only(1).unwrap()
    };
    story.balancer.replace(endpoints(10..16)).unwrap();
    advance(25 * SECOND).await;
    story.words();
    // The probe is still on its way, and one is enough.
    story.balancer.replace(endpoints(0..6)).unwrap();
    assert_eq!((story.state(0), story.state(1)), (Availability::Probing, Availability::Probing));
    assert!(story.only(1).is_none());
    probed.finish(Outcome::Success);
    assert_eq!(story.state(1), Availability::Warming);
    assert_eq!(
        story.words()[1..],
        ["`e000` is probed", "`e001` has proved itself and takes a growing share"]
    );
}

#[tokio::test(start_paused = true)]
async fn an_answer_to_a_probe_while_it_was_away_is_lost_and_another_is_sent() {
    let mut story = three_out("5m").await;
    advance(30 * SECOND).await;
    let probe = story.only(1).unwrap();
    story.balancer.replace(endpoints(10..16)).unwrap();
    probe.finish(Outcome::Success);
    story.balancer.replace(endpoints(0..6)).unwrap();
    assert_eq!(story.state(1), Availability::Probing);
    story.words();
    story.only(1).expect("its token was given back").finish(Outcome::Success);
    assert_eq!(story.state(1), Availability::Warming);
}

#[tokio::test(start_paused = true)]
async fn who_comes_back_too_late_is_a_stranger() {
    let mut story = three_out("1m").await;
    let late: Vec<_> = (0..5).map(|_| story.only(3).unwrap()).collect();
    story.balancer.replace(endpoints(10..16)).unwrap();
    advance(60 * SECOND).await;
    story.balancer.replace(endpoints(0..6)).unwrap();
    assert_eq!(count(&story.balancer, &[Availability::Available]), 6);
    assert!((0..6).all(|number| story.times(number) == 0));
    story.words();
    // Nor is what the one of the same name did held against it.
    late.into_iter().for_each(|lease| lease.finish(Outcome::failure()));
    assert_eq!((story.words().len(), story.state(3)), (0, Availability::Available));
    story.fail(0, 5);
    assert_eq!(sentence(&story.told()).1, 1);
}

#[tokio::test(start_paused = true)]
async fn half_a_deploy_shrinks_the_cap_and_nobody_stays_out_beyond_it() {
    let mut story = three_out("5m").await;
    // Those who are well leave first.
    story.balancer.replace_unchecked(endpoints(0..4)).unwrap();
    assert_eq!(count(&story.balancer, &OUT), 2);
    story.balancer.replace_unchecked(endpoints(0..2)).unwrap();
    assert_eq!(count(&story.balancer, &OUT), 1);
    story.balancer.replace_unchecked(endpoints(0..1)).unwrap();
    assert_eq!(count(&story.balancer, &OUT), 0);
    let room: Vec<_> =
        story.words().into_iter().filter(|it| it.contains("ahead of time")).collect();
    assert_eq!(room.len(), 2, "{room:?}");
    // And back to six: the one that was away is still out.
    story.balancer.replace(endpoints(0..6)).unwrap();
    assert_eq!(count(&story.balancer, &OUT), 1, "one went while it was out");
}

/// Failed probes are failures in a row. Who is called back has a new page, wherever it was.
#[tokio::test(start_paused = true)]
async fn who_is_called_back_as_it_returns_begins_with_no_failures_in_a_row() {
    let settings = format!("{EXACT}max_ejected_percent = 40\n");
    for away in [false, true] {
        let mut story = told(balancer(&settings, 3, 7));
        story.fail(0, 5);
        for _ in 0..4 {
            story.probe(0, Outcome::failure()).await;
        }
        if away {
            story.balancer.replace(endpoints(1..4)).unwrap();
        }
        story.words();
        // Of two none may be out.
        story.balancer.replace(endpoints(0..2)).unwrap();
        assert_eq!(story.words()[1..], ["`e000` is back ahead of time, for fewer may be out"]);
        story.balancer.insert(crate::support::endpoint(2)).unwrap();
        story.fail(0, 4);
        assert_eq!(story.state(0), Availability::Warming, "away: {away}");
        story.fail(0, 1);
        assert_eq!(story.state(0), Availability::Ejected);
    }
}
