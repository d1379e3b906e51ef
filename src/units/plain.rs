//! Foreign text within a line of ours.

use std::fmt::{self, Write};

/// A text of which no part can steer a terminal, begin a line or hide: control characters and what
/// cannot be seen are escaped. Quotes stay as they are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plain<'a>(pub(crate) &'a str);

impl fmt::Display for Plain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|char| match char {
            '"' | '\'' => f.write_char(char),
            char => write!(f, "{}", char.escape_debug()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_or_hides_is_escaped() {
        assert_eq!(Plain("10.0.0.1:80 \"é\"'").to_string(), "10.0.0.1:80 \"é\"'");
        let hostile = "a\u{1b}[2J\n\r\u{202e}\u{200b}\u{0}\\n";
        let plain = Plain(hostile).to_string();
        assert_eq!(plain, "a\\u{1b}[2J\\n\\r\\u{202e}\\u{200b}\\0\\\\n");
    }
}
