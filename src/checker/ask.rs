//! One check, from the question to what its answer is worth.

use std::time::Duration;

use tokio::task::JoinError;
use tokio::time::timeout;

use crate::balancer::Asked;
use crate::error::{BoxError, panic_text};
use crate::health::Subject;
use crate::sync::Arc;

/// What came of a check.
pub(super) enum Answer {
    Good,
    Bad(Arc<BoxError>),
    /// Bad, too.
    Panicked {
        message: String,
    },
    /// It was called off.
    None,
}

/// Asks an endpoint, which has this long to answer. Its target is kept no longer than that.
pub(super) async fn ask<T: 'static>(asked: Asked<T>, deadline: Duration) -> Result<(), BoxError> {
    let Asked { probe, attributes, bound } = asked;
    let subject = Subject::new(bound.cell.id(), &attributes, &bound.target);
    match timeout(deadline, probe.probe(subject)).await {
        Ok(answer) => answer,
        Err(_) => Err(format!("no answer within {deadline:?}").into()),
    }
}

impl Answer {
    pub(super) fn of(ended: Result<Result<(), BoxError>, JoinError>) -> Self {
        match ended {
            Ok(Ok(())) => Self::Good,
            Ok(Err(error)) => Self::Bad(Arc::new(error)),
            Err(error) => match error.try_into_panic() {
                Ok(panic) => Self::Panicked { message: panic_text(&*panic).unwrap_or_default() },
                Err(_cancelled) => Self::None,
            },
        }
    }

    /// Whether it is a good one, if it counts.
    pub(super) fn good(&self) -> Option<bool> {
        match self {
            Self::Good => Some(true),
            Self::Bad(_) | Self::Panicked { .. } => Some(false),
            Self::None => None,
        }
    }

    /// What is wrong with the endpoint, if something is.
    pub(super) fn error(&self) -> Option<Arc<BoxError>> {
        match self {
            Self::Bad(error) => Some(Arc::clone(error)),
            Self::Panicked { .. } => Some(Arc::new("the probe panicked".into())),
            Self::Good | Self::None => None,
        }
    }
}
