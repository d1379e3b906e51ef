//! Requests that would rather go to one endpoint: those of sessions.

use crate::endpoint::{Begun, Counted};
use crate::snapshot::{Member, Said, Snapshot};
use crate::units::{EndpointId, Key, Nanos};

impl<T> Snapshot<T> {
    /// The endpoint of this id, if the request may go there. It takes no turn and no claim of
    /// anybody's.
    #[inline(never)]
    pub(super) fn pick_preferred(
        &self,
        id: &EndpointId,
        key: &Key,
        now: Nanos,
    ) -> Option<Begun<'_, T>> {
        let at = self.position(id)?;
        let member = self.members.get(at)?;
        if key.excludes(id) || !self.takes_sessions(at, member) {
            return None;
        }
        // The drain may be over since this snapshot was made: then as if there were no preference.
        let number = member.bound.cell.begin_session(now)?;
        let begun = Begun::new(&member.bound, number);
        Some(Begun { counted: self.join_crowd(at), is_aside: true, ..begun })
    }

    /// Bounds on the load of endpoints compare each with all that are in flight among them. No bound
    /// keeps a session away, but those it holds others to would be too low without it.
    fn join_crowd(&self, at: usize) -> Option<Counted> {
        let group = self.seats.group(at).filter(|_| self.tables.is_keyed())?;
        let crowd = self.cursors.of(&group.key).crowd();
        crowd.is_in_use().then(|| Counted::join(crowd).0)
    }

    /// Where the endpoint is that the request prefers, if it would get it.
    pub(super) fn foresee_preferred(&self, key: &Key) -> Option<usize> {
        let id = key.preferred()?;
        let at = self.position(id)?;
        let member = self.members.get(at)?;
        (!key.excludes(id) && self.takes_sessions(at, member)).then_some(at)
    }

    /// Whether the member at this place still serves those it has.
    fn takes_sessions(&self, at: usize, member: &Member<T>) -> bool {
        let &Said { draining_until, disabled, .. } = member.said();
        if disabled || draining_until.is_some() && self.is_closed {
            return false;
        }
        // Nobody panics for the sake of an endpoint that is leaving anyway: without a seat it is
        // not served.
        !member.standing().is_out() || self.seats.part(at) > 0.0
    }
}
