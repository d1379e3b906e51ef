//! Problems as a compiler would show them: the line, and a caret below.

use std::borrow::Cow;
use std::ops::Range;

use annotate_snippets::{Annotation, AnnotationKind, Group, Origin, Renderer, Snippet};

use super::text::short;
use crate::finding::{Finding, Level};
use crate::places::Place;
use crate::source::Source;

/// Columns of a message; what it quotes may be longer than any line.
const LONGEST_MESSAGE: usize = 600;

/// Bytes of a line that is shown whole. Of a longer one only what is around the caret is cut out.
const LONGEST_LINE: usize = 2048;

/// Each finding with its line of `source`, and a blank line after it.
pub(crate) fn problems(source: &Source, findings: &[Finding], out: &mut String) {
    let renderer = Renderer::styled();
    for finding in findings {
        out.push_str(&renderer.render(&[group(source, finding)]));
        out.push_str("\n\n");
    }
}

/// Each finding with its line of `source`.
pub(crate) fn listed(source: &Source, findings: &[Finding]) -> String {
    let mut out = String::new();
    problems(source, findings, &mut out);
    out.truncate(out.trim_end().len());
    out + "\n"
}

fn group<'s>(source: &'s Source, finding: &'s Finding) -> Group<'s> {
    let level = match finding.level {
        Level::Note => annotate_snippets::Level::NOTE,
        Level::Warning => annotate_snippets::Level::WARNING,
        Level::Error => annotate_snippets::Level::ERROR,
    };
    let message = match finding.path.as_str() {
        "" => short(&finding.message, LONGEST_MESSAGE),
        path => short(&format!("{path}: {}", finding.message), LONGEST_MESSAGE),
    };
    let group = Group::with_title(level.primary_title(message));
    let name = short(&source.name, LONGEST_MESSAGE);
    let Some(place) = finding.place else {
        return group.element(Origin::path(name));
    };
    let label = finding.label.as_deref().unwrap_or_default();
    let group = shown(group, &source.text, place, name.clone(), AnnotationKind::Primary, label);
    match finding.beside {
        Some((place, label)) => {
            shown(group, &source.text, place, name, AnnotationKind::Context, label)
        }
        None => group,
    }
}

/// Adds the line at `place`.
fn shown<'s>(
    group: Group<'s>,
    text: &'s str,
    place: Place,
    name: String,
    kind: AnnotationKind,
    label: &'s str,
) -> Group<'s> {
    let (mut line, is_cut) = line_around(text, place.at);
    if line.end > place.at && text[line.clone()].ends_with('\r') {
        line.end -= 1;
    }
    let (start, end) = (place.at - line.start, token_end(text, place.at, line.end) - line.start);
    let annotation: Annotation<'_> = kind.span(start..end);
    let annotation = if label.is_empty() { annotation } else { annotation.label(label) };
    let snippet = Snippet::source(printable(&text[line])).line_start(place.line);
    let snippet = snippet.annotation(annotation);
    if is_cut {
        // Columns would be counted from where it is cut.
        let origin = Origin::path(name).line(place.line).char_column(place.column);
        group.element(origin).element(snippet)
    } else {
        group.element(snippet.path(name))
    }
}

/// What is shown of the line at `at`, and whether that is not the whole.
fn line_around(text: &str, at: usize) -> (Range<usize>, bool) {
    let bytes = text.as_bytes();
    let (before, after) = bytes.split_at(at);
    let near = |bytes: &[u8]| bytes.len().min(LONGEST_LINE);
    let start = before[before.len() - near(before)..].iter().rposition(|byte| *byte == b'\n');
    let end = after[..near(after)].iter().position(|byte| *byte == b'\n');
    let start_of_line = match start {
        Some(start) => Some(before.len() - near(before) + start + 1),
        None => (before.len() <= LONGEST_LINE).then_some(0),
    };
    let end_of_line = match end {
        Some(end) => Some(at + end),
        None => (after.len() <= LONGEST_LINE).then_some(text.len()),
    };
    match (start_of_line, end_of_line) {
        (Some(start), Some(end)) => (start..end, false),
        _ => {
            let start = start_of_line.unwrap_or(0).max(at.saturating_sub(LONGEST_LINE / 8));
            let end = end_of_line.unwrap_or(text.len()).min(at + LONGEST_LINE / 8);
            (text.floor_char_boundary(start)..text.floor_char_boundary(end), true)
        }
    }
}

/// The end of what begins at `at`: a key, a value, or a header.
fn token_end(text: &str, at: usize, end_of_line: usize) -> usize {
    let rest = &text[at..end_of_line];
    let is_number = rest.starts_with(|char: char| char.is_ascii_digit() || "+-".contains(char));
    let ends =
        |char: char| char.is_whitespace() || ",]}=#".contains(char) || (char == '.' && !is_number);
    let length = match rest.chars().next() {
        Some(quote @ ('"' | '\'')) => closing_quote(rest, quote),
        Some('[' | '{') => rest.split('#').next().map(|code| code.trim_end().len()),
        _ => rest.find(ends).filter(|length| *length > 0),
    };
    at + length.unwrap_or_else(|| rest.trim_end().len())
}

fn closing_quote(rest: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    let closing = rest.char_indices().skip(1).find(|&(_, char)| {
        let closes = char == quote && !escaped;
        escaped = quote == '"' && char == '\\' && !escaped;
        closes
    });
    closing.map(|(at, _)| at + 1)
}

/// The same text, as many bytes long, without the control characters that the renderer leaves in.
fn printable(text: &str) -> Cow<'_, str> {
    let is_left_in = |char: char| ('\u{80}'..='\u{9f}').contains(&char);
    if text.contains(is_left_in) {
        Cow::Owned(text.replace(is_left_in, "\u{b7}"))
    } else {
        Cow::Borrowed(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caret_is_as_long_as_what_it_points_at() {
        for (line, at, pointed_at) in [
            ("choices = 1 # few", 10, "1"),
            ("a.b = 1", 0, "a"),
            ("a = 1.5e3", 4, "1.5e3"),
            ("a = \"x\\\"y z\" # q", 4, "\"x\\\"y z\""),
            ("a = 'x\\' # q", 4, "'x\\'"),
            ("a = 'open", 4, "'open"),
            ("[[endpoints]] # x", 0, "[[endpoints]]"),
            ("a = {b = 1, c=2}", 5, "b"),
            ("a = {b = 1, c=2}", 9, "1"),
            ("a b", 2, "b"),
            ("a =", 3, ""),
            ("a == 1", 3, "= 1"),
        ] {
            assert_eq!(&line[at..token_end(line, at, line.len())], pointed_at, "{line}");
        }
    }

    #[test]
    fn short_lines_are_whole_and_of_long_ones_only_what_is_near() {
        let around = |text: &str, at| {
            let (line, is_cut) = line_around(text, at);
            (text[line].to_owned(), is_cut)
        };
        assert_eq!(around("ab\ncd\nef", 4), ("cd".into(), false));
        assert_eq!(around("ab\ncd\n", 6), ("".into(), false));
        assert_eq!(around("ab", 0), ("ab".into(), false));
        assert_eq!(around("", 0), ("".into(), false));
        let long = format!("first\n{}here{}\nlast", "€".repeat(9_000), "ü".repeat(9_000));
        let (line, is_cut) = around(&long, long.find("here").unwrap());
        assert!(is_cut && line.contains("€here") && line.len() < LONGEST_LINE, "{line}");
        let (line, is_cut) = around(&long, 6);
        assert!(is_cut && line.starts_with('€') && line.len() < LONGEST_LINE, "{line}");
    }
}
