//! A look at the brackets before the text is parsed.

/// Brackets within brackets, and dots within a key; settings need five.
pub(super) const MOST_NESTED: usize = 8;

/// Brackets and dots in all. A list of endpoints that fills the longest text has fewer.
///
/// Each may be a table, for which the parser takes a good kilobyte, however little is in it.
pub(super) const MOST_PARTS: usize = 300_000;

/// Where a text goes beyond what settings need, and in which way.
#[derive(Debug, PartialEq)]
pub(super) enum Beyond {
    Depth(usize),
    Parts(usize),
}

/// Whether a TOML text is nested deeper than [`MOST_NESTED`], or has more than [`MOST_PARTS`].
///
/// The parser allows 80 brackets with 80 dotted keys in each. Dropping a tree of 6,400 levels
/// overflows the 2 MiB stack of a thread in an unoptimised build, and that is no panic but the
/// end of the process. Strings and comments are skipped as the parser's lexer does; a closing
/// bracket that does not match is not believed, so a broken text is never taken for flatter than
/// the parser takes it.
pub(super) fn beyond(text: &str) -> Option<Beyond> {
    let bytes = text.as_bytes();
    let mut open = Vec::with_capacity(MOST_NESTED);
    let (mut dots, mut parts) = (0, 0);
    let mut at = 0;
    while let Some((&byte, after)) = bytes.get(at..).and_then(<[u8]>::split_first) {
        match byte {
            b'[' | b'{' if open.len() == MOST_NESTED => return Some(Beyond::Depth(at)),
            b'.' if dots == MOST_NESTED => return Some(Beyond::Depth(at)),
            b'[' | b'{' | b'.' if parts == MOST_PARTS => return Some(Beyond::Parts(at)),
            b'[' | b'{' => open.push(byte),
            b']' | b'}' => {
                let opening = if byte == b']' { b'[' } else { b'{' };
                open.pop_if(|last| *last == opening);
            }
            _ => {}
        }
        parts += usize::from(matches!(byte, b'[' | b'{' | b'.'));
        dots = match byte {
            b'.' => dots + 1,
            b'[' | b'{' | b']' | b'}' | b'=' | b',' | b'\r' | b'\n' => 0,
            _ => dots,
        };
        at += 1 + match byte {
            b'"' | b'\'' => rest_of_string(byte, after),
            b'#' => length_until(after, b"\r\n"),
            b'[' | b'{' | b']' | b'}' | b'.' | b'=' | b',' | b' ' | b'\t' | b'\r' | b'\n' => 0,
            _ => length_until(after, b".=,[]{} \t#\r\n"),
        };
    }
    None
}

fn length_until(bytes: &[u8], ends: &[u8]) -> usize {
    bytes.iter().position(|byte| ends.contains(byte)).unwrap_or(bytes.len())
}

/// How many of the bytes `after` an opening quote belong to the string.
fn rest_of_string(quote: u8, after: &[u8]) -> usize {
    let is_long = after.starts_with(&[quote; 2]);
    let mut at = if is_long { 2 } else { 0 };
    while let Some(rest @ [byte, ..]) = after.get(at..) {
        match *byte {
            b'\\' if quote == b'"' => {
                at += if matches!(rest, [_, b'\\' | b'"', ..]) { 2 } else { 1 };
            }
            b'\n' if !is_long => return at,
            byte if byte == quote && !is_long => return at + 1,
            // Up to two quotes may stand before the three that end it.
            _ if is_long && rest.starts_with(&[quote; 3]) => {
                return at + rest.iter().take(5).take_while(|byte| **byte == quote).count();
            }
            _ => at += 1,
        }
    }
    after.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_brackets_outside_of_strings_and_comments() {
        let eight = format!("a = {}{}", "[".repeat(8), "]".repeat(8));
        assert_eq!(beyond(&eight), None);
        assert_eq!(beyond(&format!("a = {}", "[".repeat(9))), Some(Beyond::Depth(12)));
        assert_eq!(beyond(&format!("{eight}\nb = {}", &eight[4..])), None);
        for harmless in ["\"", "'", "\"\"\"", "'''"] {
            assert_eq!(beyond(&format!("a = {harmless}[[[[[[[[[[{harmless}")), None);
        }
        assert_eq!(beyond("# [[[[[[[[[[\n"), None);
    }

    #[test]
    fn counts_dots_within_a_key() {
        let eight = ["a"; 9].join(".");
        assert_eq!(beyond(&format!("{eight} = [{{ {eight} = 0.5 }}, {{ {eight} = 1 }}]")), None);
        assert_eq!(beyond(&format!("[{eight}]\n{eight} = 1.5")), None);
        assert_eq!(beyond(&format!("{eight}.a = 1")), Some(Beyond::Depth(17)));
        assert_eq!(beyond(&format!("b={{{}", "'.' . \"\" .".repeat(5))), Some(Beyond::Depth(47)));
        assert_eq!(beyond(&format!("'{eight}.a' = '{eight}.a' # {eight}.a")), None);
    }

    #[test]
    fn counts_all_there_is() {
        let parts = |count: usize| format!("a = [{}", "{}.1,".repeat((count - 1) / 2));
        assert_eq!(beyond(&parts(MOST_PARTS)), None);
        assert!(matches!(beyond(&parts(MOST_PARTS + 2)), Some(Beyond::Parts(_))));
    }

    #[test]
    fn closers_in_strings_comments_and_the_wrong_shape_close_nothing() {
        for closer in ["\"]\"", "']'", "\"\\\"]\"", "'''\n]'''", "\"\"\"]\\\"\"\"\"", "#]\n", "}"] {
            let text = format!("a = {}", format!("[{closer}").repeat(9));
            assert!(beyond(&text).is_some(), "{text}");
        }
    }
}
