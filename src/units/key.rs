//! What a request asks of the choice.

use std::hash::Hash;
use std::sync::Arc;

use crate::hash;
use crate::units::EndpointId;

/// What a request asks of the choice of its endpoint: a hash for strategies that need one, an
/// endpoint it would rather go to, and endpoints it must not go to.
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
    /// What few requests ask for, behind one pointer: a key is moved along with every request.
    asks: Option<Arc<Asks>>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Asks {
    preferred: Option<EndpointId>,
    excluded: Vec<EndpointId>,
}

impl Key {
    /// A request that asks for nothing. Allocates nothing.
    #[must_use]
    pub const fn none() -> Self {
        Self { hash: None, asks: None }
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
        Self { hash: Some(hash), asks: None }
    }

    /// The same key, never to be sent to `id`. Exclusions add up.
    #[must_use]
    pub fn excluding(mut self, id: &EndpointId) -> Self {
        if !self.excludes(id) {
            self.ask().excluded.push(id.clone());
        }
        self
    }

    /// The same key, to be sent to `id` if that may be: for sessions whose state lives on one
    /// endpoint. The last word counts.
    ///
    /// | `id` is | the request goes |
    /// | --- | --- |
    /// | available or warming up, whatever its weight, tier and zone | there |
    /// | draining | there, until the drain is over: see [`Drain`](crate::Drain) |
    /// | ejected, probing or unhealthy | elsewhere, unless its tier panics and serves it |
    /// | disabled, drained by [`drain_all`](crate::Balancer::drain_all), or not in the set | elsewhere |
    /// | excluded by the same key | elsewhere: an exclusion goes before |
    ///
    /// Elsewhere is where the request would have gone without a preference, by its hash if it has
    /// one. A request that gets what it prefers stands outside of the strategy: it takes no turn of
    /// a round, and is counted in flight like any other. Through
    /// [`Balancer::service`](crate::Balancer::service) it waits for that endpoint to be ready,
    /// instead of asking others.
    ///
    /// A cookie that carries the endpoint is `SessionAffinity` (feature `affinity`), which makes
    /// such keys.
    ///
    /// ```
    /// use evenkeel::{Balancer, Endpoint, EndpointId, Key};
    ///
    /// let names = ["a", "b", "c"];
    /// let balancer = Balancer::builder().endpoints(names.map(|id| Endpoint::new(id, ()))).build()?;
    /// let key = Key::none().preferring(&EndpointId::from("b"));
    ///
    /// assert_eq!(balancer.pick(&key)?.endpoint().as_str(), "b");
    /// balancer.disable(&"b".into())?;
    /// assert_ne!(balancer.pick(&key)?.endpoint().as_str(), "b");
    /// # Ok::<(), evenkeel::BoxError>(())
    /// ```
    #[must_use]
    pub fn preferring(mut self, id: &EndpointId) -> Self {
        self.ask().preferred = Some(id.clone());
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
        self.excluded().contains(id)
    }

    /// The endpoints excluded, in the order in which they were named.
    #[must_use]
    #[inline]
    pub fn excluded(&self) -> &[EndpointId] {
        self.asks.as_ref().map_or(&[], |asks| &asks.excluded)
    }

    /// The endpoint preferred, if there is one.
    #[must_use]
    #[inline]
    pub fn preferred(&self) -> Option<&EndpointId> {
        self.asks.as_ref()?.preferred.as_ref()
    }

    /// The same requests with this hash.
    #[cfg(feature = "http")]
    pub(crate) fn hashed(self, hash: Option<u64>) -> Self {
        Self { hash, ..self }
    }

    /// The same key, asking besides for what `other` asks. What it prefers itself goes before.
    ///
    /// Allocates nothing if only one of them asks for anything.
    #[cfg(feature = "http")]
    pub(crate) fn asking_too(mut self, other: &Self) -> Self {
        match (&mut self.asks, &other.asks) {
            (_, None) => {}
            (mine @ None, Some(asks)) => *mine = Some(Arc::clone(asks)),
            (Some(mine), Some(asks)) => {
                let mine = Arc::make_mut(mine);
                if mine.preferred.is_none() {
                    mine.preferred.clone_from(&asks.preferred);
                }
                for id in &asks.excluded {
                    if !mine.excluded.contains(id) {
                        mine.excluded.push(id.clone());
                    }
                }
            }
        }
        self
    }

    fn ask(&mut self) -> &mut Asks {
        Arc::make_mut(self.asks.get_or_insert_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(id: &str) -> EndpointId {
        EndpointId::from(id)
    }

    #[test]
    fn a_key_is_three_words() {
        assert_eq!(size_of::<Key>(), 3 * size_of::<u64>());
    }

    #[test]
    fn what_is_asked_of_a_copy_is_not_asked_of_the_original() {
        let first = Key::bytes(b"x").excluding(&id("a")).preferring(&id("b"));
        let second = first.clone().excluding(&id("c")).preferring(&id("d"));
        assert_eq!((first.excluded(), first.preferred()), (&[id("a")][..], Some(&id("b"))));
        assert_eq!(second.excluded(), [id("a"), id("c")]);
        assert_eq!(second.preferred(), Some(&id("d")));
        assert_eq!(first.hash(), second.hash());
        assert_eq!(Key::none().excluded(), []);
        assert_eq!(Key::none().preferred(), None);
    }

    #[cfg(feature = "http")]
    #[test]
    fn what_two_keys_ask_adds_up() {
        let mine = Key::bytes(b"x").excluding(&id("a"));
        let other = Key::bytes(b"y").excluding(&id("a")).excluding(&id("b")).preferring(&id("c"));
        let both = mine.clone().asking_too(&other);
        assert_eq!((both.hash(), both.excluded()), (mine.hash(), &[id("a"), id("b")][..]));
        assert_eq!(both.preferred(), Some(&id("c")));
        let said = other.clone().preferring(&id("d")).asking_too(&other);
        assert_eq!(said.preferred(), Some(&id("d")), "its own word goes before");
        assert_eq!(Key::none().asking_too(&other), other.hashed(None));
        assert_eq!(mine.clone().asking_too(&Key::none()), mine);
    }
}
