//! Who changes something, and why.

use std::fmt;
use std::sync::Arc;

/// Bytes of a name that are kept.
const LONGEST_NAME: usize = 128;

/// Bytes of a reason that are kept.
const LONGEST_REASON: usize = 512;

/// Who does something and why, as far as it was said.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Author {
    by: Option<Arc<str>>,
    because: Option<Arc<str>>,
}

impl Author {
    /// Somebody.
    pub(crate) fn new(by: &str) -> Self {
        Self { by: kept(by, LONGEST_NAME), because: None }
    }

    /// Whoever it is, and why.
    pub(crate) fn of(by: Option<&str>, because: Option<&str>) -> Self {
        let name = by.and_then(|by| kept(by, LONGEST_NAME));
        Self { by: name, because: because.and_then(|why| kept(why, LONGEST_REASON)) }
    }

    /// The same one, for this reason.
    pub(crate) fn because(self, why: &str) -> Self {
        Self { because: kept(why, LONGEST_REASON), ..self }
    }

    pub(crate) fn by(&self) -> Option<&str> {
        self.by.as_deref()
    }

    pub(crate) fn reason(&self) -> Option<&str> {
        self.because.as_deref()
    }

    /// Both as events carry them.
    pub(crate) fn parts(&self) -> (Option<String>, Option<String>) {
        (self.by().map(String::from), self.reason().map(String::from))
    }
}

/// What is kept of what somebody wrote: a line of bounded length, `None` if there is nothing on it.
///
/// Logs and terminals show it, so whatever would end the line or rule the terminal is a space.
fn kept(text: &str, longest: usize) -> Option<Arc<str>> {
    let text = text.trim();
    let end = text.floor_char_boundary(longest);
    let line: String =
        text[..end].chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    let line = line.trim();
    (!line.is_empty()).then(|| line.into())
}

impl fmt::Debug for Author {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Author").field("by", &self.by).field("because", &self.because).finish()
    }
}

/// `by ann because …`, with a space before, or nothing.
pub(super) fn attributed(
    f: &mut fmt::Formatter<'_>,
    by: Option<&str>,
    because: Option<&str>,
) -> fmt::Result {
    if let Some(by) = by {
        write!(f, " by {by}")?;
    }
    if let Some(because) = because {
        write!(f, " because {because}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_one_line_of_bounded_length() {
        let author = Author::new(" ann\n\u{1b}[2J ").because("a\r\nb");
        assert_eq!((author.by(), author.reason()), (Some("ann  [2J"), Some("a  b")));
        let long = Author::new(&"é".repeat(1_000)).because(&"x".repeat(10_000));
        assert_eq!(long.by().map(str::len), Some(LONGEST_NAME));
        assert_eq!(long.reason().map(str::len), Some(LONGEST_REASON));
        assert_eq!(Author::new(&"€".repeat(100)).by().map(str::len), Some(126));
        assert_eq!(Author::new(" \n ").because(""), Author::default());
    }
}
