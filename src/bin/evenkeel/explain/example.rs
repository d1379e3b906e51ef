//! What a file would say.

use std::time::Duration;

use evenkeel::config::{Range, Setting, setting, settings};

use super::{is_section, parent};

/// Lines of a file that say it, with what else its table needs.
pub(super) fn example(setting: &Setting) -> String {
    let (section, own) = match setting.path.rsplit_once('.') {
        _ if is_section(setting) => (setting.path.as_str(), None),
        Some((section, _)) => (section, Some(setting)),
        None => ("", Some(setting)),
    };
    let keys = || settings().iter().filter(|it| parent(it) == section && !is_section(it));
    let required = || keys().filter(|it| it.default == "required");
    let lines: Vec<_> = match own {
        Some(own) if own.default != "required" => required().chain([own]).map(line).collect(),
        // A flag alone tells less, and may be one that nobody should set.
        None if required().next().is_none() => {
            let value = keys().find(|it| it.range != Range::Flag).or_else(|| keys().next());
            value.into_iter().map(line).collect()
        }
        _ => required().map(line).collect(),
    };
    let header = match setting_of(section) {
        None => String::new(),
        Some(it) if it.range == Range::Tables => format!("[[{section}]]\n"),
        Some(_) => format!("[{section}]\n"),
    };
    header + &lines.join("\n")
}

fn setting_of(section: &str) -> Option<&'static Setting> {
    if section.is_empty() { None } else { setting(section) }
}

fn line(setting: &Setting) -> String {
    let key = setting.path.rsplit('.').next().unwrap_or_default();
    let line = format!("{key} = {}", value(setting, key));
    match setting.path.as_str() {
        // Refused but beside this.
        "strategy.custom" => format!("kind = \"custom\"\n{line}"),
        // Without effect but beside this.
        "tiers.zone_callers_percent" => format!("zone = \"eu-1a\"\n{line}"),
        _ => line,
    }
}

/// The default where it is a value, else one that is often meant.
fn value(setting: &Setting, key: &str) -> String {
    let default = setting.default.as_str();
    let has_value = !["none", "on", "off", "required", "{}"].contains(&default);
    match &setting.range {
        Range::Flag => (default == "false").to_string(),
        _ if has_value => String::from(default),
        Range::Duration(range) => {
            let usual = Duration::from_secs(10);
            let ends = setting.range.to_string();
            let least = ends.split(" to ").next().unwrap_or_default();
            format!("{:?}", if range.contains(&usual) { "10s" } else { least })
        }
        Range::Percent(range) => 60.clamp(*range.start(), *range.end()).to_string(),
        Range::Whole(range) | Range::Prime(range) => {
            100.clamp(*range.start(), *range.end()).to_string()
        }
        Range::Count => String::from("100"),
        Range::OneOf(words) => format!("{:?}", words.first().unwrap_or(&"text")),
        Range::Texts => String::from("{ rack = \"r7\" }"),
        _ => format!("{:?}", word(key)),
    }
}

/// A text that the key may well have.
fn word(key: &str) -> &'static str {
    match key {
        "name" => "checkout",
        "custom" => "leader",
        "id" => "a",
        "address" => "http://10.0.0.1:8080",
        "zone" => "eu-1a",
        _ => "text",
    }
}
