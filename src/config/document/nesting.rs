//! A look at the brackets before the text is parsed.

/// Brackets within brackets; settings need three.
pub(super) const MOST_NESTED: usize = 8;

/// Where the brackets of a TOML text are nested deeper than [`MOST_NESTED`], if they are.
///
/// The parser allows 80 brackets with 80 dotted keys in each. Dropping a tree of 6,400 levels
/// overflows the 2 MiB stack of a thread in an unoptimised build, and that is no panic but the
/// end of the process. Strings and comments are skipped as the parser's lexer does; a closing
/// bracket that does not match is not believed, so a broken text is never taken for flatter than
/// the parser takes it.
pub(super) fn too_deep(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut open = Vec::with_capacity(MOST_NESTED);
    let mut at = 0;
    while let Some((&byte, after)) = bytes.get(at..).and_then(<[u8]>::split_first) {
        at += 1 + match byte {
            b'[' | b'{' if open.len() == MOST_NESTED => return Some(at),
            b'[' | b'{' => {
                open.push(byte);
                0
            }
            b']' | b'}' => {
                let opening = if byte == b']' { b'[' } else { b'{' };
                open.pop_if(|last| *last == opening);
                0
            }
            b'"' | b'\'' => rest_of_string(byte, after),
            b'#' => length_until(after, b"\r\n"),
            b'.' | b'=' | b',' | b' ' | b'\t' | b'\r' | b'\n' => 0,
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
        assert_eq!(too_deep(&eight), None);
        assert_eq!(too_deep(&format!("a = {}", "[".repeat(9))), Some(12));
        assert_eq!(too_deep(&format!("{eight}\nb = {}", &eight[4..])), None);
        for harmless in ["\"", "'", "\"\"\"", "'''"] {
            assert_eq!(too_deep(&format!("a = {harmless}[[[[[[[[[[{harmless}")), None);
        }
        assert_eq!(too_deep("# [[[[[[[[[[\n"), None);
    }

    #[test]
    fn closers_in_strings_comments_and_the_wrong_shape_close_nothing() {
        for closer in ["\"]\"", "']'", "\"\\\"]\"", "'''\n]'''", "\"\"\"]\\\"\"\"\"", "#]\n", "}"] {
            let text = format!("a = {}", format!("[{closer}").repeat(9));
            assert!(too_deep(&text).is_some(), "{text}");
        }
    }
}
