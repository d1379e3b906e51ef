//! Where a change of a file would show.
//!
//! A watch that hangs on the file itself goes with it when another is renamed over it. So what is
//! watched are directories, for the names in them that lead to the file: the file's own, and that
//! of every link on the way. Kubernetes, for one, shows a file of a `ConfigMap` as
//! `lb.toml -> ..data/lb.toml`, and changes it by renaming another link over `..data`.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Component, Path, PathBuf};

/// Links that are followed before it is called a circle, as the system does.
const MOST_LINKS: usize = 40;

/// A name in a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) directory: PathBuf,
    /// Tells the directory from another one that has taken its path.
    identity: Option<(u64, u64)>,
    pub(super) name: OsString,
}

impl Place {
    pub(super) fn new(directory: &Path, name: &OsStr) -> Self {
        Self {
            directory: directory.to_path_buf(),
            identity: fs::metadata(directory).ok().and_then(|seen| identity(&seen)),
            name: name.to_os_string(),
        }
    }
}

/// Every name that decides which file `path` leads to, in the order of the way there. It ends with
/// the first that does not exist: it is the one to wait for.
pub(super) fn places(path: &Path) -> Vec<Place> {
    let Ok(path) = std::path::absolute(path) else { return Vec::new() };
    let mut found = Vec::new();
    let mut links = 0;
    let mut at = PathBuf::new();
    let mut ahead = backwards(&path);
    while let Some(step) = ahead.pop() {
        if step == Component::ParentDir.as_os_str() {
            at.pop();
            continue;
        }
        let here = at.join(&step);
        match fs::symlink_metadata(&here) {
            Ok(seen) if seen.is_symlink() => {
                note(&mut found, &at, &step);
                links += 1;
                let Ok(target) = fs::read_link(&here) else { break };
                if links > MOST_LINKS {
                    break;
                }
                ahead.extend(backwards(&target));
            }
            Ok(_) if !ahead.is_empty() => at = here,
            Ok(_) => note(&mut found, &at, &step),
            Err(_) => {
                note(&mut found, &at, &step);
                break;
            }
        }
    }
    found
}

/// The steps of a path, the last one first.
fn backwards(path: &Path) -> Vec<OsString> {
    let steps = path.components().filter(|step| *step != Component::CurDir);
    steps.rev().map(|step| step.as_os_str().to_os_string()).collect()
}

fn note(found: &mut Vec<Place>, directory: &Path, name: &OsStr) {
    let place = Place::new(directory, name);
    if !found.contains(&place) {
        found.push(place);
    }
}

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "other systems do not say")]
fn identity(seen: &fs::Metadata) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    Some((seen.dev(), seen.ino()))
}

#[cfg(not(unix))]
fn identity(_: &fs::Metadata) -> Option<(u64, u64)> {
    None
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::symlink;

    use tempfile::TempDir;

    use super::*;

    /// The places of a path below `root`, as text below it.
    fn found(root: &Path, path: &str) -> Vec<String> {
        let below = |place: &Place| {
            let directory = place.directory.strip_prefix(root).unwrap_or(&place.directory);
            directory.join(&place.name).display().to_string()
        };
        places(&root.join(path)).iter().map(below).collect()
    }

    /// A directory whose own path has no links in it.
    fn directory() -> (TempDir, PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().canonicalize().unwrap();
        (directory, root)
    }

    #[test]
    fn a_plain_file_is_one_name() {
        let (_directory, root) = directory();
        fs::write(root.join("lb.toml"), "").unwrap();
        assert_eq!(found(&root, "lb.toml"), ["lb.toml"]);
        assert_eq!(found(&root, "./x/../lb.toml"), ["x"]);
    }

    #[test]
    fn a_config_map_is_three() {
        let (_directory, root) = directory();
        fs::create_dir(root.join("..1")).unwrap();
        fs::write(root.join("..1/lb.toml"), "").unwrap();
        symlink("..1", root.join("..data")).unwrap();
        symlink("..data/lb.toml", root.join("lb.toml")).unwrap();
        assert_eq!(found(&root, "lb.toml"), ["lb.toml", "..data", "..1/lb.toml"]);
    }

    #[test]
    fn links_lead_up_away_and_nowhere() {
        let (_directory, root) = directory();
        fs::create_dir_all(root.join("a/b")).unwrap();
        fs::write(root.join("lb.toml"), "").unwrap();
        symlink("../../lb.toml", root.join("a/b/up")).unwrap();
        assert_eq!(found(&root, "a/b/up"), ["a/b/up", "lb.toml"]);
        symlink(root.join("a"), root.join("away")).unwrap();
        assert_eq!(found(&root, "away/b/up"), ["away", "a/b/up", "lb.toml"]);
        symlink("gone/lb.toml", root.join("nowhere")).unwrap();
        assert_eq!(found(&root, "nowhere"), ["nowhere", "gone"]);
    }

    #[test]
    fn what_is_missing_is_waited_for_where_it_would_be() {
        let (_directory, root) = directory();
        assert_eq!(found(&root, "a/b/lb.toml"), ["a"]);
        fs::create_dir_all(root.join("a/b")).unwrap();
        assert_eq!(found(&root, "a/b/lb.toml"), ["a/b/lb.toml"]);
    }

    #[test]
    fn a_circle_ends() {
        let (_directory, root) = directory();
        symlink("b", root.join("a")).unwrap();
        symlink("a", root.join("b")).unwrap();
        assert_eq!(found(&root, "a"), ["a", "b"]);
    }

    #[test]
    fn a_directory_that_took_the_path_of_another_is_told_from_it() {
        let (_directory, root) = directory();
        fs::create_dir(root.join("a")).unwrap();
        let before = places(&root.join("a/lb.toml"));
        fs::rename(root.join("a"), root.join("b")).unwrap();
        fs::create_dir(root.join("a")).unwrap();
        assert_ne!(places(&root.join("a/lb.toml")), before);
    }

    #[test]
    fn no_path_has_no_place() {
        assert_eq!(places(Path::new("")), []);
    }
}
