//! What a gRPC server says of itself.

use std::error::Error;
use std::fmt;

use http::Uri;
use tonic::Code;
use tonic::transport::Channel;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::checker::probes::address::{Unusable, plain};
use crate::checker::probes::causes::Causes;
use crate::error::BoxError;
use crate::health::{Probe, ProbeFuture, Subject};

/// Well if `grpc.health.v1.Health/Check` answers `SERVING`.
///
/// A server without that service (`UNIMPLEMENTED`) counts as well, as it does for gRPC's own
/// clients (gRFC A17): it is there, and has nothing to say about its health. So does any HTTP/2
/// server that answers 404. [`require_implemented`](Self::require_implemented) changes that.
///
/// A new connection is made for each check, and closed after it. TLS is not spoken here: over a
/// channel of yours, it takes a [`probe_fn`](crate::probe_fn) that calls the client of
/// `tonic-health`.
///
/// ```
/// use evenkeel::{Endpoint, GrpcProbe, Probe, Subject};
/// use tokio::net::TcpListener;
/// use tonic::transport::Server;
/// use tonic::transport::server::TcpIncoming;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), evenkeel::BoxError> {
/// let listener = TcpListener::bind("127.0.0.1:0").await?;
/// let endpoint = Endpoint::new("a", listener.local_addr()?.to_string());
/// let (reporter, health) = tonic_health::server::health_reporter();
/// reporter.set_service_status("shop.Carts", tonic_health::ServingStatus::NotServing).await;
/// let server = Server::builder().add_service(health);
/// tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
///
/// let probe = GrpcProbe::new(|target: &String| target.clone());
/// probe.probe(Subject::of(&endpoint)).await?;
///
/// let error = probe.service("shop.Carts").probe(Subject::of(&endpoint)).await.unwrap_err();
/// assert_eq!(error.to_string(), "the service `shop.Carts` is NOT_SERVING");
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`GrpcProbeError`].
///
/// # Panics
///
/// Outside of a tokio runtime with I/O and a timer.
#[derive(Clone)]
pub struct GrpcProbe<F> {
    address: F,
    service: String,
    implemented: bool,
}

impl<F> GrpcProbe<F> {
    /// Checks the address that `address` makes of a target, a [`Uri`] or a text: `host:port` or
    /// `http://host:port`.
    pub fn new<T, A>(address: F) -> Self
    where
        F: Fn(&T) -> A,
        A: TryInto<Uri>,
    {
        Self { address, service: String::new(), implemented: false }
    }

    /// Asks for one service by its full name, such as `shop.Carts`. Default: the empty name, which
    /// stands for the server as a whole.
    #[must_use]
    pub fn service(mut self, name: impl Into<String>) -> Self {
        self.service = name.into();
        self
    }

    /// Takes a server without the health service for unwell.
    #[must_use]
    pub fn require_implemented(mut self) -> Self {
        self.implemented = true;
        self
    }

    async fn check(&self, address: Uri) -> Result<(), GrpcProbeError> {
        // Its tasks end when it is dropped, and with them the connection.
        let channel = Channel::builder(address).connect().await;
        let channel =
            channel.map_err(|error| GrpcProbeError::Unreachable { source: error.into() })?;
        let request = HealthCheckRequest { service: self.service.clone() };
        match HealthClient::new(channel).check(request).await {
            Ok(answer) => self.judge(answer.into_inner().status),
            Err(status) => match status.code() {
                Code::Unimplemented if !self.implemented => Ok(()),
                Code::Unimplemented => Err(GrpcProbeError::Unimplemented),
                Code::NotFound => {
                    Err(GrpcProbeError::UnknownService { service: self.service.clone() })
                }
                _ => Err(GrpcProbeError::Failed { source: status.into() }),
            },
        }
    }

    fn judge(&self, status: i32) -> Result<(), GrpcProbeError> {
        let status = match ServingStatus::try_from(status) {
            Ok(ServingStatus::Serving) => return Ok(()),
            Ok(known) => known.as_str_name().to_owned(),
            Err(_) => format!("in state {status}, which has no name"),
        };
        Err(GrpcProbeError::NotServing { service: self.service.clone(), status })
    }
}

impl<T, F, A> Probe<T> for GrpcProbe<F>
where
    F: Fn(&T) -> A + Send + Sync + 'static,
    A: TryInto<Uri>,
    A::Error: Into<http::Error>,
{
    fn probe<'a>(&'a self, subject: Subject<'a, T>) -> ProbeFuture<'a> {
        let address = plain((self.address)(subject.target()));
        Box::pin(async move {
            let address = address.map_err(|Unusable(reason)| GrpcProbeError::Address { reason })?;
            Ok(self.check(address).await?)
        })
    }
}

impl<F> fmt::Debug for GrpcProbe<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GrpcProbe")
            .field("service", &self.service)
            .field("implemented", &self.implemented)
            .finish_non_exhaustive()
    }
}

/// A gRPC server is not well, or cannot be asked.
#[derive(Debug)]
#[non_exhaustive]
pub enum GrpcProbeError {
    /// What was made of the target is no address to check.
    Address {
        /// Why not.
        reason: String,
    },
    /// There was no connection.
    Unreachable {
        /// Why not.
        source: BoxError,
    },
    /// The server says that it is not well.
    NotServing {
        /// The service that was asked for; empty for the whole server.
        service: String,
        /// What it says: `NOT_SERVING`, `UNKNOWN`, `SERVICE_UNKNOWN`.
        status: String,
    },
    /// The health service of the server has never heard of the service (`NOT_FOUND`).
    UnknownService {
        /// The service that was asked for; empty for the whole server.
        service: String,
    },
    /// The server has no health service, and one is
    /// [required](GrpcProbe::require_implemented).
    Unimplemented,
    /// The call failed in another way: with a status, or because the connection broke.
    Failed {
        /// The status, a `tonic::Status`.
        source: BoxError,
    },
}

/// What was asked for, in words.
struct Asked<'a>(&'a str);

impl fmt::Display for Asked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            "" => f.write_str("the server"),
            service => write!(f, "the service `{service}`"),
        }
    }
}

impl fmt::Display for GrpcProbeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address { reason } => Unusable(reason.clone()).fmt(f),
            Self::Unreachable { source } => write!(f, "no connection: {}", Causes(&**source)),
            Self::NotServing { service, status } => write!(f, "{} is {status}", Asked(service)),
            Self::UnknownService { service } => {
                write!(f, "{} is unknown to the health service (NOT_FOUND)", Asked(service))
            }
            Self::Unimplemented => f.write_str("the server has no health service (UNIMPLEMENTED)"),
            Self::Failed { source } => write!(f, "the check failed: {}", Causes(&**source)),
        }
    }
}

impl Error for GrpcProbeError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Unreachable { source } | Self::Failed { source } => Some(&**source),
            _ => None,
        }
    }
}
