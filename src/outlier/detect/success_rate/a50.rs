//! Mean and standard deviation, as gRFC A50 and Envoy have it.

use super::{Judged, SuccessRate};
use crate::outlier::detect::Suspect;

pub(super) fn suspects(rule: &SuccessRate, judged: &[Judged]) -> Vec<Suspect> {
    let Some(threshold) = threshold(judged, rule.stdev_factor) else {
        return Vec::new();
    };
    judged.iter().filter(|it| it.rate < threshold).map(|it| it.suspect(threshold)).collect()
}

/// The mean minus `factor` population standard deviations, in percent; `None` for nobody.
fn threshold(judged: &[Judged], factor: f64) -> Option<f64> {
    let mut rates: Vec<f64> = judged.iter().map(|it| it.rate).collect();
    // In one order whatever the order of the endpoints, so that rounding is always the same; and
    // counted from the lowest, so that equal rates have that very mean and no deviation.
    rates.sort_unstable_by(f64::total_cmp);
    let lowest = *rates.first()?;
    let count = rates.len() as f64;
    let mean = lowest + rates.iter().map(|rate| rate - lowest).sum::<f64>() / count;
    let variance = rates.iter().map(|rate| (rate - mean).powi(2)).sum::<f64>() / count;
    Some(mean - factor * variance.sqrt())
}
