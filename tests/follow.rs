//! Real files that are followed: changed in every way in which files are changed, and broken in
//! every way in which they break.
//!
//! Time is real here, since a file system knows no other. Tests wait for what must happen, never
//! for a time after which it should have. Where polls are an hour apart, it is the watch that
//! notices.

#![cfg(feature = "file")]
#![allow(clippy::unwrap_used)]

mod support;

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use evenkeel::{
    Balancer, BoxError, Builder, Changed, Config, EndpointSpec, Event, Events, FileError,
    FileSource, Worker,
};
use tempfile::TempDir;
use tokio::time::{sleep, timeout};

use crate::support::{config, received};

/// How long something that must happen may take.
const LONG: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);
const DEBOUNCE: Duration = Duration::from_millis(50);

/// A balancer that follows a file in a directory of its own.
struct Scene {
    balancer: Balancer<String>,
    events: Events,
    worker: Worker,
    file: PathBuf,
    directory: TempDir,
}

impl Scene {
    /// Follows a file that holds `text`, by the watch alone.
    fn new(text: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("lb.toml");
        fs::write(&file, text).unwrap();
        Self::at(directory, watched(&file))
    }

    /// Follows a source that is good at the beginning.
    fn at(directory: TempDir, source: FileSource) -> Self {
        let balancer = builder().config(source.load().unwrap()).build().unwrap();
        Self::with(balancer, directory, source)
    }

    fn with(balancer: Balancer<String>, directory: TempDir, source: FileSource) -> Self {
        let events = balancer.subscribe();
        let file = source.path().to_path_buf();
        let worker = balancer.follow(source);
        Self { balancer, events, worker, file, directory }
    }

    fn source(&self) -> String {
        format!("file {}", self.file.display())
    }

    /// What is told next. That weights are uneven is no news here.
    async fn told(&mut self) -> Event {
        loop {
            let told = timeout(LONG, self.events.recv()).await;
            match told.expect("something has to be told").unwrap() {
                Event::ShareRaised { .. } => {}
                other => return other,
            }
        }
    }

    /// The file was taken, and that was the next thing told.
    async fn taken(&mut self) {
        let by_file = Some(self.source());
        match self.told().await {
            Event::Published { change: Changed::Configured { by, because: None }, .. } => {
                assert_eq!(by, by_file);
            }
            other => unreachable!("instead of a change by the file: {other}"),
        }
    }

    /// The file was taken, though it may have been found missing before.
    async fn taken_in_the_end(&mut self) {
        loop {
            match self.told().await {
                Event::Published { .. } => return,
                Event::SourceFailed { .. } | Event::SourceRecovered { .. } => {}
                other => unreachable!("instead of a change by the file: {other}"),
            }
        }
    }

    /// The file was found wrong, and that was the next thing told.
    async fn failed(&mut self) -> FileError {
        let from_file = self.source();
        match self.told().await {
            Event::SourceFailed { source, error } => {
                assert_eq!(source, from_file);
                error.downcast_ref::<FileError>().unwrap().clone()
            }
            other => unreachable!("instead of a failure of the file: {other}"),
        }
    }

    async fn recovered(&mut self) {
        match self.told().await {
            Event::SourceRecovered { source } => assert_eq!(source, self.source()),
            other => unreachable!("instead of a recovery of the file: {other}"),
        }
    }

    async fn refused(&mut self) -> String {
        match self.told().await {
            Event::ConfigRefused { error, .. } => error.to_string(),
            other => unreachable!("instead of a refusal: {other}"),
        }
    }

    fn weights(&self) -> Vec<(String, u32)> {
        weights(&self.balancer)
    }

    #[track_caller]
    fn serves(&self, expected: &[(&str, u32)]) {
        let expected: Vec<_> = expected.iter().map(|&(id, it)| (id.to_owned(), it)).collect();
        assert_eq!(self.weights(), expected);
    }
}

