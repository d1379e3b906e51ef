//! `evenkeel check`: every problem of files of settings.

use evenkeel::ConfigFile;
use serde::Serialize;

use crate::answer::{Answer, Exit};
use crate::args::CheckArgs;
use crate::finding::{Finding, Level, count};
use crate::judge::judge;
use crate::paths::Paths;
use crate::render;
use crate::source::{STDIN, Source};

/// What was found in one file.
#[derive(Debug, Serialize)]
pub(crate) struct Checked {
    #[serde(rename = "file", serialize_with = "crate::source::name_alone")]
    pub(crate) source: Source,
    pub(crate) balancers: usize,
    pub(crate) endpoints: usize,
    pub(crate) problems: Vec<Finding>,
}

/// What was found in all files.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) fine: bool,
    pub(crate) errors: usize,
    pub(crate) warnings: usize,
    pub(crate) files: Vec<Checked>,
    pub(crate) unreadable: Vec<String>,
    #[serde(skip)]
    pub(crate) warnings_denied: bool,
}

pub(crate) fn run(args: &CheckArgs) -> Answer {
    let read_twice = args.files.iter().filter(|file| file.to_str() == Some(STDIN)).nth(1);
    if read_twice.is_some() {
        return Answer::failure("`-` is given twice, and standard input can be read only once");
    }
    let mut report = Report {
        fine: true,
        errors: 0,
        warnings: 0,
        files: Vec::new(),
        unreadable: Vec::new(),
        warnings_denied: args.deny_warnings,
    };
    for path in &args.files {
        match Source::read(path) {
            Ok(source) => report.add(check(source)),
            Err(why) => report.unreadable.push(why),
        }
    }
    let exit = report.exit();
    report.fine = exit == Exit::Fine;
    let failures = report.unreadable.clone();
    if args.json {
        return Answer::json(&report, failures, exit);
    }
    Answer { text: render::report(&report), failures, exit }
}

impl Report {
    fn add(&mut self, checked: Checked) {
        self.errors += count(&checked.problems, Level::Error);
        self.warnings += count(&checked.problems, Level::Warning);
        self.files.push(checked);
    }

    fn exit(&self) -> Exit {
        if !self.unreadable.is_empty() {
            Exit::Failure
        } else if self.errors > 0 || (self.warnings_denied && self.warnings > 0) {
            Exit::Problems
        } else {
            Exit::Fine
        }
    }
}

fn check(source: Source) -> Checked {
    let (mut balancers, mut endpoints) = (0, 0);
    let problems = match source.parse() {
        Err(problems) => problems,
        Ok(file) => {
            let sets = file.iter().filter_map(|(_, config)| config.endpoints());
            balancers = file.iter().len();
            endpoints = sets.map(<[_]>::len).sum();
            valid(&file, &Paths::of(&source.text, &file))
        }
    };
    Checked { source, balancers, endpoints, problems }
}

/// What is to be said of valid settings, in the order of the text.
fn valid(file: &ConfigFile, paths: &Paths<'_>) -> Vec<Finding> {
    let judged = file.iter().flat_map(|(name, config)| judge(name, None, config, paths).findings);
    let mut found: Vec<_> = judged.collect();
    found.sort_by_key(|finding| finding.place.map(|place| place.at));
    found
}
