//! What recorders hear of a balancer.

#![cfg(all(feature = "config", feature = "metrics", feature = "testing"))]
#![allow(clippy::panic, clippy::unwrap_used)]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use evenkeel::{
    Balancer, Config, Endpoint, EndpointId, FailureKind, Guard, Key, Metrics, Outcome, probe_fn,
};
use metrics::{Counter, Gauge, Histogram, KeyName, Metadata, Recorder, SharedString, Unit};
use metrics_exporter_prometheus::PrometheusBuilder;
use metrics_util::debugging::{DebugValue, DebuggingRecorder};
use parking_lot::{Condvar, Mutex};
use support::{
    Numbered, advance_to, balancer, builder, config, endpoints, id, now, pick, pick_only,
};

/// Labels and their values, without that of the balancer.
type Labels = BTreeMap<String, String>;

/// A recorder that keeps what it is told where a test can look.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<BTreeMap<metrics::Key, Arc<AtomicU64>>>>);

impl Written {
    fn cell(&self, key: &metrics::Key) -> Arc<AtomicU64> {
        Arc::clone(self.0.lock().entry(key.clone()).or_default())
    }

    /// Every series of this name, with its bits.
    fn series(&self, name: &str) -> Vec<(Labels, u64)> {
        let all = self.0.lock();
        let named = all.iter().filter(|(key, _)| key.name() == name);
        let series = named.map(|(key, cell)| {
            let labels = key.labels().map(|it| (it.key().to_owned(), it.value().to_owned()));
            (labels.collect(), cell.load(Ordering::Relaxed))
        });
        series.collect()
    }

    /// The one series of this name that has these labels.
    #[track_caller]
    fn bits(&self, name: &str, labels: &[(&str, &str)]) -> u64 {
        let has = |have: &Labels| {
            labels.iter().all(|(key, value)| have.get(*key).is_some_and(|it| it == value))
        };
        let found: Vec<_> = self.series(name).into_iter().filter(|(have, _)| has(have)).collect();
        assert_eq!(found.len(), 1, "{name} {labels:?}: {found:?}");
        found[0].1
    }

    #[track_caller]
    fn counter(&self, name: &str, labels: &[(&str, &str)]) -> u64 {
        self.bits(name, labels)
    }

    #[track_caller]
    fn gauge(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        f64::from_bits(self.bits(name, labels))
    }

    /// The sum of all series of a counter.
    fn sum(&self, name: &str) -> u64 {
        self.series(name).into_iter().map(|(_, value)| value).sum()
    }

    /// All counters, to be compared with what they are later.
    fn counters(&self) -> BTreeMap<metrics::Key, u64> {
        let all = self.0.lock();
        let counters = all.iter().filter(|(key, _)| key.name().ends_with("_total"));
        counters.map(|(key, cell)| (key.clone(), cell.load(Ordering::Relaxed))).collect()
    }

    /// Every gauge that is not zero.
    fn standing(&self) -> Vec<String> {
        let all = self.0.lock();
        let standing = all.iter().filter(|(key, cell)| {
            !key.name().ends_with("_total") && f64::from_bits(cell.load(Ordering::Relaxed)) != 0.0
        });
        standing.map(|(key, _)| key.to_string()).collect()
    }
}

impl Recorder for Written {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_histogram(&self, name: KeyName, _: Option<Unit>, _: SharedString) {
        panic!("{name:?} is a histogram");
    }

    fn register_counter(&self, key: &metrics::Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.cell(key))
    }

    fn register_gauge(&self, key: &metrics::Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.cell(key))
    }

    fn register_histogram(&self, key: &metrics::Key, _: &Metadata<'_>) -> Histogram {
        panic!("{key} is a histogram");
    }
}

fn watched<T: Send + Sync + 'static>(balancer: &Balancer<T>) -> (Metrics, Written) {
    let written = Written::default();
    (Metrics::new(balancer).recorder(written.clone()), written)
}

fn finish(balancer: &Numbered, wanted: usize, outcome: Outcome) {
    pick_only(balancer, &id(wanted)).finish(outcome);
}