/// A balancer whose targets are addresses.
fn builder() -> Builder<String> {
    Balancer::builder().make(|spec: &EndpointSpec| Ok(spec.address.clone()))
}

/// A source that is looked at when the system says so.
fn watched(path: &Path) -> FileSource {
    FileSource::new(path).debounce(DEBOUNCE).unwrap().poll(HOUR).unwrap()
}

/// A source that is also looked at ten times a second.
fn polled(path: &Path) -> FileSource {
    watched(path).poll(Duration::from_millis(100)).unwrap()
}

fn weights<T: Send + Sync + 'static>(balancer: &Balancer<T>) -> Vec<(String, u32)> {
    let endpoints = balancer.status().endpoints;
    endpoints.into_iter().map(|it| (it.id.to_string(), it.weight)).collect()
}

/// A file with these endpoints.
fn set(weights: &[(&str, u32)]) -> String {
    let endpoint = |(id, weight): &(&str, u32)| {
        format!("[[endpoints]]\nid = '{id}'\naddress = '{id}:80'\nweight = {weight}\n")
    };
    weights.iter().map(endpoint).collect()
}

/// Puts another file in the place of this one, so that it is whole at every moment.
fn rename_over(file: &Path, text: impl AsRef<[u8]>) {
    let next = file.with_extension("next");
    fs::write(&next, text).unwrap();
    fs::rename(&next, file).unwrap();
}

/// Waits until something has become true.
async fn until(what: &str, is: impl Fn() -> bool) {
    let wait = async {
        while !is() {
            sleep(Duration::from_millis(2)).await;
        }
    };
    timeout(LONG, wait).await.unwrap_or_else(|_| unreachable!("never happened: {what}"));
}

// --- Ways to change a file -----------------------------------------------------------------------

#[tokio::test]
async fn a_file_that_is_renamed_over_is_followed() {
    let mut scene = Scene::new(&set(&[("a", 1), ("b", 1)]));
    for weight in 2..8 {
        rename_over(&scene.file, set(&[("a", weight), ("b", 1)]));
        scene.taken().await;
        scene.serves(&[("a", weight), ("b", 1)]);
    }
    rename_over(&scene.file, set(&[("a", 1), ("b", 1), ("c", 3)]) + "[strategy]\nkind = 'random'");
    scene.taken().await;
    scene.serves(&[("a", 1), ("b", 1), ("c", 3)]);
    assert_eq!(scene.balancer.config().strategy().kind().to_string(), "random");
    assert_eq!(scene.balancer.history().last().unwrap().by, Some(scene.source()));
}

#[tokio::test]
async fn a_file_that_is_written_in_place_is_followed() {
    let mut scene = Scene::new(&set(&[("a", 1), ("b", 1)]));
    for weight in 2..8 {
        fs::write(&scene.file, set(&[("a", weight), ("b", 1)])).unwrap();
        scene.taken().await;
        scene.serves(&[("a", weight), ("b", 1)]);
    }
    let mut file = File::options().append(true).open(&scene.file).unwrap();
    file.write_all(set(&[("c", 3)]).as_bytes()).unwrap();
    drop(file);
    scene.taken().await;
    scene.serves(&[("a", 7), ("b", 1), ("c", 3)]);
}

/// The first half is valid by itself: nothing but the writer's not being done says that it is half.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn half_a_file_is_not_taken_for_the_whole() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("lb.toml");
    fs::write(&path, set(&[("a", 1), ("b", 1)])).unwrap();
    // Written within ten times this, and slower than it.
    let debounce = Duration::from_millis(300);
    let mut scene = Scene::at(directory, watched(&path).debounce(debounce).unwrap());
    for weight in 2..4 {
        let mut file = File::create(&path).unwrap();
        sleep(debounce).await;
        file.write_all(set(&[("a", weight)]).as_bytes()).unwrap();
        sleep(debounce * 2).await;
        file.write_all(set(&[("b", weight)]).as_bytes()).unwrap();
        drop(file);
        scene.taken().await;
        scene.serves(&[("a", weight), ("b", weight)]);
    }
}

