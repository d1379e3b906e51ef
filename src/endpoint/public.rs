//! An endpoint as its owner states it.

use std::fmt;

use crate::endpoint::Attributes;
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
    pub(crate) id: EndpointId,
    pub(crate) attributes: Attributes,
    pub(crate) weight: u32,
    pub(crate) target: T,
}

impl<T: Send + Sync + 'static> Endpoint<T> {
    /// An endpoint of weight 1 in tier 0, with neither zone nor labels.
    ///
    /// A target is shared by every thread that picks, hence the bounds. One that is not `Sync`
    /// can stand in a mutex, or be a factory of what is wanted.
    pub fn new(id: impl Into<EndpointId>, target: T) -> Self {
        Self { id: id.into(), attributes: Attributes::default(), weight: 1, target }
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
        self.attributes.set_tier(tier);
        self
    }

    /// Where it runs. Default none.
    #[must_use]
    pub fn zone(mut self, zone: impl AsRef<str>) -> Self {
        self.attributes.set_zone(zone.as_ref());
        self
    }

    /// Adds a label, or replaces the one of that name.
    #[must_use]
    pub fn label(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.attributes.set_label(name.into(), value.into());
        self
    }

    /// Its identity.
    #[must_use]
    pub fn id(&self) -> &EndpointId {
        &self.id
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
            .field("id", &self.id)
            .field("weight", &self.weight)
            .field("attributes", &self.attributes)
            .finish_non_exhaustive()
    }
}
