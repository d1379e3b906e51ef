//! `evenkeel drill`: outages replayed in virtual time, and changes of one's own rehearsed.

mod keep;
mod rehearsal;
mod wrong;

use std::collections::BTreeSet;
use std::time::Instant;

use evenkeel::sim::{Drill, Drilled, Report, Section};

use crate::answer::{Answer, Exit};
use crate::args::DrillArgs;
use crate::render;

pub(crate) use self::rehearsal::Rehearsed;
use self::wrong::Wrong;

/// Columns of a name that is told while it runs.
const WIDTH: usize = 60;

/// Stands for all drills.
const ALL: &str = "all";

pub(crate) fn run(args: &DrillArgs) -> Answer {
    let answer = match &args.scenario {
        _ if args.list => Ok(Answer { text: render::drills(&Drill::all()), ..Answer::default() }),
        Some(scenario) => rehearsal::run(args, scenario),
        None => replayed(args),
    };
    answer.unwrap_or_else(|wrong| wrong.answer(args.json))
}

/// # Errors
///
/// In words, if there is no such drill, or what came of it cannot be kept.
fn replayed(args: &DrillArgs) -> Result<Answer, Wrong> {
    let mut shown = Vec::new();
    let mut report = Report::new("Drills: as it happened, and with evenkeel");
    let drills = wanted(&args.names)?;
    args.out.as_deref().map_or(Ok(()), keep::ready)?;
    for drill in drills {
        let drill = match args.seed {
            Some(seed) => drill.seed(seed),
            None => drill,
        };
        let drilled = timed(drill.name, || drill.run());
        let drilled =
            drilled.map_err(|error| format!("`{}` cannot be run: {error}", drill.name))?;
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
    let drill = |name: &String| {
        Drill::named(name).ok_or_else(|| {
            let all: Vec<_> = Drill::all().iter().map(|drill| drill.name).collect();
            format!("there is no drill `{name}`; there are {}, and `{ALL}`", all.join(", "))
        })
    };
    let named = names.iter().filter(|name| *name != ALL).map(drill).collect::<Result<_, _>>()?;
    let all = names.is_empty() || names.iter().any(|name| name == ALL);
    Ok(if all { Drill::all() } else { named })
}

fn section(drill: &Drill, drilled: &Drilled) -> Section {
    let story =
        format!("{} Reported: {}. What protects: {}.", drill.story, drill.reported, drill.answer);
    let section = Section::new(drill.name, drilled.protected.clone())
        .story(story)
        .findings(drill.expected.findings(&drilled.protected))
        .beside("as it happened", drilled.as_it_happened.clone());
    let missed = drilled.figures.iter().filter(|shown| !shown.met);
    let needs: BTreeSet<_> = missed.filter_map(|shown| shown.missed_for.as_ref()).collect();
    needs
        .iter()
        .fold(section, |section, needs| section.remark(format!("missed for want of {needs}")))
}

/// Runs something that takes a while, and tells whoever waits.
fn timed<R, E>(what: &str, run: impl FnOnce() -> Result<R, E>) -> Result<R, E> {
    anstream::eprint!("{} … ", render::short(what, WIDTH));
    #[expect(clippy::disallowed_methods, reason = "for whoever waits; nothing is decided by it")]
    let began = Instant::now();
    let result = run();
    let took = began.elapsed();
    match &result {
        Ok(_) => anstream::eprintln!("{:.1} s", took.as_secs_f64()),
        Err(_) => anstream::eprintln!("no"),
    }
    result
}
