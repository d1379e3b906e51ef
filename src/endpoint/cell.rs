//! What is counted of an endpoint. It outlives snapshots, targets and attributes.

use std::fmt;

use crate::classify::{FailureKind, Outcome};
use crate::endpoint::amiss::{Amiss, Read};
use crate::endpoint::line::{Line, ONE};
use crate::endpoint::lines;
use crate::endpoint::marks::Marks;
use crate::endpoint::shared::{Control, Report, Shared, Testimony};
use crate::endpoint::targets::{Nth, Targets};
use crate::endpoint::trial::Trial;
use crate::endpoint::{Audited, Samples, Totals, Under};
use crate::stats::{Decay, Histogram, Reached, Row, RowLimits};
use crate::sync::{Arc, Ordering};
use crate::units::{EndpointId, Nanos, Origin};

/// The counters and estimates of one endpoint. What nearly every request touches of them is its line.
pub(crate) struct EndpointCell {
    pub(crate) line: &'static Line,
    shared: Arc<Shared>,
    id: EndpointId,
    pub(super) amiss: Amiss,
    pub(super) targets: Targets,
    pub(crate) trial: Trial,
    pub(crate) audited: Audited,
    /// What its answers had come to at the last looks of the writer.
    marks: Marks,
    latencies: Histogram,
}

/// What a request is judged by: the settings of the snapshot that chose its endpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Terms {
    /// How fast an estimate comes down.
    pub(crate) decay: Decay,
    /// Nanoseconds for which a failure weighs; 0 if it does not.
    pub(crate) penalty: u64,
    /// Nanoseconds at most for which an endpoint may ask to be left alone.
    pub(crate) hint_cap: u64,
    /// Nanoseconds after which an abandoned request speaks against its endpoint; `u64::MAX` for
    /// never.
    pub(crate) abandoned_after: u64,
    /// Nanoseconds that an endpoint has for its answer; `u64::MAX` for no limit.
    pub(crate) attempt_timeout: u64,
    /// Failures in a row at which an endpoint is told.
    pub(crate) rows: RowLimits,
    /// Requests that an endpoint ends in a window of its pace up to which all are timed; `u16::MAX` where
    /// each is, however many.
    pub(crate) all_timed: u16,
}

/// The counters of an endpoint, read at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) picks: u64,
    pub(crate) in_flight: u64,
    pub(crate) successes: u64,
    pub(crate) failures: u64,
    pub(crate) overloaded: u64,
    pub(crate) ignored: u64,
}

impl EndpointCell {
    pub(crate) fn new(id: EndpointId, shared: Arc<Shared>) -> Self {
        Self {
            line: lines::take(),
            id,
            amiss: Amiss::new(),
            trial: Trial::new(),
            targets: Targets::new(),
            audited: Audited::new(),
            marks: Marks::new(),
            latencies: Histogram::new(),
            shared,
        }
    }

    pub(crate) fn id(&self) -> &EndpointId {
        &self.id
    }

    #[cfg(feature = "tracing")]
    pub(crate) fn balancer(&self) -> Arc<str> {
        Arc::clone(&self.shared.name)
    }

    /// The balancer, while it exists.
    pub(crate) fn control(&self) -> Option<Arc<dyn Control>> {
        self.shared.control()
    }

    pub(crate) fn origin(&self) -> Origin {
        self.shared.origin
    }

    /// What a request is judged by.
    #[inline]
    pub(crate) fn terms(&self, under: Under) -> Terms {
        self.shared.terms.read(under)
    }

    /// Counts a request in, and gives its number. `None` if the endpoint is closed: nothing was
    /// counted.
    #[inline]
    pub(crate) fn begin(&self, now: Nanos) -> Option<u64> {
        self.line.enter(now).or_else(|| self.turn_away())
    }

    /// Counts out whoever came too late.
    #[cold]
    pub(crate) fn turn_away(&self) -> Option<u64> {
        self.withdraw();
        None
    }

    /// Counts out a request that was never sent, as if it had never been counted in.
    pub(crate) fn withdraw(&self) {
        self.amiss.counts().void.fetch_add(1, Ordering::Release);
        self.end();
    }

    /// A request of a session, or one that excluded others, was counted as one outside of the
    /// schedule, and was none.
    pub(super) fn comes_to_nothing(&self) {
        if self.shared.samples.counts_aside() {
            self.audited.count_back();
        }
    }

