//! `evenkeel drill`: outages replayed in virtual time, and changes of one's own rehearsed.

mod keep;
mod rehearsal;

use std::time::Instant;

use evenkeel::sim::{Drill, Drilled, Report, Section};

use crate::answer::{Answer, Exit};
use crate::args::DrillArgs;
use crate::render;

pub(crate) use self::rehearsal::Rehearsed;

/// Stands for all drills.
const ALL: &str = "all";

pub(crate) fn run(args: &DrillArgs) -> Answer {
    let answer = match &args.scenario {
        _ if args.list => Ok(Answer { text: render::drills(&Drill::all()), ..Answer::default() }),
        Some(scenario) => rehearsal::run(args, scenario),
        None => replayed(args),
    };
    answer.unwrap_or_else(Answer::failure)
}

/// # Errors
///
/// In words, if there is no such drill, or what came of it cannot be kept.
fn replayed(args: &DrillArgs) -> Result<Answer, String> {
    let mut shown = Vec::new();
    let mut report = Report::new("Drills: as it happened, and with evenkeel");
    for drill in wanted(&args.names)? {
        let drill = match args.seed {
            Some(seed) => drill.seed(seed),
            None => drill,
        };
        let drilled = timed(drill.name, || drill.run())?;
        report = report.section(section(&drill, &drilled));
        shown.push(drilled);
    }
    let met = shown.iter().all(|drilled| drilled.check().is_ok());
    let exit = if met { Exit::Fine } else { Exit::Problems };
    if let Some(out) = &args.out {
        keep::all(out, &report, &shown)?;
    }
    Ok(if args.json {
        Answer::json(&shown, Vec::new(), exit)
    } else {
        Answer { text: render::drilled(&shown), exit, ..Answer::default() }
    })
}

/// # Errors
///
/// In words, with the names there are.
fn wanted(names: &[String]) -> Result<Vec<Drill>, String> {
    if names.is_empty() || names.iter().any(|name| name == ALL) {
        return Ok(Drill::all());
    }
    let drill = |name: &String| {
        Drill::named(name).ok_or_else(|| {
            let all: Vec<_> = Drill::all().iter().map(|drill| drill.name).collect();
            format!("there is no drill `{name}`; there are {}, and `{ALL}`", all.join(", "))
        })
    };
    names.iter().map(drill).collect()
}

fn section(drill: &Drill, drilled: &Drilled) -> Section {
    let story =
        format!("{} Reported: {}. What protects: {}.", drill.story, drill.reported, drill.answer);
    let section = Section::new(drill.name, drilled.protected.clone())
        .story(story)
        .findings(drill.expected.findings(&drilled.protected))
        .beside("as it happened", drilled.as_it_happened.clone());
    let missed = drilled.figures.iter().filter_map(|shown| shown.missed_for.as_ref());
    missed.fold(section, |section, needs| section.remark(format!("missed: {needs}")))
}

/// Runs something that takes a while, and tells whoever waits.
///
/// # Errors
///
/// In words, if it could not be run.
fn timed<R, E: std::fmt::Display>(
    what: &str,
    run: impl FnOnce() -> Result<R, E>,
) -> Result<R, String> {
    anstream::eprint!("{what} … ");
    #[expect(clippy::disallowed_methods, reason = "for whoever waits; nothing is decided by it")]
    let began = Instant::now();
    let result = run();
    #[expect(clippy::disallowed_methods, reason = "as above")]
    let took = began.elapsed();
    match &result {
        Ok(_) => anstream::eprintln!("{:.1} s", took.as_secs_f64()),
        Err(_) => anstream::eprintln!("no"),
    }
    result.map_err(|error| format!("`{what}` cannot be run: {error}"))
}
