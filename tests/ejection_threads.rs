//! Many threads report failures at once: never too many are out, and no trip is lost.

#![cfg(feature = "config")]
#![allow(clippy::panic, clippy::unwrap_used)]

mod support;

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use evenkeel::{Availability, Key, Outcome, Status};

use crate::support::{Numbered, balancer, config, id};

const THREADS: usize = 16;
const OUT: [Availability; 2] = [Availability::Ejected, Availability::Probing];

fn settings(percent: usize, least: usize) -> String {
    format!("[outlier]\nmax_ejected_percent = {percent}\nmin_available = {least}\n")
}

fn out(status: &Status) -> usize {
    status.endpoints.iter().filter(|it| OUT.contains(&it.state)).count()
}

fn most(n: usize, percent: usize, least: usize) -> usize {
    (n * percent / 100).min(n.saturating_sub(least))
}

/// Every thread lets its request to each of `sick` fail, all at the same time, `rounds` times over.
fn all_fail(balancer: &Numbered, n: usize, sick: usize, rounds: usize) {
    let barrier = Barrier::new(THREADS);
    thread::scope(|scope| {
        for first in 0..THREADS {
            let (barrier, balancer) = (&barrier, balancer);
            scope.spawn(move || {
                for _ in 0..rounds {
                    for at in 0..sick {
                        let number = (first + at) % sick;
                        let others = (0..n).filter(|&other| other != number);
                        let key = others.fold(Key::none(), |key, it| key.excluding(&id(it)));
                        let lease = balancer.pick(&key);
                        barrier.wait();
                        if let Ok(lease) = lease {
                            lease.finish(Outcome::failure());
                        }
                    }
                }
            });
        }
    });
}

/// Looks at the status for as long as `work` lasts.
fn watched<R>(balancer: &Numbered, holds: impl Fn(&Status) + Sync, work: impl FnOnce() -> R) -> R {
    let (done, looks) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            while !done.load(Ordering::Acquire) || looks.load(Ordering::Relaxed) == 0 {
                holds(&balancer.status());
                looks.fetch_add(1, Ordering::Relaxed);
            }
        });
        let result = work();
        done.store(true, Ordering::Release);
        watcher.join().expect("what holds was seen to hold");
        result
    })
}

#[test]
fn all_fail_at_once_and_never_too_many_are_out() {
    for n in 1..=12 {
        for (percent, least) in [(0, 1), (33, 0), (50, 1), (70, 2), (100, 0), (100, 1)] {
            let case = format!("{n} endpoints, {percent} %, {least} stay");
            let balancer = balancer(&settings(percent, least), n, 7);
            let most = most(n, percent, least);
            let holds = |status: &Status| assert!(out(status) <= most, "{case}: {status:?}");
            watched(&balancer, holds, || all_fail(&balancer, n, n, 2));
            let status = balancer.status();
            // Each had five failures in a row and more, so the cap is full.
            assert_eq!(out(&status), most, "{case}: {status:?}");
            assert!(status.endpoints.iter().all(|it| it.in_flight == 0), "{case}");
            assert!(status.endpoints.iter().all(|it| it.ejections <= 1), "{case}: {status:?}");
            let failures: u64 = status.endpoints.iter().map(|it| it.failures).sum();
            let picks: u64 = status.endpoints.iter().map(|it| it.picks).sum();
            assert_eq!(failures, picks, "{case}");
        }
    }
}

#[test]
fn no_trip_is_lost_where_there_is_room() {
    for round in 0..20 {
        for n in [2, 5, 12] {
            let balancer = balancer(&settings(50, 1), n, round);
            let sick = n / 2;
            all_fail(&balancer, n, sick, 1);
            let status = balancer.status();
            for (number, it) in status.endpoints.iter().enumerate() {
                let wanted =
                    if number < sick { Availability::Ejected } else { Availability::Available };
                assert_eq!(it.state, wanted, "round {round}, {n} endpoints: {status:?}");
            }
        }
    }
}

#[test]
fn the_cap_holds_while_operators_and_settings_change() {
    let n = 12;
    for round in 0..4 {
        let balancer = balancer(&settings(50, 1), n, round);
        // Whatever is served, the larger of the two caps bounds it; drained ones count for nothing.
        let holds = |status: &Status| {
            let of = status.endpoints.iter().filter(|it| it.state != Availability::Draining);
            let of = of.count();
            assert!(out(status) <= most(of, 50, 1), "{of}: {status:?}");
        };
        watched(&balancer, holds, || {
            thread::scope(|scope| {
                scope.spawn(|| all_fail(&balancer, n, n, 4));
                scope.spawn(|| {
                    for turn in 0..60 {
                        let number = turn % n;
                        drop(balancer.drain(&id(number)).expect("it is known"));
                        let percent = if turn % 2 == 0 { 25 } else { 50 };
                        balancer.apply(config(&settings(percent, 1))).expect("they are valid");
                        let _ = balancer.eject(&id((turn + 5) % n), std::time::Duration::ZERO);
                        balancer.enable(&id(number)).expect("it is known");
                    }
                });
            });
        });
        let status = balancer.status();
        assert!(status.endpoints.iter().all(|it| it.in_flight == 0));
    }
}
