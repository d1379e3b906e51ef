//! Whether everybody is slow.

use std::time::Duration;

use crate::config::EverybodySlowConfig;
use crate::event::AlarmKind;
use crate::stats::Latencies;
use crate::units::{Nanos, nanos};

/// How long half of all answers take, held against what that is usually.
///
/// A detector that compares endpoints with their peers sees nothing where all are slow. So all
/// together are compared with themselves, earlier: with a geometric moving average of the median,
/// in which a time of day weighs as much as its length, and a quarter of an hour of trouble little.
/// It follows all the same, for what lasts is what is usual.
#[derive(Debug, Default)]
pub(super) struct Tempo {
    /// What had been counted when the last window ended, and when.
    mark: Option<(Latencies, Nanos)>,
    /// The natural logarithm of the usual median in nanoseconds.
    usual: f64,
    /// Windows it is made of, up to [`Self::FIRST`].
    windows: u32,
    /// When the usual began to be measured.
    slow: Option<(Duration, Duration)>,
}

impl Tempo {
    /// Windows before anybody is judged. They count alike.
    const FIRST: u32 = 6;

    /// Once slow, below this part of the bounds it is slow no more.
    const LEAVES_AT: f64 = 0.75;

    /// A window in which too little is answered for so long says nothing, nor does what was before.
    const STALE: u64 = 300_000_000_000;

    /// Takes in what all answers since the beginning have come to.
    pub(super) fn note(&mut self, all: &Latencies, rule: &EverybodySlowConfig, now: Nanos) {
        let Some((mark, at)) = self.mark.filter(|(_, at)| *at <= now) else {
            self.mark = Some((*all, now));
            return;
        };
        let (window, lasted) = (all.since(&mark), now.0 - at.0);
        if window.count() < u64::from(rule.request_volume()) {
            if lasted > Self::STALE {
                self.mark = Some((*all, now));
                self.slow = None;
            }
            return;
        }
        self.mark = Some((*all, now));
        let Some(median) = window.quantile(0.5).map(|it| it.max(1)) else { return };
        let usual = self.usual.exp();
        if self.windows >= Self::FIRST {
            let part = if self.slow.is_some() { Self::LEAVES_AT } else { 1.0 };
            let gap = nanos(rule.minimum_gap()) as f64;
            let least = (rule.factor() * usual).max(usual + gap) * part;
            let is_slow = median as f64 > least.max(usual);
            let told = || (Duration::from_nanos(median), Duration::from_nanos(usual as u64));
            self.slow = is_slow.then(told);
        }
        self.learn((median as f64).ln(), lasted, rule);
    }

    fn learn(&mut self, median: f64, lasted: u64, rule: &EverybodySlowConfig) {
        self.windows = self.windows.saturating_add(1);
        let new = -(-(lasted as f64) / nanos(rule.baseline()).max(1) as f64).exp_m1();
        // What is young is the plain average of what there is.
        let new = new.max(1.0 / f64::from(self.windows));
        self.usual += (median - self.usual) * new;
    }

    pub(super) fn slow(&self) -> Option<AlarmKind> {
        self.slow.map(|(latency, usual)| AlarmKind::EverybodySlow { latency, usual })
    }
}

#[cfg(all(test, not(evenkeel_loom)))]
mod tests;
