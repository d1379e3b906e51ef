//! What a value must be. Each reader answers with the value, or with what is wrong and what
//! would be right.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::time::Duration;

use super::nearest::{listed, nearest};
use super::node::{Node, Value};
use crate::config::choices::Choices;
use crate::config::excerpt::Excerpt;
use crate::config::range;
use crate::units::Percent;

pub(in crate::config) type Reading<V> = Result<V, String>;

pub(super) fn wrong<V>(found: &Node<'_>, needed: impl Display) -> Reading<V> {
    Err(format!("found {}; {needed} is needed", found.value))
}

pub(in crate::config) fn text(node: &Node<'_>) -> Reading<String> {
    match &node.value {
        Value::Text(text) => Ok(text.clone().into_owned()),
        _ => wrong(node, "a text"),
    }
}

pub(in crate::config) fn flag(node: &Node<'_>) -> Reading<bool> {
    match node.value {
        Value::Flag(flag) => Ok(flag),
        _ => wrong(node, "`true` or `false`"),
    }
}

pub(in crate::config) fn count(node: &Node<'_>) -> Reading<usize> {
    whole(node, &(0..=usize::MAX))
}

pub(in crate::config) fn percent(node: &Node<'_>, range: &RangeInclusive<u8>) -> Reading<Percent> {
    match whole(node, range).map(Percent::new) {
        Ok(Some(percent)) => Ok(percent),
        _ => wrong(node, within(range)),
    }
}

pub(in crate::config) fn choices(node: &Node<'_>) -> Reading<Choices> {
    let read = match &node.value {
        Value::Text(text) if text == "all" => Some(Choices::ALL),
        _ => whole(node, &Choices::RANGE).ok().and_then(Choices::of),
    };
    read.map_or_else(|| wrong(node, format_args!("{}, or \"all\",", within(&Choices::RANGE))), Ok)
}

/// A number that may have a fraction; its setter knows the range.
pub(in crate::config) fn number(node: &Node<'_>) -> Reading<f64> {
    match &node.value {
        Value::Whole(number) => Ok(*number as f64),
        Value::Number(text) => text.parse().or_else(|_| wrong(node, "a decimal number")),
        _ => wrong(node, "a number"),
    }
}

/// One of `words`; those of `not_yet` are known and refused.
pub(in crate::config) fn word(
    node: &Node<'_>,
    words: &[&'static str],
    not_yet: &[&'static str],
) -> Reading<&'static str> {
    let Value::Text(text) = &node.value else {
        return wrong(node, format_args!("one of {}", listed(words.iter().copied())));
    };
    if let Some(word) = words.iter().find(|word| *word == text) {
        return Ok(word);
    }
    let choices = listed(words.iter().copied());
    if not_yet.contains(&text.as_ref()) {
        return Err(format!("`{text}` is not available yet; use one of {choices}"));
    }
    let excerpt = Excerpt(text);
    Err(match nearest(text, words.iter().chain(not_yet).copied()) {
        Some(near) if not_yet.contains(&near) => format!(
            "unknown word \"{excerpt}\"; the nearest is `{near}`, which is not available yet; use \
             one of {choices}"
        ),
        Some(near) => {
            format!("unknown word \"{excerpt}\"; did you mean `{near}`? Known are {choices}")
        }
        None => format!("unknown word \"{excerpt}\"; known are {choices}"),
    })
}

/// A duration as text with units, in the words of [`humantime`].
pub(in crate::config) fn duration(node: &Node<'_>) -> Reading<Duration> {
    const NEEDED: &str = "a duration as text with a unit, such as \"250ms\", \"10s\" or \"5m\",";
    match &node.value {
        Value::Text(text) => match parse_duration(text) {
            Some(duration) => Ok(duration),
            None => wrong(node, NEEDED),
        },
        Value::Whole(_) | Value::Number(_) => {
            Err(format!("found {}, which has no unit; {NEEDED} is needed", node.value))
        }
        _ => wrong(node, NEEDED),
    }
}

/// As [`duration`], for keys that are read together.
pub(in crate::config) fn duration_within(
    node: &Node<'_>,
    range: &RangeInclusive<Duration>,
) -> Reading<Duration> {
    range::within("", duration(node)?, range).map_err(|problem| problem.message)
}

/// `humantime` 2.4 panics where parts sum up to the last second a [`Duration`] can hold, as in
/// `"18446744073709551615s1000ms"`. Six parts of nine digits stay far below, whatever the unit.
/// It also reads `"1 2s"` as twelve seconds, which is hardly what was meant.
fn parse_duration(text: &str) -> Option<Duration> {
    const LONGEST: usize = 64;
    const MOST_DIGITS: usize = 9;
    let is_long = |digits: &str| digits.len() > MOST_DIGITS;
    if text.len() > LONGEST || text.split(|it: char| !it.is_ascii_digit()).any(is_long) {
        return None;
    }
    let of_number = |it: char| it.is_ascii_digit() || it == '.';
    let parts = text.split_whitespace();
    let torn = |(a, b): (&str, &str)| a.ends_with(of_number) && b.starts_with(of_number);
    if parts.clone().zip(parts.skip(1)).any(torn) {
        return None;
    }
    humantime::parse_duration(text).ok()
}

/// Lets `false` switch off what `read` would read; `true` says nothing and is refused.
pub(in crate::config) fn or_off<V>(
    read: impl FnOnce(&Node<'_>) -> Reading<V>,
) -> impl FnOnce(&Node<'_>) -> Reading<Option<V>> {
    |node| match node.value {
        Value::Flag(false) => Ok(None),
        Value::Flag(true) => Err(String::from(ON_ANYWAY)),
        _ => read(node).map(Some).map_err(|message| message + OR_FALSE),
    }
}

pub(super) const ON_ANYWAY: &str = "found `true`, and it is on by default; leave it out, or give it a value, or `false` to switch \
     it off";
pub(super) const ON_BY_ITS_TABLE: &str =
    "found `true`; its table switches it on, even an empty one";
pub(super) const OR_FALSE: &str = ", or `false` to switch it off";

pub(in crate::config) fn whole<N>(node: &Node<'_>, range: &RangeInclusive<N>) -> Reading<N>
where
    N: Display + PartialOrd + TryFrom<i128>,
{
    match node.value {
        Value::Whole(number) => N::try_from(number).ok().filter(|number| range.contains(number)),
        _ => None,
    }
    .map_or_else(|| wrong(node, within(range)), Ok)
}

fn within<N: Display>(range: &RangeInclusive<N>) -> String {
    format!("a whole number from {} to {}", range.start(), range.end())
}
