//! The tool as its users see it: the real binary, run on the files in `tests/cli`.

#![allow(clippy::unwrap_used)]
#![cfg(feature = "cli")]

#[path = "cli/ends.rs"]
mod ends;
#[path = "cli/machines.rs"]
mod machines;
#[path = "cli/rehearsals.rs"]
mod rehearsals;
#[path = "cli/session.rs"]
mod session;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

/// Where the files are, and where the tool runs.
fn files() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli")
}

/// The tool, on what looks like a terminal for UTF-8 but is none.
fn tool(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_evenkeel"));
    command.current_dir(files()).args(args).stdin(Stdio::null());
    for colors in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"] {
        command.env_remove(colors);
    }
    command.env("LC_ALL", "C.UTF-8");
    command
}

fn run(args: &[&str]) -> Output {
    tool(args).output().unwrap()
}

/// Runs it with `input` as its standard input.
fn run_on(args: &[&str], input: &[u8]) -> Output {
    let mut child = spawn(args);
    // It may have read enough before the end.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

fn spawn(args: &[&str]) -> Child {
    let (input, out, err) = (Stdio::piped(), Stdio::piped(), Stdio::piped());
    tool(args).stdin(input).stdout(out).stderr(err).spawn().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().expect("it ended by itself")
}

#[test]
fn sessions_answer_as_they_are_kept() {
    for name in ["check.console", "preview.console", "explain.console", "drill.console"] {
        session::check(&files().join(name), |_| true);
    }
}

#[test]
fn the_page_shows_what_the_tool_answers() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/cli.md");
    session::check(&page, |fence| fence == "console");
}
