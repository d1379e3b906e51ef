//! What other programs rely on: exit codes, JSON, and that numbers are those of the library.

use evenkeel::config::settings;
use evenkeel::{Balancer, Config, ConfigFile};
use serde_json::Value;

use super::{code, files, run, run_on, text};

fn json(args: &[&str]) -> (Value, i32) {
    let output = run(args);
    (serde_json::from_slice(&output.stdout).unwrap(), code(&output))
}

#[test]
fn exit_codes_tell_problems_from_bad_calls() {
    for (expected, args) in [
        (0, "check lb.toml"),
        (0, "check warned.toml several.toml"),
        (1, "check --deny-warnings warned.toml"),
        (1, "check lb.toml wrong.toml"),
        (1, "check skewed.toml"),
        (2, "check lb.toml missing.toml"),
        (2, "check wrong.toml missing.toml"),
        (2, "check ."),
        (2, "check"),
        (2, "check --nonsense lb.toml"),
        (0, "preview new.toml --from lb.toml"),
        (1, "preview skewed.toml --from lb.toml"),
        (1, "preview few.toml --from many.toml"),
        (1, "preview wrong.toml"),
        (1, "preview lb.toml --from wrong.toml"),
        (2, "preview missing.toml"),
        (2, "preview several.toml --balancer nobody"),
        (2, "preview lb.toml --sort weight"),
        (0, "explain"),
        (0, "explain strategy.kind"),
        (2, "explain weather"),
        (0, "--help"),
        (0, "--version"),
        (2, "chekc lb.toml"),
    ] {
        let args: Vec<_> = args.split(' ').collect();
        let output = run(&args);
        assert_eq!(code(&output), expected, "{args:?}: {}", text(&output.stderr));
        // What is wrong with the call is told beside the answer, and nothing else is.
        assert_eq!(output.stderr.is_empty(), expected != 2, "{args:?}");
    }
    assert_eq!(code(&run(&[])), 2);
}

#[test]
fn the_version_is_that_of_the_crate() {
    let version = concat!("evenkeel ", env!("CARGO_PKG_VERSION"), "\n");
    assert_eq!(text(&run(&["--version"]).stdout), version);
}

#[test]
fn a_check_in_json_has_every_problem_with_its_place() {
    let (report, exit) = json(&["check", "--json", "wrong.toml", "several.toml", "missing.toml"]);
    assert_eq!(exit, 2);
    assert_eq!(report["fine"], false);
    assert_eq!(report["unreadable"].as_array().unwrap().len(), 1);
    let error =
        ConfigFile::from_toml(&std::fs::read_to_string(files().join("wrong.toml")).unwrap());
    let error = error.unwrap_err();
    let told = report["files"][0]["problems"].as_array().unwrap();
    assert_eq!(told.len(), error.problems().len());
    assert_eq!(report["errors"], told.len());
    for (told, problem) in told.iter().zip(error.problems()) {
        assert_eq!(told["severity"], "error");
        assert_eq!(told["path"], problem.path.as_str());
        assert_eq!(told["message"], problem.message.as_str());
        let (line, column) = problem.position.unwrap();
        assert_eq!((&told["line"], &told["column"]), (&line.into(), &column.into()));
    }
    let several = &report["files"][1];
    assert_eq!((&several["balancers"], &several["endpoints"]), (&3.into(), &4.into()));
    let severities: Vec<_> =
        several["problems"].as_array().unwrap().iter().map(|it| it["severity"].clone()).collect();
    assert!(severities.contains(&"note".into()) && severities.contains(&"warning".into()));
}

#[test]
fn previewed_shares_are_those_of_the_library() {
    let read = |name| std::fs::read_to_string(files().join(name)).unwrap();
    for kind in ["round_robin", "random", "least_request", "peak_ewma"] {
        let new = read("new.toml").replace("round_robin", kind);
        let output = run_on(&["preview", "--json", "-", "--from", "lb.toml"], new.as_bytes());
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let old = Config::from_toml(&read("lb.toml")).unwrap();
        let balancer = Balancer::<()>::builder().config(old).make(|_| Ok(())).build().unwrap();
        let preview = balancer.preview(&Config::from_toml(&new).unwrap()).unwrap();
        let told = report["balancers"][0]["shares"].as_array().unwrap();
        assert_eq!(told.len(), preview.shares.len());
        for (told, share) in told.iter().zip(&preview.shares) {
            assert_eq!(told["id"], share.id.as_str());
            assert_eq!(told["before"].as_f64().unwrap(), share.before, "{kind}");
            assert_eq!(told["after"].as_f64().unwrap(), share.after, "{kind}");
        }
    }
}

#[test]
fn every_setting_is_explained_by_examples_that_are_valid() {
    let (all, exit) = json(&["explain", "--json"]);
    let all = all.as_array().unwrap();
    assert_eq!((all.len(), exit), (settings().len(), 0));
    for (told, setting) in all.iter().zip(settings()) {
        let key = told["key"].as_str().unwrap();
        assert_eq!(key, setting.path);
        assert_eq!(told["default"], setting.default.as_str());
        let own_key = key.rsplit('.').next().unwrap();
        let example = told["example"].as_str().unwrap();
        assert!(example.contains(own_key), "{key}: {example}");
        Config::from_toml(example).unwrap_or_else(|error| panic!("{key}: {example}\n{error}"));
        if let Some(off) = told["off"].as_str() {
            Config::from_toml(off).unwrap_or_else(|error| panic!("{key}: {off}\n{error}"));
        }
        assert_eq!(told["off"].is_string(), setting.can_be_off, "{key}");
    }
}

#[test]
fn every_setting_is_found_by_its_path_and_listed() {
    let list = run(&["explain"]);
    for setting in settings() {
        let output = run(&["explain", &setting.path]);
        assert_eq!(code(&output), 0);
        let told = text(&output.stdout);
        assert!(told.starts_with(&format!("{}\n", setting.path)), "{told}");
        assert!(told.contains(&setting.range.to_string()), "{told}");
        let own_key = setting.path.rsplit('.').next().unwrap();
        assert!(text(&list.stdout).contains(own_key), "{own_key}");
    }
}
