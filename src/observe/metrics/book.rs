//! What was told of a balancer, so that the next record tells the rest.

use std::collections::BTreeMap;

use metrics::SharedString;
use tokio::time::Instant;

use crate::balancer::{EndpointStatus, Figures, Status};
use crate::endpoint::{Availability, EndpointCell, Totals};
use crate::event::AlarmKind;
use crate::observe::metrics::catalogue as names;
use crate::observe::metrics::names::{Names, OTHER};
use crate::observe::metrics::sheet::Sheet;
use crate::observe::metrics::tallies::tier;
use crate::sync::Arc;
use crate::units::EndpointId;

/// The words for what becomes of requests.
const OUTCOMES: [&str; 4] = ["success", "failure", "overloaded", "ignored"];

/// The quantiles of latencies that are told.
const QUANTILES: [(f64, &str); 3] = [(0.5, "0.5"), (0.9, "0.9"), (0.99, "0.99")];

const STATES: [(Availability, &str); 7] = [
    (Availability::Available, "available"),
    (Availability::Warming, "warming"),
    (Availability::Probing, "probing"),
    (Availability::Ejected, "ejected"),
    (Availability::Unhealthy, "unhealthy"),
    (Availability::Draining, "draining"),
    (Availability::Disabled, "disabled"),
];

/// The figures of a balancer as they were told last.
#[derive(Debug)]
pub(super) struct Book {
    /// Whether endpoints are told one by one.
    pub(super) per_endpoint: bool,
    pub(super) names: Names,
    requests: Requests,
    totals: Totals,
    checks: (u64, u64),
    /// Every endpoint of the set, and those that have left and are remembered or have requests in
    /// flight.
    endpoints: BTreeMap<EndpointId, Known>,
    /// The quantiles of the last answers there were.
    quantiles: [f64; QUANTILES.len()],
}

/// What requests came to, as far as it was told. What reads a little too low for an instant counts as
/// told, so that nothing is told twice.
#[derive(Clone, Copy, Debug, Default)]
struct Requests {
    picks: u64,
    outcomes: [u64; OUTCOMES.len()],
}

impl Requests {
    fn of(totals: &Totals) -> Self {
        let Totals { picks, successes, failures, overloaded, ignored, .. } = *totals;
        Self { picks, outcomes: [successes, failures, overloaded, ignored] }
    }

    fn is_nothing(&self) -> bool {
        self.picks == 0 && self.outcomes == [0; OUTCOMES.len()]
    }

    /// What is new in `now`, which is told from here on.
    fn tell(&mut self, now: Self) -> Self {
        let mut new = Self { picks: advance(&mut self.picks, now.picks), ..Self::default() };
        let both = self.outcomes.iter_mut().zip(now.outcomes);
        new.outcomes.iter_mut().zip(both).for_each(|(new, (told, now))| *new = advance(told, now));
        new
    }
}

fn advance(told: &mut u64, now: u64) -> u64 {
    let new = now.saturating_sub(*told);
    *told += new;
    new
}

/// One endpoint. The id alone may be that of a stranger who came after it, so it is known by its cell.
#[derive(Debug)]
struct Known {
    cell: Arc<EndpointCell>,
    told: Requests,
    /// It is in the set.
    is_there: bool,
    /// It is in the set, or is remembered.
    is_known: bool,
}

impl Book {
    /// A book that begins with these figures: what came before is not told.
    pub(super) fn new(most: usize, figures: Option<&Figures>) -> Self {
        let totals = figures.map(|figures| figures.totals).unwrap_or_default();
        let cells = figures.iter().flat_map(|figures| figures.cells.iter().chain(&figures.left));
        let old = |cell: &Arc<EndpointCell>| {
            let told = Requests::of(&cell.totals());
            Known { told, ..Known::new(cell) }
        };
        let endpoints = cells.map(|cell| (cell.id().clone(), old(cell))).collect();
        Self {
            per_endpoint: false,
            names: Names::new(most),
            requests: Requests::of(&totals),
            totals,
            checks: figures.map(|figures| figures.checks).unwrap_or_default(),
            endpoints,
            quantiles: [0.0; QUANTILES.len()],
        }
    }

