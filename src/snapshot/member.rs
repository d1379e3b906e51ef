//! An endpoint of the set: what it is, and what operators say about it.

use std::fmt;

use crate::endpoint::{Attributes, Availability, Bound, EndpointSpec};
use crate::outlier::{Phase, Rules, Standing};
use crate::snapshot::{Grounds, Place, Said, Stand};
use crate::sync::Arc;
use crate::units::{EndpointId, Nanos};

/// One endpoint of a snapshot.
///
/// A few words, side by side with its neighbours: whoever looks at all of them reads them in one go,
/// and a snapshot copies those of the one before.
pub(crate) struct Member<T> {
    pub(crate) attributes: Attributes,
    /// The weight it came with.
    pub(crate) given_weight: u32,
    /// `None` if nothing is said about it and nothing is held against it, as of most.
    condition: Option<Box<Condition>>,
    pub(crate) bound: Arc<Bound<T>>,
    /// What its target was made of, if a factory made it.
    pub(crate) spec: Option<Arc<EndpointSpec>>,
}

/// What sets an endpoint apart.
#[derive(Clone, Debug, Default)]
struct Condition {
    said: Said,
    standing: Standing,
    /// What its standing comes from, where that is known.
    grounds: Option<Arc<Grounds>>,
}

impl PartialEq for Condition {
    /// Whether they mean the same for the endpoint. Why it came to it changes nothing.
    fn eq(&self, other: &Self) -> bool {
        self.said == other.said && self.standing == other.standing
    }
}

impl<T> Member<T> {
    /// An endpoint of which nothing is said and against which nothing is held.
    pub(crate) fn new(attributes: Attributes, given_weight: u32, bound: Arc<Bound<T>>) -> Self {
        Self { attributes, given_weight, condition: None, bound, spec: None }
    }

    /// It in this condition.
    pub(crate) fn under(mut self, said: Said, standing: Standing) -> Self {
        let grounds = self.condition.take().and_then(|before| before.grounds);
        let grounds = grounds.filter(|_| standing.has_grounds());
        let condition = Condition { said, standing, grounds };
        self.condition = (condition != Condition::default()).then(|| Box::new(condition));
        self
    }

    /// It, standing where it does for these reasons.
    pub(crate) fn on(mut self, grounds: Option<Arc<Grounds>>) -> Self {
        self.stands_on(grounds);
        self
    }

    /// See [`on`](Self::on). Who stands where all begin needs no reasons.
    pub(super) fn stands_on(&mut self, grounds: Option<Arc<Grounds>>) {
        if let Some(condition) = &mut self.condition {
            condition.grounds = grounds.filter(|_| condition.standing.has_grounds());
        }
    }

    /// What its standing comes from.
    pub(crate) fn grounds(&self) -> Option<&Arc<Grounds>> {
        self.condition.as_ref()?.grounds.as_ref()
    }

    /// It with a target that was made of this.
    pub(crate) fn made_of(mut self, spec: Option<Arc<EndpointSpec>>) -> Self {
        self.spec = spec;
        self
    }

    /// What operators say about it.
    #[inline]
    pub(crate) fn said(&self) -> &Said {
        self.condition.as_ref().map_or(&Said::NOTHING, |it| &it.said)
    }

    /// What its answers have brought it to.
    #[inline]
    pub(crate) fn standing(&self) -> Standing {
        self.condition.as_ref().map_or_else(Standing::default, |it| it.standing)
    }

    /// Whether nothing is said about it and nothing is held against it.
    pub(crate) fn is_plain(&self) -> bool {
        self.condition.is_none()
    }

    /// Whether it is the same endpoint in the same state, with the same target.
    #[inline]
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.bound, &other.bound)
            && self.given_weight == other.given_weight
            && self.condition == other.condition
            && self.attributes == other.attributes
            && self.spec == other.spec
    }

    pub(crate) fn id(&self) -> &EndpointId {
        self.bound.cell.id()
    }

    /// The weight that counts.
    pub(crate) fn weight(&self) -> u32 {
        self.said().weight.unwrap_or(self.given_weight)
    }

    /// Whether it could be chosen were it well: the endpoints that ejections are counted among.
    pub(crate) fn is_in_rotation(&self) -> bool {
        self.stand().is_in_rotation()
    }

    #[inline]
    pub(crate) fn stand(&self) -> Stand {
        match &self.condition {
            None => Stand::well(self.given_weight),
            Some(_) => Stand {
                weight: self.weight(),
                enabled: self.said().admits(),
                standing: self.standing(),
            },
        }
    }

    /// Where it belongs and how it stands.
    #[inline]
    pub(crate) fn place(&self) -> Place<'_> {
        Place { attributes: &self.attributes, cell: &self.bound.cell, stand: self.stand() }
    }

    pub(crate) fn availability(&self) -> Availability {
        if self.said().disabled {
            return Availability::Disabled;
        }
        if self.said().draining_until.is_some() {
            return Availability::Draining;
        }
        if self.standing().is_unhealthy() {
            return Availability::Unhealthy;
        }
        match self.standing().phase {
            Phase::Available => Availability::Available,
            Phase::Warming { .. } => Availability::Warming,
            Phase::Probing { .. } => Availability::Probing,
            Phase::Ejected { .. } => Availability::Ejected,
        }
    }

    /// When time alone brings it back, at least to be probed; `None` if it does not.
    pub(crate) fn returns(&self) -> Option<Nanos> {
        if self.standing().is_unhealthy() {
            return None;
        }
        let ejected = match self.standing().phase {
            Phase::Ejected { until } => Some(until),
            Phase::Available | Phase::Warming { .. } | Phase::Probing { .. } => None,
        };
        self.said().draining_until.max(ejected)
    }

    /// When time alone changes it.
    pub(crate) fn due(&self, rules: &Rules) -> Nanos {
        let said = self.said().draining_until.unwrap_or(Nanos::NEVER);
        said.min(self.standing().due(rules.ramp.window))
    }

    /// The same endpoint as time will have it at `now`.
    pub(crate) fn projected(&self, now: Nanos, rules: &Rules) -> Self {
        let standing = self.standing().at(now, rules.ramp.window);
        self.clone().under(self.said().at(now), standing)
    }

    /// The same endpoint, come to something else.
    pub(crate) fn with_standing(&self, standing: Standing) -> Self {
        self.clone().under(self.said().clone(), standing)
    }

    /// The same endpoint with something else said about it.
    pub(crate) fn with_said(&self, said: Said) -> Self {
        self.clone().under(said, self.standing())
    }

    /// The same endpoint with another target.
    pub(crate) fn with_target(&self, target: T) -> Self {
        Self { bound: Arc::new(self.bound.retarget(target)), ..self.clone() }
    }
}

impl<T> Clone for Member<T> {
    #[inline]
    fn clone(&self) -> Self {
        Self {
            attributes: self.attributes.clone(),
            given_weight: self.given_weight,
            condition: self.condition.clone(),
            bound: Arc::clone(&self.bound),
            spec: self.spec.clone(),
        }
    }
}

impl<T> fmt::Debug for Member<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Member")
            .field("id", self.id())
            .field("weight", &self.weight())
            .field("said", &self.said())
            .field("standing", &self.standing())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategy::Candidate;

    /// Ten thousand endpoints are copied with each change: what one takes in a snapshot is a promise.
    #[test]
    #[cfg(target_pointer_width = "64")]
    fn an_endpoint_is_a_few_words() {
        assert_eq!(size_of::<Member<()>>(), 40);
        assert_eq!(size_of::<Candidate>(), 24);
    }
}
