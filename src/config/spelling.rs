//! Settings as a file would say them.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use super::number::Number;
use super::range::Spelt;
use crate::units::Percent;

/// What has a form in a file.
pub(super) trait Spell {
    /// Every key with its value, in the order in which they are documented.
    fn spell(&self) -> Spelling;
}

/// A value of a file, or that there is none.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Spelling {
    /// Nothing is set, which a file says by leaving the key out.
    Absent,
    /// Switched off, which a file says by `false`.
    Off,
    Flag(bool),
    Whole(u64),
    Number(Number),
    Text(String),
    Table(Vec<(Cow<'static, str>, Self)>),
    List(Vec<Self>),
}

impl Spelling {
    pub(super) fn table<const N: usize>(entries: [(&'static str, Self); N]) -> Self {
        let entry = |(key, value)| (Cow::Borrowed(key), value);
        Self::Table(entries.into_iter().map(entry).collect())
    }

    /// The value of `key` in a table.
    #[cfg(feature = "config")]
    pub(super) fn at(&self, key: &str) -> &Self {
        let Self::Table(entries) = self else {
            return &Self::Absent;
        };
        entries.iter().find(|(name, _)| name == key).map_or(&Self::Absent, |(_, value)| value)
    }

    /// A value that is off where there is none.
    pub(super) fn or_off(value: Option<impl Into<Self>>) -> Self {
        value.map_or(Self::Off, Into::into)
    }

    /// A value that is left out where there is none.
    pub(super) fn or_absent(value: Option<impl Into<Self>>) -> Self {
        value.map_or(Self::Absent, Into::into)
    }
}

impl From<bool> for Spelling {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl From<u32> for Spelling {
    fn from(number: u32) -> Self {
        Self::Whole(number.into())
    }
}

impl From<usize> for Spelling {
    fn from(number: usize) -> Self {
        Self::Whole(number as u64)
    }
}

impl From<Number> for Spelling {
    fn from(number: Number) -> Self {
        Self::Number(number)
    }
}

impl From<Percent> for Spelling {
    fn from(percent: Percent) -> Self {
        Self::Whole(percent.get().into())
    }
}

impl From<Duration> for Spelling {
    fn from(duration: Duration) -> Self {
        Self::Text(Spelt(duration).to_string())
    }
}

impl From<&str> for Spelling {
    fn from(text: &str) -> Self {
        Self::Text(String::from(text))
    }
}

impl<S: Spell> From<&S> for Spelling {
    fn from(section: &S) -> Self {
        section.spell()
    }
}

impl fmt::Display for Spelling {
    /// In the words of a message: without quotes, and of what has parts only that it is there.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("none"),
            Self::Off => f.write_str("off"),
            Self::Flag(flag) => write!(f, "{flag}"),
            Self::Whole(number) => write!(f, "{number}"),
            Self::Number(number) => write!(f, "{number}"),
            Self::Text(text) => f.write_str(text),
            Self::Table(_) => f.write_str("on"),
            Self::List(items) => write!(f, "{} described", items.len()),
        }
    }
}
