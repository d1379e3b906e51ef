//! Queues that there are formulas for.
//!
//! Sizes are such that chance stays well below what is allowed; `cargo test --release` takes larger
//! ones, which hold the formulas to two percent. In a debug build they are smaller, and held to five.

use evenkeel::sim::{Run, Server, ServiceTime};

use crate::{millis, seconds, shop};

/// How far a figure may be from its formula.
const TOLERANCE: f64 = if cfg!(debug_assertions) { 0.05 } else { 0.02 };

/// How many times as long a run is where there is time for it.
const LENGTH: u64 = if cfg!(debug_assertions) { 1 } else { 25 };

#[track_caller]
fn near(what: &str, found: f64, theory: f64) {
    let off = found / theory - 1.0;
    assert!(
        off.abs() < TOLERANCE,
        "{what}: {found:.6} instead of {theory:.6}, {:.2} % off",
        100.0 * off
    );
}

fn mean_seconds(run: &Run) -> f64 {
    run.totals.mean_latency.as_secs_f64()
}

/// The mean time in M/M/1 is `1 / (μ - λ)`.
#[test]
fn one_server_and_one_queue_are_m_m_1() {
    let served = 100.0;
    let cases = [(0.5, 200), (0.8, 1_500), (0.9, 3_000)];
    // What chance does to the mean grows with the square of the queue.
    for (load, length) in cases.into_iter().take(if cfg!(debug_assertions) { 2 } else { 3 }) {
        let arriving = load * served;
        let run = shop("M/M/1", 1, "outlier = false", arriving)
            .lasting(seconds(length * LENGTH))
            .interval(seconds(10))
            .run()
            .unwrap();
        assert_eq!(run.totals.failures, 0);
        near(&format!("load {load}"), mean_seconds(&run), 1.0 / (served - arriving));
    }
}

/// Erlang's C: the chance of having to wait before `k` workers that are offered `a` of their time.
fn erlang_c(k: u32, a: f64) -> f64 {
    // Erlang's B by its recursion, which overflows nowhere.
    let b = (1..=k).fold(1.0, |b, n| a * b / (f64::from(n) + a * b));
    let k = f64::from(k);
    b / (1.0 - a / k * (1.0 - b))
}

/// The mean time in M/M/k is `C / (k μ - λ) + 1 / μ`.
#[test]
fn several_workers_behind_one_queue_are_m_m_k() {
    let each = 100.0;
    for (workers, load, length) in [(4, 0.5, 50), (4, 0.9, 400), (16, 0.9, 100)] {
        let all = f64::from(workers) * each;
        let arriving = load * all;
        let server =
            Server::new("a").service(ServiceTime::exponential(millis(10))).workers(workers);
        let run = shop("M/M/k", 0, "outlier = false", arriving)
            .server(server)
            .lasting(seconds(length * LENGTH))
            .interval(seconds(10))
            .run()
            .unwrap();
        let theory = erlang_c(workers, arriving / each) / (all - arriving) + 1.0 / each;
        near(&format!("{workers} workers, load {load}"), mean_seconds(&run), theory);
    }
}

/// With a random choice, each of many servers is M/M/1.
///
/// With the better of two, the part of the servers that have at least `i` requests in hand is
/// `ρ^(2^i - 1)` (Vvedenskaya, Dobrushin and Karpelevich, 1996; Mitzenmacher, 1996), in the limit of
/// many servers; the mean time is the sum of those over `λ`.
#[test]
fn two_choices_have_the_queues_of_mitzenmacher() {
    let (load, each, servers) = (0.9, 100.0, if cfg!(debug_assertions) { 200 } else { 1_000 });
    let arriving = load * each * f64::from(servers);
    let length = if cfg!(debug_assertions) { 2 } else { 20 };
    let run = |strategy: &str| {
        let settings = format!("outlier = false\nstrategy.kind = '{strategy}'");
        let scenario = shop(strategy, servers as usize, &settings, arriving).interval(millis(100));
        scenario.lasting(seconds(2 + length)).run().unwrap()
    };
    let two = run("least_request");
    // The first two seconds fill the queues.
    let settled = two.intervals.iter().filter(|interval| interval.at >= seconds(2));
    let lengths: Vec<u32> = settled.flat_map(|interval| interval.in_hand.clone()).collect();
    let tail = |i: u32| {
        let longer = lengths.iter().filter(|length| **length >= i).count();
        longer as f64 / lengths.len() as f64
    };
    let theory = |i: u32| f64::powi(load, (1 << i) - 1);
    for i in 1..=3 {
        near(&format!("at least {i} of two choices"), tail(i), theory(i));
    }
    let in_hand: f64 = (1..=10).map(theory).sum();
    let found = lengths.iter().map(|length| f64::from(*length)).sum::<f64>() / lengths.len() as f64;
    near("requests in hand by two choices", found, in_hand);
    // What the choice is worth: a random one lets them wait nearly four times as long.
    let random = run("random");
    assert!(mean_seconds(&random) > 2.5 * mean_seconds(&two), "{:?}", random.totals);
}
