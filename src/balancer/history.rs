//! What was changed, by whom, why, and the way back.

use std::collections::{BTreeMap, VecDeque};
use std::time::SystemTime;

use crate::balancer::core::{Core, Writer};
use crate::balancer::preview::Outlooks;
use crate::balancer::verdict::Judged;
use crate::balancer::{Balancer, Share, now};
use crate::config::Config;
use crate::error::RollbackError;
use crate::event::Changed;
use crate::snapshot::{Draft, Said, Snapshot};
use crate::sync::Arc;
use crate::units::{EndpointId, Nanos, Version};

/// Revisions that are kept; older ones are forgotten.
const KEPT: usize = 64;

/// One state of the settings and of what operators say.
///
/// Discovered endpoints and health are no part of it: going back never brings back a server that
/// is gone.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Revision {
    /// The version it was published as.
    pub version: Version,
    /// When, by the wall clock.
    pub at: SystemTime,
    /// Who changed it, where that was said.
    pub by: Option<String>,
    /// Why, where that was said.
    pub because: Option<String>,
    /// What was done, in words.
    pub change: String,
    /// What differs from the revision before, key by key.
    pub differences: Vec<String>,
    /// What it did to the shares: endpoints whose share moved by half a percent or more.
    pub effect: Vec<Share>,
    /// The version whose state this brought back, if it is a rollback.
    pub restores: Option<Version>,
    /// The settings.
    pub config: Arc<Config>,
    said: BTreeMap<EndpointId, Said>,
    /// Time made it, and nobody.
    lapse: bool,
}

/// The last revisions, oldest first. The last is the one that is served.
#[derive(Debug)]
pub(crate) struct History(VecDeque<Revision>);

impl History {
    pub(crate) fn new<T>(first: &Snapshot<T>) -> Self {
        let mut history = Self(VecDeque::new());
        history.0.push_back(Revision {
            version: first.version,
            at: wall_clock(),
            by: None,
            because: None,
            change: "built".to_owned(),
            differences: Vec::new(),
            effect: Vec::new(),
            restores: None,
            config: Arc::clone(&first.config),
            said: said(first),
            lapse: false,
        });
        history
    }

    /// Notes a published change, if it was one of the settings or of what operators say.
    pub(crate) fn note<T>(
        &mut self,
        before: &Snapshot<T>,
        after: &Snapshot<T>,
        changes: &[Changed],
        outlooks: impl Fn(&Snapshot<T>) -> Outlooks,
    ) {
        if before.version.config == after.version.config {
            return;
        }
        let (by, because) = match changes {
            [Changed::Configured { by, because }] => (by.clone(), because.clone()),
            _ => (None, None),
        };
        let words: Vec<_> = changes.iter().map(Changed::to_string).collect();
        self.0.push_back(Revision {
            version: after.version,
            at: wall_clock(),
            by,
            because,
            change: words.join("; "),
            differences: before.config.differences(&after.config),
            effect: effect(&outlooks(before), &outlooks(after)),
            restores: match changes {
                [Changed::RolledBack { to }] => Some(*to),
                _ => None,
            },
            config: Arc::clone(&after.config),
            said: said(after),
            lapse: changes.iter().all(|change| matches!(change, Changed::Expired { .. })),
        });
        if self.0.len() > KEPT {
            self.0.pop_front();
        }
    }

    /// The revision before the one whose state is served. A rollback stands for the revision it
    /// brought back, so the next one goes further. What time has ended belongs to the revision it
    /// was said in: nobody who takes back the last change means the end of a drain.
    fn previous(&self) -> Option<&Revision> {
        let stands_for = self.0.back()?.stands_for();
        let at = self.0.iter().position(|revision| revision.version == stands_for)?;
        let made = self.0.iter().take(at + 1).rposition(|revision| !revision.lapse)?;
        self.0.get(made.checked_sub(1)?)
    }
}

impl Revision {
    /// The version that first had this state.
    fn stands_for(&self) -> Version {
        self.restores.unwrap_or(self.version)
    }
}

impl<T: Send + Sync + 'static> Balancer<T> {
    /// The last revisions of the settings and of what operators say, oldest first; at most 64.
    #[must_use]
    pub fn history(&self) -> Vec<Revision> {
        let now = self.core.ground.origin.nanos(now());
        self.core.write(now, |writer, _| writer.history.0.iter().cloned().collect())
    }

    /// Brings back the revision before: settings, weights, drains and switches as they were. Twice
    /// goes back two. The end of a drain by time is no change that could be taken back: what was
    /// changed before it is.
    ///
    /// It is a revision itself, and no guard refuses it. The set stays as discovery has it, and
    /// words about endpoints that are gone, or whose time is over, are not brought back.
    ///
    /// # Errors
    ///
    /// [`RollbackError`] if there is no revision before, or its strategy panics while it prepares.
    pub fn rollback(&self) -> Result<Version, RollbackError> {
        self.core.rollback()
    }
}

impl<T: Send + Sync + 'static> Core<T> {
    fn rollback(&self) -> Result<Version, RollbackError> {
        let now = self.ground.origin.nanos(now());
        self.write(now, |writer, base| {
            let previous = writer.history.previous().ok_or(RollbackError::NothingBefore)?.clone();
            self.restore(writer, base, &previous, now)
        })
    }

    fn restore(
        &self,
        writer: &mut Writer<T>,
        base: &Snapshot<T>,
        revision: &Revision,
        now: Nanos,
    ) -> Result<Version, RollbackError> {
        let strategy = revision.config.strategy();
        let failed = || RollbackError::Strategy { name: strategy.kind().to_string() };
        let chosen = self.named.choose(strategy).map_err(|_| failed())?;
        let mut draft = Draft::of(base);
        for member in &mut draft.members {
            let said = revision.said.get(member.id()).copied().unwrap_or_default().at(now);
            if said != member.said {
                *member = Arc::new(member.with_said(said));
            }
        }
        let version = base.version.next_config();
        let draft = Draft { version, ..draft.configured(Arc::clone(&revision.config), chosen) };
        let change = Changed::RolledBack { to: revision.stands_for() };
        self.publish(writer, base, draft, vec![change], Judged::Not, now).map_err(|_| failed())
    }
}

fn said<T>(snapshot: &Snapshot<T>) -> BTreeMap<EndpointId, Said> {
    let told = snapshot.members.iter().filter(|member| member.said != Said::default());
    told.map(|member| (member.id().clone(), member.said)).collect()
}

fn effect(before: &Outlooks, after: &Outlooks) -> Vec<Share> {
    let shares = Share::pairs(before, after);
    shares.into_iter().filter(|share| (share.after - share.before).abs() >= 0.005).collect()
}

fn wall_clock() -> SystemTime {
    SystemTime::now()
}
