//! What a drill has shown.

use std::error::Error;
use std::fmt;

use serde::Serialize;

use crate::sim::expect::{Figure, Finding};
use crate::sim::{Drill, Expect, Run};

/// What a drill has shown: both runs, and the difference.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Drilled {
    /// What the drill is called.
    pub name: String,
    /// What happened.
    pub story: String,
    /// How bad it was, as its report says.
    pub reported: String,
    /// What protects.
    pub answer: String,
    /// The outage as it happened.
    pub as_it_happened: Run,
    /// The same with the protection on.
    pub protected: Run,
    /// The figures of both, side by side.
    pub figures: Vec<Shown>,
}

/// A figure of both runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Shown {
    /// Which.
    pub figure: Figure,
    /// As it happened; `None` if it never came to that.
    pub as_it_happened: Option<f64>,
    /// With the protection on.
    pub protected: Option<f64>,
    /// What the latter was to be at most, if something was expected of it.
    pub limit: Option<f64>,
    /// Whether it was as expected.
    pub met: bool,
    /// What it needs that is not there yet, where the drill says that it may be missed.
    pub missed_for: Option<String>,
}

/// A drill has not shown what it should.
#[derive(Clone, Debug, PartialEq)]
pub struct DrillError {
    drill: String,
    figures: Vec<Shown>,
}

/// Every figure that a drill shows, with limits that nothing exceeds.
fn every_figure() -> Expect {
    Expect::new()
        .failed_percent_at_most(f64::MAX)
        .largest_share_percent_at_most(f64::MAX)
        .detected_within(std::time::Duration::MAX)
        .recovered_within(std::time::Duration::MAX)
        .servers_lost_at_most(usize::MAX)
}

impl Drilled {
    pub(super) fn new(drill: &Drill, as_it_happened: Run, protected: Run) -> Self {
        let expected = drill.expected.findings(&protected);
        let before = every_figure().findings(&as_it_happened);
        let after = every_figure().findings(&protected);
        let shown = |(before, after): (Finding, Finding)| {
            let expected = expected.iter().find(|finding| finding.figure == before.figure);
            let missed = drill.missed.iter().find(|(figure, _)| *figure == before.figure);
            Shown {
                figure: before.figure,
                as_it_happened: before.found,
                protected: after.found,
                limit: expected.map(|finding| finding.limit),
                met: expected.is_none_or(|finding| finding.met),
                missed_for: missed.map(|(_, needs)| String::from(*needs)),
            }
        };
        let mut figures: Vec<_> = before.into_iter().zip(after).map(shown).collect();
        let others = expected.iter().filter(|it| figures.iter().all(|f| f.figure != it.figure));
        let others: Vec<_> = others.cloned().collect();
        let before = drill.expected.findings(&as_it_happened);
        let found = |figure: &Figure| before.iter().find(|it| it.figure == *figure)?.found;
        figures.extend(others.into_iter().map(|finding| Shown {
            as_it_happened: found(&finding.figure),
            figure: finding.figure,
            protected: finding.found,
            limit: Some(finding.limit),
            met: finding.met,
            missed_for: None,
        }));
        Self {
            name: drill.name.to_owned(),
            story: drill.story.to_owned(),
            reported: drill.reported.to_owned(),
            answer: drill.answer.to_owned(),
            as_it_happened,
            protected,
            figures,
        }
    }

    /// A figure of both runs.
    #[must_use]
    pub fn figure(&self, figure: &Figure) -> Option<&Shown> {
        self.figures.iter().find(|shown| shown.figure == *figure)
    }

    /// Whether it has shown what it should.
    ///
    /// # Errors
    ///
    /// [`DrillError`] with every figure that is not as expected, unless the drill says that it is
    /// missed for want of something.
    pub fn check(&self) -> Result<(), DrillError> {
        let wrong = |shown: &&Shown| !shown.met && shown.missed_for.is_none();
        let figures: Vec<_> = self.figures.iter().filter(wrong).cloned().collect();
        if figures.is_empty() {
            return Ok(());
        }
        Err(DrillError { drill: self.name.clone(), figures })
    }
}

impl DrillError {
    /// The figures that are not as the drill says.
    #[must_use]
    pub fn figures(&self) -> &[Shown] {
        &self.figures
    }
}

/// A figure as a table has it.
fn cell(figure: &Figure, value: Option<f64>) -> String {
    let Some(value) = value else { return String::from("never") };
    match figure {
        Figure::FailedPercent | Figure::LargestSharePercent => format!("{value:.2} %"),
        Figure::SecondsToDetection | Figure::SecondsToRecovery if value >= 120.0 => {
            format!("{:.0} min", value / 60.0)
        }
        Figure::SecondsToDetection | Figure::SecondsToRecovery | Figure::P99Seconds => {
            format!("{value:.1} s")
        }
        Figure::ServersLost | Figure::Happened(_) => format!("{value:.0}"),
    }
}

fn label(figure: &Figure) -> String {
    match figure {
        Figure::FailedPercent => String::from("requests failed"),
        Figure::LargestSharePercent => String::from("largest share"),
        Figure::SecondsToDetection => String::from("to detection"),
        Figure::SecondsToRecovery => String::from("to recovery"),
        Figure::ServersLost => String::from("servers lost"),
        Figure::P99Seconds => String::from("99 % within"),
        Figure::Happened(kind) => format!("times `{kind}`"),
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = |value| cell(&self.figure, value);
        write!(f, "{:<20}", label(&self.figure))?;
        write!(f, "{:>12}{:>12}", of(self.as_it_happened), of(self.protected))?;
        match self.limit {
            Some(limit) if matches!(self.figure, Figure::Happened(_)) => {
                write!(f, "{:>12}", format!("at least {limit:.0}"))?;
            }
            Some(limit) => write!(f, "{:>12}", of(Some(limit)))?,
            None if self.met && self.missed_for.is_none() => {}
            None => write!(f, "{:>12}", "")?,
        }
        match (&self.missed_for, self.met) {
            (Some(needs), false) => write!(f, "  missed: {needs}"),
            (Some(needs), true) => write!(f, "  met this time; to be sure: {needs}"),
            (None, false) => f.write_str("  MISSED"),
            (None, true) => Ok(()),
        }
    }
}

impl fmt::Display for Drilled {
    /// The figures of both runs as a table.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {}", self.name, self.story)?;
        writeln!(f, "reported: {}", self.reported)?;
        write!(f, "{:<20}{:>12}{:>12}{:>12}", "", "as it was", "protected", "at most")?;
        self.figures.iter().try_for_each(|shown| write!(f, "\n{shown}"))
    }
}

impl fmt::Display for DrillError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the drill `{}` has not shown what it should:", self.drill)?;
        self.figures.iter().try_for_each(|shown| write!(f, "\n  {shown}"))
    }
}

impl Error for DrillError {}
