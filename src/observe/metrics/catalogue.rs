//! Every metric there is: its name, its labels, its unit, its meaning. `docs/metrics.md` is held
//! against this list.

use metrics::{KeyName, Recorder, SharedString, Unit};

/// What a metric is to a recorder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Counter,
    Gauge,
}

/// One metric.
#[derive(Debug)]
pub(super) struct Metric {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    /// Besides `balancer`, which all have, in their order.
    pub(super) labels: &'static [&'static str],
    pub(super) unit: Option<Unit>,
    pub(super) help: &'static str,
}

impl Metric {
    const fn counter(
        name: &'static str,
        labels: &'static [&'static str],
        help: &'static str,
    ) -> Self {
        Self { name, kind: Kind::Counter, labels, unit: Some(Unit::Count), help }
    }

    const fn gauge(
        name: &'static str,
        labels: &'static [&'static str],
        unit: Option<Unit>,
        help: &'static str,
    ) -> Self {
        Self { name, kind: Kind::Gauge, labels, unit, help }
    }

    fn describe(&self, recorder: &dyn Recorder) {
        let name = KeyName::from_const_str(self.name);
        let help = SharedString::const_str(self.help);
        match self.kind {
            Kind::Counter => recorder.describe_counter(name, self.unit, help),
            Kind::Gauge => recorder.describe_gauge(name, self.unit, help),
        }
    }
}

/// Tells a recorder what the metrics mean.
pub(super) fn describe(recorder: &dyn Recorder) {
    ALL.iter().for_each(|metric| metric.describe(recorder));
}

const COUNT: Option<Unit> = Some(Unit::Count);
const SECONDS: Option<Unit> = Some(Unit::Seconds);

pub(super) static PICKS: Metric =
    Metric::counter("evenkeel_picks_total", &[], "Requests sent to an endpoint");
pub(super) static OUTCOMES: Metric = Metric::counter(
    "evenkeel_outcomes_total",
    &["outcome"],
    "Requests that ended, by what their answers say about the endpoint",
);
pub(super) static LATENCY_BUCKETS: Metric = Metric::counter(
    "evenkeel_latency_seconds_bucket_total",
    &["le"],
    "Good answers that were timed and took less than so many seconds",
);
pub(super) static EJECTIONS_ENFORCED: Metric = Metric::counter(
    "evenkeel_ejections_enforced_total",
    &["rule"],
    "Endpoints taken out, by what spoke against them",
);
pub(super) static EJECTIONS_UNENFORCED: Metric = Metric::counter(
    "evenkeel_ejections_unenforced_total",
    &["rule", "reason"],
    "Endpoints that something spoke against and that stayed, and why",
);
pub(super) static RECOVERIES: Metric =
    Metric::counter("evenkeel_recoveries_total", &["step"], "Steps of endpoints on their way back");
pub(super) static PANICS: Metric =
    Metric::counter("evenkeel_panics_total", &["tier"], "Times that a tier began to panic");
pub(super) static UPDATES: Metric =
    Metric::counter("evenkeel_updates_total", &["change"], "Changes that were published");
pub(super) static UPDATES_REFUSED: Metric =
    Metric::counter("evenkeel_updates_refused_total", &["reason"], "Changes that were refused");
pub(super) static VERDICTS: Metric =
    Metric::counter("evenkeel_verdicts_total", &["verdict"], "Guarded changes that were judged");
pub(super) static EVENTS: Metric =
    Metric::counter("evenkeel_events_total", &["kind"], "Events of every kind");
pub(super) static EVENTS_MISSED: Metric = Metric::counter(
    "evenkeel_events_missed_total",
    &[],
    "Events that were dropped before they could be counted",
);
pub(super) static CHECKS: Metric =
    Metric::counter("evenkeel_checks_total", &["result"], "Active checks that ended");

pub(super) static IN_FLIGHT: Metric = Metric::gauge(
    "evenkeel_in_flight",
    &[],
    COUNT,
    "Requests in flight, those to endpoints that have left among them",
);
pub(super) static ENDPOINTS: Metric =
    Metric::gauge("evenkeel_endpoints", &["state"], COUNT, "Endpoints of the set, by their state");
pub(super) static TIER_ENDPOINTS: Metric = Metric::gauge(
    "evenkeel_tier_endpoints",
    &["tier"],
    COUNT,
    "Endpoints of a tier that could be chosen were they well",
);
pub(super) static TIER_ADMITTED: Metric = Metric::gauge(
    "evenkeel_tier_endpoints_admitted",
    &["tier"],
    COUNT,
    "Those of them that are not out",
);
pub(super) static TIER_LOAD: Metric = Metric::gauge(
    "evenkeel_tier_load_ratio",
    &["tier"],
    None,
    "The part of all requests that goes to a tier, from 0 to 1",
);
pub(super) static TIER_PANIC: Metric = Metric::gauge(
    "evenkeel_tier_panic",
    &["tier"],
    None,
    "1 while health is not believed in a tier",
);
pub(super) static PANIC: Metric =
    Metric::gauge("evenkeel_panic", &[], None, "1 while health is not believed in some tier");
pub(super) static ALARM: Metric =
    Metric::gauge("evenkeel_alarm", &["alarm"], None, "1 while an alarm of this kind is raised");
pub(super) static VERSION_CONFIG: Metric = Metric::gauge(
    "evenkeel_version_config",
    &[],
    None,
    "The version of settings and what operators say",
);
pub(super) static VERSION_SET: Metric =
    Metric::gauge("evenkeel_version_set", &[], None, "The version of the set of endpoints");
