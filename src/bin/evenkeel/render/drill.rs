//! What drills and rehearsals have shown, as tables.

use std::fmt::Write;
use std::time::Duration;

use evenkeel::sim::{Drill, Drilled, Run};

use crate::drill::Rehearsed;
use crate::render::text::{BAD, BOLD, GOOD, left, safe, short, wrapped};

const WIDTH: usize = 88;

/// The drills there are.
pub(crate) fn drills(drills: &[Drill]) -> String {
    let widest = drills.iter().map(|drill| drill.name.len()).max().unwrap_or_default();
    let indent = " ".repeat(widest + 2);
    drills.iter().fold(String::new(), |mut text, drill| {
        let story = wrapped(drill.story, &indent, WIDTH);
        let story = story.get(indent.len()..).unwrap_or_default();
        // Writing into a string does not fail.
        let _ = write!(text, "{BOLD}{}{BOLD:#}{story}", left(drill.name, widest + 2));
        text
    })
}

pub(crate) fn drilled(all: &[Drilled]) -> String {
    let mut text = String::new();
    for drilled in all {
        let _ = writeln!(text, "{BOLD}{}{BOLD:#}", drilled.name);
        let reported = format!("Reported: {}.", drilled.reported);
        text += &wrapped(&drilled.story, "", WIDTH);
        text += &wrapped(&reported, "", WIDTH);
        // The table, without the words that were wrapped above.
        for line in drilled.to_string().lines().skip(2) {
            let _ = writeln!(text, "{line}");
        }
        text.push('\n');
    }
    let wrong: Vec<_> = all.iter().filter_map(|drilled| drilled.check().err()).collect();
    for error in &wrong {
        let _ = writeln!(text, "{BAD}{error}{BAD:#}");
    }
    let said = |figure: &&evenkeel::sim::Shown| !figure.met && figure.missed_for.is_some();
    let missed = all.iter().flat_map(|drilled| &drilled.figures).filter(said).count();
    if wrong.is_empty() {
        let _ = write!(text, "{GOOD}all as expected{GOOD:#}");
        let _ = match missed {
            0 => writeln!(text),
            _ => writeln!(text, ", {missed} missed for want of what is named beside them"),
        };
    }
    text
}

pub(crate) fn rehearsed(rehearsed: &Rehearsed) -> String {
    let Rehearsed { before, run, findings, remarks, .. } = rehearsed;
    let mut text = format!("{BOLD}{}{BOLD:#}\n\n", short(&run.scenario, WIDTH));
    let head = match before {
        Some(_) => ["own settings", "new settings"],
        None => ["", ""],
    };
    let row = |text: &mut String, what: &str, of: &dyn Fn(&Run) -> String| {
        let before = before.as_ref().map_or_else(String::new, |run| format!("{:>14}", of(run)));
        let _ = writeln!(text, "{}{before}{:>14}", left(what, 18), of(run));
    };
    if before.is_some() {
        let _ = writeln!(text, "{}{:>14}{:>14}", left("", 18), head[0], head[1]);
    }
    row(&mut text, "requests", &|run| run.totals.requests.to_string());
    row(&mut text, "never answered", &|run| run.totals.unfinished.to_string());
    row(&mut text, "requests failed", &|run| format!("{:.2} %", 100.0 * run.failure_rate()));
    row(&mut text, "largest share", &|run| {
        run.largest_share().map_or_else(String::new, |(share, _)| format!("{:.1} %", 100.0 * share))
    });
    row(&mut text, "to detection", &|run| span(run.time_to_detection()));
    row(&mut text, "to recovery", &|run| span(run.time_to_recovery()));
    row(&mut text, "servers lost", &|run| run.servers_lost().to_string());
    row(&mut text, "99 % within", &|run| span(Some(run.totals.latency.p99)));
    text.push('\n');
    for remark in remarks {
        let _ = writeln!(text, "note: {}", safe(remark));
    }
    for finding in findings {
        let (style, word) =
            if finding.met { (GOOD, "as expected") } else { (BAD, "not as expected") };
        let _ = writeln!(text, "{style}{word}{style:#}: {}", safe(&finding.to_string()));
    }
    text
}

fn span(time: Option<Duration>) -> String {
    time.map_or_else(|| String::from("never"), |time| format!("{:.3} s", time.as_secs_f64()))
}