    /// Counts a request out, and sees to what follows if it was the last. Says how many had ended
    /// before.
    fn end(&self) -> u64 {
        let (before, is_watched) = self.line.leave();
        if is_watched {
            self.last_may_have_ended();
        }
        before
    }

    /// Requests in flight. Never less than there were when the call began; zero only if there was
    /// a moment with none.
    #[inline]
    pub(crate) fn in_flight(&self) -> u64 {
        self.line.in_flight()
    }

    pub(crate) fn counts(&self) -> Counts {
        // The total first: a request that ends meanwhile is then missing from the successes, where
        // the other way round a failure would pass for one.
        let ended = self.line.ended.load(Ordering::Acquire) / ONE;
        let begun = self.line.begun.load(Ordering::Acquire) / ONE;
        let Read { failed: failures, overloaded, ignored, void } = self.amiss.read();
        Counts {
            picks: begun.saturating_sub(void),
            in_flight: begun.saturating_sub(ended),
            successes: ended.saturating_sub(failures + overloaded + ignored + void),
            failures,
            overloaded,
            ignored,
        }
    }

    /// How many requests it was ever sent.
    pub(crate) fn picks(&self) -> u64 {
        let begun = self.line.begun.load(Ordering::Acquire) / ONE;
        begun.saturating_sub(self.amiss.read().void)
    }

    /// Makes requests able to refer to it by its line. To be called before it is served.
    pub(crate) fn serve(self: &Arc<Self>) {
        self.line.keep(self);
    }

    /// It will not be served again: it lasts no longer than its requests.
    pub(crate) fn let_go(&self) {
        self.shut();
        self.line.let_go();
    }

    /// Where picks of its balancer leave samples.
    pub(crate) fn samples(&self) -> &Samples {
        &self.shared.samples
    }

    /// All that its requests have come to so far.
    pub(crate) fn totals(&self) -> Totals {
        let Counts { picks, successes, failures, overloaded, ignored, .. } = self.counts();
        let latencies = self.latencies.read();
        Totals { picks, successes, failures, overloaded, ignored, latencies }
    }

    /// How many of its `picks` came after the writer last [noted](Self::note) them.
    pub(crate) fn picks_since_noted(&self, picks: u64) -> u64 {
        self.audited.since_noted(picks).into()
    }

    /// Notes what its requests have come to. For the writer only.
    pub(crate) fn note(&self, totals: &Totals) {
        self.audited.note(totals.picks);
        self.marks.turn(totals.judged(), totals.bad());
    }

    /// What its requests have come to lately, of all that they have come to: answers that say
    /// something about it, and those of them that were no good.
    pub(crate) fn lately(&self, totals: &Totals) -> (u64, u64) {
        self.marks.since(totals.judged(), totals.bad())
    }

    /// Takes in what became of a request to this target that began at `began` and took `latency`, if that
    /// is known, and counts it out. Says whether failures in a row have reached a limit by it.
    pub(crate) fn finish(
        &self,
        outcome: Outcome,
        (began, nth): (Nanos, Nth),
        latency: Option<u64>,
        now: Nanos,
        terms: &Terms,
    ) -> Option<Reached> {
        let mut reached = None;
        match outcome {
            // Running out of time, or never having been reached, is no sign of life.
            Outcome::Success
            | Outcome::Overloaded { .. }
            | Outcome::Failure(FailureKind::Other | FailureKind::Gateway) => self.line.stir(now),
            Outcome::Failure(_) | Outcome::Ignore => {}
        }
        match outcome {
            Outcome::Success => {
                if !self.line.streak.is_good(nth.proof()) {
                    self.behave(began, nth);
                }
                if let Some(latency) = latency {
                    self.measure(latency, now, terms);
                }
            }
            Outcome::Failure(kind) => {
                self.weigh(now, terms, 0);
                self.amiss.counts().failed.fetch_add(1, Ordering::Release);
                if self.trial.counts(began) {
                    reached = self.line.streak.count(row(kind), terms.rows);
                }
            }
            Outcome::Overloaded { retry_after } => {
                let hint = retry_after.map_or(0, crate::units::nanos);
                self.weigh(now, terms, hint.min(terms.hint_cap));
                self.amiss.counts().overloaded.fetch_add(1, Ordering::Release);
            }
            Outcome::Ignore => {
                self.amiss.counts().ignored.fetch_add(1, Ordering::Release);
            }
        }
        self.line.pace.look(self.end(), now, terms.all_timed);
        reached
    }

