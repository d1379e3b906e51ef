//! What a change of the endpoints costs, and what it costs those who pick meanwhile.

use std::time::Duration;

use evenkeel::config::StrategyKind;
use evenkeel_peers::options::Options;
use evenkeel_peers::publish::PUBLISHERS;
use evenkeel_peers::readers::{self, PUBLISHES_A_SECOND, Pair, Picks};
use evenkeel_peers::spread::Spread;
use evenkeel_peers::targets::{Bound, Target};
use evenkeel_peers::text::{Table, nanos, or_dash};
use evenkeel_peers::threads;

/// The most milliseconds that replacing one endpoint may take with `least_request`.
const PUBLISH: f64 = 1.0;
/// How many times as slow the slowest hundredth of picks may become.
const READERS: f64 = 2.0;
/// Slices of a span of picks: long enough for some publishes.
const SPAN: u32 = 10;

/// By turns, as a race; the first of two publishes brings the caches back and is not counted.
pub(crate) fn publish(options: &Options) -> Vec<Target> {
    let heads = options.sizes.iter().map(|n| format!("n={n}"));
    let title = format!("Replacing one endpoint of n, median of {}", options.pace.rounds);
    let mut table = Table::new(title, [String::new()].into_iter().chain(heads));
    let (mut cells, mut targets) = (vec![Vec::new(); PUBLISHERS.len()], Vec::new());
    for &n in &options.sizes {
        eprintln!("replacing one of {n} ..");
        let mut all: Vec<_> = PUBLISHERS.iter().map(|publisher| (publisher.build)(n)).collect();
        let mut took = vec![Vec::new(); all.len()];
        for _ in 0..options.pace.rounds {
            for (publish, took) in all.iter_mut().zip(&mut took) {
                publish();
                took.push(publish().as_nanos() as f64);
            }
        }
        for (at, publisher) in PUBLISHERS.iter().enumerate() {
            let spread = Spread::of(took[at].iter().copied());
            cells[at].push(or_dash(spread, |spread| nanos(spread.middle)));
            if n == options.largest() && publisher.name.starts_with("least_request") {
                let what = format!("publish, ms: {}", publisher.name);
                let figure = spread.map(|spread| spread.middle / 1e6);
                targets.push(Target::new(what, Bound::AtMost(PUBLISH), [(n, figure)]));
            }
        }
    }
    for (publisher, cells) in PUBLISHERS.iter().zip(cells) {
        table.row([publisher.name.to_owned()].into_iter().chain(cells));
    }
    println!("{table}");
    targets
}

pub(crate) fn readers(options: &Options) -> Vec<Target> {
    if !threads::are_two_cores() {
        eprintln!("one core only: nothing is said about picks beside a publish");
        return Vec::new();
    }
    let n = options.largest();
    eprintln!("picks beside publishes, n = {n} ..");
    // Never so short that nothing is published.
    let span = (options.threads.slice * SPAN).max(Duration::from_millis(100));
    let number = options.threads.rounds;
    let pairs = readers::pairs(&StrategyKind::LeastRequest, n, number, span);
    let title = format!(
        "least_request picks with n = {n} while the other core replaces one, {PUBLISHES_A_SECOND} \
         times a second; median of {number} spans of {} ms, each pick with one read of the clock",
        span.as_millis(),
    );
    let heads = ["", "p50", "p99", "p99.99", "longest"];
    let mut table = Table::new(title, heads.map(str::to_owned));
    let mut row = |name: &str, of: fn(&Pair) -> &Picks| {
        let quantile = |quantile: fn(&Picks) -> f64| {
            let spread = Spread::of(pairs.iter().map(|pair| quantile(of(pair))));
            or_dash(spread, |spread| nanos(spread.middle))
        };
        let (p50, p99) = (quantile(|it| it.p50), quantile(|it| it.p99));
        let (p9999, max) = (quantile(|it| it.p9999), quantile(|it| it.max));
        table.row([name.to_owned(), p50, p99, p9999, max]);
    };
    row("quiet", |pair| &pair.quiet);
    row("publishing", |pair| &pair.publishing);
    println!("{table}");
    let ratio = Spread::of(pairs.iter().map(|pair| pair.publishing.p99 / pair.quiet.p99));
    let what = "p99 of picks beside publishes / quiet";
    let figures = [(n, ratio.map(|ratio| ratio.middle))];
    vec![Target::new(what, Bound::AtMost(READERS), figures)]
}
