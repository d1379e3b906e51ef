//! Figures, spans and foreign texts, as people read them.

use std::time::Duration;

use maud::{Markup, html};

/// Letters that a foreign text takes on a page, but for the last of them.
const SHOWN: usize = 160;

/// A text that somebody else wrote: on one line, of bounded length, in its own direction, and with
/// every letter that nobody could see spelt out. Escaping is for the markup.
pub(super) fn foreign(text: &str) -> Markup {
    html! { bdi { (visible(text)) } }
}

/// See [`foreign`].
pub(super) fn visible(text: &str) -> String {
    let mut shown = String::new();
    let (mut room, mut letters) = (SHOWN, text.chars());
    while room > 0 {
        let Some(letter) = letters.next() else { break };
        if letter != ' ' && is_unseen(letter) {
            let spelt = letter.escape_default();
            room = room.saturating_sub(spelt.len());
            shown.extend(spelt);
        } else {
            room -= 1;
            shown.push(letter);
        }
    }
    let left = letters.count();
    if left > 0 {
        shown.push_str(&format!("… and {} more letters", count(left as u64)));
    }
    if text.trim().is_empty() { format!("“{shown}”") } else { shown }
}

/// Whether a letter shows nothing of itself, or changes how others are shown.
fn is_unseen(letter: char) -> bool {
    letter.is_control()
        || letter.is_whitespace()
        || matches!(letter,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// A number with its thousands apart.
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// `1 endpoint`, `2 endpoints`.
pub(super) fn counted(number: usize, what: &str) -> String {
    let s = if number == 1 { "" } else { "s" };
    format!("{} {what}{s}", count(number as u64))
}

/// A part of one in percent. What is there is never shown as nothing, nor what is missing as all.
pub(super) fn percent(part: f64) -> String {
    let percent = 100.0 * part;
    match percent {
        _ if !percent.is_finite() => "–".to_owned(),
        _ if percent <= 0.0 => "0 %".to_owned(),
        _ if percent < 0.1 => "< 0.1 %".to_owned(),
        _ if percent < 9.95 => format!("{percent:.1} %"),
        _ if percent < 99.95 => format!("{:.0} %", percent.min(99.0)),
        _ if percent < 100.0 => "> 99.9 %".to_owned(),
        _ => format!("{percent:.0} %"),
    }
}

/// A span, in two units at the most.
pub(super) fn span(span: Duration) -> String {
    let (nanos, seconds) = (span.as_nanos(), span.as_secs());
    let two = |large: u64, of: &str, small: u64, rest: &str| match small {
        0 => format!("{} {of}", count(large)),
        _ => format!("{} {of} {small} {rest}", count(large)),
    };
    match seconds {
        0 if nanos < 1_000 => format!("{nanos} ns"),
        0 if nanos < 1_000_000 => format!("{} µs", nanos / 1_000),
        0 if nanos < 10_000_000 => format!("{:.1} ms", span.as_secs_f64() * 1e3),
        0 => format!("{} ms", nanos / 1_000_000),
        1..10 => format!("{:.1} s", (span.as_secs_f64() * 10.0).floor() / 10.0),
        10..60 => format!("{seconds} s"),
        60..3_600 => two(seconds / 60, "min", seconds % 60, "s"),
        3_600..86_400 => two(seconds / 3_600, "h", seconds % 3_600 / 60, "min"),
        _ => two(seconds / 86_400, "d", seconds % 86_400 / 3_600, "h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_texts_stay_on_their_line_and_hide_nothing() {
        assert_eq!(visible("a\nb\u{202e}c\u{200b}\u{0}"), "a\\nb\\u{202e}c\\u{200b}\\u{0}");
        assert_eq!(visible("שלום é 日本 👩‍🚀"), "שלום é 日本 👩‍🚀");
        assert_eq!((visible(""), visible("  ")), ("“”".to_owned(), "“  ”".to_owned()));
        let long = visible(&"x".repeat(10_000));
        assert!(long.ends_with("x… and 9,840 more letters"), "{long}");
        let spelt = visible(&"\u{202e}".repeat(10_000));
        assert!(spelt.len() < 220 && spelt.ends_with(" more letters"), "{spelt}");
        assert_eq!(foreign("<b>&\"").into_string(), "<bdi>&lt;b&gt;&amp;&quot;</bdi>");
    }

    #[test]
    fn nothing_is_rounded_away() {
        let parts = [0.0, 0.000_1, 0.001, 0.099_4, 0.123, 0.994, 0.999_9, 1.0, f64::NAN, -1.0];
        let shown = parts.map(percent);
        let expected =
            ["0 %", "< 0.1 %", "0.1 %", "9.9 %", "12 %", "99 %", "> 99.9 %", "100 %", "–", "0 %"];
        assert_eq!(shown, expected);
        assert_eq!(percent(0.999), "99 %");
    }

    #[test]
    fn spans_and_counts() {
        let spans = [
            (0, "0 ns"),
            (1_500, "1 µs"),
            (2_540_000, "2.5 ms"),
            (830_000_000, "830 ms"),
            (9_990_000_000, "9.9 s"),
            (59_999_999_999, "59 s"),
            (60_000_000_000, "1 min"),
            (3_700_000_000_000, "1 h 1 min"),
            (200_000_000_000_000, "2 d 7 h"),
        ];
        for (nanos, words) in spans {
            assert_eq!(span(Duration::from_nanos(nanos)), words);
        }
        assert!(span(Duration::MAX).contains(" d "));
        assert_eq!([0, 999, 1_000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([counted(1, "x"), counted(0, "x")], ["1 x", "0 xs"]);
    }
}
