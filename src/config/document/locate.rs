//! Where in a text a path stands.

use super::faults::Places;
use super::node::{Entry, Node, Value, path_of};
use crate::error::Problem;

/// Where the value at `path` begins or, if the document ends before it, what is nearest above it;
/// `None` if not even the first key is there.
pub(super) fn place_below(entries: &[Entry<'_>], path: &str) -> Option<usize> {
    let (key, rest) = first_key(path);
    let is_meant = |entry: &&Entry<'_>| match key.starts_with('"') {
        true => path_of("", &entry.key) == key,
        false => entry.key == key,
    };
    let mut node = &entries.iter().find(is_meant)?.node;
    let mut rest = rest;
    if let Some((index, after)) = rest.strip_prefix('[').and_then(|it| it.split_once(']'))
        && let (Value::List(items), Ok(index)) = (&node.value, index.parse::<usize>())
        && let Some(item) = items.get(index)
    {
        node = item;
        rest = after;
    }
    match (&node.value, rest.strip_prefix('.')) {
        (Value::Table(entries), Some(rest)) => place_below(entries, rest).or(node.at),
        _ => node.at,
    }
}

/// Splits a path of a [`Problem`] after its first key, which may be quoted.
fn first_key(path: &str) -> (&str, &str) {
    let mut is_escaped = false;
    let mut is_quoted = false;
    let ends = |(_, char): &(usize, char)| {
        let is_quote = *char == '"' && !is_escaped;
        is_escaped = *char == '\\' && !is_escaped;
        is_quoted ^= is_quote;
        !is_quoted && matches!(char, '.' | '[')
    };
    let end = path.char_indices().find(ends).map_or(path.len(), |(at, _)| at);
    path.split_at(end)
}

/// Gives `problems` that have no position the one of their path.
pub(super) fn locate(root: &Node<'_>, text: &str, problems: &mut [Problem]) {
    let Value::Table(entries) = &root.value else {
        return;
    };
    let place = |problem: &Problem| match problem.position {
        None if !problem.path.is_empty() => place_below(entries, &problem.path),
        _ => None,
    };
    let found: Vec<_> = problems.iter().map(place).collect();
    let places = Places::new(text, found.iter().copied());
    for (problem, place) in problems.iter_mut().zip(found) {
        if problem.position.is_none() {
            problem.position = places.of(place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_as_deep_as_the_document_goes() {
        let node = |at, value| Node { at: Some(at), value };
        let entry = |key: &'static str, node| Entry { key: key.into(), at: None, node };
        let item = |at| node(at, Value::Table(vec![entry("id", node(at + 1, Value::Flag(true)))]));
        let entries = [
            entry("a", node(1, Value::Table(vec![entry("b", node(2, Value::Nothing))]))),
            entry("l", node(3, Value::List(vec![item(10), item(20)]))),
            entry("o.\"[", item(30)),
        ];
        for (path, place) in [
            ("a", Some(1)),
            ("a.b", Some(2)),
            ("a.b.c", Some(2)),
            ("a.c", Some(1)),
            ("l", Some(3)),
            ("l[1]", Some(20)),
            ("l[1].id", Some(21)),
            ("l[1].x", Some(20)),
            ("l[2].id", Some(3)),
            ("l[x].id", Some(3)),
            ("l[", Some(3)),
            (r#""o.\"[".id"#, Some(31)),
            (r#""o.\"["#, None),
            ("x.a", None),
            ("", None),
            ("\\", None),
            (".", None),
        ] {
            assert_eq!(place_below(&entries, path), place, "{path}");
        }
    }
}
