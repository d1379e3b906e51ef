//! Changes of the set: what discovery says.

use crate::balancer::core::{Core, Writer};
use crate::balancer::guard::Claim;
use crate::balancer::merge::Merged;
use crate::balancer::paired::{Offer, Paired, by_id};
use crate::balancer::verdict::Judged;
use crate::balancer::{Balancer, now};
use crate::endpoint::{Endpoint, EndpointSpec};
use crate::error::UpdateError;
use crate::event::{Changed, Event};
use crate::snapshot::{Draft, Member, Snapshot};
use crate::units::{EndpointId, Nanos, Version};

impl<T: Send + Sync + 'static> Balancer<T> {
    /// Makes `endpoints` the whole set.
    ///
    /// An endpoint that is known by its id keeps its target, its counters, its estimates and what
    /// operators said about it, and gets the new weight and attributes; the target given for it
    /// here is dropped. One that is missing leaves: it finishes what it has, and its target is
    /// dropped with its last lease. Sending the same set again changes nothing, not even the
    /// version.
    ///
    /// # Errors
    ///
    /// [`UpdateError`]: two endpoints share an id, the update guard (`[update]`) does not believe
    /// the set, the share guard (`[guard]`) refuses what it would give to one endpoint, or the
    /// strategy panics over it. The set is then as it was.
    pub fn replace(
        &self,
        endpoints: impl IntoIterator<Item = Endpoint<T>>,
    ) -> Result<Version, UpdateError> {
        self.core.replace(endpoints.into_iter().map(Offer::Endpoint), true)
    }

    /// Makes `endpoints` the whole set without asking the update guard: the operator means it,
    /// even if the set is empty or takes no requests.
    ///
    /// # Errors
    ///
    /// [`UpdateError::Duplicate`] if two endpoints share an id, or [`UpdateError::Strategy`].
    pub fn replace_unchecked(
        &self,
        endpoints: impl IntoIterator<Item = Endpoint<T>>,
    ) -> Result<Version, UpdateError> {
        self.core.replace(endpoints.into_iter().map(Offer::Endpoint), false)
    }

    /// Makes the endpoints that `specs` describe the whole set.
    ///
    /// As [`replace`](Self::replace), with targets made by [`Builder::make`](crate::Builder::make)
    /// for endpoints that are new and for those whose address changed. If one of them cannot be
    /// made, nothing is changed.
    ///
    /// # Errors
    ///
    /// As [`replace`](Self::replace), and [`UpdateError::Make`] or [`UpdateError::NoFactory`].
    pub fn replace_specs(
        &self,
        specs: impl IntoIterator<Item = EndpointSpec>,
    ) -> Result<Version, UpdateError> {
        self.core.replace(specs.into_iter().map(Offer::of_spec), true)
    }

    /// Adds an endpoint. If its id is known, its target and attributes are replaced by these,
    /// while counters, estimates and what operators said stay.
    ///
    /// # Errors
    ///
    /// [`UpdateError::Share`] or [`UpdateError::Strategy`].
    pub fn insert(&self, endpoint: Endpoint<T>) -> Result<Version, UpdateError> {
        self.core.insert(Offer::Endpoint(endpoint))
    }

    /// Adds the endpoint that `spec` describes, with a target made by
    /// [`Builder::make`](crate::Builder::make). If its id is known, it gets a new target.
    ///
    /// # Errors
    ///
    /// As [`insert`](Self::insert), and [`UpdateError::Make`] or [`UpdateError::NoFactory`].
    pub fn insert_spec(&self, spec: EndpointSpec) -> Result<Version, UpdateError> {
        self.core.insert(Offer::of_spec(spec))
    }

    /// Removes an endpoint. It finishes what it has.
    ///
    /// # Errors
    ///
    /// [`UpdateError::Unknown`] if there is none of this id, or one of the guards refuses; to
    /// remove the last endpoint, or the last with a weight above zero, is to send an empty set.
    pub fn remove(&self, id: &EndpointId) -> Result<Version, UpdateError> {
        self.core.remove(id)
    }
}

