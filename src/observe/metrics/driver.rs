//! When records are written: when somebody asks, or again and again.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_core::Stream;
use metrics::{Recorder, SharedString};
use tokio::task::coop::unconstrained;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep};

use crate::balancer::{Balancer, Events};
use crate::observe::metrics::book::Book;
use crate::observe::metrics::scribe::Scribe;
use crate::observe::metrics::sheet::Sheet;
use crate::observe::metrics::tallies::count;
use crate::worker::Worker;

/// A balancer's figures as metrics, through the [`metrics`](https://docs.rs/metrics) facade: whatever
/// exporter is installed behind it gets them.
///
/// Nothing is recorded where requests are. A record reads counters that are kept anyway and tells what
/// has come since the last one; events are counted as they come. So a recorder that is slow or stuck
/// costs no request anything, and the record that waits for it is the only one: nothing piles up.
///
/// Names, labels and what they are modelled on are listed in `docs::metrics`. All carry the label
/// `balancer`, the [name](crate::Builder::name). Endpoints are told one by one only
/// [if that is asked for](Self::per_endpoint), and no more of them than
/// [a bound](Self::max_endpoints). A gauge of something that has gone (an endpoint, a tier, the
/// balancer) is set to zero, for the facade cannot take it back; so are all when this is dropped.
///
/// Either [`start`](Self::start) it, or have it [`record`](Self::record) whenever somebody scrapes.
/// It counts from the moment it is made, so make it with the balancer, and only one: a second one for
/// the same recorder counts everything twice.
///
/// ```
/// use evenkeel::{Balancer, Endpoint, Key, Metrics};
/// use metrics_exporter_prometheus::PrometheusBuilder;
///
/// let recorder = PrometheusBuilder::new().build_recorder();
/// let scraped = recorder.handle();
///
/// let balancer = Balancer::builder().name("checkout").endpoint(Endpoint::new("a", ())).build()?;
/// let mut metrics = Metrics::new(&balancer).recorder(recorder);
/// drop(balancer.pick(&Key::none())?);
///
/// metrics.record();
/// assert!(scraped.render().contains(r#"evenkeel_picks_total{balancer="checkout"} 1"#));
/// # Ok::<(), evenkeel::BoxError>(())
/// ```
#[derive(Debug)]
#[must_use = "nothing is told unless it is started, or asked to record"]
pub struct Metrics {
    events: Listening,
    scribe: Scribe,
    every: Duration,
}

impl Metrics {
    /// Endpoints that are told one by one at most, if nothing else is said.
    const MOST: usize = 1_000;

    /// How often a record is written, if nothing else is said.
    const EVERY: Duration = Duration::from_secs(10);

    /// The shortest time between two records: nobody looks more often.
    const SHORTEST: Duration = Duration::from_millis(1);