/// A writer that pauses for too long is found out, if what it has left is no whole file.
#[tokio::test]
async fn a_file_that_is_cut_off_keeps_the_last_good_one() {
    let mut scene = Scene::new(&set(&[("a", 1), ("b", 1)]));
    let next = set(&[("a", 2), ("b", 1)]);
    let mut file = File::create(&scene.file).unwrap();
    let (first, second) = next.split_at(next.len() - 7);
    file.write_all(first.as_bytes()).unwrap();
    assert!(matches!(scene.failed().await, FileError::Invalid { .. }));
    scene.serves(&[("a", 1), ("b", 1)]);
    file.write_all(second.as_bytes()).unwrap();
    drop(file);
    scene.recovered().await;
    scene.taken().await;
    scene.serves(&[("a", 2), ("b", 1)]);
}

/// As Kubernetes shows a file of a `ConfigMap`: what is exchanged is a link to the directory.
#[cfg(unix)]
#[tokio::test]
async fn a_config_map_is_followed() {
    use std::os::unix::fs::symlink;

    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().to_path_buf();
    let write = |version: u32| {
        let name = format!("..2025_{version}");
        fs::create_dir(root.join(&name)).unwrap();
        fs::write(root.join(&name).join("lb.toml"), set(&[("a", version), ("b", 1)])).unwrap();
        name
    };
    let first = write(1);
    symlink(&first, root.join("..data")).unwrap();
    symlink("..data/lb.toml", root.join("lb.toml")).unwrap();
    let mut scene = Scene::at(directory, watched(&root.join("lb.toml")));
    let mut old = first;
    for version in 2..6 {
        let new = write(version);
        symlink(&new, root.join("..data_tmp")).unwrap();
        fs::rename(root.join("..data_tmp"), root.join("..data")).unwrap();
        fs::remove_dir_all(root.join(&old)).unwrap();
        scene.taken().await;
        scene.serves(&[("a", version), ("b", 1)]);
        old = new;
    }
    // And the file at the end of the links is watched, too.
    fs::write(root.join(&old).join("lb.toml"), set(&[("a", 9), ("b", 1)])).unwrap();
    scene.taken().await;
    scene.serves(&[("a", 9), ("b", 1)]);
}

/// As releases are switched: a link somewhere on the way, relative and absolute.
#[cfg(unix)]
#[tokio::test]
async fn links_on_the_way_are_followed() {
    use std::os::unix::fs::symlink;

    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().to_path_buf();
    for release in 1..5 {
        let conf = root.join(format!("releases/{release}/conf"));
        fs::create_dir_all(&conf).unwrap();
        fs::write(conf.join("lb.toml"), set(&[("a", release)])).unwrap();
    }
    let switch = |target: PathBuf| {
        symlink(target, root.join("next")).unwrap();
        fs::rename(root.join("next"), root.join("current")).unwrap();
    };
    switch("releases/1".into());
    let mut scene = Scene::at(directory, watched(&root.join("current/conf/lb.toml")));
    for (release, target) in [
        (2, root.join("releases/2")),
        (3, "releases/../releases/3".into()),
        (4, root.join("releases/4")),
    ] {
        switch(target);
        scene.taken().await;
        scene.serves(&[("a", release)]);
    }
}

#[tokio::test]
async fn a_file_that_goes_and_comes_back_is_followed() {
    let good = set(&[("a", 1), ("b", 1)]);
    let mut scene = Scene::new(&good);
    for weight in 2..5 {
        fs::remove_file(&scene.file).unwrap();
        let gone = scene.failed().await;
        assert!(matches!(gone, FileError::Unreadable { kind: ErrorKind::NotFound, .. }), "{gone}");
        scene.serves(&[("a", weight - 1), ("b", 1)]);
        fs::write(&scene.file, set(&[("a", weight), ("b", 1)])).unwrap();
        scene.recovered().await;
        scene.taken().await;
        scene.serves(&[("a", weight), ("b", 1)]);
    }
}

