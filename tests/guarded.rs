//! Changes that are watched, and take themselves back.

#![allow(clippy::unwrap_used)]
#![cfg(feature = "config")]

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use evenkeel::strategy::{
    Candidates, LeastRequest, PickContext, Picker, Rng, RoundRobin, Strategy,
};
use evenkeel::{
    Availability, Balancer, Change, Config, Endpoint, EndpointSpec, Event, Guard, GuardedApply,
    Key, Lease, Outcome, Percent, Revision, RollbackError, RollbackReason, Verdict, Version,
};
use support::{Numbered, advance_to, balancer, builder, config, id, now, received, strategy};
use tokio_test::task::{Spawn, spawn};

const SECOND: Duration = Duration::from_secs(1);
const MILLI: Duration = Duration::from_millis(1);

/// What every balancer here begins with. Ejections are left out where they are not the point.
const BEFORE: &str = "outlier = false\n[strategy]\nkind = 'least_request'";

fn kind(kind: &str) -> Config {
    config(&format!("outlier = false\n{}", strategy(&format!("kind = '{kind}'"))))
}

fn served(balancer: &Numbered) -> String {
    balancer.config().strategy().kind().to_string()
}

fn revision(balancer: &Numbered, version: Version) -> Revision {
    let history = balancer.history();
    history.into_iter().find(|revision| revision.version == version).unwrap()
}

fn apply(balancer: &Numbered, config: Config, guard: Guard) -> Spawn<GuardedApply<usize>> {
    let change = Change::new(config).by("ann").because("to see");
    spawn(balancer.apply_guarded(change, guard).unwrap())
}

fn poll(watch: &mut Spawn<GuardedApply<usize>>) -> Option<Verdict> {
    match watch.poll() {
        std::task::Poll::Ready(verdict) => Some(verdict),
        std::task::Poll::Pending => None,
    }
}

/// Sends one request after the other for `span`. `serve` says how long an endpoint takes and what
/// comes of it. Ends with the verdict, and says when it came.
async fn watch(
    balancer: &Numbered,
    watch: &mut Spawn<GuardedApply<usize>>,
    span: Duration,
    mut serve: impl FnMut(usize) -> (Duration, Outcome),
) -> Option<(Duration, Verdict)> {
    let began = now();
    loop {
        let elapsed = now().saturating_duration_since(began);
        if let Some(verdict) = poll(watch) {
            return Some((elapsed, verdict));
        }
        if elapsed >= span {
            return None;
        }
        let lease = support::pick(balancer);
        let (time, outcome) = serve(*lease.target());
        advance_to(now() + time).await;
        lease.finish(outcome);
    }
}

/// Traffic that nobody watches.
async fn traffic(
    balancer: &Numbered,
    span: Duration,
    mut serve: impl FnMut(usize) -> (Duration, Outcome),
) {
    let end = now() + span;
    while now() < end {
        let lease = support::pick(balancer);
        let (time, outcome) = serve(*lease.target());
        advance_to(now() + time).await;
        lease.finish(outcome);
    }
}

fn well(_: usize) -> (Duration, Outcome) {
    (20 * MILLI, Outcome::Success)
}

/// `percent` of the answers are failures, evenly.
fn failing(percent: usize) -> impl FnMut(usize) -> (Duration, Outcome) {
    let mut sum = 0;
    move |_| {
        sum += percent;
        let failed = sum >= 100;
        sum %= 100;
        (20 * MILLI, if failed { Outcome::failure() } else { Outcome::Success })
    }
}

