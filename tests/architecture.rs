//! Keeps the shape of the crate: its floors, the size of its files, where clocks and tasks may be.
//!
//! Reads the source as text. It knows just enough of Rust's grammar to tell code from comments,
//! strings and tests; it expands no macros and resolves no names beyond the first.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

/// Every top-level module and its floor. A room may use what stands below it.
const ROOMS: &[(&str, u8)] = &[
    ("units", 0),
    ("error", 0),
    ("hash", 0),
    ("rng", 0),
    ("sync", 0),
    ("stats", 1),
    ("classify", 1),
    ("endpoint", 1),
    ("config", 1),
    ("event", 1),
    ("decision", 1),
    ("strategy", 2),
    ("outlier", 2),
    ("health", 2),
    ("ramp", 2),
    ("tiers", 2),
    ("subset", 2),
    ("admission", 2),
    ("alarm", 2),
    ("audit", 2),
    ("snapshot", 3),
    ("balancer", 4),
    ("service", 5),
    ("retry", 5),
    ("hedge", 5),
    ("checker", 6),
    ("discovery", 6),
    ("worker", 6),
    ("rollout", 6),
    ("shutdown", 6),
    ("observe", 7),
    ("sim", 7),
    ("docs", 7),
    ("laws", 7),
    ("bin", 7),
];

/// The steps a room may take on its own floor: from, to, why.
const SIDEWAYS: &[(&str, &str, &str)] = &[
    ("error", "units", "an error names the endpoint, the instant and the version"),
    ("hash", "units", "a hash may be asked of an id"),
    ("rng", "sync", "a seeded stream counts its forks in an atomic"),
    ("units", "hash", "an id may carry its hash"),
    ("units", "sync", "a unit may be kept in an atomic"),
    ("endpoint", "stats", "an endpoint's cells are estimators"),
    ("endpoint", "classify", "an endpoint's cells record outcomes"),
    ("config", "endpoint", "a file of settings may list endpoints"),
    ("event", "endpoint", "an event says what became of an endpoint"),
    ("event", "config", "an event says which settings were applied"),
    ("discovery", "worker", "a source is followed by a task that belongs to somebody"),
    ("checker", "worker", "checks are made by a task that belongs to somebody"),
    ("health", "outlier", "what checks find is a part of where an endpoint stands"),
    ("outlier", "ramp", "the rules of the way back name the ramp"),
    ("outlier", "tiers", "the rules of panic name the tiers it is looked for in"),
];

/// The floor of the handle, the lowest that may read the clock.
const CONTROL: u8 = 4;

/// The floor of what callers see. It may use the crate's root as a caller does.
const SURFACES: u8 = 7;

/// Lines of code in one file: comments, blank lines and tests do not count.
const LONGEST_FILE: usize = 400;

#[test]
fn every_module_has_a_floor() {
    let mut findings = Vec::new();
    for (name, file) in top_level_modules() {
        if floor(&name).is_none() {
            findings.push(Finding {
                file,
                line: 1,
                what: format!("`{name}` stands on no floor"),
                way_out: "give it a line in ROOMS of tests/architecture.rs".into(),
            });
        }
    }
    assert_none(&findings);
}

#[test]
fn rooms_use_only_what_stands_below() {
    assert_none(&sources().iter().flat_map(edges).collect::<Vec<_>>());
}

#[test]
fn files_are_short() {
    assert_none(&sources().iter().filter_map(length).collect::<Vec<_>>());
}

#[test]
fn decisions_have_no_clock_and_no_tasks() {
    assert_none(&sources().iter().flat_map(clocks_and_tasks).collect::<Vec<_>>());
}

#[test]
fn decisions_know_no_service() {
    assert_none(&sources().iter().flat_map(services).collect::<Vec<_>>());
}

#[test]
fn nothing_is_left_undone() {
    let mut findings = Vec::new();
    for folder in ["src", "tests", "examples", "benches", "fuzz/fuzz_targets"] {
        for path in rust_files(&root().join(folder)) {
            findings.extend(undone(&relative(&path), &tokens(&read(&path))));
        }
    }
    assert_none(&findings);
}

