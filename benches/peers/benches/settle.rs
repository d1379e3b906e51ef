//! The pick that finds something due, by the number of endpoints.
//!
//! `nothing changes`: a record of what traffic came to is due, as it is every ten seconds, and a
//! sweep that finds nobody; no snapshot is built. `ramp step`: the share of an endpoint that has
//! joined grows by a step, so that one is built and published. `cargo bench --features paused --bench
//! settle`: the clock is moved by hand, and what a pick takes is read from the real one.

use std::time::Duration;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use evenkeel::config::StrategyKind::{LeastRequest, PeakEwma, RoundRobin};
use evenkeel::config::{OutlierConfig, SlowStartConfig, StrategyKind, SuccessRateConfig};
use evenkeel::{Balancer, Config, Endpoint};
use evenkeel_peers::{clock, ours};

const SIZES: [usize; 5] = [3, 10, 100, 1_000, 10_000];
const KINDS: [StrategyKind; 3] = [RoundRobin, LeastRequest, PeakEwma];

/// Records of traffic and sweeps are that far apart by default.
const INTERVAL: Duration = Duration::from_secs(10);
/// A tenth of the default window.
const STEP: Duration = Duration::from_secs(3);
/// Steps of a ramp, of which the last only ends it.
const STEPS: usize = 9;

fn balancer(kind: &StrategyKind, n: usize, with: fn(Config) -> Config) -> Balancer<()> {
    let config = with(ours::config(kind.clone()));
    let balancer = ours::builder(kind.clone(), n, &()).config(config).build();
    balancer.expect("the settings are sound")
}

fn nothing_changes(c: &mut Criterion) {
    let detectors = |config: Config| {
        let rates = OutlierConfig::default().with_success_rate(Some(SuccessRateConfig::default()));
        config.with_outlier(Some(rates))
    };
    settle(c, "nothing changes", |kind, n, times| async move {
        let balancer = balancer(&kind, n, detectors);
        let mut spent = Duration::ZERO;
        for _ in 0..times {
            // Its cells are in the cache.
            (0..2 * n).for_each(|_| ours::pick_once(&balancer));
            tokio::time::advance(INTERVAL).await;
            spent += clock::time(|| ours::pick_once(&balancer));
        }
        spent
    });
}

fn ramp_step(c: &mut Criterion) {
    let joining = |config: Config| {
        config.with_slow_start(SlowStartConfig::default().with_new_endpoints(true))
    };
    settle(c, "ramp step", |kind, n, times| async move {
        // While all are new, ramps change nothing.
        let balancer = balancer(&kind, n - 1, joining);
        tokio::time::advance(STEP * 20).await;
        let (mut spent, mut left, mut joined) = (Duration::ZERO, 0, n);
        for _ in 0..times {
            if left == 0 {
                // Unknown each time: one that is remembered has warmed up already.
                let _ = balancer.remove(&ours::id(joined));
                joined += 1;
                balancer.insert(Endpoint::new(ours::id(joined), ())).expect("it is unknown");
                left = STEPS;
            }
            (0..2 * n).for_each(|_| ours::pick_once(&balancer));
            tokio::time::advance(STEP).await;
            spent += clock::time(|| ours::pick_once(&balancer));
            left -= 1;
        }
        spent
    });
}

/// Each strategy with each number of endpoints, under a clock that stands still.
fn settle<F: Future<Output = Duration>>(
    c: &mut Criterion,
    what: &str,
    run: impl Fn(StrategyKind, usize, u64) -> F,
) {
    let clock = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime without I/O");
    for kind in KINDS {
        let mut group = c.benchmark_group(format!("{what} {kind}"));
        for n in SIZES {
            group.bench_function(BenchmarkId::from_parameter(n), |b| {
                b.iter_custom(|times| clock.block_on(run(kind.clone(), n, times)));
            });
        }
        group.finish();
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    targets = nothing_changes, ramp_step
}
criterion_main!(benches);
