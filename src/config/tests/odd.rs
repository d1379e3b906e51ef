//! What TOML allows and people hardly write, and what editors leave behind.

use std::time::Duration;

use crate::config::{Config, ConfigFile};

fn read(text: &str) -> Config {
    Config::from_toml(text).unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

#[track_caller]
fn refused(text: &str) -> String {
    let error = Config::from_toml(text).expect_err(text);
    let [problem] = error.problems() else {
        panic!("{text:?} is one problem, not {error}");
    };
    problem.to_string()
}

#[test]
fn one_setting_may_be_written_in_many_ways() {
    let wanted = read("[update]\nmin_endpoints = 16\nallow_empty = true");
    for text in [
        "update.min_endpoints = 16\nupdate.allow_empty = true",
        "update = { min_endpoints = 16, allow_empty = true }",
        "update = { min_endpoints = 16, allow_empty = true, }",
        "update = {\n  min_endpoints = 16, # so many\n  allow_empty = true\n}",
        "'update'.\"min_endpoints\" = 16\n\"\\u0075pdate\" . allow_empty = true",
        "[ update ]\r\nmin_endpoints = 1_6\r\nallow_empty = true\r\n",
        "\u{feff}[update]\nallow_empty = true\nmin_endpoints = 0x10",
        "\t[update] # said again below\n\tallow_empty = true\n\tmin_endpoints = 0b1_0000\n",
        "[update]\nallow_empty = true\nmin_endpoints = +16",
        "[update]\nallow_empty = true\nmin_endpoints = 0o20",
    ] {
        assert_eq!(read(text), wanted, "{text:?}");
    }
}

#[test]
fn durations_are_read_exactly() {
    for (text, nanos) in [
        ("100ms", 100_000_000),
        ("100000us", 100_000_000),
        ("100 ms", 100_000_000),
        ("0.1s", 100_000_000),
        ("1s1ns", 1_000_000_001),
        ("1m 0.5s", 60_500_000_000),
        ("60min", 3_600_000_000_000),
    ] {
        let config = read(&format!("strategy.decay = '{text}'"));
        assert_eq!(config.strategy().decay(), Duration::from_nanos(nanos), "{text}");
    }
    for text in [
        "", " ", "s", "1", "1 2s", "1e3ms", "-1s", "١s", "1s\n;", "0x1s", "1.s", "1..5s", "1 .5s",
        "1. 5s",
    ] {
        let problem = refused(&format!("strategy.decay = {text:?}"));
        assert!(problem.contains("strategy.decay: found the text"), "{problem}");
    }
}

#[test]
fn a_whole_number_is_neither_a_fraction_nor_a_date_nor_a_text() {
    for (value, found) in [
        ("50.0", "the number 50.0"),
        ("5e1", "the number 5e1"),
        ("nan", "the number nan"),
        ("-inf", "the number -inf"),
        ("1e400", "the number 1e400"),
        (
            "170141183460469231731687303715884105728",
            "the number 1701411834604692317316873037158841",
        ),
        (
            "-170141183460469231731687303715884105729",
            "the number -17014118346046923173168730371588",
        ),
        ("0xffffffffffffffffffffffffffffffffff", "the number ffffffffffffffffffffffffffffffffff"),
        ("1979-05-27", "a date or time"),
        ("07:32:00", "a date or time"),
        ("1979-05-27T07:32:00Z", "a date or time"),
        ("'50'", "the text \"50\""),
        ("'50%'", "the text \"50%\""),
        ("[50]", "a list"),
        ("{ percent = 50 }", "a table"),
        ("true", "`true`"),
    ] {
        let problem = refused(&format!("update.max_shrink_percent = {value}"));
        let wanted = format!("update.max_shrink_percent: found {found}");
        assert!(problem.contains(&wanted), "{value}: {problem}");
        assert!(problem.ends_with("; a whole number from 0 to 100 is needed"), "{problem}");
    }
    assert_eq!(
        read("update.max_shrink_percent = -0").update().unwrap().max_shrink_percent().get(),
        0
    );
}

#[test]
fn the_wrong_kind_of_brackets_is_told() {
    for (text, told) in [
        ("[[strategy]]", "strategy: found a list; a table is needed"),
        ("[endpoints]", "endpoints: found a table; a list of tables, [[endpoints]], is needed"),
        ("[endpoints.a]", "endpoints: found a table; a list of tables, [[endpoints]], is needed"),
        ("endpoints = [[]]", "endpoints[0]: found a list; a table is needed"),
        ("[update]\n[update.confirm_after]", "update.confirm_after: found a table; a duration"),
    ] {
        let problem = refused(text);
        assert!(problem.contains(told), "{text}: {problem}");
    }
    let labels = refused("[[endpoints]]\nid = 'a'\naddress = ''\n[[endpoints.labels]]");
    assert!(labels.contains("endpoints[0].labels: found a list; a table is needed"), "{labels}");
}

#[test]
fn what_is_said_twice_is_named() {
    let twice = "; it is given before this, leave one of them out";
    for (text, place, key) in [
        ("name = 'a'\nname = 'b'", "line 2, column 1", "name"),
        ("[update]\n[strategy]\n[update]", "line 3, column 2", "update"),
        ("update = false\n[update]", "line 2, column 2", "update"),
        ("update.allow_empty = true\n[update]\nallow_empty = true", "line 2, column 2", "update"),
        ("endpoints = []\n[[endpoints]]", "line 2, column 3", "endpoints"),
        ("strategy = { kind = 'random', kind = 'random' }", "line 1, column 31", "kind"),
        ("[balancer.a]\n[balancer.b]\n[balancer.a]", "line 3, column 11", "a"),
    ] {
        let wanted = format!("{place}: is not valid TOML: duplicate key `{key}`{twice}");
        assert_eq!(refused(text), wanted);
    }
}

#[test]
fn bytes_that_have_no_business_in_a_text() {
    for (text, line, column) in [
        ("name = 'a\0'", 1, 10),
        ("\0", 1, 2),
        ("name = 'a'\0", 1, 11),
        ("# \u{7f}", 1, 3),
        ("name = 'a'\rupdate = false", 1, 12),
        ("name = 'a'\n\u{feff}update = false", 2, 1),
        ("name\u{a0}= 'a'", 1, 5),
        ("name = “a”", 1, 8),
    ] {
        let problem = refused(text);
        let wanted = format!("line {line}, column {column}: is not valid TOML: ");
        assert!(problem.starts_with(&wanted), "{text:?}: {problem}");
        assert!(!problem.contains(char::is_control), "{problem:?}");
    }
    assert_eq!(read("name = \"a\\u0000\"").name(), Some("a\0"));
}

#[test]
fn letters_that_would_garble_a_message_are_escaped() {
    let problem = refused("strategy.kind = \"\\u202Emodnar\\u001B[2J\\u0300\"");
    assert!(
        problem.contains(r#"unknown word "\u{202e}modnar\u{1b}[2J\u{300}"; known"#),
        "{problem}"
    );
    let problem = refused("\"\\u202E\\n\" = 1");
    assert!(problem.contains(r#""\u{202e}\n": unknown key"#), "{problem}");
    let twice = "{ id = \"\\n\", address = '' }";
    let problem = refused(&format!("endpoints = [{twice}, {twice}]"));
    assert!(problem.contains(r#""\n" is already the id of endpoints[0]"#), "{problem}");
}

#[test]
fn five_thousand_balancers_are_read() {
    let text: String = (0..5_000)
        .map(|index| format!("[balancer.b{index:04}.strategy]\nchoices = {}\n", 2 + index % 15))
        .collect();
    let file = ConfigFile::from_toml(&text).unwrap();
    assert_eq!(file.iter().len(), 5_000);
    assert_eq!(file.get("b4999").unwrap().strategy().choices().count(), Some(2 + 4_999 % 15));
    assert!(file.names().is_sorted());

    let error = ConfigFile::from_toml(&text.replace("choices = ", "choices = 9")).unwrap_err();
    assert_eq!(error.problems()[4_999].path, "balancer.b4999.strategy.choices");
    assert_eq!(error.problems()[4_999].position, Some((10_000, 11)));
}
