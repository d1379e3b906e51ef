//! Settings, sets and rollbacks while an alarm is raised.

use evenkeel::{Config, Key, Outcome};

use crate::support::{balancer, config, endpoints, id};
use crate::{AT_ONCE, EXACT, ONLY_PANIC, Story, UNCAPPED, story};

/// Panic is raised and told.
async fn in_panic() -> Story {
    let mut story = story(&format!("{UNCAPPED}{ONLY_PANIC}"), 4);
    story.fail(0..3);
    story.pass(5).await;
    assert_eq!(story.turns(), [("panic", true)]);
    story
}

fn settings(more: &str) -> Config {
    config(&format!("{EXACT}{UNCAPPED}{ONLY_PANIC}{more}"))
}

#[tokio::test(start_paused = true)]
async fn a_rule_that_is_switched_off_is_cleared_at_once() {
    let one = settings("panic = false");
    let all = settings("").with_alarms(None);
    for off in [one, all] {
        let mut story = in_panic().await;
        story.balancer.apply(off).unwrap();
        assert_eq!(story.turns(), [("panic", false)]);
        assert!(story.balancer.status().panic && story.raised().is_empty());
        story.pass(600).await;
        assert_eq!(story.turns(), []);
    }
}

#[tokio::test(start_paused = true)]
async fn a_rollback_brings_the_rule_back_and_it_begins_anew() {
    let mut story = in_panic().await;
    story.balancer.apply(settings("panic = false")).unwrap();
    assert_eq!(story.turns(), [("panic", false)]);
    story.balancer.rollback().unwrap();
    story.pass(4).await;
    assert_eq!(story.turns(), []);
    story.pass(1).await;
    assert_eq!(story.turns(), [("panic", true)]);
}

#[tokio::test(start_paused = true)]
async fn a_longer_time_does_not_clear_and_a_shorter_one_raises_at_once() {
    let mut story = in_panic().await;
    story.balancer.apply(settings("panic = '1h'")).unwrap();
    story.pass(60).await;
    assert_eq!((story.turns(), story.raised()), (vec![], vec!["panic"]));
    story.pardon(0..3);
    story.balancer.apply(settings("clear_after = '0s'\npanic = '1h'")).unwrap();
    assert_eq!(story.turns(), [("panic", false)]);
    story.fail(0..3);
    story.pass(10).await;
    story.balancer.apply(settings("clear_after = '0s'\npanic = '10s'")).unwrap();
    assert_eq!(story.turns(), [("panic", true)]);
}

#[tokio::test(start_paused = true)]
async fn alarms_end_when_those_who_caused_them_are_gone() {
    let mut story = in_panic().await;
    story.balancer.replace_unchecked(endpoints(3..4)).unwrap();
    story.pass(60).await;
    assert_eq!(story.turns(), [("panic", false)]);
    let mut story = in_panic().await;
    story.balancer.replace_unchecked([]).unwrap();
    story.pass(60).await;
    assert_eq!(story.turns(), [("panic", false)]);
    assert!(story.raised().is_empty());
}

#[tokio::test(start_paused = true)]
async fn whoever_ought_to_go_and_is_removed_is_no_trouble_any_more() {
    let mut story = story("[alarms]\ncap_reached = false\nclear_after = '0s'", 2);
    story.fail(0..1);
    for _ in 0..4 {
        story.fail(1..2);
        story.pass(10).await;
    }
    assert_eq!(story.turns(), [("ejection_suppressed", true)]);
    story.balancer.remove(&id(1)).unwrap();
    assert_eq!(story.turns(), [("ejection_suppressed", false)]);
}

#[tokio::test(start_paused = true)]
async fn the_only_endpoint_cannot_go_and_that_is_told() {
    let mut story = story("", 1);
    for _ in 0..4 {
        story.fail(0..1);
        story.pass(10).await;
    }
    assert_eq!(story.turns(), [("ejection_suppressed", true)]);
}

#[tokio::test(start_paused = true)]
async fn without_spans_alarms_are_what_they_are_about() {
    let mut story = story(&format!("{UNCAPPED}{AT_ONCE}"), 4);
    for _ in 0..3 {
        story.fail(0..3);
        assert_eq!(story.turns(), [("panic", true)]);
        story.pardon(0..3);
        assert_eq!(story.turns(), [("panic", false)]);
    }
}

#[tokio::test(start_paused = true)]
async fn alarms_come_after_what_they_follow_from() {
    let mut story = story(&format!("{UNCAPPED}{AT_ONCE}"), 4);
    story.fail(0..3);
    let words: Vec<_> =
        crate::support::received(&mut story.events).iter().map(ToString::to_string).collect();
    assert_eq!(
        words[words.len() - 3..],
        [
            "`e002` ejected: 5 failures in a row",
            "panic: only 1 of 4 endpoints are well, all are used",
            "alarm: panic, 1 of 4 endpoints are well",
        ]
    );
}

/// What is due for alarms draws nothing: with them and without, the same picks.
#[tokio::test(start_paused = true)]
async fn alarms_change_no_pick() {
    for kind in ["random", "least_request", "peak_ewma"] {
        let mut runs = Vec::new();
        for more in ["", "alarms = false\n"] {
            let text = format!("{more}[strategy]\nkind = '{kind}'");
            let mut story = crate::told(balancer(&text, 4, 11));
            let mut picks = Vec::new();
            for at in 0..600 {
                let lease = story.balancer.pick(&Key::none()).unwrap();
                let (number, sick) = (*lease.target(), (100..300).contains(&at));
                picks.push(number);
                let fails = sick && number > 0;
                lease.finish(if fails { Outcome::failure() } else { Outcome::Success });
                tokio::time::advance(crate::SECOND / 3).await;
            }
            runs.push((picks, story.turns().len()));
        }
        assert_eq!(runs[0].0, runs[1].0, "{kind}");
        assert!(runs[0].1 > 0 && runs[1].1 == 0, "{kind}: {}", runs[0].1);
    }
}
