//! Drills and rehearsals, as pipelines and readers of their page see them.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::{code, files, run, run_on, text};

const ENDS: [(i32, &str); 13] = [
    (0, "drill --list"),
    (0, "drill black-hole"),
    (0, "drill --scenario hang.toml --config ejects.toml"),
    (0, "drill --scenario hang.toml --max-failed 40"),
    (1, "drill --scenario hang.toml"),
    (1, "drill --scenario hang.toml --config ejects.toml --detected-within 10ms"),
    (1, "drill --scenario severs.toml"),
    (1, "drill --scenario hang.toml --config wrong.toml"),
    (2, "drill all nonsense"),
    (2, "drill --scenario missing.toml"),
    (2, "drill --scenario hang.toml --config missing.toml"),
    (2, "drill hog --scenario hang.toml"),
    (2, "drill --config lb.toml"),
];

fn words(command: &str) -> Vec<&str> {
    command.split(' ').collect()
}

#[test]
fn exit_codes_tell_what_was_missed_from_bad_calls() {
    for (expected, command) in ENDS {
        let output = run(&words(command));
        assert_eq!(code(&output), expected, "{command}: {}", text(&output.stderr));
        let has_error = text(&output.stderr).contains("error:");
        assert_eq!(has_error, expected == 2, "{command}: {}", text(&output.stderr));
    }
}

#[test]
fn a_scenario_that_is_no_text_is_told_with_the_place() {
    let output = run_on(&["drill", "--scenario", "-"], b"name = 'x'\nzone\xff = 1\n");
    assert_eq!(code(&output), 1);
    let told = text(&output.stdout);
    assert!(told.contains("byte 15 is 0xff") && told.contains("--> <stdin>:2:5"), "{told}");

    let utf16: Vec<u8> = "\u{feff}name = 'x'".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let output = run_on(&["drill", "--scenario", "hang.toml", "--config", "-"], &utf16);
    assert_eq!(code(&output), 1);
    assert!(text(&output.stdout).contains("UTF-16"));
}

/// What is answered in JSON is what `report.json` holds, and nothing else is on standard output.
#[test]
fn a_rehearsal_in_json_has_both_runs_and_what_was_expected() {
    let out = tempfile::tempdir().unwrap();
    let out = out.path().join("new/and deep");
    let mut args =
        words("drill --scenario hang.toml --config ejects.toml --max-share 60 --json --out");
    args.push(out.to_str().unwrap());
    let output = run(&args);
    assert_eq!(code(&output), 0);
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer, file(&out));
    let share = |run: &str, of: &str| answer[run]["totals"][of].as_f64().unwrap();
    assert!(share("before", "failures") > 10.0 * share("run", "failures"));
    assert_eq!((&answer["met"], &answer["remarks"]), (&true.into(), &Value::Array(Vec::new())));
    let figures = answer["findings"].as_array().unwrap().iter().map(|it| it["figure"].clone());
    assert_eq!(figures.collect::<Vec<_>>(), ["failed_percent", "largest_share_percent"]);
    assert_eq!(answer["run"]["scenario"], "a server hangs");
}

fn file(out: &Path) -> Value {
    serde_json::from_slice(&fs::read(out.join("report.json")).unwrap()).unwrap()
}

#[test]
fn a_drill_leaves_a_page_with_pictures_and_its_data() {
    let out = tempfile::tempdir().unwrap();
    let output = run(&["drill", "black-hole", "--out", out.path().to_str().unwrap()]);
    assert_eq!(code(&output), 0);
    assert!(text(&output.stderr).contains("written: "));
    let page = fs::read_to_string(out.path().join("report.html")).unwrap();
    assert_eq!(page.matches("<svg ").count(), 6, "three pictures of each of two runs");
    assert!(page.contains("black-hole") && !page.contains("<script"));
    let data = file(out.path());
    let [drill] = data.as_array().unwrap().as_slice() else { panic!("one drill") };
    assert_eq!(drill["name"], "black-hole");
    for run in ["as_it_happened", "protected"] {
        assert!(drill[run]["totals"]["requests"].as_u64().unwrap() > 1_000, "{run}");
    }
    let met = drill["figures"].as_array().unwrap().iter().filter(|it| it["met"] == true);
    assert_eq!(met.count(), 6);
}

#[test]
fn the_seed_decides() {
    let hash = |seed: &str| {
        let output = run(&["drill", "--scenario", "hang.toml", "--json", "--seed", seed]);
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
        (answer["run"]["seed"].to_string(), answer["run"]["trace_hash"].clone())
    };
    assert_eq!(hash("7"), hash("7"));
    assert_ne!(hash("7").1, hash("8").1);
    assert_eq!(hash("7").0, "7");
}

/// Settings of production name hosts; those of the scenario are used, and that is said.
#[test]
fn endpoints_that_are_no_servers_are_not_used() {
    let settings = "[[endpoints]]\nid = 'far'\naddress = 'http://10.0.0.9'\nweight = 3\n";
    let args = ["drill", "--scenario", "hang.toml", "--config", "-"];
    let output = run_on(&args, settings.as_bytes());
    let told = text(&output.stdout);
    assert!(told.contains("note: the endpoints of `<stdin>` are not all servers"), "{told}");
}

#[test]
fn nothing_is_run_for_a_place_that_cannot_be_written() {
    let place = files().join("hang.toml");
    for command in ["drill all --out", "drill --scenario hang.toml --out"] {
        let mut args = words(command);
        args.push(place.to_str().unwrap());
        let output = run(&args);
        assert_eq!(code(&output), 2);
        assert!(output.stdout.is_empty());
        let told = text(&output.stderr);
        assert!(told.starts_with("error: cannot write `"), "{told}");
    }
}

#[test]
fn hostile_names_steer_neither_the_terminal_nor_the_page() {
    let steers =
        |char: char| char.is_control() && char != '\n' || ('\u{202a}'..='\u{202e}').contains(&char);
    let out = tempfile::tempdir().unwrap();
    let place = out.path().to_str().unwrap();
    let output = run(&["drill", "--scenario", "hostile_drill.toml", "--out", place]);
    let told = format!("{}{}", text(&output.stdout), text(&output.stderr));
    assert!(told.contains("alert(1)") && !told.contains(steers), "{told:?}");
    let page = fs::read_to_string(out.path().join("report.html")).unwrap();
    let forbidden = ["<script", "<img", "<svg onload"];
    assert!(forbidden.iter().all(|tag| !page.contains(tag)));
    assert!(page.contains("&lt;script") && page.contains("&lt;img"));

    let name = "\u{1b}[31m\u{202e}.toml";
    for args in [["drill", "--scenario", name], ["drill", name, "hog"]] {
        let output = run(&args);
        assert_eq!(code(&output), 2);
        assert!(!text(&output.stderr).contains(steers), "{:?}", text(&output.stderr));
    }
}
