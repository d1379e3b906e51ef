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
use std::future::Future;

use evenkeel::{BoxError, Endpoint, Probe, Subject};
use futures_util::poll;
use tokio::sync::oneshot;

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

/// Sees that there is no answer although the server has been `asked`, and gives up.
async fn give_up(check: impl Future<Output = Result<(), BoxError>>, asked: oneshot::Receiver<()>) {
    let mut check = Box::pin(check);
    tokio::select! {
        answer = &mut check => panic!("nobody answered, and yet: {answer:?}"),
        asked = asked => asked.unwrap(),
    }
    assert!(poll!(&mut check).is_pending());
}
