//! Why nothing could be drilled.

use evenkeel::Problem;
use evenkeel::config::locate;
use serde::Serialize;

use crate::answer::{Answer, Exit};
use crate::finding::Finding;
use crate::places::Places;
use crate::preview::Invalid;
use crate::render;
use crate::source::Source;

/// Why nothing could be drilled.
#[derive(Debug)]
pub(super) enum Wrong {
    /// The question, in words.
    Call(String),
    /// What a file holds.
    File(Invalid),
}

/// As a preview tells it.
#[derive(Debug, Serialize)]
struct Told {
    invalid: [Invalid; 1],
}

impl Wrong {
    pub(super) fn file(source: Source, problems: Vec<Finding>) -> Self {
        Self::File(Invalid { source, problems })
    }

    /// Of problems that have their place in the text, or a path by which it is found.
    pub(super) fn text(source: Source, problems: &[Problem]) -> Self {
        let places = Places::of(&source.text);
        let mut problems = problems.to_vec();
        if problems.iter().all(|problem| problem.position.is_none()) {
            locate(&source.text, &mut problems);
        }
        let found = problems.iter().map(|problem| Finding::of_text(problem, &places)).collect();
        Self::file(source, found)
    }

    pub(super) fn answer(self, json: bool) -> Answer {
        match self {
            Self::Call(why) => Answer::failure(why),
            Self::File(invalid) if json => {
                Answer::json(&Told { invalid: [invalid] }, Vec::new(), Exit::Problems)
            }
            Self::File(Invalid { source, problems }) => {
                let text = render::listed(&source, &problems);
                Answer { text, exit: Exit::Problems, ..Answer::default() }
            }
        }
    }
}

impl From<String> for Wrong {
    fn from(why: String) -> Self {
        Self::Call(why)
    }
}
