//! Why a file gave no settings.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::error::ConfigError;

/// A file gave no settings.
///
/// Where the file is [followed](crate::Balancer::follow), what it gave last goes on being served,
/// and the file is looked at again by itself: putting it right is the whole way out.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileError {
    /// The file cannot be opened or read: it is not there, may not be read, or its disk fails.
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What kind of failure it is.
        kind: io::ErrorKind,
        /// What the system says.
        message: String,
    },
    /// Something is there, and it is no file with an end: a directory, a pipe, a device.
    NotAFile {
        /// What was to be read.
        path: PathBuf,
    },
    /// The file is longer than [`Config::MAX_TOML_BYTES`](crate::Config::MAX_TOML_BYTES). It is
    /// not read to its end.
    TooLarge {
        /// The file.
        path: PathBuf,
        /// How many bytes are read.
        most: usize,
    },
    /// The file is not UTF-8.
    NotText {
        /// The file.
        path: PathBuf,
        /// Where the first byte is that does not belong, counted from 0.
        at: usize,
    },
    /// There is nothing in the file, or nothing but white space.
    ///
    /// An empty text would stand for the default settings. An empty file is refused, since it is
    /// also what a file looks like while it is written in place, or after its disk was full.
    ///
    /// Way out, if the defaults are meant: a file with a comment in it.
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// The file has no settings for this balancer, or has them for several without it being said
    /// which.
    ///
    /// Way out: [`FileSource::balancer`](crate::FileSource::balancer) with one of the names there
    /// are, or none for a file with the settings of one balancer at its top level.
    NoSection {
        /// The file.
        path: PathBuf,
        /// The balancer that was asked for, if one was.
        wanted: Option<String>,
        /// The names there are.
        there: Vec<String>,
    },
    /// What stands in the file is wrong.
    Invalid {
        /// The file.
        path: PathBuf,
        /// Every problem, each with its place.
        error: ConfigError,
    },
}

/// Names that are told; of what is beyond, only the number.
const NAMED: usize = 8;

impl FileError {
    pub(crate) fn unreadable(path: &Path, error: &io::Error) -> Self {
        let (path, kind) = (path.to_path_buf(), error.kind());
        Self::Unreadable { path, kind, message: error.to_string() }
    }

    /// The file it is about, as it was named.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Self::Unreadable { path, .. }
            | Self::NotAFile { path }
            | Self::TooLarge { path, .. }
            | Self::NotText { path, .. }
            | Self::Empty { path }
            | Self::NoSection { path, .. }
            | Self::Invalid { path, .. } => path,
        }
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.path().display())?;
        match self {
            Self::Unreadable { message, .. } => write!(
                f,
                " cannot be read: {message}; it has to be there, and this process has to be \
                 allowed to read it"
            ),
            Self::NotAFile { .. } => {
                f.write_str(" is a directory, a pipe or a device; name a file, or a link to one")
            }
            Self::TooLarge { most, .. } => {
                write!(f, " is longer than the {most} bytes that are read; is it the right file?")
            }
            Self::NotText { at, .. } => {
                write!(f, " is not UTF-8 from byte {at} on; settings are text in UTF-8")
            }
            Self::Empty { .. } => f.write_str(
                " is empty, as a file is while it is written; if the default settings are meant, \
                 write a comment into it",
            ),
            Self::NoSection { wanted, there, .. } => {
                match wanted {
                    Some(name) => write!(f, " has no settings for a balancer `{name}`")?,
                    None => f.write_str(" has settings by name, and none was asked for")?,
                }
                f.write_str(if there.is_empty() { "; it names none" } else { "; it has " })?;
                for (at, name) in there.iter().take(NAMED).enumerate() {
                    write!(f, "{}`{name}`", if at > 0 { ", " } else { "" })?;
                }
                match there.len().saturating_sub(NAMED) {
                    0 => Ok(()),
                    more => write!(f, " and {more} more"),
                }
            }
            Self::Invalid { error, .. } => write!(f, ": {error}"),
        }
    }
}

impl Error for FileError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Invalid { error, .. } => Some(error),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn no_section(wanted: Option<&str>, there: usize) -> String {
        let there = (0..there).map(|n| format!("b{n}")).collect();
        let wanted = wanted.map(str::to_owned);
        FileError::NoSection { path: PathBuf::from("lb.toml"), wanted, there }.to_string()
    }

    #[test]
    fn a_missing_section_names_those_there_are() {
        assert_eq!(
            no_section(Some("cart"), 0),
            "`lb.toml` has no settings for a balancer `cart`; it names none"
        );
        assert_eq!(
            no_section(None, 2),
            "`lb.toml` has settings by name, and none was asked for; it has `b0`, `b1`"
        );
        assert!(no_section(None, 8).ends_with("`b6`, `b7`"));
        assert!(no_section(None, 100).ends_with("`b6`, `b7` and 92 more"));
    }
}
