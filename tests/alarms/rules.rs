//! Each rule is raised and cleared once, by what it is about and by nothing else.

use std::time::Duration;

use evenkeel::{AlarmKind, Decision, Outcome};
use tokio::time::{advance, sleep};

use crate::support::{balancer, endpoints, id, pick, pick_only};
use crate::{EXACT, ONLY_PANIC, SECOND, Story, UNCAPPED, story, told};

#[tokio::test(start_paused = true)]
async fn panic_that_lasts() {
    let mut story = story(UNCAPPED, 4);
    story.fail(0..3);
    story.pass(4).await;
    assert_eq!((story.turns(), story.raised()), (vec![], vec![]), "not long enough");
    story.pass(1).await;
    let alarms = story.alarms();
    assert_eq!(alarms.len(), 1);
    assert_eq!(alarms[0].kind, AlarmKind::Panic { tier: 0, admitted: 1, of: 4 });
    assert_eq!(alarms[0].to_string(), "alarm for 5s: panic, 1 of 4 endpoints are well");
    assert_eq!((alarms[0].balancer.as_str(), alarms[0].lasting), ("default", 5 * SECOND));
    for _ in 0..5 {
        story.pass(1).await;
    }
    assert_eq!((story.turns(), story.raised()), (vec![], vec!["panic"]), "told once");
    story.pardon(0..3);
    story.pass(59).await;
    assert_eq!((story.turns(), story.raised()), (vec![], vec!["panic"]));
    story.pass(1).await;
    let over = story.alarms();
    assert_eq!(over[0].to_string(), "alarm over after 70s: panic, 2 of 4 endpoints are well");
    assert_eq!((over.len(), story.raised()), (1, vec![]));
}

#[tokio::test(start_paused = true)]
async fn panic_that_passes_is_none() {
    let mut story = story(UNCAPPED, 4);
    for _ in 0..10 {
        story.fail(0..3);
        story.pass(4).await;
        story.pardon(0..3);
        story.pass(4).await;
    }
    assert_eq!(story.turns(), []);
}

#[tokio::test(start_paused = true)]
async fn the_cap_and_the_floor() {
    let mut at_cap = story("", 4);
    at_cap.fail(0..2);
    let mut at_floor = story("max_ejected_percent = 100\nmin_available = 2", 3);
    at_floor.fail(0..1);
    for (story, kind) in [
        (&mut at_cap, AlarmKind::CapReached { out: 2, of: 4, most: 2 }),
        (&mut at_floor, AlarmKind::FloorReached { left: 2, least: 2 }),
    ] {
        // Their times are over meanwhile; until they have proved themselves they are out.
        story.pass(60).await;
        let alarms = story.alarms();
        assert_eq!(alarms.iter().map(|it| &it.kind).collect::<Vec<_>>(), [&kind]);
        assert_eq!(story.raised(), [kind.name()]);
        story.pardon(0..1);
        story.pass(60).await;
        assert_eq!(story.turns(), [(kind.name(), false)]);
    }
}

