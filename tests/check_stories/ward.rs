//! Endpoints that are as well as a story wants them, and what they were asked.

use std::collections::BTreeMap;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use evenkeel::{BoxError, Probe, ProbeFuture, Subject, probe_fn};
use parking_lot::{Mutex, MutexGuard};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

use crate::support::now;

/// What an endpoint does when it is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum Nature {
    #[default]
    Well,
    Sick,
    Hangs,
    /// Well, after this time.
    Slow(Duration),
    /// Sick, once the gate is opened.
    Waits,
    /// The future panics.
    Panics,
    /// The probe does, before there is a future.
    PanicsAtOnce,
}

/// What is known of all of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ward(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    gate: Notify,
    book: Mutex<Book>,
}

#[derive(Debug, Default)]
struct Book {
    natures: BTreeMap<usize, Nature>,
    asked: Vec<(Instant, usize)>,
    under_way: BTreeMap<usize, usize>,
    most: usize,
    overlapped: bool,
}

impl Ward {
    fn book(&self) -> MutexGuard<'_, Book> {
        self.0.book.lock()
    }

    pub(crate) fn is(&self, number: usize, nature: Nature) {
        self.book().natures.insert(number, nature);
    }

    /// Lets one that waits answer.
    pub(crate) fn open_gate(&self) {
        self.0.gate.notify_one();
    }

    /// When this one was asked.
    pub(crate) fn asked(&self, number: usize) -> Vec<Instant> {
        self.book().asked.iter().filter(|it| it.1 == number).map(|it| it.0).collect()
    }

    pub(crate) fn all_asked(&self) -> usize {
        self.book().asked.len()
    }

    /// How many are being asked.
    pub(crate) fn under_way(&self) -> usize {
        self.book().under_way.values().sum()
    }

    /// How many ever were at once.
    pub(crate) fn most(&self) -> usize {
        self.book().most
    }

    /// Whether one was ever asked twice at once.
    pub(crate) fn overlapped(&self) -> bool {
        self.book().overlapped
    }

    pub(crate) fn probe(&self) -> impl Probe<usize> {
        Numbered(self.clone())
    }

    async fn answer(self, number: usize) -> Result<(), BoxError> {
        let nature = self.book().natures.get(&number).copied().unwrap_or_default();
        let visit = Visit::begin(self, number);
        match nature {
            Nature::Well => Ok(()),
            Nature::Sick => Err("it says so".into()),
            Nature::Waits => {
                visit.0.0.gate.notified().await;
                Err("it says so".into())
            }
            Nature::Hangs => pending().await,
            Nature::Slow(span) => {
                sleep(span).await;
                Ok(())
            }
            Nature::Panics | Nature::PanicsAtOnce => panic!("{number} has no pulse"),
        }
    }
}

struct Numbered(Ward);

impl Probe<usize> for Numbered {
    fn probe<'a>(&'a self, subject: Subject<'a, usize>) -> ProbeFuture<'a> {
        let (ward, number) = (self.0.clone(), *subject.target());
        let at_once = ward.book().natures.get(&number) == Some(&Nature::PanicsAtOnce);
        assert!(!at_once, "{number} has no door");
        Box::pin(ward.answer(number))
    }
}

/// A probe of endpoints that are their own number, behind whatever `number` reads it from.
pub(crate) fn probe_by<T: 'static>(
    ward: &Ward,
    number: impl Fn(&T) -> usize + Send + Sync + 'static,
) -> impl Probe<T> {
    let ward = ward.clone();
    probe_fn(move |subject: Subject<'_, T>| ward.clone().answer(number(subject.target())))
}

/// A check that is under way; over however it ends.
struct Visit(Ward, usize);

impl Visit {
    fn begin(ward: Ward, number: usize) -> Self {
        let mut book = ward.book();
        book.asked.push((now(), number));
        let here = book.under_way.entry(number).or_default();
        *here += 1;
        let here = *here;
        book.overlapped |= here > 1;
        book.most = book.most.max(book.under_way.values().sum());
        drop(book);
        Self(ward, number)
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        *self.0.book().under_way.entry(self.1).or_default() -= 1;
    }
}
