//! Several sources as one.

use crate::hash;
use crate::service::KeyBy;
use crate::units::Key;

/// The first of two that a request has; see [`Source::or`](crate::keys::Source::or).
#[derive(Clone, Copy, Debug)]
pub struct FirstOf<A, B> {
    pub(super) first: A,
    pub(super) then: B,
}

impl<A: KeyBy<Req>, B: KeyBy<Req>, Req> KeyBy<Req> for FirstOf<A, B> {
    fn key(&self, request: &Req) -> Key {
        let first = self.first.key(request);
        if first.hash().is_some() {
            return first;
        }
        let then = self.then.key(request);
        first.asking_too(&then).hashed(then.hash())
    }
}

/// Two as one; see [`Source::and`](crate::keys::Source::and).
#[derive(Clone, Copy, Debug)]
pub struct Joint<A, B> {
    pub(super) first: A,
    pub(super) then: B,
}

impl<A: KeyBy<Req>, B: KeyBy<Req>, Req> KeyBy<Req> for Joint<A, B> {
    fn key(&self, request: &Req) -> Key {
        let (first, then) = (self.first.key(request), self.then.key(request));
        let hash = match (first.hash(), then.hash()) {
            (Some(first), Some(then)) => Some(hash::pair(first, then)),
            (first, then) => first.or(then),
        };
        first.asking_too(&then).hashed(hash)
    }
}
