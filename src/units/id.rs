//! What an endpoint is called.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

/// The identity of an endpoint within its balancer.
///
/// Everything that is remembered of an endpoint (requests in flight, estimates, counters) hangs
/// on its id. Weight, tier, zone and labels are attributes: they may change and the endpoint is
/// still the same. Two endpoints of one set must not share an id.
///
/// Cloning copies a pointer.
///
/// ```
/// use evenkeel::EndpointId;
///
/// let id = EndpointId::from("10.0.0.1:8080");
/// assert_eq!(id.to_string(), "10.0.0.1:8080");
/// assert_eq!(id, EndpointId::from(String::from("10.0.0.1:8080")));
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EndpointId(Arc<str>);

impl EndpointId {
    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for EndpointId {
    fn from(id: &str) -> Self {
        Self(id.into())
    }
}

impl From<String> for EndpointId {
    fn from(id: String) -> Self {
        Self(id.into())
    }
}

impl From<&Self> for EndpointId {
    fn from(id: &Self) -> Self {
        id.clone()
    }
}

impl AsRef<str> for EndpointId {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for EndpointId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EndpointId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for EndpointId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

#[cfg(feature = "config")]
impl serde::Serialize for EndpointId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}
