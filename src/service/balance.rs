//! The service that sends each request to an endpoint of its own.

use std::fmt;
use std::marker::PhantomData;
use std::task::{Context, Poll};

use tower_service::Service;

use crate::balancer::Balancer;
use crate::classify::{ByResult, Classify};
use crate::error::BoxError;
use crate::service::{KeyBy, NoKey, ResponseFuture, Until, UntilHead};
use crate::units::Key;

/// A `tower` service over endpoints that are services themselves; [`Balancer::service`] makes it.
///
/// It is always ready: the endpoint is chosen and its service cloned in `call`, where the request is
/// known, and the clone is made ready and called within the response future, which keeps it. While
/// that is pending, other endpoints are tried. Nothing is boxed, and nothing is locked. Cloning it
/// is cheap, and clones share the balancer.
///
/// A response is a success and an error a failure, whatever the response says: over HTTP, use
/// [`classify`](Self::classify) with `ByStatus`, or with `ByGrpcStatus` (feature `http`).
///
/// Errors are [`PickError`](crate::PickError) where no endpoint was chosen and
/// [`EndpointError`](crate::EndpointError) where one was, with the service's own error behind it.
///
/// ```
/// use evenkeel::{Balancer, Endpoint};
/// use tower::{ServiceExt, service_fn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), evenkeel::BoxError> {
/// let echo = |word: &'static str| async move { Ok::<_, std::io::Error>(word.to_uppercase()) };
/// let balancer = Balancer::builder()
///     .endpoint(Endpoint::new("a", service_fn(echo)))
///     .endpoint(Endpoint::new("b", service_fn(echo)))
///     .build()?;
///
/// assert_eq!(balancer.service().oneshot("hello").await?, "HELLO");
/// # Ok(())
/// # }
/// ```
///
/// # Panics
///
/// With `limits.attempt_timeout`, outside of a tokio runtime with a timer.
pub struct Balance<T, K = NoKey, C = ByResult, U = UntilHead> {
    pub(super) balancer: Balancer<T>,
    pub(super) key: K,
    pub(super) classify: C,
    until: PhantomData<fn() -> U>,
}

impl<T: Send + Sync + 'static> Balancer<T> {
    /// A `tower` service that sends each request to an endpoint chosen for it.
    ///
    /// For endpoints whose targets are `Service<Request> + Clone`. For one client and many
    /// addresses there is [`BalanceLayer`](crate::BalanceLayer).
    #[must_use]
    pub fn service(&self) -> Balance<T> {
        let balancer = self.clone();
        Balance { balancer, key: NoKey, classify: ByResult, until: PhantomData }
    }
}

impl<T, K, C, U> Balance<T, K, C, U> {
    /// Says how a request's [`Key`] is made.
    ///
    /// ```
    /// # use evenkeel::{Balancer, Endpoint, Key};
    /// # let balancer = Balancer::builder().endpoint(Endpoint::new("a", ())).build()?;
    /// let service = balancer.service().key_by(|request: &String| Key::bytes(request.as_bytes()));
    /// # Ok::<(), evenkeel::ConfigError>(())
    /// ```
    #[must_use]
    pub fn key_by<Req, K2: Fn(&Req) -> Key>(self, key: K2) -> Balance<T, K2, C, U> {
        self.key_from(key)
    }

    /// As [`key_by`](Self::key_by), for types that implement [`KeyBy`].
    #[must_use]
    pub fn key_from<K2>(self, key: K2) -> Balance<T, K2, C, U> {
        let Self { balancer, classify, until, .. } = self;
        Balance { balancer, key, classify, until }
    }

    /// Says what a result tells about its endpoint: a closure
    /// `Fn(Result<&Response, &Error>) -> Outcome`, or a [`Classify`]. Default: by `Ok` and `Err`.
    ///
    /// Only `ByStatus` and `ByGrpcStatus` leave `ChosenEndpoint` in the response's extensions.
    #[must_use]
    pub fn classify<C2>(self, classify: C2) -> Balance<T, K, C2, U> {
        let Self { balancer, key, until, .. } = self;
        Balance { balancer, key, classify, until }
    }

    /// Follows the bodies of responses: a request counts as in flight until its body has ended,
    /// failed or been dropped, and is judged then. The latency still ends with the head.
    ///
    /// Changes the response's type to `http::Response<FollowedBody<..>>`.
    #[cfg(feature = "http")]
    #[must_use]
    pub fn follow_body(self) -> Balance<T, K, C, crate::service::UntilEnd> {
        let Self { balancer, key, classify, .. } = self;
        Balance { balancer, key, classify, until: PhantomData }
    }

    /// The balancer behind it.
    #[must_use]
    pub fn balancer(&self) -> &Balancer<T> {
        &self.balancer
    }
}

impl<T, K, C, U, Req> Service<Req> for Balance<T, K, C, U>
where
    T: Service<Req> + Clone + Send + Sync + 'static,
    T::Error: Into<BoxError>,
    K: KeyBy<Req>,
    C: Classify<T::Response, T::Error> + Clone,
    U: Until<T::Response, T::Error, T, C>,
{
    type Response = U::Response;
    type Error = BoxError;
    type Future = ResponseFuture<T, Req, C, U>;

    #[inline]
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    #[inline]
    fn call(&mut self, request: Req) -> Self::Future {
        let key = self.key.key(&request);
        ResponseFuture::chosen(&self.balancer, key, request, self.classify.clone())
    }
}

impl<T, K: Clone, C: Clone, U> Clone for Balance<T, K, C, U> {
    fn clone(&self) -> Self {
        Self {
            balancer: self.balancer.clone(),
            key: self.key.clone(),
            classify: self.classify.clone(),
            until: PhantomData,
        }
    }
}

impl<T, K, C, U> fmt::Debug for Balance<T, K, C, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Balance").field("balancer", &self.balancer).finish_non_exhaustive()
    }
}
