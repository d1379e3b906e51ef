//! What operators say. It lies over the discovered set: a `replace` does not undo it.

use std::time::Duration;

use tokio::time::Instant;

use crate::balancer::core::Core;
use crate::balancer::verdict::Judged;
use crate::balancer::{Balancer, Drain, now};
use crate::endpoint::EndpointCell;
use crate::error::UpdateError;
use crate::event::{Author, Changed, Decision, Ejection, Event, Recovery, Rule};
use crate::outlier::Rotation;
use crate::snapshot::{Draft, Member, Said, Snapshot, Word};
use crate::sync::Arc;
use crate::units::{EndpointId, Nanos, Version};

impl<T: Send + Sync + 'static> Balancer<T> {
    /// Gives an endpoint another weight than the one it came with. At 0 it finishes what it has
    /// and takes nothing new.
    ///
    /// Holds until [`enable`](Self::enable), or until the endpoint is removed; sets that are sent
    /// meanwhile do not undo it.
    ///
    /// # Errors
    ///
    /// [`UpdateError::Unknown`] if there is no endpoint of this id, [`UpdateError::Share`] if the
    /// share guard (`[guard]`) refuses what an endpoint would get by it, [`UpdateError::Strategy`] if
    /// the strategy panics over the change.
    pub fn set_weight(&self, id: &EndpointId, weight: u32) -> Result<Version, UpdateError> {
        self.core.set_weight(id, weight, &Author::default())
    }

    /// Lets an endpoint finish what it has and gives it nothing new, until
    /// [`enable`](Self::enable).
    ///
    /// The returned future is ready when nothing is in flight to it. Dropping the future changes
    /// nothing. Sessions are no news: requests that [prefer](crate::Key::preferring) the endpoint are
    /// still sent to it, for as long as [`Drain`] says.
    ///
    /// # Errors
    ///
    /// [`UpdateError::Unknown`] if there is no endpoint of this id, [`UpdateError::Strategy`] if the
    /// strategy panics over the change.
    pub fn drain(&self, id: &EndpointId) -> Result<Drain, UpdateError> {
        self.core.drain(id, None, &Author::default())
    }

    /// Drains an endpoint for a while; then it comes back by itself.
    ///
    /// # Errors
    ///
    /// [`UpdateError::Unknown`] if there is no endpoint of this id, [`UpdateError::Strategy`] if the
    /// strategy panics over the change.
    pub fn drain_for(&self, id: &EndpointId, span: Duration) -> Result<Drain, UpdateError> {
        self.core.drain(id, Some(span), &Author::default())
    }

    /// Switches an endpoint off. Like a drain, but meant to last, and without waiting for sessions:
    /// they go on elsewhere. Status tells them apart.
    ///
    /// # Errors
    ///
    /// [`UpdateError::Unknown`] if there is no endpoint of this id, [`UpdateError::Strategy`] if the
    /// strategy panics over the change.
    pub fn disable(&self, id: &EndpointId) -> Result<Version, UpdateError> {
        self.core.disable(id, &Author::default())
    }

    /// Takes back all that operators said about an endpoint: drain, switch and weight. It is a
    /// pardon too: an endpoint that was ejected, whoever did it, has its full share again at once.
    /// What active checks find is a fact, and stays.
    ///
    /// The share guard judges the weight that comes back as if it were [set](Self::set_weight). That
    /// an endpoint is no longer drained or switched off is never refused, whatever share it returns
    /// to; far above a fair one, it is told by an event.
    ///
    /// # Errors
    ///
    /// [`UpdateError::Unknown`] if there is no endpoint of this id, [`UpdateError::Share`] if the
    /// weight that comes back would give an endpoint more than `guard.max_share_percent` allows,
    /// [`UpdateError::Strategy`] if the strategy panics over the change. All that was said then holds
    /// on.
    pub fn enable(&self, id: &EndpointId) -> Result<Version, UpdateError> {
        self.core.enable(id, &Author::default())
    }

    /// Takes an endpoint out for a while, as a detector would: then it is probed, and comes back
    /// with a growing share. Says until when; a second call replaces the first.
    ///
    /// Sets that are sent meanwhile do not undo it; [`enable`](Self::enable) does, and so does a
    /// change to `outlier = false`, which lets everybody back. It is no revision, and [`rollback`](Self::rollback) leaves it alone.
    ///
    /// # Errors
    ///
    /// [`UpdateError::Unknown`] if there is no endpoint of this id, [`UpdateError::Protected`] if as
    /// many are out as `outlier.max_ejected_percent` and `outlier.min_available` allow,
    /// [`UpdateError::Strategy`] if the strategy panics over the change.
    pub fn eject(&self, id: &EndpointId, span: Duration) -> Result<Instant, UpdateError> {
        self.core.eject(id, span, &Author::default())
    }
}

