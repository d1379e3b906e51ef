//! What time and trips bring about.

use std::time::Duration;

use crate::balancer::core::{Core, Writer};
use crate::balancer::docket::{Charge, Docket};
use crate::balancer::verdict::{Garbage, Judged};
use crate::endpoint::Testimony;
use crate::error::UpdateError;
use crate::event::{Changed, Event};
use crate::snapshot::{Draft, Snapshot};
use crate::sync::Arc;
use crate::units::Nanos;

/// The pause after a strategy has panicked over what time brings about.
const SETTLE_AGAIN: Duration = Duration::from_secs(1);

impl<T: Send + Sync + 'static> Core<T> {
    /// Settles what is due, unless somebody else is at it.
    #[cold]
    pub(crate) fn settle(&self, now: Nanos) {
        self.session(now, |session| {
            let settle = |writer: &mut Writer<T>| session.settle(writer);
            self.writer.try_act(settle, settle);
        });
    }

    /// Settles under the lock: notes what traffic came to, ends what is over, takes up what targets
    /// carry, makes again what is broken.
    pub(crate) fn settle_due(&self, writer: &mut Writer<T>, now: Nanos) {
        self.settle_steps(writer, now);
        self.look_for_alarms(writer, now);
        // Whatever was done without another snapshot is due no more.
        let current = self.published.current();
        self.note_due(writer, &current);
        writer.garbage.push(Garbage::Snapshot(current));
    }

    pub(crate) fn note_due(&self, writer: &Writer<T>, current: &Snapshot<T>) {
        let due = current.members_due.min(writer.other_due());
        self.agenda.note(current, writer.settle_again_at.map_or(due, |pause| due.max(pause)));
    }

    fn settle_steps(&self, writer: &mut Writer<T>, now: Nanos) {
        if writer.settle_again_at.is_some_and(|pause| now < pause) {
            return;
        }
        writer.settle_again_at = None;
        if writer.ledger.due() <= now {
            let base = self.published.current();
            writer.ledger.note(&base, now);
            self.note_answers(writer, &base, now);
            self.dates.look(now);
            writer.garbage.push(Garbage::Snapshot(base));
        }
        if writer.auditor.due() <= now {
            let base = self.published.current();
            let samples = &self.shared.samples;
            let told = writer.auditor.look(&base, &self.findings, samples, now);
            told.into_iter().for_each(|event| self.hub.push(event));
            writer.garbage.push(Garbage::Snapshot(base));
        }
        for step in [Self::expire, Self::judge, Self::rebuild] {
            let base = self.published.current();
            if step(self, writer, &base, now).is_err() {
                // The strategy panicked. Not every pick may try again.
                writer.settle_again_at = Some(now.plus(SETTLE_AGAIN));
                let error = UpdateError::Strategy { name: base.chosen.name.to_string() };
                self.hub.push(Event::UpdateRefused { version: base.version, error });
            }
            writer.garbage.push(Garbage::Snapshot(base));
        }
    }

    fn expire(&self, writer: &mut Writer<T>, base: &Snapshot<T>, now: Nanos) -> Result<(), ()> {
        if now < base.members_due {
            return Ok(());
        }
        let mut changes = Vec::new();
        let mut draft = Draft::of(base);
        for member in &mut draft.members {
            let said = member.said().at(now);
            if said != *member.said() {
                changes.push(Changed::Expired { endpoint: member.id().clone() });
                *member = member.with_said(said);
            }
        }
        if changes.is_empty() {
            return Ok(());
        }
        draft.version = draft.version.next_config();
        self.publish(writer, base, draft, changes, Judged::Not, now).map(drop).map_err(drop)
    }

    /// Takes up what outcomes have reported, what a sweep finds, and what time has brought about.
    fn judge(&self, writer: &mut Writer<T>, base: &Snapshot<T>, now: Nanos) -> Result<(), ()> {
        // Whatever else was published at this instant.
        writer.steps.step(base, now);
        let reports = self.shared.take_reports();
        let (swept, late) = (writer.sweeps.due() <= now, base.members_due <= now);
        // Nobody makes checks any more, and nobody would bring back whom they keep out.
        let unchecked = self.checks.are_over()
            && base.members.iter().any(|member| member.standing().is_unhealthy());
        if reports.is_empty() && !swept && !late && !unchecked {
            return Ok(());
        }
        let mut docket = Docket::new(base, now, self.verdicts.fork());
        for report in &reports {
            // Whoever has left the set, or was exchanged for a stranger, is out of reach.
            let known = base.position(report.cell.id()).filter(|&at| {
                base.members.get(at).is_some_and(|it| Arc::ptr_eq(&it.bound.cell, &report.cell))
            });
            let Some(at) = known else { continue };
            match report.testimony {
                // The request may be from before the rule was switched off.
                Testimony::Row { reached, .. } if !base.rules.rows.hold(reached) => {}
                // Or from before the endpoint was back.
                Testimony::Row { began, .. } if !report.cell.trial.counts(began) => {}
                // Or the check from before checks were.
                Testimony::Fell { .. } | Testimony::Rose if base.config.health().is_none() => {}
                Testimony::Row { reached, .. } => {
                    let charge = Charge::of_row(reached, base.rules.enforced);
                    docket.charge(at, charge, &mut writer.told);
                }
                Testimony::Probe { token, good } => docket.probed(at, token.epoch(), good),
                Testimony::Fell { failures, ref error } => docket.fell(at, failures, error),
                Testimony::Rose => docket.rose(at),
            }
        }
        if swept {
            writer.sweeps.sweep(&mut docket, &mut writer.told, base, now);
        }
        writer.alarms.facts.kept(docket.take_kept(), base.rules.interval, now);
        let (draft, events) = docket.close();
        let due = late || unchecked;
        let published = match draft.or_else(|| due.then(|| Draft::of(base))) {
            Some(draft) => {
                let draft = Draft { causes: events, ..draft };
                let published = self.publish(writer, base, draft, Vec::new(), Judged::Not, now);
                published.map(drop).map_err(drop)
            }
            None => {
                events.into_iter().for_each(|event| self.hub.push(event));
                Ok(())
            }
        };
        if published.is_err() {
            // Nothing has come of them: they are heard again after the pause.
            self.shared.return_reports(reports);
            return published;
        }
        // Only now may somebody else probe.
        for report in &reports {
            if let Testimony::Probe { token, .. } = report.testimony {
                report.cell.trial.end_probe(token);
            }
        }
        published
    }

    fn rebuild(&self, writer: &mut Writer<T>, base: &Snapshot<T>, now: Nanos) -> Result<(), ()> {
        let Some(factory) = &self.factory else { return Ok(()) };
        let mut made = Vec::new();
        for (at, member) in base.members.iter().enumerate() {
            let broken = member.bound.take_broken();
            let Some(spec) = member.spec.as_ref() else { continue };
            let known = writer.rebuilds.get(member.id());
            if !broken && known.is_none_or(|rebuild| now < rebuild.due()) {
                continue;
            }
            let rebuild = writer.rebuilds.entry(member.id().clone()).or_default();
            if !rebuild.want(now, member.bound.take_proof()) {
                continue;
            }
            let rng = &mut self.verdicts.fork();
            match factory.make(spec) {
                Ok(target) => {
                    rebuild.made(now, rng);
                    made.push((at, member.with_target(target)));
                }
                Err(error) => {
                    rebuild.failed(now, rng);
                    self.hub.push(Event::RebuildFailed {
                        endpoint: member.id().clone(),
                        error,
                        attempts: rebuild.attempts(),
                        retry_at: self.ground.origin.instant_or_start(rebuild.due()),
                    });
                }
            }
        }
        if made.is_empty() {
            return Ok(());
        }
        let mut draft = Draft::of(base);
        let mut changes = Vec::with_capacity(made.len());
        let mut rebuilt = Vec::with_capacity(made.len());
        for (at, member) in made {
            changes.push(Changed::Rebuilt { endpoint: member.id().clone() });
            rebuilt.push(at);
            draft.members[at] = member;
        }
        let published = self.publish(writer, base, draft, changes, Judged::Not, now);
        if published.is_err() {
            let broken = rebuilt.iter().filter_map(|&at| base.members.get(at));
            broken.for_each(|member| member.bound.still_broken());
        }
        published.map(drop).map_err(drop)
    }
}
