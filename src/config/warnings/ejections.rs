//! Of ejections, panic and ramps.

use crate::config::outlier::{OutlierConfig, SuccessRateConfig, SuccessRateMethod};
use crate::config::panicking::{PanicConfig, WhenNoneHealthy};
use crate::config::range::Spelt;
use crate::config::slow_start::SlowStartConfig;
use crate::error::Problem;
use crate::units::Percent;

pub(super) fn of_outlier(
    outlier: &OutlierConfig,
    panic: Option<&PanicConfig>,
    endpoints: usize,
    found: &mut Vec<Problem>,
) {
    let detectors = detectors(outlier);
    if !detectors.is_empty() {
        of_cap(outlier, panic, endpoints, found);
    }
    let (base, interval) = (outlier.base_ejection_time(), outlier.interval());
    if base < interval {
        let message = format!(
            "{} is shorter than outlier.interval ({}), so an endpoint is back before the next \
             sweep and hardly stays out longer each time",
            Spelt(base),
            Spelt(interval)
        );
        found.push(Problem::warning("outlier.base_ejection_time", message));
    }
    if outlier.dry_run() {
        found.push(Problem::warning(
            "outlier.dry_run",
            "is on: what is found is only told, and nothing is ejected",
        ));
    }
    for detector in detectors {
        of_detector(&detector, endpoints, found);
    }
    if let Some(rate) = outlier.success_rate() {
        of_success_rate(rate, endpoints, found);
    }
    if let Some(latency) = outlier.latency().filter(|it| it.factor() < 1.5) {
        let message = format!(
            "{:?} is less than the buckets that latencies are counted in may blur; below 1.5 the \
             difference may be none",
            latency.factor()
        );
        found.push(Problem::warning("outlier.latency.factor", message));
    }
}

/// What all detectors have.
struct Detector {
    key: &'static str,
    minimum_hosts: Option<u32>,
    enforce_percent: Percent,
}

/// Those that are on.
fn detectors(outlier: &OutlierConfig) -> Vec<Detector> {
    let rows = [
        ("consecutive_failures", outlier.consecutive_failures()),
        ("consecutive_gateway_failures", outlier.consecutive_gateway_failures()),
        ("consecutive_local_failures", outlier.consecutive_local_failures()),
    ];
    let rows = rows.into_iter().filter_map(|(key, row)| Some((key, None, row?.enforce_percent())));
    let (rate, share, latency) =
        (outlier.success_rate(), outlier.failure_percentage(), outlier.latency());
    let rate = rate.map(|it| ("success_rate", Some(it.minimum_hosts()), it.enforce_percent()));
    let share =
        share.map(|it| ("failure_percentage", Some(it.minimum_hosts()), it.enforce_percent()));
    let latency = latency.map(|it| ("latency", Some(it.minimum_hosts()), it.enforce_percent()));
    rows.chain(rate)
        .chain(share)
        .chain(latency)
        .map(|(key, minimum_hosts, enforce_percent)| Detector {
            key,
            minimum_hosts,
            enforce_percent,
        })
        .collect()
}

fn of_cap(
    outlier: &OutlierConfig,
    panic: Option<&PanicConfig>,
    endpoints: usize,
    found: &mut Vec<Problem>,
) {
    let (percent, least) = (outlier.max_ejected_percent(), outlier.min_available());
    let default = OutlierConfig::default();
    if percent == default.max_ejected_percent() && least == default.min_available() {
        return;
    }
    if percent.get() == 0 {
        found.push(Problem::warning(
            "outlier.max_ejected_percent",
            "at 0 nothing is ever ejected; to be told only, set outlier.dry_run",
        ));
    } else if endpoints > 0 && percent.of(endpoints) == 0 {
        let message =
            format!("{percent} of {endpoints} endpoints is less than one, so none is ever ejected");
        found.push(Problem::warning("outlier.max_ejected_percent", message));
    } else if endpoints > 0 && least >= endpoints {
        let message = format!(
            "{least} must be left of {endpoints} endpoints, so none is ever ejected; to be told \
             only, set outlier.dry_run"
        );
        found.push(Problem::warning("outlier.min_available", message));
    }
    let serves_all =
        panic.is_some_and(|panic| panic.when_none_healthy() == WhenNoneHealthy::ServeAll);
    if percent.get() == 100 && least == 0 && !serves_all {
        found.push(Problem::warning(
            "outlier.min_available",
            "at 0, beside max_ejected_percent = 100, lets every endpoint be ejected; requests are \
             then refused, since [panic] does not serve all",
        ));
    }
}

