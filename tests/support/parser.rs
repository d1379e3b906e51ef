//! What must hold of the settings in any text.

#![allow(dead_code, reason = "the tests and the fuzzer each use their own part of it")]

use evenkeel::config::{UpdateConfig, locate};
use evenkeel::{
    Balancer, BoxError, Config, ConfigError, ConfigFile, Problem, Severity, Subject, probe_fn,
};

/// Reads `text`, and panics if the answer is not one that can be used.
pub(crate) fn check(text: &str) {
    let read = Config::from_toml(text);
    assert_eq!(read, Config::from_toml(text), "the same text means the same");
    match &read {
        Ok(config) => check_settings(text, config),
        Err(error) => check_refusal(text, error),
    }
    check_file(text, &read);
    check_other_way(text, &read);
}

/// A file holds what a text says, or what several do.
fn check_file(text: &str, read: &Result<Config, ConfigError>) {
    let file = ConfigFile::from_toml(text);
    match (&file, read) {
        (Ok(file), Ok(config)) => assert_eq!(file.single(), Some(config)),
        (Ok(file), Err(_)) => assert_eq!(file.single(), None, "only settings of several differ"),
        (Err(error), _) => check_refusal(text, error),
    }
    assert!(file.is_ok() || read.is_err(), "a file is no stricter: {file:?}");
    if let Ok(file) = file {
        let written = file.to_toml();
        if written.len() <= Config::MAX_TOML_BYTES {
            assert_eq!(ConfigFile::from_toml(&written), Ok(file), "{written}");
        }
    }
}

fn check_settings(text: &str, config: &Config) {
    let described = config.endpoints().map_or(0, <[_]>::len);
    for endpoints in [0, 1, 3, described, usize::MAX] {
        let mut warnings = config.warnings(endpoints);
        locate(text, &mut warnings);
        check_places(text, &warnings);
        for warning in warnings {
            assert_eq!(warning.severity, Severity::Warning, "{warning}");
            assert!(warning.position.is_some(), "nowhere: {warning}");
            check_words(&warning);
        }
    }
    assert_eq!(config.contradictions(), []);
    assert_eq!(config.differences(config), [""; 0]);
    let written = config.to_toml();
    if written.len() <= Config::MAX_TOML_BYTES {
        assert_eq!(Config::from_toml(&written).as_ref(), Ok(config), "{written}");
    }
    let default = Config::default();
    assert_eq!(default.differences(config).is_empty(), *config == default, "{config:?}");
    check_served(config);
}

/// Settings that are valid can be served, but for a strategy that nobody registered.
fn check_served(config: &Config) {
    let well = probe_fn(|_: Subject<'_, ()>| async { Ok::<_, BoxError>(()) });
    let built = Balancer::builder().config(config.clone()).make(|_| Ok(())).probe(well).build();
    let Ok(balancer) = built else {
        assert_eq!(config.strategy().kind().to_string(), "custom", "{built:?}");
        return;
    };
    let shares = balancer.status().endpoints.into_iter().map(|it| it.expected_share);
    let sum: f64 = shares.sum();
    assert!(sum == 0.0 || (sum - 1.0).abs() < 1e-6, "the shares sum to {sum}");
    assert_eq!(balancer.apply(config.clone()), Ok(balancer.version()), "the same is no change");
}

fn check_refusal(text: &str, error: &ConfigError) {
    let problems = error.problems();
    assert!(!problems.is_empty(), "refused for nothing");
    assert!(!error.to_string().contains(|it: char| it.is_control() && it != '\n'), "{error}");
    // Only what no place in the text is to blame for has none: its length, and the number of
    // problems there are beyond those told.
    let whole: Vec<_> = problems.iter().filter(|it| it.position.is_none()).collect();
    assert!(whole.len() <= 1 && whole.iter().all(|it| it.path.is_empty()), "{whole:?}");
    let places: Vec<_> = problems.iter().filter_map(|it| it.position).collect();
    assert!(places.is_sorted(), "not in the order of the text: {error}");
    check_places(text, problems);
    for problem in problems {
        assert_eq!(problem.severity, Severity::Error, "{problem}");
        check_words(problem);
    }
}

/// Places are in the text, or just behind one of its lines.
fn check_places(text: &str, problems: &[Problem]) {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let widths: Vec<usize> = text.split('\n').map(|line| line.chars().count()).collect();
    for problem in problems {
        let Some((line, column)) = problem.position else { continue };
        let width = line.checked_sub(1).and_then(|at| widths.get(at));
        let within = width.is_some_and(|width| (1..=width + 1).contains(&column));
        assert!(within, "outside of the text: {problem}");
    }
}

fn check_words(problem: &Problem) {
    assert!(!problem.message.is_empty(), "{problem:?}");
    let length = problem.to_string().len();
    assert!(length < 2_000, "{length} bytes for one problem");
}

/// The way of serde: it takes what the reader of files takes, and means the same.
fn check_other_way(text: &str, read: &Result<Config, ConfigError>) {
    // The reader of files looks at the nesting and the length first, which keeps its stack and its
    // memory. Whoever brings another reader has to mind its own.
    let is_bounded = |error: &ConfigError| error.problems().iter().any(|it| !it.path.is_empty());
    if read.as_ref().err().is_some_and(|error| !is_bounded(error)) {
        return;
    }
    match (toml::from_str::<Config>(text.strip_prefix('\u{feff}').unwrap_or(text)), read) {
        (Ok(config), read) => assert_eq!(Ok(&config), read.as_ref()),
        // TOML says that whole numbers have 64 bits.
        (Err(error), Ok(config)) => {
            let least = config.update().map_or(0, UpdateConfig::min_endpoints);
            assert!(least > i64::MAX as usize, "{error}");
        }
        (Err(_), Err(_)) => {}
    }
}
