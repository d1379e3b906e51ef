//! Looking at the file, and hearing from the system that it is time to.

use std::mem;
use std::path::Path;

use notify::event::{AccessKind, AccessMode, ModifyKind};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::watch;

use crate::config::Config;
use crate::discovery::file::FileSource;
use crate::discovery::file::places::{Place, places};
use crate::discovery::file::read::{Sight, content, read};
use crate::error::FileError;
use crate::sync::{Arc, Mutex};

/// Whether a file that was written into is known to have been closed.
const TELLS_CLOSE: bool = cfg!(any(target_os = "linux", target_os = "android"));

/// Looks that are taken at the way to the file while it changes under them.
const LOOKS: usize = 3;

/// Looks at a file, and keeps a watch on it.
///
/// Everything here may block, on the file and on the thread that watches.
#[derive(Debug)]
pub(super) struct Eyes {
    source: FileSource,
    /// Something has changed; the value says whether somebody is still writing.
    stirred: watch::Sender<bool>,
    watch: Option<Watch>,
}

/// What a look has seen.
#[derive(Debug)]
pub(super) struct Look {
    pub(super) sight: Sight,
    /// The settings, unless the content is the known one.
    pub(super) says: Option<Result<Config, FileError>>,
}

impl Eyes {
    pub(super) fn new(source: FileSource) -> (Self, watch::Receiver<bool>) {
        let (stirred, hears) = watch::channel(false);
        (Self { source, stirred, watch: None }, hears)
    }

    /// Looks at the file, with the watch set before, so that whatever changes after this look is
    /// heard. `stirred` says that a directory may have gone and come again.
    pub(super) fn look(&mut self, known: Option<&Sight>, stirred: bool) -> Look {
        self.watch(stirred);
        let bytes = match read(self.source.path()) {
            Ok(bytes) => bytes,
            Err(error) => return Look { sight: Err(error.clone()), says: Some(Err(error)) },
        };
        let sight = Ok(content(&bytes));
        let says = (known != Some(&sight)).then(|| self.source.parse(&bytes));
        Look { sight, says }
    }

    /// Watches the places that lead to the file. Where the system has no watch to give, this is
    /// tried again with each look, and looks are all there is.
    fn watch(&mut self, mut afresh: bool) {
        if self.watch.is_none() {
            self.watch = Watch::new(self.stirred.clone());
        }
        // One whose thread has ended is not replaced: what is left of it cannot be freed.
        let Some(watch) = self.watch.as_mut().filter(|watch| !watch.is_dead()) else { return };
        for _ in 0..LOOKS {
            let seen = places(self.source.path());
            watch.set(&seen, afresh);
            // A link exchanged before its directory was watched would not have been heard.
            if places(self.source.path()) == seen {
                return;
            }
            afresh = false;
        }
    }
}

/// A watch on directories.
#[derive(Debug)]
struct Watch {
    /// `None` only while it is dropped.
    watcher: Option<RecommendedWatcher>,
    /// Shared with the thread that watches.
    places: Arc<Mutex<Vec<Place>>>,
    /// Whether every place is watched.
    complete: bool,
}

impl Watch {
    fn new(stirred: watch::Sender<bool>) -> Option<Self> {
        let places = Arc::new(Mutex::new(Vec::new()));
        let concerned = Arc::clone(&places);
        let hear = move |heard: notify::Result<Event>| {
            let sign = match heard {
                Ok(event) => sign(&event, &concerned.lock()),
                Err(_) => Some(Sign::Whole),
            };
            let Some(sign) = sign else { return };
            stirred.send_modify(|open| match sign {
                Sign::Whole => *open = false,
                Sign::Written => *open = TELLS_CLOSE,
                Sign::Touched => {}
            });
        };
        let watcher = notify::recommended_watcher(hear).ok()?;
        Some(Self { watcher: Some(watcher), places, complete: false })
    }

    /// Whether the thread that watches has ended. Its watcher panics over anything it is asked.
    fn is_dead(&self) -> bool {
        Arc::strong_count(&self.places) == 1
    }

    fn set(&mut self, places: &[Place], afresh: bool) {
        if !afresh && self.complete && *self.places.lock() == places {
            return;
        }
        let before = mem::replace(&mut *self.places.lock(), places.to_vec());
        let Some(watcher) = &mut self.watcher else { return };
        for directory in directories(&before) {
            // It may have gone, and its watch with it.
            let _ = watcher.unwatch(directory);
        }
        self.complete = true;
        for directory in directories(places) {
            self.complete &= watcher.watch(directory, RecursiveMode::NonRecursive).is_ok();
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if self.is_dead() {
            mem::forget(self.watcher.take());
        }
    }
}

/// The directories of places, each once.
fn directories(places: &[Place]) -> impl Iterator<Item = &Path> {
    places.iter().enumerate().filter_map(|(at, place)| {
        let earlier = &places[..at];
        let new = earlier.iter().all(|it| it.directory != place.directory);
        new.then_some(place.directory.as_path())
    })
}

/// What an event says about the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sign {
    /// Whoever wrote into it has closed it, or the name stands for something else.
    Whole,
    /// Somebody has written into it.
    Written,
    /// Its time, its owner or its permissions were changed.
    Touched,
}

