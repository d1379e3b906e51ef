//! What balancers are called in paths.

use std::fmt::Write as _;

/// Parts of a path that mean something else.
const TAKEN: [&str; 4] = ["", ".", "..", "status.json"];

/// What a balancer of this name is called, where some names are in use.
pub(super) fn key(name: &str, is_in_use: impl Fn(&str) -> bool) -> String {
    let is_free = |key: &str| !TAKEN.contains(&key) && !is_in_use(key);
    if is_free(name) {
        return name.to_owned();
    }
    // One of them is free: fewer are in use than there are numbers.
    let mut numbered = (2_u64..).map(|number| format!("{name}~{number}"));
    numbered.find(|key| is_free(key)).unwrap_or_default()
}

/// A text as one part of a path.
pub(super) fn encoded(text: &str) -> String {
    let mut part = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                part.push(char::from(byte));
            }
            // Writing to a text does not fail.
            _ => drop(write!(part, "%{byte:02X}")),
        }
    }
    part
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_balancer_has_a_path_of_its_own() {
        let mut keys: Vec<String> = Vec::new();
        for name in ["a", "a", "a~2", "", "..", "status.json", "a", "a/b"] {
            let key = key(name, |key| keys.iter().any(|known| known == key));
            keys.push(key);
        }
        assert_eq!(keys, ["a", "a~2", "a~2~2", "~2", "..~2", "status.json~2", "a~3", "a/b"]);
    }

    #[test]
    fn whatever_could_be_taken_for_something_else_is_encoded() {
        assert_eq!(encoded("a-Z_0.~"), "a-Z_0.~");
        assert_eq!(encoded("a/b?c#d:e%\"<é"), "a%2Fb%3Fc%23d%3Ae%25%22%3C%C3%A9");
    }
}
