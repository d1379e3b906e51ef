//! What is looked at once an interval.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::balancer::docket::{Charge, Docket, Told};
use crate::endpoint::{EndpointCell, Totals};
use crate::event::Event;
use crate::outlier::{Detector, Judge, Observed, Rules, Suspect, Sweep, judges};
use crate::snapshot::{Member, Snapshot};
use crate::sync::Arc;
use crate::units::{EndpointId, Nanos};

/// When the next sweep is due, what it judges by, and what endpoints had come to at the last one.
#[derive(Debug)]
pub(crate) struct Sweeps {
    due: Nanos,
    own: Vec<(Arc<str>, Arc<dyn Detector>)>,
    judges: Vec<Judge>,
    /// The rules that the judges are for.
    of: Option<Arc<Rules>>,
    /// In the order of the ids.
    marks: Vec<Mark>,
}

/// What an endpoint had come to at the last sweep. One that comes back as a stranger, with a new
/// cell, is another one.
#[derive(Debug)]
struct Mark {
    cell: Arc<EndpointCell>,
    totals: Totals,
}

/// What an endpoint did since the last sweep, and where it stands in the snapshot.
struct Account<'a> {
    at: usize,
    id: &'a EndpointId,
    totals: Totals,
}

impl Sweeps {
    /// Sweeps that also judge by these detectors, whatever the settings say.
    pub(crate) fn new(own: Vec<(Arc<str>, Arc<dyn Detector>)>) -> Self {
        Self { due: Nanos::NEVER, own, judges: Vec::new(), of: None, marks: Vec::new() }
    }

    pub(crate) fn due(&self) -> Nanos {
        self.due
    }

    /// Makes a sweep due where there is something to sweep for.
    pub(crate) fn plan<T>(&mut self, served: &Snapshot<T>, now: Nanos) {
        if !self.of.as_ref().is_some_and(|of| Arc::ptr_eq(of, &served.rules)) {
            self.judges = judges(&served.config, &self.own);
            self.of = Some(Arc::clone(&served.rules));
            if self.judges.is_empty() {
                self.marks = Vec::new();
            } else if self.marks.is_empty() {
                self.mark(served);
            }
        }
        let wanted = served.has_strikes || !self.judges.is_empty();
        let next = Nanos(now.0.saturating_add(served.rules.interval));
        // A shorter interval holds at once.
        self.due = if wanted { self.due.min(next) } else { Nanos::NEVER };
    }

    /// What `member` did until now is not held against it by the next sweep.
    pub(crate) fn turn_page<T>(&mut self, member: &Member<T>) {
        let known = self.marks.binary_search_by(|mark| mark.cell.id().cmp(member.id()));
        if let Some(mark) = known.ok().and_then(|at| self.marks.get_mut(at)) {
            mark.totals = mark.cell.totals();
        }
    }

    /// Judges what was done since the last sweep.
    pub(crate) fn sweep<T>(
        &mut self,
        docket: &mut Docket<'_, T>,
        told: &mut Told,
        base: &Snapshot<T>,
        now: Nanos,
    ) {
        self.due = Nanos(now.0.saturating_add(base.rules.interval));
        docket.interval_ends();
        if self.judges.is_empty() {
            return;
        }
        let mut charges: Vec<(Suspect, usize, Charge)> = Vec::new();
        let accounts = self.accounts(base);
        let observed: Vec<_> = accounts.iter().map(Account::observed).collect();
        let sweep = Sweep::new(&observed);
        for judge in &self.judges {
            // A detector may be the user's own.
            let judged = catch_unwind(AssertUnwindSafe(|| judge.detector.judge(&sweep)));
            let Ok(suspects) = judged else {
                docket.tell(Event::DetectorPanicked { rule: judge.rule.clone() });
                continue;
            };
            for suspect in suspects {
                let Some(account) = accounts.get(suspect.index()) else { continue };
                let (observed, threshold) = (suspect.observed(), suspect.threshold());
                let (rule, enforced) = (judge.rule.clone(), judge.enforced);
                let charge = Charge { rule, observed, threshold, enforced };
                charges.push((suspect, account.at, charge));
            }
        }
        charges.sort_by(|a, b| a.0.worst_first(&b.0));
        for (_, at, charge) in charges {
            docket.charge(at, charge, told);
        }
        self.mark(base);
    }

    /// What the endpoints did that are admitted. One that was not there at the last sweep is
    /// judged at the next.
    fn accounts<'a, T>(&self, base: &'a Snapshot<T>) -> Vec<Account<'a>> {
        let mut marks = self.marks.iter().peekable();
        let mut accounts = Vec::with_capacity(base.members.len());
        for (at, member) in base.members.iter().enumerate() {
            let id = member.id();
            while marks.next_if(|mark| mark.cell.id() < id).is_some() {}
            let mark = marks.next_if(|mark| mark.cell.id() == id);
            let mark = mark.filter(|mark| Arc::ptr_eq(&mark.cell, &member.bound.cell));
            let admitted = member.is_in_rotation() && !member.standing().is_out();
            if let Some(mark) = mark.filter(|_| admitted) {
                let totals = member.bound.cell.totals().since(&mark.totals);
                accounts.push(Account { at, id, totals });
            }
        }
        accounts
    }

    fn mark<T>(&mut self, base: &Snapshot<T>) {
        let mark = |member: &Member<T>| {
            let cell = Arc::clone(&member.bound.cell);
            let totals = cell.totals();
            Mark { cell, totals }
        };
        self.marks.clear();
        self.marks.extend(base.members.iter().map(mark));
    }
}

impl Account<'_> {
    fn observed(&self) -> Observed<'_> {
        Observed::new(self.id)
            .with_successes(self.totals.successes)
            .with_failures(self.totals.failures)
            .with_overloaded(self.totals.overloaded)
            .with_timings(&self.totals.latencies)
    }
}
