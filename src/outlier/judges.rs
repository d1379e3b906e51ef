//! The detectors that the settings ask for.

use crate::config::{Config, FailurePercentageConfig, LatencyConfig, SuccessRateConfig};
use crate::event::Rule;
use crate::outlier::{Detector, FailurePercentage, Latency, SuccessRate};
use crate::sync::Arc;
use crate::units::Percent;

const ALL: Percent = Percent::new(100).expect("100 is at most 100");

/// A detector, what its findings are called, and how many of a hundred are followed.
#[derive(Debug)]
pub(crate) struct Judge {
    pub(crate) rule: Rule,
    pub(crate) enforced: Percent,
    pub(crate) detector: Arc<dyn Detector>,
}

/// Those that judge sweeps under these settings, the user's own among them.
pub(crate) fn judges(config: &Config, own: &[(Arc<str>, Arc<dyn Detector>)]) -> Vec<Judge> {
    let mut judges = Vec::new();
    let mut add = |rule, enforced, detector| judges.push(Judge { rule, enforced, detector });
    if let Some(outlier) = config.outlier() {
        if let Some(rule) = outlier.success_rate() {
            add(Rule::SuccessRate, rule.enforce_percent(), Arc::new(success_rate(rule)));
        }
        if let Some(rule) = outlier.failure_percentage() {
            let detector = Arc::new(failure_percentage(rule));
            add(Rule::FailurePercentage, rule.enforce_percent(), detector);
        }
        if let Some(rule) = outlier.latency() {
            add(Rule::Latency, rule.enforce_percent(), Arc::new(latency(rule)));
        }
    }
    for (name, detector) in own {
        add(Rule::Custom(Arc::clone(name)), ALL, Arc::clone(detector));
    }
    judges
}

fn success_rate(config: &SuccessRateConfig) -> SuccessRate {
    SuccessRate {
        method: config.method(),
        stdev_factor: config.stdev_factor(),
        minimum_hosts: config.minimum_hosts() as usize,
        minimum_gap: config.minimum_gap_percent(),
        minimum_failures: config.minimum_failures().into(),
        request_volume: config.request_volume().into(),
    }
}

fn failure_percentage(config: &FailurePercentageConfig) -> FailurePercentage {
    FailurePercentage {
        threshold: config.threshold(),
        minimum_hosts: config.minimum_hosts() as usize,
        request_volume: config.request_volume().into(),
    }
}

fn latency(config: &LatencyConfig) -> Latency {
    Latency {
        factor: config.factor(),
        quantile: config.quantile(),
        minimum_gap: config.minimum_gap(),
        minimum_hosts: config.minimum_hosts() as usize,
        request_volume: config.request_volume().into(),
    }
}
