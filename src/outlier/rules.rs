//! What is held against an endpoint and what follows, with every span in nanoseconds.

use crate::config::{Config, ConsecutiveFailuresConfig, OutlierConfig, WhenNoneHealthy};
use crate::outlier::{Cap, PanicBounds};
use crate::ramp::Ramp;
use crate::rng::Rng;
use crate::stats::RowLimits;
use crate::tiers::Tiering;
use crate::units::{Percent, nanos};

/// Nanoseconds for which a probe is waited for at the least, however short ejections are.
const LEAST_PATIENCE: u64 = 10_000_000_000;

const ALL: Percent = Percent::new(100).expect("100 is at most 100");

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
    /// `None` where tiers and zones are not looked at.
    pub(crate) tiers: Option<Tiering>,
}

/// How many of a hundred findings are enforced, by row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Enforced {
    pub(crate) any: Percent,
    pub(crate) gateway: Percent,
    pub(crate) local: Percent,
}

impl Rules {
    /// The rules of these settings. With `outlier = false` nothing is detected; what operators
    /// eject goes on as by default.
    pub(crate) fn of(config: &Config) -> Self {
        let outlier = config.memory();
        let row = |row: fn(&OutlierConfig) -> Option<&ConsecutiveFailuresConfig>| {
            let row = config.outlier().and_then(row);
            (
                row.map_or(0, |it| it.threshold().get()),
                row.map_or(ALL, ConsecutiveFailuresConfig::enforce_percent),
            )
        };
        let (any, any_enforced) = row(OutlierConfig::consecutive_failures);
        let (gateway, gateway_enforced) = row(OutlierConfig::consecutive_gateway_failures);
        let (local, local_enforced) = row(OutlierConfig::consecutive_local_failures);
        let interval = nanos(outlier.interval());
        let panic = config.panic();
        let slow_start = config.slow_start();
        Self {
            detects: config.outlier().is_some(),
            dry_run: outlier.dry_run(),
            interval,
            base: nanos(outlier.base_ejection_time()),
            longest: nanos(outlier.max_ejection_time()),
            jitter: outlier.ejection_jitter_percent(),
            cap: Cap {
                max_ejected: outlier.max_ejected_percent(),
                min_available: outlier.min_available(),
            },
            probes_owed: outlier.probe_successes(),
            rows: RowLimits { any, gateway, local },
            enforced: Enforced {
                any: any_enforced,
                gateway: gateway_enforced,
                local: local_enforced,
            },
            panic: panic.map(|panic| PanicBounds {
                enter: panic.threshold_percent(),
                exit: panic.exit_percent(),
                patience: interval,
            }),
            serve_all: panic.is_some_and(|it| it.when_none_healthy() == WhenNoneHealthy::ServeAll),
            ramp: Ramp {
                window: nanos(slow_start.window()),
                aggression: slow_start.aggression(),
                floor: slow_start.min_weight_percent(),
            },
            ramp_joining: slow_start.new_endpoints(),
            tiers: config.tiers().map(Tiering::of),
        }
    }

    /// Whether these rules, coming after `before`, let back all that is out: nothing is detected
    /// any more.
    pub(crate) fn pardon(&self, before: &Self) -> bool {
        before.detects && !self.detects
    }

    /// Nanoseconds for which a probe is waited for before another is sent beside it: whoever sent it
    /// may have more patience than anybody should have.
    pub(crate) fn probe_patience(&self) -> u64 {
        self.base.max(LEAST_PATIENCE)
    }

