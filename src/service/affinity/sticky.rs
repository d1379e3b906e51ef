//! The services that keep sessions with their endpoints.

use std::fmt;
use std::task::{Context, Poll};

use http::{Request, Response};
use tower_layer::Layer;
use tower_service::Service;

use crate::balancer::Balancer;
use crate::classify::Classify;
use crate::error::BoxError;
use crate::service::affinity::sessions::{Roster, Sessions};
use crate::service::affinity::{InSession, SessionAffinity, unix_now};
use crate::service::{
    Balance, BalanceLayer, DirectBalance, DirectFuture, KeyBy, ResponseFuture, Target, Until,
};
use crate::sync::Arc;
use crate::units::{EndpointId, Key};

/// A [`Balance`], [`BalanceLayer`] or
/// [`DirectBalance`] that keeps sessions with their endpoints.
///
/// [`Balance::sticky`](crate::Balance::sticky) and
/// [`BalanceLayer::sticky`](crate::BalanceLayer::sticky) make it; [`SessionAffinity`] says what it
/// does. It takes requests of `http` and gives what the service inside gives. A session's request
/// waits for its own endpoint to become ready instead of asking others: with
/// `limits.attempt_timeout`, for no longer than that.
///
/// Where the request's own key prefers an endpoint, that goes before the token.
#[derive(Clone)]
pub struct Sticky<S> {
    inner: S,
    sessions: Arc<Sessions>,
}

impl<T, K, C, U> Balance<T, K, C, U> {
    /// Keeps sessions with their endpoints.
    ///
    /// Say it last: keys, classifier and bodies to follow are settled before.
    ///
    /// ```
    /// use evenkeel::{Balancer, ByStatus, Endpoint, Secret, SessionAffinity};
    /// use http::{Request, Response, header};
    /// use tower::{ServiceExt, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    /// let server = |name: &'static str| {
    ///     service_fn(move |_: Request<()>| async move { Ok::<_, std::io::Error>(Response::new(name)) })
    /// };
    /// let balancer = Balancer::builder()
    ///     .endpoints(["a", "b", "c"].map(|name| Endpoint::new(name, server(name))))
    ///     .build()?;
    ///
    /// # let from_your_vault = [7; 32];
    /// let affinity = SessionAffinity::cookie("shop", Secret::new(from_your_vault)?)?;
    /// let service = balancer.service().classify(ByStatus).sticky(affinity);
    ///
    /// let first = service.clone().oneshot(Request::new(())).await?;
    /// let cookie = first.headers()[header::SET_COOKIE].to_str()?;
    /// let (cookie, _) = cookie.split_once(';').unwrap();
    /// for _ in 0..9 {
    ///     let request = Request::get("/").header(header::COOKIE, cookie).body(())?;
    ///     let next = service.clone().oneshot(request).await?;
    ///     assert_eq!(next.body(), first.body());
    ///     assert!(!next.headers().contains_key(header::SET_COOKIE));
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "settings are handed over")]
    pub fn sticky(self, affinity: SessionAffinity) -> Sticky<Self> {
        Sticky { inner: self, sessions: Arc::new(Sessions::new(&affinity)) }
    }
}

impl<T, K, C, U> BalanceLayer<T, K, C, U> {
    /// As [`Balance::sticky`](crate::Balance::sticky).
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "settings are handed over")]
    pub fn sticky(self, affinity: SessionAffinity) -> Sticky<Self> {
        Sticky { inner: self, sessions: Arc::new(Sessions::new(&affinity)) }
    }
}

impl<S> Sticky<S> {
    /// What is inside.
    pub fn get_ref(&self) -> &S {
        &self.inner
    }

    /// The key of a request, by its own and by its token, and what its response needs.
    fn attend<T, C: Clone, B>(
        &self,
        balancer: &Balancer<T>,
        key: Key,
        classify: &C,
        request: &Request<B>,
    ) -> (Key, InSession<C>)
    where
        T: Send + Sync + 'static,
    {
        let said = self.sessions.read(request.headers(), balancer, unix_now);
        let key = key.asking_too(&said.key);
        (key, InSession::new(classify.clone(), Arc::clone(&self.sessions), said))
    }
}

impl<T: Send + Sync + 'static> Roster for Balancer<T> {
    fn set(&self) -> u64 {
        self.version().set
    }

    fn endpoints(&self) -> (u64, Vec<EndpointId>) {
        self.ids()
    }
}

impl<T, K, C, U, B, R> Service<Request<B>> for Sticky<Balance<T, K, C, U>>
where
    T: Service<Request<B>, Response = Response<R>> + Clone + Send + Sync + 'static,
    T::Error: Into<BoxError>,
    K: KeyBy<Request<B>>,
    C: Classify<Response<R>, T::Error> + Clone,
    U: Until<Response<R>, T::Error, T, InSession<C>>,
{
    type Response = U::Response;
    type Error = BoxError;
    type Future = ResponseFuture<T, Request<B>, InSession<C>, U>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let Balance { balancer, key, classify, .. } = &self.inner;
        let (key, classify) = self.attend(balancer, key.key(&request), classify, &request);
        ResponseFuture::chosen(balancer, key, request, classify)
    }
}

impl<S, T, K, C, U, B, R> Service<Request<B>> for Sticky<DirectBalance<S, T, K, C, U>>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
    S::Error: Into<BoxError>,
    T: Target<Request<B>> + Send + Sync + 'static,
    K: KeyBy<Request<B>>,
    C: Classify<Response<R>, S::Error> + Clone,
    U: Until<Response<R>, S::Error, T, InSession<C>>,
{
    type Response = U::Response;
    type Error = BoxError;
    type Future = DirectFuture<S, T, Request<B>, InSession<C>, U>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let DirectBalance { balancer, key, classify, .. } = &self.inner;
        let (key, classify) = self.attend(balancer, key.key(&request), classify, &request);
        self.inner.send(&key, request, classify)
    }
}

impl<S, T, K, C, U> Layer<S> for Sticky<BalanceLayer<T, K, C, U>>
where
    BalanceLayer<T, K, C, U>: Layer<S>,
{
    type Service = Sticky<<BalanceLayer<T, K, C, U> as Layer<S>>::Service>;

    fn layer(&self, client: S) -> Self::Service {
        Sticky { inner: self.inner.layer(client), sessions: Arc::clone(&self.sessions) }
    }
}

impl<S: fmt::Debug> fmt::Debug for Sticky<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sticky").field("inner", &self.inner).finish_non_exhaustive()
    }
}
