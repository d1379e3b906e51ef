//! Keys of settings, one or many.

use std::fmt::Write;

use evenkeel::config::{Range, Setting};
use unicode_width::UnicodeWidthStr;

use super::text::{BOLD, DIM, left, wrapped};
use crate::explain::{Explained, is_section, parent, range};

/// Columns of running text.
const WIDTH: usize = 80;

/// Everything about one key, and a list of the `keys` below it.
pub(crate) fn one_setting(it: &Explained, keys: &[&Setting]) -> String {
    let mut out = format!("{BOLD}{}{BOLD:#}\n\n{}\n", it.key, wrapped(it.meaning, "  ", WIDTH));
    field("takes", &it.range, &mut out);
    field("default", default_in_words(it.default), &mut out);
    if let Some(off) = &it.off {
        field("off by", off, &mut out);
    }
    field("example", &it.example, &mut out);
    if !keys.is_empty() {
        out.push('\n');
        table(keys, false, &mut out);
    }
    out
}

/// Every setting, section by section.
pub(crate) fn all_settings(settings: &[&Setting]) -> String {
    let mut out = String::new();
    table(settings, true, &mut out);
    out.push_str("\n`evenkeel explain KEY` tells what a key means and shows an example\n");
    out
}

fn default_in_words(default: &str) -> &str {
    match default {
        "none" => "none: leave the key out",
        "required" => "none: it has to be said",
        "off" => "off: its table switches it on, even an empty one",
        "{}" => "there, with its keys at their defaults",
        default => default,
    }
}

/// `value` may have several lines.
fn field(name: &str, value: &str, out: &mut String) {
    let mut name = left(name, 8);
    for line in value.lines() {
        let _ = writeln!(out, "  {DIM}{name}{DIM:#}  {line}");
        name = left("", 8);
    }
}

/// A block for each section, with what it is about if that `is_told`, and a line for each key.
fn table(settings: &[&Setting], is_told: bool, out: &mut String) {
    let keys = || settings.iter().filter(|it| !is_section(it));
    let mut sections: Vec<&str> = Vec::new();
    for key in keys() {
        if !sections.contains(&parent(key)) {
            sections.push(parent(key));
        }
    }
    let widest = |width: &dyn Fn(&Setting) -> usize| keys().map(|it| width(it)).max().unwrap_or(0);
    let names = widest(&|it| name(it).width());
    let defaults = widest(&|it| it.default.width()).max("default".len());
    let (key, default) = (left("key", names), left("default", defaults));
    let _ = writeln!(out, "  {DIM}{key}  {default}  takes{DIM:#}");
    for section in sections {
        if let Some(own) = evenkeel::config::setting(section) {
            header(own, is_told, out);
        }
        for key in keys().filter(|it| parent(it) == section) {
            let (name, default) = (left(name(key), names), left(&key.default, defaults));
            let _ = writeln!(out, "  {name}  {default}  {}", range(key));
        }
    }
}

fn header(section: &Setting, is_told: bool, out: &mut String) {
    let header = match section.range {
        Range::Tables => format!("[[{}]]", section.path),
        _ => format!("[{}]", section.path),
    };
    let _ = writeln!(out, "\n{BOLD}{header}{BOLD:#}");
    if is_told {
        let _ = writeln!(out, "{DIM}{}{DIM:#}", wrapped(section.meaning, "  ", WIDTH).trim_end());
    }
}

/// The last word of its path.
fn name(setting: &Setting) -> &str {
    setting.path.rsplit('.').next().unwrap_or_default()
}