#[tokio::test]
async fn a_directory_that_goes_and_comes_back_is_followed() {
    let directory = tempfile::tempdir().unwrap();
    let conf = directory.path().join("etc/conf");
    let path = conf.join("lb.toml");
    fs::create_dir_all(&conf).unwrap();
    fs::write(&path, set(&[("a", 1)])).unwrap();
    let mut scene = Scene::at(directory, watched(&path));
    for weight in [2, 4] {
        fs::remove_dir_all(scene.directory.path().join("etc")).unwrap();
        scene.failed().await;
        fs::create_dir_all(&conf).unwrap();
        fs::write(&path, set(&[("a", weight)])).unwrap();
        scene.recovered().await;
        scene.taken().await;
        scene.serves(&[("a", weight)]);
        // Another directory takes the place of this one, with the file in it.
        let next = scene.directory.path().join("etc/next");
        fs::create_dir(&next).unwrap();
        fs::write(next.join("lb.toml"), set(&[("a", weight + 1)])).unwrap();
        fs::rename(&conf, scene.directory.path().join(format!("old{weight}"))).unwrap();
        fs::rename(&next, &conf).unwrap();
        scene.taken_in_the_end().await;
        scene.serves(&[("a", weight + 1)]);
    }
}

/// The new directory may look the same to the last number, and is not watched by itself.
#[tokio::test]
async fn a_directory_that_is_made_anew_is_followed() {
    let directory = tempfile::tempdir().unwrap();
    let conf = directory.path().join("conf");
    let path = conf.join("lb.toml");
    fs::create_dir(&conf).unwrap();
    fs::write(&path, set(&[("a", 1)])).unwrap();
    let mut scene = Scene::at(directory, watched(&path));
    for weight in [2, 4, 6] {
        fs::remove_dir_all(&conf).unwrap();
        fs::create_dir(&conf).unwrap();
        fs::write(&path, set(&[("a", weight)])).unwrap();
        scene.taken_in_the_end().await;
        scene.serves(&[("a", weight)]);
        fs::write(&path, set(&[("a", weight + 1)])).unwrap();
        scene.taken().await;
        scene.serves(&[("a", weight + 1)]);
    }
}

#[tokio::test]
async fn a_file_that_is_not_there_yet_is_waited_for() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("etc/conf/lb.toml");
    let balancer = builder().build().unwrap();
    let mut scene = Scene::with(balancer, directory, watched(&path));
    scene.failed().await;
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    rename_over(&path, set(&[("a", 7)]));
    scene.recovered().await;
    scene.taken().await;
    scene.serves(&[("a", 7)]);
}

/// A write through another name of the same file is one the watch does not see.
#[tokio::test]
async fn what_the_system_does_not_tell_is_found_by_looking() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("lb.toml");
    fs::create_dir(directory.path().join("elsewhere")).unwrap();
    let other = directory.path().join("elsewhere/other.toml");
    fs::write(&path, set(&[("a", 1)])).unwrap();
    fs::hard_link(&path, &other).unwrap();
    let mut scene = Scene::at(directory, polled(&path));
    for weight in 2..5 {
        fs::write(&other, set(&[("a", weight)])).unwrap();
        scene.taken().await;
        scene.serves(&[("a", weight)]);
    }
}

#[tokio::test]
async fn a_file_that_says_the_same_in_other_words_is_no_change() {
    let good = set(&[("a", 1), ("b", 1)]);
    let mut scene = Scene::new(&good);
    let version = scene.balancer.version();
    rename_over(&scene.file, format!("# the same\n{good}"));
    rename_over(&scene.file, &good);
    rename_over(&scene.file, set(&[("a", 2), ("b", 1)]));
    scene.taken().await;
    assert_eq!(scene.balancer.version().config, version.config + 1);
}

