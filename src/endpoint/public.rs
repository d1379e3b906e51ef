//! An endpoint as its owner states it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::endpoint::EndpointSpec;
use crate::units::EndpointId;

/// One of the places a request can go to: an identity, something to call, and attributes.
///
/// The target is whatever the caller can use: a `tower` service, a client, an address.
///
/// ```
/// use evenkeel::Endpoint;
///
/// let endpoint = Endpoint::new("a", "10.0.0.1:8080").weight(3).zone("eu-1a").label("rack", "r7");
/// assert_eq!(endpoint.id().as_str(), "a");
/// ```
#[derive(Clone)]
pub struct Endpoint<T> {
    pub(crate) attributes: Attributes,
    pub(crate) weight: u32,
    pub(crate) target: T,
}

/// What an endpoint is besides its target and its weight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Attributes {
    pub(crate) id: EndpointId,
    pub(crate) tier: u32,
    pub(crate) zone: Option<Arc<str>>,
    pub(crate) labels: BTreeMap<String, String>,
}

impl Attributes {
    pub(crate) fn of(spec: &EndpointSpec) -> Self {
        Self {
            id: spec.id.clone(),
            tier: spec.tier,
            zone: spec.zone.as_deref().map(Arc::from),
            labels: spec.labels.clone(),
        }
    }
}

impl<T: Send + Sync + 'static> Endpoint<T> {
    /// An endpoint of weight 1 in tier 0, with neither zone nor labels.
    ///
    /// A target is shared by every thread that picks, hence the bounds. One that is not `Sync`
    /// can stand in a mutex, or be a factory of what is wanted.
    pub fn new(id: impl Into<EndpointId>, target: T) -> Self {
        let attributes = Attributes { id: id.into(), tier: 0, zone: None, labels: BTreeMap::new() };
        Self { attributes, weight: 1, target }
    }
}

impl<T> Endpoint<T> {
    /// Its part of the traffic relative to the others. Default 1; any `u32`. At 0 it finishes
    /// what it has and takes nothing new.
    #[must_use]
    pub fn weight(mut self, weight: u32) -> Self {
        self.weight = weight;
        self
    }

    /// Its tier; 0, the default, is the most preferred.
    #[must_use]
    pub fn tier(mut self, tier: u32) -> Self {
        self.attributes.tier = tier;
        self
    }

    /// Where it runs. Default none.
    #[must_use]
    pub fn zone(mut self, zone: impl AsRef<str>) -> Self {
        self.attributes.zone = Some(zone.as_ref().into());
        self
    }

    /// Adds a label, or replaces the one of that name.
    #[must_use]
    pub fn label(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.attributes.labels.insert(name.into(), value.into());
        self
    }

    /// Its identity.
    #[must_use]
    pub fn id(&self) -> &EndpointId {
        &self.attributes.id
    }

    /// What is called.
    #[must_use]
    pub fn target(&self) -> &T {
        &self.target
    }
}

impl<T> fmt::Debug for Endpoint<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("id", &self.attributes.id)
            .field("weight", &self.weight)
            .field("tier", &self.attributes.tier)
            .field("zone", &self.attributes.zone)
            .field("labels", &self.attributes.labels)
            .finish_non_exhaustive()
    }
}