    /// Writes what is new, and how things stand.
    pub(super) fn write(&mut self, figures: &Figures, sheet: &mut Sheet, now: Instant) {
        let Figures { status, totals, checks, .. } = figures;
        requests(
            sheet,
            self.requests.tell(Requests::of(totals)),
            |sheet, picks| sheet.add(&names::PICKS, [], picks),
            |sheet, outcome, ended| sheet.add(&names::OUTCOMES, [outcome], ended),
        );
        self.latencies(totals, sheet);
        for (told, now, result) in
            [(&mut self.checks.0, checks.0, "good"), (&mut self.checks.1, checks.1, "bad")]
        {
            sheet.add(&names::CHECKS, [result.into()], advance(told, now));
        }
        stands(status, sheet);
        self.names.forget(now);
        self.endpoints(figures, sheet, now);
    }

    fn latencies(&mut self, totals: &Totals, sheet: &mut Sheet) {
        let new = totals.latencies.since(&self.totals.latencies);
        self.totals = *totals;
        for (end, below) in new.by_octaves() {
            let end = end.map_or_else(|| "+Inf".to_owned(), |end| (end as f64 / 1e9).to_string());
            sheet.add(&names::LATENCY_BUCKETS, [end.into()], below);
        }
        for (told, (quantile, label)) in self.quantiles.iter_mut().zip(QUANTILES) {
            if let Some(nanos) = new.quantile(quantile) {
                *told = nanos as f64 / 1e9;
            }
            sheet.set(&names::LATENCY_QUANTILE, [label.into()], *told);
        }
    }

    /// Looks at every endpoint, whether they are told one by one or not: who got most is told anyway.
    fn endpoints(&mut self, figures: &Figures, sheet: &mut Sheet, now: Instant) {
        self.endpoints.values_mut().for_each(Known::is_nowhere);
        for (cells, is_there) in [(&figures.cells, true), (&figures.left, false)] {
            for cell in cells {
                match self.endpoints.get_mut(cell.id()) {
                    Some(known) if Arc::ptr_eq(&known.cell, cell) => known.is_at(is_there),
                    // Of a stranger who came after it nothing was told. What the one before came to
                    // since is lost to the endpoint's own counters; the sums have it.
                    _ => {
                        let known = Known { is_there, ..Known::new(cell) };
                        self.endpoints.insert(cell.id().clone(), known);
                    }
                }
            }
        }
        let (mut sum, mut most, mut held) = (0, 0, 0);
        let Self { endpoints, names, per_endpoint, .. } = self;
        endpoints.retain(|id, known| {
            // Before its counters, so that nothing ends in between unseen.
            let in_flight = known.cell.in_flight();
            let new = known.told.tell(Requests::of(&known.cell.totals()));
            held += in_flight;
            sum += new.picks;
            most = most.max(new.picks);
            if *per_endpoint && (known.is_there || in_flight > 0 || !new.is_nothing()) {
                let label = names.of(id.as_str(), now);
                let status = figures.status.endpoint(id).filter(|_| known.is_there);
                tell(sheet, label, in_flight, new, status);
            }
            known.is_known || in_flight > 0
        });
        let share = if sum == 0 { 0.0 } else { most as f64 / sum as f64 };
        sheet.set(&names::SHARE_REALISED, [], share);
        // Those to endpoints that left long ago among them.
        sheet.set(&names::IN_FLIGHT, [], held as f64);
    }
}

impl Known {
    /// One of which nothing was told.
    fn new(cell: &Arc<EndpointCell>) -> Self {
        let told = Requests::default();
        Self { cell: Arc::clone(cell), told, is_there: true, is_known: true }
    }

