//! What a request asks of the choice.

use std::hash::Hash;

use crate::hash;
use crate::units::EndpointId;

/// What a request asks of the choice of its endpoint: a hash for strategies that need one, and
/// endpoints it must not go to.
///
/// ```
/// use evenkeel::{EndpointId, Key};
///
/// let key = Key::bytes(b"session-42").excluding(&EndpointId::from("a"));
/// assert_eq!(key.hash(), Key::bytes(b"session-42").hash());
/// assert!(key.excludes(&EndpointId::from("a")));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Key {
    hash: Option<u64>,
    excluded: Vec<EndpointId>,
}

impl Key {
    /// A request that asks for nothing. Allocates nothing.
    #[must_use]
    pub const fn none() -> Self {
        Self { hash: None, excluded: Vec::new() }
    }

    /// The portable hash (xxHash64, seed 0) of `bytes`: the same on every machine and in every
    /// language.
    #[must_use]
    pub fn bytes(bytes: &[u8]) -> Self {
        Self::from_hash(hash::bytes(bytes))
    }

    /// The hash of a value, through its `Hash`. The same in every process built from the same
    /// sources; use [`bytes`](Self::bytes) where other programs must agree.
    #[must_use]
    pub fn of(value: &(impl Hash + ?Sized)) -> Self {
        Self::from_hash(hash::value(value))
    }

    /// A hash computed elsewhere.
    #[must_use]
    pub const fn from_hash(hash: u64) -> Self {
        Self { hash: Some(hash), excluded: Vec::new() }
    }

    /// The same key, never to be sent to `id`. Exclusions add up.
    #[must_use]
    pub fn excluding(mut self, id: &EndpointId) -> Self {
        if !self.excludes(id) {
            self.excluded.push(id.clone());
        }
        self
    }

    /// The hash, if there is one.
    #[must_use]
    pub const fn hash(&self) -> Option<u64> {
        self.hash
    }

    /// Whether `id` is excluded.
    #[must_use]
    pub fn excludes(&self, id: &EndpointId) -> bool {
        self.excluded.contains(id)
    }

    /// The endpoints excluded, in the order in which they were named.
    #[must_use]
    pub fn excluded(&self) -> &[EndpointId] {
        &self.excluded
    }
}
