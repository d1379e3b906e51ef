//! `evenkeel preview`: the shares before and after a change.

mod change;
mod pairs;

use std::path::Path;

use serde::Serialize;

pub(crate) use self::change::{Change, Presence, Row};
use self::pairs::{Pair, pairs, unknown};
use crate::answer::{Answer, Exit};
use crate::args::PreviewArgs;
use crate::finding::Finding;
use crate::paths::Paths;
use crate::render;
use crate::source::{STDIN, Source, name_alone};

/// What a change would do, balancer by balancer.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    #[serde(rename = "file", serialize_with = "name_alone")]
    pub(crate) new: Source,
    pub(crate) from: Option<String>,
    pub(crate) refused: bool,
    /// Nothing is previewed unless it is empty.
    pub(crate) invalid: Vec<Invalid>,
    pub(crate) balancers: Vec<Change>,
}

/// A file that holds no valid settings.
#[derive(Debug, Serialize)]
pub(crate) struct Invalid {
    #[serde(rename = "file", serialize_with = "name_alone")]
    pub(crate) source: Source,
    pub(crate) problems: Vec<Finding>,
}

pub(crate) fn run(args: &PreviewArgs) -> Answer {
    match report(args) {
        Err(why) => Answer::failure(why),
        Ok(report) => {
            let exit = if report.refused { Exit::Problems } else { Exit::Fine };
            if args.json {
                return Answer::json(&report, Vec::new(), exit);
            }
            Answer { text: render::preview(&report), exit, ..Answer::default() }
        }
    }
}

/// # Errors
///
/// In words, if the question cannot be answered.
fn report(args: &PreviewArgs) -> Result<Report, String> {
    let is_stdin = |path: &Path| path.to_str() == Some(STDIN);
    if is_stdin(&args.file) && args.from.as_deref().is_some_and(is_stdin) {
        return Err("both files are `-`, and standard input can be read only once".into());
    }
    let new_source = Source::read(&args.file)?;
    let old_source = args.from.as_deref().map(Source::read).transpose()?;
    let from = old_source.as_ref().map(|source| source.name.clone());
    let old = old_source.as_ref().map(Source::parse).transpose();
    let (invalid, balancers) = match (new_source.parse(), old) {
        (Ok(new), Ok(old)) => {
            let paths = Paths::of(&new_source.text, &new);
            let changes = changes(args, pairs(&new, old.as_ref()), from.as_deref(), &paths)?;
            (Vec::new(), changes)
        }
        (new, old) => {
            let new = new.err().map(|problems| (new_source.clone(), problems));
            let wrong = new.into_iter().chain(old_source.zip(old.err()));
            let invalid = wrong.map(|(source, problems)| Invalid { source, problems });
            (invalid.collect(), Vec::new())
        }
    };
    let refused = !invalid.is_empty() || balancers.iter().any(|change: &Change| change.refused);
    Ok(Report { new: new_source, from, refused, invalid, balancers })
}

/// # Errors
///
/// In words, if the balancer that is asked for is not there.
fn changes(
    args: &PreviewArgs,
    mut pairs: Vec<Pair<'_>>,
    from: Option<&str>,
    paths: &Paths<'_>,
) -> Result<Vec<Change>, String> {
    if let Some(wanted) = &args.balancer {
        if !pairs.iter().any(|pair| pair.name == Some(wanted)) {
            return Err(unknown(wanted, &pairs));
        }
        pairs.retain(|pair| pair.name == Some(wanted));
    }
    Ok(pairs.iter().map(|pair| Change::of(pair, from, paths, args.sort)).collect())
}