/// A cap under which nobody can go is a warning about the settings, not an incident.
#[tokio::test(start_paused = true)]
async fn a_cap_that_was_never_open_is_not_reached() {
    for (more, n) in [("", 0), ("", 1), ("max_ejected_percent = 10", 4), ("min_available = 9", 4)] {
        let mut story = story(more, n);
        story.pass(3_600).await;
        story.pass(3_600).await;
        assert_eq!(story.turns(), [], "{more} {n}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_ought_to_go_and_stays() {
    let mut story = story("[alarms]\ncap_reached = false", 2);
    story.fail(0..1);
    // Once is no alarm, though it stands for two intervals.
    story.fail(1..2);
    for _ in 0..30 {
        story.pass(1).await;
    }
    assert_eq!(story.turns(), []);
    // Every ten seconds is one.
    for _ in 0..4 {
        story.fail(1..2);
        story.pass(10).await;
    }
    let alarms = story.alarms();
    let [alarm] = alarms.as_slice() else { panic!("{alarms:?}") };
    let AlarmKind::EjectionSuppressed { endpoint, decision, .. } = &alarm.kind else {
        panic!("{alarm}")
    };
    assert_eq!((endpoint, decision), (&id(1), &Decision::Cap { most: 1 }));
    assert_eq!(
        alarm.kind.to_string(),
        "`e001` should be ejected (consecutive failures) and stays: at most 1 may be out"
    );
    story.pass(10).await;
    story.pass(59).await;
    assert_eq!(story.turns(), []);
    story.pass(1).await;
    assert_eq!(story.turns(), [("ejection_suppressed", false)]);
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_keeps_endpoints_too_and_its_cap_is_no_matter() {
    let mut story = story("dry_run = true", 4);
    for _ in 0..8 {
        story.fail(0..3);
        story.pass(10).await;
    }
    assert_eq!(story.turns(), [("ejection_suppressed", true)]);
}

/// `n` answers that take `time`, and the rest of ten seconds.
async fn window(story: &Story, n: u32, time: Duration) {
    for _ in 0..n {
        let lease = pick(&story.balancer);
        advance(time).await;
        lease.finish(Outcome::Success);
    }
    advance((10 * SECOND).saturating_sub(n * time)).await;
    story.settle();
}

#[tokio::test(start_paused = true)]
async fn everybody_is_slow() {
    let mut story = told(balancer("[strategy]\nkind = 'peak_ewma'\n[outlier.latency]", 4, 7));
    let (fast, slow) = (Duration::from_millis(5), Duration::from_millis(40));
    for _ in 0..12 {
        window(&story, 150, fast).await;
    }
    assert_eq!(story.turns(), []);
    for _ in 0..6 {
        window(&story, 150, slow).await;
    }
    let alarms = story.alarms();
    let [alarm] = alarms.as_slice() else { panic!("{alarms:?}") };
    let AlarmKind::EverybodySlow { latency, usual } = alarm.kind else { panic!("{alarm}") };
    assert!(latency >= 5 * usual && usual < 2 * fast, "{alarm}");
    for _ in 0..9 {
        window(&story, 150, fast).await;
    }
    assert_eq!(story.turns(), [("everybody_slow", false)]);
    assert!(story.balancer.status().endpoints.iter().all(|it| it.ejections == 0));
}

#[tokio::test(start_paused = true)]
async fn a_set_that_is_refused() {
    let mut story = story("", 10);
    story.balancer.replace(endpoints(0..2)).unwrap_err();
    story.pass(119).await;
    assert_eq!(story.turns(), []);
    story.pass(1).await;
    let alarms = story.alarms();
    assert_eq!(alarms.len(), 1);
    assert!(alarms[0].to_string().contains("leave 2 of 10 endpoints"), "{}", alarms[0]);
    // What says nothing about what sources send is no way out.
    drop(story.balancer.drain(&id(3)).unwrap());
    story.balancer.remove(&id(77)).unwrap_err();
    story.pass(60).await;
    assert_eq!(story.raised(), ["update_refused"]);
    story.balancer.replace(endpoints(0..10)).unwrap();
    story.pass(60).await;
    assert_eq!(story.turns(), [("update_refused", false)]);
}

#[tokio::test(start_paused = true)]
async fn a_set_that_is_believed_in_the_end_is_no_alarm() {
    let mut story = story("", 10);
    for _ in 0..6 {
        story.balancer.replace(endpoints(0..2)).unwrap_err();
        story.pass(10).await;
    }
    story.balancer.replace(endpoints(0..2)).unwrap();
    story.pass(600).await;
    assert_eq!(story.turns(), []);
}

#[tokio::test(start_paused = true)]
async fn what_operators_are_refused_they_have_read() {
    let mut story = story("[guard]\nmax_share_percent = 40", 4);
    story.balancer.set_weight(&id(0), 100).unwrap_err();
    story.balancer.eject(&id(9), SECOND).unwrap_err();
    story.pass(600).await;
    assert_eq!(story.turns(), []);
}

#[tokio::test(start_paused = true)]
async fn settings_that_are_refused() {
    let mut story = story("", 4);
    let custom = "[strategy]\nkind = 'custom'\ncustom = 'nobody'";
    let wrong = crate::support::config(custom);
    for _ in 0..13 {
        story.balancer.apply(wrong.clone()).unwrap_err();
        story.pass(10).await;
    }
    let alarms = story.alarms();
    assert_eq!(alarms.len(), 1);
    assert!(alarms[0].to_string().contains("nobody"), "{}", alarms[0]);
    // A set is another matter.
    story.balancer.replace(endpoints(0..4)).unwrap();
    story.pass(60).await;
    assert_eq!(story.raised(), ["config_refused"]);
    // The same as is served is accepted, too.
    story.balancer.apply((*story.balancer.config()).clone()).unwrap();
    story.pass(60).await;
    assert_eq!(story.turns(), [("config_refused", false)]);
}

#[tokio::test(start_paused = true)]
async fn a_set_that_nobody_sends_any_more() {
    let mut story = story("[alarms]\nset_unchanged = '5m'", 4);
    for _ in 0..10 {
        story.pass(100).await;
        story.balancer.replace(endpoints(0..4)).unwrap();
    }
    assert_eq!(story.turns(), [], "the same again is as good as another");
    story.pass(299).await;
    assert_eq!(story.turns(), []);
    story.pass(1).await;
    let alarms = story.alarms();
    assert_eq!(alarms[0].kind, AlarmKind::SetUnchanged { age: Duration::from_mins(5) });
    story.balancer.replace(endpoints(0..1)).unwrap_err();
    assert_eq!(story.turns(), [], "a set that is refused is none");
    story.balancer.replace(endpoints(0..4)).unwrap();
    assert_eq!(story.turns(), [("set_unchanged", false)]);
}

#[tokio::test(start_paused = true)]
async fn a_share_far_above_a_fair_one() {
    let mut story = story(ONLY_PANIC, 3);
    story.balancer.set_weight(&id(1), 8).unwrap();
    story.pass(10).await;
    let alarms = story.alarms();
    assert_eq!(
        alarms[0].kind,
        AlarmKind::ShareRaised { endpoint: id(1), share: 0.8, fair: 1.0 / 3.0 }
    );
    // While it is out, it is still meant to have it.
    story.fail(1..2);
    story.pass(300).await;
    assert_eq!((alarms.len(), story.raised()), (1, vec!["share_raised"]));
    story.pardon(1..2);
    story.pass(60).await;
    assert_eq!(story.turns(), [("share_raised", false)], "its own weight is back");
}

#[tokio::test(start_paused = true)]
async fn a_share_ends_with_the_endpoint_or_when_it_has_become_fair() {
    for n in [1..2, 0..1] {
        let mut story = story("", 3);
        story.balancer.set_weight(&id(1), 8).unwrap();
        story.pass(10).await;
        assert_eq!(story.turns(), [("share_raised", true)]);
        story.balancer.replace_unchecked(endpoints(n)).unwrap();
        story.pass(60).await;
        assert_eq!(story.turns(), [("share_raised", false)]);
    }
}

/// Nobody picks: the task of `start` tells in time.
#[tokio::test(start_paused = true)]
async fn no_request_is_needed_where_a_worker_runs() {
    let mut story = story(UNCAPPED, 4);
    let worker = story.balancer.start();
    story.fail(0..3);
    sleep(Duration::from_millis(4_990)).await;
    assert_eq!(story.turns(), []);
    sleep(Duration::from_millis(20)).await;
    assert_eq!(story.turns(), [("panic", true)]);
    story.pardon(0..3);
    sleep(Duration::from_millis(59_990)).await;
    assert_eq!(story.turns(), []);
    sleep(Duration::from_millis(20)).await;
    assert_eq!(story.turns(), [("panic", false)]);
    worker.stop().await;
}

#[tokio::test(start_paused = true)]
async fn status_shows_what_is_due_before_anybody_has_settled_it_and_serialises() {
    let story = story(UNCAPPED, 4);
    story.fail(0..3);
    advance(4 * SECOND).await;
    assert_eq!(story.raised(), Vec::<&str>::new());
    advance(SECOND).await;
    let status = story.balancer.status();
    let json = serde_json::to_value(&status.alarms).unwrap();
    assert_eq!(
        json,
        serde_json::json!([{
            "alarm": "panic", "tier": 0, "admitted": 1, "of": 4,
            "lasting": 5.0,
            "message": "panic, 1 of 4 endpoints are well",
        }])
    );
}

/// The source is a file, so time is real.
#[cfg(feature = "file")]
#[tokio::test]
async fn a_source_that_fails() {
    use evenkeel::{Event, FileSource};

    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("lb.toml");
    let text = format!("{EXACT}[alarms]\nsource_failed = '0s'\nclear_after = '0s'\n");
    std::fs::write(&path, &text).unwrap();
    let balancer = balancer(&text, 2, 7);
    let mut events = balancer.subscribe();
    let source = || {
        let source = FileSource::new(&path);
        source
            .debounce(Duration::from_millis(10))
            .unwrap()
            .poll(Duration::from_millis(100))
            .unwrap()
    };
    let worker = balancer.follow(source());
    let alarm = async |events: &mut evenkeel::Events| {
        loop {
            let event = tokio::time::timeout(60 * SECOND, events.recv()).await.unwrap().unwrap();
            if let Event::Alarm(alarm) = event {
                break (alarm.kind.name(), alarm.raised);
            }
        }
    };
    // Nothing of it is known before it has been seen to be good.
    sleep(Duration::from_millis(100)).await;
    std::fs::write(&path, "what = 'is this'").unwrap();
    assert_eq!(alarm(&mut events).await, ("source_failed", true));
    std::fs::write(&path, &text).unwrap();
    assert_eq!(alarm(&mut events).await, ("source_failed", false));
    std::fs::write(&path, "what = 'is that'").unwrap();
    assert_eq!(alarm(&mut events).await, ("source_failed", true));
    worker.stop().await;
    assert_eq!(alarm(&mut events).await, ("source_failed", false), "nobody follows it any more");
}

/// Leases out and answers to nobody are no trouble of the balancer.
#[tokio::test(start_paused = true)]
async fn an_uneventful_day() {
    let mut story = story("", 5);
    for minute in 0..1_440_usize {
        pick_only(&story.balancer, &id(minute % 5)).finish(Outcome::Success);
        if minute % 7 == 0 {
            pick(&story.balancer).finish(Outcome::failure());
        }
        story.pass(60).await;
    }
    assert_eq!(story.turns(), []);
}
