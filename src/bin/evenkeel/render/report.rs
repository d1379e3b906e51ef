//! What `check` found.

use std::fmt::Write;

use super::problems::problems;
use super::text::{BAD, BOLD, GOOD, WARN, counted, safe};
use crate::check::{Checked, Report};
use crate::finding::Level;

/// Every finding, a line for each file that is fine, and the sum.
pub(crate) fn report(report: &Report) -> String {
    let mut out = String::new();
    for checked in &report.files {
        problems(&checked.source, &checked.problems, &mut out);
    }
    for checked in report.files.iter().filter(|checked| is_fine(checked)) {
        fine(checked, &mut out);
    }
    if report.errors + report.warnings > 0 {
        sum(report, &mut out);
    }
    if !report.unreadable.is_empty() && !report.files.is_empty() {
        let _ = writeln!(out, "{} not read", counted(report.unreadable.len(), "file"));
    }
    out
}

fn is_fine(checked: &Checked) -> bool {
    checked.problems.iter().all(|finding| finding.level == Level::Note)
}

fn fine(checked: &Checked, out: &mut String) {
    let holds = match (checked.balancers, checked.endpoints) {
        (balancers, 0) => {
            let balancers = counted(balancers, "balancer");
            format!("{balancers}, no endpoints and so no shares to judge")
        }
        (balancers, endpoints) => {
            format!("{}, {}", counted(balancers, "balancer"), counted(endpoints, "endpoint"))
        }
    };
    let name = safe(&checked.source.name);
    // Writing to a `String` does not fail.
    let _ = writeln!(out, "{BOLD}{name}{BOLD:#}: {GOOD}fine{GOOD:#} ({holds})");
}

fn sum(report: &Report, out: &mut String) {
    let mut counts = Vec::new();
    if report.errors > 0 {
        counts.push(format!("{BAD}{}{BAD:#}", counted(report.errors, "error")));
    }
    if report.warnings > 0 {
        counts.push(format!("{WARN}{}{WARN:#}", counted(report.warnings, "warning")));
    }
    let files = match report.files.as_slice() {
        [checked] => safe(&checked.source.name),
        files => {
            let bad = files.iter().filter(|checked| !is_fine(checked)).count();
            format!("{bad} of {}", counted(files.len(), "file"))
        }
    };
    let denied = match report.errors == 0 && report.warnings_denied {
        true => "; warnings are denied",
        false => "",
    };
    let _ = writeln!(out, "{} in {files}{denied}", counts.join(", "));
    let _ = writeln!(out, "`evenkeel explain KEY` tells what a key means and takes");
}
