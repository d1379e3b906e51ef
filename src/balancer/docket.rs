//! What is decided about endpoints while the writer holds the lock.

use std::collections::BTreeMap;

use crate::error::BoxError;
use crate::event::{Decision, Ejection, Event, Recovery, Rule};
use crate::outlier::{Checked, Enforced, Full, Rotation, Standing};
use crate::rng::Rng;
use crate::snapshot::{Draft, Member, Snapshot};
use crate::stats::{Reached, Row};
use crate::sync::Arc;
use crate::units::{EndpointId, Nanos, Percent};

/// Verdicts that wait to be published, all with the next snapshot.
pub(crate) struct Docket<'a, T> {
    base: &'a Snapshot<T>,
    now: Nanos,
    rng: Rng,
    rotation: Rotation,
    changed: BTreeMap<usize, Standing>,
    events: Vec<Event>,
    /// The last who stays though something speaks against it.
    kept: Option<Ejection>,
}

/// Something that speaks against an endpoint.
pub(crate) struct Charge {
    pub(crate) rule: Rule,
    pub(crate) observed: f64,
    pub(crate) threshold: f64,
    /// How many of a hundred such charges are followed.
    pub(crate) enforced: Percent,
}

impl Charge {
    pub(crate) fn of_row(reached: Reached, enforced: Enforced) -> Self {
        let (rule, enforced) = match reached.row {
            Row::Any => (Rule::ConsecutiveFailures, enforced.any),
            Row::Gateway => (Rule::ConsecutiveGatewayFailures, enforced.gateway),
            Row::Local => (Rule::ConsecutiveLocalFailures, enforced.local),
        };
        let (observed, threshold) = (reached.failures.into(), reached.limit.into());
        Self { rule, observed, threshold, enforced }
    }
}

impl<'a, T> Docket<'a, T> {
    pub(crate) fn new(base: &'a Snapshot<T>, now: Nanos, rng: Rng) -> Self {
        let (rotation, changed) = (base.rotation, BTreeMap::new());
        Self { base, now, rng, rotation, changed, events: Vec::new(), kept: None }
    }

    fn standing(&self, at: usize) -> Option<Standing> {
        let known = || Some(self.base.members.get(at)?.standing().at(self.now, self.ramp()));
        self.changed.get(&at).copied().or_else(known)
    }

    /// As it was left, and not as time will have it: what time brings about is told where it is
    /// published.
    fn untimed(&self, at: usize) -> Option<Standing> {
        self.changed.get(&at).copied().or_else(|| Some(self.base.members.get(at)?.standing()))
    }

    /// Notes what an endpoint has come to.
    fn change(&mut self, at: usize, from: Standing, to: Standing) {
        if self.base.members.get(at).is_some_and(Member::is_in_rotation) {
            let Rotation { out, .. } = self.rotation.without(from.is_out());
            self.rotation.out = out + usize::from(to.is_out());
        }
        self.changed.insert(at, to);
    }

    fn ramp(&self) -> u64 {
        self.base.rules.ramp.window
    }

    /// Takes an endpoint out, if it may be. What is out already, or takes no requests anyway, is
    /// left alone.
    pub(crate) fn charge(&mut self, at: usize, charge: Charge, told: &mut Told) {
        let Some(member) = self.base.members.get(at).filter(|member| member.is_in_rotation())
        else {
            return;
        };
        let Some(standing) = self.standing(at).filter(|standing| !standing.is_out()) else {
            return;
        };
        let decision = self.decide(at, standing, &charge);
        let (endpoint, Charge { rule, observed, threshold, .. }) = (member.id().clone(), charge);
        let mut fresh = || told.is_news(&endpoint, &rule, self.now, self.base.rules.base);
        let is_out = matches!(decision, Decision::Ejected { .. });
        let is_told = is_out || fresh();
        let ejection = Ejection::judged(endpoint, rule, observed, threshold, decision);
        if !is_out {
            self.kept = Some(ejection.clone());
        }
        if is_told {
            self.events.push(Event::Ejection(ejection));
        }
    }

    fn decide(&mut self, at: usize, standing: Standing, charge: &Charge) -> Decision {
        let rules = &self.base.rules;
        if self.rng.below(100) >= u64::from(charge.enforced.get()) {
            return Decision::Chance;
        }
        if rules.dry_run {
            return Decision::DryRun;
        }
        match rules.cap.room(self.rotation) {
            Err(Full::Cap { most }) => Decision::Cap { most },
            Err(Full::Floor { least }) => Decision::Floor { least },
            Ok(()) => self.eject(at, standing),
        }
    }