// --- Files that are wrong ------------------------------------------------------------------------

#[tokio::test]
async fn a_wrong_file_is_told_once_and_keeps_the_last_good_one() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("lb.toml");
    fs::write(&path, set(&[("a", 1), ("b", 1)])).unwrap();
    let mut scene = Scene::at(directory, polled(&path));
    let long = vec![b'#'; Config::MAX_TOML_BYTES + 1];
    type Is = fn(&FileError) -> bool;
    let wrong: [(&[u8], Is); 8] = [
        (b"\x00\x01\x02\x03", |it| matches!(it, FileError::Invalid { .. })),
        (b"{\"not\": \"toml\"}", |it| matches!(it, FileError::Invalid { .. })),
        (b"[strategy]\nkind = 'fastest'", |it| matches!(it, FileError::Invalid { .. })),
        (b"name = '\xff\xfe'", |it| matches!(it, FileError::NotText { at: 8, .. })),
        (b"", |it| matches!(it, FileError::Empty { .. })),
        (b"\n  \n", |it| matches!(it, FileError::Empty { .. })),
        (&long, |it| matches!(it, FileError::TooLarge { .. })),
        (b"[balancer.search]", |it| matches!(it, FileError::NoSection { .. })),
    ];
    let version = scene.balancer.version();
    for (weight, (content, is)) in (2..).zip(wrong) {
        rename_over(&scene.file, content);
        let error = scene.failed().await;
        assert!(is(&error), "{error:?}");
        assert!(error.to_string().contains(&*scene.file.to_string_lossy()), "{error}");
        scene.serves(&[("a", weight - 1), ("b", 1)]);
        // Time for a few more looks: each would find it wrong.
        sleep(Duration::from_millis(300)).await;
        rename_over(&scene.file, set(&[("a", weight), ("b", 1)]));
        scene.recovered().await;
        scene.taken().await;
    }
    assert_eq!(scene.balancer.version().config, version.config + 8);
}

#[tokio::test]
async fn a_path_that_leads_to_no_file_is_told() {
    let mut scene = Scene::new(&set(&[("a", 1)]));
    fs::remove_file(&scene.file).unwrap();
    scene.failed().await;
    fs::create_dir(&scene.file).unwrap();
    assert!(matches!(scene.failed().await, FileError::NotAFile { .. }));
    fs::remove_dir(&scene.file).unwrap();
    scene.failed().await;
    fs::write(&scene.file, set(&[("a", 2)])).unwrap();
    scene.recovered().await;
    scene.taken().await;
}

/// None of these is ever waited for or read to an end it does not have.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn devices_pipes_circles_and_files_that_fail_are_told() {
    use std::os::unix::fs::symlink;

    let mut scene = Scene::new(&set(&[("a", 1)]));
    let next = scene.file.with_extension("next");
    type Is = fn(&FileError) -> bool;
    let ways: [(&str, Is); 4] = [
        ("/dev/zero", |it| matches!(it, FileError::NotAFile { .. })),
        // Opens, and then fails to be read.
        ("/proc/self/mem", |it| matches!(it, FileError::Unreadable { .. })),
        // Leads to itself.
        ("lb.toml", |it| matches!(it, FileError::Unreadable { .. })),
        ("/dev/null/lb.toml", |it| {
            matches!(it, FileError::Unreadable { kind: ErrorKind::NotADirectory, .. })
        }),
    ];
    for (target, is) in ways {
        symlink(target, &next).unwrap();
        fs::rename(&next, &scene.file).unwrap();
        let error = scene.failed().await;
        assert!(is(&error), "{target}: {error:?}");
    }
    let made = std::process::Command::new("mkfifo").arg(&next).status();
    if made.is_ok_and(|status| status.success()) {
        fs::rename(&next, &scene.file).unwrap();
        assert!(matches!(scene.failed().await, FileError::NotAFile { .. }));
    }
    rename_over(&scene.file, set(&[("a", 2)]));
    scene.recovered().await;
    scene.taken().await;
}

