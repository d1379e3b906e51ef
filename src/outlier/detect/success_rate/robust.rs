//! Median of the peers, spread of the peers, and chance.

use std::f64::consts::PI;

use super::{Judged, SuccessRate};
use crate::outlier::detect::Suspect;
use crate::outlier::detect::chance::margin;
use crate::outlier::detect::middle::Middle;

/// Turns the median distance from the median into the standard deviation of a normal distribution:
/// one over its upper quartile.
const MAD_TO_DEVIATION: f64 = 1.4826;

pub(super) fn suspects(rule: &SuccessRate, judged: &[Judged]) -> Vec<Suspect> {
    let Some(peers) = Peers::new(judged) else {
        return Vec::new();
    };
    let least = f64::from(rule.minimum_gap.get());
    let mut spreads = Spreads { judged, known: Vec::new() };
    let suspect = |it: &Judged| {
        let centre = peers.rates.of_others(it.rate);
        // Most endpoints leave here.
        if it.unsuccessful < rule.minimum_failures || it.rate >= centre - least {
            return None;
        }
        let spread = spreads.around(centre)?.of_others((it.rate - centre).abs());
        let spread = (rule.stdev_factor * MAD_TO_DEVIATION * spread).min(centre / 2.0);
        let luck = 100.0 * peers.luck(it, centre / 100.0);
        // `max` drops what is not a number.
        let threshold = centre - least.max(spread).max(luck);
        (it.rate < threshold).then(|| it.suspect(threshold))
    };
    judged.iter().filter_map(suspect).collect()
}

/// What is known of all who are judged, and so of each one's peers.
struct Peers {
    count: usize,
    rates: Middle,
    typical_volume: f64,
}

impl Peers {
    fn new(judged: &[Judged]) -> Option<Self> {
        let mut values: Vec<f64> = judged.iter().map(|it| it.rate).collect();
        let rates = Middle::of(&mut values)?;
        values.clear();
        values.extend(judged.iter().map(|it| it.requests as f64));
        let typical_volume = Middle::of(&mut values)?.of_all();
        Some(Self { count: judged.len(), rates, typical_volume })
    }

    /// How far below its peers' success rate chance alone may put an endpoint.
    fn luck(&self, it: &Judged, centre: f64) -> f64 {
        // The median of many rates is as certain as the mean of 2/π of them.
        let behind = (self.count - 1) as f64 * self.typical_volume * 2.0 / PI;
        // One success and one failure more than were seen (Laplace): peers who have never failed
        // are not known never to fail.
        let failing = ((1.0 - centre) * behind + 1.0) / (behind + 2.0);
        // Both sides of the comparison vary: their variances add up.
        let requests = 1.0 / (1.0 / it.requests as f64 + 1.0 / behind);
        margin(failing, requests, self.count)
    }
}

/// How far the endpoints are from a centre. Of those below their peers' median all have the same
/// one, but for the endpoint that is in the middle itself, so there are two at most.
struct Spreads<'a> {
    judged: &'a [Judged],
    known: Vec<(f64, Middle)>,
}

impl Spreads<'_> {
    fn around(&mut self, centre: f64) -> Option<Middle> {
        if let Some(known) = self.known.iter().find(|it| it.0 == centre) {
            return Some(known.1);
        }
        let mut distances: Vec<f64> =
            self.judged.iter().map(|it| (it.rate - centre).abs()).collect();
        let middle = Middle::of(&mut distances)?;
        self.known.push((centre, middle));
        Some(middle)
    }
}
