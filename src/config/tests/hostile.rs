//! Texts that somebody made to take long, to take much, or to break the reader.
//!
//! Usually they are 128 KiB long. `EVENKEEL_TEXT_BYTES=4194304` makes them as long as any text may
//! be; a reader whose time grows with the square of the length is then found out.

use std::time::{Duration, Instant};

use crate::config::ConfigFile;

const USUAL: usize = 128 * 1024;

fn length() -> usize {
    std::env::var("EVENKEEL_TEXT_BYTES").ok().and_then(|it| it.parse().ok()).unwrap_or(USUAL)
}

/// `before`, then as many lines as there is room for, then `after`.
fn many(before: &str, line: impl Fn(usize) -> String, after: &str) -> String {
    let mut text = String::from(before);
    for line in (0..).map(line) {
        if text.len() + line.len() + after.len() > length() {
            break;
        }
        text.push_str(&line);
    }
    text + after
}

fn again(before: &str, unit: &str, after: &str) -> String {
    many(before, |_| String::from(unit), after)
}

/// Reads the text, and holds the answer to being one that can be used.
#[expect(clippy::disallowed_methods, reason = "how long it really takes is what is asked")]
fn read(text: &str) {
    const MOST: Duration = Duration::from_secs(5);
    let begin: String = text.chars().take(40).collect();
    let started = Instant::now();
    let read = ConfigFile::from_toml(text);
    let most = MOST * u32::try_from(length() / USUAL).unwrap().max(1);
    assert!(started.elapsed() < most, "{begin:?} took {:?}", started.elapsed());
    if let Err(error) = read {
        let problems = error.problems();
        assert!((1..=10_001).contains(&problems.len()), "{begin:?}");
        for problem in problems {
            let words = problem.path.len() + problem.message.len();
            assert!(words < 700, "{begin:?}: {words} bytes in one problem");
        }
    }
}

#[test]
fn keys_without_end() {
    for text in [
        many("", |i| format!("k{i}=1\n"), ""),
        many("", |i| format!("strateg{i}=1\n"), ""),
        many("", |i| format!("{i:064}=1\n"), ""),
        many("", |i| format!("a.k{i}=1\n"), ""),
        many("", |i| format!("k{i}.a.a.a.a.a.a.a.a=1\n"), ""),
        many("a={", |i| format!("k{i}=0,"), "}"),
        many("a={", |i| format!("k.k{i}=0,"), "}"),
        many("a={", |i| format!("k{i}=0,"), ""),
        many("", |i| format!("k{i}={{a={{a={{a={{a={{a={{a={{}}}}}}}}}}}}}}\n"), ""),
        many("endpoints=[{labels={", |i| format!("k{i}='',"), "}}]"),
        many("endpoints=[{labels={", |i| format!("k{i}=0,"), "}}]"),
    ] {
        read(&text);
    }
}

#[test]
fn tables_without_end() {
    for text in [
        many("", |i| format!("[k{i}]\n"), ""),
        many("", |i| format!("[a.k{i}]\n"), ""),
        many("", |i| format!("[a.a.a.a.a.a.a.a.k{i}]\n"), ""),
        many("[[a]]\n", |i| format!("[a.k{i}]\n"), ""),
        many("", |i| format!("[[a]]\n[a.k{i}]\n"), ""),
        again("", "[[a]]\n[[a.b]]\n[[a.b.c]]\n", ""),
        again("", "[[endpoints]]\n", ""),
        again("endpoints=[", "{},", "]"),
        again("endpoints=[", "{a=0},", "]"),
        again("endpoints=[", "[],", "]"),
        again("endpoints=[", "0,", "]"),
        again("endpoints=[", "'é',", "]"),
        again("", "[[endpoints]]\nid='a'\naddress=''\n", ""),
        many("", |i| format!("[[endpoints]]\nid='{i}'\naddress=''\n"), ""),
        many("endpoints=[", |i| format!("{{id='{i}',address=''}},"), "]"),
        many("", |i| format!("[[balancer.a.endpoints]]\nid='{i}'\naddress=''\n"), ""),
    ] {
        read(&text);
    }
}

