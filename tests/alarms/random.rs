//! Trouble in any order: alarms take turns, and no more often than their spans allow.

use std::collections::BTreeMap;
use std::time::Duration;

use evenkeel::strategy::Rng;
use tokio::time::Instant;

use crate::support::{endpoints, id, now};
use crate::{SECOND, story};

/// The shortest time an alarm of this kind may last, and after it is over rest.
fn spans(kind: &str) -> (Duration, Duration) {
    let raise = match kind {
        "panic" => 5,
        "cap_reached" | "floor_reached" => 60,
        "ejection_suppressed" => 30,
        "update_refused" => 120,
        "share_raised" => 10,
        _ => 0,
    };
    (60 * SECOND, raise * SECOND)
}

async fn run(seed: u64) {
    let mut rng = Rng::seeded(seed);
    let mut story = story("max_ejected_percent = 80", 5);
    let mut last: BTreeMap<&'static str, (bool, Instant)> = BTreeMap::new();
    for step in 0..400 {
        match rng.below(8) {
            0..=2 => {
                let many = rng.below(5) as usize;
                let there = story.balancer.status().endpoints.len();
                story.fail((0..many).filter(|&number| number < there));
            }
            3 => story.pardon(0..story.balancer.status().endpoints.len()),
            4 => drop(story.balancer.replace(endpoints(0..rng.below(6) as usize))),
            5 => drop(story.balancer.set_weight(&id(0), 1 + rng.below(12) as u32)),
            6 => drop(story.balancer.rollback()),
            _ => {}
        }
        story.pass([0, 1, 5, 20, 70][rng.below(5) as usize]).await;
        for alarm in story.alarms() {
            let (kind, at) = (alarm.kind.name(), now());
            let (lasts, rests) = spans(kind);
            let before = last.insert(kind, (alarm.raised, at));
            let (was_raised, turned) = before.unwrap_or((false, at - alarm.lasting));
            assert_ne!(was_raised, alarm.raised, "seed {seed}, step {step}: {alarm}");
            if before.is_some() {
                let least = if alarm.raised { rests } else { lasts };
                assert!(at - turned >= least, "seed {seed}, step {step}: {alarm}");
            }
        }
        let mut raised: Vec<_> = last.iter().filter(|it| it.1.0).map(|it| *it.0).collect();
        let mut shown = story.raised();
        raised.sort_unstable();
        shown.sort_unstable();
        assert_eq!(raised, shown, "seed {seed}, step {step}");
    }
    // All is well, and in the end nothing is raised.
    story.balancer.replace_unchecked(endpoints(0..5)).unwrap();
    story.balancer.enable_all().unwrap();
    story.pass(30).await;
    story.pass(120).await;
    assert_eq!(story.raised(), Vec::<&str>::new(), "seed {seed}");
}

#[tokio::test(start_paused = true)]
async fn alarms_take_turns_and_rest() {
    for seed in 0..if cfg!(debug_assertions) { 6 } else { 60 } {
        run(seed).await;
    }
}