#[test]
fn rust_version_is_one_number() {
    let manifest = read(&root().join("Cargo.toml"));
    let wanted = manifest
        .lines()
        .find_map(|line| line.strip_prefix("rust-version = \"")?.strip_suffix('"'))
        .expect("Cargo.toml states rust-version");
    let readme = fs::read_to_string(root().join("README.md")).unwrap_or_default();
    assert_none(&other_rust_versions("README.md", &readme, wanted));
}

// --- What is checked -----------------------------------------------------------------------------

/// Something found wrong: where, what, and the way out.
#[derive(Debug)]
struct Finding {
    file: String,
    line: usize,
    what: String,
    way_out: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}; {}", self.file, self.line, self.what, self.way_out)
    }
}

#[track_caller]
fn assert_none(findings: &[Finding]) {
    let list: Vec<_> = findings.iter().map(ToString::to_string).collect();
    assert!(findings.is_empty(), "\n{}\n", list.join("\n"));
}

fn floor(room: &str) -> Option<u8> {
    ROOMS.iter().find(|(name, _)| *name == room).map(|(_, floor)| *floor)
}

/// Uses of a room above, or of one beside that is not on the list.
fn edges(source: &Source) -> Vec<Finding> {
    let from = source.room.as_str();
    // A program's `crate` is the program itself. A module without a floor has its own test.
    let (Some(here), false) = (floor(from), from == "bin") else {
        return Vec::new();
    };
    let mut findings = Vec::new();
    for (line, to, from_macro) in source.rooms_used() {
        let (what, way_out) = match floor(&to) {
            None if here == SURFACES || from_macro => continue,
            None => (
                format!("`{to}` is reached through the crate's root, which hides its floor"),
                "write `crate::room::name` with the room it lives in".to_string(),
            ),
            Some(there) if there > here => (
                format!("`{from}` (floor {here}) uses `{to}` (floor {there})"),
                "move what is needed down, or this code up".to_string(),
            ),
            Some(there) if there == here && to != from => {
                if SIDEWAYS.iter().any(|step| (step.0, step.1) == (from, to.as_str())) {
                    continue;
                }
                (
                    format!("`{from}` uses `{to}` on the same floor {here}"),
                    "move what both need down, or give SIDEWAYS a line with a reason".to_string(),
                )
            }
            Some(_) => continue,
        };
        findings.push(source.finding(line, what, &way_out));
    }
    findings
}

fn length(source: &Source) -> Option<Finding> {
    let lines: BTreeSet<_> = source.tokens.iter().flat_map(|t| t.line..=t.last_line).collect();
    let last = *lines.last()?;
    (lines.len() > LONGEST_FILE).then(|| {
        let what = format!("{} lines of code, more than {LONGEST_FILE}", lines.len());
        source.finding(last, what, "split it by idea into files of one directory")
    })
}

fn clocks_and_tasks(source: &Source) -> Vec<Finding> {
    let Some(floor) = floor(&source.room).filter(|floor| *floor <= CONTROL) else {
        return Vec::new();
    };
    let mut findings = Vec::new();
    for at in 0..source.tokens.len() {
        let line = source.tokens[at].line;
        if floor < CONTROL && source.reads(at, &["Instant", "::", "now"]) {
            let what = format!("`Instant::now` on floor {floor}");
            findings.push(source.finding(line, what, "take `now` as an argument"));
        }
        if source.reads(at, &["spawn", "("]) || source.reads(at, &["spawn", "::", "<"]) {
            let what = format!("a task is spawned on floor {floor}");
            findings.push(source.finding(line, what, "spawn in `checker` or `discovery`"));
        }
    }
    for (line, path) in source.paths_from("tokio") {
        let time =
            path.len() > 2 && path[1] == "time" && ["Instant", "Duration"].contains(&&*path[2]);
        let sync = floor == CONTROL && path.get(1).is_some_and(|name| name == "sync");
        if !time && !sync {
            let what = format!("`{}` on floor {floor}", path.join("::"));
            let way_out = "decisions know of tokio only `tokio::time::Instant` and `Duration`, the \
                           handle also `tokio::sync`; move this code up";
            findings.push(source.finding(line, what, way_out));
        }
    }
    findings
}

