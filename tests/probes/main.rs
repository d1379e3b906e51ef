//! The checks that are built in, against real servers on the loopback network.
//!
//! Nothing here waits for time to pass: where a server never answers, it says when it has been
//! asked.

#![allow(clippy::unwrap_used)]

#[cfg(feature = "health-http")]
mod bodies;
#[cfg(feature = "health-grpc")]
mod grpc;
#[cfg(feature = "health-http")]
mod http;
mod server;
mod service;
mod tcp;

use std::error::Error;

use evenkeel::{BoxError, Endpoint, Probe, Subject};

/// Asks `probe` once.
async fn ask<T>(probe: &impl Probe<T>, target: T) -> Result<(), BoxError>
where
    T: Send + Sync + 'static,
{
    probe.probe(Subject::of(&Endpoint::new("a", target))).await
}

/// Asks `probe` once, for an error of its own type.
async fn refusal<T, E>(probe: &impl Probe<T>, target: T) -> E
where
    T: Send + Sync + 'static,
    E: Error + 'static,
{
    *ask(probe, target).await.unwrap_err().downcast().unwrap()
}
