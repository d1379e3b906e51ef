//! The service that sends each request to an endpoint of its own.

use std::fmt;
use std::task::{Context, Poll};

use tower_service::Service;

use crate::balancer::Balancer;
use crate::classify::{ByResult, Classify};
use crate::error::BoxError;
use crate::service::{KeyBy, NoKey, ResponseFuture};
use crate::units::Key;

/// A `tower` service over endpoints that are services themselves; [`Balancer::service`] makes it.
///
/// It is always ready: the endpoint is chosen in `call`, where the request is known, and a fresh
/// clone of the endpoint's service is made ready and called within the response future. Nothing is
/// boxed, and nothing is locked. Cloning it is cheap, and clones share the balancer.
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
pub struct Balance<T, K = NoKey, C = ByResult> {
    balancer: Balancer<T>,
    key: K,
    classify: C,
}

impl<T: Send + Sync + 'static> Balancer<T> {
    /// A `tower` service that sends each request to an endpoint chosen for it.
    ///
    /// For endpoints whose targets are `Service<Request> + Clone`.
    #[must_use]
    pub fn service(&self) -> Balance<T> {
        Balance { balancer: self.clone(), key: NoKey, classify: ByResult }
    }
}

impl<T, K, C> Balance<T, K, C> {
    /// Says how a request's [`Key`] is made.
    ///
    /// ```
    /// # use evenkeel::{Balancer, Endpoint, Key};
    /// # let balancer = Balancer::builder().endpoint(Endpoint::new("a", ())).build()?;
    /// let service = balancer.service().key_by(|request: &String| Key::bytes(request.as_bytes()));
    /// # Ok::<(), evenkeel::ConfigError>(())
    /// ```
    #[must_use]
    pub fn key_by<Req, K2: Fn(&Req) -> Key>(self, key: K2) -> Balance<T, K2, C> {
        self.key_from(key)
    }

    /// As [`key_by`](Self::key_by), for types that implement [`KeyBy`].
    #[must_use]
    pub fn key_from<K2>(self, key: K2) -> Balance<T, K2, C> {
        Balance { balancer: self.balancer, key, classify: self.classify }
    }

    /// Says what a result tells about its endpoint: a closure
    /// `Fn(Result<&Response, &Error>) -> Outcome`, or a [`Classify`]. Default: by `Ok` and `Err`.
    #[must_use]
    pub fn classify<C2>(self, classify: C2) -> Balance<T, K, C2> {
        Balance { balancer: self.balancer, key: self.key, classify }
    }

    /// The balancer behind it.
    #[must_use]
    pub fn balancer(&self) -> &Balancer<T> {
        &self.balancer
    }
}

impl<T, K, C, Req> Service<Req> for Balance<T, K, C>
where
    T: Service<Req> + Clone + Send + Sync + 'static,
    T::Error: Into<BoxError>,
    K: KeyBy<Req>,
    C: Classify<T::Response, T::Error> + Clone,
{
    type Response = T::Response;
    type Error = BoxError;
    type Future = ResponseFuture<T, Req, C>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Req) -> Self::Future {
        match self.balancer.pick(&self.key.key(&request)) {
            Ok(lease) => ResponseFuture::new(lease, request, self.classify.clone()),
            Err(refusal) => ResponseFuture::refused(refusal),
        }
    }
}

impl<T, K: Clone, C: Clone> Clone for Balance<T, K, C> {
    fn clone(&self) -> Self {
        Self {
            balancer: self.balancer.clone(),
            key: self.key.clone(),
            classify: self.classify.clone(),
        }
    }
}

impl<T, K, C> fmt::Debug for Balance<T, K, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Balance").field("balancer", &self.balancer).finish_non_exhaustive()
    }
}