fn services(source: &Source) -> Vec<Finding> {
    if floor(&source.room).is_none_or(|floor| floor >= CONTROL) {
        return Vec::new();
    }
    let mut paths = source.paths_from("tower");
    paths.extend(source.paths_from("tower_service"));
    paths.retain(|(_, path)| path[0] == "tower_service" || path[1] == "Service");
    paths
        .into_iter()
        .map(|(line, path)| {
            let what = format!("`{}` below the data path", path.join("::"));
            source.finding(line, what, "take what is needed of the request as an argument")
        })
        .collect()
}

fn undone(file: &str, tokens: &[Token]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        for (sequence, way_out) in [
            (&["todo", "!"][..], "finish it or take it out"),
            (&["unimplemented", "!"], "finish it or take it out"),
            (&["#", "[", "ignore"], "make the test run, or move it to .ci/long"),
        ] {
            if starts_with(&tokens[at..], sequence) {
                findings.push(Finding {
                    file: file.to_string(),
                    line: token.line,
                    what: format!("`{}`", sequence.concat()),
                    way_out: way_out.to_string(),
                });
            }
        }
    }
    findings
}

/// Every `Rust 1.NN` in `text` that is not `wanted`.
fn other_rust_versions(file: &str, text: &str, wanted: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (number, line) in text.lines().enumerate() {
        for rest in line.split("Rust 1.").skip(1) {
            let minor: String = rest.chars().take_while(char::is_ascii_digit).collect();
            let found = format!("1.{minor}");
            if !minor.is_empty() && found != wanted {
                findings.push(Finding {
                    file: file.to_string(),
                    line: number + 1,
                    what: format!("Rust {found}, but Cargo.toml says {wanted}"),
                    way_out: "write the number of Cargo.toml".into(),
                });
            }
        }
    }
    findings
}

// --- The source ----------------------------------------------------------------------------------

/// The code of one file, without its tests.
#[derive(Debug)]
struct Source {
    file: String,
    room: String,
    /// How many `super` lead from the file's module to the crate's root.
    depth: usize,
    tokens: Vec<Token>,
}

impl Source {
    fn new(file: &str, tokens: Vec<Token>) -> Self {
        let path = file.strip_prefix("src/").unwrap_or(file).trim_end_matches(".rs");
        let module = path.strip_suffix("/mod").unwrap_or(path);
        Self {
            file: file.to_string(),
            room: module.split('/').next().unwrap().to_string(),
            depth: module.split('/').count(),
            tokens,
        }
    }

    fn finding(&self, line: usize, what: String, way_out: &str) -> Finding {
        Finding { file: self.file.clone(), line, what, way_out: way_out.to_string() }
    }

    fn reads(&self, at: usize, sequence: &[&str]) -> bool {
        starts_with(&self.tokens[at..], sequence)
    }

    /// Every path that starts with `name`, groups taken apart, each with its line.
    fn paths_from(&self, name: &str) -> Vec<(usize, Vec<String>)> {
        let mut paths = Vec::new();
        for at in 0..self.tokens.len() {
            if self.starts_path(at) && self.reads(at, &[name, "::"]) {
                expand(&self.tokens, at, &[], &mut paths);
            }
        }
        paths
    }

    /// The first name after the crate's root in every path that goes there: its line, the name,
    /// and whether a macro wrote it for the place it is used in.
    fn rooms_used(&self) -> Vec<(usize, String, bool)> {
        let mut rooms = Vec::new();
        let mut braces = 0_usize;
        let mut inline_modules = Vec::new();
        for (at, token) in self.tokens.iter().enumerate() {
            match (token.kind, token.text.as_str()) {
                (Kind::Text, text) => {
                    // Attributes name paths as text, as in `#[serde(with = "crate::units")]`.
                    let name =
                        text.strip_prefix("crate::").and_then(|path| path.split("::").next());
                    rooms.extend(name.map(|name| (token.line, name.to_string(), false)));
                }
                (Kind::Mark, "{") => {
                    if at >= 2 && self.reads(at - 2, &["mod"]) {
                        inline_modules.push(braces);
                    }
                    braces += 1;
                }
                (Kind::Mark, "}") => {
                    braces = braces.saturating_sub(1);
                    inline_modules.pop_if(|opened_at| *opened_at == braces);
                }
                (Kind::Word, "crate" | "super" | "self") if self.starts_path(at) => {
                    let from_macro = at > 0 && self.tokens[at - 1].is("$");
                    let depth = self.depth + inline_modules.len();
                    let mut paths = Vec::new();
                    expand(&self.tokens, at, &[], &mut paths);
                    for (line, path) in paths {
                        let name = below_root(&path, depth);
                        rooms.extend(name.map(|name| (line, name.to_string(), from_macro)));
                    }
                }
                _ => {}
            }
        }
        rooms
    }

