//! What it costs to judge a sweep, by detector and number of endpoints.
//!
//! `all` is every detector that sweeps, one after the other, as when all are switched on. In
//! `sick` every twentieth endpoint is dead and another one slow, so that findings are made; in
//! `well` nobody is. `cargo bench --bench sweep` runs all; the last results are kept in
//! `benches/results/sweep.txt`.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use evenkeel::EndpointId;
use evenkeel::outlier::{
    Detector, FailurePercentage, Latency, Observed, SuccessRate, SuccessRateMethod, Sweep, Timings,
};

const SIZES: [usize; 4] = [10, 100, 1_000, 10_000];

/// Answers by how long they took, in as many buckets as the balancer counts them in.
#[derive(Debug)]
struct Buckets([u32; 46]);

impl Timings for Buckets {
    fn count(&self) -> u64 {
        self.0.iter().map(|&count| u64::from(count)).sum()
    }

    fn quantile(&self, quantile: f64) -> Option<Duration> {
        let mut left = quantile * self.count() as f64;
        let bucket = self.0.iter().position(|&count| {
            left -= f64::from(count);
            left <= 0.0
        });
        Some(Duration::from_micros(16 << (bucket? / 2)))
    }
}

struct Endpoint {
    id: EndpointId,
    successes: u64,
    failures: u64,
    timings: Buckets,
}

/// Endpoints with a thousand requests each, in which no two are the same.
fn endpoints(n: usize, sick: bool) -> Vec<Endpoint> {
    let mut rng = fastrand::Rng::with_seed(n as u64);
    (0..n)
        .map(|at| {
            let (dead, slow) = (sick && at % 20 == 3, sick && at % 20 == 13);
            let failures = if dead { 1_000 } else { rng.u64(5..50) };
            let mut timings = Buckets([0; 46]);
            for _ in 0..1_000 - failures {
                timings.0[rng.usize(8..16) + if slow { 12 } else { 0 }] += 1;
            }
            let id = EndpointId::from(format!("endpoint-{at:05}"));
            Endpoint { id, successes: 1_000 - failures, failures, timings }
        })
        .collect()
}

fn observed(endpoint: &Endpoint) -> Observed<'_> {
    Observed::new(&endpoint.id)
        .with_successes(endpoint.successes)
        .with_failures(endpoint.failures)
        .with_timings(&endpoint.timings)
}

fn judge(c: &mut Criterion) {
    let mut a50 = SuccessRate::default();
    a50.method = SuccessRateMethod::A50;
    let rules: [(&str, Vec<Box<dyn Detector>>); 5] = [
        ("success_rate robust", vec![Box::new(SuccessRate::default())]),
        ("success_rate a50", vec![Box::new(a50)]),
        ("failure_percentage", vec![Box::new(FailurePercentage::default())]),
        ("latency", vec![Box::new(Latency::default())]),
        (
            "all",
            vec![
                Box::new(SuccessRate::default()),
                Box::new(FailurePercentage::default()),
                Box::new(Latency::default()),
            ],
        ),
    ];
    for sick in [false, true] {
        for (name, rules) in &rules {
            let mut group =
                c.benchmark_group(format!("{name} {}", if sick { "sick" } else { "well" }));
            for n in SIZES {
                let endpoints = endpoints(n, sick);
                let observed: Vec<_> = endpoints.iter().map(observed).collect();
                let sweep = Sweep::new(&observed);
                let judge = || rules.iter().map(|rule| rule.judge(&sweep).len()).sum::<usize>();
                assert!(sick || judge() == 0 || name.contains("a50"), "{name} {n}: {}", judge());
                assert!(!sick || judge() > 0 || n < 100, "{name} {n}");
                group.bench_function(BenchmarkId::from_parameter(n), |b| {
                    b.iter(|| black_box(judge()));
                });
            }
            group.finish();
        }
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_secs(1));
    targets = judge
}
criterion_main!(benches);
