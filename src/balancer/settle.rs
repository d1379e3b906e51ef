//! What time and trips bring about.

use std::time::Duration;

use crate::balancer::core::{Core, Garbage, Judged, Writer};
use crate::event::{Event, Published as Change};
use crate::snapshot::{Draft, Snapshot};
use crate::sync::Arc;
use crate::units::Nanos;

/// The pause after a strategy has panicked over what time brings about.
const SETTLE_AGAIN: Duration = Duration::from_secs(1);

impl<T: Send + Sync + 'static> Core<T> {
    /// Settles what is due, unless somebody else is at it.
    #[cold]
    pub(crate) fn settle(&self, now: Nanos) {
        let garbage = std::cell::RefCell::new(Vec::new());
        let settle = |writer: &mut Writer<T>| {
            self.settle_due(writer, now);
            garbage.borrow_mut().append(&mut writer.garbage);
        };
        self.writer.try_act(settle, settle);
    }

    /// Settles under the lock: ends what is over, takes up what cells carry, makes again what is
    /// broken.
    pub(crate) fn settle_due(&self, writer: &mut Writer<T>, now: Nanos) {
        let before = self.published.current();
        self.expire(writer, &before, now);
        let base = self.published.current();
        self.rebuild(writer, &base, now);
        writer.garbage.extend([Garbage::Snapshot(before), Garbage::Snapshot(base)]);
    }

    fn expire(&self, writer: &mut Writer<T>, base: &Snapshot<T>, now: Nanos) {
        if now < writer.settle_again_at {
            return;
        }
        for (at, member) in base.members.iter().enumerate().filter(|(_, m)| m.due() <= now) {
            let current = self.published.current();
            let mut draft = Draft::of(&current);
            draft.members[at] = Arc::new(member.projected(now));
            draft.version = draft.version.next_config();
            let change = Change::Expired { endpoint: member.id().clone() };
            if self.publish(writer, &current, draft, Some(change), Judged::Not).is_err() {
                // The strategy panicked. Not every pick may try again.
                writer.settle_again_at = now.plus(SETTLE_AGAIN);
            }
            writer.garbage.push(Garbage::Snapshot(current));
        }
    }

    fn rebuild(&self, writer: &mut Writer<T>, base: &Snapshot<T>, now: Nanos) {
        let Some(factory) = &self.factory else { return };
        let mut draft = Draft::of(base);
        let mut events = Vec::new();
        let mut touched = false;
        for (slot, member) in draft.members.iter_mut().zip(&base.members) {
            let broken = member.bound.take_broken();
            let Some(spec) = member.spec.as_ref() else {
                continue;
            };
            let known = writer.rebuilds.get(member.id());
            if !broken && known.is_none_or(|rebuild| now < rebuild.due()) {
                continue;
            }
            touched = true;
            let rebuild = writer.rebuilds.entry(member.id().clone()).or_default();
            if !rebuild.want(now, member.bound.is_proved()) {
                continue;
            }
            let endpoint = member.id().clone();
            match factory.make(spec) {
                Ok(target) => {
                    rebuild.made(now, &mut self.randomness.fork());
                    *slot = Arc::new(member.with_target(target));
                    events.push((endpoint, None));
                }
                Err(error) => {
                    rebuild.failed(now, &mut self.randomness.fork());
                    events.push((endpoint, Some((error, rebuild.attempts(), rebuild.due()))));
                }
            }
        }
        if !touched {
            return;
        }
        let version = draft.version;
        if self.publish(writer, base, draft, None, Judged::Not).is_err() {
            return;
        }
        for (endpoint, failure) in events {
            self.hub.send(match failure {
                None => Event::Published { version, change: Change::Rebuilt { endpoint } },
                Some((error, attempts, due)) => Event::RebuildFailed {
                    endpoint,
                    error,
                    attempts,
                    retry_at: self.ground.origin.instant_or_start(due),
                },
            });
        }
    }
}
