//! What is told of a look.

use crate::audit::{Circumstances, Concentration, Evidence};
use crate::balancer::auditing::taking::Looked;
use crate::balancer::auditing::{Alarm, Auditor, Findings};
use crate::endpoint::{EndpointCell, Samples, whom};
use crate::event::{Event, Skew, SkewCause, SkewRule};
use crate::snapshot::{Basis, Member, Outlook, Snapshot};
use crate::tiers::GroupKey;
use crate::units::Nanos;

/// Alarms that are kept at once. Where more are off, these say enough.
const MOST: usize = 16;

/// A suspicion: who, by which rule, whether it gets too much, and what it is held against.
struct Find {
    at: usize,
    rule: SkewRule,
    more: bool,
    limit: Option<f64>,
}

impl Auditor {
    pub(super) fn judge<T>(
        &mut self,
        base: &Snapshot<T>,
        findings: &Findings,
        samples: &Samples,
        looked: &Looked,
        now: Nanos,
    ) -> Vec<Event> {
        let mut told = Vec::new();
        let all = findings.all();
        // A copy: what is found may ask the user's strategy, which may ask for the status. Nobody
        // else writes.
        let mut alarms = findings.alarms();
        for alarm in alarms.extract_if(.., |alarm| is_over(base, alarm, looked, all)) {
            told.push(Event::Skew { on: false, skew: alarm.skew });
        }
        let mut finds = self.finds(base, looked, all);
        // Where somebody has too much the others have too little, and he says it all.
        let has_favourite = finds.iter().any(|find| find.more)
            || alarms.iter().any(|alarm| alarm.more && alarm.skew.rule != SkewRule::Concentration);
        finds.retain(|find| find.more || !has_favourite);
        for find in finds {
            let Some(member) = base.members.get(find.at) else { continue };
            let is_known =
                |alarm: &Alarm| alarm.skew.endpoint == *member.id() && alarm.skew.rule == find.rule;
            if alarms.len() >= MOST || alarms.iter().any(is_known) {
                continue;
            }
            if let Some(skew) = self.skew(base, member, &find, looked, (samples, all)) {
                let more = find.more;
                told.push(Event::Skew { on: true, skew: skew.clone() });
                alarms.push(Alarm { skew, since: now, more });
            }
        }
        if !told.is_empty() {
            findings.set_alarms(alarms);
        }
        told
    }

    fn finds<T>(&self, base: &Snapshot<T>, looked: &Looked, all: f64) -> Vec<Find> {
        let rule = match self.basis {
            Basis::Off | Basis::Share => SkewRule::Share,
            Basis::Draw => SkewRule::Draw,
            Basis::Keys => SkewRule::KeySpace,
        };
        let off = |&at: &usize, more| Find { at, rule, more, limit: None };
        let much = looked.too_much.iter().map(|at| off(at, true));
        let heavy = looked.heavy.iter().filter_map(|&at| {
            let member = base.members.get(at)?;
            let limit = limit(base, at, member)?;
            let taken = f64::from(member.bound.cell.audited.recent());
            let rule = SkewRule::Concentration;
            let find = Find { at, rule, more: true, limit: Some(limit) };
            Concentration::is_too_much(taken, all, limit).then_some(find)
        });
        let little = looked.too_little.iter().map(|at| off(at, false));
        heavy.chain(much).chain(little).collect()
    }

