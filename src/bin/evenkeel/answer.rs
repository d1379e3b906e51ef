//! What a command answers, and how it reaches the caller.

use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

use anstream::{AutoStream, ColorChoice};
use serde::Serialize;

use crate::args::Colors;
use crate::render;

/// How a command ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    #[default]
    Fine,
    /// The settings are wrong, or would be refused.
    Problems,
    /// The question was wrong, or could not be answered.
    Failure,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Fine => 0,
            Exit::Problems => 1,
            Exit::Failure => 2,
        })
    }
}

/// What a command answers. Colours are taken out of the text where they are not wanted.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    /// For standard output.
    pub(crate) text: String,
    /// Why something could not be answered, for standard error.
    pub(crate) failures: Vec<String>,
    pub(crate) exit: Exit,
}

impl Answer {
    pub(crate) fn failure(message: impl Into<String>) -> Self {
        Self { text: String::new(), failures: vec![message.into()], exit: Exit::Failure }
    }

    /// `value` as JSON.
    pub(crate) fn json(value: &impl Serialize, failures: Vec<String>, exit: Exit) -> Self {
        match serde_json::to_string_pretty(value) {
            Ok(text) => Self { text: text + "\n", failures, exit },
            Err(error) => Self::failure(format!("the answer cannot be said in JSON: {error}")),
        }
    }

    /// Writes it. A reader who has gone away (`| head`) is nobody's fault.
    pub(crate) fn hand_over(self, colors: Colors) -> ExitCode {
        let choice = match colors {
            Colors::Auto => ColorChoice::Auto,
            Colors::Always => ColorChoice::Always,
            Colors::Never => ColorChoice::Never,
        };
        let (mut failures, mut exit) = (self.failures, self.exit);
        let written = {
            let mut out = AutoStream::new(io::stdout(), choice).lock();
            out.write_all(self.text.as_bytes()).and_then(|()| out.flush())
        };
        if let Err(error) = written.or_else(unless_gone) {
            failures.push(format!("the answer cannot be written: {error}"));
            exit = Exit::Failure;
        }
        let mut err = AutoStream::new(io::stderr(), choice).lock();
        for failure in failures {
            // There is nowhere left to tell that this cannot be told.
            let _ = err.write_all(render::failure(&failure).as_bytes());
        }
        exit.into()
    }
}

fn unless_gone(error: io::Error) -> io::Result<()> {
    if error.kind() == ErrorKind::BrokenPipe { Ok(()) } else { Err(error) }
}
