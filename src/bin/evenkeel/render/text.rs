//! Text that is safe to print, short enough and in columns.

use std::env;

use annotate_snippets::normalize_untrusted_str;
use anstyle::{AnsiColor, Style};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

pub(super) const BOLD: Style = Style::new().bold();
pub(super) const DIM: Style = Style::new().dimmed();
pub(super) const GOOD: Style = AnsiColor::Green.on_default().bold();
pub(super) const BAD: Style = AnsiColor::BrightRed.on_default().bold();
pub(super) const WARN: Style = AnsiColor::Yellow.on_default().bold();

/// Why something could not be answered.
pub(crate) fn failure(message: &str) -> String {
    format!("{BAD}error{BAD:#}{BOLD}: {}{BOLD:#}\n", safe(message))
}

/// Foreign text on one line, of which no part can steer a terminal.
pub(crate) fn safe(text: &str) -> String {
    normalize_untrusted_str(text).replace(char::is_control, "\u{b7}")
}

/// As [`safe`], at most `most` columns wide.
pub(crate) fn short(text: &str, most: usize) -> String {
    // Characters may have no width; there is a bound on these, too.
    let begin: String = text.chars().take(4 * most).collect();
    let safe = safe(&begin);
    if safe.width() <= most && begin.len() == text.len() {
        return safe;
    }
    let mut room = most.saturating_sub(1);
    let fits = |char: &char| {
        let width = char.width().unwrap_or(0);
        room.checked_sub(width).map(|left| room = left).is_some()
    };
    let cut: String = safe.chars().take_while(fits).collect();
    cut + "…"
}

/// `text` with spaces behind it, `width` columns wide.
pub(super) fn left(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(text.width())))
}

/// Words on lines of at most `width` columns, each line behind `indent`.
pub(super) fn wrapped(text: &str, indent: &str, width: usize) -> String {
    let mut lines = String::new();
    let mut line = String::from(indent);
    for word in text.split_whitespace() {
        let is_empty = line.len() == indent.len();
        if !is_empty && line.width() + 1 + word.width() > width {
            lines.push_str(&line);
            lines.push('\n');
            line.truncate(indent.len());
        } else if !is_empty {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines + &line + "\n"
}

/// `1 error`, `2 errors`.
pub(super) fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// Whether bars may be drawn with more than ASCII, by what the environment says of the terminal.
pub(super) fn draws_unicode() -> bool {
    let says = |name| env::var(name).ok().filter(|value: &String| !value.is_empty());
    let locale = says("LC_ALL").or_else(|| says("LC_CTYPE")).or_else(|| says("LANG"));
    locale.map_or(cfg!(windows), |locale| {
        let locale = locale.to_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_foreign_steers_the_terminal() {
        let steers = |char: char| char.is_control() || ('\u{202a}'..='\u{202e}').contains(&char);
        let hostile = "a\u{1b}[31m\u{9b}31m\u{7}\r\n\u{202e}b\u{0}";
        assert!(!safe(hostile).contains(steers), "{:?}", safe(hostile));
        assert!(!short(hostile, 40).contains(steers));
        assert!(!failure(hostile).trim_end().trim_start_matches(|c| c != ':').contains('\u{9b}'));
    }

    #[test]
    fn short_text_has_the_width_it_is_given() {
        assert_eq!(short("abc", 3), "abc");
        assert_eq!(short("abcd", 3), "ab…");
        assert_eq!(short("日本語", 6), "日本語");
        assert_eq!(short("日本語", 5), "日本…");
        assert_eq!(short("日本語", 4), "日…");
        assert!(short(&"\u{300}".repeat(1_000_000), 3).len() < 40);
    }

    #[test]
    fn words_are_wrapped_and_none_is_lost() {
        assert_eq!(wrapped("a bb ccc dddd", "  ", 8), "  a bb\n  ccc\n  dddd\n");
        assert_eq!(wrapped("longer_than_the_line b", " ", 4), " longer_than_the_line\n b\n");
        assert_eq!(wrapped("", " ", 4), " \n");
    }
}
