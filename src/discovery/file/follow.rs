//! The task that follows a file.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep_until};

use crate::balancer::{Balancer, Change, Offered, Refusal, Tether};
use crate::config::Config;
use crate::discovery::file::FileSource;
use crate::discovery::file::course::{Course, Step};
use crate::discovery::file::eyes::{Eyes, Look};
use crate::discovery::file::pace::{Looked, Pace};
use crate::event::Event;
use crate::worker::Worker;

impl<T: Send + Sync + 'static> Balancer<T> {
    /// Keeps to a file from now on: what it says is [applied](Self::apply), now and whenever it
    /// changes.
    ///
    /// A change is applied once the file has been left alone for the
    /// [debounce](FileSource::debounce), and judged by the guards like any other; revisions and
    /// events name the file as who made it. A file is best changed by renaming another over it,
    /// because then it is whole at every moment. One written in place is waited for until it is
    /// closed, where the system tells; elsewhere, part of a file may be taken for all of it if its
    /// writer pauses for longer than the debounce. Links are followed anew each time, so the files
    /// of a Kubernetes `ConfigMap` work (unless mounted by `subPath`, which Kubernetes never
    /// updates).
    ///
    /// What goes wrong changes nothing:
    ///
    /// * A file that is gone, cannot be read, is empty or is wrong leaves what it said last. It is
    ///   told once, by [`Event::SourceFailed`], and [`Event::SourceRecovered`] follows when the
    ///   file is put right.
    /// * Settings that the balancer refuses are told by [`Event::ConfigRefused`], and offered again
    ///   while the file stays as it is: a smaller set is so believed after `update.confirm_after`,
    ///   and a target that could not be made is tried again. The event comes again only if the
    ///   reason is another.
    /// * Settings applied by hand, and rollbacks, stay until the file says something it has not
    ///   said last. A file that comes back as it was, after a fault, is no change.
    ///
    /// The task does not keep the balancer alive, and ends with its last handle. Several balancers
    /// may follow one file.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with a timer.
    #[track_caller]
    pub fn follow(&self, source: FileSource) -> Worker {
        // Made here, so that a missing timer is the caller's panic and not that of a task that
        // nobody looks at.
        drop(sleep_until(now()));
        Worker::spawn(Follower::new(self.tether(), source).run())
    }
}

struct Follower<T: Send + Sync + 'static> {
    tether: Tether<T>,
    /// What the source is called.
    name: String,
    pace: Pace,
    course: Course,
    /// What the balancer refused, and is offered again.
    refused: Option<(Config, Refusal)>,
    /// `None` only while they look.
    eyes: Option<Eyes>,
    hears: watch::Receiver<bool>,
}

impl<T: Send + Sync + 'static> Follower<T> {
    fn new(tether: Tether<T>, source: FileSource) -> Self {
        let (debounce, poll) = source.times();
        let name = source.to_string();
        let (eyes, hears) = Eyes::new(source);
        Self {
            tether,
            name,
            pace: Pace::new(now(), debounce, poll),
            course: Course::default(),
            refused: None,
            eyes: Some(eyes),
            hears,
        }
    }

    async fn run(mut self) {
        loop {
            let woken = self.woken().await;
            let stirred = match woken {
                Woken::Gone => return,
                Woken::Stirred => true,
                Woken::Due => self.hears.has_changed().unwrap_or(false),
            };
            let now = now();
            if stirred {
                let open = *self.hears.borrow_and_update();
                self.pace.stirred(now, open);
            }
            if now < self.pace.due() {
                continue;
            }
            // There is no look any more if the runtime is ending.
            let Some(look) = self.look().await else { return };
            self.follow(look);
        }
    }

    async fn woken(&mut self) -> Woken {
        let mut gone = pin!(self.tether.gone());
        let mut due = pin!(sleep_until(self.pace.due()));
        let mut stirred = pin!(self.hears.changed());
        poll_fn(|cx| {
            if gone.as_mut().poll(cx).is_ready() {
                Poll::Ready(Woken::Gone)
            } else if stirred.as_mut().poll(cx).is_ready() {
                Poll::Ready(Woken::Stirred)
            } else {
                due.as_mut().poll(cx).map(|()| Woken::Due)
            }
        })
        .await
    }

    async fn look(&mut self) -> Option<Look> {
        let mut eyes = self.eyes.take()?;
        let (known, stirred) = (self.pace.known().cloned(), self.pace.is_stirred());
        let looking = spawn_blocking(move || (eyes.look(known.as_ref(), stirred), eyes));
        let (look, eyes) = looking.await.ok()?;
        self.eyes = Some(eyes);
        Some(look)
    }

    fn follow(&mut self, look: Look) {
        let Some(balancer) = self.tether.balancer() else { return };
        match (self.pace.looked(now(), &look.sight), look.says) {
            (Looked::New, Some(says)) => {
                for step in self.course.settled(look.sight.ok(), says) {
                    self.take(&balancer, step);
                }
            }
            (Looked::Same, _) if self.course.stands() => {
                if let Some((config, refusal)) = self.refused.take() {
                    self.offer(&balancer, config, Some(&refusal));
                }
            }
            _ => {}
        }
    }

    fn take(&mut self, balancer: &Balancer<T>, step: Step) {
        let source = self.name.clone();
        match step {
            Step::TellFailed(error) => {
                let error = Arc::new(error.into());
                balancer.tell(Event::SourceFailed { source, error });
            }
            Step::TellRecovered => balancer.tell(Event::SourceRecovered { source }),
            Step::Offer(config) => self.offer(balancer, config, None),
        }
    }

    fn offer(&mut self, balancer: &Balancer<T>, config: Config, refusal: Option<&Refusal>) {
        let change = Change::new(config.clone()).by(&self.name);
        self.refused = match balancer.offer(change, refusal) {
            Offered::Taken | Offered::Overtaken => None,
            Offered::Refused(refusal) => {
                // Often enough for a smaller set to count as one that is still being sent.
                if let Some(update) = config.update() {
                    self.pace.look_within(now(), update.confirm_after());
                }
                Some((config, refusal))
            }
        };
    }
}

impl<T: Send + Sync + 'static> Drop for Follower<T> {
    /// Nobody would ever find out that the source is well again.
    fn drop(&mut self) {
        if !self.course.stands()
            && let Some(balancer) = self.tether.balancer()
        {
            balancer.forget_source(&self.name);
        }
    }
}

/// What the task was waiting for.
enum Woken {
    /// The balancer is gone.
    Gone,
    /// The system says that something has changed.
    Stirred,
    /// It is time to look.
    Due,
}

/// The clock: read when something has come up, and told to all that decides.
fn now() -> Instant {
    #[expect(clippy::disallowed_methods, reason = "the edge; all below is told the time")]
    Instant::now()
}