    fn is_nowhere(&mut self) {
        (self.is_there, self.is_known) = (false, false);
    }

    fn is_at(&mut self, is_there: bool) {
        (self.is_there, self.is_known) = (is_there, true);
    }
}

/// How the balancer stands.
fn stands(status: &Status, sheet: &mut Sheet) {
    for (state, word) in STATES {
        let count = status.endpoints.iter().filter(|endpoint| endpoint.state == state).count();
        sheet.set(&names::ENDPOINTS, [word.into()], count as f64);
    }
    for it in &status.tiers {
        let label = tier(it.tier);
        sheet.add(&names::PANICS, [label.clone()], 0);
        sheet.set(&names::TIER_ENDPOINTS, [label.clone()], it.endpoints as f64);
        sheet.set(&names::TIER_ADMITTED, [label.clone()], it.admitted as f64);
        sheet.set(&names::TIER_LOAD, [label.clone()], it.load);
        sheet.set(&names::TIER_PANIC, [label], f64::from(u8::from(it.panic)));
    }
    sheet.set(&names::SET_AGE, [], status.set_age.as_secs_f64());
    sheet.set(&names::PANIC, [], f64::from(u8::from(status.panic)));
    for name in AlarmKind::NAMES {
        let is_raised = status.alarms.iter().any(|alarm| alarm.kind.name() == *name);
        sheet.set(&names::ALARM, [SharedString::const_str(name)], f64::from(u8::from(is_raised)));
    }
    sheet.set(&names::VERSION_CONFIG, [], status.version.config as f64);
    sheet.set(&names::VERSION_SET, [], status.version.set as f64);
    sheet.set(&names::STRATEGY, [status.strategy.clone().into()], 1.0);
    let shares = status.endpoints.iter().map(|endpoint| endpoint.expected_share);
    sheet.set(&names::SHARE_INTENDED, [], shares.fold(0.0, f64::max));
}

/// One endpoint under its label, or as one of the others.
fn tell(
    sheet: &mut Sheet,
    label: Option<SharedString>,
    in_flight: u64,
    new: Requests,
    status: Option<&EndpointStatus>,
) {
    let is_named = label.is_some();
    let label = label.unwrap_or(SharedString::const_str(OTHER));
    let endpoint = || [label.clone()];
    requests(
        sheet,
        new,
        |sheet, picks| sheet.add(&names::ENDPOINT_PICKS, endpoint(), picks),
        |sheet, outcome, ended| {
            sheet.add(&names::ENDPOINT_OUTCOMES, [label.clone(), outcome], ended);
        },
    );
    sheet.set(&names::ENDPOINT_IN_FLIGHT, endpoint(), in_flight as f64);
    let weight = status.map_or(0.0, |it| it.effective_weight);
    sheet.set(&names::ENDPOINT_WEIGHT, endpoint(), weight);
    let share = status.map_or(0.0, |it| it.expected_share);
    sheet.set(&names::ENDPOINT_SHARE, endpoint(), share);
    // The sum of several would say nothing.
    if is_named {
        let latency = status.and_then(|it| it.latency).unwrap_or_default();
        sheet.set(&names::ENDPOINT_LATENCY, endpoint(), latency.as_secs_f64());
    }
    for (state, word) in STATES {
        let is_in = status.is_some_and(|it| it.state == state);
        let value = f64::from(u8::from(is_in));
        sheet.set(&names::ENDPOINT_STATE, [label.clone(), word.into()], value);
    }
}

fn requests(
    sheet: &mut Sheet,
    new: Requests,
    picks: impl Fn(&mut Sheet, u64),
    outcomes: impl Fn(&mut Sheet, SharedString, u64),
) {
    picks(sheet, new.picks);
    for (outcome, ended) in OUTCOMES.into_iter().zip(new.outcomes) {
        outcomes(sheet, outcome.into(), ended);
    }
}
