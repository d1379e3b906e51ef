//! `evenkeel explain`: what keys mean, take and are by default.

mod example;

use evenkeel::config::{Range, Setting, nearest_setting, setting, settings};
use serde::Serialize;

use self::example::example;
use crate::answer::{Answer, Exit};
use crate::args::ExplainArgs;
use crate::render;

/// A key, as it is told.
#[derive(Debug, Serialize)]
pub(crate) struct Explained {
    pub(crate) key: &'static str,
    pub(crate) meaning: &'static str,
    pub(crate) range: String,
    pub(crate) default: &'static str,
    /// How a file switches it off.
    pub(crate) off: Option<String>,
    /// Lines of a file.
    pub(crate) example: String,
}

pub(crate) fn run(args: &ExplainArgs) -> Answer {
    let found: Vec<&Setting> = match &args.key {
        None => settings().iter().collect(),
        Some(key) => match find(key) {
            Ok(found) => with_keys(found),
            Err(message) => return Answer::failure(message),
        },
    };
    if args.json {
        let explained: Vec<_> = found.into_iter().map(Explained::of).collect();
        return Answer::json(&explained, Vec::new(), Exit::Fine);
    }
    let text = match (args.key.is_some(), found.as_slice()) {
        (true, [one, keys @ ..]) => render::one_setting(&Explained::of(one), keys),
        _ => render::all_settings(&found),
    };
    Answer { text, ..Answer::default() }
}

/// The setting that is asked for: by its path, as a header, or by its last word alone.
fn find(written: &str) -> Result<&'static Setting, String> {
    let path = written.trim().trim_start_matches('[').trim_end_matches([']', '=']).trim();
    let path = if path.contains('[') { written.trim() } else { path };
    if let Some(found) = setting(path) {
        return Ok(found);
    }
    let of_that_name: Vec<_> =
        settings().iter().filter(|it| it.path.rsplit('.').next() == Some(path)).collect();
    match of_that_name.as_slice() {
        [one] => Ok(one),
        [] => {
            let shown = render::short(written, 80);
            if path.split('.').next() == Some("balancer") {
                return Err(format!(
                    "`{shown}` is no key: [balancer.NAME] holds the settings of one of several \
                     balancers, and takes the keys that `evenkeel explain` lists"
                ));
            }
            Err(match nearest_setting(path) {
                Some(near) => format!(
                    "no key is called `{shown}`; did you mean `{0}`? (evenkeel explain {0})",
                    near.path
                ),
                None => format!("no key is called `{shown}`; `evenkeel explain` lists all"),
            })
        }
        several => {
            let paths: Vec<_> = several.iter().map(|it| format!("`{}`", it.path)).collect();
            Err(format!("several keys are called `{path}`: {}; name one", paths.join(", ")))
        }
    }
}

/// `found`, and whatever stands below it.
fn with_keys(found: &'static Setting) -> Vec<&'static Setting> {
    let below = settings()
        .iter()
        .filter(|it| it.path.strip_prefix(&found.path).is_some_and(|rest| rest.starts_with('.')));
    std::iter::once(found).chain(below).collect()
}

impl Explained {
    fn of(setting: &'static Setting) -> Self {
        let off = setting.can_be_off.then(|| match setting.path.rsplit_once('.') {
            None => format!("{} = false", setting.path),
            Some((section, key)) => format!("[{section}]\n{key} = false"),
        });
        Self {
            key: &setting.path,
            meaning: setting.meaning,
            range: range(setting),
            default: &setting.default,
            off,
            example: example(setting),
        }
    }
}

/// What it takes.
pub(crate) fn range(setting: &Setting) -> String {
    let off = if setting.can_be_off { ", or false" } else { "" };
    format!("{}{off}", setting.range)
}

/// Whether it is a table that has keys of its own.
pub(crate) fn is_section(setting: &Setting) -> bool {
    matches!(setting.range, Range::Table | Range::Tables)
}

pub(crate) fn parent(setting: &Setting) -> &str {
    setting.path.rsplit_once('.').map_or("", |(section, _)| section)
}
