//! The ends: no terminal, nobody who reads, files that are no settings.

use std::io::Write;

use evenkeel::Config;
use evenkeel::strategy::Rng;

use super::{code, files, run, run_on, spawn, text, tool};

const ESCAPE: char = '\u{1b}';

#[test]
fn colours_are_for_terminals_and_for_whoever_asks() {
    for command in [
        &["check", "wrong.toml"][..],
        &["preview", "lb.toml"],
        &["explain", "strategy"],
        &["check", "."],
    ] {
        let has_colours = |args: &[&str], forced: Option<&str>, unwanted: Option<&str>| {
            let mut tool = tool(&[command, args].concat());
            let set = [("CLICOLOR_FORCE", forced), ("NO_COLOR", unwanted)];
            tool.envs(set.into_iter().filter_map(|(name, value)| Some((name, value?))));
            let output = tool.output().unwrap();
            (text(&output.stdout).to_owned() + text(&output.stderr)).contains(ESCAPE)
        };
        assert!(!has_colours(&[], None, None), "{command:?}");
        assert!(has_colours(&["--color", "always"], None, None), "{command:?}");
        assert!(has_colours(&["--color", "always"], None, Some("1")), "{command:?}");
        assert!(has_colours(&[], Some("1"), None), "{command:?}");
        assert!(!has_colours(&[], Some("1"), Some("1")), "{command:?}");
        assert!(!has_colours(&["--color", "never"], Some("1"), None), "{command:?}");
    }
}

#[test]
fn bars_are_ascii_where_the_terminal_may_have_no_more() {
    let bars = |locale: &str| {
        let mut tool = tool(&["preview", "new.toml", "--from", "lb.toml"]);
        tool.env_remove("LC_CTYPE").env_remove("LANG").env("LC_ALL", locale);
        String::from_utf8(tool.output().unwrap().stdout).unwrap()
    };
    for locale in ["C.UTF-8", "de_DE.utf8"] {
        assert!(bars(locale).contains("██"), "{locale}");
    }
    for locale in ["", "C", "de_DE.ISO-8859-1"] {
        assert!(!bars(locale).contains(['█', '▓', '░']), "{locale}");
        assert!(bars(locale).contains("##"), "{locale}");
    }
}

#[test]
fn a_reader_who_goes_away_is_nobodys_fault() {
    let input = std::fs::read(files().join("wrong.toml")).unwrap();
    for args in [["check", "-"], ["preview", "-"]] {
        let mut child = spawn(&args);
        drop(child.stdout.take());
        child.stdin.take().unwrap().write_all(&input).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(code(&output), 1);
        assert_eq!(text(&output.stderr), "");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn an_answer_that_cannot_be_written_is_told() {
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let output = tool(&["explain"]).stdout(full).output().unwrap();
    assert_eq!(code(&output), 2);
    assert!(text(&output.stderr).starts_with("error: the answer cannot be written"));
}

#[test]
fn what_is_no_text_is_told_with_the_place() {
    let output = run_on(&["check", "-"], b"name = 'x'\nzone\xff = 1\n");
    assert_eq!(code(&output), 1);
    let told = text(&output.stdout);
    assert!(told.contains("not UTF-8: byte 15 is 0xff"), "{told}");
    assert!(told.contains("--> <stdin>:2:5"), "{told}");

    let utf16: Vec<u8> = "\u{feff}name = 'x'".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let output = run_on(&["check", "-"], &utf16);
    assert_eq!(code(&output), 1);
    assert!(text(&output.stdout).contains("UTF-16"));

    let output = run_on(&["check", "-"], "\u{feff}name = 3\r\n".as_bytes());
    let told = text(&output.stdout);
    assert!(told.contains("<stdin>:1:8\n  |\n1 | name = 3\n  |        ^\n"), "{told}");
}

#[test]
fn a_file_without_end_is_read_to_the_bound() {
    let mut endless = vec![b'#'; Config::MAX_TOML_BYTES];
    assert_eq!(code(&run_on(&["check", "-"], &endless)), 0);
    endless.push(b'#');
    let output = run_on(&["check", "-"], &endless);
    assert_eq!(code(&output), 1);
    assert!(text(&output.stdout).contains("longer than 4194304 bytes"), "{}", text(&output.stdout));
    if cfg!(target_os = "linux") {
        assert_eq!(code(&run(&["check", "/dev/zero"])), 1);
    }
}

#[test]
fn thousands_of_problems_on_one_long_line_are_all_told() {
    let line = format!("endpoints = [{}]", "{ id = 'ü', adress = '' }, ".repeat(2_000));
    let output = run_on(&["check", "-"], line.as_bytes());
    assert_eq!(code(&output), 1);
    let told = text(&output.stdout);
    assert_eq!(told.matches("adress: unknown key; did you mean `address`?").count(), 2_000);
    let column = line.chars().count() - "adress = '' }, ]".len() + 1;
    assert!(told.contains(&format!(
        "endpoints[1999].adress: unknown key; did you mean `address`?\n --> <stdin>:1:{column}\n"
    )));
    assert!(told.len() < 8_000_000, "{}", told.len());
}

/// No terminal is steered by what a file holds, in whatever part of the answer it is quoted.
#[test]
fn nothing_in_a_file_steers_the_terminal() {
    let hostile = "[[endpoints]]\nid = \"\\u001b[31m\\u009b31m\\u202e\"\naddress = ''\n\
                   weight = 99 # \u{9b}31m \u{202e}\n[[endpoints]]\nid = 'b'\naddress = ''\n\
                   [balancer]\n";
    let (valid, _) = hostile.split_once("[balancer]").unwrap();
    for text_of_file in [hostile, valid] {
        for command in ["check", "preview"] {
            let output = run_on(&[command, "-"], text_of_file.as_bytes());
            let told = text(&output.stdout);
            let steers = |char: char| {
                char.is_control() && char != '\n' || ('\u{202a}'..='\u{202e}').contains(&char)
            };
            assert!(!told.contains(steers), "{told:?}");
        }
    }
}

/// Settings with a few bytes changed, cut and repeated: an answer for each, and never a panic.
#[test]
fn garbage_is_answered() {
    let files = ["wrong.toml", "several.toml", "new.toml"].map(|name| files().join(name));
    for seed in 0..60 {
        let mut rng = Rng::seeded(seed);
        let mut bytes = std::fs::read(&files[seed as usize % files.len()]).unwrap();
        for _ in 0..1 + rng.below(8) {
            let at = rng.below(bytes.len() as u64 + 1) as usize;
            match rng.below(4) {
                0 => bytes.insert(at, rng.below(256) as u8),
                1 => bytes.truncate(at.max(1)),
                2 => drop(bytes.drain(at..(at + 9).min(bytes.len()))),
                _ => {
                    let part = bytes[at..].to_vec();
                    bytes.extend(part);
                }
            }
        }
        let command = if seed % 2 == 0 { "check" } else { "preview" };
        let output = run_on(&[command, "-"], &bytes);
        assert!([0, 1].contains(&code(&output)), "seed {seed}: {}", text(&output.stderr));
        assert_eq!(text(&output.stderr), "", "seed {seed}");
    }
}
