//! The way back.

use crate::balancer::apply::brought;
use crate::balancer::core::{Core, Writer};
use crate::balancer::merge::Merged;
use crate::balancer::paired::{Offer, Paired, by_id};
use crate::balancer::verdict::Judged;
use crate::balancer::{Balancer, Revision, now};
use crate::error::RollbackError;
use crate::event::{Author, Changed, Event};
use crate::snapshot::{Draft, Member, Said, Snapshot};
use crate::sync::Arc;
use crate::units::{Nanos, Version};

impl<T: Send + Sync + 'static> Balancer<T> {
    /// Brings back the revision before: settings, weights, drains and switches as they were. Twice
    /// goes back two. Revisions that a guard has found bad are passed over, and the end of a drain by
    /// time is no change that could be taken back: what was changed before it is.
    ///
    /// It is a revision itself, and no guard refuses or watches it. Settings that describe other
    /// endpoints than those served make these the set again, as [`apply`](Self::apply) does; with
    /// any others the set stays as discovery has it. Words about endpoints that are gone, or whose
    /// time is over, are not brought back.
    ///
    /// # Errors
    ///
    /// [`RollbackError`] if there is no revision before, its strategy panics while it prepares, or
    /// a target of its endpoints cannot be made. All is then as it was.
    pub fn rollback(&self) -> Result<Version, RollbackError> {
        self.core.rollback(&Author::default())
    }
}

impl<T: Send + Sync + 'static> Core<T> {
    pub(crate) fn rollback(&self, author: &Author) -> Result<Version, RollbackError> {
        let now = self.ground.origin.nanos(now());
        self.write(now, |writer, base| {
            let rolled_back = self.roll_back(writer, base, author, now);
            rolled_back.inspect_err(|error| {
                // There being nothing before is the answer to a question, not a failure.
                if !matches!(error, RollbackError::NothingBefore) {
                    writer.alarms.facts.config_refused(format!("not rolled back: {error}"));
                }
                let (version, error) = (base.version, error.clone());
                self.hub.push(Event::RollbackFailed { version, error });
            })
        })
    }

    fn roll_back(
        &self,
        writer: &mut Writer<T>,
        base: &Snapshot<T>,
        author: &Author,
        now: Nanos,
    ) -> Result<Version, RollbackError> {
        let revision = writer.history.previous().ok_or(RollbackError::NothingBefore)?.clone();
        let restored = |member: &Member<T>| {
            let joined = || Said::of_newcomer(revision.is_closed);
            let said = revision.said.get(member.id()).cloned().unwrap_or_else(joined);
            let said = said.at(now);
            if said == *member.said() { member.clone() } else { member.with_said(said) }
        };
        let described = self.described(writer, base, &revision, now)?;
        let set = described.is_some();
        let members = described.as_deref().unwrap_or(&base.members);
        let members = members.iter().map(restored).collect();
        let (by, because) = author.parts();
        let restoring = Restoring { revision: &revision, members, set, by, because };
        self.restore(writer, base, restoring, now)
    }

    /// The set that the settings of a revision describe, if it is another one than is served.
    fn described(
        &self,
        writer: &mut Writer<T>,
        base: &Snapshot<T>,
        revision: &Revision,
        now: Nanos,
    ) -> Result<Option<Vec<Member<T>>>, RollbackError> {
        let Some(specs) = brought(&revision.config, &base.config) else { return Ok(None) };
        let offers = by_id(specs.iter().cloned().map(Offer::of_spec));
        let merged = offers.and_then(|mut offers| {
            self.merge(writer, base, Paired::of(base, &mut offers), &revision.config, now)
        });
        let Merged { members, tally } =
            merged.map_err(|error| RollbackError::Endpoints { reason: error.to_string() })?;
        Ok((!tally.is_nothing()).then_some(members))
    }

    /// Publishes the state of an earlier revision as a new one.
    pub(crate) fn restore(
        &self,
        writer: &mut Writer<T>,
        base: &Snapshot<T>,
        restoring: Restoring<'_, T>,
        now: Nanos,
    ) -> Result<Version, RollbackError> {
        let Restoring { revision, members, set, by, because } = restoring;
        let strategy = revision.config.strategy();
        let failed = || RollbackError::Strategy { name: strategy.kind().to_string() };
        let chosen = self.named.choose(&revision.config).map_err(|_| failed())?;
        let version = base.version.next_config();
        let version = if set { version.next_set() } else { version };
        let config = Arc::clone(&revision.config);
        let is_closed = revision.is_closed;
        let draft =
            Draft { version, is_closed, ..Draft::with(base, members).configured(config, chosen) };
        let change = Changed::RolledBack { to: revision.stands_for(), by, because };
        let published = self.publish(writer, base, draft, vec![change], Judged::Not, now);
        let version = published.map_err(|_| failed())?;
        writer.alarms.facts.config_accepted();
        if set {
            writer.guard.believe();
            writer.alarms.facts.set_accepted();
            self.remember(writer, base, now);
        }
        Ok(version)
    }
}

/// What is brought back, and on whose behalf.
pub(crate) struct Restoring<'a, T> {
    pub(crate) revision: &'a Revision,
    pub(crate) members: Vec<Member<T>>,
    /// Whether these are another set than the present one.
    pub(crate) set: bool,
    pub(crate) by: Option<String>,
    pub(crate) because: Option<String>,
}
