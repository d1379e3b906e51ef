//! The table of settings: every key, what it means, what it may be and what it is by default.

use std::fmt::{self, Display};
use std::ops::RangeInclusive;
use std::sync::LazyLock;
use std::time::Duration;

use super::document::{list, nearest};
use super::range::Spelt;
use super::root::Config;

/// A key of the settings.
///
/// ```
/// let setting = evenkeel::config::setting("strategy.decay").unwrap();
/// assert_eq!(setting.range.to_string(), "100ms to 1h");
/// assert_eq!(setting.default, "\"10s\"");
/// assert!(!setting.can_be_off);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Setting {
    /// Where it stands, as in `strategy.choices`; the keys of each endpoint are below `endpoints`.
    pub path: String,
    /// What it does, and what more or less of it does.
    pub meaning: &'static str,
    /// What it may be.
    pub range: Range,
    /// What it is where nothing is said, as a file would say it; else `none`, for a mechanism `on`
    /// or `off`, and `required` where there is no default.
    pub default: String,
    /// Whether `false` switches it off.
    pub can_be_off: bool,
}

/// What a setting may be.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Range {
    /// `true` or `false`.
    Flag,
    /// A duration as text, both ends allowed.
    Duration(RangeInclusive<Duration>),
    /// A whole number, both ends allowed.
    Whole(RangeInclusive<u64>),
    /// A prime, both ends allowed.
    Prime(RangeInclusive<u64>),
    /// A whole number that no bound is set to.
    Count,
    /// A number that may have a fraction, both ends allowed.
    Number(RangeInclusive<f64>),
    /// A whole percentage, both ends allowed.
    Percent(RangeInclusive<u8>),
    /// A number of endpoints to compare, both ends allowed, or `"all"`.
    Choices(RangeInclusive<u8>),
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// Any text.
    Text,
    /// A text of at least one character.
    NonEmptyText,
    /// A table of texts under keys of your own.
    Texts,
    /// A table with keys of its own.
    Table,
    /// A list of tables with keys of their own.
    Tables,
}

impl Range {
    pub(super) const fn whole(range: &RangeInclusive<u32>) -> Self {
        Self::Whole(*range.start() as u64..=*range.end() as u64)
    }

    pub(super) const fn prime(range: &RangeInclusive<u32>) -> Self {
        Self::Prime(*range.start() as u64..=*range.end() as u64)
    }
}

impl Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag => f.write_str("true or false"),
            Self::Duration(range) => {
                write!(f, "{} to {}", Spelt(*range.start()), Spelt(*range.end()))
            }
            Self::Whole(range) => write!(f, "{} to {}", range.start(), range.end()),
            Self::Prime(range) => write!(f, "a prime, {} to {}", range.start(), range.end()),
            Self::Count => f.write_str("any whole number"),
            Self::Number(range) => {
                write!(f, "{} to {}, also with a fraction", range.start(), range.end())
            }
            Self::Percent(range) => write!(f, "{} to {}", range.start(), range.end()),
            Self::Choices(range) => write!(f, "{} to {}, or \"all\"", range.start(), range.end()),
            Self::OneOf(words) => f.write_str(&words.join(", ")),
            Self::Text => f.write_str("any text"),
            Self::NonEmptyText => f.write_str("any text but an empty one"),
            Self::Texts => f.write_str("a table of texts"),
            Self::Table => f.write_str("a table"),
            Self::Tables => f.write_str("a list of tables"),
        }
    }
}

/// Every key that settings may have, section by section, each with its range and default.
///
/// The table of [`config`](crate::config) is made of it. In a file with several balancers each key
/// stands below `balancer.NAME`. Needs the feature `config`.
///
/// ```
/// use evenkeel::config::settings;
///
/// for setting in settings() {
///     println!("{} ({}), by default {}", setting.path, setting.range, setting.default);
/// }
/// assert_eq!(settings()[0].path, "name");
/// ```
#[must_use]
pub fn settings() -> &'static [Setting] {
    static ALL: LazyLock<Vec<Setting>> = LazyLock::new(|| {
        let mut found = Vec::new();
        list::<Config>("", &mut found);
        found
    });
    &ALL
}

/// The setting at `path`, which may be the path of a
/// [`Problem`](crate::Problem::path): `balancer.checkout.endpoints[2].weight` is
/// `endpoints.weight`.
#[must_use]
pub fn setting(path: &str) -> Option<&'static Setting> {
    let path = without_indices(path);
    let found = |path: &str| settings().iter().find(|setting| setting.path == path);
    found(&path).or_else(|| {
        let mut within = path.strip_prefix("balancer.")?;
        // The name may have dots of its own.
        while let Some((_, rest)) = within.split_once('.') {
            if let Some(setting) = found(rest) {
                return Some(setting);
            }
            within = rest;
        }
        None
    })
}

/// The setting that somebody meant who wrote `written`: the one at that path, else the one spelt
/// most alike if any is near enough, else the first that has it as a part.
///
/// ```
/// use evenkeel::config::nearest_setting;
///
/// assert_eq!(nearest_setting("choices").unwrap().path, "strategy.choices");
/// assert_eq!(nearest_setting("stratgy.choises").unwrap().path, "strategy.choices");
/// assert_eq!(nearest_setting("weather"), None);
/// ```
#[must_use]
pub fn nearest_setting(written: &str) -> Option<&'static Setting> {
    let path = without_indices(written);
    let by = |word_of: fn(&'static Setting) -> &'static str, written: &str| {
        let word = nearest(written, settings().iter().map(word_of))?;
        settings().iter().find(|setting| word_of(setting) == word)
    };
    setting(&path)
        .or_else(|| by(|setting| &setting.path, &path))
        .or_else(|| by(|setting| key_of(&setting.path), key_of(&path)))
        .or_else(|| settings().iter().find(|it| path.len() > 2 && it.path.contains(&path)))
}

fn key_of(path: &str) -> &str {
    path.rsplit_once('.').map_or(path, |(_, key)| key)
}

/// `path` without `[2]`, `[17]` and the like.
fn without_indices(path: &str) -> String {
    let mut parts = path.split('[');
    let first = parts.next().unwrap_or_default();
    let rest = parts.map(|part| part.split_once(']').map_or(part, |(_, rest)| rest));
    std::iter::once(first).chain(rest).collect()
}