    /// Out for as long as the times it was out before make it.
    fn eject(&mut self, at: usize, standing: Standing) -> Decision {
        let times = standing.times.saturating_add(1);
        let sentence = self.base.rules.sentence(times, &mut self.rng);
        let until = Nanos(self.now.0.saturating_add(sentence));
        self.change(at, standing, standing.ejected(until));
        Decision::Ejected { until: self.base.origin().instant_or_start(until), times }
    }

    /// The last who stays though something speaks against it, told or not.
    pub(crate) fn take_kept(&mut self) -> Option<Ejection> {
        self.kept.take()
    }

    pub(crate) fn tell(&mut self, event: Event) {
        self.events.push(event);
    }

    /// The probe of ejection `epoch` was answered.
    pub(crate) fn probed(&mut self, at: usize, epoch: u32, good: bool) {
        let Some(member) = self.base.members.get(at) else { return };
        let Some(standing) = self.standing(at).filter(|standing| standing.is_probed(epoch)) else {
            return;
        };
        let endpoint = member.id().clone();
        if good {
            let Some(next) = standing.proved(epoch, self.base.rules.probes_owed, self.now) else {
                return;
            };
            if !next.is_ejected() {
                let step = if next.is_out() { Recovery::AwaitsChecks } else { Recovery::Warming };
                self.events.push(Event::Recovery { endpoint, step });
            }
            self.change(at, standing, next);
        } else {
            let decision = self.eject(at, standing);
            let ejection = Ejection::judged(endpoint, Rule::Probe, 1.0, 1.0, decision);
            self.events.push(Event::Ejection(ejection));
        }
    }

    /// Checks have failed so many times in a row.
    pub(crate) fn fell(&mut self, at: usize, failures: u32, error: &Arc<BoxError>) {
        let Some(member) = self.base.members.get(at) else { return };
        let sick = |standing: &Standing| standing.checked == Checked::Sick;
        let Some(standing) = self.untimed(at).filter(|standing| !sick(standing)) else { return };
        self.change(at, standing, standing.fallen());
        let (endpoint, error) = (member.id().clone(), Arc::clone(error));
        self.events.push(Event::Unhealthy { endpoint, failures, error });
    }

    /// Checks have succeeded often enough.
    pub(crate) fn rose(&mut self, at: usize) {
        let Some(member) = self.base.members.get(at) else { return };
        let Some(standing) = self.untimed(at).filter(Standing::is_unhealthy) else { return };
        self.change(at, standing, standing.risen(self.now, self.base.rules.ramp_joining));
        let endpoint = member.id().clone();
        self.events.push(Event::Recovery { endpoint, step: Recovery::Healthy });
    }

    /// An interval is over: who answered well in it makes up for an ejection.
    pub(crate) fn interval_ends(&mut self) {
        for (at, member) in self.base.members.iter().enumerate() {
            let standing = self.untimed(at).filter(|it| it.times > 0 && !it.is_out());
            let Some(standing) = standing else { continue };
            if member.is_in_rotation() && member.bound.cell.take_behaved() {
                self.changed.insert(at, standing.behaved());
            }
        }
    }

    /// The draft that the verdicts make, if they change anything, and what is to be told of them.
    pub(crate) fn close(self) -> (Option<Draft<T>>, Vec<Event>) {
        if self.changed.is_empty() {
            return (None, self.events);
        }
        let mut draft = Draft::of(self.base);
        for (at, standing) in self.changed {
            if let Some(member) = draft.members.get_mut(at) {
                *member = member.with_standing(standing);
            }
        }
        (Some(draft), self.events)
    }
}

/// Verdicts without consequence that were told lately: an endpoint that goes on failing under a
/// full cap is no news each time.
#[derive(Debug, Default)]
pub(crate) struct Told(BTreeMap<(EndpointId, String), Nanos>);

impl Told {
    /// Whether it is to be told; it then is not again for `silence`.
    fn is_news(&mut self, endpoint: &EndpointId, rule: &Rule, now: Nanos, silence: u64) -> bool {
        let known = (endpoint.clone(), rule.to_string());
        if self.0.get(&known).is_some_and(|&until| now < until) {
            return false;
        }
        self.0.retain(|_, until| now < *until);
        self.0.insert(known, Nanos(now.0.saturating_add(silence)));
        true
    }
}
