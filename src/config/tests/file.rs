//! One balancer or several in one text, never both.

use serde::Deserialize;

use super::text::{FULL, full};
use crate::config::{Choices, Config, ConfigFile, StrategyConfig};

fn file(text: &str) -> ConfigFile {
    ConfigFile::from_toml(text).unwrap()
}

/// Each problem as `line:column path: message`.
fn problems(text: &str) -> Vec<String> {
    let error = ConfigFile::from_toml(text).unwrap_err();
    let told = |it: &crate::Problem| {
        let (line, column) = it.position.unwrap();
        format!("{line}:{column} {}: {}", it.path, it.message)
    };
    error.problems().iter().map(told).collect()
}

#[track_caller]
fn assert_one(text: &str, beginning: &str) {
    let found = problems(text);
    let [problem] = found.as_slice() else {
        panic!("{text:?} is one problem, not {found:#?}");
    };
    assert!(problem.starts_with(beginning), "{problem}");
}

#[test]
fn settings_at_the_top_level_are_those_of_one() {
    for text in [FULL, ""] {
        let (file, config) = (file(text), Config::from_toml(text).unwrap());
        assert_eq!(file, ConfigFile::from(config.clone()));
        assert_eq!(file.single(), Some(&config));
        assert!(file.iter().eq([(config.name(), &config)]));
    }
    assert_eq!(file(""), ConfigFile::default());
    assert_eq!(file("").names().count(), 0);
    assert_eq!(file("").get(""), None);
    assert_eq!(file(FULL).get("checkout"), Some(&full()));
    assert_eq!(file(FULL).get("search"), None);
}

#[test]
fn several_are_found_by_name_and_in_the_order_of_names() {
    let file = file(
        "
        [balancer.search]
        [balancer.b.strategy]
        choices = 'all'
        [balancer.'a b']
        update = false
        [[balancer.b.endpoints]]
        id = 'x'
        address = 'y'
        labels = { rack = 'r' }
    ",
    );
    assert_eq!(file.single(), None);
    assert!(file.names().eq(["a b", "b", "search"]));
    assert!(file.iter().map(|(name, _)| name).eq([Some("a b"), Some("b"), Some("search")]));
    for (name, config) in file.iter() {
        assert_eq!(config.name(), name);
        assert_eq!(file.get(name.unwrap()), Some(config));
    }
    assert_eq!(file.get("search"), Some(&Config::default().with_name("search")));
    assert_eq!(file.get("a b").unwrap().update(), None);
    let strategy = StrategyConfig::default().with_choices(Choices::ALL);
    let b = file.get("b").unwrap();
    assert_eq!(b.strategy(), &strategy);
    assert_eq!(b.endpoints().unwrap()[0].labels["rack"], "r");
    assert_eq!(file.get("balancer"), None);
}

#[test]
fn all_that_one_may_say_several_may_say() {
    let text = FULL.replace("[[", "[[balancer.checkout.").replace("\n[", "\n[balancer.checkout.");
    let text = text.replace("[balancer.checkout.[balancer", "[[balancer");
    let text = text.replacen("name", "balancer.checkout.name", 1);
    assert_eq!(file(&text).get("checkout"), Some(&full()));
    let text = text.replace("checkout\"", "search\"");
    assert_one(&text, "2:26 balancer.checkout.name: differs from the name in the header; leave");
}

#[test]
fn paths_are_whole() {
    assert_eq!(
        problems(
            "
[balancer.checkout.strategy]
choices = 1
decay = '0s'
[balancer.'a b']
update = 3
endpoints = [{ id = 'a', address = '' }, { id = 'a', address = '', wieght = 2 }]
[balancer.checkout]
hsh = 1
"
        ),
        [
            "3:11 balancer.checkout.strategy.choices: found the number 1; a whole number from 2 to \
             16, or \"all\", is needed",
            "4:9 balancer.checkout.strategy.decay: 0s is out of range; a duration from 100ms to 1h \
             is needed",
            "6:10 balancer.\"a b\".update: found the number 3; a table is needed, or `false` to \
             switch it off",
            "7:49 balancer.\"a b\".endpoints[1].id: \"a\" is already the id of endpoints[0] (line \
             7, column 21)",
            "7:68 balancer.\"a b\".endpoints[1].wieght: unknown key; did you mean `weight`?",
            "9:1 balancer.checkout.hsh: unknown key; did you mean `hash`?",
        ]
    );
}

#[test]
fn one_beside_several_is_refused() {
    let beside = "stands beside `balancer`; settings stand at the top level for one";
    let one = |at: &str, key: &str| format!("{at} {key}: {beside}");
    assert_one("name = 'x'\n[balancer.a]", &one("1:1", "name"));
    assert_one("[balancer.a]\n[strategy]\nkind = 7", &one("2:2", "strategy"));
    assert_one("[balancer.a]\n[[endpoints]]", &one("2:3", "endpoints"));
    assert_one("[balancer.a]\n[nobody]", &one("2:2", "nobody"));
    assert_eq!(problems("name = 'x'\nupdate = false\n[balancer.a]").len(), 2);
}

#[test]
fn what_is_no_balancer_is_refused() {
    let needed = "a table is needed";
    assert_one("[balancer]", "1:1 balancer: holds no balancer; name one, as in [balancer.check");
    assert_one("balancer = 3", &format!("1:12 balancer: found the number 3; {needed}"));
    assert_one("[[balancer]]", &format!("1:1 balancer: found a list; {needed}"));
    assert_one("balancer.a = false", &format!("1:14 balancer.a: found `false`; {needed}"));
    assert_one("[balancer.'']", "1:11 balancer.\"\": the name must not be empty");
    assert_one("[balancer.a.balancer.b]", "1:13 balancer.a.balancer: unknown key");
}

#[test]
fn a_misspelt_balancer_is_recognised() {
    let meant = "unknown key; did you mean `balancer`?";
    assert_one("[balancr.a]", &format!("1:2 balancr: {meant}"));
    assert_one("[balancr.a]\n[balancer.b]", &format!("1:2 balancr: {meant}"));
    assert_one("[balancers.a]", &format!("1:2 balancers: {meant}"));
}

#[test]
fn the_reader_of_one_says_who_reads_several() {
    let error = Config::from_toml("[balancer.a]\nnonsense = 3").unwrap_err();
    let [problem] = error.problems() else {
        panic!("{error}");
    };
    assert_eq!((problem.path.as_str(), problem.position), ("balancer", Some((1, 2))));
    assert!(problem.message.starts_with("holds several balancers"), "{problem}");
    assert!(problem.message.contains("`ConfigFile`"), "{problem}");
}

#[test]
fn other_formats_say_the_same() {
    let through_values = |text: &str| {
        let value: toml::Value = toml::from_str(text).unwrap();
        ConfigFile::deserialize(value).map_err(|error| error.to_string())
    };
    let text = "[balancer.b]\nupdate = false\n[balancer.a]";
    assert_eq!(through_values(text).unwrap(), file(text));
    assert_eq!(through_values(FULL).unwrap(), file(FULL));
    let error = through_values("[balancer.b]\nupdate = 1\n[balancer.a]\nzz = 1").unwrap_err();
    assert!(error.contains("balancer.b.update: found the number 1"), "{error}");
    assert!(error.contains("balancer.a.zz: unknown key"), "{error}");
}