    /// The metrics of this balancer, counted from now on. It is not kept alive.
    pub fn new<T: Send + Sync + 'static>(balancer: &Balancer<T>) -> Self {
        // In this order, so that no event is lost between the two.
        let events = balancer.subscribe();
        let observed = balancer.observed();
        let figures = observed.upgrade().map(|observed| observed.figures());
        let name = SharedString::from_shared(balancer.name().into());
        Self {
            events: Listening {
                events,
                name: name.clone(),
                heard: Sheet::new(name.clone()),
                is_over: false,
            },
            scribe: Scribe {
                name,
                observed,
                book: Book::new(Self::MOST, figures.as_ref()),
                recorder: None,
                told: Vec::new(),
            },
            every: Self::EVERY,
        }
    }

    /// Whether endpoints are told one by one besides, each under the label `endpoint`, its id. Default
    /// `false`.
    ///
    /// That is sixteen series for each endpoint.
    pub fn per_endpoint(mut self, on: bool) -> Self {
        self.scribe.book.per_endpoint = on;
        self
    }

    /// How many endpoints have a label of their own at most; all that come later share `other`.
    /// Default 1,000.
    ///
    /// An endpoint that has left still counts: exporters keep what they were told for as long as the
    /// process lives, unless they are said to [forget](Self::forgotten_after).
    pub fn max_endpoints(mut self, most: usize) -> Self {
        self.scribe.book.names.at_most(most);
        self
    }

    /// Says that the exporter forgets a series that was not touched for this long, as
    /// `PrometheusBuilder::idle_timeout` makes it do, so that the label of an endpoint that has been
    /// gone for longer can be given to another one. Default: it never forgets.
    ///
    /// Series of what is there are touched by every record.
    pub fn forgotten_after(mut self, idle: Duration) -> Self {
        self.scribe.book.names.forgotten_after(idle);
        self
    }

    /// How often a record is written while it is [started](Self::start). Default 10 s, at least 1 ms.
    ///
    /// About as often as somebody scrapes: what happens between two records is never lost, only told
    /// later.
    pub fn every(mut self, every: Duration) -> Self {
        self.every = every.max(Self::SHORTEST);
        self
    }

    /// The recorder that is told. Default: whichever is installed when a record is written.
    pub fn recorder(mut self, recorder: impl Recorder + Send + Sync + 'static) -> Self {
        self.scribe.recorder = Some(Arc::new(recorder));
        self
    }

    /// Writes one record now, for a scrape that comes next. `false` once the balancer is gone.
    ///
    /// Takes as long as the recorder takes, and a look at every endpoint. Of events that nobody has
    /// heard meanwhile the last 1,024 are counted by their kind, and the others as missed.
    pub fn record(&mut self) -> bool {
        self.events.catch_up();
        self.scribe.write(self.events.take(), now())
    }

    /// Starts a task that writes a record at once, and then [again and again](Self::every).
    ///
    /// It does not keep the balancer alive, and ends when the returned [`Worker`] is dropped or the
    /// last handle of the balancer is gone. A recorder that panics ends it, too.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    #[track_caller]
    pub fn start(self) -> Worker {
        Worker::spawn(self.run())
    }

    /// What [`start`](Self::start) runs, for those who have a task of their own for it. It has to be
    /// polled inside of a tokio runtime with a timer.
    ///
    /// Records are written on a thread for what blocks, one at a time: while a recorder is stuck,
    /// events go on being counted, and no thread that serves requests waits.
    ///
    /// # Cancel safety
    ///
    /// Dropping it ends the telling, and sets all gauges to zero. What came since the last record is
    /// not told.
    pub async fn run(self) {
        let Self { mut events, mut scribe, every } = self;
        loop {
            let (happened, at) = (events.take(), now());
            let writing = spawn_blocking(move || {
                let goes_on = scribe.write(happened, at);
                (goes_on, scribe)
            });
            let written = events.listen(pin!(writing)).await;
            // An error says that the recorder panicked, or that the runtime ends.
            let Ok((true, again)) = written else { return };
            scribe = again;
            // If the balancer goes away meanwhile, the next record says so at once.
            events.pause(pin!(sleep(every))).await;
        }
    }
}

/// Whoever counts events as they come.
#[derive(Debug)]
struct Listening {
    events: Events,
    name: SharedString,
    heard: Sheet,
    is_over: bool,
}

impl Listening {
    /// What was heard since the last time.
    fn take(&mut self) -> Sheet {
        std::mem::replace(&mut self.heard, Sheet::new(self.name.clone()))
    }

    /// Counts what is there. To be called again when `cx` says so.
    fn hear(&mut self, cx: &mut Context<'_>) {
        while !self.is_over {
            match Pin::new(&mut self.events).poll_next(cx) {
                Poll::Ready(Some(event)) => count(&event, &mut self.heard),
                Poll::Ready(None) => self.is_over = true,
                Poll::Pending => return,
            }
        }
    }

    /// Counts all that has happened, outside of a task's budget.
    fn catch_up(&mut self) {
        let mut cx = Context::from_waker(Waker::noop());
        let hear = poll_fn(|cx| {
            self.hear(cx);
            Poll::Ready(())
        });
        let _ = pin!(unconstrained(hear)).poll(&mut cx);
    }

    /// Counts events until `work` is done.
    async fn listen<W: Future>(&mut self, mut work: Pin<&mut W>) -> W::Output {
        poll_fn(|cx| {
            self.hear(cx);
            work.as_mut().poll(cx)
        })
        .await
    }

    /// Counts events until `pause` is over, or the balancer is gone.
    async fn pause(&mut self, mut pause: Pin<&mut impl Future<Output = ()>>) {
        poll_fn(|cx| {
            self.hear(cx);
            if self.is_over { Poll::Ready(()) } else { pause.as_mut().poll(cx) }
        })
        .await;
    }
}

fn now() -> Instant {
    #[expect(clippy::disallowed_methods, reason = "a driver, whose time this is")]
    Instant::now()
}
