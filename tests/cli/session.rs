//! Files with sessions: commands, each with what it answers.

use std::fs;
use std::path::Path;

use super::{code, files, run, run_on, text};

/// Writes what the commands answer instead of holding them to it.
const WRITE: &str = "EVENKEEL_WRITE";

/// Runs each command of the file and holds it to the answer that follows.
///
/// A command is a line that begins with `$ `, and its answer goes on until the next, until a fence
/// or until the end. In a page with fences, only those are read that `is_session` takes.
pub(super) fn check(path: &Path, is_session: impl Fn(&str) -> bool) {
    let kept = fs::read_to_string(path).unwrap();
    let has_fences = kept.contains("```");
    let (mut written, mut count) = (String::new(), 0);
    let mut inside = !has_fences;
    for line in kept.lines() {
        if let Some(fence) = line.strip_prefix("```") {
            inside = !inside && is_session(fence) && !fence.is_empty();
            written += &format!("{line}\n");
        } else if let Some(command) = line.strip_prefix("$ ").filter(|_| inside) {
            written += &format!("{line}\n{}", answer(command));
            count += 1;
        } else if !inside {
            written += &format!("{line}\n");
        }
    }
    assert!(count > 0, "{} has no commands", path.display());
    if std::env::var_os(WRITE).is_some() {
        fs::write(path, written).unwrap();
        return;
    }
    let lines = kept.lines().zip(written.lines()).enumerate();
    for (number, (kept, found)) in lines {
        assert_eq!(kept, found, "{}, line {}{WAY_OUT}", path.display(), number + 1);
    }
    assert_eq!(kept, written, "{}{WAY_OUT}", path.display());
}

const WAY_OUT: &str =
    " (`EVENKEEL_WRITE=1 cargo test --features cli --test cli` writes what is answered)";

/// Of `evenkeel …`, with `< FILE` and `; echo $?` behind it or not.
fn answer(command: &str) -> String {
    let (command, tells_code) = match command.strip_suffix("; echo $?") {
        Some(command) => (command, true),
        None => (command, false),
    };
    let (command, input) = match command.split_once(" < ") {
        Some((command, input)) => (command, Some(input)),
        None => (command, None),
    };
    let args: Vec<_> = command.strip_prefix("evenkeel ").unwrap().split(' ').collect();
    let output = match input {
        Some(input) => run_on(&args, &fs::read(files().join(input)).unwrap()),
        None => run(&args),
    };
    let mut answer = text(&output.stdout).to_owned();
    // How long it takes is told while it runs, and never the same.
    let lasting = text(&output.stderr).split_inclusive('\n').filter(|line| !line.contains(" … "));
    answer.extend(lasting);
    if tells_code {
        answer += &format!("{}\n", code(&output));
    }
    answer
}
