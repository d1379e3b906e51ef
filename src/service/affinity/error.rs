//! Settings of session affinity that cannot be.

use std::error::Error;
use std::fmt;
use std::time::Duration;

/// What is wrong with the settings of a [`SessionAffinity`](crate::SessionAffinity).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AffinityError {
    /// A secret that can be guessed.
    ShortSecret {
        /// How long it is.
        bytes: usize,
        /// How long it has to be at least.
        least: usize,
    },
    /// A name that a cookie cannot have.
    Name {
        /// The name.
        name: String,
    },
    /// Something that cannot stand in an attribute of a cookie.
    Attribute {
        /// Which attribute.
        attribute: &'static str,
        /// What was to stand there.
        value: String,
    },
    /// Less than a second.
    MaxAge {
        /// How long it was to be.
        max_age: Duration,
    },
}

impl fmt::Display for AffinityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ShortSecret { bytes, least } => {
                write!(f, "a secret of {bytes} bytes can be guessed; it takes {least} random ones")
            }
            Self::Name { name } => {
                write!(f, "{name:?} is no name of a cookie; letters, digits, `-` and `_` are fine")
            }
            Self::Attribute { attribute, value } => {
                write!(f, "{value:?} cannot be the {attribute} of a cookie")
            }
            Self::MaxAge { max_age } => {
                write!(f, "a cookie cannot last {max_age:?}; a second is the least")
            }
        }
    }
}

impl Error for AffinityError {}
