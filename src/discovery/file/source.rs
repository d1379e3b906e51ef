//! Which file, and how it is followed.

use std::fmt;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::config::{Config, within};
use crate::discovery::file::read::{parse, read};
use crate::error::{FileError, Problem};

/// A TOML file of settings, and with [`Builder::make`](crate::Builder::make) of endpoints.
///
/// [`load`](Self::load) reads it once, so that a service with a wrong file does not start.
/// [`Balancer::follow`](crate::Balancer::follow) keeps to it from then on.
///
/// ```
/// use evenkeel::{Balancer, FileSource};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), evenkeel::BoxError> {
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path().join("lb.toml");
/// # std::fs::write(&path, "[[endpoints]]\nid = 'a'\naddress = '10.0.0.1:80'")?;
/// let source = FileSource::new(path);
/// let balancer = Balancer::builder()
///     .config(source.load()?)
///     .make(|spec| Ok(spec.address.clone()))
///     .build()?;
/// let worker = balancer.follow(source);
/// // … the file is followed for as long as `worker` is kept …
/// worker.stop().await;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileSource {
    path: PathBuf,
    balancer: Option<String>,
    debounce: Duration,
    poll: Duration,
}

impl FileSource {
    const DEBOUNCE: RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_secs(10);
    const POLL: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_hours(1);

    /// The file at `path`. One that is not absolute counts from the working directory.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            balancer: None,
            debounce: Duration::from_millis(200),
            poll: Duration::from_secs(5),
        }
    }

    /// Takes the settings of the balancer called `name`: those under `[balancer.NAME]`, or those at
    /// the top level with `name = "NAME"`. Default: none, for a file that holds the settings of one
    /// balancer.
    #[must_use]
    pub fn balancer(mut self, name: impl Into<String>) -> Self {
        self.balancer = Some(name.into());
        self
    }

    /// How long the file has to be left alone before it is read; 1ms to 10s, default 200ms.
    ///
    /// Longer is safer from files that are written in place, piece by piece; shorter is prompter.
    /// A file that changes all the time is read after ten times as long at the latest.
    ///
    /// # Errors
    ///
    /// Outside 1ms to 10s.
    pub fn debounce(mut self, debounce: Duration) -> Result<Self, Problem> {
        self.debounce = within("debounce", debounce, &Self::DEBOUNCE)?;
        Ok(self)
    }

    /// How often the file is looked at even if the system says nothing of a change; 100ms to 1h,
    /// default 5s.
    ///
    /// The system is silent on network file systems, about a single file mounted into a container,
    /// and when it has no watch left to give (`fs.inotify.max_user_instances` on Linux). A change
    /// is then noticed after this time. A look costs reading the file.
    ///
    /// # Errors
    ///
    /// Outside 100ms to 1h.
    pub fn poll(mut self, poll: Duration) -> Result<Self, Problem> {
        self.poll = within("poll", poll, &Self::POLL)?;
        Ok(self)
    }

    /// Reads the file now, in this thread.
    ///
    /// # Errors
    ///
    /// [`FileError`] if it cannot be read, is empty, is wrong, or has no settings for this balancer.
    pub fn load(&self) -> Result<Config, FileError> {
        self.parse(&read(&self.path)?)
    }

    pub(super) fn parse(&self, bytes: &[u8]) -> Result<Config, FileError> {
        parse(&self.path, self.balancer.as_deref(), bytes)
    }

    /// The file, as it was named.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(super) const fn times(&self) -> (Duration, Duration) {
        (self.debounce, self.poll)
    }
}

/// As events and revisions name it: `file lb.toml`, `file lb.toml, balancer checkout`.
impl fmt::Display for FileSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "file {}", self.path.display())?;
        self.balancer.iter().try_for_each(|name| write!(f, ", balancer {name}"))
    }
}
