//! Files of settings, read with bounds.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use evenkeel::{Config, ConfigFile};
use serde::Serializer;

use crate::finding::{Finding, Level};
use crate::places::Places;

/// What stands for standard input.
pub(crate) const STDIN: &str = "-";

/// A file that was read, whatever is in it.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    /// What to call it.
    pub(crate) name: String,
    /// Without a byte order mark; what is no UTF-8 is replaced.
    pub(crate) text: String,
    /// Why the text is not what the file says.
    refused: Option<(String, Option<usize>)>,
}

impl Source {
    /// Reads the file at `path`, of which no more than is allowed.
    ///
    /// # Errors
    ///
    /// In words, if it cannot be read.
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        let name = name(path);
        let bytes = bytes(path).map_err(|error| match error.kind() {
            io::ErrorKind::IsADirectory => format!("`{name}` is a directory; name a file"),
            _ => format!("cannot read `{name}`: {error}"),
        })?;
        Ok(Self::of_bytes(name, bytes))
    }

    fn of_bytes(name: String, bytes: Vec<u8>) -> Self {
        let (text, refused) = if bytes.len() > Config::MAX_TOML_BYTES {
            let most = Config::MAX_TOML_BYTES;
            let message = format!("the file is longer than {most} bytes, the most that is read");
            (String::new(), Some((message, None)))
        } else if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
            (String::new(), Some((String::from("the file is UTF-16; save it as UTF-8"), None)))
        } else {
            decoded(bytes)
        };
        Self { name, text, refused }
    }

    /// Why its text is not what the file says, if it is not.
    pub(crate) fn refusal(&self) -> Option<Finding> {
        let (message, at) = self.refused.as_ref()?;
        let place = at.map(|at| Places::of(&self.text).at_offset(at));
        Some(Finding::new(Level::Error, "", message.as_str()).at(place))
    }

    /// The settings it holds.
    ///
    /// # Errors
    ///
    /// With everything that is wrong.
    pub(crate) fn parse(&self) -> Result<ConfigFile, Vec<Finding>> {
        if let Some(refusal) = self.refusal() {
            return Err(vec![refusal]);
        }
        let places = Places::of(&self.text);
        ConfigFile::from_toml(&self.text).map_err(|error| {
            error.problems().iter().map(|problem| Finding::of_text(problem, &places)).collect()
        })
    }
}

/// The text, and why it is not what the bytes say, if it is not.
fn decoded(bytes: Vec<u8>) -> (String, Option<(String, Option<usize>)>) {
    match String::from_utf8(bytes) {
        Ok(mut text) => {
            if text.starts_with('\u{feff}') {
                text.remove(0);
            }
            (text, None)
        }
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            let byte = error.as_bytes().get(at).copied().unwrap_or_default();
            let message = format!(
                "the file is not UTF-8: byte {at} is 0x{byte:02x}; save it as UTF-8, or look \
                 whether it is the file that is meant"
            );
            // Up to `at` the offsets stay as they are.
            (String::from_utf8_lossy(error.as_bytes()).into_owned(), Some((message, Some(at))))
        }
    }
}

/// What to call the file at `path`.
pub(crate) fn name(path: &Path) -> String {
    match path.to_str() {
        Some(STDIN) => String::from("<stdin>"),
        _ => path.display().to_string(),
    }
}

fn bytes(path: &Path) -> io::Result<Vec<u8>> {
    let bound = Config::MAX_TOML_BYTES as u64 + 1;
    let mut bytes = Vec::new();
    if path.to_str() == Some(STDIN) {
        io::stdin().lock().take(bound).read_to_end(&mut bytes)?;
    } else {
        File::open(path)?.take(bound).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

/// A source stands for itself by its name.
pub(crate) fn name_alone<S: Serializer>(source: &Source, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&source.name)
}
