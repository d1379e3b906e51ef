//! The layer that puts a balancer in front of one client.

use std::fmt;
use std::marker::PhantomData;

use tower_layer::Layer;

use crate::balancer::Balancer;
use crate::classify::ByResult;
use crate::service::{DirectBalance, NoKey, UntilHead};
use crate::units::Key;

/// Puts a balancer in front of one client: the chosen address is written into each request.
///
/// The balancer's targets are addresses, which implement [`Target`](crate::Target). Where each
/// endpoint needs a client of its own (its own TLS names, limits or pool),
/// [`Balancer::service`] is the way.
///
/// ```
/// use evenkeel::{Balancer, BalanceLayer, BoxError, Endpoint, Target};
/// use tower::{ServiceBuilder, ServiceExt, service_fn};
///
/// struct Name(&'static str);
///
/// impl Target<String> for Name {
///     fn direct(&self, request: String) -> Result<String, BoxError> {
///         Ok(format!("{request} to {}", self.0))
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), BoxError> {
/// let balancer = Balancer::builder().endpoint(Endpoint::new("a", Name("anna"))).build()?;
/// let client = service_fn(|request: String| async move { Ok::<_, BoxError>(request) });
/// let service = ServiceBuilder::new().layer(BalanceLayer::new(balancer)).service(client);
/// assert_eq!(service.oneshot("a letter".to_owned()).await?, "a letter to anna");
/// # Ok(())
/// # }
/// ```
///
/// # Panics
///
/// Its services panic with `limits.attempt_timeout` outside of a tokio runtime with a timer.
pub struct BalanceLayer<T, K = NoKey, C = ByResult, U = UntilHead> {
    balancer: Balancer<T>,
    key: K,
    classify: C,
    until: PhantomData<fn() -> U>,
}

impl<T> BalanceLayer<T> {
    /// A layer for this balancer.
    #[must_use]
    pub fn new(balancer: Balancer<T>) -> Self {
        Self { balancer, key: NoKey, classify: ByResult, until: PhantomData }
    }
}

impl<T, K, C, U> BalanceLayer<T, K, C, U> {
    /// As [`Balance::key_by`](crate::Balance::key_by).
    #[must_use]
    pub fn key_by<Req, K2: Fn(&Req) -> Key>(self, key: K2) -> BalanceLayer<T, K2, C, U> {
        self.key_from(key)
    }

    /// As [`Balance::key_from`](crate::Balance::key_from).
    #[must_use]
    pub fn key_from<K2>(self, key: K2) -> BalanceLayer<T, K2, C, U> {
        let Self { balancer, classify, until, .. } = self;
        BalanceLayer { balancer, key, classify, until }
    }

    /// As [`Balance::classify`](crate::Balance::classify).
    #[must_use]
    pub fn classify<C2>(self, classify: C2) -> BalanceLayer<T, K, C2, U> {
        let Self { balancer, key, until, .. } = self;
        BalanceLayer { balancer, key, classify, until }
    }

    /// As [`Balance::follow_body`](crate::Balance::follow_body).
    #[cfg(feature = "http")]
    #[must_use]
    pub fn follow_body(self) -> BalanceLayer<T, K, C, crate::service::UntilEnd> {
        let Self { balancer, key, classify, .. } = self;
        BalanceLayer { balancer, key, classify, until: PhantomData }
    }
}

impl<S, T, K: Clone, C: Clone, U> Layer<S> for BalanceLayer<T, K, C, U> {
    type Service = DirectBalance<S, T, K, C, U>;

    fn layer(&self, client: S) -> Self::Service {
        let (key, classify) = (self.key.clone(), self.classify.clone());
        DirectBalance::new(client, self.balancer.clone(), key, classify)
    }
}

impl<T, K: Clone, C: Clone, U> Clone for BalanceLayer<T, K, C, U> {
    fn clone(&self) -> Self {
        Self {
            balancer: self.balancer.clone(),
            key: self.key.clone(),
            classify: self.classify.clone(),
            until: PhantomData,
        }
    }
}

impl<T, K, C, U> fmt::Debug for BalanceLayer<T, K, C, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BalanceLayer").field("balancer", &self.balancer).finish_non_exhaustive()
    }
}
