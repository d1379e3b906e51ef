//! What one record says, put together before a recorder hears of it.

use std::collections::HashMap;

use metrics::{Key, Label, Level, Metadata, Recorder, SharedString};

use crate::observe::metrics::catalogue::Metric;

/// Additions to counters and values of gauges. What is said twice of one key is added up.
#[derive(Debug)]
pub(super) struct Sheet {
    balancer: SharedString,
    counters: HashMap<Key, u64>,
    gauges: HashMap<Key, f64>,
}

static METADATA: Metadata<'static> =
    Metadata::new("evenkeel", Level::INFO, Some("evenkeel::observe"));

impl Sheet {
    pub(super) fn new(balancer: SharedString) -> Self {
        Self { balancer, counters: HashMap::new(), gauges: HashMap::new() }
    }

    /// A counter has grown by this much, or by nothing, so that it is there from the beginning.
    pub(super) fn add<const N: usize>(
        &mut self,
        metric: &Metric,
        labels: [SharedString; N],
        more: u64,
    ) {
        let key = self.key(metric, labels);
        let sum = self.counters.entry(key).or_default();
        *sum = sum.saturating_add(more);
    }

    /// A gauge stands at this.
    pub(super) fn set<const N: usize>(
        &mut self,
        metric: &Metric,
        labels: [SharedString; N],
        value: f64,
    ) {
        let key = self.key(metric, labels);
        *self.gauges.entry(key).or_default() += value;
    }

    /// Tells a recorder. Gauges that were `told` before and of which nothing is said any more are set
    /// to zero, once.
    pub(super) fn tell(self, recorder: &dyn Recorder, told: &mut Vec<Key>) {
        for (key, more) in self.counters {
            recorder.register_counter(&key, &METADATA).increment(more);
        }
        for key in told.drain(..).filter(|key| !self.gauges.contains_key(key)) {
            recorder.register_gauge(&key, &METADATA).set(0.0);
        }
        for (key, value) in self.gauges {
            recorder.register_gauge(&key, &METADATA).set(value);
            told.push(key);
        }
    }

    fn key<const N: usize>(&self, metric: &Metric, values: [SharedString; N]) -> Key {
        debug_assert_eq!(metric.labels.len(), N, "{}", metric.name);
        let mut labels = Vec::with_capacity(N + 1);
        labels.push(Label::new("balancer", self.balancer.clone()));
        let named = metric.labels.iter().zip(values);
        labels.extend(named.map(|(&name, value)| Label::new(name, value)));
        Key::from_parts(metric.name, labels)
    }
}
