//! Deadlines for what is being drained.

use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use tokio::time::{sleep, timeout};

use crate::balancer::{Drain, DrainAll};
use crate::units::EndpointId;

impl Drain {
    /// Lets sessions go on for `span`, then lets nothing begin any more, and waits until nothing is
    /// in flight.
    ///
    /// `span` counts from the first poll. Unlike a bare [`Drain`], it cuts no session short because
    /// all happen to be quiet, and does not wait for the last of them for ever. A zero ends them at
    /// once.
    ///
    /// ```
    /// # async fn stop(balancer: evenkeel::Balancer<u8>) -> Result<(), evenkeel::BoxError> {
    /// use std::time::Duration;
    ///
    /// balancer.drain(&"a".into())?.after_sessions(Duration::from_secs(600)).await;
    /// // `a` may be stopped: whoever still had a session there goes on elsewhere.
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with a timer.
    ///
    /// # Cancel safety
    ///
    /// Dropping it stops the waiting and nothing else: the endpoint goes on draining, and sessions
    /// go on unless their time was over.
    pub async fn after_sessions(self, span: Duration) {
        if !span.is_zero() {
            sleep(span).await;
        }
        self.end_sessions();
        self.await;
    }
}

impl DrainAll {
    /// Waits until nothing is in flight any more, for `span` at most.
    ///
    /// # Errors
    ///
    /// [`StillInFlight`] when the time is over. All goes on draining.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with a timer.
    ///
    /// # Cancel safety
    ///
    /// Dropping it stops the waiting and nothing else.
    pub async fn within(mut self, span: Duration) -> Result<(), StillInFlight> {
        match timeout(span, Pin::new(&mut self)).await {
            Ok(()) => Ok(()),
            Err(_) => {
                let endpoints = self.in_flight();
                // The last may have ended at the last moment.
                if endpoints.is_empty() { Ok(()) } else { Err(StillInFlight { endpoints, span }) }
            }
        }
    }
}

/// Requests were still in flight when the time for a drain was over.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StillInFlight {
    /// How many, by endpoint, in the order of the ids.
    pub endpoints: Vec<(EndpointId, u64)>,
    /// The time that there was.
    pub span: Duration,
}

impl StillInFlight {
    /// How many they are together.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.endpoints.iter().map(|&(_, requests)| requests).sum()
    }
}

impl fmt::Display for StillInFlight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { endpoints, span } = self;
        write!(f, "{} requests are still in flight after {span:?}", self.requests())?;
        for (at, (endpoint, requests)) in endpoints.iter().enumerate() {
            let between = if at == 0 { ':' } else { ',' };
            write!(f, "{between} {requests} to `{endpoint}`")?;
        }
        Ok(())
    }
}

impl Error for StillInFlight {}