    /// Whether the token is the first of a path, not a later part of one.
    fn starts_path(&self, at: usize) -> bool {
        let inside =
            at >= 2 && self.tokens[at - 1].is("::") && self.tokens[at - 2].kind == Kind::Word;
        !inside && self.tokens.get(at + 1).is_some_and(|token| token.is("::"))
    }
}

/// The name that follows the crate's root in `path`, if the path goes there.
fn below_root(path: &[String], depth: usize) -> Option<&str> {
    let path = path.strip_prefix(&["self".to_string()][..]).unwrap_or(path);
    let climbs = path.iter().take_while(|name| *name == "super").count();
    let steps = match path.first()?.as_str() {
        "crate" => 1,
        "super" if climbs == depth => climbs,
        _ => return None,
    };
    path.get(steps).map(String::as_str)
}

/// Takes the path at `at` apart into one path for each name it ends in, and returns the index
/// after it.
fn expand(
    tokens: &[Token],
    mut at: usize,
    before: &[String],
    paths: &mut Vec<(usize, Vec<String>)>,
) -> usize {
    let mut path = before.to_vec();
    while let Some(token) = tokens.get(at) {
        if token.is("{") {
            at += 1;
            while tokens.get(at).is_some_and(|token| !token.is("}")) {
                // `as name` and the comma between two members are stepped over.
                at = if tokens[at].is(",") { at + 1 } else { expand(tokens, at, &path, paths) };
                if tokens.get(at).is_some_and(|token| token.is("as")) {
                    at += 2;
                }
            }
            return at + 1;
        }
        if token.kind != Kind::Word && !token.is("*") {
            break;
        }
        path.push(token.text.clone());
        at += 1;
        if !tokens.get(at).is_some_and(|token| token.is("::")) {
            break;
        }
        at += 1;
    }
    let line = tokens.get(at.saturating_sub(1)).map_or(1, |token| token.line);
    if path.len() > before.len() {
        paths.push((line, path));
        at
    } else {
        // Not a path after all: step over it.
        at + 1
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

fn relative(path: &Path) -> String {
    path.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/")
}

/// All Rust files below `folder`, in order; none if there is no such folder.
fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

/// The code of every room, without tests.
fn sources() -> Vec<Source> {
    let mut test_files = BTreeSet::new();
    let mut sources = BTreeMap::new();
    for path in rust_files(&root().join("src")) {
        let file = relative(&path);
        let (tokens, test_modules) = without_tests(&tokens(&read(&path)));
        let folder = match file.rsplit_once('/').unwrap() {
            (folder, "lib.rs" | "main.rs" | "mod.rs") => folder,
            _ => file.trim_end_matches(".rs"),
        };
        for name in test_modules {
            test_files.insert(format!("{folder}/{name}.rs"));
            test_files.insert(format!("{folder}/{name}/mod.rs"));
        }
        // The roots belong to no room: they name every one of them.
        if !["src/lib.rs", "src/main.rs"].contains(&&*file) {
            sources.insert(file.clone(), Source::new(&file, tokens));
        }
    }
    sources.retain(|file, _| {
        let in_tests = test_files.iter().any(|test| {
            file == test || test.strip_suffix("mod.rs").is_some_and(|dir| file.starts_with(dir))
        });
        !in_tests && !file.ends_with("/tests.rs") && !file.contains("/tests/")
    });
    sources.into_values().collect()
}

/// Every module at the top and its first file: a file, a folder or a block of `src/lib.rs`.
fn top_level_modules() -> BTreeMap<String, String> {
    let mut modules = BTreeMap::new();
    for path in rust_files(&root().join("src")) {
        let file = relative(&path);
        if !["src/lib.rs", "src/main.rs"].contains(&&*file) {
            modules.entry(Source::new(&file, Vec::new()).room).or_insert(file);
        }
    }
    let library = fs::read_to_string(root().join("src/lib.rs")).unwrap_or_default();
    for pair in without_tests(&tokens(&library)).0.windows(2) {
        if pair[0].is("mod") && pair[1].kind == Kind::Word {
            modules.entry(pair[1].text.clone()).or_insert_with(|| "src/lib.rs".to_string());
        }
    }
    modules
}

// --- The scanner ---------------------------------------------------------------------------------

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A name, keyword or number.
    Word,
    /// What a string literal holds.
    Text,
    /// Punctuation: one character, or `::`, `->`, `=>`.
    Mark,
}

#[derive(Clone, Debug)]
struct Token {
    kind: Kind,
    text: String,
    line: usize,
    last_line: usize,
}

impl Token {
    fn is(&self, text: &str) -> bool {
        self.kind != Kind::Text && self.text == text
    }
}

fn starts_with(tokens: &[Token], sequence: &[&str]) -> bool {
    tokens.len() >= sequence.len()
        && tokens.iter().zip(sequence).all(|(token, text)| token.is(text))
}

/// The code in `text`: no comments, strings marked as such, lifetimes and characters left out.
fn tokens(text: &str) -> Vec<Token> {
    let mut scanner = Scanner { chars: text.chars().collect(), at: 0, line: 1, tokens: Vec::new() };
    while scanner.step() {}
    scanner.tokens
}

struct Scanner {
    chars: Vec<char>,
    at: usize,
    line: usize,
    tokens: Vec<Token>,
}

impl Scanner {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn sees(&self, text: &str) -> bool {
        text.chars().enumerate().all(|(ahead, wanted)| self.peek(ahead) == Some(wanted))
    }

    fn skip(&mut self, count: usize) {
        let end = (self.at + count).min(self.chars.len());
        self.line += self.chars[self.at..end].iter().filter(|c| **c == '\n').count();
        self.at = end;
    }

    fn push(&mut self, kind: Kind, text: String, line: usize) {
        self.tokens.push(Token { kind, text, line, last_line: self.line });
    }

    /// Reads one token or skips one blank or comment; false at the end.
    fn step(&mut self) -> bool {
        let Some(next) = self.peek(0) else {
            return false;
        };
        if self.sees("//") {
            while self.peek(0).is_some_and(|c| c != '\n') {
                self.skip(1);
            }
        } else if self.sees("/*") {
            self.block_comment();
        } else if next == '"' {
            self.string();
        } else if next == '\'' {
            self.character_or_lifetime();
        } else if next.is_alphanumeric() || next == '_' {
            self.word();
        } else if next.is_whitespace() {
            self.skip(1);
        } else {
            let long = ["::", "->", "=>"].into_iter().find(|mark| self.sees(mark));
            let mark = long.map_or_else(|| next.to_string(), ToString::to_string);
            self.skip(mark.chars().count());
            self.push(Kind::Mark, mark, self.line);
        }
        true
    }

    fn block_comment(&mut self) {
        let mut depth = 0_usize;
        while self.peek(0).is_some() {
            if self.sees("/*") {
                depth += 1;
                self.skip(2);
            } else if self.sees("*/") {
                depth -= 1;
                self.skip(2);
                if depth == 0 {
                    return;
                }
            } else {
                self.skip(1);
            }
        }
    }

    fn string(&mut self) {
        let line = self.line;
        self.skip(1);
        let start = self.at;
        while self.peek(0).is_some_and(|c| c != '"') {
            self.skip(if self.peek(0) == Some('\\') { 2 } else { 1 });
        }
        let text = self.chars[start..self.at].iter().collect();
        self.skip(1);
        self.push(Kind::Text, text, line);
    }

    fn raw_string(&mut self, hashes: usize) {
        let line = self.line;
        self.skip(hashes + 1);
        let start = self.at;
        let end = format!("\"{}", "#".repeat(hashes));
        while self.peek(0).is_some() && !self.sees(&end) {
            self.skip(1);
        }
        let text = self.chars[start..self.at].iter().collect();
        self.skip(hashes + 1);
        self.push(Kind::Text, text, line);
    }

    fn character_or_lifetime(&mut self) {
        if self.peek(1) == Some('\\') {
            self.skip(3);
            while self.peek(0).is_some_and(|c| c != '\'') {
                self.skip(1);
            }
            self.skip(1);
        } else if self.peek(2) == Some('\'') {
            self.skip(3);
        } else {
            self.skip(1);
            while self.peek(0).is_some_and(|c| c.is_alphanumeric() || c == '_') {
                self.skip(1);
            }
        }
    }

    fn word(&mut self) {
        let start = self.at;
        while self.peek(0).is_some_and(|c| c.is_alphanumeric() || c == '_') {
            self.skip(1);
        }
        let word: String = self.chars[start..self.at].iter().collect();
        if ["r", "br", "cr"].contains(&&*word) {
            let hashes = self.chars[self.at..].iter().take_while(|c| **c == '#').count();
            if self.peek(hashes) == Some('"') {
                return self.raw_string(hashes);
            }
            if hashes == 1 {
                // `r#name`: the name follows.
                return self.skip(1);
            }
        }
        if ["b", "c"].contains(&&*word) && self.peek(0) == Some('"') {
            return self.string();
        }
        self.push(Kind::Word, word, self.line);
    }
}

/// What is compiled outside tests, and the names of modules in other files that are only for tests.
fn without_tests(tokens: &[Token]) -> (Vec<Token>, Vec<String>) {
    let mut kept = Vec::new();
    let mut test_modules = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let rest = &tokens[at..];
        let inner = starts_with(rest, &["#", "!", "[", "cfg", "("]);
        let open = if inner { 2 } else { 1 };
        if (inner || starts_with(rest, &["#", "[", "cfg", "("]))
            && only_in_tests(&tokens[at + open + 2..closing(tokens, at + open) - 1])
        {
            if inner {
                // The attribute speaks of the whole file.
                return (Vec::new(), test_modules);
            }
            let item = item_start(tokens, closing(tokens, at + open));
            let end = item_end(tokens, item);
            if starts_with(&tokens[item..], &["mod"]) && tokens[end - 1].is(";") {
                test_modules.push(tokens[item + 1].text.clone());
            }
            at = end;
        } else {
            kept.push(tokens[at].clone());
            at += 1;
        }
    }
    (kept, test_modules)
}