    /// How long an endpoint is out that is ejected for the `times`th time, in nanoseconds. The
    /// chance on top keeps endpoints that went together from coming back together.
    pub(crate) fn sentence(&self, times: u32, rng: &mut Rng) -> u64 {
        let time = self.base.saturating_mul(times.into()).min(self.longest);
        let most = u128::from(time) * u128::from(self.jitter.get()) / 100;
        time.saturating_add(rng.below((most as u64).saturating_add(1)))
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU16;
    use std::time::Duration;

    use super::*;
    use crate::config::{PanicConfig, SlowStartConfig, TiersConfig};
    use crate::tiers::Callers;

    const SECOND: u64 = 1_000_000_000;

    fn percent(value: u8) -> Percent {
        Percent::new(value).unwrap()
    }

    fn defaults() -> Rules {
        Rules {
            detects: true,
            dry_run: false,
            interval: 10 * SECOND,
            base: 30 * SECOND,
            longest: 300 * SECOND,
            jitter: percent(10),
            cap: Cap { max_ejected: percent(50), min_available: 1 },
            probes_owed: 1,
            rows: RowLimits { any: 5, gateway: 0, local: 0 },
            enforced: Enforced { any: percent(100), gateway: percent(100), local: percent(100) },
            panic: Some(PanicBounds {
                enter: percent(50),
                exit: percent(60),
                patience: 10 * SECOND,
            }),
            serve_all: true,
            ramp: Ramp { window: 30 * SECOND, aggression: 1.0, floor: percent(10) },
            ramp_joining: false,
            tiers: Some(Tiering { factor: 1.4, zone: None, callers: Callers::Even }),
        }
    }

    #[test]
    fn an_empty_file_has_the_rules_of_the_design() {
        assert_eq!(Rules::of(&Config::default()), defaults());
    }

    #[test]
    fn every_setting_has_its_place() {
        let row = |threshold, enforced| {
            let threshold = NonZeroU16::new(threshold).unwrap();
            let row = ConsecutiveFailuresConfig::default().with_threshold(threshold);
            Some(row.with_enforce_percent(percent(enforced)))
        };
        let outlier = OutlierConfig::default()
            .with_interval(Duration::from_secs(2))
            .and_then(|it| it.with_ejection_times(Duration::from_secs(3), Duration::from_secs(4)))
            .and_then(|it| it.with_probe_successes(7))
            .unwrap()
            .with_ejection_jitter_percent(percent(5))
            .with_max_ejected_percent(percent(6))
            .with_min_available(8)
            .with_dry_run(true)
            .with_consecutive_failures(row(9, 19))
            .with_consecutive_gateway_failures(row(10, 20))
            .with_consecutive_local_failures(row(11, 21));
        let panic = PanicConfig::default()
            .with_thresholds(percent(12), percent(13))
            .unwrap()
            .with_when_none_healthy(WhenNoneHealthy::Fail);
        let slow_start = SlowStartConfig::default()
            .with_window(Duration::from_secs(14))
            .and_then(|it| it.with_aggression(1.5))
            .and_then(|it| it.with_min_weight_percent(percent(16)))
            .unwrap()
            .with_new_endpoints(true);
        let tiers = TiersConfig::default()
            .with_overprovisioning_percent(200)
            .and_then(|it| it.with_zone(Some("here")))
            .and_then(|it| it.with_zone_callers_percent(Some(percent(25))))
            .unwrap();
        let config = Config::default()
            .with_outlier(Some(outlier))
            .with_panic(Some(panic))
            .with_slow_start(slow_start)
            .with_tiers(Some(tiers));
        let expected = Rules {
            detects: true,
            dry_run: true,
            interval: 2 * SECOND,
            base: 3 * SECOND,
            longest: 4 * SECOND,
            jitter: percent(5),
            cap: Cap { max_ejected: percent(6), min_available: 8 },
            probes_owed: 7,
            rows: RowLimits { any: 9, gateway: 10, local: 11 },
            enforced: Enforced { any: percent(19), gateway: percent(20), local: percent(21) },
            panic: Some(PanicBounds {
                enter: percent(12),
                exit: percent(13),
                patience: 2 * SECOND,
            }),
            serve_all: false,
            ramp: Ramp { window: 14 * SECOND, aggression: 1.5, floor: percent(16) },
            ramp_joining: true,
            tiers: Some(Tiering {
                factor: 2.0,
                zone: Some("here".into()),
                callers: Callers::Own(0.25),
            }),
        };
        assert_eq!(Rules::of(&config), expected);
    }

    #[test]
    fn a_probe_is_waited_for_as_long_as_the_first_ejection_lasts_and_ten_seconds_at_the_least() {
        assert_eq!(defaults().probe_patience(), 30 * SECOND);
        assert_eq!(Rules { base: 3 * SECOND, ..defaults() }.probe_patience(), 10 * SECOND);
    }

    #[test]
    fn without_outlier_handling_nothing_is_detected_and_all_else_stays() {
        let rules = Rules::of(&Config::default().with_outlier(None));
        assert_eq!(rules, Rules { detects: false, rows: RowLimits::default(), ..defaults() });
    }

    #[test]
    fn without_panic_nobody_who_is_out_is_served() {
        let rules = Rules::of(&Config::default().with_panic(None));
        assert_eq!(rules, Rules { panic: None, serve_all: false, ..defaults() });
    }

    #[test]
    fn tiers_may_be_off() {
        let rules = Rules::of(&Config::default().with_tiers(None));
        assert_eq!(rules, Rules { tiers: None, ..defaults() });
    }

    #[test]
    fn a_row_that_is_off_is_never_told() {
        let off = OutlierConfig::default().with_consecutive_failures(None);
        let rules = Rules::of(&Config::default().with_outlier(Some(off)));
        assert_eq!(rules, Rules { rows: RowLimits::default(), ..defaults() });
    }
}
