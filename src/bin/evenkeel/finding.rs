//! What was found about settings.

use evenkeel::{Problem, Severity};
use serde::Serialize;
use serde::ser::{SerializeStruct, Serializer};

use crate::places::{Place, Places};

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Level {
    /// What the tool could not look at.
    Note,
    Warning,
    Error,
}

/// A problem of the settings or a note about them, with its place in the text where it has one.
#[derive(Clone, Debug)]
pub(crate) struct Finding {
    pub(crate) level: Level,
    pub(crate) path: String,
    pub(crate) message: String,
    pub(crate) place: Option<Place>,
    /// A word to set beside the caret.
    pub(crate) label: Option<String>,
    /// Another place the message is about, and a word to set beside it.
    pub(crate) beside: Option<(Place, &'static str)>,
}

impl Finding {
    pub(crate) fn new(level: Level, path: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            level,
            path: path.into(),
            message: message.into(),
            place: None,
            label: None,
            beside: None,
        }
    }

    pub(crate) fn at(mut self, place: Option<Place>) -> Self {
        self.place = place;
        self
    }

    /// What a reader of the text found. It has a place already.
    pub(crate) fn of_text(problem: &Problem, places: &Places<'_>) -> Self {
        let place = problem.position.and_then(|(line, column)| places.at_position(line, column));
        Self::from(problem).at(place)
    }
}

impl From<&Problem> for Finding {
    fn from(problem: &Problem) -> Self {
        let level = match problem.severity {
            Severity::Warning => Level::Warning,
            _ => Level::Error,
        };
        Self::new(level, &problem.path, &problem.message)
    }
}

impl Serialize for Finding {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut finding = serializer.serialize_struct("Finding", 5)?;
        finding.serialize_field("severity", &self.level)?;
        finding.serialize_field("path", &self.path)?;
        finding.serialize_field("message", &self.message)?;
        finding.serialize_field("line", &self.place.map(|place| place.line))?;
        finding.serialize_field("column", &self.place.map(|place| place.column))?;
        finding.end()
    }
}

/// How many of `findings` matter exactly this much.
pub(crate) fn count(findings: &[Finding], level: Level) -> usize {
    findings.iter().filter(|finding| finding.level == level).count()
}
