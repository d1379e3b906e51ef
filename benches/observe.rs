//! What it costs to be seen: picks with audit, alarms and records off, with the default, with every pick
//! recorded.
//!
//! `cargo bench --bench observe`. Compare the three within one run: the machine is the same then.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use evenkeel::config::{DecisionsConfig, StrategyConfig, StrategyKind};
use evenkeel::{Balancer, Config, Endpoint, Key, Outcome};

const ENDPOINTS: usize = 100;

fn balancer(kind: StrategyKind, config: Config) -> Balancer<()> {
    let config = config.with_strategy(StrategyConfig::new(kind));
    Balancer::builder()
        .config(config)
        .endpoints((0..ENDPOINTS).map(|i| Endpoint::new(format!("e{i}"), ())))
        .build()
        .expect("the settings are sound")
}

/// Nothing is recorded, and nobody looks.
fn blind() -> Config {
    Config::default().with_decisions(None).with_audit(None).with_alarms(None)
}

fn picks(c: &mut Criterion) {
    let every_pick = DecisionsConfig::default().with_every(1).expect("1 is in the range");
    let settings = [
        ("all off", blind()),
        ("no records", Config::default().with_decisions(None)),
        ("default", Config::default()),
        ("every pick", Config::default().with_decisions(Some(every_pick))),
    ];
    let kinds = [
        StrategyKind::RoundRobin,
        StrategyKind::Random,
        StrategyKind::LeastRequest,
        StrategyKind::PeakEwma,
        StrategyKind::Maglev,
    ];
    for kind in kinds {
        let mut group = c.benchmark_group(kind.to_string());
        for (name, config) in &settings {
            let balancer = balancer(kind.clone(), config.clone());
            group.bench_function(BenchmarkId::from_parameter(name), |b| {
                let mut hash = 0_u64;
                b.iter(|| {
                    hash = hash.wrapping_add(0x9E37_79B9_7F4A_7C15);
                    let lease = balancer.pick(&Key::from_hash(hash)).expect("there are endpoints");
                    black_box(&lease);
                    lease.finish(Outcome::Success);
                });
            });
        }
        group.finish();
    }
}

fn explanations(c: &mut Criterion) {
    let mut group = c.benchmark_group("explain");
    for kind in [StrategyKind::LeastRequest, StrategyKind::Maglev] {
        let balancer = balancer(kind.clone(), blind());
        group.bench_function(BenchmarkId::from_parameter(kind), |b| {
            b.iter(|| balancer.explain(&Key::from_hash(7)));
        });
    }
    group.finish();
}

/// Short, because there are many.
fn settings() -> Criterion {
    Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .sample_size(30)
}

criterion_group! {
    name = benches;
    config = settings();
    targets = picks, explanations
}
criterion_main!(benches);