impl<T: Send + Sync + 'static> Core<T> {
    pub(crate) fn replace(
        &self,
        offers: impl IntoIterator<Item = Offer<T>>,
        checked: bool,
    ) -> Result<Version, UpdateError> {
        let now = self.ground.origin.nanos(now());
        // Outside the lock, so that what is refused is also dropped outside.
        let mut offers = by_id(offers);
        self.update_set(now, |writer, base| {
            let offers = offers.as_mut().map_err(|error| error.clone())?;
            let offers = Paired::of(base, offers);
            if checked {
                let claim = Claim::of_set(base, &offers);
                writer.guard.check(base.config.update(), claim, now, self.ground.origin)?;
            }
            let Merged { members, tally } = self.merge(writer, base, offers, &base.config, now)?;
            if tally.is_nothing() {
                writer.guard.believe();
                self.dates.confirm(now);
                return Ok(base.version);
            }
            let change = Changed::Replaced {
                added: tally.added,
                removed: tally.removed,
                changed: tally.changed,
                unchecked: !checked,
            };
            let judged = if checked { Judged::ByShares } else { Judged::Not };
            let version = self.publish_set(writer, base, members, change, judged, now)?;
            // The source has sent a set that is taken: what was doubted before is of the past.
            writer.guard.believe();
            Ok(version)
        })
    }

    fn insert(&self, offer: Offer<T>) -> Result<Version, UpdateError> {
        let now = self.ground.origin.nanos(now());
        let mut offer = Some(offer);
        self.update_set(now, |writer, base| {
            let Some(offer) = offer.take() else {
                return Ok(base.version);
            };
            let id = offer.id().clone();
            let place = base.members.binary_search_by(|member| member.id().cmp(&id));
            let known = place.ok().and_then(|at| base.members.get(at));
            let member = self.swapped(writer, base, known, offer, now)?;
            let mut members = base.members.to_vec();
            match place {
                Ok(at) => members[at] = member,
                Err(at) => members.insert(at, member),
            }
            let change = Changed::Inserted { endpoint: id, swapped: place.is_ok() };
            self.publish_set(writer, base, members, change, Judged::ByShares, now)
        })
    }

    fn remove(&self, id: &EndpointId) -> Result<Version, UpdateError> {
        let now = self.ground.origin.nanos(now());
        self.update_set(now, |writer, base| {
            let at = base.position(id).ok_or_else(|| UpdateError::Unknown { id: id.clone() })?;
            let claim = Claim::of_removal(base, id);
            writer.guard.check(base.config.update(), claim, now, self.ground.origin)?;
            let mut members = base.members.to_vec();
            members.remove(at);
            let change = Changed::Removed { endpoint: id.clone() };
            let version = self.publish_set(writer, base, members, change, Judged::ByShares, now)?;
            writer.guard.believe_gone(id);
            Ok(version)
        })
    }

    /// Runs a change of the set, and notes what came of it: nobody may read the answer of a source.
    fn update_set(
        &self,
        now: Nanos,
        act: impl FnOnce(&mut Writer<T>, &Snapshot<T>) -> Result<Version, UpdateError>,
    ) -> Result<Version, UpdateError> {
        self.update(now, |writer, base| {
            let result = act(writer, base);
            match &result {
                Ok(_) => writer.alarms.facts.set_accepted(),
                // A word about nobody, which changes nothing.
                Err(UpdateError::Unknown { .. }) => {}
                // What the factory says are words of its own, and nobody but us may run here.
                Err(UpdateError::Make { id, .. }) => {
                    let reason = format!("the target of `{id}` was not made");
                    writer.alarms.facts.set_refused(reason);
                }
                Err(error) => writer.alarms.facts.set_refused(error.to_string()),
            }
            result
        })
    }

    /// Runs a change under the lock and tells subscribers if it was refused.
    pub(crate) fn update<R>(
        &self,
        now: Nanos,
        act: impl FnOnce(&mut Writer<T>, &Snapshot<T>) -> Result<R, UpdateError>,
    ) -> Result<R, UpdateError> {
        self.write(now, |writer, base| {
            act(writer, base).inspect_err(|error| {
                let version = base.version;
                self.hub.push(Event::UpdateRefused { version, error: error.clone() });
            })
        })
    }

    fn publish_set(
        &self,
        writer: &mut Writer<T>,
        base: &Snapshot<T>,
        members: Vec<Member<T>>,
        change: Changed,
        judged: Judged,
        now: Nanos,
    ) -> Result<Version, UpdateError> {
        let version = base.version.next_set();
        let draft = Draft { version, ..Draft::with(base, members) };
        let version = self
            .publish(writer, base, draft, vec![change], judged, now)
            .map_err(|refused| refused.for_update(&base.chosen.name))?;
        self.remember(writer, base, now);
        Ok(version)
    }
}
