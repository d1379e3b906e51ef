//! Taking the counts since the last look, and what they speak for.

use crate::audit::{Evidence, Expected, Test};
use crate::balancer::auditing::{Auditor, Findings, SMALL};
use crate::config::AuditConfig;
use crate::endpoint::{Odd, Samples};
use crate::snapshot::{Basis, Member, Snapshot};
use crate::sync::Ordering;
use crate::units::{Nanos, nanos};

/// Requests that realised shares reach back to, however long ago they were.
const LEAST: f64 = 200.0;

/// What was seen at a look.
pub(super) struct Looked {
    pub(super) test: Test,
    /// Endpoints that get too much and too little, by position.
    pub(super) too_much: Vec<usize>,
    pub(super) too_little: Vec<usize>,
    /// Endpoints that have a good part of all requests.
    pub(super) heavy: Vec<usize>,
    /// What each was audited by, since the last look, and all of them together.
    pub(super) tested: Vec<u32>,
    pub(super) of: u64,
}

/// How different the snapshots are that were served since the last look.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mixture {
    seats: (usize, usize),
    largest: (f64, f64),
}

impl Mixture {
    /// How far apart shares may be that are taken for the same; well within what is tolerated.
    const SAME: f64 = 1.05;

    pub(super) fn of<T>(served: &Snapshot<T>) -> Self {
        let (seats, largest) = (served.seats.len(), served.largest_share());
        Self { seats: (seats, seats), largest: (largest, largest) }
    }

    pub(super) fn add<T>(&mut self, served: &Snapshot<T>) {
        let (seats, largest) = (served.seats.len(), served.largest_share());
        self.seats = (self.seats.0.min(seats), self.seats.1.max(seats));
        self.largest = (self.largest.0.min(largest), self.largest.1.max(largest));
    }

    /// Whether whoever was not changed had about the same share all the time.
    fn is_even(&self) -> bool {
        let (fewest, most) = self.seats;
        most as f64 <= Self::SAME * fewest as f64 && self.largest.1 <= Self::SAME * self.largest.0
    }
}

/// What a member did until now was done under other shares. If nobody has taken that in, the next
/// look passes it over.
pub(super) fn begin_anew<T>(member: &Member<T>, skips: bool) {
    let (cell, audited) = (&member.bound.cell, &member.bound.cell.audited);
    audited.take_picks(cell.picks());
    cell.line.tally().take();
    if skips {
        let evidence = Evidence::unpacked(audited.evidence());
        audited.set_evidence(evidence.skipping(true).packed());
    }
}

impl Auditor {
    /// Takes in what was done since the last time, under the shares of `base`. With `anew` this is a
    /// look that is judged by.
    pub(super) fn take<T>(
        &mut self,
        base: &Snapshot<T>,
        findings: &Findings,
        samples: &Samples,
        now: Nanos,
        anew: bool,
    ) -> Looked {
        let (basis, is_stale) = (self.basis, std::mem::take(&mut self.is_stale));
        let is_even = self.mixture.take().is_none_or(|mixture| mixture.is_even());
        let forgets = std::mem::take(&mut self.forgets) || is_stale;
        let shares = base.shares();
        let (mut picks, mut tested) = (Vec::new(), Vec::new());
        picks.reserve_exact(shares.len());
        tested.reserve_exact(shares.len());
        let (mut all, mut of) = (0, 0);
        for (member, &share) in base.members.iter().zip(&shares) {
            let (cell, audited) = (&member.bound.cell, &member.bound.cell.audited);
            let (taken, tally) = (audited.take_picks(cell.picks()), cell.line.tally().take());
            let taken = if is_stale { 0 } else { taken };
            let its = match basis {
                Basis::Off => 0,
                Basis::Share => taken.saturating_sub(tally),
                Basis::Draw | Basis::Keys => tally,
            };
            // Whoever has no seat takes no part: it is probed, or goes on with its sessions.
            let its = if share > 0.0 && !is_stale { its } else { 0 };
            all += u64::from(taken);
            of += u64::from(its);
            picks.push(taken);
            tested.push(its);
        }

        let default = AuditConfig::default();
        let audit = base.config.audit().unwrap_or(&default);
        let fade = self.fade(audit, all, now);
        self.note_odd(samples, fade);
        let earlier = if is_stale { 0.0 } else { findings.all() };
        let total = earlier * fade + all as f64;
        findings.all.store(total.to_bits(), Ordering::Relaxed);
        self.note_sampled(&tested, fade);

        let looks = nanos(audit.window()) as f64 / nanos(audit.interval()).max(1) as f64;
        let (tolerance, windows) = (audit.tolerance_percent(), audit.windows_per_false_alarm());
        let test = Test::new(tolerance, windows, looks, base.seats.len());
        let mut looked = Looked {
            test,
            too_much: Vec::new(),
            too_little: Vec::new(),
            heavy: Vec::new(),
            tested: Vec::new(),
            of,
        };
        // Most have the same share as their neighbour.
        let mut known: (f64, Option<Expected>) = (0.0, None);
        let each = base.members.iter().zip(shares).zip(picks.into_iter().zip(&tested));
        for (at, ((member, share), (picks, &tested))) in each.enumerate() {
            let audited = &member.bound.cell.audited;
            let recent = if is_stale { 0.0 } else { audited.recent() } * fade as f32 + picks as f32;
            audited.set_recent(recent);
            if f64::from(recent) > 0.1 * total {
                looked.heavy.push(at);
            }
            let before = Evidence::unpacked(audited.evidence());
            let skips = before.skips || !is_even;
            let before = if forgets { Evidence::default() } else { before.skipping(false) };
            if known.0 != share {
                known = (share, test.expect(share));
            }
            let evidence = match &known.1 {
                None => Evidence::default(),
                Some(_) if skips => before,
                Some(expected) => test.look(before, expected, tested.into(), of, anew),
            };
            audited.set_evidence(evidence.packed());
            if test.is_too_much(evidence) {
                looked.too_much.push(at);
            } else if test.is_too_little(evidence) {
                looked.too_little.push(at);
            }
        }
        looked.tested = tested;
        looked
    }

    /// What is left of older counts beside `all` new ones.
    fn fade(&mut self, audit: &AuditConfig, all: u64, now: Nanos) -> f64 {
        let age = now.0.saturating_sub(self.taken_at.0) as f64;
        self.taken_at = now;
        let by_time = (-age / nanos(audit.window()).max(1) as f64).exp();
        by_time.max(LEAST / (LEAST + all as f64))
    }

    fn note_odd(&mut self, samples: &Samples, fade: f64) {
        let each = self.basis.requests_per_sample();
        let taken = samples.take_odd();
        let add = |before: f64, taken: f64| before * fade + taken * each;
        self.odd = Odd {
            moved: add(self.odd.moved, taken.moved),
            sessions: add(self.odd.sessions, taken.sessions),
            overflowed: add(self.odd.overflowed, taken.overflowed),
        };
        if fade < 1.0 {
            samples.fade(fade);
        }
    }

    fn note_sampled(&mut self, tested: &[u32], fade: f64) {
        if !matches!(self.basis, Basis::Draw | Basis::Keys) || tested.len() > SMALL {
            return;
        }
        self.sampled.resize(tested.len(), 0.0);
        for (sum, &its) in self.sampled.iter_mut().zip(tested) {
            *sum = *sum * fade as f32 + its as f32;
        }
    }
}
