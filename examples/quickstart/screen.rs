//! Lines on the screen, and one that shows how far the run is.

use std::io::{IsTerminal, Write, stdout};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::traffic::Progress;

/// Moves to the start of the line and clears it.
const AFRESH: &str = "\r\x1b[K";

/// Prints a text, in place of the line that shows the progress.
pub(crate) fn say(text: &str) {
    write(&if stdout().is_terminal() { format!("{AFRESH}{text}\n") } else { format!("{text}\n") });
}

/// Shows the progress until it is aborted: a line that changes on a terminal, a new line each
/// second elsewhere.
pub(crate) fn follow(progress: watch::Receiver<Progress>) -> JoinHandle<()> {
    let terminal = stdout().is_terminal();
    let pause = Duration::from_millis(if terminal { 100 } else { 1_000 });
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(pause).await;
            let Progress { phase, title, answered } = *progress.borrow();
            let line = format!("{} requests, phase {}: {title}", grouped(answered), phase + 1);
            if terminal { write(&format!("{AFRESH}{line}")) } else { say(&line) }
        }
    })
}

/// A reader that went away is no reason to stop: the exit code still says how it went.
fn write(text: &str) {
    let mut out = stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// A number with its thousands apart.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    groups.join(",")
}