/// Whether a condition, given with its brackets, holds in tests only: `(test)`, `(all(test, …))`.
fn only_in_tests(condition: &[Token]) -> bool {
    let [_, inside @ .., _] = condition else {
        return false;
    };
    if let [only] = inside {
        return only.is("test");
    }
    if !starts_with(inside, &["all", "("]) {
        return false;
    }
    let members = &inside[1..];
    (1..members.len() - 1).any(|at| {
        let first = members[at - 1].is("(") || members[at - 1].is(",");
        let alone = members[at + 1].is(",") || members[at + 1].is(")");
        let depth = members[..at].iter().filter(|t| t.is("(")).count()
            - members[..at].iter().filter(|t| t.is(")")).count();
        members[at].is("test") && first && alone && depth == 1
    })
}

/// The index after the bracket that closes the one at `open`.
fn closing(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        if ["(", "[", "{"].iter().any(|mark| token.is(mark)) {
            depth += 1;
        } else if [")", "]", "}"].iter().any(|mark| token.is(mark)) {
            depth -= 1;
            if depth == 0 {
                return at + 1;
            }
        }
    }
    tokens.len()
}

/// The first token of an item after its attributes and its visibility.
fn item_start(tokens: &[Token], mut at: usize) -> usize {
    while starts_with(&tokens[at..], &["#", "["]) {
        at = closing(tokens, at + 1);
    }
    if starts_with(&tokens[at..], &["pub"]) {
        at += 1;
        if starts_with(&tokens[at..], &["("]) {
            at = closing(tokens, at);
        }
    }
    at
}

