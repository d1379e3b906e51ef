//! Faults of settings: all of them at once, each with its path.

use std::error::Error;
use std::fmt;

/// How much a [`Problem`] matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "config", derive(serde::Serialize), serde(rename_all = "lowercase"))]
#[non_exhaustive]
pub enum Severity {
    /// It works, though hardly as meant.
    Warning,
    /// It is refused.
    Error,
}

/// One fault of the settings.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "config", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Problem {
    /// The key it is about, as in `strategy.choices` or `endpoints[2].weight`; empty for the
    /// whole.
    pub path: String,
    /// Whether it is refused or only pointed out.
    pub severity: Severity,
    /// What is wrong and what would be right.
    pub message: String,
    /// Line and column in the text, both counted from 1, where there is a text.
    pub position: Option<(usize, usize)>,
}

impl Problem {
    /// A fault that makes the settings refused.
    #[must_use]
    pub fn error(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            severity: Severity::Error,
            message: message.into(),
            position: None,
        }
    }

    /// A fault that is only pointed out.
    #[must_use]
    pub fn warning(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(path, message) }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((line, column)) = self.position {
            write!(f, "line {line}, column {column}: ")?;
        }
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)
    }
}

impl Error for Problem {}

/// The settings were refused; nothing was changed.
///
/// ```
/// # #[cfg(feature = "config")] {
/// use evenkeel::Config;
///
/// let error = Config::from_toml("[strategy]\nkind = \"least_reqests\"\nchoises = 3").unwrap_err();
/// assert_eq!(error.problems().len(), 2);
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    problems: Vec<Problem>,
}

impl ConfigError {
    pub(crate) fn new(problems: Vec<Problem>) -> Self {
        Self { problems }
    }

    /// Everything that is wrong, in the order of the text where there is one.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

impl From<Problem> for ConfigError {
    fn from(problem: Problem) -> Self {
        Self::new(vec![problem])
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.problems.as_slice() {
            [] => f.write_str("the settings were refused"),
            [problem] => write!(f, "the settings were refused: {problem}"),
            problems => {
                write!(f, "the settings were refused for {} problems:", problems.len())?;
                problems.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
            }
        }
    }
}

impl Error for ConfigError {}
