//! How a share grows.

use evenkeel::{Availability, Event, Outcome};
use tokio::time::advance;

use crate::support::{balancer, config, endpoint, endpoints, id, pick, sequence, status};
use crate::{SECOND, story, told};

#[tokio::test(start_paused = true)]
async fn a_share_in_the_round_grows_step_by_step_and_is_never_above_fair() {
    for aggression in ["0.5", "1.0", "3.0"] {
        let ramp = format!("[slow_start]\naggression = {aggression}\nmin_weight_percent = 20\n");
        let story = story(&ramp, 5);
        story.fail(2, 5);
        // Off the grid, on purpose.
        advance(SECOND * 7 / 10).await;
        story.probe(2, Outcome::Success).await;
        let mut last = 0.0;
        for second in 0..30 {
            let found = status(&story.balancer, &id(2));
            let share = found.expected_share;
            // Its part of the fair share at the least, and the fair share at most.
            assert!(share <= 0.2 + 1e-9, "{aggression} {second}: {share}");
            assert!(share >= 0.2 * 0.2 - 1e-9, "{aggression} {second}: {share}");
            // And no more than the curve has it.
            let age = f64::from(second) / 30.0;
            let part = age.powf(aggression.parse::<f64>().unwrap().recip()).max(0.2);
            assert!(share <= part / (4.0 + part) + 1e-9, "{aggression} {second}: {share}");
            assert!(share >= last, "{aggression} {second}: {share} after {last}");
            let got = story.got(2, 2_000) as f64;
            assert!((got - share * 2_000.0).abs() <= 3.0, "{aggression} {second}: {got} {share}");
            assert!(got <= 401.0, "{aggression} {second}: {got}");
            last = share;
            advance(SECOND).await;
        }
        assert_eq!(story.state(2), Availability::Available);
        assert_eq!(status(&story.balancer, &id(2)).expected_share, 0.2);
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_ever_behind_a_hundred_peers() {
    for strategy in ["round_robin", "random", "least_request", "peak_ewma"] {
        let settings = format!(
            "[strategy]\nkind = '{strategy}'\n[outlier]\nejection_jitter_percent = 0\n\
             [slow_start]\nmin_weight_percent = 1\naggression = 0.01\n"
        );
        let story = told(balancer(&settings, 101, 3));
        story.fail(50, 5);
        story.probe(50, Outcome::Success).await;
        // A tenth is three seconds; 102 requests in it make the fair share one request.
        let mut tenths = Vec::new();
        for _ in 0..9 {
            let mut got = 0;
            for _ in 0..102 {
                let lease = pick(&story.balancer);
                got += usize::from(*lease.target() == 50);
                lease.finish(Outcome::Success);
                advance(3 * SECOND / 102).await;
            }
            tenths.push(got);
        }
        // The first tells how much there is to share.
        assert!(tenths[1..].iter().all(|&got| (1..=3).contains(&got)), "{strategy}: {tenths:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn where_the_fair_share_is_less_than_a_request_nobody_is_nudged() {
    let settings = "[slow_start]\nmin_weight_percent = 1\naggression = 0.01\n";
    let story = story(settings, 101);
    story.fail(50, 5);
    story.probe(50, Outcome::Success).await;
    let mut got = 0;
    for _ in 0..9 {
        got += story.got(50, 50);
        advance(3 * SECOND).await;
    }
    assert!(got <= 1, "{got}");
}

#[tokio::test(start_paused = true)]
async fn who_joins_others_warms_up_if_that_is_asked_for() {
    let mut story = story("[slow_start]\nnew_endpoints = true\n", 3);
    assert!((0..3).all(|number| story.state(number) == Availability::Available), "all were new");
    story.balancer.insert(endpoint(3)).unwrap();
    assert_eq!(story.state(3), Availability::Warming);
    let got = story.got(3, 310);
    assert!((9..=11).contains(&got), "{got}");
    let mut more = endpoints(0..4);
    more.push(endpoint(4));
    story.balancer.replace(more).unwrap();
    assert_eq!((story.state(3), story.state(4)), (Availability::Warming, Availability::Warming));
    advance(30 * SECOND).await;
    story.settle();
    let told = story.words();
    assert_eq!(
        told[2..],
        ["`e003` takes its full share again", "`e004` takes its full share again"]
    );
    // A new fleet has nobody who could take what a ramp leaves.
    story.balancer.replace(endpoints(10..15)).unwrap();
    assert!((10..15).all(|number| story.state(number) == Availability::Available));
}

#[tokio::test(start_paused = true)]
async fn weights_are_honoured_on_the_way_and_by_previews() {
    let settings = format!("{}max_ejected_percent = 100\n", crate::EXACT);
    let weighted = |number: usize| endpoint(number).weight(number as u32 + 1);
    let story = told(
        evenkeel::Balancer::builder()
            .config(config(&settings))
            .endpoints((0..4).map(weighted))
            .seed(7)
            .build()
            .unwrap(),
    );
    story.fail(3, 5);
    let preview = story.balancer.preview_weight(&id(0), 5).unwrap();
    let column = |of: fn(&evenkeel::Share) -> f64| -> Vec<_> {
        preview.shares.iter().map(|share| (1_000.0 * of(share)).round()).collect()
    };
    // Weights 1, 2, 3, 4 become 5, 2, 3, 4; the last is out.
    assert_eq!(column(|it| it.before), [100.0, 200.0, 300.0, 400.0]);
    assert_eq!(column(|it| it.after), [357.0, 143.0, 214.0, 286.0]);
    assert_eq!(column(|it| it.before_now), [167.0, 333.0, 500.0, 0.0]);
    assert_eq!(column(|it| it.after_now), [500.0, 200.0, 300.0, 0.0]);
    story.probe(3, Outcome::Success).await;
    advance(15 * SECOND).await;
    // Half of the way: 1, 2, 3, 2.
    let preview = story.balancer.preview_weight(&id(0), 1).unwrap();
    assert_eq!(preview.shares[3].before, 0.4);
    assert!((preview.shares[3].before_now - 0.25).abs() < 0.01, "{:?}", preview.shares);
    assert!((preview.shares[3].after_now - 0.25).abs() < 0.01, "{:?}", preview.shares);
    assert_eq!(sequence(&story.balancer, 1).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_share_guard_sees_the_intended_shares() {
    let settings =
        format!("{}max_ejected_percent = 100\n[guard]\nmax_share_percent = 40\n", crate::EXACT);
    let mut story = told(balancer(&settings, 4, 7));
    (0..2).for_each(|number| story.fail(number, 5));
    assert_eq!(status(&story.balancer, &id(2)).expected_share, 0.5);
    story.words();
    // Half of what there is goes to each of those who are left, and no change is to blame for it.
    story.balancer.insert(endpoint(4)).unwrap();
    story.balancer.remove(&id(4)).unwrap();
    story.balancer.set_weight(&id(3), 2).unwrap();
    let other = settings.replace("[guard]", "probe_successes = 2\n[guard]");
    story.balancer.apply(config(&other)).unwrap();
    assert!(story.balancer.set_weight(&id(3), 4).is_err(), "four sevenths are too much");
    story.balancer.enable(&id(0)).unwrap();
    let raised = |event: &Event| matches!(event, Event::ShareRaised { .. });
    assert!(!story.told().iter().any(raised));
}

/// The end of a drain publishes, and with it moves what is due next.
#[tokio::test(start_paused = true)]
async fn a_step_that_falls_together_with_the_end_of_a_drain_is_not_skipped() {
    let settings = "[slow_start]\nmin_weight_percent = 1\naggression = 0.01\n";
    let story = story(settings, 102);
    story.fail(50, 5);
    story.probe(50, Outcome::Success).await;
    advance(3 * SECOND).await;
    story.got(50, 1);
    // The next step ends in three seconds, with the drain.
    drop(story.balancer.drain_for(&id(101), 3 * SECOND).unwrap());
    assert_eq!(story.got(50, 102), 0);
    advance(3 * SECOND).await;
    assert_eq!(story.got(50, 10), 1, "it is owed one for the step that is over");
    assert_eq!(story.state(101), Availability::Available);
}
