//! Settings that change while some are out, and those that only tell.

use evenkeel::{Availability, Decision, Event, Outcome, Recovery};
use tokio::time::advance;

use crate::support::{balancer, config, endpoints, id, pick, pick_only, received};
use crate::{EXACT, SECOND, count, steps, story, told};

const DRY: &str = "[outlier]\nejection_jitter_percent = 0\ndry_run = true\n";

/// Two hundred requests of which some fail in a row; who got them.
async fn drive(toml: &str, kind: &str, seed: u64) -> (Vec<usize>, Vec<Event>) {
    let balancer = balancer(&format!("{toml}[strategy]\nkind = '{kind}'\n"), 5, seed);
    let mut events = balancer.subscribe();
    let mut got = Vec::new();
    for at in 0..600 {
        let lease = pick(&balancer);
        let number = *lease.target();
        got.push(number);
        let dead = number == 1 || (number == 3 && at > 200);
        lease.finish(if dead { Outcome::failure() } else { Outcome::Success });
        advance(SECOND / 10).await;
    }
    (got, received(&mut events))
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_picks_as_if_there_were_no_detection() {
    for kind in ["round_robin", "random", "least_request", "peak_ewma"] {
        for seed in 0..3 {
            let (off, silence) = drive("outlier = false\n", kind, seed).await;
            let (dry, told) = drive(DRY, kind, seed).await;
            assert_eq!(silence.len(), 0);
            assert!(told.len() >= 2, "{kind}, seed {seed}: {told:?}");
            for event in told {
                match event {
                    Event::Ejection(it) => assert_eq!(it.decision, Decision::DryRun),
                    Event::Alarm(it) => assert_eq!(it.kind.name(), "ejection_suppressed"),
                    other => panic!("{other}"),
                }
            }
            assert_eq!(off, dry, "{kind}, seed {seed}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_tells_what_would_have_been() {
    let settings =
        "[outlier.failure_percentage]\nthreshold = 50\nrequest_volume = 10\nminimum_hosts = 1\n";
    let mut found = Vec::new();
    for dry in [false, true] {
        let mut story = story(&format!("dry_run = {dry}\n{settings}"), 6);
        story.fail(1, 5);
        for _ in 0..4 {
            story.fail(2, 4);
            story.succeed(2, 1);
        }
        advance(10 * SECOND).await;
        story.settle();
        let told = story.told();
        let told = told.into_iter().map(|event| match event {
            Event::Ejection(it) => {
                (it.endpoint.clone(), it.rule.clone(), it.observed, it.threshold)
            }
            other => panic!("{other}"),
        });
        found.push(told.collect::<Vec<_>>());
        assert_eq!(count(&story.balancer, &[Availability::Ejected]), if dry { 0 } else { 2 });
    }
    // What stays in goes on being judged, and so more is told of it; the first word is the same.
    assert!(found[1].starts_with(&found[0]), "{found:?}");
}

#[tokio::test(start_paused = true)]
async fn switching_detection_off_lets_all_back_in() {
    let mut story = story("", 6);
    (0..3).for_each(|number| story.fail(number, 5));
    story.probe(0, Outcome::Success).await;
    story.words();
    story.balancer.apply(config("outlier = false\n[strategy]\nkind = 'round_robin'")).unwrap();
    let told = story.told();
    assert!(matches!(told[0], Event::Published { .. }));
    let off = Recovery::SwitchedOff;
    assert_eq!(steps(&told[1..]), [(id(1), off), (id(2), off)]);
    assert_eq!((story.times(1), story.state(1)), (0, Availability::Available));
    // Nothing is detected any more.
    story.fail(1, 100);
    assert_eq!((story.words().len(), story.state(1)), (0, Availability::Available));
    // What operators say still holds.
    story.balancer.eject(&id(1), SECOND).unwrap();
    assert_eq!(story.state(1), Availability::Ejected);
}

/// Who is away at that moment is let back in as well, and has no failures in a row either.
#[tokio::test(start_paused = true)]
async fn switching_detection_off_pardons_who_is_away_too() {
    let mut story = story("", 6);
    story.fail(0, 5);
    for _ in 0..4 {
        story.probe(0, Outcome::failure()).await;
    }
    story.balancer.replace(endpoints(10..16)).unwrap();
    story.balancer.apply(config("outlier = false\n[strategy]\nkind = 'round_robin'")).unwrap();
    story.balancer.replace(endpoints(0..6)).unwrap();
    assert_eq!((story.state(0), story.times(0)), (Availability::Available, 0));
    story.balancer.apply(config(EXACT)).unwrap();
    story.words();
    story.fail(0, 4);
    assert_eq!(story.state(0), Availability::Available);
}

#[tokio::test(start_paused = true)]
async fn requests_from_before_detection_was_switched_off_trip_nothing() {
    let mut story = story("", 4);
    let late: Vec<_> = (0..20).map(|_| pick_only(&story.balancer, &id(1))).collect();
    story.balancer.apply(config("outlier = false\n[strategy]\nkind = 'round_robin'")).unwrap();
    story.words();
    late.into_iter().for_each(|lease| lease.finish(Outcome::failure()));
    assert_eq!((story.words(), story.state(1)), (Vec::new(), Availability::Available));
    // Nor where only the rule is switched off.
    let mut story = crate::story("", 4);
    let late: Vec<_> = (0..20).map(|_| pick_only(&story.balancer, &id(1))).collect();
    story.balancer.apply(config(&format!("{EXACT}consecutive_failures = false"))).unwrap();
    story.words();
    late.into_iter().for_each(|lease| lease.finish(Outcome::failure()));
    assert_eq!((story.words(), story.state(1)), (Vec::new(), Availability::Available));
}

#[tokio::test(start_paused = true)]
async fn a_lower_cap_calls_back_who_would_be_back_soonest() {
    let mut story = story("", 10);
    for number in [4, 2, 7, 1, 5] {
        story.fail(number, 5);
        advance(SECOND).await;
    }
    story.balancer.eject(&id(4), 200 * SECOND).unwrap();
    story.words();
    let apply = |percent: u32, least: usize| {
        let settings = format!("{EXACT}max_ejected_percent = {percent}\nmin_available = {least}\n");
        story.balancer.apply(config(&settings)).unwrap();
    };
    apply(49, 1);
    apply(20, 1);
    apply(100, 9);
    apply(100, 10);
    let steps: Vec<_> = received(&mut story.events)
        .into_iter()
        .filter_map(|event| match event {
            Event::Recovery { endpoint, step } => Some((endpoint, step)),
            _ => None,
        })
        .collect();
    let order = [2, 7, 1, 5, 4].map(|number| (id(number), Recovery::MadeRoom));
    assert_eq!(steps, order);
    assert_eq!((story.times(2), story.state(2)), (1, Availability::Warming), "gently, and known");
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_that_begins_leaves_those_out_who_are_and_adds_nobody() {
    let mut story = story("", 4);
    story.fail(1, 5);
    story.balancer.apply(config(&format!("{EXACT}dry_run = true"))).unwrap();
    story.words();
    story.fail(2, 5);
    assert_eq!(story.words(), ["`e002` not ejected: 5 failures in a row: dry run"]);
    assert_eq!(story.state(1), Availability::Ejected);
    story.probe(1, Outcome::Success).await;
    assert_eq!(story.state(1), Availability::Warming);
    // What an operator says is no detection.
    story.balancer.eject(&id(3), SECOND).unwrap();
    assert_eq!(story.state(3), Availability::Ejected);
    let mut words = told(story.balancer.clone());
    story.balancer.apply(config(EXACT)).unwrap();
    story.fail(2, 5);
    assert!(words.words().contains(&"`e002` ejected: 5 failures in a row".to_owned()));
}
