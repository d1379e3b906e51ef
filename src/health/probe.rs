//! The seam for checks.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use crate::endpoint::{Attributes, Endpoint};
use crate::error::BoxError;
use crate::sync::Arc;
use crate::units::EndpointId;

/// A check that is under way.
pub type ProbeFuture<'a> = Pin<Box<dyn Future<Output = Result<(), BoxError>> + Send + 'a>>;

/// Asks an endpoint whether it is well; handed to [`Builder::probe`](crate::Builder::probe).
///
/// When, how often and for how long it is asked, and how many answers count, is said by `[health]`
/// in the settings: a probe knows nothing of it. A closure is made one by [`probe_fn`].
///
/// # Contract
///
/// The future is dropped when the time for an answer (`health.timeout`) is over or the endpoint
/// leaves, and must not block its thread. An error is a bad answer, whatever it says; it stands in
/// the event that follows. A panic is a bad answer too, and an event of its own.
///
/// # Example
///
/// Asks a cache for its `PONG`:
///
/// ```
/// use evenkeel::{Endpoint, Probe, ProbeFuture, Subject};
/// use tokio::io::{AsyncReadExt, AsyncWriteExt};
/// use tokio::net::{TcpListener, TcpStream};
///
/// struct Ping;
///
/// impl Probe<String> for Ping {
///     fn probe<'a>(&'a self, subject: Subject<'a, String>) -> ProbeFuture<'a> {
///         Box::pin(async move {
///             let mut stream = TcpStream::connect(subject.target()).await?;
///             stream.write_all(b"PING\r\n").await?;
///             let mut answer = [0; 7];
///             stream.read_exact(&mut answer).await?;
///             if answer == *b"+PONG\r\n" { Ok(()) } else { Err("not a PONG".into()) }
///         })
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), evenkeel::BoxError> {
/// let cache = TcpListener::bind("127.0.0.1:0").await?;
/// let endpoint = Endpoint::new("a", cache.local_addr()?.to_string());
/// tokio::spawn(async move {
///     for answer in [b"+PONG\r\n", b"-BUSY\r\n"] {
///         let (mut stream, _) = cache.accept().await?;
///         stream.read_exact(&mut [0; 6]).await?;
///         stream.write_all(answer).await?;
///     }
///     Ok::<_, std::io::Error>(())
/// });
/// assert!(Ping.probe(Subject::of(&endpoint)).await.is_ok());
/// assert!(Ping.probe(Subject::of(&endpoint)).await.is_err());
/// # Ok(())
/// # }
/// ```
pub trait Probe<T>: Send + Sync + 'static {
    /// Ready with `Ok` if the endpoint is well.
    fn probe<'a>(&'a self, subject: Subject<'a, T>) -> ProbeFuture<'a>;
}

impl<T, P: Probe<T> + ?Sized> Probe<T> for Arc<P> {
    fn probe<'a>(&'a self, subject: Subject<'a, T>) -> ProbeFuture<'a> {
        (**self).probe(subject)
    }
}

impl<T: 'static> Probe<T> for Box<dyn Probe<T>> {
    fn probe<'a>(&'a self, subject: Subject<'a, T>) -> ProbeFuture<'a> {
        (**self).probe(subject)
    }
}

/// The endpoint that is asked.
pub struct Subject<'a, T> {
    id: &'a EndpointId,
    attributes: &'a Attributes,
    target: &'a T,
}

impl<'a, T> Subject<'a, T> {
    pub(crate) fn new(id: &'a EndpointId, attributes: &'a Attributes, target: &'a T) -> Self {
        Self { id, attributes, target }
    }

    /// An endpoint that no balancer has, to try a probe on.
    #[must_use]
    pub fn of(endpoint: &'a Endpoint<T>) -> Self {
        Self::new(&endpoint.id, &endpoint.attributes, &endpoint.target)
    }

    /// Its identity.
    #[must_use]
    pub fn id(&self) -> &'a EndpointId {
        self.id
    }

    /// What requests call.
    #[must_use]
    pub fn target(&self) -> &'a T {
        self.target
    }

    /// Where it runs, if that was said.
    #[must_use]
    pub fn zone(&self) -> Option<&'a str> {
        self.attributes.zone().map(AsRef::as_ref)
    }

    /// The value of a label, if it has one of that name.
    #[must_use]
    pub fn label(&self, name: &str) -> Option<&'a str> {
        self.attributes.label(name)
    }
}

impl<T> Clone for Subject<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Subject<'_, T> {}

impl<T> fmt::Debug for Subject<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subject").field("id", self.id()).finish_non_exhaustive()
    }
}

/// A probe made of a closure that takes what it needs from the [`Subject`] and returns a future.
///
/// ```
/// use evenkeel::{Endpoint, Probe, Subject, probe_fn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let probe = probe_fn(|subject: Subject<'_, u16>| {
///     let port = *subject.target();
///     async move { if port == 0 { Err("no port") } else { Ok(()) } }
/// });
/// assert!(probe.probe(Subject::of(&Endpoint::new("a", 80))).await.is_ok());
/// assert!(probe.probe(Subject::of(&Endpoint::new("b", 0))).await.is_err());
/// # }
/// ```
pub fn probe_fn<T, F, A, E>(check: F) -> ProbeFn<F>
where
    F: Fn(Subject<'_, T>) -> A + Send + Sync + 'static,
    A: Future<Output = Result<(), E>> + Send + 'static,
    E: Into<BoxError>,
{
    ProbeFn(check)
}

/// See [`probe_fn`].
#[derive(Clone)]
pub struct ProbeFn<F>(F);

impl<T, F, A, E> Probe<T> for ProbeFn<F>
where
    F: Fn(Subject<'_, T>) -> A + Send + Sync + 'static,
    A: Future<Output = Result<(), E>> + Send + 'static,
    E: Into<BoxError>,
{
    fn probe<'a>(&'a self, subject: Subject<'a, T>) -> ProbeFuture<'a> {
        let answer = (self.0)(subject);
        Box::pin(async move { answer.await.map_err(Into::into) })
    }
}

impl<F> fmt::Debug for ProbeFn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProbeFn").finish_non_exhaustive()
    }
}