    /// What is to be told; `None` for what is meant to be so.
    fn skew<T>(
        &self,
        base: &Snapshot<T>,
        member: &Member<T>,
        find: &Find,
        looked: &Looked,
        (samples, all): (&Samples, f64),
    ) -> Option<Skew> {
        let cell = &member.bound.cell;
        let expected = base.shares().get(find.at).copied().unwrap_or(0.0);
        let of_all = f64::from(cell.audited.recent()) / all.max(1.0);
        let realised = match find.rule {
            SkewRule::Draw | SkewRule::KeySpace => self.sampled(find.at, looked),
            SkewRule::Share | SkewRule::Concentration => of_all,
        };
        // Counts by samples may come out at more than all.
        let part = |count: f64| (count / all.max(1.0)).min(1.0);
        let hot = samples.hot_keys().into_iter().filter(|&((_, of), _)| of == whom(cell));
        let circumstances = Circumstances {
            realised,
            expected,
            meant: Outlook::intended(base).map_or(expected, |meant| meant.share(member.id())),
            limit: find.limit,
            out: out(base, member),
            unready: unready(base, samples).map(|(id, count)| (id, part(count))),
            hot_key: hot.map(|(_, part)| part).fold(0.0, f64::max),
            sessions: part(self.odd.sessions),
            excluding: part(self.odd.moved),
            overflowed: part(self.odd.overflowed),
            by_load: self.basis == Basis::Draw,
        };
        let cause = circumstances.cause(find.rule);
        // A leader and the one that stands in for it.
        if cause == SkewCause::Weights && peers(base, find.at, member) <= 2 {
            return None;
        }
        Some(Skew {
            endpoint: member.id().clone(),
            rule: find.rule,
            realised,
            intended: find.limit.unwrap_or(expected),
            requests: all as u64,
            cause,
        })
    }

    /// The part of the samples that concerns the endpoint at this place: of the latest, or of the
    /// last look where no more is known.
    fn sampled(&self, at: usize, looked: &Looked) -> f64 {
        let sum: f32 = self.sampled.iter().sum();
        match self.sampled.get(at) {
            Some(&its) if sum > 0.0 => (its / sum).into(),
            _ => {
                let its = looked.tested.get(at).copied().unwrap_or(0);
                f64::from(its) / looked.of.max(1) as f64
            }
        }
    }
}

fn is_over<T>(base: &Snapshot<T>, alarm: &Alarm, looked: &Looked, all: f64) -> bool {
    let at = base.position(&alarm.skew.endpoint);
    let Some((at, member)) = at.and_then(|at| Some((at, base.members.get(at)?))) else {
        return true;
    };
    let audited = &member.bound.cell.audited;
    if alarm.skew.rule != SkewRule::Concentration {
        return looked.test.is_over(Evidence::unpacked(audited.evidence()));
    }
    let taken = f64::from(audited.recent());
    limit(base, at, member).is_none_or(|limit| Concentration::is_over(taken, all, limit))
}

/// The most that the member at this place may have; `None` for any.
fn limit<T>(base: &Snapshot<T>, at: usize, member: &Member<T>) -> Option<f64> {
    let percent = base.config.audit()?.concentration_percent()?;
    Concentration::of_five(percent).limit(peers(base, at, member))
}

/// How many could have what it has, with it, whatever their weight.
fn peers<T>(base: &Snapshot<T>, at: usize, member: &Member<T>) -> usize {
    let tiering = base.rules.tiers.as_ref();
    if tiering.is_some_and(|tiering| tiering.zone.is_some()) {
        return base.seats.beside(at);
    }
    let tier = |member: &Member<T>| tiering.map_or(0, |_| member.attributes.tier());
    let of = tier(member);
    base.members.iter().filter(|it| it.said().admits() && tier(it) == of).count()
}

/// How many of its tier are out, and of how many.
fn out<T>(base: &Snapshot<T>, member: &Member<T>) -> (usize, usize) {
    let tier = GroupKey::of(&member.attributes, base.rules.tiers.as_ref()).tier;
    let its = base.seats.tiers().iter().find(|it| it.tier == tier);
    its.map_or((0, 0), |it| (it.rotation.out, it.rotation.of))
}

fn unready<T>(base: &Snapshot<T>, samples: &Samples) -> Option<(crate::units::EndpointId, f64)> {
    let (most, count) = samples.not_ready().into_iter().max_by(|a, b| a.1.total_cmp(&b.1))?;
    let is = |cell: &EndpointCell| whom(cell) == most;
    let member = base.members.iter().find(|member| is(&member.bound.cell))?;
    Some((member.id().clone(), count))
}
