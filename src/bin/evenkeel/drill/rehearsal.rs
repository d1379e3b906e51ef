//! A scenario of the user's own, with its settings and with those that are to come.

use std::path::Path;

use evenkeel::sim::{Client, Expect, Finding, Report, Run, Scenario, Section};
use evenkeel::{Config, EndpointSpec};
use serde::Serialize;

use super::wrong::Wrong;
use super::{keep, timed};
use crate::answer::{Answer, Exit};
use crate::args::DrillArgs;
use crate::render;
use crate::source::{STDIN, Source};

/// What has come of a scenario.
#[derive(Debug, Serialize)]
pub(crate) struct Rehearsed {
    /// With the settings it has, where others are set beside them.
    pub(crate) before: Option<Run>,
    pub(crate) run: Run,
    /// What was expected of the run.
    pub(crate) findings: Vec<Finding>,
    /// Whether all of it was as expected.
    pub(crate) met: bool,
    /// Something that has to be known to read it.
    pub(crate) remarks: Vec<String>,
}

/// # Errors
///
/// If a file cannot be read or is wrong, or what came of it cannot be kept.
pub(super) fn run(args: &DrillArgs, path: &Path) -> Result<Answer, Wrong> {
    let is_stdin = |path: &Path| path.to_str() == Some(STDIN);
    if is_stdin(path) && args.config.as_deref().is_some_and(is_stdin) {
        let why = "both files are `-`, and standard input can be read only once";
        return Err(Wrong::Call(why.into()));
    }
    let (file, scenario) = scenario(args, path)?;
    let mut remarks = Vec::new();
    let changed = args.config.as_deref().map(|file| with(&scenario, file, &mut remarks));
    let changed = changed.transpose()?;
    args.out.as_deref().map_or(Ok(()), keep::ready)?;
    let run = |what: &str, scenario: &Scenario| {
        let run = timed(what, || scenario.run());
        run.map_err(|error| Wrong::text(file.clone(), error.problems()))
    };
    let (before, run) = match changed {
        Some(changed) => {
            let before = run("with its own settings", &scenario)?;
            (Some(before), run("with the new settings", &changed)?)
        }
        None => (None, run(&scenario.name, &scenario)?),
    };
    let findings = expected(args).findings(&run);
    let met = findings.iter().all(|finding| finding.met);
    let exit = if met { Exit::Fine } else { Exit::Problems };
    let rehearsed = Rehearsed { before, run, findings, met, remarks };
    if let Some(out) = &args.out {
        keep::all(out, &report(&rehearsed), &rehearsed)?;
    }
    Ok(if args.json {
        Answer::json(&rehearsed, Vec::new(), exit)
    } else {
        Answer { text: render::rehearsed(&rehearsed), exit, ..Answer::default() }
    })
}

fn scenario(args: &DrillArgs, path: &Path) -> Result<(Source, Scenario), Wrong> {
    let file = Source::read(path)?;
    if let Some(refusal) = file.refusal() {
        return Err(Wrong::file(file, vec![refusal]));
    }
    match (Scenario::from_toml(&file.text), args.seed) {
        (Ok(scenario), Some(seed)) => Ok((file, scenario.seed(seed))),
        (Ok(scenario), None) => Ok((file, scenario)),
        (Err(error), _) => Err(Wrong::text(file, error.problems())),
    }
}

/// The scenario with the settings of a file.
fn with(scenario: &Scenario, path: &Path, remarks: &mut Vec<String>) -> Result<Scenario, Wrong> {
    let file = Source::read(path)?;
    if let Some(refusal) = file.refusal() {
        return Err(Wrong::file(file, vec![refusal]));
    }
    let mut config = match Config::from_toml(&file.text) {
        Ok(config) => config,
        Err(error) => return Err(Wrong::text(file, error.problems())),
    };
    if let Some(endpoints) = config.endpoints() {
        let known = known(scenario, endpoints);
        if known.is_none() {
            remarks.push(format!(
                "the endpoints of `{}` are not all servers of the scenario, by id or address; \
                 those of the scenario are used",
                file.name
            ));
        }
        config = config.with_endpoints(known).map_err(|problem| problem.to_string())?;
    }
    let mut scenario = scenario.clone();
    if scenario.clients.is_empty() {
        scenario = scenario.client(Client::new("client"));
    }
    for client in &mut scenario.clients {
        client.config = config.clone();
    }
    Ok(scenario)
}

/// The endpoints at the servers that they name by their address, or else by their id.
fn known(scenario: &Scenario, endpoints: &[EndpointSpec]) -> Option<Vec<EndpointSpec>> {
    let is_server = |name: &str| scenario.servers.iter().any(|server| server.name == name);
    let at_server = |endpoint: &EndpointSpec| {
        let mut endpoint = endpoint.clone();
        if !is_server(&endpoint.address) {
            endpoint.address = endpoint.id.to_string();
        }
        is_server(&endpoint.address).then_some(endpoint)
    };
    endpoints.iter().map(at_server).collect()
}

fn expected(args: &DrillArgs) -> Expect {
    let mut expected = Expect::new().failed_percent_at_most(args.max_failed);
    if let Some(percent) = args.max_share {
        expected = expected.largest_share_percent_at_most(percent);
    }
    if let Some(time) = args.detected_within {
        expected = expected.detected_within(time);
    }
    if let Some(time) = args.recovered_within {
        expected = expected.recovered_within(time);
    }
    if let Some(servers) = args.max_lost {
        expected = expected.servers_lost_at_most(servers);
    }
    expected
}

fn report(rehearsed: &Rehearsed) -> Report {
    let Rehearsed { before, run, findings, remarks, .. } = rehearsed;
    let name = run.scenario.clone();
    let mut section = Section::new(&name, run.clone()).findings(findings.iter().cloned());
    section = match before {
        Some(before) => {
            section.label("with the new settings").beside("with its own settings", before.clone())
        }
        None => section.label("what came of it"),
    };
    let section = remarks.iter().fold(section, Section::remark);
    Report::new(name).section(section)
}
