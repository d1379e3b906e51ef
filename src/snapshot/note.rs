//! Notes what became of a pick, where that is recorded.

use crate::decision::{Entry, PickReason};
use crate::endpoint::{EndpointCell, Line};
use crate::error::PickError;
use crate::snapshot::Snapshot;
use crate::snapshot::tables::Table;
use crate::strategy::{Candidate, PickContext};
use crate::sync::Arc;
use crate::units::{EndpointId, Key};

impl<T> Snapshot<T> {
    /// Counts the request in where it was chosen to go, and notes it.
    #[cold]
    #[inline(never)]
    pub(super) fn begin_noted(
        &self,
        table: &Table<T>,
        index: usize,
        line: Line,
        cx: &PickContext<'_>,
    ) -> Option<u64> {
        let number = line.enter(cx.now)?;
        self.note(cx, table, index);
        Some(number)
    }

    /// The request was begun with this candidate of a table.
    #[cold]
    #[inline(never)]
    pub(super) fn note(&self, cx: &PickContext<'_>, table: &Table<T>, index: usize) {
        let Some(trace) = &cx.trace else { return };
        let id = |index: usize| table.candidates.get(index).map(Candidate::id);
        let owner = cx.hash().and_then(|hash| table.picker.owner(hash));
        let reason = match (owner, trace.reason) {
            (_, PickReason::Elsewhere) => PickReason::Elsewhere,
            (Some(owner), known) => self.reason(cx.key, owner, id(index), known),
            (None, known) => known,
        };
        // One that was compared and not chosen was not chosen for its cost.
        let is_among = || trace.list().iter().any(|&(compared, _)| compared as usize == index);
        let is_least = reason != PickReason::LeastCost
            || trace.compared as usize > trace.list().len()
            || is_among();
        self.record(cx, |entry| {
            entry.reason = if is_least { reason } else { PickReason::Strategy };
            (entry.tier, entry.zone) = (Some(table.key.tier), table.key.zone.clone());
            (entry.chosen, entry.owner) = (id(index).cloned(), owner.cloned());
            entry.compare(trace, id);
        });
    }

    /// Why a key's request went where it went.
    pub(super) fn reason(
        &self,
        key: &Key,
        owner: &EndpointId,
        chosen: Option<&EndpointId>,
        known: PickReason,
    ) -> PickReason {
        if chosen == Some(owner) {
            return PickReason::Owner;
        }
        if known == PickReason::OwnerFull {
            return known;
        }
        let part = self.position(owner).map_or(0.0, |at| self.seats.part(at));
        match part {
            _ if key.excludes(owner) => PickReason::OwnerExcluded,
            0.0 => PickReason::OwnerOut,
            part if part < 1.0 => PickReason::OwnerWarming,
            _ => known,
        }
    }

    /// The request was begun with an endpoint that no picker chose.
    #[cold]
    #[inline(never)]
    pub(super) fn note_apart(&self, cx: &PickContext<'_>, cell: &EndpointCell, reason: PickReason) {
        self.record(cx, |entry| {
            (entry.reason, entry.chosen) = (reason, Some(cell.id().clone()));
        });
    }

    /// The request was refused.
    #[cold]
    pub(super) fn note_refused(&self, cx: &PickContext<'_>, refusal: &PickError) {
        self.record(cx, |entry| entry.reason = PickReason::of(refusal));
    }

    fn record(&self, cx: &PickContext<'_>, fill: impl FnOnce(&mut Entry)) {
        let Some(trace) = cx.trace.filter(|_| self.recorded > 0) else { return };
        if !trace.is_sampled && !self.decisions.admits_rare(cx.now) {
            return;
        }
        self.decisions.record(|number| {
            let mut entry = Entry {
                number,
                at: cx.now,
                version: self.version,
                strategy: Arc::clone(&self.chosen.name),
                key: cx.hash(),
                tier: None,
                zone: None,
                chosen: None,
                preferred: cx.key.preferred().cloned(),
                owner: None,
                reason: trace.reason,
                is_sampled: trace.is_sampled,
                compared: 0,
                considered: Default::default(),
                costs: Default::default(),
                exclusions: 0,
                excluded: Default::default(),
            };
            entry.exclude(cx.excluded());
            fill(&mut entry);
            entry
        });
    }
}
