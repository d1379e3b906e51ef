//! Why settings were not applied.

use std::error::Error;
use std::fmt;

use crate::error::ConfigError;
use crate::units::Version;

/// Settings were not applied; all is as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ApplyError {
    /// The settings, or what operators say, have changed since the writer looked.
    ///
    /// Way out: look again, decide again.
    Stale {
        /// The version the writer had seen.
        seen: Version,
        /// The version there is.
        current: Version,
    },
    /// The settings were refused.
    Refused(ConfigError),
}

impl fmt::Display for ApplyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stale { seen, current } => write!(
                f,
                "the settings were changed since version {seen}, they are at {current} now; look \
                 again before you change them"
            ),
            Self::Refused(error) => error.fmt(f),
        }
    }
}

impl Error for ApplyError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Stale { .. } => None,
            Self::Refused(error) => error.source(),
        }
    }
}
