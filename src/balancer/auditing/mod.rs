//! Whether requests are spread as intended: looked at once an interval.
//!
//! A look reads the counters that exist anyway. What endpoints were sent is held against the shares
//! of the snapshot that served meanwhile; where another one is published, what came before is taken
//! in first. Large sets cannot be walked through for each change: there a look passes over those
//! who were changed since the last one, and over all if the shares of the others moved by more than
//! a little.

mod judge;
mod taking;

use crate::balancer::auditing::taking::Mixture;
use crate::endpoint::{EndpointCell, Odd, Samples};
use crate::event::{Event, Skew};
use crate::snapshot::{Basis, Member, Snapshot};
use crate::sync::{AtomicU64, Mutex, Ordering};
use crate::units::Nanos;

/// Sets up to this size are walked through whenever something is published.
const SMALL: usize = 256;

/// What the writer knows of how requests are spread, besides what stands on the cells.
#[derive(Debug)]
pub(crate) struct Auditor {
    due: Nanos,
    /// When counts were taken last.
    taken_at: Nanos,
    basis: Basis,
    /// What cells say of the last look is from before the audit was switched on.
    is_stale: bool,
    /// What speaks for a skew is forgotten at the next look: it was of other shares altogether.
    forgets: bool,
    odd: Odd,
    /// What was published since the last look, where nobody walked through all.
    mixture: Option<Mixture>,
    /// Samples that concern each endpoint, fading, in the order of the ids; empty where that is not
    /// known, or the set is large.
    sampled: Vec<f32>,
}

/// What the audit has found, for whoever asks.
#[derive(Debug)]
pub(crate) struct Findings {
    /// Requests of all endpoints, fading: the bits of a float.
    all: AtomicU64,
    alarms: Mutex<Vec<Alarm>>,
}

/// A skew that was told and is not over.
#[derive(Clone, Debug)]
pub(crate) struct Alarm {
    pub(crate) skew: Skew,
    pub(crate) since: Nanos,
    /// Whether the endpoint gets too much, not too little.
    more: bool,
}

impl Findings {
    pub(crate) fn new() -> Self {
        Self { all: AtomicU64::new(0), alarms: Mutex::new(Vec::new()) }
    }

    fn all(&self) -> f64 {
        f64::from_bits(self.all.load(Ordering::Relaxed))
    }

    /// The part of the latest requests that an endpoint was sent; `None` if there were none.
    pub(crate) fn realised(&self, cell: &EndpointCell) -> Option<f64> {
        let all = self.all();
        (all > 0.0).then(|| (f64::from(cell.audited.recent()) / all).min(1.0))
    }

    /// What was told longest of what is not over.
    pub(crate) fn eldest(&self) -> Option<Skew> {
        self.alarms.lock().first().map(|alarm| alarm.skew.clone())
    }

    fn set_alarms(&self, alarms: Vec<Alarm>) {
        *self.alarms.lock() = alarms;
    }

    pub(crate) fn alarms(&self) -> Vec<Alarm> {
        self.alarms.lock().clone()
    }

    /// Ends all alarms: what they were about is looked at no more.
    fn retire(&self) -> Vec<Event> {
        let ended = std::mem::take(&mut *self.alarms.lock());
        ended.into_iter().map(|alarm| Event::Skew { on: false, skew: alarm.skew }).collect()
    }
}

impl Auditor {
    pub(crate) fn new<T>(served: &Snapshot<T>, samples: &Samples) -> Self {
        let mut auditor = Self {
            due: Nanos::NEVER,
            taken_at: Nanos(0),
            basis: served.basis,
            is_stale: false,
            forgets: false,
            odd: Odd::default(),
            mixture: None,
            sampled: Vec::new(),
        };
        auditor.plan(served, samples, Nanos(0));
        auditor
    }

    pub(crate) fn due(&self) -> Nanos {
        self.due
    }

    /// Looks at what was done since the last look. Says what it finds.
    pub(crate) fn look<T>(
        &mut self,
        base: &Snapshot<T>,
        findings: &Findings,
        samples: &Samples,
        now: Nanos,
    ) -> Vec<Event> {
        let Some(audit) = base.config.audit() else {
            self.due = Nanos::NEVER;
            return Vec::new();
        };
        self.due = now.plus(audit.interval());
        let looked = self.take(base, findings, samples, now, true);
        self.judge(base, findings, samples, &looked, now)
    }

    /// Gets ready for what is published after `base`. Gives what is to be told of it.
    pub(crate) fn turn<T>(
        &mut self,
        base: &Snapshot<T>,
        coming: &Snapshot<T>,
        changed: &[Member<T>],
        (findings, samples): (&Findings, &Samples),
        now: Nanos,
    ) -> Vec<Event> {
        let is_small = base.members.len() <= SMALL;
        if self.basis != Basis::Off {
            if is_small {
                self.take(base, findings, samples, now, false);
            } else {
                let mixture = self.mixture.get_or_insert_with(|| Mixture::of(base));
                mixture.add(coming);
            }
        }
        let mut ended = Vec::new();
        if coming.basis != self.basis {
            ended = findings.retire();
            self.is_stale |= self.basis == Basis::Off;
            self.basis = coming.basis;
            self.forgets = true;
            self.sampled = Vec::new();
        }
        if self.basis == Basis::Keys {
            // Who has which key is another matter from now on.
            self.forgets = true;
            samples.forget_keys();
        }
        if self.basis != Basis::Off {
            for member in changed {
                taking::begin_anew(member, !is_small);
            }
        }
        if coming.members.len() != base.members.len() || !changed.is_empty() {
            self.sampled = Vec::new();
        }
        self.plan(coming, samples, now);
        ended
    }

    /// Makes a look due where there is something to look for.
    fn plan<T>(&mut self, served: &Snapshot<T>, samples: &Samples, now: Nanos) {
        samples.count_aside(served.basis == Basis::Share);
        if served.basis == Basis::Keys {
            samples.expect_keys();
        }
        if served.basis != Basis::Off {
            samples.expect_unready();
        }
        // A shorter interval holds at once.
        let next = served.config.audit().map(|audit| now.plus(audit.interval()));
        self.due = next.map_or(Nanos::NEVER, |next| self.due.min(next));
    }
}
