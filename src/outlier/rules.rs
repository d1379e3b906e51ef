//! What is held against an endpoint and what follows, with every span in nanoseconds.

use crate::config::Config;
use crate::outlier::{Cap, PanicBounds};
use crate::ramp::Ramp;
use crate::rng::Rng;
use crate::stats::RowLimits;
use crate::units::{Percent, nanos};
use std::time::Duration;

/// The settings of ejections, panic and ramps, ready for use.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Rules {
    /// Whether anything is detected at all.
    pub(crate) detects: bool,
    /// Whether what is detected is only told.
    pub(crate) dry_run: bool,
    pub(crate) interval: u64,
    pub(crate) base: u64,
    pub(crate) longest: u64,
    pub(crate) jitter: Percent,
    pub(crate) cap: Cap,
    pub(crate) probes_owed: u32,
    pub(crate) rows: RowLimits,
    pub(crate) enforced: Enforced,
    pub(crate) panic: Option<PanicBounds>,
    /// Whether all are served, rather than none, when nobody is well.
    pub(crate) serve_all: bool,
    pub(crate) ramp: Ramp,
    /// Whether endpoints that join warm up.
    pub(crate) ramp_joining: bool,
}

/// How many of a hundred findings are enforced, by row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Enforced {
    pub(crate) any: Percent,
    pub(crate) gateway: Percent,
    pub(crate) local: Percent,
}

impl Rules {
    pub(crate) fn of(config: &Config) -> Self {
        let outlier = config.memory();
        let whole = Percent::new(100).expect("100 is at most 100");
        let percent = |value| Percent::new(value).expect("a constant of at most 100");
        let detects = config.outlier().is_some();
        Self {
            detects,
            dry_run: outlier.dry_run(),
            interval: nanos(Duration::from_secs(10)),
            base: nanos(Duration::from_secs(30)),
            longest: nanos(Duration::from_mins(5)),
            jitter: percent(10),
            cap: Cap { max_ejected: percent(50), min_available: 1 },
            probes_owed: 1,
            rows: RowLimits { any: if detects { 5 } else { 0 }, gateway: 0, local: 0 },
            enforced: Enforced { any: whole, gateway: whole, local: whole },
            panic: Some(PanicBounds {
                enter: percent(50),
                exit: percent(60),
                patience: nanos(Duration::from_secs(10)),
            }),
            serve_all: true,
            ramp: Ramp {
                window: nanos(Duration::from_secs(30)),
                aggression: 1.0,
                floor: percent(10),
            },
            ramp_joining: false,
        }
    }

    /// How long an endpoint is out that is ejected for the `times`th time, in nanoseconds. The
    /// chance on top keeps endpoints that went together from coming back together.
    pub(crate) fn sentence(&self, times: u32, rng: &mut Rng) -> u64 {
        let time = self.base.saturating_mul(times.into()).min(self.longest);
        let most = u128::from(time) * u128::from(self.jitter.get()) / 100;
        time.saturating_add(rng.below((most as u64).saturating_add(1)))
    }
}