/// The index after the item at `at`: an item ends at its block or semicolon; a field, variant or
/// arm at a comma too, or before the bracket around it.
fn item_end(tokens: &[Token], mut at: usize) -> usize {
    const ITEMS: &[&str] = &[
        "async",
        "const",
        "enum",
        "extern",
        "fn",
        "impl",
        "let",
        "macro_rules",
        "mod",
        "static",
        "struct",
        "trait",
        "type",
        "unsafe",
        "use",
    ];
    let item = tokens.get(at).is_some_and(|first| ITEMS.iter().any(|word| first.is(word)));
    let import = starts_with(&tokens[at..], &["use"]);
    let mut angles = 0_usize;
    while let Some(token) = tokens.get(at) {
        match (token.kind, token.text.as_str()) {
            (Kind::Mark, ";") => return at + 1,
            (Kind::Mark, ",") if !item && angles == 0 => return at + 1,
            (Kind::Mark, ")" | "]" | "}") => return at,
            (Kind::Mark, "{") if !import => return closing(tokens, at),
            (Kind::Mark, "(" | "[" | "{") => {
                at = closing(tokens, at);
                continue;
            }
            (Kind::Mark, "<") => angles += 1,
            (Kind::Mark, ">") => angles = angles.saturating_sub(1),
            _ => {}
        }
        at += 1;
    }
    at
}

