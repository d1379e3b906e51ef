//! The tool `evenkeel`: checks settings before they are deployed, shows what they would do to the
//! shares, explains their keys, and drills what may happen.
//!
//! Each command is a file, which works out an answer; [`render`] turns it into text for people and
//! [`answer`] hands it over. A new command is a variant of [`args::Command`] and such a file.

mod answer;
mod args;
mod check;
mod drill;
mod explain;
mod finding;
mod judge;
mod paths;
mod places;
mod preview;
mod render;
mod source;

use std::process::ExitCode;

use clap::Parser;

use args::{Cli, Command};

fn main() -> ExitCode {
    let Cli { command, color } = Cli::parse();
    let answer = match command {
        Command::Check(args) => check::run(&args),
        Command::Preview(args) => preview::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Drill(args) => drill::run(&args),
    };
    answer.hand_over(color)
}
