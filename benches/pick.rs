//! What one pick and its outcome cost, by strategy and number of endpoints.
//!
//! `floor` is the least that any two-choice balancer can do: two random indices and two atomic
//! loads from cache-padded counters. It runs in the same process as the rest, so that ratios hold
//! where nanoseconds do not. `cargo bench --bench pick` runs all; the last results are kept in
//! `benches/results/pick.txt`.

use std::hint::{black_box, select_unpredictable};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use crossbeam_utils::CachePadded;
use evenkeel::config::{Choices, StrategyConfig, StrategyKind};
use evenkeel::{Balancer, Config, Endpoint, Key, Outcome};

const SIZES: [usize; 5] = [3, 10, 100, 1_000, 10_000];

fn balancer(strategy: StrategyConfig, n: usize, weighted: bool) -> Balancer<usize> {
    Balancer::builder()
        .seed(1)
        .config(Config::default().with_strategy(strategy))
        .endpoints((0..n).map(|i| {
            let weight = if weighted { 1 + (i as u32 % 7) * 1_000 } else { 1 };
            Endpoint::new(format!("endpoint-{i:05}"), i).weight(weight)
        }))
        .build()
        .expect("the settings are sound")
}

fn floor(c: &mut Criterion) {
    let mut group = c.benchmark_group("floor");
    for n in SIZES {
        let loads: Vec<CachePadded<AtomicU64>> =
            (0..n as u64).map(|i| CachePadded::new(AtomicU64::new(i % 3))).collect();
        group.bench_function(BenchmarkId::from_parameter(n), |b| {
            b.iter(|| {
                let (a, b) = (fastrand::usize(..n), fastrand::usize(..n));
                let (load_a, load_b) =
                    (loads[a].load(Ordering::Relaxed), loads[b].load(Ordering::Relaxed));
                black_box(select_unpredictable(load_b < load_a, b, a))
            });
        });
    }
    group.finish();
}

fn pick(c: &mut Criterion) {
    let kinds = [
        StrategyKind::RoundRobin,
        StrategyKind::Random,
        StrategyKind::LeastRequest,
        StrategyKind::PeakEwma,
    ];
    for kind in kinds {
        for weighted in [false, true] {
            let name = format!("{kind}{}", if weighted { " weighted" } else { "" });
            let mut group = c.benchmark_group(name);
            for n in SIZES {
                let balancer = balancer(StrategyConfig::new(kind.clone()), n, weighted);
                group.bench_function(BenchmarkId::from_parameter(n), |b| {
                    b.iter(|| {
                        let lease = balancer.pick(&Key::none()).expect("there are endpoints");
                        black_box(&lease);
                        lease.finish(Outcome::Success);
                    });
                });
            }
            group.finish();
        }
    }
}

fn full_scan(c: &mut Criterion) {
    let mut group = c.benchmark_group("least_request of all");
    for n in SIZES {
        let strategy = StrategyConfig::new(StrategyKind::LeastRequest).with_choices(Choices::ALL);
        let balancer = balancer(strategy, n, false);
        group.bench_function(BenchmarkId::from_parameter(n), |b| {
            b.iter(|| {
                let lease = balancer.pick(&Key::none()).expect("there are endpoints");
                black_box(&lease);
                lease.finish(Outcome::Success);
            });
        });
    }
    group.finish();
}

/// Short, because there are many: seconds a figure would be minutes a run.
fn settings() -> Criterion {
    Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .sample_size(30)
}

criterion_group! {
    name = benches;
    config = settings();
    targets = floor, pick, full_scan
}
criterion_main!(benches);
