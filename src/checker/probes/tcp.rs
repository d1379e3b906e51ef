//! Whether anybody accepts.

use std::error::Error;
use std::fmt;
use std::io;

use tokio::net::{TcpStream, ToSocketAddrs};

use crate::health::{Probe, ProbeFuture, Subject};

/// Well if a TCP connection can be made; it is closed at once, and nothing is sent.
///
/// It finds a host that is gone and a process that is down. A process that hangs still looks well:
/// the system accepts for it.
///
/// ```
/// use std::net::SocketAddr;
///
/// use evenkeel::{Endpoint, Probe, Subject, TcpProbe};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), evenkeel::BoxError> {
/// let server = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
/// let endpoint = Endpoint::new("a", server.local_addr()?);
///
/// let probe = TcpProbe::new(|target: &SocketAddr| *target);
/// probe.probe(Subject::of(&endpoint)).await?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`TcpProbeError`].
///
/// # Panics
///
/// Outside of a tokio runtime with I/O.
#[derive(Clone)]
pub struct TcpProbe<F> {
    address: F,
}

impl<F> TcpProbe<F> {
    /// Checks the address that `address` makes of a target: a [`SocketAddr`](std::net::SocketAddr),
    /// a text `"host:port"`, a pair of host and port, or whatever else is [`ToSocketAddrs`].
    ///
    /// A name is looked up for each check, and its addresses are tried one after another.
    pub fn new<T, A>(address: F) -> Self
    where
        F: Fn(&T) -> A,
        A: ToSocketAddrs,
    {
        Self { address }
    }
}

impl<T, F, A> Probe<T> for TcpProbe<F>
where
    F: Fn(&T) -> A + Send + Sync + 'static,
    A: ToSocketAddrs + Send + 'static,
{
    fn probe<'a>(&'a self, subject: Subject<'a, T>) -> ProbeFuture<'a> {
        let address = (self.address)(subject.target());
        Box::pin(async move {
            let connected = TcpStream::connect(address).await;
            connected.map_err(|source| TcpProbeError { source })?;
            Ok(())
        })
    }
}

impl<F> fmt::Debug for TcpProbe<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TcpProbe").finish_non_exhaustive()
    }
}

/// No connection could be made: refused, no way there, or an address that cannot be looked up.
#[derive(Debug)]
pub struct TcpProbeError {
    source: io::Error,
}

impl TcpProbeError {
    /// What kind of failure it is.
    #[must_use]
    pub fn kind(&self) -> io::ErrorKind {
        self.source.kind()
    }
}

impl fmt::Display for TcpProbeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no TCP connection: {}", self.source)
    }
}

impl Error for TcpProbeError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.source)
    }
}