fn of_detector(detector: &Detector, endpoints: usize, found: &mut Vec<Problem>) {
    let Detector { key, minimum_hosts, enforce_percent } = detector;
    if let Some(least) = minimum_hosts
        && endpoints > 0
        && usize::try_from(*least).unwrap_or(usize::MAX) > endpoints
    {
        let message = format!(
            "{least} endpoints are needed and there are {endpoints}, so nobody is ever judged"
        );
        found.push(Problem::warning(format!("outlier.{key}.minimum_hosts"), message));
    }
    if enforce_percent.get() == 0 {
        found.push(Problem::warning(
            format!("outlier.{key}.enforce_percent"),
            "at 0 what is found is only told, and nothing is ejected for it",
        ));
    }
}

fn of_success_rate(rate: &SuccessRateConfig, endpoints: usize, found: &mut Vec<Problem>) {
    if rate.method() != SuccessRateMethod::A50 {
        return;
    }
    let default = SuccessRateConfig::default();
    let unread = [
        ("minimum_gap_percent", rate.minimum_gap_percent() != default.minimum_gap_percent()),
        ("minimum_failures", rate.minimum_failures() != default.minimum_failures()),
    ];
    for (key, _) in unread.into_iter().filter(|(_, unread)| *unread) {
        found.push(Problem::warning(
            format!("outlier.success_rate.{key}"),
            "method = \"a50\" does not read it, so it has no effect",
        ));
    }
    // The mean of n rates, one of them 0 and the others 1, minus factor deviations is above 0 only
    // if n is greater than this.
    let factor = rate.stdev_factor();
    let blind = 1.0 + factor * factor;
    let judges = usize::try_from(rate.minimum_hosts()).is_ok_and(|least| least <= endpoints);
    if judges && endpoints as f64 <= blind {
        let message = format!(
            "with {factor:?} deviations \"a50\" never finds one dead endpoint of {endpoints}: it \
             takes {} or a smaller factor; \"robust\" finds it",
            blind.floor() + 1.0
        );
        found.push(Problem::warning("outlier.success_rate.stdev_factor", message));
    }
}

pub(super) fn of_panic(panic: &PanicConfig, endpoints: usize, found: &mut Vec<Problem>) {
    let (threshold, exit) = (panic.threshold_percent(), panic.exit_percent());
    let left = endpoints.saturating_sub(1) as u128;
    let is_own = threshold != PanicConfig::default().threshold_percent();
    if threshold.get() == 100 {
        found.push(Problem::warning(
            "panic.threshold_percent",
            "at 100 a single endpoint that is out is panic already, so no ejection ever keeps \
             requests away",
        ));
    } else if is_own && endpoints > 1 && 100 * left < u128::from(threshold.get()) * (left + 1) {
        let message = format!(
            "one of {endpoints} endpoints out leaves fewer than {threshold}, so no ejection ever \
             keeps requests away"
        );
        found.push(Problem::warning("panic.threshold_percent", message));
    }
    if exit == threshold {
        found.push(Problem::warning(
            "panic.exit_percent",
            "equals threshold_percent, so one endpoint that goes and comes may begin and end panic \
             each time",
        ));
    }
}

pub(super) fn of_slow_start(slow_start: &SlowStartConfig, found: &mut Vec<Problem>) {
    if slow_start.min_weight_percent().get() == 100 {
        found.push(Problem::warning(
            "slow_start.min_weight_percent",
            "at 100 nothing grows: an endpoint that comes back takes its whole share at once",
        ));
    }
}