/// The rows of the page: name and labels.
fn documented() -> BTreeMap<String, BTreeSet<String>> {
    let page = include_str!("../docs/metrics.md");
    let rows = page.lines().filter(|line| line.starts_with("| `evenkeel_"));
    let row = |line: &str| {
        let mut cells = line.split('|').skip(1).map(|cell| cell.trim().replace('`', ""));
        let (name, _, labels) = (cells.next()?, cells.next()?, cells.next()?);
        let labels = labels.split(", ").filter(|label| !label.is_empty()).map(str::to_owned);
        Some((name, labels.chain(["balancer".to_owned()]).collect()))
    };
    rows.filter_map(row).collect()
}

#[tokio::test(start_paused = true)]
async fn every_documented_name_appears_with_its_labels_and_no_other_does() {
    let probe = probe_fn(|subject: evenkeel::Subject<'_, usize>| {
        let well = subject.id().as_str() != "e002";
        async move { if well { Ok(()) } else { Err("sick") } }
    });
    let settings = "[health]\n[outlier]\nbase_ejection_time = '1s'";
    let balancer = builder(settings, 4, 1).probe(probe).build().unwrap();
    let (metrics, written) = watched(&balancer);
    let mut metrics = metrics.per_endpoint(true);
    let worker = balancer.start();
    for outcome in [Outcome::Success, Outcome::overloaded(None), Outcome::Ignore] {
        pick(&balancer).finish(outcome);
    }
    (0..5).for_each(|_| finish(&balancer, 0, Outcome::failure()));
    (0..5).for_each(|_| finish(&balancer, 1, Outcome::failure()));
    (0..5).for_each(|_| finish(&balancer, 3, Outcome::failure()));
    tokio::time::sleep(Duration::from_secs(30)).await;
    balancer.replace([]).unwrap_err();
    balancer.apply_guarded(Config::default(), Guard::default()).unwrap().await;
    balancer.replace(endpoints(0..5)).unwrap();
    assert!(metrics.record());
    drop(worker);

    let mut found = BTreeMap::new();
    for (key, _) in written.0.lock().iter() {
        let labels: BTreeSet<_> = key.labels().map(|label| label.key().to_owned()).collect();
        let known = found.entry(key.name().to_owned()).or_insert_with(|| labels.clone());
        assert_eq!(*known, labels, "{key}");
    }
    assert_eq!(found, documented());
    for (name, labels, least) in [
        ("evenkeel_ejections_enforced_total", vec![("rule", "consecutive_failures")], 1),
        (
            "evenkeel_ejections_unenforced_total",
            vec![("reason", "max_ejected_percent"), ("rule", "consecutive_failures")],
            1,
        ),
        ("evenkeel_recoveries_total", vec![("step", "probing")], 1),
        ("evenkeel_updates_total", vec![("change", "configured")], 1),
        ("evenkeel_updates_total", vec![("change", "replaced")], 1),
        ("evenkeel_updates_refused_total", vec![("reason", "empty")], 1),
        ("evenkeel_panics_total", vec![("tier", "0")], 1),
        ("evenkeel_verdicts_total", vec![("verdict", "unproven")], 1),
        ("evenkeel_events_total", vec![("kind", "unhealthy")], 1),
        ("evenkeel_checks_total", vec![("result", "good")], 10),
        ("evenkeel_checks_total", vec![("result", "bad")], 3),
    ] {
        let counted = written.counter(name, &labels);
        assert!(counted >= least, "{name} {labels:?}: {counted}");
    }
    assert_eq!(written.counter("evenkeel_events_missed_total", &[]), 0);
}

#[tokio::test(start_paused = true)]
async fn a_long_answer_of_who_left_long_ago_is_in_flight() {
    let balancer = balancer("[outlier]\nremember_removed = '20s'", 3, 1);
    let (mut metrics, written) = watched(&balancer);
    metrics.record();
    let held = pick(&balancer);
    balancer.remove(&held.endpoint().clone()).unwrap();
    for _ in 0..6 {
        tokio::time::advance(Duration::from_secs(60)).await;
        metrics.record();
        assert_eq!(written.gauge("evenkeel_in_flight", &[]), 1.0);
    }
    held.finish(Outcome::Success);
    metrics.record();
    assert_eq!(written.gauge("evenkeel_in_flight", &[]), 0.0);
}