/// Whoever may do everything is refused nothing: then there is only the rest of the test.
#[cfg(unix)]
#[tokio::test]
async fn a_file_that_may_not_be_read_is_told() {
    use std::os::unix::fs::PermissionsExt;

    let mut scene = Scene::new(&set(&[("a", 1)]));
    let mode = |mode| fs::set_permissions(&scene.file, fs::Permissions::from_mode(mode)).unwrap();
    mode(0o000);
    let (may_all, file) = (File::open(&scene.file).is_ok(), scene.file.clone());
    if may_all {
        println!("this user may read every file; a refusal by the system is not tested");
    } else {
        let error = scene.failed().await;
        let denied =
            matches!(error, FileError::Unreadable { kind: ErrorKind::PermissionDenied, .. });
        assert!(denied, "{error:?}");
    }
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    if !may_all {
        scene.recovered().await;
    }
    rename_over(&scene.file, set(&[("a", 2)]));
    scene.taken().await;
    scene.serves(&[("a", 2)]);
}

#[test]
fn a_wrong_file_fails_the_start() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("lb.toml");
    let load = || FileSource::new(&path).load();
    assert!(matches!(load(), Err(FileError::Unreadable { kind: ErrorKind::NotFound, .. })));
    fs::write(&path, "").unwrap();
    assert!(matches!(load(), Err(FileError::Empty { .. })));
    fs::write(&path, "[strategy]\nkind = 'fastest'").unwrap();
    let error = load().unwrap_err();
    assert_eq!(error.path(), path);
    let words = format!("`{}`: the settings were refused: ", path.display());
    assert!(error.to_string().starts_with(&words), "{error}");
    assert!(error.to_string().contains("line 2, column 8: strategy.kind"), "{error}");
    fs::write(&path, "[strategy]\nkind = 'random'").unwrap();
    assert_eq!(load(), Ok(config("[strategy]\nkind = 'random'")));
    let named = FileSource::new(&path).balancer("cart");
    let error = named.load().unwrap_err();
    assert!(matches!(error, FileError::NoSection { .. }), "{error:?}");
    assert_eq!(named.to_string(), format!("file {}, balancer cart", path.display()));
}

#[test]
fn times_have_ranges() {
    let source = || FileSource::new("lb.toml");
    let (ms, hours) = (Duration::from_millis, Duration::from_hours);
    for debounce in [Duration::ZERO, Duration::from_micros(999), ms(10_001), Duration::MAX] {
        assert!(source().debounce(debounce).is_err(), "{debounce:?}");
    }
    for poll in [Duration::ZERO, ms(99), hours(1) + ms(1), Duration::MAX] {
        assert!(source().poll(poll).is_err(), "{poll:?}");
    }
    assert!(source().debounce(ms(1)).is_ok() && source().debounce(ms(10_000)).is_ok());
    assert!(source().poll(ms(100)).is_ok() && source().poll(hours(1)).is_ok());
}

// --- What the balancer says to it ----------------------------------------------------------------

const GUARDED: &str = "[guard]\nmax_share_percent = 60\n";

#[tokio::test]
async fn a_file_the_share_guard_refuses_is_told_once() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("lb.toml");
    fs::write(&path, GUARDED.to_owned() + &set(&[("a", 1), ("b", 1)])).unwrap();
    let mut scene = Scene::at(directory, polled(&path));
    rename_over(&path, GUARDED.to_owned() + &set(&[("a", 10), ("b", 1)]));
    assert!(scene.refused().await.contains("91 %"));
    // Time for a few more offers.
    sleep(Duration::from_millis(300)).await;
    rename_over(&path, GUARDED.to_owned() + &set(&[("a", 1), ("b", 1), ("c", 1)]));
    scene.taken().await;
    scene.serves(&[("a", 1), ("b", 1), ("c", 1)]);
}

