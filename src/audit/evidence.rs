//! How much speaks for an endpoint getting another part of the requests than it should.
//!
//! For each endpoint three bets are held against the hypothesis that its odds are within the
//! tolerance of what is intended: that they are a quarter above the upper bound, that they are two
//! thirds above it, and that they are half of the lower bound. At each look a bet is multiplied by
//! how much more likely what was seen is if it is right than at the bound. While the hypothesis
//! holds, each is a test supermartingale: on average it does not grow.
//!
//! A skew may begin at any time, and what was fair before must not hide it: a bet that has lost
//! begins anew at each look. That makes it an e-detector of CUSUM type (Shin, Ramdas and Rinaldo,
//! "E-detectors: a nonparametric framework for sequential change detection", 2022): over all bets
//! together, those of every endpoint, the mean number of looks before the first false alarm is at
//! least the threshold divided by the number of bets, however long it is looked at, and whoever
//! looks how often. So nothing has to be corrected for looking again and again.

/// What a bet multiplies the odds of the upper bound by.
const MORE: [f64; 2] = [1.25, 5.0 / 3.0];

/// What a bet multiplies the odds of the lower bound by.
const LESS: f64 = 0.5;

/// Bets for each endpoint.
const BETS: usize = 3;

/// Natural logarithms of the factors, in the order of the bets.
const LOGS: [f64; BETS] =
    [0.223_143_551_314_209_76, 0.510_825_623_765_990_7, -std::f64::consts::LN_2];

/// Steps of the stored evidence in one nat.
const STEPS: f64 = 512.0;

/// How far above the threshold evidence may pile up, in nats: what is over is soon seen to be.
const PILE: f64 = 2.0;

/// How many counts that are looked at count for how much.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Test {
    tolerance: f64,
    threshold: f64,
}

/// The logarithms of the three bets of one endpoint, in nats: as it is kept between looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Evidence {
    bets: [i16; BETS],
    /// Whether the endpoint is passed over at the next look.
    pub(crate) skips: bool,
}

/// What is expected of an endpoint that is meant to get one part of all.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Expected {
    /// What each request that anybody gets takes from each bet.
    costs: [f64; BETS],
}

impl Test {
    /// A test of `n` endpoints that tolerates odds up to `tolerance_percent` larger or smaller,
    /// with no more than one false alarm in `windows` windows of `looks` looks each.
    pub(crate) fn new(tolerance_percent: u32, windows: u32, looks: f64, n: usize) -> Self {
        let bets = (n.max(1) * BETS) as f64;
        Self {
            tolerance: 1.0 + f64::from(tolerance_percent) / 100.0,
            threshold: (f64::from(windows) * looks.max(1.0) * bets).ln(),
        }
    }

    /// The evidence at which there is a skew, in nats.
    #[cfg(test)]
    pub(crate) fn threshold(&self) -> f64 {
        self.threshold
    }

    /// What to expect of an endpoint that is meant to get this share; `None` where nothing is:
    /// it is meant to get none, or all.
    pub(crate) fn expect(&self, share: f64) -> Option<Expected> {
        if !(share > 0.0 && share < 1.0) {
            return None;
        }
        let most = tilted(share, self.tolerance);
        let least = tilted(share, 1.0 / self.tolerance);
        let cost = |bound: f64, factor: f64| ((factor - 1.0) * bound).ln_1p();
        let costs = [cost(most, MORE[0]), cost(most, MORE[1]), cost(least, LESS)];
        Some(Expected { costs })
    }

    /// The evidence after a look at which the endpoint had got `taken` of `of`. Without `anew` a bet
    /// that has lost does not begin anew: for looks between looks, which judge nothing.
    pub(crate) fn look(
        &self,
        before: Evidence,
        expected: &Expected,
        taken: u64,
        of: u64,
        anew: bool,
    ) -> Evidence {
        let mut bets = before.bets;
        let most = (self.threshold + PILE) * STEPS;
        for ((bet, log), cost) in bets.iter_mut().zip(LOGS).zip(expected.costs) {
            let from = if anew { (*bet).max(0) } else { *bet };
            let gain = taken as f64 * log - of as f64 * cost;
            // Rounded down, which is never in favour of an alarm.
            let sum = (f64::from(from) + gain * STEPS).floor();
            *bet = sum.clamp(f64::from(i16::MIN), most.min(f64::from(i16::MAX))) as i16;
        }
        Evidence { bets, skips: false }
    }

    /// Whether the endpoint gets too much.
    pub(crate) fn is_too_much(&self, evidence: Evidence) -> bool {
        evidence.more() >= self.threshold
    }

    /// Whether it gets too little.
    pub(crate) fn is_too_little(&self, evidence: Evidence) -> bool {
        evidence.less() >= self.threshold
    }

    /// Whether less than half of what raised an alarm is left.
    pub(crate) fn is_over(&self, evidence: Evidence) -> bool {
        evidence.more().max(evidence.less()) < self.threshold / 2.0
    }
}

impl Evidence {
    /// The same, to be passed over at the next look or not.
    pub(crate) fn skipping(self, skips: bool) -> Self {
        Self { skips, ..self }
    }

    /// What speaks for too much, in nats.
    pub(crate) fn more(self) -> f64 {
        let [little, much, _] = self.bets;
        f64::from(little.max(much)) / STEPS
    }

    /// What speaks for too little, in nats.
    pub(crate) fn less(self) -> f64 {
        let [.., less] = self.bets;
        f64::from(less) / STEPS
    }

    /// As the word it is kept in.
    pub(crate) fn packed(self) -> u64 {
        let [a, b, c] = self.bets.map(|bet| u64::from(bet.cast_unsigned()));
        a | b << 16 | c << 32 | u64::from(self.skips) << 48
    }

    pub(crate) fn unpacked(word: u64) -> Self {
        // Each was put there as sixteen bits.
        let bet = |shift: u32| ((word >> shift) as u16).cast_signed();
        Self { bets: [bet(0), bet(16), bet(32)], skips: word >> 48 != 0 }
    }
}

/// The share whose odds are `factor` times those of `share`.
fn tilted(share: f64, factor: f64) -> f64 {
    factor * share / (1.0 - share + factor * share)
}
