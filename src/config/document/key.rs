//! What a section says of its keys: one entry for each, from which it is read and documented.

use super::node::{Node, path_of};
use super::section::Section;
use crate::config::setting::{Range, Setting};
use crate::config::spelling::{Spell, Spelling};
use crate::error::Problem;

/// A section that is the list of its keys.
pub(in crate::config) trait Keyed: Spell + Clone + 'static {
    /// In the order in which they are documented, which is that of [`Spell::spell`].
    const KEYS: &'static [Key<Self>];

    /// Keys that this version knows and does not serve.
    const NOT_YET: &'static [&'static str] = &[];

    /// What it is where a file says nothing of it but that it is there.
    fn blank() -> Self;
}

/// A key of the section `C`.
#[derive(Debug)]
pub(in crate::config) struct Key<C: 'static> {
    pub(super) name: &'static str,
    pub(super) read: Read<C>,
    pub(super) is_required: bool,
    can_be_off: bool,
    range: Range,
    meaning: &'static str,
    /// Lists the keys of the table that stands here.
    list_below: Option<fn(&str, &mut Vec<Setting>)>,
}

#[derive(Debug)]
pub(super) enum Read<C> {
    /// Takes a value of its own.
    Value(fn(C, &Node<'_>) -> Result<C, Wrong>),
    /// Takes from the section whatever it needs; the key is told.
    Part(fn(&mut C, &mut Section<'_, '_>, &'static str)),
}

impl<C> Key<C> {
    /// A key with a value. `range` only tells what `read` takes.
    pub(in crate::config) const fn new(
        name: &'static str,
        range: Range,
        meaning: &'static str,
        read: fn(C, &Node<'_>) -> Result<C, Wrong>,
    ) -> Self {
        Self {
            name,
            read: Read::Value(read),
            is_required: false,
            can_be_off: false,
            range,
            meaning,
            list_below: None,
        }
    }

    /// A key that is read together with others.
    pub(in crate::config) const fn joint(
        name: &'static str,
        range: Range,
        meaning: &'static str,
        read: fn(&mut C, &mut Section<'_, '_>, &'static str),
    ) -> Self {
        Self {
            name,
            read: Read::Part(read),
            is_required: false,
            can_be_off: false,
            range,
            meaning,
            list_below: None,
        }
    }

    /// A table with the keys of `P`.
    pub(in crate::config) const fn table<P: Keyed>(
        name: &'static str,
        meaning: &'static str,
        read: fn(&mut C, &mut Section<'_, '_>, &'static str),
    ) -> Self {
        Self { list_below: Some(list::<P>), ..Self::joint(name, Range::Table, meaning, read) }
    }

    /// A list of tables with the keys of `P`.
    pub(in crate::config) const fn tables<P: Keyed>(
        name: &'static str,
        meaning: &'static str,
        read: fn(&mut C, &mut Section<'_, '_>, &'static str),
    ) -> Self {
        Self { list_below: Some(list::<P>), ..Self::joint(name, Range::Tables, meaning, read) }
    }

    /// `false` switches it off, which `read` understands.
    pub(in crate::config) const fn or_off(mut self) -> Self {
        self.can_be_off = true;
        self
    }

    /// A section without it is refused.
    pub(in crate::config) const fn required(mut self) -> Self {
        self.is_required = true;
        self
    }
}

/// Why a value is not taken.
pub(in crate::config) enum Wrong {
    /// It is not what the key needs.
    Value(String),
    /// A setter refused it.
    Setting(Problem),
}

impl From<String> for Wrong {
    fn from(message: String) -> Self {
        Self::Value(message)
    }
}

impl From<Problem> for Wrong {
    fn from(problem: Problem) -> Self {
        Self::Setting(problem)
    }
}

/// Adds the keys of `C`, which stands at `path`, and of whatever is below.
pub(in crate::config) fn list<C: Keyed>(path: &str, found: &mut Vec<Setting>) {
    let blank = C::blank().spell();
    for key in C::KEYS {
        let path = path_of(path, key.name);
        found.push(Setting {
            path: path.clone(),
            meaning: key.meaning,
            range: key.range.clone(),
            default: key.default(blank.at(key.name)),
            can_be_off: key.can_be_off,
        });
        if let Some(list) = key.list_below {
            list(&path, found);
        }
    }
}

impl<C> Key<C> {
    fn default(&self, blank: &Spelling) -> String {
        match blank {
            _ if self.is_required => String::from("required"),
            Spelling::Table(_) if !self.can_be_off => String::from("{}"),
            Spelling::Text(text) => format!("{text:?}"),
            other => other.to_string(),
        }
    }
}
