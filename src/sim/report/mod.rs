//! A page that shows what runs have come to.

mod chart;
mod mark;
mod page;
mod series;
mod style;

use crate::sim::{Finding, Run};

/// Runs on one HTML page that needs nothing besides: no script, no style, no picture from elsewhere.
///
/// ```
/// use std::time::Duration;
/// use evenkeel::sim::{Arrivals, Report, Scenario, Section, Server};
///
/// let run = Scenario::new("a quiet minute")
///     .servers(["a", "b"].map(Server::new))
///     .arrivals(Arrivals::poisson(50.0))
///     .run()?;
/// let page = Report::new("Rehearsal").section(Section::new("quiet", run)).to_html();
/// assert!(page.starts_with("<!DOCTYPE html>") && page.contains("<svg"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Report {
    title: String,
    sections: Vec<Section>,
}

/// A run on a [`Report`], alone or beside another one that it is compared with.
#[derive(Clone, Debug)]
pub struct Section {
    name: String,
    story: String,
    beside: Option<(String, Run)>,
    label: String,
    run: Run,
    findings: Vec<Finding>,
    remarks: Vec<String>,
}

impl Report {
    /// A page without sections.
    #[must_use]
    pub fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), sections: Vec::new() }
    }

    /// Adds a section below the others.
    #[must_use]
    pub fn section(mut self, section: Section) -> Self {
        self.sections.push(section);
        self
    }

    /// The page. Whatever names there are, they are text on it.
    #[must_use]
    pub fn to_html(&self) -> String {
        page::page(self)
    }
}

impl Section {
    /// A run alone.
    #[must_use]
    pub fn new(name: impl Into<String>, run: Run) -> Self {
        Self {
            name: name.into(),
            story: String::new(),
            beside: None,
            label: String::from("with evenkeel"),
            run,
            findings: Vec::new(),
            remarks: Vec::new(),
        }
    }

    /// Says what it is about.
    #[must_use]
    pub fn story(mut self, story: impl Into<String>) -> Self {
        self.story = story.into();
        self
    }

    /// Says what the run is, beside others. Default: `with evenkeel`.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// Sets another run beside it, on the left and drawn to the same scale.
    #[must_use]
    pub fn beside(mut self, label: impl Into<String>, run: Run) -> Self {
        self.beside = Some((label.into(), run));
        self
    }

    /// Says what was expected, and how it was.
    #[must_use]
    pub fn findings(mut self, findings: impl IntoIterator<Item = Finding>) -> Self {
        self.findings.extend(findings);
        self
    }

    /// Adds something that has to be known to read it.
    #[must_use]
    pub fn remark(mut self, remark: impl Into<String>) -> Self {
        self.remarks.push(remark.into());
        self
    }

    /// The runs with what they are called, the one on the left first.
    fn runs(&self) -> impl Iterator<Item = (&str, &Run)> {
        let beside = self.beside.iter().map(|(label, run)| (label.as_str(), run));
        beside.chain([(self.label.as_str(), &self.run)])
    }
}