mod scanner {
    use super::*;

    fn source(file: &str, text: &str) -> Source {
        Source::new(file, without_tests(&tokens(text)).0)
    }

    fn found(findings: &[Finding]) -> Vec<usize> {
        findings.iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn a_planted_upward_edge_is_found() {
        let planted =
            source("src/strategy/p2c.rs", "use std::fmt;\nuse crate::balancer::Balancer;\n");
        let findings = edges(&planted);
        assert_eq!(
            findings[0].to_string(),
            "src/strategy/p2c.rs:2: `strategy` (floor 2) uses `balancer` (floor 4); \
             move what is needed down, or this code up"
        );
        assert_eq!(findings.len(), 1);
    }

    #[test]
    fn groups_inline_paths_super_macros_and_attributes_are_read() {
        let group =
            "use crate::{\n    units::{EndpointId, Percent as P},\n    service::Balance,\n};";
        assert_eq!(found(&edges(&source("src/stats/mod.rs", group))), [3]);
        let inline = "fn f() -> u8 {\n    crate::snapshot::next::<u8>()\n}";
        assert_eq!(found(&edges(&source("src/stats/mod.rs", inline))), [2]);
        let climb = "use super::super::balancer::Balancer;\nuse super::balancer::mine;";
        assert_eq!(found(&edges(&source("src/stats/ring.rs", climb))), [1]);
        let block =
            "mod inner {\n use super::super::balancer::Balancer;\n}\nuse super::balancer::B;";
        assert_eq!(found(&edges(&source("src/stats/mod.rs", block))), [2, 4]);
        let exported = "macro_rules! m { () => { $crate::Balancer; $crate::balancer::B } }";
        assert_eq!(found(&edges(&source("src/stats/mod.rs", exported))), [1]);
        let attribute = "#[serde(with = \"crate::balancer::text\")]\nstruct A;";
        assert_eq!(found(&edges(&source("src/stats/mod.rs", attribute))), [1]);
    }

    #[test]
    fn the_way_down_and_the_listed_steps_are_free() {
        let down = "use crate::units::Percent;\nuse crate::{error::PickError, rng::Rng};";
        assert_eq!(found(&edges(&source("src/stats/mod.rs", down))), []);
        assert_eq!(found(&edges(&source("src/error/pick.rs", "use crate::units::Version;"))), []);
        assert_eq!(found(&edges(&source("src/units/id.rs", "use crate::error::PickError;"))), [1]);
        assert_eq!(found(&edges(&source("src/units/id.rs", "pub(in crate::units) struct A;"))), []);
    }

    #[test]
    fn the_root_hides_floors_except_from_the_surfaces() {
        assert_eq!(found(&edges(&source("src/stats/mod.rs", "use crate::Balancer;"))), [1]);
        assert_eq!(found(&edges(&source("src/stats/mod.rs", "use crate::*;"))), [1]);
        assert_eq!(found(&edges(&source("src/sim/mod.rs", "use crate::Balancer;"))), []);
    }

    #[test]
    fn comments_strings_and_tests_are_not_code() {
        for text in [
            "// use crate::balancer::A;",
            "/// [`A`](crate::balancer::A)\n//! use crate::balancer::A;",
            "/* use /* nested */ crate::balancer::A; */",
            "const A: &str = \"see crate::balancer\";",
            "const A: &str = r#\"use \"crate::balancer\"\"#;",
            "const A: char = '\"'; // crate::balancer \"",
            "#[cfg(test)]\nmod tests {\n    use crate::balancer::A;\n}",
            "#[cfg(all(test, evenkeel_loom))]\nmod models {\n    use crate::balancer::A;\n}",
            "#[cfg(test)]\n#[allow(unused)]\npub(crate) use crate::{balancer::A, service::B};",
            "struct A {\n    #[cfg(test)]\n    b: Vec<crate::balancer::B, C>,\n}",
            "#![cfg(test)]\nuse crate::balancer::A;",
        ] {
            assert_eq!(found(&edges(&source("src/stats/mod.rs", text))), [], "{text}");
        }
    }

    #[test]
    fn code_beside_tests_and_lifetimes_is_still_read() {
        for text in [
            "#[cfg(test)]\nfn f<A, B>(_: [u8; 3]) {}\nuse crate::balancer::A;",
            "#[cfg(test)]\nuse crate::{balancer::A};\nuse crate::balancer::A;",
            "#[cfg(not(test))]\n\nuse crate::balancer::A;",
            "#[cfg(any(test, feature = \"testing\"))]\n\nuse crate::balancer::A;",
            "#[cfg(all(not(test), unix))]\n\nuse crate::balancer::A;",
            "fn f<'a>(_: &'a str) -> char {\n    '\\''\n}use crate::balancer::A;",
        ] {
            assert_eq!(found(&edges(&source("src/stats/mod.rs", text))), [3], "{text}");
        }
    }

    #[test]
    fn test_modules_in_other_files_are_named() {
        let (kept, names) = without_tests(&tokens("mod ring;\n#[cfg(test)]\nmod models;"));
        assert_eq!(kept.len(), 3);
        assert_eq!(names, ["models"]);
    }

    #[test]
    fn only_lines_of_code_count() {
        let padded = "// words\n\n".repeat(500) + &"const A: u8 = 0;\n".repeat(400);
        assert!(length(&source("src/stats/mod.rs", &padded)).is_none());
        let test = padded.clone() + "#[cfg(test)]\nmod tests {\n    fn f() {}\n}";
        assert!(length(&source("src/stats/mod.rs", &test)).is_none());
        let long = padded + "const B: &str = \"one\ntwo\";";
        let finding = length(&source("src/stats/mod.rs", &long)).unwrap();
        assert!(finding.what.starts_with("402 lines"), "{finding}");
    }

    #[test]
    fn clocks_tasks_and_runtimes_are_found() {
        let text = "use tokio::time::{Instant, Duration};\nuse tokio::{sync::Notify, time};\n\
                    fn f() { Instant::now() }\nfn g() { tokio::spawn(h()) }\n// Instant::now()";
        assert_eq!(found(&clocks_and_tasks(&source("src/outlier/mod.rs", text))), [3, 4, 2, 2, 4]);
        assert_eq!(found(&clocks_and_tasks(&source("src/balancer/mod.rs", text))), [4, 2, 4]);
        assert_eq!(found(&clocks_and_tasks(&source("src/checker/mod.rs", text))), []);
    }

    #[test]
    fn services_are_found() {
        let text = "use tower::BoxError;\nuse tower::{BoxError as E, Service};\nuse tower_service::Service;";
        assert_eq!(found(&services(&source("src/strategy/mod.rs", text))), [2, 3]);
        assert_eq!(found(&services(&source("src/service/mod.rs", text))), []);
    }

    #[test]
    fn unfinished_work_is_found() {
        let text = "fn f() { todo!() }\n#[ignore = \"slow\"]\n// todo!()\nfn g() { \"todo!()\" }";
        assert_eq!(found(&undone("src/a.rs", &tokens(text))), [1, 2]);
    }

    #[test]
    fn another_rust_version_is_found() {
        let text = "Needs Rust 1.95.\nTested with Rust 1.80.1, not Rust 1.x.\n";
        assert_eq!(found(&other_rust_versions("README.md", text, "1.95")), [2]);
    }
}
