//! Whoever writes a record: reads the balancer, and tells the recorder.

use std::fmt;
use std::sync::Arc;
use std::sync::Weak;

use metrics::{Key, Recorder, SharedString, with_recorder};
use tokio::time::Instant;

use crate::balancer::Observable;
use crate::observe::metrics::book::Book;
use crate::observe::metrics::catalogue::describe;
use crate::observe::metrics::sheet::Sheet;
use crate::observe::metrics::tallies;

/// Stands between one balancer and one recorder. Keeps no balancer alive.
pub(super) struct Scribe {
    pub(super) name: SharedString,
    pub(super) observed: Weak<dyn Observable>,
    pub(super) book: Book,
    /// `None` for the one that is installed when something is told.
    pub(super) recorder: Option<Arc<dyn Recorder + Send + Sync>>,
    /// The gauges that were told last.
    pub(super) told: Vec<Key>,
}

impl Scribe {
    /// Adds how things stand to what has `happened`, and tells it. `false` once the balancer is gone:
    /// all gauges are zero then.
    pub(super) fn write(&mut self, happened: Sheet, now: Instant) -> bool {
        let mut sheet = happened;
        let figures = self.observed.upgrade().map(|observed| observed.figures());
        if let Some(figures) = &figures {
            tallies::begin(&mut sheet);
            self.book.write(figures, &mut sheet, now);
        }
        self.tell(sheet);
        figures.is_some()
    }

    fn tell(&mut self, sheet: Sheet) {
        let told = &mut self.told;
        let tell = |recorder: &dyn Recorder| {
            describe(recorder);
            sheet.tell(recorder, told);
        };
        match &self.recorder {
            Some(recorder) => tell(recorder),
            None => with_recorder(tell),
        }
    }
}

impl Drop for Scribe {
    fn drop(&mut self) {
        // Whoever panics has had enough of the recorder.
        if !self.told.is_empty() && !std::thread::panicking() {
            self.tell(Sheet::new(self.name.clone()));
        }
    }
}

impl fmt::Debug for Scribe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scribe").field("balancer", &self.name).finish_non_exhaustive()
    }
}
