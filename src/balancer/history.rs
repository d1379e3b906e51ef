//! What was changed, by whom, why, and what came of it.

use std::collections::{BTreeMap, VecDeque};
use std::time::SystemTime;

use crate::balancer::preview::Outlooks;
use crate::balancer::recent::Traces;
use crate::balancer::{Balancer, Share, now};
use crate::config::Config;
use crate::event::{Changed, Verdict};
use crate::snapshot::{Said, Snapshot};
use crate::sync::Arc;
use crate::units::{EndpointId, Version};

/// Revisions that are kept; older ones are forgotten.
const KEPT: usize = 64;

/// One state of the settings and of what operators say.
///
/// Discovered endpoints and health are no part of it: going back brings back no server that
/// discovery says is gone. Endpoints that the settings describe are part of the settings.
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
    /// What it did to the shares: endpoints whose share moved by half a percent or more. What is
    /// intended is told by weights alone while keys lag behind a burst of changes.
    pub effect: Vec<Share>,
    /// The version whose state this brought back, if it is a rollback.
    pub restores: Option<Version>,
    /// What came of it, if it was applied with a guard and has been judged.
    pub verdict: Option<Verdict>,
    /// The settings.
    pub config: Arc<Config>,
    pub(super) said: BTreeMap<EndpointId, Said>,
    /// Whether all was being drained.
    pub(super) is_closed: bool,
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
            verdict: None,
            config: Arc::clone(&first.config),
            said: said(first),
            is_closed: first.is_closed,
            lapse: false,
        });
        history
    }

    /// Notes a published change, if it was one of the settings or of what operators say.
    pub(crate) fn note<'a, T>(
        &mut self,
        before: &'a Snapshot<T>,
        after: &'a Snapshot<T>,
        changes: &[Changed],
        outlooks: impl Fn(&'a Snapshot<T>) -> Outlooks<'a>,
    ) {
        if before.version.config == after.version.config {
            return;
        }
        let (by, because) = match changes {
            [change] => change.author(),
            _ => (None, None),
        };
        let (by, because) = (by.map(str::to_owned), because.map(str::to_owned));
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
                [Changed::RolledBack { to, .. }] => Some(*to),
                _ => None,
            },
            verdict: None,
            config: Arc::clone(&after.config),
            said: said(after),
            is_closed: after.is_closed,
            lapse: changes.iter().all(|change| matches!(change, Changed::Expired { .. })),
        });
        if self.0.len() > KEPT {
            self.0.pop_front();
        }
    }

    /// The revision before the one whose state is served, but for those found bad. A rollback
    /// stands for the revision it brought back, so the next one goes further. What time has ended
    /// belongs to the revision it was said in: nobody who takes back the last change means the end
    /// of a drain.
    pub(crate) fn previous(&self) -> Option<&Revision> {
        let at = self.position(self.0.back()?.stands_for())?;
        let before = (0..self.made(at)?).rev();
        self.0.get(before.into_iter().find(|&at| !self.is_bad(at))?)
    }

    /// Whether the state of a revision was found bad where it was first served.
    fn is_bad(&self, mut at: usize) -> bool {
        let first = loop {
            let Some(made) = self.made(at) else { return false };
            let Some(revision) = self.0.get(made) else { return false };
            let Some(restored) = revision.restores else { break revision };
            // What was brought back lies further back, so this ends.
            match self.position(restored).filter(|&earlier| earlier < made) {
                Some(earlier) => at = earlier,
                None => return false,
            }
        };
        first.verdict.as_ref().is_some_and(Verdict::is_bad)
    }

    /// Who made what is served at `at`: the last revision up to there that time did not make.
    fn made(&self, at: usize) -> Option<usize> {
        self.0.iter().take(at + 1).rposition(|revision| !revision.lapse)
    }

    fn position(&self, version: Version) -> Option<usize> {
        self.0.iter().position(|revision| revision.version == version)
    }

    /// What the revision that is served has changed, if it came after the version `before`.
    pub(crate) fn traces(&self, before: Version) -> Option<Traces> {
        let served = self.0.back().filter(|served| served.version.config != before.config)?;
        Some(Traces::of(&served.differences, &served.effect))
    }

    /// The revision that is served.
    pub(crate) fn served(&self) -> &Revision {
        self.0.back().expect("a history begins with what was built")
    }

    /// Notes what came of a revision, if it is still kept.
    pub(crate) fn judge(&mut self, verdict: &Verdict) {
        let at = self.position(verdict.version());
        if let Some(revision) = at.and_then(|at| self.0.get_mut(at)) {
            revision.verdict = Some(verdict.clone());
        }
    }

    /// What came of a revision, if it is still kept and was judged.
    pub(crate) fn verdict(&self, version: Version) -> Option<Verdict> {
        self.0.get(self.position(version)?)?.verdict.clone()
    }
}

impl Revision {
    /// The version that first had this state.
    pub(crate) fn stands_for(&self) -> Version {
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
}

fn said<T>(snapshot: &Snapshot<T>) -> BTreeMap<EndpointId, Said> {
    let told = snapshot.members.iter().filter(|member| *member.said() != Said::default());
    told.map(|member| (member.id().clone(), member.said().clone())).collect()
}

fn effect(before: &Outlooks<'_>, after: &Outlooks<'_>) -> Vec<Share> {
    let moved = Share::pairs(before, after).filter(|pair| pair.moved().abs() >= 0.005);
    moved.map(Share::from).collect()
}

fn wall_clock() -> SystemTime {
    SystemTime::now()
}
