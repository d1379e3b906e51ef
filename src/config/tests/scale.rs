//! Long and deep documents are answered in time and in little stack.

use std::fmt::Write;

use crate::config::Config;
use crate::error::Problem;

fn endpoints(count: usize, line: impl Fn(usize) -> String) -> String {
    let mut text = String::new();
    for index in 0..count {
        writeln!(text, "[[endpoints]]\n{}", line(index)).unwrap();
    }
    text
}

fn problems(text: &str) -> Vec<Problem> {
    Config::from_toml(text).unwrap_err().problems().to_vec()
}

#[test]
fn ten_thousand_endpoints_are_read() {
    let text = endpoints(10_000, |index| {
        format!("id = 'e{index}'\naddress = 'http://10.0.0.1:{index}'\nlabels = {{ rack = 'r' }}")
    });
    let config = Config::from_toml(&text).unwrap();
    let endpoints = config.endpoints().unwrap();
    assert_eq!(endpoints.len(), 10_000);
    assert_eq!(endpoints[9_999].id.as_str(), "e9999");
}

#[test]
fn ten_thousand_faults_on_one_line_or_many_are_told_with_their_places() {
    let found = problems(&endpoints(10_000, |_| "id = 'same'\naddress = ''".into()));
    assert_eq!(found.len(), 9_999);
    let last = found.last().unwrap();
    assert_eq!((last.path.as_str(), last.position), ("endpoints[9999].id", Some((29_999, 6))));
    assert!(last.message.ends_with("endpoints[0] (line 2, column 6)"));

    let found = problems(&format!("endpoints = [{}]", "0,".repeat(10_000)));
    assert_eq!(found.len(), 10_000);
    assert_eq!(found.last().unwrap().position, Some((1, 14 + 2 * 9_999)));
}

#[test]
fn of_very_many_faults_the_rest_is_counted() {
    let found = problems(&format!("endpoints = [{}]", "0,".repeat(10_005)));
    assert_eq!(found.len(), 10_001);
    assert_eq!(found.last().unwrap().to_string(), "there are 5 more problems");
}

#[test]
fn a_text_beyond_the_bound_is_not_even_parsed() {
    let found = problems(&"#".repeat(Config::MAX_TOML_BYTES + 1));
    assert_eq!(found.len(), 1);
    assert!(found[0].message.contains("at most 4194304 are read"));
}

#[test]
fn names_of_any_length_do_not_make_messages_of_any_length() {
    let long = "x".repeat(1_000_000);
    for text in [
        format!("{long} = 1"),
        format!("name = {}", "9".repeat(1_000_000)),
        format!("strategy.kind = '{long}'"),
        format!("update = '{long}'"),
        format!("strategy.decay = '{long}'"),
    ] {
        assert!(problems(&text)[0].to_string().len() < 400);
    }
}

/// Run on threads of 512 KiB; the threads of tests and of tokio have 2 MiB.
#[test]
fn deep_documents_do_not_overflow_the_stack() {
    let dotted = vec!["a"; 79].join(".");
    let nest = |levels: usize| {
        format!("{}{}", format!("{dotted} = {{").repeat(levels), "}".repeat(levels))
    };
    for text in [
        nest(79),
        nest(4),
        format!("[{dotted}]\n{}", nest(3)),
        format!("a = {}", "[".repeat(1_000_000)),
        format!("a = {}", "{a=".repeat(1_000_000)),
        vec!["a"; 1_000_000].join("."),
        "[[a.a.a.a.a.a.a.a.a]]\n".repeat(1_000),
    ] {
        let read = move || assert!(!problems(&text).is_empty());
        let thread = std::thread::Builder::new().stack_size(512 * 1024).spawn(read).unwrap();
        thread.join().unwrap();
    }
}
