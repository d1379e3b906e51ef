//! One request through a `tower` service, by balancer and number of endpoints.
//!
//! `cargo bench --bench request`. Blocks of one contestant after the other, so for ratios see `table`.

use criterion::{Criterion, criterion_group, criterion_main};
use evenkeel_peers::contestant::REQUESTS;

#[path = "blocks/mod.rs"]
mod blocks;

fn request(c: &mut Criterion) {
    blocks::contestants(c, REQUESTS);
}

criterion_group! {
    name = benches;
    config = blocks::settings();
    targets = request
}
criterion_main!(benches);
