//! What a balancer answers, in the model's words.

use evenkeel::{ApplyError, EndpointId, Event, PickError, RollbackError, UpdateError};

use super::ops::NUMBERS;
use super::settings::id;
use super::state::{Answer, Nobody, Refusal, Told, Version};

pub(crate) fn pair(version: evenkeel::Version) -> Version {
    (version.config, version.set)
}

pub(crate) fn told(event: &Event) -> Told {
    let number = |of: &EndpointId| (0..NUMBERS).find(|&it| id(it) == *of);
    match event {
        Event::Published { version, .. } => Told::Published(pair(*version)),
        Event::UpdateRefused { version, .. } => Told::UpdateRefused(pair(*version)),
        Event::ConfigRefused { version, .. } => Told::ConfigRefused(pair(*version)),
        Event::RollbackFailed { version, .. } => Told::RollbackFailed(pair(*version)),
        Event::ShareRaised { version, endpoint, .. } => {
            Told::Raised(pair(*version), number(endpoint).expect("an endpoint of the set"))
        }
        other => unreachable!("nobody asked for {other:?}"),
    }
}

#[track_caller]
pub(crate) fn same<E: Refused>(answer: Result<evenkeel::Version, E>, expected: Answer) {
    let answer = answer.map(pair).map_err(|error| error.refusal());
    assert_eq!(answer, expected, "the answer");
}

pub(crate) trait Refused {
    fn refusal(&self) -> Refusal;
}

impl Refused for UpdateError {
    fn refusal(&self) -> Refusal {
        match self {
            Self::Empty { .. } => Refusal::Empty,
            Self::AllWeightsZero { .. } => Refusal::AllWeightsZero,
            Self::Shrinks { .. } => Refusal::Shrinks,
            Self::Duplicate { .. } => Refusal::Duplicate,
            Self::Unknown { .. } => Refusal::Unknown,
            Self::Make { .. } => Refusal::Make,
            Self::Share { .. } => Refusal::Share,
            other => unreachable!("nobody expects {other:?}"),
        }
    }
}

impl Refused for ApplyError {
    /// Settings are refused in words.
    fn refusal(&self) -> Refusal {
        let Self::Refused(error) = self else { return Refusal::Stale };
        let [problem] = error.problems() else { unreachable!("more than one problem: {error}") };
        match (problem.path.as_str(), &problem.message) {
            ("guard.max_share_percent", _) => Refusal::Share,
            ("endpoints", it) if it.contains("the last of") => Refusal::Empty,
            ("endpoints", it) if it.contains("a weight above zero") => Refusal::AllWeightsZero,
            ("endpoints", it) if it.contains("may go at once") => Refusal::Shrinks,
            ("endpoints", it) if it.contains("no way there") => Refusal::Make,
            _ => unreachable!("nobody expects {problem}"),
        }
    }
}

impl Refused for RollbackError {
    fn refusal(&self) -> Refusal {
        match self {
            Self::NothingBefore => Refusal::NothingBefore,
            Self::Endpoints { .. } => Refusal::Make,
            other => unreachable!("nobody expects {other:?}"),
        }
    }
}

pub(crate) fn nobody_of(error: &PickError) -> Nobody {
    match *error {
        PickError::Empty => Nobody::Empty,
        PickError::AllWeightsZero => Nobody::AllWeightsZero,
        PickError::NoneAvailable { draining, disabled, .. } => {
            Nobody::NoneAvailable { draining, disabled }
        }
        PickError::AllExcluded => Nobody::AllExcluded,
        ref other => unreachable!("nobody expects {other:?}"),
    }
}