#[tokio::test]
async fn a_smaller_set_that_stays_in_the_file_is_believed() {
    const CONFIRM: &str = "[update]\nconfirm_after = '1s'\n";
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("lb.toml");
    let all = ["a", "b", "c", "d", "e", "f"].map(|id| (id, 1));
    fs::write(&path, CONFIRM.to_owned() + &set(&all)).unwrap();
    // By the watch: what is refused is offered again sooner than the next look is due.
    let mut scene = Scene::at(directory, watched(&path));
    rename_over(&path, CONFIRM.to_owned() + &set(&all[..2]));
    assert!(scene.refused().await.contains("believed if it is still sent"));
    scene.serves(&all);
    scene.taken().await;
    scene.serves(&all[..2]);
}

#[tokio::test]
async fn a_target_that_could_not_be_made_is_tried_again() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("lb.toml");
    fs::write(&path, set(&[("a", 1)])).unwrap();
    let (ready, asked) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let (is_ready, asks) = (Arc::clone(&ready), Arc::clone(&asked));
    let make = move |spec: &EndpointSpec| -> Result<String, BoxError> {
        if &*spec.address == "b:80" {
            asks.fetch_add(1, Ordering::Relaxed);
            if !is_ready.load(Ordering::Relaxed) {
                return Err("not now".into());
            }
        }
        Ok(spec.address.clone())
    };
    let source = polled(&path);
    let balancer = Balancer::builder().config(source.load().unwrap()).make(make).build().unwrap();
    let mut scene = Scene::with(balancer, directory, source);
    rename_over(&path, set(&[("a", 1), ("b", 1)]));
    assert!(scene.refused().await.contains("not now"));
    until("it is asked a third time", || asked.load(Ordering::Relaxed) > 2).await;
    ready.store(true, Ordering::Relaxed);
    scene.taken().await;
    scene.serves(&[("a", 1), ("b", 1)]);
}

#[tokio::test]
async fn what_is_applied_by_hand_stays_until_the_file_changes() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("lb.toml");
    fs::write(&path, set(&[("a", 1), ("b", 1)])).unwrap();
    let mut scene = Scene::at(directory, polled(&path));
    rename_over(&path, set(&[("a", 2), ("b", 1)]));
    scene.taken().await;
    scene.balancer.apply(config(&set(&[("a", 3), ("b", 1)]))).unwrap();
    assert!(matches!(scene.told().await, Event::Published { .. }));
    // The file goes, and comes back as it was.
    fs::remove_file(&path).unwrap();
    scene.failed().await;
    rename_over(&path, set(&[("a", 2), ("b", 1)]));
    scene.recovered().await;
    scene.serves(&[("a", 3), ("b", 1)]);
    rename_over(&path, set(&[("a", 2), ("b", 2)]));
    scene.taken().await;
    scene.serves(&[("a", 2), ("b", 2)]);
    scene.balancer.rollback().unwrap();
    assert!(matches!(scene.told().await, Event::Published { .. }));
    rename_over(&path, set(&[("a", 4), ("b", 4)]));
    scene.taken().await;
}

#[tokio::test]
async fn what_is_applied_by_hand_ends_the_offers_of_what_was_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("lb.toml");
    fs::write(&path, GUARDED.to_owned() + &set(&[("a", 1), ("b", 1)])).unwrap();
    let mut scene = Scene::at(directory, polled(&path));
    rename_over(&path, GUARDED.to_owned() + &set(&[("a", 10), ("b", 1)]));
    scene.refused().await;
    // With a share of nine tenths before, the guard would let the file's pass.
    for weight in [1, 20] {
        scene.balancer.apply(config(&set(&[("a", weight), ("b", 1)]))).unwrap();
        assert!(matches!(scene.told().await, Event::Published { .. }));
    }
    sleep(Duration::from_millis(300)).await;
    scene.serves(&[("a", 20), ("b", 1)]);
    rename_over(&path, set(&[("a", 2), ("b", 1)]));
    scene.taken().await;
}