/// What `event` says about one of the `places`; reading says nothing.
fn sign(event: &Event, places: &[Place]) -> Option<Sign> {
    let concerns = |path: &Path| {
        places.iter().any(|it| path == it.directory || path.file_name() == Some(&it.name))
    };
    let missed = event.need_rescan() || event.paths.is_empty();
    if !missed && !event.paths.iter().any(|path| concerns(path)) {
        return None;
    }
    match event.kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => Some(Sign::Whole),
        EventKind::Access(_) => None,
        EventKind::Modify(ModifyKind::Data(_)) => Some(Sign::Written),
        EventKind::Modify(ModifyKind::Metadata(_)) => Some(Sign::Touched),
        _ => Some(Sign::Whole),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use notify::event::{CreateKind, DataChange, Flag, MetadataKind, RemoveKind, RenameMode};

    use super::*;

    /// What an event at `path` says about `/etc/lb.toml`, to which `/etc/conf` leads.
    fn said(kind: EventKind, path: &str) -> Option<Sign> {
        let places = [("/etc", "conf"), ("/etc", "lb.toml")];
        let places = places.map(|(directory, name)| Place::new(directory.as_ref(), name.as_ref()));
        sign(&Event::new(kind).add_path(path.into()), &places)
    }

    #[test]
    fn each_change_says_whether_the_file_is_whole() {
        let closed = |mode| EventKind::Access(AccessKind::Close(mode));
        for (kind, sign) in [
            (EventKind::Create(CreateKind::File), Some(Sign::Whole)),
            (EventKind::Remove(RemoveKind::File), Some(Sign::Whole)),
            (EventKind::Modify(ModifyKind::Name(RenameMode::To)), Some(Sign::Whole)),
            (EventKind::Modify(ModifyKind::Data(DataChange::Any)), Some(Sign::Written)),
            (EventKind::Modify(ModifyKind::Metadata(MetadataKind::Any)), Some(Sign::Touched)),
            (closed(AccessMode::Write), Some(Sign::Whole)),
            // As a look itself is heard: to heed it would never end.
            (closed(AccessMode::Read), None),
            (EventKind::Access(AccessKind::Open(AccessMode::Any)), None),
            (EventKind::Access(AccessKind::Read), None),
        ] {
            for path in ["/etc/lb.toml", "/etc/conf", "/etc"] {
                assert_eq!(said(kind, path), sign, "{kind:?} of {path}");
            }
            assert_eq!(said(kind, "/etc/passwd"), None, "{kind:?}");
        }
    }

    #[test]
    fn what_was_missed_may_have_been_anything() {
        let missed = Event::new(EventKind::Other).set_flag(Flag::Rescan);
        assert_eq!(sign(&missed, &[]), Some(Sign::Whole));
        assert_eq!(sign(&missed.add_path("/else".into()), &[]), Some(Sign::Whole));
        assert_eq!(sign(&Event::new(EventKind::Any), &[]), Some(Sign::Whole));
    }

    #[test]
    fn each_directory_is_watched_once() {
        let places = [("/a", "1"), ("/b", "2"), ("/a", "3"), ("/b", "2")];
        let places = places.map(|(directory, name)| Place::new(directory.as_ref(), name.as_ref()));
        let expected: [PathBuf; 2] = ["/a".into(), "/b".into()];
        assert!(directories(&places).eq(expected.iter()));
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_writer_is_heard_until_the_file_is_closed() {
        use std::fs::{self, File};
        use std::io::Write;

        async fn hears(hears: &mut watch::Receiver<bool>, open: bool) {
            let heard = hears.wait_for(|heard| *heard == open);
            let heard = tokio::time::timeout(std::time::Duration::from_secs(60), heard).await;
            heard.expect("the system tells it").expect("the eyes are open");
        }

        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("lb.toml");
        let (mut eyes, mut heard) = Eyes::new(FileSource::new(&path));
        assert!(eyes.look(None, false).sight.is_err());
        for _ in 0..3 {
            let mut file = File::create(&path).unwrap();
            file.write_all(b"# 1").unwrap();
            hears(&mut heard, true).await;
            drop(file);
            hears(&mut heard, false).await;
            let look = eyes.look(None, true);
            assert_eq!(look.says, Some(Ok(Config::default())));
            // What is known is not read again.
            assert_eq!(eyes.look(Some(&look.sight), false).says, None);
            File::options().append(true).open(&path).unwrap().write_all(b"2").unwrap();
            hears(&mut heard, false).await;
            fs::remove_file(&path).unwrap();
        }
    }
}
