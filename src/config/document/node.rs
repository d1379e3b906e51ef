//! The tree a document is read from, whatever it was written in.

use std::borrow::Cow;
use std::fmt;

use crate::config::excerpt::Excerpt;

/// A value, and where in the text it begins.
#[derive(Debug)]
pub(in crate::config) struct Node<'t> {
    pub(super) at: Option<usize>,
    pub(super) value: Value<'t>,
}

#[derive(Debug)]
pub(in crate::config) enum Value<'t> {
    Text(Cow<'t, str>),
    Whole(i128),
    /// A number that is no `i128`, as it was written.
    Number(Cow<'t, str>),
    Flag(bool),
    Time,
    Nothing,
    List(Vec<Node<'t>>),
    Table(Vec<Entry<'t>>),
}

#[derive(Debug)]
pub(in crate::config) struct Entry<'t> {
    pub(super) key: Cow<'t, str>,
    /// Where the key stands, unlike `node.at`.
    pub(super) at: Option<usize>,
    pub(super) node: Node<'t>,
}

/// Settings are at most six levels deep (`balancer`, its name, `endpoints`, an endpoint, `labels`,
/// a label). What lies deeper can only be beneath a key that is refused, so it is left out of the
/// tree.
pub(super) const DEEPEST: usize = 8;

impl fmt::Display for Value<'_> {
    /// What was found, in the words of a message.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "the text \"{}\"", Excerpt(text)),
            Self::Whole(number) => write!(f, "the number {number}"),
            Self::Number(number) => write!(f, "the number {}", Excerpt(number)),
            Self::Flag(flag) => write!(f, "`{flag}`"),
            Self::Time => f.write_str("a date or time"),
            Self::Nothing => f.write_str("nothing (null)"),
            Self::List(_) => f.write_str("a list"),
            Self::Table(_) => f.write_str("a table"),
        }
    }
}

/// The path of what stands at `path` within `parent`; each may be the whole, which has none.
pub(super) fn beneath(parent: &str, path: String) -> String {
    match (parent, path.as_str()) {
        ("", _) => path,
        (_, "") => String::from(parent),
        _ => format!("{parent}.{path}"),
    }
}

/// The path of `key` within the table at `parent`.
pub(super) fn path_of(parent: &str, key: &str) -> String {
    let is_bare = |char: char| char.is_ascii_alphanumeric() || char == '_' || char == '-';
    let dot = if parent.is_empty() { "" } else { "." };
    if !key.is_empty() && key.chars().all(is_bare) {
        format!("{parent}{dot}{}", Excerpt(key))
    } else {
        format!("{parent}{dot}\"{}\"", Excerpt(key))
    }
}
