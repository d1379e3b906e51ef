//! What `preview` found: tables of shares, with bars.

use std::fmt::Write;

use unicode_width::UnicodeWidthStr;

use super::problems::problems;
use super::text::{BAD, BOLD, DIM, GOOD, WARN, draws_unicode, left, safe, short};
use crate::finding::Level;
use crate::preview::{Change, Invalid, Presence, Report, Row};

/// Columns of the longest bar.
const LONGEST_BAR: usize = 28;

/// Columns of an id.
const LONGEST_ID: usize = 36;

/// What bars are drawn with.
struct Pen {
    stays: char,
    gained: char,
    lost: char,
}

const BLOCKS: Pen = Pen { stays: '█', gained: '▓', lost: '░' };
const ASCII: Pen = Pen { stays: '#', gained: '+', lost: '-' };

/// Balancer by balancer: what differs, the shares, the findings, and the verdict.
pub(crate) fn preview(report: &Report) -> String {
    let pen = if draws_unicode() { BLOCKS } else { ASCII };
    let mut out = String::new();
    if !report.invalid.is_empty() {
        for Invalid { source, problems: found } in &report.invalid {
            problems(source, found, &mut out);
        }
        out.push_str("there is nothing to preview before these are settled\n");
    }
    for (index, change) in report.balancers.iter().enumerate() {
        if index > 0 {
            out.push('\n');
        }
        one(report, change, &pen, &mut out);
    }
    out
}

fn one(report: &Report, change: &Change, pen: &Pen, out: &mut String) {
    let new = safe(&report.new.name);
    let files = match report.from.as_deref().map(safe) {
        Some(from) => format!("{new} instead of {from}"),
        None => new,
    };
    let _ = match &change.name {
        Some(name) => writeln!(out, "{BOLD}{}{BOLD:#} ({files})", short(name, LONGEST_ID)),
        None => writeln!(out, "{BOLD}{files}{BOLD:#}"),
    };
    if change.presence == Some(Presence::Removed) {
        out.push_str("  is not in the new file any more\n");
        return;
    }
    if change.presence == Some(Presence::Added) {
        out.push_str("  is new\n");
    }
    for difference in &change.differences {
        let _ = writeln!(out, "  {}", short(difference, 120));
    }
    out.push('\n');
    if !change.shares.is_empty() {
        table(&change.shares, pen, out);
        out.push('\n');
    }
    problems(&report.new, &change.problems, out);
    out.push_str(&verdict(change));
}

fn verdict(change: &Change) -> String {
    let warned = change.problems.iter().any(|finding| finding.level == Level::Warning);
    match (change.refused, change.shares_are_known, warned) {
        (true, ..) => format!("{BAD}would be refused{BAD:#}\n"),
        (false, false, _) => String::from("would be applied if its shares are fine\n"),
        (false, true, true) => format!("{WARN}would be applied, with warnings{WARN:#}\n"),
        (false, true, false) => format!("{GOOD}would be applied{GOOD:#}\n"),
    }
}

fn table(rows: &[Row], pen: &Pen, out: &mut String) {
    let ids: Vec<_> = rows.iter().map(|row| short(row.id.as_str(), LONGEST_ID)).collect();
    let width = ids.iter().map(|id| id.width()).max().unwrap_or(0).max("endpoint".len());
    let before_is_known = rows.iter().any(|row| row.before.is_some());
    let head = match before_is_known {
        true => format!("{:>8}  {:>8}  {:>7}", "before", "after", "change"),
        false => format!("{:>8}", "share"),
    };
    let _ = writeln!(out, "  {DIM}{}  {head}{DIM:#}", left("endpoint", width));
    let largest = rows.iter().map(|row| row.after.max(row.before.unwrap_or(0.0)));
    let largest = largest.fold(0.0, f64::max);
    for (row, id) in rows.iter().zip(ids) {
        let numbers = match row.before {
            Some(before) => {
                let before = percent(before, row.presence == Some(Presence::Added));
                let after = percent(row.after, row.presence == Some(Presence::Removed));
                format!("{before}  {after}  {:>7}", points(row.change()))
            }
            None => percent(row.after, false),
        };
        let mark = match row.presence {
            None | Some(Presence::Kept) => "",
            Some(Presence::Added) => "added",
            Some(Presence::Removed) => "removed",
            Some(Presence::Moved) => "new address",
        };
        let mut line = format!("  {}  {numbers}", left(&id, width));
        for tail in [bar(row, largest, pen).as_str(), mark].iter().filter(|it| !it.is_empty()) {
            line = line + "  " + tail;
        }
        let _ = writeln!(out, "{line}");
    }
    if before_is_known {
        let Pen { stays, gained, lost } = pen;
        let _ = writeln!(
            out,
            "  {DIM}{}  {stays} stays  {gained} gained  {lost} lost; change in percentage points\
             {DIM:#}",
            left("", width)
        );
    }
}

fn percent(share: f64, is_absent: bool) -> String {
    match 100.0 * share {
        _ if is_absent => format!("{:>8}", "-"),
        percent if percent > 0.0 && percent < 0.05 => format!("{:>8}", "<0.1 %"),
        percent => format!("{percent:>6.1} %"),
    }
}

/// In percentage points.
fn points(change: f64) -> String {
    match format!("{:+.1}", 100.0 * change) {
        zero if zero == "+0.0" || zero == "-0.0" => String::from("0.0"),
        points => points,
    }
}

/// What the endpoint keeps, then what it gains or loses; `largest` fills the whole length.
fn bar(row: &Row, largest: f64, pen: &Pen) -> String {
    let columns = |share: f64| {
        let columns = LONGEST_BAR as f64 * share / largest.max(f64::MIN_POSITIVE);
        // What is there is seen.
        if share > 0.0 { (columns.round() as usize).max(1) } else { 0 }
    };
    let (before, after) = (columns(row.before.unwrap_or(row.after)), columns(row.after));
    let (stays, more, less) =
        (before.min(after), after.saturating_sub(before), before.saturating_sub(after));
    [(pen.stays, stays), (pen.gained, more), (pen.lost, less)]
        .map(|(char, columns)| String::from(char).repeat(columns))
        .concat()
}
