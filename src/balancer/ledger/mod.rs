//! What traffic came to in the last minute or so: the time before, for whoever judges a change.

use std::collections::VecDeque;
use std::time::Duration;

use crate::endpoint::{EndpointCell, Totals};
use crate::snapshot::Snapshot;
use crate::units::Nanos;

/// The last few records of what all requests came to.
///
/// A record is due every ten seconds and written by whatever settles first after that, mostly a
/// pick: it needs no task, and where there is no traffic there are fewer records. What endpoints
/// that left had come to is carried on, so the sums never go back.
#[derive(Debug)]
pub(crate) struct Ledger {
    /// Oldest first; never empty.
    records: VecDeque<Record>,
    last: Record,
    /// What endpoints that are gone had come to when they left.
    gone: Totals,
    /// The most requests that one of them had been sent since the last record.
    gone_leader: u64,
    /// What requests came to that ended after their endpoint had left, of those that are known no more.
    late: Totals,
}

/// What all requests of a balancer had come to at one moment, since it was built.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) at: Nanos,
    pub(crate) totals: Totals,
    /// Requests that went to whichever endpoint got most between two records, summed over all
    /// pairs of records. Their part of all requests is the largest share; over several pairs it
    /// bounds it from above, and is exact where the same endpoint always leads.
    pub(crate) leading: u64,
    /// Endpoints that could be chosen.
    pub(crate) admitted: usize,
}

impl Ledger {
    /// How far apart records are at the least.
    pub(crate) const EVERY: Duration = Duration::from_secs(10);

    /// Records that are kept: what happened before them is forgotten.
    pub(crate) const KEPT: usize = 6;

    /// A ledger that begins at `now`, with nothing sent yet.
    pub(crate) fn new(now: Nanos, admitted: usize) -> Self {
        let first = Record { at: now, admitted, ..Record::default() };
        let mut records = VecDeque::with_capacity(Self::KEPT + 1);
        records.push_back(first);
        Self {
            records,
            last: first,
            gone: Totals::default(),
            gone_leader: 0,
            late: Totals::default(),
        }
    }

    /// When the next record is due.
    pub(crate) fn due(&self) -> Nanos {
        self.last.at.plus(Self::EVERY)
    }

    /// The last record.
    pub(crate) fn last(&self) -> Record {
        self.last
    }

    /// The oldest record: where the time before begins.
    pub(crate) fn oldest(&self) -> Record {
        self.records.front().copied().unwrap_or(self.last)
    }

    /// How things stand at `now`. Keeps nothing.
    pub(crate) fn read<T>(&self, snapshot: &Snapshot<T>, now: Nanos) -> Record {
        self.sum(snapshot, now, |_, _| {})
    }

    /// Writes a record of how things stand at `now`.
    pub(crate) fn note<T>(&mut self, snapshot: &Snapshot<T>, now: Nanos) {
        self.last = self.sum(snapshot, now, EndpointCell::note);
        self.gone_leader = 0;
        self.records.push_back(self.last);
        if self.records.len() > Self::KEPT {
            self.records.pop_front();
        }
    }

    /// Forgets what happened between `to` and `until`: what follows continues the time that lasted
    /// from `from` to `to`.
    pub(crate) fn forget(&mut self, from: &Record, to: &Record, until: &Record) {
        let leading = until.leading.saturating_sub(to.leading);
        self.records.clear();
        self.records.push_back(Record {
            totals: from.totals.plus(&until.totals.since(&to.totals)),
            leading: from.leading.saturating_add(leading),
            ..*from
        });
    }

    /// An endpoint has left. What it had come to is to be handed in again if it
    /// [returns](Self::returns).
    pub(crate) fn leaves(&mut self, cell: &EndpointCell) -> Totals {
        let totals = cell.totals();
        self.gone = self.gone.plus(&totals);
        self.gone_leader = self.gone_leader.max(cell.picks_since_noted(totals.picks));
        totals
    }

    /// An endpoint that left with `totals` is back.
    pub(crate) fn returns(&mut self, totals: &Totals) {
        self.gone = self.gone.since(totals);
    }

    /// An endpoint that left with `left_with` is known no more.
    pub(crate) fn forgets(&mut self, cell: &EndpointCell, left_with: &Totals) {
        self.late = self.late.plus(&cell.totals().since(left_with));
    }

    /// What requests have come to that ended after their endpoint had left, but for endpoints that
    /// are still known.
    #[cfg(feature = "metrics")]
    pub(crate) fn late(&self) -> &Totals {
        &self.late
    }

    fn sum<T>(
        &self,
        snapshot: &Snapshot<T>,
        now: Nanos,
        each: impl Fn(&EndpointCell, &Totals),
    ) -> Record {
        let (mut totals, mut leader) = (self.gone, self.gone_leader);
        for member in &snapshot.members {
            let cell = &member.bound.cell;
            let its = cell.totals();
            totals = totals.plus(&its);
            leader = leader.max(cell.picks_since_noted(its.picks));
            each(cell, &its);
        }
        let admitted = snapshot.rotation.of - snapshot.rotation.out;
        Record { at: now, totals, leading: self.last.leading.saturating_add(leader), admitted }
    }
}

#[cfg(all(test, feature = "config", not(evenkeel_loom)))]
mod tests;
