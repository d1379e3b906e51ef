//! What detection costs: a pick and its outcome with all of it on against `outlier = false`, and
//! the pick that finds a sweep due.
//!
//! The two columns of `detection` alternate by strategy, so that they are compared in one run.
//! `sweep` is the whole of it, totals read, judged and marked, under the lock of the writer: what
//! one request in an interval pays where no worker does it (`Balancer::start`). `cargo bench --bench
//! outlier` runs all; the last results are kept in `benches/results/outlier.txt`.

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use evenkeel::config::{
    FailurePercentageConfig, LatencyConfig, OutlierConfig, StrategyConfig, StrategyKind,
    SuccessRateConfig,
};
use evenkeel::{Balancer, Config, Endpoint, Key, Outcome};

/// Every detector that there is.
fn all() -> OutlierConfig {
    OutlierConfig::default()
        .with_success_rate(Some(SuccessRateConfig::default()))
        .with_failure_percentage(Some(FailurePercentageConfig::default()))
        .with_latency(Some(LatencyConfig::default()))
}

fn balancer(kind: StrategyKind, n: usize, outlier: Option<OutlierConfig>) -> Balancer<usize> {
    let config = Config::default().with_strategy(StrategyConfig::new(kind)).with_outlier(outlier);
    Balancer::builder()
        .seed(1)
        .config(config)
        .endpoints((0..n).map(|i| Endpoint::new(format!("endpoint-{i:05}"), i)))
        .build()
        .expect("the settings are sound")
}

fn request(balancer: &Balancer<usize>) {
    let lease = balancer.pick(&Key::none()).expect("there are endpoints");
    black_box(&lease);
    lease.finish(Outcome::Success);
}

fn detection(c: &mut Criterion) {
    let kinds = [
        StrategyKind::RoundRobin,
        StrategyKind::Random,
        StrategyKind::LeastRequest,
        StrategyKind::PeakEwma,
    ];
    let mut group = c.benchmark_group("detection");
    for kind in kinds {
        for (name, outlier) in [("off", None), ("on", Some(all()))] {
            let balancer = balancer(kind.clone(), 10, outlier);
            group.bench_function(BenchmarkId::new(kind.to_string(), name), |b| {
                b.iter(|| request(&balancer));
            });
        }
    }
    group.finish();
}

fn sweep(c: &mut Criterion) {
    let clock = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime without I/O");
    let mut group = c.benchmark_group("sweep");
    group.sample_size(10).measurement_time(Duration::from_secs(3));
    for n in [10, 100, 1_000, 10_000] {
        group.bench_function(BenchmarkId::from_parameter(n), |b| {
            b.iter_custom(|sweeps| {
                clock.block_on(async {
                    let balancer = balancer(StrategyKind::RoundRobin, n, Some(all()));
                    let mut spent = Duration::ZERO;
                    for _ in 0..sweeps {
                        // As many requests as make everybody be judged.
                        (0..100 * n).for_each(|_| request(&balancer));
                        tokio::time::advance(Duration::from_secs(10)).await;
                        #[expect(clippy::disallowed_methods, reason = "real time is what counts")]
                        let began = Instant::now();
                        request(&balancer);
                        spent += began.elapsed();
                    }
                    spent
                })
            });
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(30)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    targets = detection, sweep
}
criterion_main!(benches);