#[test]
fn balancers_without_end() {
    for text in [
        many("", |i| format!("[balancer.x{i}]\n"), ""),
        many("", |i| format!("balancer.x{i}=0\n"), ""),
        many("", |i| format!("[balancer.x{i}]\na=1\n"), ""),
        many("balancer.a={}\n", |i| format!("k{i}=1\n"), ""),
        many("", |i| format!("[balancer.x{i}]\nname='y'\n"), ""),
    ] {
        read(&text);
    }
}

#[test]
fn values_without_end() {
    for text in [
        again("name=[", "0,", "]"),
        again("zzz=[", "0,", "]"),
        again("zzz=[", "'',", "]"),
        again("zzz=[", "0.5,", "]"),
        again("zzz=[", "1979-05-27,", "]"),
        again("zzz=[", "9999-99-99,", "]"),
        again("zzz=[", "1,", ""),
        again("zzz=[", "1 ", "]"),
        again("zzz=[", ",,", "]"),
        again("zzz={", "\n", "}"),
        again("name='", "a", "'"),
        again("name='", "a", ""),
        again("name=\"", "\\u0041", "\""),
        again("name=\"", "\\q", "\""),
        again("name=\"", "\\uZZ", "\""),
        again("name=\"", "\\", ""),
        again("name=\"\"\"", "\"a", "\"\"\""),
        again("name=\"\"\"", "\\\n", "\"\"\""),
        again("name='''", "a'", ""),
        again("name=", "1", ""),
        again("name=", "1_", "1"),
        again("name=0x", "f", ""),
        again("name=0.", "1", ""),
        again("", "a", "=1"),
        again("\"", "\\n", "\"=1"),
        again("[[endpoints]]\naddress=''\nid='", "é", "'\n[[endpoints]]\n"),
    ] {
        read(&text);
    }
}

#[test]
fn the_same_again_and_again() {
    for unit in [
        " ", "\n", "\r\n", "\r", "\t", "\0", "\u{feff}", "é", "#", "#\n", "[", "[[", "[[\n", "{",
        "]", "}", "=", "==", ".", ",", "\"", "'", "\"\n", "'\n", "a", "a\n", "a.", "'a'.", "a=",
        "a=\n", "a='\n", "a=[\n", "a={\n", "a=[]]\n", "a={}}\n", "a=[[]]\n", "a=1\n", "a=1 1\n",
        "[a\n", "[a]", "[a]\n", "[[a]]\n", "[a.", "a.a=1\n", "1\n", "\\", "\\u", "\"\"\"", "'''",
        "🦀",
    ] {
        read(&again("", unit, ""));
        read(&again("name='x'\n[strategy]\n", unit, "\n"));
    }
    for unit in ["k{}=\n", "k{}\n", "[k{}\n", "k{}=1 1\n", "k{}=1\rk=2\n", "'k{}=1\n"] {
        read(&many("", |i| unit.replace("{}", &i.to_string()), ""));
    }
}

#[test]
fn garbage() {
    const PIECES: [&str; 20] = [
        "[",
        "]",
        "{",
        "}",
        "=",
        ".",
        ",",
        "\n",
        "\"",
        "'",
        "a",
        "1",
        "#",
        " ",
        "\\",
        "id",
        "é",
        "\r\n",
        "[[endpoints]]\n",
        "name",
    ];
    for seed in 0..5 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut pieces = String::new();
        let mut bytes = Vec::new();
        while pieces.len() + 20 < length() {
            pieces.push_str(PIECES[random.usize(..PIECES.len())]);
            bytes.push(random.u8(..));
        }
        read(&pieces);
        // Brackets that are left open end a reading early.
        read(&pieces.replace(['[', '{'], ""));
        read(&String::from_utf8_lossy(&bytes));
    }
}
