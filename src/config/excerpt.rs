//! Foreign text within a message.

use std::fmt;

/// The beginning of a foreign text, safe to print: control characters are escaped.
pub(super) struct Excerpt<'a>(pub(super) &'a str);

impl fmt::Display for Excerpt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MOST: usize = 48;
        let mut chars = self.0.chars();
        for char in chars.by_ref().take(MOST) {
            write!(f, "{}", char.escape_debug())?;
        }
        if chars.next().is_some() { f.write_str("…") } else { Ok(()) }
    }
}
