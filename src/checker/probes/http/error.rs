//! What a check by HTTP found wrong.

use std::error::Error;
use std::fmt;

use http::StatusCode;

use crate::checker::probes::address::Unusable;
use crate::checker::probes::causes::Causes;
use crate::checker::probes::http::StatusRange;
use crate::error::BoxError;

/// An HTTP server is not well, or cannot be asked; or what it was to be asked cannot be.
#[derive(Debug)]
#[non_exhaustive]
pub enum HttpProbeError {
    /// A setter of [`HttpProbe`](crate::HttpProbe) was given what cannot be sent or cannot come
    /// back.
    Setting {
        /// Which part of the probe: `path`, `host`, `header`, `status`, `body`.
        part: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// What was made of the target is no address to check.
    Address {
        /// Why not.
        reason: String,
    },
    /// There was no connection.
    Unreachable {
        /// Why not.
        source: BoxError,
    },
    /// The connection broke before there was an answer, or what came was no HTTP.
    NoAnswer {
        /// In which way.
        source: BoxError,
    },
    /// The answer has another status.
    Status {
        /// The status it has.
        status: StatusCode,
        /// Those that are good answers.
        expected: Vec<StatusRange>,
    },
    /// The body lacks the text.
    Body {
        /// The text.
        text: String,
        /// How many bytes of the body were read.
        read: usize,
        /// Whether that was all of it.
        whole: bool,
    },
    /// The body broke off, and the text had not been in it.
    BodyBroken {
        /// How many bytes of it had come.
        read: usize,
        /// In which way.
        source: BoxError,
    },
}

impl HttpProbeError {
    pub(super) fn setting(part: &'static str, reason: impl Into<String>) -> Self {
        Self::Setting { part, reason: reason.into() }
    }
}

impl fmt::Display for HttpProbeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Setting { part, reason } => write!(f, "the {part} of the check: {reason}"),
            Self::Address { reason } => Unusable(reason.clone()).fmt(f),
            Self::Unreachable { source } => write!(f, "no connection: {}", Causes(&**source)),
            Self::NoAnswer { source } => write!(f, "no answer: {}", Causes(&**source)),
            Self::Status { status, expected } => {
                write!(f, "status {}, expected ", status.as_u16())?;
                for (at, range) in expected.iter().enumerate() {
                    write!(f, "{}{range}", if at > 0 { " or " } else { "" })?;
                }
                Ok(())
            }
            Self::Body { text, read, whole: true } => {
                write!(f, "the body of {read} bytes does not contain `{text}`")
            }
            Self::Body { text, read, whole: false } => {
                write!(f, "the body does not contain `{text}` within {read} bytes")
            }
            Self::BodyBroken { read, source } => {
                write!(f, "the body broke off after {read} bytes: {}", Causes(&**source))
            }
        }
    }
}

impl Error for HttpProbeError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Unreachable { source }
            | Self::NoAnswer { source }
            | Self::BodyBroken { source, .. } => Some(&**source),
            _ => None,
        }
    }
}