#[tokio::test(start_paused = true)]
async fn alarms_are_told_for_as_long_as_they_are_raised() {
    let balancer = balancer("", 4, 1);
    let (mut metrics, written) = watched(&balancer);
    let mut raised = || {
        metrics.record();
        ["share_raised", "panic"].map(|alarm| written.gauge("evenkeel_alarm", &[("alarm", alarm)]))
    };
    assert_eq!(raised(), [0.0, 0.0]);
    balancer.set_weight(&id(0), 1_000).unwrap();
    tokio::time::advance(Duration::from_secs(11)).await;
    assert_eq!(raised(), [1.0, 0.0]);
    balancer.set_weight(&id(0), 1).unwrap();
    tokio::time::advance(Duration::from_secs(61)).await;
    assert_eq!(raised(), [0.0, 0.0]);
}

#[tokio::test(start_paused = true)]
async fn what_is_told_is_what_the_status_says() {
    let balancer = balancer("[strategy]\nkind = 'round_robin'", 4, 1);
    let (metrics, written) = watched(&balancer);
    let mut metrics = metrics.per_endpoint(true);
    let held: Vec<_> = (0..6).map(|_| pick(&balancer)).collect();
    (0..40).for_each(|_| pick(&balancer).finish(Outcome::Success));
    finish(&balancer, 1, Outcome::Failure(FailureKind::Gateway));
    finish(&balancer, 2, Outcome::overloaded(Some(Duration::from_secs(1))));
    finish(&balancer, 3, Outcome::Ignore);
    balancer.set_weight(&id(0), 5).unwrap();
    drop(balancer.drain(&id(3)).unwrap());
    balancer.eject(&id(2), Duration::from_secs(60)).unwrap();
    for _ in 0..2 {
        // A second record has nothing to add.
        metrics.record();
        let status = balancer.status();
        let sum = |of: fn(&evenkeel::EndpointStatus) -> u64| status.endpoints.iter().map(of).sum();
        let picks: u64 = sum(|it| it.picks);
        assert_eq!(written.counter("evenkeel_picks_total", &[]), picks);
        let outcomes = [
            ("success", sum(|it| it.successes)),
            ("failure", sum(|it| it.failures)),
            ("overloaded", sum(|it| it.overloaded)),
            ("ignored", 1),
        ];
        for (outcome, count) in outcomes {
            let told = written.counter("evenkeel_outcomes_total", &[("outcome", outcome)]);
            assert_eq!(told, count, "{outcome}");
        }
        assert_eq!(written.gauge("evenkeel_in_flight", &[]), held.len() as f64);
        for (state, count) in [("available", 2), ("draining", 1), ("ejected", 1), ("warming", 0)] {
            let told = written.gauge("evenkeel_endpoints", &[("state", state)]);
            assert_eq!(told, f64::from(count), "{state}");
        }
        let tier = [("tier", "0")];
        let told = [
            "evenkeel_tier_endpoints",
            "evenkeel_tier_endpoints_admitted",
            "evenkeel_tier_load_ratio",
            "evenkeel_tier_panic",
        ]
        .map(|name| written.gauge(name, &tier));
        assert_eq!(told, [3.0, 2.0, 1.0, 0.0]);
        assert_eq!(written.gauge("evenkeel_version_config", &[]), status.version.config as f64);
        assert_eq!(written.gauge("evenkeel_version_set", &[]), status.version.set as f64);
        assert_eq!(written.gauge("evenkeel_strategy", &[("strategy", "round_robin")]), 1.0);
        let shares = status.endpoints.iter().map(|it| it.expected_share);
        let largest = written.gauge("evenkeel_largest_share_intended_ratio", &[]);
        assert_eq!(largest, shares.fold(0.0, f64::max));
        for it in &status.endpoints {
            let label = [("endpoint", it.id.as_str())];
            assert_eq!(written.counter("evenkeel_endpoint_picks_total", &label), it.picks);
            let failed = [label[0], ("outcome", "failure")];
            let told = written.counter("evenkeel_endpoint_outcomes_total", &failed);
            assert_eq!(told, it.failures);
            let told = ["in_flight", "weight", "expected_share_ratio"]
                .map(|what| written.gauge(&format!("evenkeel_endpoint_{what}"), &label));
            assert_eq!(told, [it.in_flight as f64, it.effective_weight, it.expected_share]);
            let states = written.series("evenkeel_endpoint_state").into_iter().filter_map(
                |(labels, bits)| {
                    let of = labels["endpoint"] == it.id.as_str();
                    (of && f64::from_bits(bits) == 1.0).then(|| labels["state"].clone())
                },
            );
            let state = format!("{:?}", it.state).to_lowercase();
            assert_eq!(states.collect::<Vec<_>>(), [state]);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn latencies_are_told_by_bucket_and_by_quantile() {
    let balancer = balancer("[strategy]\nkind = 'peak_ewma'", 2, 1);
    let (mut metrics, written) = watched(&balancer);
    let answer = async |millis: u64, times: usize| {
        let leases: Vec<_> = (0..times).map(|_| pick(&balancer)).collect();
        advance_to(now() + Duration::from_millis(millis)).await;
        leases.into_iter().for_each(|lease| lease.finish(Outcome::Success));
    };
    answer(10, 90).await;
    answer(900, 10).await;
    metrics.record();
    let within = |le| written.counter("evenkeel_latency_seconds_bucket_total", &[("le", le)]);
    assert_eq!(
        ["0.008388608", "0.016777216", "0.536870912", "1.073741824", "+Inf"].map(within),
        [0, 90, 90, 100, 100]
    );
    let quantile = |it| written.gauge("evenkeel_latency_quantile_seconds", &[("quantile", it)]);
    assert!((0.007..0.015).contains(&quantile("0.5")), "{}", quantile("0.5"));
    assert!((0.6..1.35).contains(&quantile("0.99")), "{}", quantile("0.99"));
    let before = quantile("0.99");
    metrics.record();
    assert_eq!((within("+Inf"), quantile("0.99")), (100, before), "no answers, no news");
}

#[tokio::test(start_paused = true)]
async fn it_counts_from_the_moment_it_is_made() {
    let balancer = balancer("", 2, 1);
    (0..10).for_each(|_| pick(&balancer).finish(Outcome::Success));
    let removed = pick_only(&balancer, &id(1));
    balancer.remove(&id(1)).unwrap();
    let (metrics, written) = watched(&balancer);
    let mut metrics = metrics.per_endpoint(true);
    (0..3).for_each(|_| pick(&balancer).finish(Outcome::Success));
    removed.finish(Outcome::failure());
    balancer.insert(support::endpoint(1)).unwrap();
    metrics.record();
    assert_eq!(written.counter("evenkeel_picks_total", &[]), 3);
    assert_eq!(written.counter("evenkeel_outcomes_total", &[("outcome", "failure")]), 1);
    assert_eq!(written.sum("evenkeel_endpoint_picks_total"), 3);
    let of = [("endpoint", "e001"), ("outcome", "failure")];
    assert_eq!(written.counter("evenkeel_endpoint_outcomes_total", &of), 1);
}

/// What is true after every record: no counter has gone back, and no more has ended than was sent.
/// Says how many requests have neither ended nor are in flight.
#[track_caller]
fn adds_up(written: &Written, before: &mut BTreeMap<metrics::Key, u64>) -> u64 {
    let after = written.counters();
    for (key, value) in before.iter() {
        assert!(after[key] >= *value, "{key} went from {value} to {}", after[key]);
    }
    *before = after;
    let in_flight = written.gauge("evenkeel_in_flight", &[]) as u64;
    let known = written.sum("evenkeel_outcomes_total") + in_flight;
    let sent = written.counter("evenkeel_picks_total", &[]);
    assert!(known <= sent, "{known} of {sent}");
    sent - known
}

#[tokio::test(start_paused = true)]
async fn counters_survive_all_that_happens_to_endpoints() {
    // Some requests take longer than the shorter time after their endpoint has left.
    for (remembered, loses) in [("1h", false), ("20s", true)] {
        for seed in 0..4 {
            let lost = shuffled(remembered, seed).await;
            assert!(loses || lost == 0, "seed {seed}: {lost} requests are lost");
        }
    }
}

/// Changes and requests in any order. Says of how many requests it is not known how they ended.
async fn shuffled(remembered: &str, seed: u64) -> u64 {
    let settings =
        format!("[outlier]\nremember_removed = '{remembered}'\n[update]\nmin_endpoints = 100");
    let balancer = balancer(&settings, 6, seed);
    let (metrics, written) = watched(&balancer);
    let (mut metrics, mut before) = (metrics.per_endpoint(true), BTreeMap::new());
    let mut rng = fastrand::Rng::with_seed(seed);
    let (mut held, mut sent, mut lost) = (Vec::new(), 0_u64, 0);
    for step in 0..150 {
        for _ in 0..rng.usize(0..8) {
            held.push(pick(&balancer));
            sent += 1;
        }
        while held.len() > rng.usize(0..24) {
            let lease = held.swap_remove(rng.usize(..held.len()));
            lease.finish(if rng.u8(..8) == 0 { Outcome::failure() } else { Outcome::Success });
        }
        match rng.u8(..8) {
            0 => drop(balancer.remove(&id(rng.usize(1..6)))),
            1 => drop(balancer.insert(support::endpoint(rng.usize(0..6)))),
            2 => drop(balancer.replace_unchecked(endpoints(0..rng.usize(1..7)))),
            3 => drop(balancer.set_weight(&id(0), rng.u32(1..9))),
            4 => drop(balancer.rollback()),
            _ => {}
        }
        advance_to(now() + Duration::from_secs(rng.u64(..4))).await;
        if rng.bool() {
            assert!(metrics.record());
            let told = written.counter("evenkeel_picks_total", &[]);
            assert_eq!(told, sent, "seed {seed}, step {step}");
            lost = adds_up(&written, &mut before);
        }
    }
    held.clear();
    metrics.record();
    assert_eq!(written.gauge("evenkeel_in_flight", &[]), 0.0);
    let one_by_one = written.sum("evenkeel_endpoint_picks_total");
    assert!(one_by_one <= sent && one_by_one > sent * 9 / 10, "{one_by_one} of {sent}");
    lost.max(adds_up(&written, &mut before))
}

#[tokio::test(start_paused = true)]
async fn a_request_that_ends_after_its_endpoint_has_left_is_counted() {
    let balancer = balancer("[outlier]\nremember_removed = '1m'", 2, 1);
    let (metrics, written) = watched(&balancer);
    let mut metrics = metrics.per_endpoint(true);
    let lease = pick_only(&balancer, &id(1));
    balancer.remove(&id(1)).unwrap();
    metrics.record();
    let of = [("endpoint", "e001")];
    assert_eq!(written.gauge("evenkeel_in_flight", &[]), 1.0);
    assert_eq!(written.gauge("evenkeel_endpoint_in_flight", &of), 1.0, "it is still at work");
    assert_eq!(written.gauge("evenkeel_endpoint_expected_share_ratio", &of), 0.0);
    lease.finish(Outcome::failure());
    for _ in 0..2 {
        metrics.record();
        let failed = [("outcome", "failure")];
        assert_eq!(written.counter("evenkeel_outcomes_total", &failed), 1);
        let told = written.counter("evenkeel_endpoint_outcomes_total", &[of[0], failed[0]]);
        assert_eq!(told, 1);
        assert_eq!(written.gauge("evenkeel_endpoint_in_flight", &of), 0.0);
        assert_eq!(written.gauge("evenkeel_in_flight", &[]), 0.0);
        // Forgotten, and still counted.
        advance_to(now() + Duration::from_secs(120)).await;
        balancer.replace([support::endpoint(0).weight(3)]).unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn what_has_gone_reads_zero() {
    let set = |numbers: std::ops::Range<usize>| {
        numbers.map(|number| support::endpoint(number).tier(u32::try_from(number).unwrap() / 2))
    };
    let balancer = Balancer::builder().name("b").endpoints(set(0..4)).seed(1).build().unwrap();
    let (metrics, written) = watched(&balancer);
    let mut metrics = metrics.per_endpoint(true);
    pick(&balancer).finish(Outcome::Success);
    metrics.record();
    let gone = [("endpoint", "e003")];
    assert_eq!(written.gauge("evenkeel_endpoint_weight", &gone), 1.0);
    assert_eq!(written.gauge("evenkeel_tier_endpoints", &[("tier", "1")]), 2.0);
    balancer.replace_unchecked(set(0..2)).unwrap();
    balancer.apply(config("[strategy]\nkind = 'random'")).unwrap();
    metrics.record();
    for (labels, _) in written.series("evenkeel_endpoint_state") {
        let there = ["e000", "e001"].contains(&labels["endpoint"].as_str());
        let labels = [("endpoint", &*labels["endpoint"]), ("state", &*labels["state"])];
        let value = written.gauge("evenkeel_endpoint_state", &labels);
        assert_eq!(value, f64::from(u8::from(there && labels[1].1 == "available")), "{labels:?}");
    }
    assert_eq!(written.gauge("evenkeel_endpoint_weight", &gone), 0.0);
    assert_eq!(written.gauge("evenkeel_tier_endpoints", &[("tier", "1")]), 0.0);
    assert_eq!(written.gauge("evenkeel_strategy", &[("strategy", "least_request")]), 0.0);
    assert_eq!(written.gauge("evenkeel_strategy", &[("strategy", "random")]), 1.0);

    let counters = written.counters();
    drop(balancer);
    assert!(!metrics.record(), "the balancer is gone");
    assert_eq!(written.standing(), [""; 0]);
    assert_eq!(written.counters(), counters);
    assert!(!metrics.record(), "and stays gone");
}

#[tokio::test(start_paused = true)]
async fn dropped_metrics_leave_nothing_standing() {
    let balancer = balancer("", 2, 1);
    let (mut metrics, written) = watched(&balancer);
    metrics.record();
    assert!(written.standing().len() > 5);
    drop(metrics);
    assert_eq!(written.standing(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_names_are_a_hundred_labels() {
    let balancer = Balancer::builder().endpoints(endpoints(0..20)).seed(1).build().unwrap();
    let (metrics, written) = watched(&balancer);
    let mut metrics = metrics.per_endpoint(true).max_endpoints(100);
    let mut sent = 0;
    for first in (0..10_000).step_by(20) {
        balancer.replace_unchecked(endpoints(first..first + 20)).unwrap();
        for _ in 0..40 {
            pick(&balancer).finish(Outcome::Success);
            sent += 1;
        }
        // Most have come and gone between two records.
        if first % 100 == 80 {
            metrics.record();
        }
    }
    let labels = |name| {
        let series = written.series(name).into_iter();
        series.map(|(labels, _)| labels["endpoint"].clone()).collect::<BTreeSet<_>>()
    };
    let told = labels("evenkeel_endpoint_picks_total");
    assert_eq!((told.len(), told.contains("other")), (101, true));
    assert_eq!(labels("evenkeel_endpoint_state"), told);
    assert_eq!(written.sum("evenkeel_endpoint_picks_total"), sent, "none is lost in the crowd");
    assert_eq!(written.gauge("evenkeel_endpoint_weight", &[("endpoint", "other")]), 20.0);
    let state = [("endpoint", "other"), ("state", "available")];
    assert_eq!(written.gauge("evenkeel_endpoint_state", &state), 20.0);
    // One of a hundred and one has no latency, for it is many.
    let each = written.0.lock().keys().filter(|key| key.name().contains("_endpoint_")).count();
    assert_eq!(each, 101 * 16 - 1);
}

#[tokio::test(start_paused = true)]
async fn an_exporter_that_forgets_has_room_again() {
    let balancer = balancer("", 2, 1);
    let (metrics, written) = watched(&balancer);
    let mut metrics =
        metrics.per_endpoint(true).max_endpoints(2).forgotten_after(Duration::from_secs(60));
    metrics.record();
    let picked = |number: usize| {
        finish(&balancer, number, Outcome::Success);
    };
    balancer.replace_unchecked(endpoints(2..4)).unwrap();
    picked(2);
    metrics.record();
    assert_eq!(written.counter("evenkeel_endpoint_picks_total", &[("endpoint", "other")]), 1);
    advance_to(now() + Duration::from_secs(61)).await;
    picked(3);
    metrics.record();
    assert_eq!(written.counter("evenkeel_endpoint_picks_total", &[("endpoint", "e003")]), 1);
    assert_eq!(written.gauge("evenkeel_endpoint_weight", &[("endpoint", "other")]), 0.0);
}

#[tokio::test(start_paused = true)]
async fn hostile_names_break_no_line() {
    let hostile = ["a\nb", "quo\"te", "back\\slash", "", "ü{x=\"1\"} 7\n# TYPE", "other"];
    let endpoints = hostile.map(|name| Endpoint::new(name, ()));
    let balancer = Balancer::builder().name("bal\n\"ancer\"").endpoints(endpoints).build().unwrap();
    let recorder = PrometheusBuilder::new().build_recorder();
    let scraped = recorder.handle();
    let mut metrics = Metrics::new(&balancer).per_endpoint(true).recorder(recorder);
    pick(&balancer).finish(Outcome::Success);
    metrics.record();
    let text = scraped.render();
    let mut samples = 0;
    for line in text.lines().filter(|line| !line.is_empty()) {
        if line.starts_with("# HELP evenkeel_") || line.starts_with("# TYPE evenkeel_") {
            continue;
        }
        let (series, value) = line.rsplit_once(' ').unwrap();
        assert!(series.starts_with("evenkeel_") && series.ends_with('}'), "{line}");
        assert!(value.parse::<f64>().is_ok(), "{line}");
        samples += 1;
    }
    assert!(samples > 100);
    assert!(text.contains(r#"endpoint="a\nb""#) && text.contains(r#"endpoint="quo\"te""#));
    assert!(text.contains("# HELP evenkeel_picks_total Requests sent to an endpoint"));
}

#[tokio::test(start_paused = true)]
async fn two_balancers_of_one_recorder_are_told_apart() {
    let named = |name| Balancer::builder().name(name).endpoints(endpoints(0..2)).build().unwrap();
    let (one, two) = (named("one"), named("two"));
    let written = Written::default();
    let mut metrics = [&one, &two].map(|it| Metrics::new(it).recorder(written.clone()));
    (0..3).for_each(|_| pick(&one).finish(Outcome::Success));
    pick(&two).finish(Outcome::Success);
    metrics.iter_mut().for_each(|metrics| assert!(metrics.record()));
    let picks = |name| written.counter("evenkeel_picks_total", &[("balancer", name)]);
    assert_eq!((picks("one"), picks("two")), (3, 1));
    drop(one);
    let still = metrics.each_mut().map(Metrics::record);
    assert_eq!(still, [false, true]);
    let all =
        |name| written.gauge("evenkeel_endpoints", &[("balancer", name), ("state", "available")]);
    assert_eq!((all("one"), all("two")), (0.0, 2.0));
}

#[tokio::test(start_paused = true)]
async fn the_recorder_that_is_installed_is_told() {
    let balancer = balancer("", 2, 1);
    let mut metrics = Metrics::new(&balancer);
    metrics.record(); // nobody listens
    pick(&balancer).finish(Outcome::Success);
    let recorder = DebuggingRecorder::new();
    let snapshot = metrics::with_local_recorder(&recorder, || {
        pick(&balancer).finish(Outcome::Success);
        metrics.record();
        recorder.snapshotter().snapshot().into_vec()
    });
    let picks = snapshot.iter().find(|it| it.0.key().name() == "evenkeel_picks_total").unwrap();
    assert_eq!(picks.3, DebugValue::Counter(2));
    assert_eq!(picks.1, Some(Unit::Count));
    assert!(picks.2.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_worker_records_at_once_and_again_and_ends_with_the_balancer() {
    let balancer = balancer("", 2, 1);
    let (metrics, written) = watched(&balancer);
    let worker = metrics.every(Duration::from_secs(5)).start();
    let recorded = async || {
        // Records are written on another thread, and paused time waits for it.
        tokio::time::sleep(Duration::from_secs(6)).await;
    };
    recorded().await;
    assert_eq!(written.counter("evenkeel_picks_total", &[]), 0);
    (0..3).for_each(|_| pick(&balancer).finish(Outcome::Success));
    balancer.set_weight(&id(0), 2).unwrap();
    recorded().await;
    assert_eq!(written.counter("evenkeel_picks_total", &[]), 3);
    assert_eq!(written.counter("evenkeel_updates_total", &[("change", "reweighted")]), 1);
    let age = written.gauge("evenkeel_set_age_seconds", &[]);
    assert!((5.0..13.0).contains(&age), "{age}");
    assert!(!worker.is_finished());
    drop(balancer);
    recorded().await;
    assert!(worker.is_finished());
    assert_eq!(written.standing(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_is_stopped_leaves_nothing_standing() {
    let balancer = balancer("", 2, 1);
    let (metrics, written) = watched(&balancer);
    let worker = metrics.every(Duration::ZERO).start();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(written.standing().len() > 5);
    worker.stop().await;
    assert_eq!(written.standing(), [""; 0]);
    pick(&balancer).finish(Outcome::Success);
}

#[tokio::test(start_paused = true)]
async fn events_that_nobody_took_are_counted_as_missed() {
    let balancer = balancer("", 2, 1);
    let (mut metrics, written) = watched(&balancer);
    for weight in 1..=3_000 {
        balancer.set_weight(&id(0), 1 + weight % 7).unwrap();
    }
    metrics.record();
    assert_eq!(written.counter("evenkeel_events_total", &[("kind", "missed")]), 1);
    assert_eq!(written.sum("evenkeel_events_total"), 1_024 + 1);
    let missed = written.counter("evenkeel_events_missed_total", &[]);
    assert!(missed >= 3_000 - 1_024, "{missed}");
}

/// Keeps somebody waiting until it is opened, or dropped: a runtime waits for its threads.
#[derive(Clone, Default)]
struct Door(Arc<(Mutex<bool>, Condvar)>);

impl Door {
    fn open(&self) {
        *self.0.0.lock() = true;
        self.0.1.notify_all();
    }

    fn wait(&self) {
        let mut open = self.0.0.lock();
        while !*open {
            self.0.1.wait(&mut open);
        }
    }
}

struct Opens(Door);

impl Drop for Opens {
    fn drop(&mut self) {
        self.0.open();
    }
}

/// A recorder that does not come back until it is let go.
struct Stuck {
    written: Written,
    door: Door,
    asked: Arc<AtomicU64>,
}

impl Stuck {
    fn wait(&self) {
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.door.wait();
    }
}

impl Recorder for Stuck {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &metrics::Key, metadata: &Metadata<'_>) -> Counter {
        self.wait();
        self.written.register_counter(key, metadata)
    }

    fn register_gauge(&self, key: &metrics::Key, metadata: &Metadata<'_>) -> Gauge {
        self.wait();
        self.written.register_gauge(key, metadata)
    }

    fn register_histogram(&self, key: &metrics::Key, metadata: &Metadata<'_>) -> Histogram {
        self.written.register_histogram(key, metadata)
    }
}

#[tokio::test]
async fn a_stuck_recorder_holds_up_nobody_and_nothing_piles_up() {
    let balancer = balancer("", 4, 1);
    let (written, door) = (Written::default(), Door::default());
    let _opens = Opens(door.clone());
    let asked = Arc::new(AtomicU64::new(0));
    let stuck = Stuck { written: written.clone(), door: door.clone(), asked: Arc::clone(&asked) };
    let metrics = Metrics::new(&balancer).per_endpoint(true).recorder(stuck);
    let worker = metrics.every(Duration::from_millis(1)).start();
    while asked.load(Ordering::Relaxed) == 0 && !worker.is_finished() {
        tokio::task::yield_now().await;
    }
    // The only thread of this runtime goes on with requests, changes and events.
    for round in 0..5_000_u32 {
        pick(&balancer).finish(Outcome::Success);
        balancer.set_weight(&id(0), 1 + round % 7).unwrap();
        tokio::task::yield_now().await;
    }
    assert_eq!(asked.load(Ordering::Relaxed), 1, "one record waits, and none behind it");
    door.open();
    while written.counters().values().all(|value| *value < 5_000) && !worker.is_finished() {
        tokio::task::yield_now().await;
    }
    worker.stop().await;
    assert_eq!(written.counter("evenkeel_picks_total", &[]), 5_000);
    let changed = written.counter("evenkeel_updates_total", &[("change", "reweighted")]);
    assert_eq!((changed, written.counter("evenkeel_events_missed_total", &[])), (5_000, 0));
}

#[tokio::test(start_paused = true)]
async fn a_recorder_that_panics_ends_its_task_and_nothing_else() {
    struct Panics;
    impl Recorder for Panics {
        fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
        fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
        fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
        fn register_counter(&self, key: &metrics::Key, _: &Metadata<'_>) -> Counter {
            panic!("no room for {key}, as this test wants it");
        }
        fn register_gauge(&self, _: &metrics::Key, _: &Metadata<'_>) -> Gauge {
            Gauge::noop()
        }
        fn register_histogram(&self, _: &metrics::Key, _: &Metadata<'_>) -> Histogram {
            Histogram::noop()
        }
    }
    let balancer = balancer("", 2, 1);
    let worker = Metrics::new(&balancer).recorder(Panics).start();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(worker.is_finished());
    balancer.pick(&Key::none()).unwrap().finish(Outcome::Success);
    assert_eq!(balancer.status().endpoints.iter().map(|it| it.picks).sum::<u64>(), 1);
}

#[test]
fn no_runtime_is_needed_to_record() {
    let balancer = Balancer::builder().endpoint(Endpoint::new("a", ())).build().unwrap();
    let (mut metrics, written) = watched(&balancer);
    pick(&balancer).finish(Outcome::Success);
    assert!(metrics.record());
    assert_eq!(written.counter("evenkeel_picks_total", &[]), 1);
    let ids: Vec<EndpointId> = balancer.status().endpoints.into_iter().map(|it| it.id).collect();
    assert_eq!(ids, ["a".into()]);
}