impl<T: Send + Sync + 'static> Core<T> {
    pub(crate) fn set_weight(
        &self,
        id: &EndpointId,
        weight: u32,
        author: &Author,
    ) -> Result<Version, UpdateError> {
        let said = self.say(id, author, Judged::ByShares, |said, from, word| {
            let ((by, because), endpoint) = (author.parts(), id.clone());
            let change = Changed::Reweighted { endpoint, from, to: weight, by, because };
            (said.weighing(weight, word), change)
        });
        said.map(|(version, _)| version)
    }

    pub(crate) fn drain(
        &self,
        id: &EndpointId,
        span: Option<Duration>,
        author: &Author,
    ) -> Result<Drain, UpdateError> {
        let said = self.say(id, author, Judged::Not, |said, _, word| {
            let until = span.map_or(Nanos::NEVER, |span| word.at.plus(span));
            let reported = span.and_then(|_| self.ground.origin.instant(until));
            let (by, because) = author.parts();
            let change = Changed::Draining { endpoint: id.clone(), until: reported, by, because };
            (said.draining(until, word), change)
        });
        said.map(|(_, cell)| Drain::new(cell))
    }

    pub(crate) fn disable(&self, id: &EndpointId, author: &Author) -> Result<Version, UpdateError> {
        let said = self.say(id, author, Judged::Not, |said, _, word| {
            let (by, because) = author.parts();
            (said.switched_off(word), Changed::Disabled { endpoint: id.clone(), by, because })
        });
        said.map(|(version, _)| version)
    }

    pub(crate) fn enable(&self, id: &EndpointId, author: &Author) -> Result<Version, UpdateError> {
        let now = self.ground.origin.nanos(now());
        self.update(now, |writer, base| {
            let (at, member) = find(base, id)?;
            let (said, standing) = (Said::default(), member.standing().pardoned());
            if (&said, standing) == (member.said(), member.standing()) {
                return Ok(base.version);
            }
            let mut draft = Draft::of(base);
            let mut changes = Vec::new();
            if said != *member.said() {
                draft.version = draft.version.next_config();
                let (by, because) = author.parts();
                changes.push(Changed::Enabled { endpoint: id.clone(), by, because });
            }
            draft.members[at] = member.with_said(said).with_standing(standing);
            if member.standing().phase.differs(standing.phase) {
                let (endpoint, step) = (id.clone(), Recovery::Pardoned);
                draft.causes.push(Event::Recovery { endpoint, step });
            }
            let judged = Judged::Returning { at: Some(at) };
            let published = self.publish(writer, base, draft, changes, judged, now);
            published.map_err(|refused| refused.for_update(&base.chosen.name))
        })
    }

    pub(crate) fn eject(
        &self,
        id: &EndpointId,
        span: Duration,
        author: &Author,
    ) -> Result<Instant, UpdateError> {
        let now = self.ground.origin.nanos(now());
        self.update(now, |writer, base| {
            let (at, member) = find(base, id)?;
            let standing = member.standing();
            let counts = member.is_in_rotation() && !standing.is_ejected();
            // One that checks keep out is out once, before and after.
            let besides = base.rotation.without(standing.is_out());
            if counts && base.rules.cap.room(besides).is_err() {
                let Rotation { of, out, .. } = base.rotation;
                return Err(UpdateError::Protected { id: id.clone(), out, of });
            }
            let until = now.plus(span);
            let ends = self.ground.origin.instant_or_start(until);
            let mut draft = Draft::of(base);
            draft.members[at] = member.with_standing(standing.set_aside(until));
            let (by, because) = author.parts();
            draft.causes.push(Event::Ejection(Ejection {
                endpoint: id.clone(),
                rule: Rule::Operator,
                observed: 0.0,
                threshold: 0.0,
                decision: Decision::Ejected { until: ends, times: standing.times },
                by,
                because,
            }));
            let published = self.publish(writer, base, draft, Vec::new(), Judged::Not, now);
            published.map_err(|refused| refused.for_update(&base.chosen.name))?;
            Ok(ends)
        })
    }

    /// Changes what is said about an endpoint. Saying the same again changes nothing.
    fn say(
        &self,
        id: &EndpointId,
        author: &Author,
        judged: Judged,
        words: impl FnOnce(Said, u32, Word) -> (Said, Changed),
    ) -> Result<(Version, Arc<EndpointCell>), UpdateError> {
        let now = self.ground.origin.nanos(now());
        self.update(now, |writer, base| {
            let (at, member) = find(base, id)?;
            let cell = Arc::clone(&member.bound.cell);
            let word = Word { author: author.clone(), at: now, of_all: false };
            let (said, change) = words(member.said().clone(), member.weight(), word);
            if said == *member.said() {
                return Ok((base.version, cell));
            }
            let mut draft = Draft::of(base);
            draft.version = draft.version.next_config();
            draft.members[at] = member.with_said(said);
            let published = self.publish(writer, base, draft, vec![change], judged, now);
            let version = published.map_err(|refused| refused.for_update(&base.chosen.name))?;
            Ok((version, cell))
        })
    }
}

fn find<'a, T>(
    base: &'a Snapshot<T>,
    id: &EndpointId,
) -> Result<(usize, &'a Member<T>), UpdateError> {
    let known = base.position(id).and_then(|at| Some((at, base.members.get(at)?)));
    known.ok_or_else(|| UpdateError::Unknown { id: id.clone() })
}
