//! What `pick` and `request` share.

use std::time::Duration;

use criterion::{BenchmarkId, Criterion};
use evenkeel_peers::clock;
use evenkeel_peers::contestant::Contestant;

const SIZES: [usize; 5] = [3, 10, 100, 1_000, 10_000];

/// Each contestant with each number of endpoints.
pub fn contestants(c: &mut Criterion, contestants: &[Contestant]) {
    for contestant in contestants {
        let mut group = c.benchmark_group(contestant.name);
        for n in SIZES {
            let mut runner = None;
            group.bench_function(BenchmarkId::from_parameter(n), |b| {
                // Built when it is wanted: a filter may pass it over.
                let runner = runner.get_or_insert_with(|| (contestant.build)(n).runner());
                b.iter_custom(|requests| clock::time(|| runner(requests)));
            });
        }
        group.finish();
    }
}

/// Short, because there are many.
pub fn settings() -> Criterion {
    Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .sample_size(30)
}
