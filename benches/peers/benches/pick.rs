//! One pick and its outcome, by balancer and number of endpoints.
//!
//! `cargo bench --bench pick`. Blocks of one contestant after the other, so for ratios see `table`.

use criterion::{Criterion, criterion_group, criterion_main};
use evenkeel_peers::contestant::{CLOCKS, PICKS};

#[path = "blocks/mod.rs"]
mod blocks;

fn pick(c: &mut Criterion) {
    blocks::contestants(c, CLOCKS);
    blocks::contestants(c, PICKS);
}

criterion_group! {
    name = benches;
    config = blocks::settings();
    targets = pick
}
criterion_main!(benches);
