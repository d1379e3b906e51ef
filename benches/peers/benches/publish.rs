//! Replacing one endpoint of n, while nobody picks. `cargo bench --bench publish`.

use std::time::Duration;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use evenkeel_peers::publish::PUBLISHERS;

const SIZES: [usize; 5] = [3, 10, 100, 1_000, 10_000];

fn publish(c: &mut Criterion) {
    for publisher in PUBLISHERS {
        let mut group = c.benchmark_group(publisher.name);
        for n in SIZES {
            let mut publish = None;
            group.bench_function(BenchmarkId::from_parameter(n), |b| {
                let publish = publish.get_or_insert_with(|| (publisher.build)(n));
                b.iter_custom(|times| (0..times).map(|_| publish()).sum::<Duration>());
            });
        }
        group.finish();
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .sample_size(10);
    targets = publish
}
criterion_main!(benches);
