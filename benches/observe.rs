//! What it costs to be seen: picks with nothing recorded, with the default, with everything.
//!
//! `cargo bench --bench observe`. Compare the three within one run: the machine is the same then.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use evenkeel::config::{DecisionsConfig, StrategyConfig, StrategyKind};
use evenkeel::{Balancer, Config, Endpoint, Key, Outcome};

const ENDPOINTS: usize = 100;

fn balancer(kind: StrategyKind, decisions: Option<DecisionsConfig>) -> Balancer<()> {
    let config =
        Config::default().with_strategy(StrategyConfig::new(kind)).with_decisions(decisions);
    Balancer::builder()
        .config(config)
        .endpoints((0..ENDPOINTS).map(|i| Endpoint::new(format!("e{i}"), ())))
        .build()
        .expect("the settings are sound")
}

fn picks(c: &mut Criterion) {
    let every_pick = DecisionsConfig::default().with_every(1).expect("1 is in the range");
    let settings = [
        ("off", None),
        ("default", Some(DecisionsConfig::default())),
        ("every pick", Some(every_pick)),
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
        for (name, decisions) in &settings {
            let balancer = balancer(kind.clone(), decisions.clone());
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
        let balancer = balancer(kind.clone(), None);
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
