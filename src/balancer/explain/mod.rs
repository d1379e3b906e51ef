//! Where a request would go, and why, without sending it.

mod facts;
mod words;

use std::time::Duration;

use crate::balancer::{Balancer, now};
use crate::decision::PickReason;
use crate::endpoint::Availability;
use crate::units::{EndpointId, Key, Version};

/// Where a request would go now, and why: what [`Balancer::explain`] answers.
///
/// [`Display`](std::fmt::Display) is a text for whoever looks for the reason in a hurry, in which
/// foreign names are escaped. Serialisable with the feature `config`.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "config", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Explanation {
    /// What the balancer is called.
    pub name: String,
    /// The version that would choose.
    pub version: Version,
    /// The strategy that would choose.
    pub strategy: String,
    /// The hash of the request's key, if it has one.
    pub key: Option<u64>,
    /// The endpoint that the request would rather go to, if it names one.
    pub preferred: Option<EndpointId>,
    /// The endpoints that it must not go to.
    pub excluded: Vec<EndpointId>,
    /// Where it would go, where that is certain.
    pub answer: Option<EndpointId>,
    /// Why there; or, where chance has a say, how one is chosen; or why it would be refused.
    pub reason: PickReason,
    /// Why it would be refused, in words, if it would be.
    pub refusal: Option<String>,
    /// The endpoint that the key belongs to, where keys decide.
    pub owner: Option<EndpointId>,
    /// Whether the chances were found by drawing very often: they may be half a percent off.
    pub estimated: bool,
    /// Every tier, and zone where zones are looked at, in which somebody can be chosen; the most
    /// preferred first.
    pub tiers: Vec<ExplainedTier>,
    /// Every endpoint, in the order of the ids.
    pub endpoints: Vec<ExplainedEndpoint>,
}

/// A tier, or a zone of one, as a request finds it.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "config", derive(serde::Serialize))]
#[non_exhaustive]
pub struct ExplainedTier {
    /// Which.
    pub tier: u32,
    /// Which zone of it; `None` where zones are not looked at, and for endpoints that are in none.
    pub zone: Option<String>,
    /// The part of all requests that it takes, from 0 to 1.
    pub load: f64,
    /// How probable it is that this request is picked from it, from 0 to 1.
    ///
    /// Where keys decide, the key does; else it is chance. A request that excludes all of one goes
    /// on to the next.
    pub chance: f64,
    /// Whether health is not believed in the tier, because too few would be left.
    pub panic: bool,
    /// How many can be chosen.
    pub candidates: usize,
}

/// An endpoint as a request finds it.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "config", derive(serde::Serialize))]
#[non_exhaustive]
pub struct ExplainedEndpoint {
    /// Its identity.
    pub id: EndpointId,
    /// What it is doing.
    pub state: Availability,
    /// Why the request would not be picked for it; `None` for a candidate.
    pub barred: Option<Barred>,
    /// How probable it is that the request goes to it, from 0 to 1; `None` where a strategy of the
    /// user's own does not say how it chooses.
    pub chance: Option<f64>,
    /// What it costs, where the strategy compares costs: requests by weight for `least_request`,
    /// nanoseconds for `peak_ewma`.
    pub cost: Option<f64>,
    /// Requests in flight.
    pub in_flight: u64,
    /// Failures that still weigh as much as a request in flight.
    pub penalties: u64,
    /// The latency that a request has to expect, without those ahead of it.
    pub expected_latency: Duration,
    /// Its weight.
    pub weight: u32,
    /// The weight it is chosen by: 0 while it takes nothing new, a part while it warms up.
    pub effective_weight: f64,
    /// The part of all requests that it gets while all are equally loaded.
    pub expected_share: f64,
    /// Its tier.
    pub tier: u32,
    /// Where it runs.
    pub zone: Option<String>,
}

/// Why an endpoint is no candidate for a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "config", derive(serde::Serialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Barred {
    /// An operator switched it off.
    Disabled,
    /// An operator lets it finish what it has.
    Draining,
    /// Its weight is zero.
    WeightZero,
    /// Active checks fail, or have yet to succeed.
    Unhealthy,
    /// It was taken out for failing.
    Ejected {
        /// How long it still is.
        remaining: Duration,
    },
    /// Its ejection is over, and it has yet to prove itself.
    Probing,
    /// The request excludes it.
    Excluded,
    /// Its tier or zone takes nothing while those before it carry everything.
    StandsBy,
    /// The request is picked from another tier or zone.
    OtherTier,
}

impl Explanation {
    /// The endpoint of this id.
    #[must_use]
    pub fn endpoint(&self, id: &EndpointId) -> Option<&ExplainedEndpoint> {
        let at = self.endpoints.binary_search_by(|endpoint| endpoint.id.cmp(id)).ok()?;
        self.endpoints.get(at)
    }
}

impl<T: Send + Sync + 'static> Balancer<T> {
    /// Where a request with this key would go now, and why. Sends nothing, and changes nothing:
    /// picks go as if it had not been asked.
    ///
    /// Where the choice leaves nothing to chance (keys, a round, a session, a probe that is due), it
    /// is the very endpoint of the next pick, unless something happens in between; elsewhere it is
    /// each endpoint's chance, at what they cost now. What the next pick would find out by itself,
    /// because a sweep of the detectors is due, is not foreseen; what time alone brings about is.
    ///
    /// Costs about as much as [`status`](Self::status), and a few milliseconds more where more than
    /// two endpoints are compared.
    ///
    /// ```
    /// use evenkeel::{Balancer, Endpoint, Key, PickReason};
    ///
    /// let balancer = Balancer::builder()
    ///     .endpoint(Endpoint::new("a", ()))
    ///     .endpoint(Endpoint::new("b", ()))
    ///     .build()?;
    /// balancer.disable(&"a".into())?;
    ///
    /// let explanation = balancer.explain(&Key::none());
    /// assert_eq!(explanation.answer, Some("b".into()));
    /// assert_eq!(explanation.reason, PickReason::LeastCost);
    /// println!("{explanation}");
    /// # Ok::<(), evenkeel::BoxError>(())
    /// ```
    #[must_use]
    pub fn explain(&self, key: &Key) -> Explanation {
        self.core.explain(key, now())
    }
}