    /// A request to this target that began at `began` was answered well.
    pub(super) fn behave(&self, began: Nanos, nth: Nth) {
        self.line.streak.end(nth.proof(), self.trial.counts(began));
    }

    /// Whether it has answered well since the last time this was asked.
    pub(crate) fn take_behaved(&self) -> bool {
        self.line.streak.take_behaved()
    }

    /// This target is broken. Says whether this is the first word of that, so that somebody has to look
    /// after it.
    pub(super) fn declare_broken(&self, nth: Nth) -> bool {
        self.amiss.counts().broken.declare(nth)
    }

    /// Takes the word that this target is broken, if that was said.
    pub(super) fn take_broken(&self, nth: Nth) -> bool {
        self.amiss.known().is_some_and(|counts| counts.broken.take(nth))
    }

    /// A new chapter begins at `now`: what is on its way from before says nothing any more.
    pub(crate) fn turn_page(&self, now: Nanos) {
        self.line.streak.forget();
        self.trial.turn_page(now);
    }

    /// Leaves a report for the writer and makes sure that it is read.
    #[cold]
    pub(crate) fn report(self: &Arc<Self>, testimony: Testimony, now: Nanos) {
        // Nobody would take it from a balancer that is gone, and it holds what holds it.
        let Some(control) = self.shared.control() else { return };
        self.shared.leave_report(Report { cell: Arc::clone(self), testimony });
        control.tripped(now);
    }

    /// Counts out a request whose caller went away.
    pub(crate) fn abandon(&self) {
        self.amiss.counts().ignored.fetch_add(1, Ordering::Release);
        self.end();
    }

    fn measure(&self, sample: u64, now: Nanos, terms: &Terms) {
        self.latencies.record(sample);
        self.line.latency.observe(sample, now, terms.decay, self.shared.typical.read());
        self.shared.typical.observe(sample, now, terms.decay);
    }

    fn weigh(&self, now: Nanos, terms: &Terms, hint: u64) {
        if terms.penalty > 0 || hint > 0 {
            let recent = &self.amiss.counts().recent;
            recent.record(&self.line.last_failure, now, terms.penalty, hint);
        }
    }

    pub(crate) fn alert(&self, now: Nanos) {
        if let Some(control) = self.shared.control() {
            control.tripped(now);
        }
    }

    /// Failures that still weigh, while the last does.
    #[cold]
    pub(crate) fn failures(&self, now: Nanos, terms: &Terms) -> u64 {
        self.amiss.known().map_or(0, |counts| counts.recent.count(now, terms.penalty))
    }

    /// What [`Line::load`] says.
    pub(crate) fn load(&self, now: Nanos, terms: &Terms) -> u64 {
        self.line.load(now, || self.failures(now, terms))
    }

    /// What [`Line::expected_latency`] says.
    pub(crate) fn expected_latency(&self, now: Nanos, terms: &Terms, typical: f32) -> f32 {
        self.line.expected_latency(self.in_flight(), now, terms, typical)
    }

    pub(crate) fn measured_latency(&self, now: Nanos, terms: &Terms) -> Option<f32> {
        let (latency, typical) = (&self.line.latency, self.shared.typical.read());
        latency.is_measured().then(|| latency.read(now, terms.decay, typical))
    }
}

fn row(kind: FailureKind) -> Row {
    match kind {
        FailureKind::Gateway => Row::Gateway,
        FailureKind::Local | FailureKind::Timeout => Row::Local,
        FailureKind::Other | FailureKind::Broken => Row::Any,
    }
}

impl Drop for EndpointCell {
    fn drop(&mut self) {
        // Whoever is counted in keeps it, so there is nobody; a line that is still counted on is left to
        // that.
        if self.in_flight() == 0 {
            lines::give_back(self.line);
        }
    }
}

impl fmt::Debug for EndpointCell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EndpointCell")
            .field("id", &self.id)
            .field("counts", &self.counts())
            .finish()
    }
}