fn rolled_back(verdict: &Verdict) -> (Version, Version, &RollbackReason) {
    match verdict {
        Verdict::RolledBack { version, to, reason } => (*version, *to, reason),
        other => unreachable!("it was not rolled back: {other}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_good_change_stays_and_is_told_when_the_window_is_over() {
    let balancer = balancer(BEFORE, 4, 1);
    traffic(&balancer, 30 * SECOND, well).await;
    let mut events = balancer.subscribe();
    let mut watched = apply(&balancer, kind("round_robin"), Guard::default());
    assert_eq!(served(&balancer), "round_robin", "it is served from the call on");
    let (after, verdict) = watch(&balancer, &mut watched, 90 * SECOND, well).await.unwrap();
    assert_eq!(after, 60 * SECOND);
    let version = balancer.version();
    assert_eq!(verdict, Verdict::Accepted { version, requests: 3_000 });
    assert_eq!(verdict.to_string(), "version 2.1 stays after 3000 requests");
    // It says so as often as it is asked, and the drop is no change of mind.
    assert_eq!(watched.poll(), std::task::Poll::Ready(verdict.clone()));
    drop(watched);
    assert_eq!((balancer.version(), served(&balancer).as_str()), (version, "round_robin"));
    assert_eq!(revision(&balancer, version).verdict, Some(verdict.clone()));
    match received(&mut events).as_slice() {
        [Event::Published { .. }, Event::Judged { verdict: told }] => assert_eq!(*told, verdict),
        other => unreachable!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_bad_change_takes_itself_back_at_the_next_look() {
    let balancer = balancer(BEFORE, 4, 2);
    balancer.set_weight(&id(1), 3).unwrap();
    traffic(&balancer, 30 * SECOND, well).await;
    let before = balancer.version();
    let mut events = balancer.subscribe();
    let mut watched = apply(&balancer, kind("random"), Guard::default());
    let (after, verdict) = watch(&balancer, &mut watched, 90 * SECOND, failing(100)).await.unwrap();
    // A twentieth of the window.
    assert_eq!(after, 3 * SECOND);
    let (version, to, reason) = rolled_back(&verdict);
    assert_eq!((version, to), (watched.version(), before));
    let words = "failure rate 100 % against 0 % before; at most 5 points more are allowed";
    assert_eq!(reason.to_string(), words);
    assert_eq!((served(&balancer).as_str(), balancer.version().config), ("least_request", 4));
    assert_eq!(support::status(&balancer, &id(1)).weight, 3);
    let [bad, back] = [version, balancer.version()].map(|version| revision(&balancer, version));
    assert_eq!((bad.by.as_deref(), bad.verdict.as_ref()), (Some("ann"), Some(&verdict)));
    assert_eq!((back.by.as_deref(), back.because.as_deref()), (Some("guard"), Some(words)));
    assert_eq!((back.restores, back.verdict), (Some(before), None));
    let told: Vec<_> = received(&mut events).iter().map(Event::to_string).collect();
    assert_eq!(
        told,
        [
            "version 3.1: settings changed by ann because to see".to_owned(),
            format!("version 4.1: rolled back to version 2.1 by guard because {words}"),
            format!("version 3.1 was rolled back to 2.1: {words}"),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_change_that_is_a_little_worse_has_the_whole_window() {
    let balancer = balancer(BEFORE, 4, 3);
    traffic(&balancer, 30 * SECOND, failing(2)).await;
    let guard = || Guard::default().with_window(20 * SECOND).unwrap();
    let mut watched = apply(&balancer, kind("random"), guard());
    let judged = watch(&balancer, &mut watched, 60 * SECOND, failing(10)).await;
    let (after, verdict) = judged.unwrap();
    assert_eq!((after, served(&balancer).as_str()), (20 * SECOND, "least_request"));
    let words = rolled_back(&verdict).2.to_string();
    assert!(words.starts_with("failure rate 10 % against 2 % before"), "{words}");
    // Six of a hundred are no more than five points above.
    let mut watched = apply(&balancer, kind("random"), guard());
    let judged = watch(&balancer, &mut watched, 60 * SECOND, failing(6)).await;
    assert!(matches!(judged, Some((_, Verdict::Accepted { .. }))), "{judged:?}");
}

#[tokio::test(start_paused = true)]
async fn a_change_that_makes_answers_slow_is_taken_back() {
    let balancer = balancer(BEFORE, 4, 4);
    traffic(&balancer, 30 * SECOND, well).await;
    for (millis, expected) in [(30, None), (70, Some(60 * SECOND)), (300, Some(15 * SECOND))] {
        let mut watched = apply(&balancer, kind("random"), Guard::default());
        let slow = |_| (millis * MILLI, Outcome::Success);
        let (after, verdict) = watch(&balancer, &mut watched, 90 * SECOND, slow).await.unwrap();
        match expected {
            None => {
                assert!(matches!(verdict, Verdict::Accepted { .. }), "{verdict}");
                balancer.rollback().unwrap();
            }
            Some(expected) => {
                assert!(after >= expected && after < expected + SECOND, "{millis} ms: {after:?}");
                assert!(verdict.to_string().contains("at quantile 0.9"), "{verdict}");
                assert!(matches!(rolled_back(&verdict).2, RollbackReason::Latency { .. }));
            }
        }
        assert_eq!(served(&balancer), "least_request");
    }
}

/// Sends everything to the first.
#[derive(Debug)]
struct First;

#[derive(Debug)]
struct FirstPicker(Box<dyn Picker>);

impl Strategy for First {
    fn build(&self, candidates: &Candidates<'_>) -> Box<dyn Picker> {
        Box::new(FirstPicker(RoundRobin.build(candidates)))
    }
}

impl Picker for FirstPicker {
    fn pick(&self, _: &mut PickContext<'_>) -> Option<usize> {
        Some(0)
    }

    /// It promises what it does not keep.
    fn shares(&self) -> Vec<f64> {
        self.0.shares()
    }
}

#[tokio::test(start_paused = true)]
async fn a_change_that_sends_all_to_one_is_taken_back() {
    let first = config("outlier = false\n[strategy]\nkind = 'custom'\ncustom = 'first'");
    let balancer = builder(BEFORE, 4, 5).strategy("first", First).build().unwrap();
    traffic(&balancer, 30 * SECOND, well).await;
    let mut watched = apply(&balancer, first.clone(), Guard::default());
    let (after, verdict) = watch(&balancer, &mut watched, 90 * SECOND, well).await.unwrap();
    assert_eq!((after, served(&balancer).as_str()), (3 * SECOND, "least_request"));
    let words = rolled_back(&verdict).2.to_string();
    let expected = "`e000` received 100 % of the requests against 2";
    assert!(words.starts_with(expected) && words.ends_with("60 % is allowed"), "{words}");
    // What the settings allow is allowed.
    let allowed = config(
        "outlier = false\n[strategy]\nkind = 'custom'\ncustom = 'first'\n[guard]\nmax_share_percent = 100",
    );
    let mut watched = apply(&balancer, allowed, Guard::default());
    let (_, verdict) = watch(&balancer, &mut watched, 90 * SECOND, well).await.unwrap();
    assert!(matches!(verdict, Verdict::Accepted { .. }), "{verdict}");
}

/// Endpoints that the settings carry, by number.
fn carrying(numbers: std::ops::Range<usize>, weight: u32) -> Config {
    let specs = numbers.map(|n| {
        let mut spec = EndpointSpec::new(id(n), n.to_string());
        spec.weight = weight;
        spec
    });
    config("outlier = false").with_endpoints(Some(specs.collect())).unwrap()
}

fn from_settings(config: Config) -> Numbered {
    let make = |spec: &EndpointSpec| Ok(spec.address.parse()?);
    Balancer::builder().config(config).make(make).seed(6).build().unwrap()
}

fn ids(balancer: &Numbered) -> Vec<String> {
    balancer.status().endpoints.iter().map(|endpoint| endpoint.id.to_string()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_change_that_loses_endpoints_is_taken_back_with_its_set() {
    let balancer = from_settings(carrying(0..8, 1));
    traffic(&balancer, 5 * SECOND, well).await;
    let held = support::pick_only(&balancer, &id(7));
    let before = (ids(&balancer), balancer.config());
    let mut watched = apply(&balancer, carrying(0..5, 1), Guard::default());
    assert_eq!(ids(&balancer).len(), 5);
    let (after, verdict) = watch(&balancer, &mut watched, 90 * SECOND, well).await.unwrap();
    assert_eq!(after, 60 * SECOND);
    assert_eq!(rolled_back(&verdict).2.to_string(), "3 of 8 endpoints were lost; at most 2 may be");
    assert_eq!((ids(&balancer), balancer.config()), before);
    assert_eq!(support::status(&balancer, &id(7)).in_flight, 1, "it is the same endpoint");
    drop(held);
    // Of weight zero all are lost, and that is bad enough for the next look.
    let weightless = carrying(0..8, 0).with_update(None);
    let mut watched = apply(&balancer, weightless, Guard::default());
    assert!(balancer.pick(&Key::none()).is_err());
    tokio::time::advance(3 * SECOND).await;
    let verdict = poll(&mut watched).unwrap();
    assert_eq!(rolled_back(&verdict).2.to_string(), "8 of 8 endpoints were lost; at most 2 may be");
    assert_eq!((ids(&balancer), balancer.config()), before);
    balancer.pick(&Key::none()).unwrap().finish(Outcome::Success);
}

#[tokio::test(start_paused = true)]
async fn what_discovery_removes_is_not_lost_and_what_it_sends_is_left_alone() {
    let balancer = from_settings(carrying(0..8, 1));
    traffic(&balancer, 5 * SECOND, well).await;
    let mut watched = apply(&balancer, carrying(0..7, 1), Guard::default());
    let send = |numbers: [usize; 2]| {
        balancer.replace_unchecked(numbers.map(|n| Endpoint::new(id(n), n))).unwrap();
    };
    send([0, 1]);
    let (_, verdict) = watch(&balancer, &mut watched, 90 * SECOND, well).await.unwrap();
    assert!(matches!(verdict, Verdict::Accepted { .. }), "{verdict}");
    let mut watched = apply(&balancer, carrying(3..7, 1), Guard::default());
    send([1, 2]);
    let (_, verdict) = watch(&balancer, &mut watched, 90 * SECOND, failing(100)).await.unwrap();
    rolled_back(&verdict);
    assert_eq!(ids(&balancer), ["e001", "e002"]);
    assert_eq!(balancer.config().endpoints().unwrap().len(), 7);
}

#[tokio::test(start_paused = true)]
async fn what_discovery_removed_before_a_second_change_is_not_lost_by_it() {
    let balancer = balancer(BEFORE, 8, 26);
    traffic(&balancer, 5 * SECOND, well).await;
    let first = apply(&balancer, kind("random"), Guard::default());
    balancer.replace_unchecked(support::endpoints(0..2)).unwrap();
    let mut second = apply(&balancer, kind("round_robin"), Guard::default());
    let (_, verdict) = watch(&balancer, &mut second, 90 * SECOND, well).await.unwrap();
    assert!(matches!(verdict, Verdict::Accepted { .. }), "{verdict}");
    drop(first);
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_comes_back_is_not_held_to_what_it_was_sent_before() {
    let balancer = balancer(BEFORE, 4, 27);
    balancer.set_weight(&id(0), 1_000).unwrap();
    traffic(&balancer, 300 * SECOND, well).await;
    balancer.remove(&id(0)).unwrap();
    traffic(&balancer, 70 * SECOND, well).await;
    let mut watched = apply(&balancer, kind("round_robin"), Guard::default());
    balancer.insert(support::endpoint(0)).unwrap();
    let (_, verdict) = watch(&balancer, &mut watched, 90 * SECOND, well).await.unwrap();
    assert!(matches!(verdict, Verdict::Accepted { .. }), "{verdict}");
}

#[tokio::test(start_paused = true)]
async fn a_set_comes_back_as_time_has_made_it() {
    let balancer = from_settings(carrying(0..4, 1));
    drop(balancer.drain_for(&id(1), 10 * SECOND).unwrap());
    let watched = apply(&balancer, carrying(4..8, 1), Guard::default());
    tokio::time::advance(20 * SECOND).await;
    let mut events = balancer.subscribe();
    drop(watched);
    for _ in 0..40 {
        support::pick(&balancer).finish(Outcome::Success);
    }
    assert_eq!(received(&mut events).len(), 2, "the drain is brought back and ends once more");
    assert!(support::status(&balancer, &id(1)).picks > 0);
}

#[tokio::test(start_paused = true)]
async fn endpoints_that_are_ejected_are_lost_and_end_no_watch() {
    let balancer = balancer("", 4, 28);
    traffic(&balancer, 30 * SECOND, well).await;
    let change = || config("[strategy]\nkind = 'random'");
    for (broken, stays) in [(1, true), (2, false)] {
        let mut watched = apply(&balancer, change(), Guard::default());
        let serve = |number: usize| match number {
            number if number < broken => (20 * MILLI, Outcome::failure()),
            _ => (20 * MILLI, Outcome::Success),
        };
        let (after, verdict) = watch(&balancer, &mut watched, 90 * SECOND, serve).await.unwrap();
        assert_eq!(after, 60 * SECOND);
        assert_eq!(matches!(verdict, Verdict::Accepted { .. }), stays, "{verdict}");
        if stays {
            balancer.rollback().unwrap();
            traffic(&balancer, 300 * SECOND, well).await;
        } else {
            let words = rolled_back(&verdict).2.to_string();
            assert_eq!(words, "2 of 4 endpoints were lost; at most 1 may be");
            let out = balancer.status().endpoints.iter().filter(|it| it.ejections > 0).count();
            assert_eq!(out, 2, "health is no part of the way back");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_set_comes_back_with_what_endpoints_have_come_to() {
    let of = |numbers: std::ops::Range<usize>| {
        Config::default()
            .with_endpoints(carrying(numbers, 1).endpoints().map(<[_]>::to_vec))
            .unwrap()
    };
    let balancer = from_settings(of(0..4));
    balancer.eject(&id(0), 100 * SECOND).unwrap();
    let watched = apply(&balancer, of(1..6), Guard::default());
    balancer.eject(&id(1), 100 * SECOND).unwrap();
    drop(watched);
    let out = |n| support::status(&balancer, &id(n)).state == Availability::Ejected;
    assert_eq!([0, 1, 2, 3].map(out), [true, true, false, false]);
}

#[tokio::test(start_paused = true)]
async fn a_change_after_which_nothing_is_answered_is_taken_back() {
    let balancer = balancer(BEFORE, 4, 7);
    traffic(&balancer, 30 * SECOND, well).await;
    let mut watched = apply(&balancer, kind("random"), Guard::default());
    let mut hanging: Vec<Lease<usize>> = Vec::new();
    let verdict = loop {
        hanging.push(support::pick(&balancer));
        tokio::time::advance(20 * MILLI).await;
        if let Some(verdict) = poll(&mut watched) {
            break verdict;
        }
    };
    assert_eq!(
        rolled_back(&verdict).2.to_string(),
        "100 % of the requests unanswered against 0 % before; at most 50 points more are allowed"
    );
    assert_eq!((hanging.len(), served(&balancer).as_str()), (3_000, "least_request"));
}

#[tokio::test(start_paused = true)]
async fn without_traffic_a_change_stays_unproven() {
    for sent in [0, 49] {
        let balancer = balancer(BEFORE, 4, 8);
        traffic(&balancer, 30 * SECOND, well).await;
        let mut watched = apply(&balancer, kind("random"), Guard::default());
        for _ in 0..sent {
            support::pick(&balancer).finish(Outcome::failure());
        }
        tokio::time::advance(60 * SECOND - MILLI).await;
        assert_eq!(poll(&mut watched), None);
        tokio::time::advance(MILLI).await;
        let version = balancer.version();
        let expected = Verdict::Unproven { version, requests: sent, needed: 50 };
        assert_eq!(poll(&mut watched), Some(expected.clone()));
        assert_eq!(revision(&balancer, version).verdict, Some(expected));
        assert_eq!(served(&balancer), "random");
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_time_before_the_absolute_limits_hold() {
    for (percent, stays) in [(4, true), (7, false)] {
        let balancer = balancer(BEFORE, 4, 9);
        let mut watched = apply(&balancer, kind("random"), Guard::default());
        let judged = watch(&balancer, &mut watched, 90 * SECOND, failing(percent)).await;
        let (after, verdict) = judged.unwrap();
        assert_eq!(after, 60 * SECOND);
        assert_eq!(matches!(verdict, Verdict::Accepted { .. }), stays, "{verdict}");
        if !stays {
            assert!(
                verdict.to_string().ends_with("nothing to compare it to; at most 5 % is allowed")
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_old_record_stands_for_the_time_before() {
    let balancer = balancer(BEFORE, 4, 10);
    traffic(&balancer, 30 * SECOND, failing(20)).await;
    tokio::time::advance(3_600 * SECOND).await;
    let mut watched = apply(&balancer, kind("random"), Guard::default());
    let (_, verdict) = watch(&balancer, &mut watched, 90 * SECOND, failing(24)).await.unwrap();
    assert!(matches!(verdict, Verdict::Accepted { .. }), "{verdict}");
}

type Act = fn(&Numbered);

/// What somebody else may do meanwhile that ends the watch.
const OTHERS: [(&str, Act); 7] = [
    ("apply", |it| {
        it.apply(kind("peak_ewma")).unwrap();
    }),
    ("rollback", |it| {
        it.rollback().unwrap();
    }),
    ("set_weight", |it| {
        it.set_weight(&id(0), 2).unwrap();
    }),
    ("drain", |it| drop(it.drain(&id(0)).unwrap())),
    ("drain_for", |it| drop(it.drain_for(&id(0), SECOND).unwrap())),
    ("disable", |it| {
        it.disable(&id(0)).unwrap();
    }),
    ("enable", |it| {
        it.enable(&id(3)).unwrap();
    }),
];

/// What may happen meanwhile that does not.
const HARMLESS: [(&str, Act); 9] = [
    ("replace", |it| {
        it.replace(support::endpoints(0..5)).unwrap();
    }),
    ("replace_unchecked", |it| {
        it.replace_unchecked(support::endpoints(0..1)).unwrap();
    }),
    ("insert", |it| {
        it.insert(support::endpoint(9)).unwrap();
    }),
    ("remove", |it| {
        it.remove(&id(0)).unwrap();
    }),
    ("the same settings again", |it| {
        it.apply(kind("random")).unwrap();
    }),
    ("the same settings guarded", |it| {
        drop(it.apply_guarded(kind("random"), Guard::default()).unwrap());
    }),
    ("settings that are refused", |it| {
        drop(
            it.apply(config("outlier = false\n[strategy]\nkind = 'custom'\ncustom = 'none'"))
                .unwrap_err(),
        );
        let unknown = config("outlier = false\n[strategy]\nkind = 'custom'\ncustom = 'none'");
        drop(it.apply_guarded(unknown, Guard::default()).unwrap_err());
    }),
    ("a weight it has", |it| {
        it.set_weight(&id(3), 4).unwrap();
    }),
    ("looking on", |it| drop((it.history(), it.status(), it.preview(&kind("random")).unwrap()))),
];

async fn under_watch(seed: u64) -> (Numbered, Spawn<GuardedApply<usize>>) {
    let balancer = balancer(BEFORE, 4, seed);
    balancer.set_weight(&id(3), 4).unwrap();
    traffic(&balancer, 30 * SECOND, well).await;
    let watched = apply(&balancer, kind("random"), Guard::default());
    (balancer, watched)
}

#[tokio::test(start_paused = true)]
async fn what_somebody_does_later_stands() {
    for (name, act) in OTHERS {
        for polled in [true, false] {
            let (balancer, mut watched) = under_watch(11).await;
            let seen = watch(&balancer, &mut watched, 2 * SECOND, failing(100)).await;
            assert_eq!(seen, None);
            let mut events = balancer.subscribe();
            act(&balancer);
            let [_, judged] = <[Event; 2]>::try_from(received(&mut events)).unwrap();
            let (version, by) = (watched.version(), balancer.version());
            let expected = Verdict::Superseded { version, by };
            assert!(matches!(judged, Event::Judged { verdict } if verdict == expected), "{name}");
            let after = (balancer.config(), balancer.version(), format!("{:?}", balancer.status()));
            if polled {
                tokio::time::advance(SECOND).await;
                assert_eq!(poll(&mut watched), Some(expected.clone()), "{name}");
            }
            drop(watched);
            let late = (balancer.config(), balancer.version(), format!("{:?}", balancer.status()));
            if name != "drain_for" || !polled {
                assert_eq!(late, after, "{name}");
            }
            assert_eq!(revision(&balancer, version).verdict, Some(expected), "{name}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_changes_no_settings_disturbs_nobody() {
    for (name, act) in HARMLESS {
        let (balancer, mut watched) = under_watch(12).await;
        act(&balancer);
        assert_eq!(served(&balancer), "random", "{name}");
        let judged = watch(&balancer, &mut watched, 90 * SECOND, failing(100)).await;
        let (after, verdict) = judged.unwrap();
        assert_eq!(after, 3 * SECOND, "{name}");
        rolled_back(&verdict);
        assert_eq!(served(&balancer), "least_request", "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_drain_whose_time_is_over_disturbs_nobody() {
    let balancer = balancer(BEFORE, 4, 13);
    drop(balancer.drain_for(&id(0), 31 * SECOND).unwrap());
    traffic(&balancer, 30 * SECOND, well).await;
    let mut watched = apply(&balancer, kind("random"), Guard::default());
    let version = balancer.version();
    let (after, verdict) = watch(&balancer, &mut watched, 90 * SECOND, failing(100)).await.unwrap();
    assert_eq!((after, rolled_back(&verdict).0), (3 * SECOND, version));
    assert_eq!(served(&balancer), "least_request");
    assert_eq!(support::status(&balancer, &id(0)).effective_weight, 1.0, "it stays over");
    assert_eq!(balancer.version().config, version.config + 2);
}

#[tokio::test(start_paused = true)]
async fn of_two_guarded_changes_the_second_takes_both_back() {
    let (balancer, mut first) = under_watch(14).await;
    let before = balancer.history()[1].version;
    let seen = watch(&balancer, &mut first, 30 * SECOND, failing(14)).await;
    assert_eq!(seen, None, "not bad enough to be taken back at once");
    let mut second = apply(&balancer, kind("round_robin"), Guard::default());
    let (after, verdict) = watch(&balancer, &mut second, 90 * SECOND, failing(10)).await.unwrap();
    assert_eq!(after, 60 * SECOND, "it has its own window");
    // Compared with the time before both.
    let (version, to, reason) = rolled_back(&verdict);
    assert_eq!((version, to), (second.version(), before));
    assert!(reason.to_string().starts_with("failure rate 10 % against 0 % before"), "{reason}");
    assert_eq!(served(&balancer), "least_request");
    let (version, by) = (first.version(), second.version());
    assert_eq!(verdict_now(&mut first).await, Verdict::Superseded { version, by });
}

async fn verdict_now(watched: &mut Spawn<GuardedApply<usize>>) -> Verdict {
    tokio::time::advance(60 * SECOND).await;
    poll(watched).unwrap()
}

#[tokio::test(start_paused = true)]
async fn of_two_guarded_changes_a_good_second_stays() {
    let (balancer, mut first) = under_watch(15).await;
    let mut second = apply(&balancer, kind("round_robin"), Guard::default());
    let version = balancer.version();
    drop(first.poll());
    drop(first);
    assert_eq!(balancer.version(), version, "the first has nothing to take back any more");
    let (_, verdict) = watch(&balancer, &mut second, 90 * SECOND, well).await.unwrap();
    assert_eq!(verdict, Verdict::Accepted { version, requests: 3_000 });
    // From here on it is the first that is gone back to by hand: nobody has found it bad.
    balancer.rollback().unwrap();
    assert_eq!(served(&balancer), "random");
}

#[tokio::test(start_paused = true)]
async fn two_guarded_changes_of_the_set_are_taken_back_together() {
    let balancer = from_settings(carrying(0..4, 1));
    traffic(&balancer, 5 * SECOND, well).await;
    let first = apply(&balancer, carrying(2..6, 1), Guard::default());
    let second = apply(&balancer, carrying(4..8, 1), Guard::default());
    drop(first);
    assert_eq!(ids(&balancer), ["e004", "e005", "e006", "e007"]);
    drop(second);
    assert_eq!(ids(&balancer), ["e000", "e001", "e002", "e003"]);
    assert_eq!(*balancer.config(), carrying(0..4, 1));
}

#[tokio::test(start_paused = true)]
async fn dropped_at_any_point_before_the_verdict_it_is_taken_back() {
    // Polled as often as there are looks, and once more for the verdict.
    for polls in 0..=21 {
        let balancer = balancer(BEFORE, 4, 16);
        let mut events = balancer.subscribe();
        let mut watched = apply(&balancer, kind("random"), Guard::default());
        let version = watched.version();
        for turn in 0..polls {
            assert_eq!(poll(&mut watched).is_some(), turn == 20, "poll {turn}");
            tokio::time::advance(3 * SECOND).await;
        }
        drop(watched);
        let stays = polls == 21;
        assert_eq!(served(&balancer) == "random", stays, "after {polls} polls");
        if !stays {
            let told = received(&mut events);
            let Some(Event::Judged { verdict }) = told.last() else { unreachable!("{told:?}") };
            assert_eq!(rolled_back(verdict), (version, balancer.history()[0].version, &DROPPED));
            assert_eq!(revision(&balancer, version).verdict.as_ref(), Some(verdict));
            let because = revision(&balancer, balancer.version()).because;
            assert_eq!(because.as_deref(), Some("nobody waited for the verdict"));
        }
    }
}

const DROPPED: RollbackReason = RollbackReason::Dropped;

#[test]
fn dropped_outside_of_a_runtime_it_is_taken_back_too() {
    let balancer = balancer(BEFORE, 4, 17);
    drop(balancer.apply_guarded(kind("random"), Guard::default()).unwrap());
    assert_eq!((served(&balancer).as_str(), balancer.version().config), ("least_request", 3));
}

#[test]
fn dropped_by_a_runtime_that_shuts_down_it_is_taken_back_too() {
    for threads in [None, Some(2)] {
        let balancer = balancer(BEFORE, 4, 18);
        let runtime = match threads {
            None => tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap(),
            Some(threads) => tokio::runtime::Builder::new_multi_thread()
                .worker_threads(threads)
                .enable_time()
                .build()
                .unwrap(),
        };
        let watched = balancer.apply_guarded(kind("random"), Guard::default()).unwrap();
        let task = runtime.spawn(watched);
        runtime.block_on(tokio::task::yield_now());
        assert!(!task.is_finished());
        drop(runtime);
        assert_eq!(served(&balancer), "least_request");
        assert!(balancer.history().last().unwrap().because.is_some());
    }
}

#[tokio::test(start_paused = true)]
async fn a_task_that_is_aborted_takes_the_change_back() {
    let balancer = balancer(BEFORE, 4, 19);
    let task = tokio::spawn(balancer.apply_guarded(kind("random"), Guard::default()).unwrap());
    tokio::time::advance(10 * SECOND).await;
    assert_eq!(served(&balancer), "random");
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());
    assert_eq!(served(&balancer), "least_request");
}

/// A target that says when it is gone.
struct Told(Arc<AtomicBool>);

impl Drop for Told {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[tokio::test(start_paused = true)]
async fn with_the_last_handle_the_balancer_goes_and_the_future_says_so() {
    let gone = Arc::new(AtomicBool::new(false));
    let endpoint = Endpoint::new("a", Told(Arc::clone(&gone)));
    let balancer = Balancer::builder().endpoint(endpoint).build().unwrap();
    let watched = balancer.apply_guarded(kind("random"), Guard::default()).unwrap();
    let never_polled = balancer.apply_guarded(kind("round_robin"), Guard::default()).unwrap();
    let (version, mut watched) = (watched.version(), spawn(watched));
    assert!(watched.poll().is_pending());
    drop(balancer);
    assert!(gone.load(Ordering::Relaxed), "the future keeps the balancer");
    assert!(watched.poll().is_pending());
    tokio::time::advance(3 * SECOND).await;
    assert!(watched.is_woken());
    assert_eq!(watched.poll(), std::task::Poll::Ready(Verdict::Gone { version }));
    drop(never_polled);
}

/// A strategy that panics when it is told to.
#[derive(Debug, Default)]
struct Moody(Arc<AtomicBool>);

impl Strategy for Moody {
    fn build(&self, candidates: &Candidates<'_>) -> Box<dyn Picker> {
        assert!(!self.0.load(Ordering::Relaxed), "told to panic");
        LeastRequest::default().build(candidates)
    }
}

#[tokio::test(start_paused = true)]
async fn a_way_back_that_panics_is_told_and_what_is_bad_is_passed_over_later() {
    let panics = Arc::new(AtomicBool::new(false));
    let moody = "outlier = false\n[strategy]\nkind = 'custom'\ncustom = 'moody'";
    let built = builder(BEFORE, 4, 20).strategy("moody", Moody(Arc::clone(&panics))).build();
    let balancer = built.unwrap();
    let good = balancer.apply(config(moody)).unwrap();
    traffic(&balancer, 30 * SECOND, well).await;
    let mut events = balancer.subscribe();
    let mut watched = apply(&balancer, kind("random"), Guard::default());
    panics.store(true, Ordering::Relaxed);
    let (after, verdict) = watch(&balancer, &mut watched, 90 * SECOND, failing(100)).await.unwrap();
    assert_eq!(after, 3 * SECOND);
    let version = watched.version();
    let Verdict::NotRolledBack { version: judged, error, .. } = &verdict else {
        unreachable!("{verdict}")
    };
    assert_eq!((*judged, served(&balancer).as_str()), (version, "random"));
    assert_eq!(*error, RollbackError::Strategy { name: "custom".to_owned() });
    let told = received(&mut events);
    assert!(matches!(told.last(), Some(Event::Judged { verdict: told }) if *told == verdict));
    // Nobody may have waited for the verdict, and harm goes on.
    advance_to(now() + 120 * SECOND).await;
    let alarms = balancer.status().alarms;
    let harm = "failure rate 100 %";
    assert!(alarms.iter().any(|it| it.message.contains(harm)), "{alarms:?}");
    drop(watched);
    // What brings a bad state back is as bad.
    drop(balancer.apply_guarded(kind("peak_ewma"), Guard::default()).unwrap());
    assert_eq!(
        (balancer.version().config, served(&balancer).as_str()),
        (version.config + 2, "random")
    );
    balancer.apply(kind("round_robin")).unwrap();
    advance_to(now() + 60 * SECOND).await;
    assert!(balancer.status().alarms.is_empty(), "other settings were accepted");
    panics.store(false, Ordering::Relaxed);
    balancer.rollback().unwrap();
    let restored = revision(&balancer, balancer.version()).restores;
    assert_eq!(restored, Some(good), "what was found bad was not passed over");
    assert_eq!(served(&balancer), "custom");
    // Nor does a drop do any harm from which there is no way back.
    let watched = balancer.apply_guarded(kind("random"), Guard::default()).unwrap();
    panics.store(true, Ordering::Relaxed);
    let version = watched.version();
    drop(watched);
    assert_eq!((balancer.version(), served(&balancer).as_str()), (version, "random"));
    let verdict = revision(&balancer, version).verdict;
    assert!(matches!(verdict, Some(Verdict::NotRolledBack { .. })), "{verdict:?}");
}

#[tokio::test(start_paused = true)]
async fn settings_that_are_served_are_not_watched() {
    let balancer = balancer(BEFORE, 4, 21);
    let version = balancer.version();
    let mut watched = apply(&balancer, config(BEFORE), Guard::default());
    assert_eq!(poll(&mut watched), Some(Verdict::Unchanged { version }));
    drop(watched);
    assert_eq!((balancer.version(), balancer.history().len()), (version, 1));
    assert_eq!(balancer.history()[0].verdict, None);
}

#[tokio::test(start_paused = true)]
async fn what_the_share_guard_refuses_is_neither_applied_nor_watched() {
    let balancer = from_settings(carrying(0..4, 1));
    let heavy = "[guard]\nmax_share_percent = 40\n[[endpoints]]\nid = 'e000'\naddress = '0'\nweight \
                 = 9\n[[endpoints]]\nid = 'e001'\naddress = '1'\n[[endpoints]]\nid = 'e002'\naddress \
                 = '2'";
    let before = (balancer.version(), balancer.history().len());
    let error = balancer.apply_guarded(config(heavy), Guard::default()).unwrap_err();
    assert_eq!(error.problems()[0].path, "guard.max_share_percent");
    assert_eq!((balancer.version(), balancer.history().len()), before);
}

#[tokio::test(start_paused = true)]
async fn polled_late_it_judges_late_by_all_that_happened() {
    let balancer = balancer(BEFORE, 4, 22);
    traffic(&balancer, 30 * SECOND, well).await;
    for (percent, stays) in [(10, false), (0, true)] {
        let mut watched = apply(&balancer, kind("random"), Guard::default());
        traffic(&balancer, 100 * SECOND, failing(percent)).await;
        tokio::time::advance(24 * 3_600 * SECOND).await;
        let verdict = poll(&mut watched).unwrap();
        assert_eq!(
            matches!(verdict, Verdict::Accepted { requests: 5_000, .. }),
            stays,
            "{verdict}"
        );
        assert_eq!(served(&balancer) == "random", stays);
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_bad_change_did_is_no_measure_for_the_next() {
    let balancer = balancer(BEFORE, 4, 23);
    traffic(&balancer, 30 * SECOND, well).await;
    for _ in 0..3 {
        let mut watched = apply(&balancer, kind("random"), Guard::default());
        let judged = watch(&balancer, &mut watched, 90 * SECOND, failing(14)).await;
        let (after, verdict) = judged.unwrap();
        assert_eq!(after, 60 * SECOND);
        let words = rolled_back(&verdict).2.to_string();
        assert!(words.starts_with("failure rate 14 % against 0 % before"), "{words}");
        traffic(&balancer, SECOND, well).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_is_off_takes_nothing_back() {
    let guard = || {
        let guard = Guard::default().with_failure_rise(None).unwrap().with_max_lost(None);
        guard.with_max_share(None).unwrap().with_latency_factor(None).unwrap()
    };
    let first = "outlier = false\n[strategy]\nkind = 'custom'\ncustom = 'first'";
    let balancer = builder(BEFORE, 4, 24).strategy("first", First).build().unwrap();
    traffic(&balancer, 30 * SECOND, well).await;
    let mut watched = apply(&balancer, config(first), guard());
    let terrible = |number: usize| match number {
        0 => (500 * MILLI, Outcome::failure()),
        _ => (500 * MILLI, Outcome::Success),
    };
    let (_, verdict) = watch(&balancer, &mut watched, 90 * SECOND, terrible).await.unwrap();
    assert!(matches!(verdict, Verdict::Accepted { .. }), "{verdict}");
    let strict = guard().with_max_share(Percent::new(30)).unwrap();
    let balancer = builder(BEFORE, 4, 24).strategy("first", First).build().unwrap();
    let mut watched = apply(&balancer, config(first), strict);
    let (_, verdict) = watch(&balancer, &mut watched, 90 * SECOND, terrible).await.unwrap();
    assert!(matches!(rolled_back(&verdict).2, RollbackReason::Share { .. }), "{verdict}");
}

#[tokio::test(start_paused = true)]
async fn targets_that_the_settings_took_out_are_dropped_with_the_verdict() {
    let gone: BTreeMap<&str, Arc<AtomicBool>> =
        ["a", "b"].into_iter().map(|name| (name, Arc::default())).collect();
    let makes = gone.clone();
    let make = move |spec: &EndpointSpec| Ok(Told(Arc::clone(&makes[spec.address.as_str()])));
    let of = |name: &str| {
        let specs = vec![EndpointSpec::new(name, name)];
        Config::default().with_endpoints(Some(specs)).unwrap()
    };
    let balancer = Balancer::builder().config(of("a")).make(make).build().unwrap();
    let is_gone = |name| gone[name].load(Ordering::Relaxed);
    let guard = || Guard::default().with_max_lost(None);
    let watched = balancer.apply_guarded(of("b"), guard()).unwrap();
    assert!(!is_gone("a"));
    drop(watched);
    assert!(!is_gone("a") && is_gone("b"));
    gone["b"].store(false, Ordering::Relaxed);
    let mut watched = spawn(balancer.apply_guarded(of("b"), guard()).unwrap());
    tokio::time::advance(60 * SECOND).await;
    assert!(watched.poll().is_ready());
    assert!(is_gone("a") && !is_gone("b"), "kept beyond the verdict");
}

#[tokio::test(start_paused = true)]
async fn what_is_bad_stays_bad_when_time_has_ended_a_drain() {
    let panics = Arc::new(AtomicBool::new(false));
    let moody = "outlier = false\n[strategy]\nkind = 'custom'\ncustom = 'moody'";
    let built = builder(BEFORE, 4, 29).strategy("moody", Moody(Arc::clone(&panics))).build();
    let balancer = built.unwrap();
    drop(balancer.drain_for(&id(0), SECOND).unwrap());
    let good = balancer.apply(config(moody)).unwrap();
    let watched = balancer.apply_guarded(kind("random"), Guard::default()).unwrap();
    panics.store(true, Ordering::Relaxed);
    drop(watched);
    panics.store(false, Ordering::Relaxed);
    tokio::time::advance(2 * SECOND).await;
    assert_eq!(balancer.history().last().unwrap().change, "the drain of `e000` is over");
    balancer.apply(kind("round_robin")).unwrap();
    balancer.rollback().unwrap();
    assert_eq!(revision(&balancer, balancer.version()).restores, Some(good));
    assert_eq!(served(&balancer), "custom");
}

#[tokio::test(start_paused = true)]
async fn a_set_comes_back_with_the_targets_that_were_made_again() {
    let made = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&made);
    let make = move |_: &EndpointSpec| Ok(count.fetch_add(1, Ordering::Relaxed));
    let of = |addresses: [&str; 3]| {
        let specs = ["a", "b", "c"].into_iter().zip(addresses);
        let specs = specs.filter(|(_, address)| !address.is_empty());
        let specs = specs.map(|(id, address)| EndpointSpec::new(id, address)).collect();
        config("outlier = false").with_endpoints(Some(specs)).unwrap()
    };
    let balancer = Balancer::builder().config(of(["x", "y", "z"])).make(make).build().unwrap();
    let targets = || ["a", "b", "c"].map(|id| *support::pick_only(&balancer, &id.into()).target());
    assert_eq!(targets(), [0, 1, 2]);
    // One stays, one moves, one leaves; and the one that stays breaks.
    let watched = apply(&balancer, of(["x", "elsewhere", ""]), Guard::default());
    support::pick_only(&balancer, &"a".into()).finish(Outcome::broken());
    assert_eq!(made.load(Ordering::Relaxed), 5);
    drop(watched);
    assert_eq!(targets(), [4, 1, 2]);
}

/// A random life of operators, guards and traffic. Whatever happens, what is served is what the
/// last change made, or what a guard brought back that had the last word.
#[tokio::test(start_paused = true)]
async fn no_guard_undoes_what_was_done_later() {
    const KINDS: [&str; 4] = ["round_robin", "random", "least_request", "peak_ewma"];
    for seed in 0..20 {
        let balancer = balancer(BEFORE, 4, seed);
        let mut rng = Rng::seeded(seed);
        let mut expected = "least_request".to_owned();
        let mut live: Option<(Spawn<GuardedApply<usize>>, String)> = None;
        let mut stale = Vec::new();
        for step in 0..120 {
            let at = || format!("seed {seed}, step {step}");
            let wanted = KINDS[rng.below(4) as usize];
            match rng.below(10) {
                0 | 1 => {
                    let watched = apply(&balancer, kind(wanted), Guard::default());
                    if expected != wanted {
                        let back = match live.take() {
                            Some((first, back)) => {
                                stale.push(first);
                                back
                            }
                            None => expected.clone(),
                        };
                        live = Some((watched, back));
                        wanted.clone_into(&mut expected);
                    }
                }
                2 => {
                    balancer.apply(kind(wanted)).unwrap();
                    if expected != wanted {
                        stale.extend(live.take().map(|(watched, _)| watched));
                        wanted.clone_into(&mut expected);
                    }
                }
                3 => {
                    let before = balancer.version().config;
                    balancer.set_weight(&id(0), rng.below(3) as u32).unwrap();
                    if balancer.version().config > before {
                        stale.extend(live.take().map(|(watched, _)| watched));
                    }
                }
                4 => drop(balancer.insert(support::endpoint(rng.below(6) as usize))),
                5 => {
                    if let Some((watched, back)) = live.take() {
                        drop(watched);
                        expected = back;
                    }
                }
                6 => stale.clear(),
                _ => {
                    let percent = [0, 100][rng.below(2) as usize];
                    let span = Duration::from_secs(1 + rng.below(40));
                    let Some((watched, back)) = &mut live else {
                        traffic(&balancer, span, failing(percent)).await;
                        continue;
                    };
                    match watch(&balancer, watched, span, failing(percent)).await {
                        Some((_, Verdict::RolledBack { .. })) => expected = back.clone(),
                        Some((_, Verdict::Accepted { .. } | Verdict::Unproven { .. })) => {}
                        None => continue,
                        other => unreachable!("{}: {other:?}", at()),
                    }
                    live = None;
                }
            }
            assert_eq!(served(&balancer), expected, "{}", at());
        }
    }
}

/// Guards that are dropped while operators act, on many threads: each way back follows the change
/// that it takes back, and nothing else.
#[test]
fn a_way_back_never_follows_anything_but_its_own_change() {
    let balancer = balancer(BEFORE, 4, 25);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let balancer = balancer.clone();
            scope.spawn(move || {
                for round in 0..200_u32 {
                    let wanted = ["random", "round_robin"][(round as usize + thread) % 2];
                    if thread % 2 == 0 {
                        drop(balancer.apply_guarded(kind(wanted), Guard::default()).unwrap());
                    } else {
                        balancer.set_weight(&id(thread), 1 + round % 5).unwrap();
                    }
                    support::pick(&balancer).finish(Outcome::Success);
                    let history = balancer.history();
                    for pair in history.windows(2) {
                        let [before, after] = pair else { continue };
                        if after.by.as_deref() != Some("guard") {
                            continue;
                        }
                        let Some(Verdict::RolledBack { version, .. }) = before.verdict else {
                            unreachable!("{after:?} follows {before:?}")
                        };
                        assert_eq!(version, before.version);
                    }
                }
            });
        }
    });
    let weights = |balancer: &Numbered| {
        let endpoints = balancer.status().endpoints;
        endpoints.iter().map(|endpoint| endpoint.weight).collect::<Vec<_>>()
    };
    assert_eq!(weights(&balancer), [1, 5, 1, 5], "a weight was undone");
}
