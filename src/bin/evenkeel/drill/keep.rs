//! What is kept of drills: a page to look at, and the data behind it.

use std::fs;
use std::path::Path;

use evenkeel::sim::Report;
use serde::Serialize;

use crate::render;

/// Makes the place where it will be, before anything takes time.
///
/// # Errors
///
/// In words, if it cannot be made.
pub(super) fn ready(out: &Path) -> Result<(), String> {
    fs::create_dir_all(out).map_err(|error| wrong(out, &error))
}

/// Writes the page and the data, and tells whoever waits where they are.
///
/// # Errors
///
/// In words, if they cannot be written.
pub(super) fn all(out: &Path, report: &Report, data: &impl Serialize) -> Result<(), String> {
    let page = out.join("report.html");
    fs::write(&page, report.to_html()).map_err(|error| wrong(&page, &error))?;
    let file = out.join("report.json");
    let text = serde_json::to_string(data).map_err(|error| wrong(&file, &error))?;
    fs::write(&file, text).map_err(|error| wrong(&file, &error))?;
    let told = |path: &Path| render::safe(&path.display().to_string());
    anstream::eprintln!("written: {} and {}", told(&page), told(&file));
    Ok(())
}

fn wrong(what: &Path, error: &dyn std::fmt::Display) -> String {
    format!("cannot write `{}`: {error}", what.display())
}
