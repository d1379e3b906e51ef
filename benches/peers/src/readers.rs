//! Picks on one core while the other publishes.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use evenkeel::config::StrategyKind;
use evenkeel::{Balancer, Endpoint};

use crate::threads::pin;
use crate::{clock, ours};

/// How often a new snapshot is published while picks are timed.
pub const PUBLISHES_A_SECOND: u32 = 20;
/// Slower picks share the last place of the histogram.
const SLOWEST: usize = 1 << 20;

/// How long picks took, in nanoseconds and with one read of the clock in each.
#[derive(Clone, Copy, Debug)]
pub struct Picks {
    /// Half of the picks took longer.
    pub p50: f64,
    /// One in a hundred took longer.
    pub p99: f64,
    /// One in ten thousand took longer.
    pub p9999: f64,
    /// The longest, up to a millisecond or so.
    pub max: f64,
}

/// One span without publishes, and the one after it with them.
#[derive(Clone, Copy, Debug)]
pub struct Pair {
    /// Nobody publishes.
    pub quiet: Picks,
    /// Somebody replaces one endpoint, twenty times a second.
    pub publishing: Picks,
}

/// Times picks with `n` endpoints for some pairs of spans.
#[must_use]
pub fn pairs(kind: &StrategyKind, n: usize, pairs: usize, span: Duration) -> Vec<Pair> {
    let balancer = ours::balancer(kind.clone(), n, &());
    (0..4 * n).for_each(|_| ours::pick_once(&balancer));
    let held = ours::hold(&balancer, n);
    let pair = |_| Pair {
        quiet: picks(&balancer, n, span, false),
        publishing: picks(&balancer, n, span, true),
    };
    let pairs = (0..pairs).map(pair).collect();
    drop(held);
    pairs
}

fn picks(balancer: &Balancer<()>, n: usize, span: Duration, publish: bool) -> Picks {
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let reader = scope.spawn(|| {
            pin(1);
            let picks = timed(balancer, span);
            over.store(true, Ordering::Relaxed);
            picks
        });
        pin_and_publish(balancer, n, &over, publish);
        reader.join().expect("a pick does not panic")
    })
}

/// Replaces one endpoint after the other on the first core, or does nothing for as long.
fn pin_and_publish(balancer: &Balancer<()>, n: usize, over: &AtomicBool, publish: bool) {
    thread::scope(|scope| {
        scope.spawn(|| {
            pin(0);
            for at in (0..n).cycle() {
                if over.load(Ordering::Relaxed) {
                    return;
                }
                if publish {
                    let endpoint = Endpoint::new(ours::id(at), ());
                    balancer.insert(endpoint).expect("it may be inserted");
                }
                #[expect(clippy::disallowed_methods, reason = "the rate is one of the real clock")]
                thread::sleep(Duration::from_secs(1) / PUBLISHES_A_SECOND);
            }
        });
    });
}

/// Picks for as long as `span`. The first tenth warms up.
fn timed(balancer: &Balancer<()>, span: Duration) -> Picks {
    let mut histogram = vec![0_u32; SLOWEST + 1];
    let began = clock::now();
    let mut last = began;
    loop {
        ours::pick_once(balancer);
        let now = clock::now();
        let (took, age) = (now - last, now - began);
        last = now;
        if age > span {
            break;
        }
        if age > span / 10 {
            let at = usize::try_from(took.as_nanos()).map_or(SLOWEST, |at| at.min(SLOWEST));
            histogram[at] += 1;
        }
    }
    let all: u64 = histogram.iter().map(|&count| u64::from(count)).sum();
    let quantile = |part: f64| {
        let mut left = (all as f64 * part).ceil();
        let reached = histogram.iter().position(|&count| {
            left -= f64::from(count);
            left <= 0.0
        });
        reached.unwrap_or(SLOWEST) as f64
    };
    Picks { p50: quantile(0.5), p99: quantile(0.99), p9999: quantile(0.9999), max: quantile(1.0) }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use evenkeel::config::StrategyKind;

    use super::pairs;

    #[test]
    fn quantiles_grow() {
        for pair in pairs(&StrategyKind::LeastRequest, 10, 2, Duration::from_millis(20)) {
            for picks in [pair.quiet, pair.publishing] {
                assert!(picks.p50 > 0.0 && picks.p50 <= picks.p99, "{picks:?}");
                assert!(picks.p99 <= picks.p9999 && picks.p9999 <= picks.max, "{picks:?}");
            }
        }
    }
}