pub(super) static SET_AGE: Metric = Metric::gauge(
    "evenkeel_set_age_seconds",
    &[],
    SECONDS,
    "How long ago a set of endpoints was taken last, changed or not",
);
pub(super) static STRATEGY: Metric =
    Metric::gauge("evenkeel_strategy", &["strategy"], None, "1 for the strategy that chooses");
pub(super) static SHARE_INTENDED: Metric = Metric::gauge(
    "evenkeel_largest_share_intended_ratio",
    &[],
    None,
    "The largest part of the requests that an endpoint gets while all are equally loaded",
);
pub(super) static SHARE_REALISED: Metric = Metric::gauge(
    "evenkeel_largest_share_realised_ratio",
    &[],
    None,
    "The largest part of the requests since the last record that went to one endpoint",
);
pub(super) static LATENCY_QUANTILE: Metric = Metric::gauge(
    "evenkeel_latency_quantile_seconds",
    &["quantile"],
    SECONDS,
    "The time within which a part of the good answers since the last record came",
);

pub(super) static ENDPOINT_PICKS: Metric = Metric::counter(
    "evenkeel_endpoint_picks_total",
    &["endpoint"],
    "Requests sent to an endpoint, by endpoint",
);
pub(super) static ENDPOINT_OUTCOMES: Metric = Metric::counter(
    "evenkeel_endpoint_outcomes_total",
    &["endpoint", "outcome"],
    "Requests that ended, by endpoint and by what their answers say about it",
);
pub(super) static ENDPOINT_IN_FLIGHT: Metric = Metric::gauge(
    "evenkeel_endpoint_in_flight",
    &["endpoint"],
    COUNT,
    "Requests in flight, by endpoint",
);
pub(super) static ENDPOINT_WEIGHT: Metric = Metric::gauge(
    "evenkeel_endpoint_weight",
    &["endpoint"],
    None,
    "The weight an endpoint is chosen by, a part of it while it warms up",
);
pub(super) static ENDPOINT_SHARE: Metric = Metric::gauge(
    "evenkeel_endpoint_expected_share_ratio",
    &["endpoint"],
    None,
    "The part of the requests an endpoint gets while all are equally loaded",
);
pub(super) static ENDPOINT_LATENCY: Metric = Metric::gauge(
    "evenkeel_endpoint_latency_seconds",
    &["endpoint"],
    SECONDS,
    "The moving average of an endpoint's latency",
);
pub(super) static ENDPOINT_STATE: Metric = Metric::gauge(
    "evenkeel_endpoint_state",
    &["endpoint", "state"],
    None,
    "1 for the state an endpoint is in",
);

/// All of them.
pub(super) static ALL: &[&Metric] = &[
    &PICKS,
    &OUTCOMES,
    &LATENCY_BUCKETS,
    &EJECTIONS_ENFORCED,
    &EJECTIONS_UNENFORCED,
    &RECOVERIES,
    &PANICS,
    &UPDATES,
    &UPDATES_REFUSED,
    &VERDICTS,
    &EVENTS,
    &EVENTS_MISSED,
    &CHECKS,
    &IN_FLIGHT,
    &ENDPOINTS,
    &TIER_ENDPOINTS,
    &TIER_ADMITTED,
    &TIER_LOAD,
    &TIER_PANIC,
    &PANIC,
    &ALARM,
    &VERSION_CONFIG,
    &VERSION_SET,
    &SET_AGE,
    &STRATEGY,
    &SHARE_INTENDED,
    &SHARE_REALISED,
    &LATENCY_QUANTILE,
    &ENDPOINT_PICKS,
    &ENDPOINT_OUTCOMES,
    &ENDPOINT_IN_FLIGHT,
    &ENDPOINT_WEIGHT,
    &ENDPOINT_SHARE,
    &ENDPOINT_LATENCY,
    &ENDPOINT_STATE,
];

#[cfg(test)]
mod tests {
    use super::*;

    /// The rows of the tables of `docs/metrics.md`: name, kind, labels, unit.
    fn documented() -> Vec<[String; 4]> {
        let page = include_str!("../../../docs/metrics.md");
        let rows = page.lines().filter(|line| line.starts_with("| `evenkeel_"));
        let cells = |row: &str| {
            let mut cells = row.split('|').skip(1).map(|cell| cell.trim().replace('`', ""));
            std::array::from_fn(|_| cells.next().unwrap_or_default())
        };
        rows.map(cells).collect()
    }

    #[test]
    fn the_page_lists_every_metric_and_no_other() {
        let listed = ALL.iter().map(|metric| {
            let kind = match metric.kind {
                Kind::Counter => "counter",
                Kind::Gauge => "gauge",
            };
            let unit = metric.unit.map_or("", |unit| unit.as_str());
            [metric.name, kind, &metric.labels.join(", "), unit].map(str::to_owned)
        });
        assert_eq!(documented(), listed.collect::<Vec<_>>());
    }

    #[test]
    fn names_are_as_prometheus_wants_them() {
        for metric in ALL {
            let fine = |c: char| c.is_ascii_lowercase() || c == '_';
            assert!(metric.name.chars().all(fine), "{}", metric.name);
            assert_eq!(metric.kind == Kind::Counter, metric.name.ends_with("_total"));
            let seconds = metric.name.ends_with("_seconds");
            assert_eq!(metric.unit == SECONDS, seconds, "{}", metric.name);
            assert!(!metric.help.is_empty() && !metric.help.ends_with('.'), "{}", metric.name);
        }
    }
}
