//! What can be asked of the tool.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

const EXIT_CODES: &str = "\
Exit codes:
  0  fine; warnings do not count unless --deny-warnings is given
  1  the settings have a problem or would be refused, or a drill is not as expected
  2  wrong usage, or a file that cannot be read or written";

/// Checks, previews and explains the settings of evenkeel's balancers, and drills what may happen.
#[derive(Debug, Parser)]
#[command(version, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,

    /// Whether to use colours; `auto` does on a terminal, unless NO_COLOR is set.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", display_order = 100)]
    pub(crate) color: Colors,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Check(CheckArgs),
    Preview(PreviewArgs),
    Explain(ExplainArgs),
    Drill(DrillArgs),
}

/// Finds every problem in files of settings.
///
/// Problems are told with their line. For files with [[endpoints]] the shares are
/// computed that the endpoints would get, by the code that picks: one above
/// guard.max_share_percent is an error, and without that setting one above 60 % is
/// a warning.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES, verbatim_doc_comment)]
pub(crate) struct CheckArgs {
    /// Files of settings; `-` reads from standard input.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,

    /// Let warnings fail the check.
    #[arg(long)]
    pub(crate) deny_warnings: bool,

    /// Answer in JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Shows the share of each endpoint before and after a change.
///
/// Shares are computed by the code that picks, for endpoints that are all healthy
/// and equally loaded. A change that a running balancer would refuse exits with 1.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES, verbatim_doc_comment)]
pub(crate) struct PreviewArgs {
    /// The new settings; `-` reads from standard input.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,

    /// The settings that are served now; without them the new ones start from nothing.
    #[arg(long, value_name = "FILE")]
    pub(crate) from: Option<PathBuf>,

    /// Only this one of several balancers.
    #[arg(long, value_name = "NAME")]
    pub(crate) balancer: Option<String>,

    /// The order of the endpoints; `change` puts the largest change first.
    #[arg(long, value_name = "ORDER", default_value = "id")]
    pub(crate) sort: Order,

    /// Answer in JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Tells what a key means, what it takes and what it is by default.
#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// A key or section, as in `strategy.choices`, `choices` or `outlier`; without it, all.
    #[arg(value_name = "KEY")]
    pub(crate) key: Option<String>,

    /// Answer in JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Replays outages in virtual time, or rehearses a change of your own.
///
/// Each drill runs an outage as it happened and with the protection on, and shows
/// the difference. A scenario of your own runs with the settings it has, and with
/// those of --config beside them; the limits below are for the latter. The same
/// seed has the same results. A drill that does not show what it should, or a limit
/// that is exceeded, exits with 1.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES, verbatim_doc_comment)]
pub(crate) struct DrillArgs {
    /// Which drills; `all`, or none, for all of them.
    #[arg(value_name = "NAME")]
    pub(crate) names: Vec<String>,

    /// Tell which drills there are.
    #[arg(long)]
    pub(crate) list: bool,

    /// Write a page with pictures, report.html, and the data, report.json, in here.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,

    /// Answer in JSON.
    #[arg(long)]
    pub(crate) json: bool,

    /// What every random choice follows from.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) seed: Option<u64>,

    /// A scenario of your own in TOML; `-` reads from standard input.
    #[arg(long, value_name = "FILE", conflicts_with = "names")]
    pub(crate) scenario: Option<PathBuf>,

    /// Settings that are set beside those of the scenario.
    #[arg(long, value_name = "FILE", requires = "scenario")]
    pub(crate) config: Option<PathBuf>,

    /// How many of a hundred requests may fail, since the trouble began.
    #[arg(long, value_name = "PERCENT", requires = "scenario", default_value = "1", value_parser = percent)]
    pub(crate) max_failed: f64,

    /// How many of a hundred requests one server may get.
    #[arg(long, value_name = "PERCENT", requires = "scenario", value_parser = percent)]
    pub(crate) max_share: Option<f64>,

    /// How soon trouble must be detected, as in 10s.
    #[arg(long, value_name = "TIME", requires = "scenario", value_parser = humantime::parse_duration)]
    pub(crate) detected_within: Option<Duration>,

    /// How soon it must be over.
    #[arg(long, value_name = "TIME", requires = "scenario", value_parser = humantime::parse_duration)]
    pub(crate) recovered_within: Option<Duration>,

    /// How many servers may crash.
    #[arg(long, value_name = "NUMBER", requires = "scenario")]
    pub(crate) max_lost: Option<usize>,
}

fn percent(text: &str) -> Result<f64, &'static str> {
    let percent = text.parse().ok().filter(|percent| (0.0..=100.0).contains(percent));
    percent.ok_or("a number from 0 to 100 is needed")
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Colors {
    Auto,
    Always,
    Never,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Order {
    Id,
    Change,
}
