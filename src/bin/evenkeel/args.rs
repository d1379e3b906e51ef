//! What can be asked of the tool.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

const EXIT_CODES: &str = "\
Exit codes:
  0  fine; warnings do not count unless --deny-warnings is given
  1  the settings have a problem, or would be refused
  2  wrong usage, or a file that cannot be read";

/// Checks, previews and explains the settings of evenkeel's balancers.
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
