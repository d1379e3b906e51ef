//! How long a request counts as in flight.

use crate::balancer::Sending;
use crate::classify::Outcome;

/// How long a request counts as in flight, and what that makes of its response.
///
/// [`UntilHead`], the default, ends it with the response. `UntilEnd` (feature `http`) follows the
/// response's body. The trait is public to be named in bounds, and sealed.
pub trait Until<Res, Err, T, C>: sealed::Sealed {
    /// What the caller gets.
    type Response;

    /// Ends the request, or hands its lease on to the response.
    fn complete(answered: Answered<'_, Res, T, C>) -> Self::Response;
}

/// An answer that has arrived, with the lease that is still held for it.
#[derive(Debug)]
pub struct Answered<'a, Res, T, C> {
    pub(crate) response: Res,
    /// Where the lease stands; it is there.
    pub(crate) lease: &'a mut Option<Sending<T>>,
    pub(crate) head: Outcome,
    #[cfg_attr(not(feature = "http"), expect(dead_code, reason = "asked at a body's end"))]
    pub(crate) classify: &'a C,
}

/// The request ends with its response.
#[derive(Clone, Copy, Debug, Default)]
pub struct UntilHead;

impl<Res, Err, T, C> Until<Res, Err, T, C> for UntilHead {
    type Response = Res;

    #[inline]
    fn complete(answered: Answered<'_, Res, T, C>) -> Res {
        if let Some(lease) = answered.lease {
            lease.end(answered.head);
        }
        *answered.lease = None;
        answered.response
    }
}

pub(crate) mod sealed {
    pub trait Sealed {}

    impl Sealed for super::UntilHead {}
}
