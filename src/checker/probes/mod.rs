//! The checks that are built in, each a [`Probe`](crate::Probe).
//!
//! Each makes a connection of its own and closes it, so that a good answer also says that the
//! endpoint takes new ones; only [`ServiceProbe`] goes the way of the requests. A check that is
//! dropped takes its connection along.

#[cfg(any(feature = "health-http", feature = "health-grpc"))]
mod address;
#[cfg(any(feature = "health-http", feature = "health-grpc"))]
mod causes;
#[cfg(feature = "health-grpc")]
mod grpc;
#[cfg(feature = "health-http")]
mod http;
mod service;
mod tcp;

#[cfg(feature = "health-grpc")]
pub use self::grpc::{GrpcProbe, GrpcProbeError};
#[cfg(feature = "health-http")]
pub use self::http::{HttpProbe, HttpProbeError, StatusRange};
pub use self::service::{ServiceProbe, ServiceProbeError};
pub use self::tcp::{TcpProbe, TcpProbeError};