#[tokio::test]
async fn several_balancers_live_in_one_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("lb.toml");
    let text = |cart: u32, search: u32| {
        let section = |name: &str, weight: u32| {
            set(&[("a", weight)])
                .replace("[[endpoints]]", &format!("[[balancer.{name}.endpoints]]"))
        };
        section("cart", cart) + &section("search", search)
    };
    fs::write(&path, text(1, 1)).unwrap();
    let follow = |name: &str| {
        let source = watched(&path).balancer(name);
        let balancer = builder().config(source.load().unwrap()).build().unwrap();
        let (events, worker) = (balancer.subscribe(), balancer.follow(source));
        assert_eq!(balancer.name(), name);
        (balancer, events, worker)
    };
    let (cart, mut cart_events, _cart) = follow("cart");
    let (search, mut search_events, _search) = follow("search");
    rename_over(&path, text(2, 1));
    until("the cart follows", || weights(&cart)[0].1 == 2).await;
    rename_over(&path, text(2, 3));
    until("the search follows", || weights(&search)[0].1 == 3).await;
    for events in [&mut cart_events, &mut search_events] {
        let mut told = received(events);
        told.retain(|event| !matches!(event, Event::ShareRaised { .. }));
        assert!(matches!(told.as_slice(), [Event::Published { .. }]), "{told:?}");
    }
}

// --- The end -------------------------------------------------------------------------------------

#[tokio::test]
async fn the_last_handle_ends_it() {
    let scene = Scene::new(&set(&[("a", 1)]));
    assert!(!scene.worker.is_finished());
    let Scene { balancer, mut events, worker, .. } = scene;
    let other = balancer.clone();
    drop(balancer);
    drop(other);
    until("the worker ends", || worker.is_finished()).await;
    assert!(timeout(LONG, events.recv()).await.unwrap().is_none());
}

#[tokio::test]
async fn who_stops_it_is_told_when_it_has_stopped() {
    let Scene { balancer, mut events, worker, file, directory } = Scene::new(&set(&[("a", 1)]));
    rename_over(&file, set(&[("a", 2)]));
    // In the middle of whatever it does.
    until("the file is taken", || weights(&balancer)[0].1 == 2).await;
    rename_over(&file, set(&[("a", 3)]));
    worker.stop().await;
    received(&mut events);
    let before = weights(&balancer);
    rename_over(&file, set(&[("a", 4)]));
    // Somebody else sees it, so the first could have.
    let mut other = Scene::with(builder().build().unwrap(), directory, watched(&file));
    other.taken().await;
    other.serves(&[("a", 4)]);
    assert_eq!(weights(&balancer), before);
    assert!(received(&mut events).is_empty());
}

/// That one that is dropped ends is seen in `follow_leaks`.
#[tokio::test]
async fn one_that_is_detached_goes_on() {
    let Scene { balancer, mut events, worker, file, directory: _directory } =
        Scene::new(&set(&[("a", 1)]));
    worker.detach();
    for weight in 2..5 {
        rename_over(&file, set(&[("a", weight)]));
        until("the file is taken", || weights(&balancer)[0].1 == weight).await;
    }
    assert_eq!(received(&mut events).len(), 3);
}

#[test]
#[should_panic(expected = "there is no reactor running")]
fn outside_of_a_runtime_it_panics() {
    builder().build().unwrap().follow(FileSource::new("lb.toml")).detach();
}

#[test]
#[should_panic(expected = "timers are disabled")]
fn in_a_runtime_without_a_timer_it_panics() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let _inside = runtime.enter();
    builder().build().unwrap().follow(FileSource::new("lb.toml")).detach();
}
