//! What is counted of an endpoint. It outlives snapshots, targets and attributes.

use std::fmt;

use crate::classify::{FailureKind, Outcome};
use crate::endpoint::amiss::{Amiss, Read};
use crate::endpoint::conduct::Conduct;
use crate::endpoint::line::Line;
use crate::endpoint::marks::Marks;
use crate::endpoint::page;
use crate::endpoint::shared::{Control, Report, Shared, Testimony};
use crate::endpoint::targets::{Nth, Targets};
use crate::endpoint::trial::Trial;
use crate::endpoint::{Audited, Samples, Totals, Under};
use crate::stats::{Decay, Histogram, Reached, Row, RowLimits};
use crate::sync::{Arc, Ordering};
use crate::units::{EndpointId, Nanos, Origin};

/// The counters and estimates of one endpoint. What nearly every request touches of them is its line;
/// what one that is timed does comes first here, in as few cache lines as may be.
#[repr(C)]
pub(crate) struct EndpointCell {
    pub(crate) line: Line,
    shared: Arc<Shared>,
    pub(super) conduct: Conduct,
    latencies: Histogram,
    id: EndpointId,
    pub(super) amiss: Amiss,
    pub(crate) trial: Trial,
    pub(crate) audited: Audited,
    /// What its answers had come to at the last looks of the writer.
    marks: Marks,
    pub(super) targets: Targets,
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
            line: page::take(),
            id,
            conduct: Conduct::new(),
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
            self.line.tally().count_back();
        }
    }

    /// Counts a request out, and sees to what follows if it was the last. Says how many had ended
    /// before, in the lowest bits.
    fn end(&self) -> u32 {
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
        let (begun, in_flight) = self.line.counts();
        let ended = begun.saturating_sub(in_flight);
        let Read { failed: failures, overloaded, ignored, void } = self.amiss.read();
        Counts {
            picks: begun.saturating_sub(void),
            in_flight,
            successes: ended.saturating_sub(failures + overloaded + ignored + void),
            failures,
            overloaded,
            ignored,
        }
    }

    /// How many requests it was ever sent.
    pub(crate) fn picks(&self) -> u64 {
        self.line.begun().saturating_sub(self.amiss.read().void)
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
        self.marks.since_noted(picks).into()
    }

    /// Notes what its requests have come to. For the writer only.
    pub(crate) fn note(&self, totals: &Totals) {
        self.marks.note(totals.picks);
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
                if !self.is_good() {
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
                    reached = self.misbehave(row(kind), terms.rows);
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
        let ended = self.end();
        self.conduct.pace.look(ended, now, terms.all_timed, &self.line.near().paced);
        reached
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
        self.forget_answers();
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
        self.line.near().latency.observe(sample, now, terms.decay, self.shared.typical.read());
        self.shared.typical.observe(sample, now, terms.decay);
    }

    pub(crate) fn alert(&self, now: Nanos) {
        if let Some(control) = self.shared.control() {
            control.tripped(now);
        }
    }

    /// What [`Line::load`] says.
    pub(crate) fn load(&self, now: Nanos, terms: &Terms) -> u64 {
        self.line.load(|| self.failures(now, terms))
    }

    /// What [`Line::expected_latency`] says.
    pub(crate) fn expected_latency(&self, now: Nanos, terms: &Terms, typical: f32) -> f32 {
        self.line.expected_latency(self.line.look(), now, terms, typical, || self.failing(now))
    }

    pub(crate) fn measured_latency(&self, now: Nanos, terms: &Terms) -> Option<f32> {
        let (latency, typical) = (&self.line.near().latency, self.shared.typical.read());
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
            page::give_back(self.line);
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
